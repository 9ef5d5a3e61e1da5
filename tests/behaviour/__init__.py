"""Rules: every word at every hop where it makes sense, as what comes to a hop and the steps that follow."""
