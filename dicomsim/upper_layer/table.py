"""PS3.8 Table 9-10: the state machine of the upper layer as data, event by event in the standard's own order.

This file holds the protocol, `machine.py` only turns its crank: whatever decides what happens next is a cell here, and
the same cells serve both sides. Rows are events, columns states; a cell is the action and the state that follows. Two
cells name two states, as the standard does: AE-6 goes to the first if the request is acceptable to the service
provider, AR-8 goes to the first on the association requestor's side. A cell that is not here cannot happen: a local
primitive that meets one is refused, anything from outside that meets one has come too late and is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias


class State(Enum):
    """The columns of PS3.8 Table 9-10, defined in §9.2.1."""

    __hash__ = object.__hash__  # a member is itself; Enum would hash its name, in Python

    STA1 = "Sta1"
    """Idle."""
    STA2 = "Sta2"
    """Transport connection open, awaiting A-ASSOCIATE-RQ."""
    STA3 = "Sta3"
    """Awaiting the local A-ASSOCIATE response primitive."""
    STA4 = "Sta4"
    """Awaiting the transport connection."""
    STA5 = "Sta5"
    """Awaiting A-ASSOCIATE-AC or A-ASSOCIATE-RJ."""
    STA6 = "Sta6"
    """Association established."""
    STA7 = "Sta7"
    """Awaiting A-RELEASE-RP."""
    STA8 = "Sta8"
    """Awaiting the local A-RELEASE response primitive."""
    STA9 = "Sta9"
    """Release collision, requestor's side: awaiting the local A-RELEASE response primitive."""
    STA10 = "Sta10"
    """Release collision, acceptor's side: awaiting A-RELEASE-RP."""
    STA11 = "Sta11"
    """Release collision, requestor's side: awaiting A-RELEASE-RP."""
    STA12 = "Sta12"
    """Release collision, acceptor's side: awaiting the local A-RELEASE response primitive."""
    STA13 = "Sta13"
    """Awaiting the end of the transport connection; the association is over."""


class Event(Enum):
    """The rows of PS3.8 Table 9-10, defined in §9.2.1."""

    __hash__ = object.__hash__  # a member is itself; Enum would hash its name, in Python

    EVT1 = "Evt1"
    """A-ASSOCIATE request primitive."""
    EVT2 = "Evt2"
    """The transport connection that was asked for is open."""
    EVT3 = "Evt3"
    """A-ASSOCIATE-AC received."""
    EVT4 = "Evt4"
    """A-ASSOCIATE-RJ received."""
    EVT5 = "Evt5"
    """A transport connection has come in."""
    EVT6 = "Evt6"
    """A-ASSOCIATE-RQ received."""
    EVT7 = "Evt7"
    """A-ASSOCIATE response primitive that accepts."""
    EVT8 = "Evt8"
    """A-ASSOCIATE response primitive that rejects."""
    EVT9 = "Evt9"
    """P-DATA request primitive."""
    EVT10 = "Evt10"
    """P-DATA-TF received."""
    EVT11 = "Evt11"
    """A-RELEASE request primitive."""
    EVT12 = "Evt12"
    """A-RELEASE-RQ received."""
    EVT13 = "Evt13"
    """A-RELEASE-RP received."""
    EVT14 = "Evt14"
    """A-RELEASE response primitive."""
    EVT15 = "Evt15"
    """A-ABORT request primitive."""
    EVT16 = "Evt16"
    """A-ABORT received."""
    EVT17 = "Evt17"
    """The transport connection has ended."""
    EVT18 = "Evt18"
    """ARTIM has run out."""
    EVT19 = "Evt19"
    """Something received that is no PDU, or no valid one."""


class Action(Enum):
    """PS3.8 Tables 9-6 to 9-9; `actions.py` says what each does."""

    __hash__ = object.__hash__  # a member is itself; Enum would hash its name, in Python

    AE_1 = "AE-1"
    AE_2 = "AE-2"
    AE_3 = "AE-3"
    AE_4 = "AE-4"
    AE_5 = "AE-5"
    AE_6 = "AE-6"
    AE_7 = "AE-7"
    AE_8 = "AE-8"
    DT_1 = "DT-1"
    DT_2 = "DT-2"
    AR_1 = "AR-1"
    AR_2 = "AR-2"
    AR_3 = "AR-3"
    AR_4 = "AR-4"
    AR_5 = "AR-5"
    AR_6 = "AR-6"
    AR_7 = "AR-7"
    AR_8 = "AR-8"
    AR_9 = "AR-9"
    AR_10 = "AR-10"
    AA_1 = "AA-1"
    AA_2 = "AA-2"
    AA_3 = "AA-3"
    AA_4 = "AA-4"
    AA_5 = "AA-5"
    AA_6 = "AA-6"
    AA_7 = "AA-7"
    AA_8 = "AA-8"


Cell: TypeAlias = tuple[Action, State | tuple[State, State]]
"""What an event does in a state."""

Table: TypeAlias = Mapping[Event, Mapping[State, Cell]]

TRANSITIONS: dict[Event, dict[State, Cell]] = {
    Event.EVT1: {
        State.STA1: (Action.AE_1, State.STA4),
    },
    Event.EVT2: {
        State.STA4: (Action.AE_2, State.STA5),
    },
    Event.EVT3: {
        State.STA2: (Action.AA_1, State.STA13),
        State.STA3: (Action.AA_8, State.STA13),
        State.STA5: (Action.AE_3, State.STA6),
        State.STA6: (Action.AA_8, State.STA13),
        State.STA7: (Action.AA_8, State.STA13),
        State.STA8: (Action.AA_8, State.STA13),
        State.STA9: (Action.AA_8, State.STA13),
        State.STA10: (Action.AA_8, State.STA13),
        State.STA11: (Action.AA_8, State.STA13),
        State.STA12: (Action.AA_8, State.STA13),
        State.STA13: (Action.AA_6, State.STA13),
    },
    Event.EVT4: {
        State.STA2: (Action.AA_1, State.STA13),
        State.STA3: (Action.AA_8, State.STA13),
        State.STA5: (Action.AE_4, State.STA1),
        State.STA6: (Action.AA_8, State.STA13),
        State.STA7: (Action.AA_8, State.STA13),
        State.STA8: (Action.AA_8, State.STA13),
        State.STA9: (Action.AA_8, State.STA13),
        State.STA10: (Action.AA_8, State.STA13),
        State.STA11: (Action.AA_8, State.STA13),
        State.STA12: (Action.AA_8, State.STA13),
        State.STA13: (Action.AA_6, State.STA13),
    },
    Event.EVT5: {
        State.STA1: (Action.AE_5, State.STA2),
    },
    Event.EVT6: {
        State.STA2: (Action.AE_6, (State.STA3, State.STA13)),
        State.STA3: (Action.AA_8, State.STA13),
        State.STA5: (Action.AA_8, State.STA13),
        State.STA6: (Action.AA_8, State.STA13),
        State.STA7: (Action.AA_8, State.STA13),
        State.STA8: (Action.AA_8, State.STA13),
        State.STA9: (Action.AA_8, State.STA13),
        State.STA10: (Action.AA_8, State.STA13),
        State.STA11: (Action.AA_8, State.STA13),
        State.STA12: (Action.AA_8, State.STA13),
        State.STA13: (Action.AA_7, State.STA13),
    },
    Event.EVT7: {
        State.STA3: (Action.AE_7, State.STA6),
    },
    Event.EVT8: {
        State.STA3: (Action.AE_8, State.STA13),
    },
    Event.EVT9: {
        State.STA6: (Action.DT_1, State.STA6),
        State.STA8: (Action.AR_7, State.STA8),
    },
    Event.EVT10: {
        State.STA2: (Action.AA_1, State.STA13),
        State.STA3: (Action.AA_8, State.STA13),
        State.STA5: (Action.AA_8, State.STA13),
        State.STA6: (Action.DT_2, State.STA6),
        State.STA7: (Action.AR_6, State.STA7),
        State.STA8: (Action.AA_8, State.STA13),
        State.STA9: (Action.AA_8, State.STA13),
        State.STA10: (Action.AA_8, State.STA13),
        State.STA11: (Action.AA_8, State.STA13),
        State.STA12: (Action.AA_8, State.STA13),
        State.STA13: (Action.AA_6, State.STA13),
    },
    Event.EVT11: {
        State.STA6: (Action.AR_1, State.STA7),
    },
    Event.EVT12: {
        State.STA2: (Action.AA_1, State.STA13),
        State.STA3: (Action.AA_8, State.STA13),
        State.STA5: (Action.AA_8, State.STA13),
        State.STA6: (Action.AR_2, State.STA8),
        State.STA7: (Action.AR_8, (State.STA9, State.STA10)),
        State.STA8: (Action.AA_8, State.STA13),
        State.STA9: (Action.AA_8, State.STA13),
        State.STA10: (Action.AA_8, State.STA13),
        State.STA11: (Action.AA_8, State.STA13),
        State.STA12: (Action.AA_8, State.STA13),
        State.STA13: (Action.AA_6, State.STA13),
    },
    Event.EVT13: {
        State.STA2: (Action.AA_1, State.STA13),
        State.STA3: (Action.AA_8, State.STA13),
        State.STA5: (Action.AA_8, State.STA13),
        State.STA6: (Action.AA_8, State.STA13),
        State.STA7: (Action.AR_3, State.STA1),
        State.STA8: (Action.AA_8, State.STA13),
        State.STA9: (Action.AA_8, State.STA13),
        State.STA10: (Action.AR_10, State.STA12),
        State.STA11: (Action.AR_3, State.STA1),
        State.STA12: (Action.AA_8, State.STA13),
        State.STA13: (Action.AA_6, State.STA13),
    },
    Event.EVT14: {
        State.STA8: (Action.AR_4, State.STA13),
        State.STA9: (Action.AR_9, State.STA11),
        State.STA12: (Action.AR_4, State.STA13),
    },
    Event.EVT15: {
        State.STA3: (Action.AA_1, State.STA13),
        State.STA4: (Action.AA_2, State.STA1),
        State.STA5: (Action.AA_1, State.STA13),
        State.STA6: (Action.AA_1, State.STA13),
        State.STA7: (Action.AA_1, State.STA13),
        State.STA8: (Action.AA_1, State.STA13),
        State.STA9: (Action.AA_1, State.STA13),
        State.STA10: (Action.AA_1, State.STA13),
        State.STA11: (Action.AA_1, State.STA13),
        State.STA12: (Action.AA_1, State.STA13),
    },
    Event.EVT16: {
        State.STA2: (Action.AA_2, State.STA1),
        State.STA3: (Action.AA_3, State.STA1),
        State.STA5: (Action.AA_3, State.STA1),
        State.STA6: (Action.AA_3, State.STA1),
        State.STA7: (Action.AA_3, State.STA1),
        State.STA8: (Action.AA_3, State.STA1),
        State.STA9: (Action.AA_3, State.STA1),
        State.STA10: (Action.AA_3, State.STA1),
        State.STA11: (Action.AA_3, State.STA1),
        State.STA12: (Action.AA_3, State.STA1),
        State.STA13: (Action.AA_2, State.STA1),
    },
    Event.EVT17: {
        State.STA2: (Action.AA_5, State.STA1),
        State.STA3: (Action.AA_4, State.STA1),
        State.STA4: (Action.AA_4, State.STA1),
        State.STA5: (Action.AA_4, State.STA1),
        State.STA6: (Action.AA_4, State.STA1),
        State.STA7: (Action.AA_4, State.STA1),
        State.STA8: (Action.AA_4, State.STA1),
        State.STA9: (Action.AA_4, State.STA1),
        State.STA10: (Action.AA_4, State.STA1),
        State.STA11: (Action.AA_4, State.STA1),
        State.STA12: (Action.AA_4, State.STA1),
        State.STA13: (Action.AR_5, State.STA1),
    },
    Event.EVT18: {
        State.STA2: (Action.AA_2, State.STA1),
        State.STA13: (Action.AA_2, State.STA1),
    },
    Event.EVT19: {
        State.STA2: (Action.AA_1, State.STA13),
        State.STA3: (Action.AA_8, State.STA13),
        State.STA5: (Action.AA_8, State.STA13),
        State.STA6: (Action.AA_8, State.STA13),
        State.STA7: (Action.AA_8, State.STA13),
        State.STA8: (Action.AA_8, State.STA13),
        State.STA9: (Action.AA_8, State.STA13),
        State.STA10: (Action.AA_8, State.STA13),
        State.STA11: (Action.AA_8, State.STA13),
        State.STA12: (Action.AA_8, State.STA13),
        State.STA13: (Action.AA_7, State.STA13),
    },
}
