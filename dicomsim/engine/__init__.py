"""The only I/O: sessions over transports, each pumped by exactly one owner at a time, and scripts over bare streams.

A `Session` is one association. Bytes go from its `transport` (TCP, or `tls`) through the state machine to the
`dispatch` of effects and messages, and from there to the `handler`, its service user; answers go back by `sending`
and `pump`. With rules, `detour` shows everything to the `hops` on its way; with an observer, `witness` tells of it.

`ownership` says who may touch a session: a caller while it waits for an answer (`waiting`), a worker while it
gives one, or the `reactor`, whose one thread waits with a `poller` for all else, listeners among it.
`opening` makes sessions of connections that are asked for or accepted, within `timeouts`.

`stream` is for scripts, which send nothing but what they say. `dicomsim.testing` has doubles of clock, transport and
reactor.
"""
