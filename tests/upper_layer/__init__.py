"""The state machine against Table 9-10 and the vectors of tests/oracle, negotiation against its rules."""
