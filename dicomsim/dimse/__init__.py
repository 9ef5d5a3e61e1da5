"""DIMSE, PS3.7: messages between the presentation data values below and the services above, without I/O.

`table` lists the messages of the eleven services; `messages` has the one value for all of them, `builders` makes
them, `check` judges them. Received fragments go through `assembler`, which puts data sets into the sinks of `data`;
messages to send go through `fragmenter`, which takes data sets from its sources. `exchange` keeps the books of one
association: message ids, operations outstanding either way, asynchronous window, deadlines, cancellation.
"""
