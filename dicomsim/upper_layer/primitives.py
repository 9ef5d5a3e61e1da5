"""What the local user asks of the upper layer, and the effects that tell user and engine what to do. PS3.8 §7."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from dicomsim.errors import WireError
from dicomsim.upper_layer.table import Event, State
from dicomsim.wire.pdu import Abort, AssociateAC, AssociateRJ, AssociateRQ


@dataclass(frozen=True, slots=True)
class AssociateRequest:
    """A-ASSOCIATE request: open a connection and send this."""

    event: ClassVar[Event] = Event.EVT1
    pdu: AssociateRQ
    """What to send once the connection is there; it need not be legal."""


@dataclass(frozen=True, slots=True)
class AssociateResponse:
    """A-ASSOCIATE response: the answer to an `AssociateIndication`."""

    pdu: AssociateAC | AssociateRJ
    """What to send; it need not be legal."""

    @property
    def event(self) -> Event:
        """Evt7 accepts, Evt8 rejects."""
        return Event.EVT7 if isinstance(self.pdu, AssociateAC) else Event.EVT8


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """A-RELEASE request."""

    event: ClassVar[Event] = Event.EVT11
    pdu: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class ReleaseResponse:
    """A-RELEASE response: the answer to a `ReleaseIndication`; a release cannot be refused."""

    event: ClassVar[Event] = Event.EVT14
    pdu: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class AbortRequest:
    """A-ABORT request. PS3.8 Table 9-26 wants 0 and 0 of a service user; a test may want something else."""

    event: ClassVar[Event] = Event.EVT15
    source: int = 0
    """0 service user, 2 service provider."""
    reason: int = 0
    """Without meaning when the source is the user."""

    @property
    def pdu(self) -> Abort:
        """The A-ABORT to send."""
        return Abort(self.source, self.reason)


Primitive: TypeAlias = AssociateRequest | AssociateResponse | ReleaseRequest | ReleaseResponse | AbortRequest
"""What `UpperLayer.request` takes; the P-DATA request is `UpperLayer.send_p_data`."""


@dataclass(frozen=True, slots=True)
class OpenTransport:
    """Open the transport connection, then say `connected` or `connect_failed`."""


@dataclass(frozen=True, slots=True)
class CloseTransport:
    """Close the transport connection, after what is still to be sent if the peer takes it."""


@dataclass(frozen=True, slots=True)
class AssociateIndication:
    """A peer wants an association; answer with `AssociateResponse`."""

    pdu: AssociateRQ
    """The request, which is valid."""


@dataclass(frozen=True, slots=True)
class AssociateConfirmation:
    """The peer has answered our request."""

    pdu: AssociateAC | AssociateRJ
    """The answer, which is valid."""


@dataclass(frozen=True, slots=True)
class ReleaseIndication:
    """The peer wants to release; answer with `ReleaseResponse`.

    After a collision the acceptor's side may answer only when it has its own `ReleaseConfirmation`. PS3.8 §7.2.2.
    """

    collision: bool
    """Whether our own request was under way."""


@dataclass(frozen=True, slots=True)
class ReleaseConfirmation:
    """The peer has answered our release request."""


@dataclass(frozen=True, slots=True)
class AbortIndication:
    """The peer's service user has aborted. PS3.8 §7.3."""

    source: int
    """As received: 0."""
    reason: int
    """As received; without meaning."""
    state: State = field(default=State.STA6, compare=False)
    """Where the machine was when it came."""


@dataclass(frozen=True, slots=True)
class ProviderAbortIndication:
    """A service provider has ended the association: ours, the peer's, or the connection has gone. PS3.8 §7.4."""

    reason: int
    """As sent or received, PS3.8 Table 9-26; 0 when the connection has gone."""
    cause: str
    """In words: what was wrong, or who sent what."""
    error: WireError | None
    """Which byte was wrong, when that is why."""
    local: bool
    """Whether our own provider found the fault and has sent the A-ABORT."""
    state: State = field(default=State.STA6, compare=False)
    """Where the machine was when it happened."""
    source: int = field(default=2, compare=False)
    """As sent or received: 2, or a reserved value of the peer's."""


Effect: TypeAlias = (
    OpenTransport
    | CloseTransport
    | AssociateIndication
    | AssociateConfirmation
    | ReleaseIndication
    | ReleaseConfirmation
    | AbortIndication
    | ProviderAbortIndication
)
"""What `UpperLayer.effects` gives out, in the order in which it happened."""
