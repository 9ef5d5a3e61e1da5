"""`PayloadCutter`: what is left of one direction of a connection when data sets count only by their beginnings.

For recordings of which nobody wants the pixels: whatever is no data set comes out whole, and what is left out is never
even read, so that a file may go from the disk to the socket without passing through us. What is kept of it is read
after that: if it is gone by then, it is left out, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dicomsim.dimse.data import Buffer, FilePart
from dicomsim.errors import FileError
from dicomsim.wire.codec import HEADER_LENGTH, PDV_HEADER_LENGTH
from dicomsim.wire.codes import COMMAND
from dicomsim.wire.pdu import PduType

_P_DATA_TF = int(PduType.P_DATA_TF)
_CONTROL = HEADER_LENGTH + PDV_HEADER_LENGTH - 1
"""Offset of the first control header in a P-DATA-TF."""


class PayloadCutter:
    """Follows the PDUs of one direction; bytes that are none count as one that never ends."""

    __slots__ = ("_head", "_keep", "_left", "_limit")

    def __init__(self, limit: int) -> None:
        """Keep `limit` bytes of a P-DATA-TF that begins with a data set, behind the headers; of all else everything."""
        self._limit = limit
        self._head = bytearray()  # as much of the PDU under way as tells what to keep of it
        self._left = 0  # bytes to come of that PDU behind its head
        self._keep = 0  # how many of them are kept

    def cut(self, buffers: Sequence[Buffer], lacking: int = 0) -> Iterator[tuple[bytes, int]]:
        """Take what was read or written at once; for each PDU in it, what is kept and how many bytes lack behind.

        `lacking` bytes of the last PDU had been cut off before.
        """
        kept, missing = bytearray(), 0
        for buffer in buffers:
            position, end = 0, len(buffer)
            while position < end:
                if not self._left:
                    step = min(self._wanted() - len(self._head), end - position)
                    part = _bytes(buffer, position, position + step)
                    self._head += part
                    kept += part
                    self._judge()
                else:
                    step = min(self._left, end - position)
                    taken = min(self._keep, step)
                    self._keep -= taken
                    if taken:
                        part = _bytes(buffer, position, position + taken)
                        kept += part
                        if len(part) < taken:
                            taken, self._keep = len(part), 0  # the rest of the PDU would be at a wrong place
                    missing += step - taken
                    self._left -= step
                position += step
                if not (self._left or self._head):
                    yield bytes(kept), missing
                    kept, missing = bytearray(), 0
        if lacking:
            self._left = max(self._left - lacking, 0)
            self._keep = 0
        if kept or missing or lacking:
            yield bytes(kept), missing + lacking

    def _wanted(self) -> int:
        """How long the head is to be before anything can be said."""
        if len(self._head) < HEADER_LENGTH:
            return HEADER_LENGTH
        return min(_CONTROL + 1, HEADER_LENGTH + int.from_bytes(self._head[2:HEADER_LENGTH]))

    def _judge(self) -> None:
        """Decide what to keep behind the head, if it is complete."""
        head = self._head
        if len(head) < HEADER_LENGTH:
            return
        kind, length = head[0], int.from_bytes(head[2:HEADER_LENGTH])
        if kind == _P_DATA_TF and len(head) < self._wanted():
            return
        self._left = HEADER_LENGTH + length - len(head)
        whole = kind != _P_DATA_TF or len(head) <= _CONTROL or head[_CONTROL] & COMMAND
        self._keep = self._left if whole else min(self._limit, self._left)
        head.clear()


def _bytes(buffer: Buffer | FilePart, start: int, stop: int) -> bytes:
    """The bytes, or those that a file still has of them, which may have been cut since it was sent; never of a head."""
    part = buffer[start:stop]
    if not isinstance(part, FilePart):
        return bytes(part)
    try:
        return part.read()
    except FileError:
        return b""
