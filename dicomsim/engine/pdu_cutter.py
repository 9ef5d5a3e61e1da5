"""`PduCutter`: cuts one direction of a connection into whole PDUs, for rules and observers, and judges nothing.

The state machine has a framer of its own, which sees every byte as soon as it is there and finds the faults. What is
cut here is for onlookers: so bytes that begin no PDU, and PDUs too long to be held, come out as they are, marked as
such, instead of being an error or being waited for.
"""

from __future__ import annotations

from collections.abc import Iterator

from dicomsim.wire.codec import HEADER_LENGTH
from dicomsim.wire.framer import MAX_ASSOCIATE_LENGTH
from dicomsim.wire.pdu import PduType

LONGEST_HELD = 64 << 20
"""Longest P-DATA-TF that is held until it is whole; no peer is known to send one above a few megabytes."""

_P_DATA_TF = int(PduType.P_DATA_TF)


class PduCutter:
    """Gathers bytes until they make a PDU."""

    __slots__ = ("_held", "_lost", "_passing", "longest")

    def __init__(self, longest: int = LONGEST_HELD) -> None:
        """Hold P-DATA-TF up to a PDU-length of `longest`; all others up to the length that a framer takes."""
        self.longest = longest
        self._held = bytearray()
        self._passing = 0  # bytes to come of a PDU that is too long to be held
        self._lost = False

    @property
    def pending(self) -> int:
        """Bytes that are held."""
        return len(self._held)

    def cut(self, data: bytes | bytearray | memoryview) -> Iterator[tuple[bool, bytes]]:
        """Take the next bytes; yield in order what they complete, and whether it is a whole PDU.

        What is yielded begins with the bytes that were pending, so that lengths add up. The iterator is to be
        exhausted; its pieces are the receiver's.
        """
        view = memoryview(data)
        while view:
            if self._lost or self._passing:
                size = len(view) if self._lost else min(self._passing, len(view))
                self._passing = max(self._passing - size, 0)
                yield False, bytes(view[:size])
                view = view[size:]
                continue
            if not self._held and len(view) >= HEADER_LENGTH:  # mostly all of it is there: then it is copied once
                length = HEADER_LENGTH + int.from_bytes(view[2:HEADER_LENGTH])
                if length <= len(view) and length - HEADER_LENGTH <= min(self.longest, MAX_ASSOCIATE_LENGTH):
                    yield True, bytes(view[:length])
                    view = view[length:]
                    continue
            view = self._hold(view, HEADER_LENGTH)
            if len(self._held) < HEADER_LENGTH:
                return
            length = HEADER_LENGTH + int.from_bytes(self._held[2:HEADER_LENGTH])
            if length - HEADER_LENGTH > (self.longest if self._held[0] == _P_DATA_TF else MAX_ASSOCIATE_LENGTH):
                self._lost = self._held[0] != _P_DATA_TF  # then nothing says where the next PDU begins
                self._passing = length - len(self._held)
                yield False, self._release()
                continue
            missing = length - len(self._held)
            if len(view) < missing:
                self._held += view
                return
            whole = b"".join((self._held, view[:missing]))  # copied once, also when its header came by itself
            self._held.clear()
            yield True, whole
            view = view[missing:]

    def _hold(self, view: memoryview, wanted: int) -> memoryview:
        missing = max(wanted - len(self._held), 0)
        self._held += view[:missing]
        return view[missing:]

    def _release(self) -> bytes:
        piece = bytes(self._held)
        self._held.clear()
        return piece
