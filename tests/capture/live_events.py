"""Events of live associations for tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dicomsim import events
from dicomsim.capture.captured import CapturedPdu
from dicomsim.capture.conversation import read
from dicomsim.events import CloseHow, Side

TIME = 1_795_337_116_000_000_000
MILLISECOND = 1_000_000
US = ("10.0.0.1", 50_000)
PEER = ("10.0.0.2", 104)

RELEASE_RQ = bytes.fromhex("05 00 00000004 00000000")
RELEASE_RP = bytes.fromhex("06 00 00000004 00000000")
ABORT = bytes.fromhex("07 00 00000004 00000200")


def p_data(size: int, fill: bytes = b"\x20") -> bytes:
    """A P-DATA-TF with one fragment of a data set, `size` bytes long as a whole."""
    value = (size - 10).to_bytes(4, "big") + b"\x01\x00" + fill * (size - 12)
    return b"\x04\x00" + len(value).to_bytes(4, "big") + value


class Association:
    """Makes the events of one association, a millisecond between two."""

    def __init__(self, number: int = 1, side: Side = Side.REQUESTOR, time: int = TIME) -> None:
        self.number = number
        self.side = side
        self.time = time

    def _tick(self) -> int:
        self.time += MILLISECOND
        return self.time

    def opened(self, local: tuple[str, int] = US, remote: tuple[str, int] = PEER) -> events.Event:
        """The connection is up."""
        if self.side is Side.ACCEPTOR:
            local, remote = remote, local
        return events.ConnectionOpened(self._tick(), self.number, local, remote, self.side)

    def said(self, sender: Side, data: bytes, missing: int = 0) -> events.Event:
        """`sender` said `data`, and more of which nobody is told."""
        kind = events.BytesOut if sender is self.side else events.BytesIn
        return kind(self._tick(), self.number, data, ((len(data), missing),) if missing else ())

    def closed(self, by: Side = Side.REQUESTOR, how: CloseHow = CloseHow.FIN) -> events.Event:
        """The connection is down."""
        return events.ConnectionClosed(self._tick(), self.number, by, how)

    def ended(self) -> events.Event:
        """The association is over."""
        return events.Ended(self._tick(), self.number, None)


def pdus(path: Path, association: int = 1) -> list[tuple[Side, bytes]]:
    """The PDUs of a capture."""
    items = read(path)
    return [(i.sender, i.data) for i in items if isinstance(i, CapturedPdu) and i.association == association]


def like(path: Path, number: int = 1, side: Side = Side.REQUESTOR) -> Iterator[events.Event]:
    """The events of the first association of a capture, as one of its sides would have seen it."""
    association = Association(number, side)
    yield association.opened()
    for sender, data in pdus(path):
        yield association.said(sender, data)
    yield association.closed()
    yield association.ended()
