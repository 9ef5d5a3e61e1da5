"""Bytes <-> values, pure functions: the seven PDUs, their items, and DIMSE command sets.

`pdu` and `items` hold the values; `codec` (with `item_codec` and `cursor`) turns one whole PDU into its value and back.
`framer` cuts a stream into PDUs, and P-DATA-TF into fragments without an object each. `command` reads and writes
command sets; `codes` names the numbers of the standard; `render` writes any of it for people.

A decoder raises `WireError` and nothing else, whatever the bytes. An encoder writes any value that has bytes, legal or
not, and raises `WireError` for the others.
"""
