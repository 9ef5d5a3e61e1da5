"""What the actions of PS3.8 Tables 9-6 to 9-9 do, as data: one row an action, in the standard's order.

Every action is made of the same four things, in this order: a PDU is sent, ARTIM is started or stopped, the local user
is told, the transport connection is opened or closed. `machine.py` carries a row out and knows no action by name. The
one choice inside an action, AE-6, is two rows: `ACTIONS` has the first outcome, `OTHERWISE` the second.

The standard names the reasons of an A-ABORT but maps no error to them: `abort_reason` is the only place that does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from dicomsim.errors import WireError
from dicomsim.events import Side
from dicomsim.upper_layer import rejections
from dicomsim.upper_layer.primitives import (
    AbortIndication,
    AssociateConfirmation,
    AssociateIndication,
    CloseTransport,
    Effect,
    OpenTransport,
    ProviderAbortIndication,
    ReleaseConfirmation,
    ReleaseIndication,
)
from dicomsim.upper_layer.table import Action, Event, State
from dicomsim.wire.codes import AbortReason, AbortSource
from dicomsim.wire.pdu import Abort, AssociateAC, AssociateRJ, AssociateRQ, Pdu, PduType, ReleaseRP, ReleaseRQ

PDU_EVENTS: Mapping[int, Event] = {
    PduType.A_ASSOCIATE_RQ: Event.EVT6,
    PduType.A_ASSOCIATE_AC: Event.EVT3,
    PduType.A_ASSOCIATE_RJ: Event.EVT4,
    PduType.P_DATA_TF: Event.EVT10,
    PduType.A_RELEASE_RQ: Event.EVT12,
    PduType.A_RELEASE_RP: Event.EVT13,
    PduType.A_ABORT: Event.EVT16,
}
"""The event that receiving a valid PDU is."""

_PDU_NAMES = {event: PduType(pdu_type).standard_name for pdu_type, event in PDU_EVENTS.items()}


@dataclass(frozen=True, slots=True)
class Occasion:
    """What an action is done for."""

    event: Event
    """The row of the table."""
    state: State
    """The column."""
    pdu: Pdu | None = None
    """What was received, or what the primitive carries."""
    error: WireError | None = None
    """What was wrong, for Evt19."""


class Artim(Enum):
    """What an action does with the association request/reject/release timer."""

    START = "start"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Step:
    """What an action does."""

    send: Callable[[Occasion], Pdu] | None = None
    """Makes the PDU to send."""
    artim: Artim | None = None
    """START starts it anew if it runs."""
    tell: Callable[[Occasion], Effect] | None = None
    """Makes the indication or confirmation for the local user."""
    transport: type[OpenTransport | CloseTransport] | None = None
    """What becomes of the transport connection."""


NOTHING = Step()
"""Of actions that change the state at most, and of those on P-DATA, which `machine.py` hands over by itself."""


def abort_reason(occasion: Occasion) -> int:
    """Choose the reason of an A-ABORT of the service provider. PS3.8 Table 9-26."""
    if occasion.event is Event.EVT19:
        return int(AbortReason.REASON_NOT_SPECIFIED if occasion.error is None else occasion.error.kind)
    return int(AbortReason.UNEXPECTED_PDU if occasion.event in _PDU_NAMES else AbortReason.REASON_NOT_SPECIFIED)


def _cause(occasion: Occasion) -> str:
    if occasion.error is not None:
        return str(occasion.error)
    return f"{_PDU_NAMES.get(occasion.event, occasion.event.value)} received in {occasion.state.value}"


def _carried(occasion: Occasion) -> Pdu:
    assert occasion.pdu is not None
    return occasion.pdu


def _user_abort(occasion: Occasion) -> Abort:
    """The A-ABORT that the local user has asked for; in Sta2 the provider speaks for it."""
    return occasion.pdu if isinstance(occasion.pdu, Abort) else Abort(int(AbortSource.SERVICE_USER), 0)


def _provider_abort(occasion: Occasion) -> Abort:
    return Abort(int(AbortSource.SERVICE_PROVIDER), abort_reason(occasion))


def _associate_indication(occasion: Occasion) -> Effect:
    assert isinstance(occasion.pdu, AssociateRQ)
    return AssociateIndication(occasion.pdu)


def _associate_confirmation(occasion: Occasion) -> Effect:
    assert isinstance(occasion.pdu, AssociateAC | AssociateRJ)
    return AssociateConfirmation(occasion.pdu)


def _abort_indication(occasion: Occasion) -> Effect:
    """AA-3: by the source received; of the reserved ones nothing better can be said than that a provider sent it."""
    assert isinstance(occasion.pdu, Abort)
    source, reason = occasion.pdu.source, occasion.pdu.reason
    if source == AbortSource.SERVICE_USER:
        return AbortIndication(source, reason, occasion.state)
    cause = "A-ABORT received from the service provider"
    return ProviderAbortIndication(reason, cause, None, local=False, state=occasion.state, source=source)


def _connection_lost(occasion: Occasion) -> Effect:
    cause = (
        "the transport connection was not opened" if occasion.state is State.STA4 else "the transport connection ended"
    )
    reason = int(AbortReason.REASON_NOT_SPECIFIED)
    return ProviderAbortIndication(reason, cause, None, local=False, state=occasion.state)


def _provider_abort_indication(occasion: Occasion) -> Effect:
    reason = abort_reason(occasion)
    return ProviderAbortIndication(reason, _cause(occasion), occasion.error, local=True, state=occasion.state)


ACTIONS: Mapping[Action, Step] = {
    Action.AE_1: Step(transport=OpenTransport),
    Action.AE_2: Step(send=_carried),
    Action.AE_3: Step(tell=_associate_confirmation),
    Action.AE_4: Step(tell=_associate_confirmation, transport=CloseTransport),
    Action.AE_5: Step(artim=Artim.START),
    Action.AE_6: Step(artim=Artim.STOP, tell=_associate_indication),
    Action.AE_7: Step(send=_carried),
    Action.AE_8: Step(send=_carried, artim=Artim.START),
    Action.DT_1: NOTHING,
    Action.DT_2: NOTHING,
    Action.AR_1: Step(send=lambda _: ReleaseRQ()),
    Action.AR_2: Step(tell=lambda _: ReleaseIndication(collision=False)),
    Action.AR_3: Step(tell=lambda _: ReleaseConfirmation(), transport=CloseTransport),
    Action.AR_4: Step(send=lambda _: ReleaseRP(), artim=Artim.START),
    Action.AR_5: Step(artim=Artim.STOP),
    Action.AR_6: NOTHING,
    Action.AR_7: NOTHING,
    Action.AR_8: Step(tell=lambda _: ReleaseIndication(collision=True)),
    Action.AR_9: Step(send=lambda _: ReleaseRP()),
    Action.AR_10: Step(tell=lambda _: ReleaseConfirmation()),
    Action.AA_1: Step(send=_user_abort, artim=Artim.START),
    Action.AA_2: Step(artim=Artim.STOP, transport=CloseTransport),
    Action.AA_3: Step(tell=_abort_indication, transport=CloseTransport),
    Action.AA_4: Step(tell=_connection_lost),
    Action.AA_5: Step(artim=Artim.STOP),
    Action.AA_6: NOTHING,
    Action.AA_7: Step(send=_provider_abort),
    Action.AA_8: Step(send=_provider_abort, artim=Artim.START, tell=_provider_abort_indication),
}
"""PS3.8 Tables 9-6 (AE), 9-7 (DT), 9-8 (AR) and 9-9 (AA)."""

OTHERWISE: Mapping[Action, Step] = {
    Action.AE_6: Step(send=lambda _: rejections.PROTOCOL_VERSION, artim=Artim.START),
}
"""Actions that do something else when the table's second next state is taken."""


def _acceptable(occasion: Occasion, side: Side) -> bool:
    """Whether the service provider can serve the request: only bit 0 of the version is tested. PS3.8 Table 9-11."""
    assert isinstance(occasion.pdu, AssociateRQ)
    return bool(occasion.pdu.protocol_version & 1)


Choice: TypeAlias = Callable[[Occasion, Side], bool]

CHOICES: Mapping[Action, Choice] = {
    Action.AE_6: _acceptable,
    Action.AR_8: lambda _, side: side is Side.REQUESTOR,
}
"""Whether an action goes to the first of its two next states."""
