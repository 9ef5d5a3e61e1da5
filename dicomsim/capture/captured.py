"""What a conversation consists of, whether it was read from a file or from live events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicomsim.events import CloseHow, Side
from dicomsim.peer_address import host_and_port
from dicomsim.wire.codec import decode_pdu

if TYPE_CHECKING:
    from dicomsim.dimse.messages import Message
    from dicomsim.wire.pdu import Pdu

Address = tuple[str, int]


def address_text(address: Address) -> str:
    """`10.0.0.1:104`, `[fd00::1]:104`, or `?` where the address is not known."""
    host, port = address
    return host_and_port(host, port) if host else "?"


@dataclass(frozen=True, slots=True)
class Captured:
    """Common to all items of a conversation."""

    frame: int
    """Number of the frame that completed it, counted as Wireshark does; of live events, the number of the event."""
    time: int
    """When that was, nanoseconds since the epoch."""
    association: int
    """Numbers the associations of the capture from 1."""


@dataclass(frozen=True, slots=True)
class CapturedOpen(Captured):
    """A connection that carries DICOM began, or was first seen."""

    requestor: Address
    """Who opened it; a guess where the capture begins later."""
    acceptor: Address
    """The other one."""
    handshake: bool = True
    """Whether the capture has its beginning."""


@dataclass(frozen=True, slots=True)
class CapturedPdu(Captured):
    """One PDU."""

    sender: Side
    """Who sent it."""
    data: bytes
    """Its bytes with the header; zeros where the capture lacks some."""
    length: int
    """How long it says it is, the header included."""
    damage: str = ""
    """What the capture lacks of it; empty if it is whole."""
    fault: str = ""
    """What is wrong with the bytes or with their place, as sent; empty if nothing is."""

    @property
    def pdu(self) -> Pdu:
        """The PDU as a value; raises `WireError` if it is malformed, or damaged beyond reading."""
        return decode_pdu(self.data)


@dataclass(frozen=True, slots=True)
class CapturedMessage(Captured):
    """A DIMSE message; follows the PDU that completed it."""

    sender: Side
    """Who sent it."""
    message: Message
    """The message; whether `data` is there depends on the sinks that were chosen."""
    data_length: int
    """Bytes of its data set."""
    first_frame: int
    """The frame that completed the PDU in which it began."""
    damage: str = ""
    """What lacks of it; empty if it is whole."""


@dataclass(frozen=True, slots=True)
class CapturedLoss(Captured):
    """Bytes in which no PDU could be told: the capture lacks them, or a head before them."""

    sender: Side
    """Whose bytes."""
    size: int
    """How many."""


@dataclass(frozen=True, slots=True)
class CapturedEnd(Captured):
    """The connection is over."""

    by: Side | None
    """Who began to end it; None if the capture does not show it."""
    how: CloseHow | None
    """In which way; None if the capture does not show it."""


Item = CapturedOpen | CapturedPdu | CapturedMessage | CapturedLoss | CapturedEnd
