"""PS3.8's upper layer without input or output: bytes and `now` go in; indications, buffers and a deadline come out.

- `table`: states, events, actions and Table 9-10 as data; `actions`: what each action does, as data
- `primitives`: what the local user asks for, and the effects that tell it what happened
- `machine`: `UpperLayer`, which turns the crank; `outgoing`: what it has to send, lazily
- `negotiation`: the acceptor's policy and answer, the requestor's request; `agreement`: what both sides conclude from
  them; `roles`: the role selection table; `validity`: which decoded A-ASSOCIATE PDUs are invalid all the same
"""
