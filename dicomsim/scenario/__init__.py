"""Scenarios: what dicomsim does to a peer, and what a conforming peer does then, as files.

A file goes through `source` (YAML with the place of every value), `loader` and `model` (checked, or every mistake with
its line) to a `Case`. `runner` gives it actors: `script` says only what the steps say (`composing` makes the bytes),
`actors` has the AE that answers by itself. What comes back from the peer is an `observation`; `judge` holds it against
the alternatives of an `expect`, and `verdict` is what comes of it. `pytest_plugin` makes each file a test item.
"""
