"""The events of which a conversation is made: small, immutable, in the order in which they happened.

The live engine emits them to observers, a capture file is read into them, and tracing, recording, comparing,
asserting and reporting are readers of the same stream. `time` is nanoseconds since the epoch (UTC) and never goes back
within one association; `association` numbers the associations of a process (or of a capture) from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from dicomsim.dimse.messages import Message
    from dicomsim.upper_layer.agreement import Agreement
    from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ


class Side(Enum):
    """Which peer did something."""

    REQUESTOR = "requestor"
    ACCEPTOR = "acceptor"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.ACCEPTOR if self is Side.REQUESTOR else Side.REQUESTOR


class CloseHow(Enum):
    """How a TCP connection ended."""

    FIN = "fin"
    RESET = "reset"
    HALF = "half-close"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Event:
    """Common to all events."""

    time: int
    """Nanoseconds since the epoch."""
    association: int
    """Number of the association in this process or capture."""


@dataclass(frozen=True, slots=True)
class ConnectionOpened(Event):
    """TCP (and TLS, where used) is up."""

    local: tuple[str, int]
    """Our address and port."""
    remote: tuple[str, int]
    """The peer's address and port."""
    side: Side
    """Which side we are: REQUESTOR opened the connection."""
    tls: bool = False
    """Whether the bytes travel encrypted."""


@dataclass(frozen=True, slots=True)
class ConnectionRefused(Event):
    """No connection came about."""

    remote: tuple[str, int]
    """The address that was tried."""
    reason: str
    """What the system said."""


@dataclass(frozen=True, slots=True)
class Negotiated(Event):
    """An association request was answered."""

    request: AssociateRQ
    """What was asked for."""
    answer: AssociateAC | AssociateRJ
    """What was answered."""
    agreement: Agreement | None = None
    """What is in force on the association, as we see it; None if it was rejected."""


@dataclass(frozen=True, slots=True)
class BytesIn(Event):
    """What one read from the transport gave, within the payload limits of those who listen."""

    data: bytes
    """The bytes, a copy."""
    gaps: tuple[tuple[int, int], ...] = ()
    """Where among them bytes were left out that no observer wanted, and how many."""


@dataclass(frozen=True, slots=True)
class BytesOut(Event):
    """What one write to the transport took, within the payload limits of those who listen."""

    data: bytes
    """The bytes, a copy."""
    gaps: tuple[tuple[int, int], ...] = ()
    """Where among them bytes were left out that no observer wanted, and how many."""


@dataclass(frozen=True, slots=True)
class PduIn(Event):
    """A whole PDU arrived."""

    data: bytes
    """The PDU with its header."""


@dataclass(frozen=True, slots=True)
class PduOut(Event):
    """A whole PDU was handed to the transport."""

    data: bytes
    """The PDU with its header."""


@dataclass(frozen=True, slots=True)
class MessageIn(Event):
    """A whole DIMSE message arrived."""

    message: Message
    """The message; its data set may have been streamed elsewhere."""


@dataclass(frozen=True, slots=True)
class MessageOut(Event):
    """A DIMSE message was handed to the upper layer."""

    message: Message
    """The message."""


@dataclass(frozen=True, slots=True)
class Transition(Event):
    """The state machine moved (or stayed) on an event, PS3.8 Table 9-10."""

    event: str
    """`Evt1` … `Evt19`."""
    action: str
    """`AE-1` … `AA-8`."""
    before: str
    """`Sta1` … `Sta13`."""
    after: str
    """`Sta1` … `Sta13`."""


@dataclass(frozen=True, slots=True)
class TimerExpired(Event):
    """A named timeout ran out."""

    name: str
    """connect, acse, dimse, network, artim, send."""
    seconds: float
    """Its value."""


@dataclass(frozen=True, slots=True)
class RuleFired(Event):
    """A behaviour rule did what it says."""

    rule: str
    """The rule in its one-line form."""
    hop: str
    """Where it fired."""


@dataclass(frozen=True, slots=True)
class ConnectionClosed(Event):
    """TCP ended."""

    by: Side
    """Who closed first."""
    how: CloseHow
    """FIN or reset."""


@dataclass(frozen=True, slots=True)
class Ended(Event):
    """The association is over; `outcome` says how."""

    outcome: Any
    """A `dicomsim.outcome.Outcome`."""


KINDS: Final = frozenset(
    one for one in list(globals().values()) if isinstance(one, type) and issubclass(one, Event) and one is not Event
)
"""The class of every event there is."""

__all__ = [name for name, value in list(globals().items()) if isinstance(value, type) and value.__module__ == __name__]
