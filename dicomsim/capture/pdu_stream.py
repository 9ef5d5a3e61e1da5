"""`PduStream`: cuts one direction of a captured connection into PDUs, also where bytes of it lack.

A hole inside a PDU does not lose the framing, since its length is known: the hole is filled with zeros and the PDU
marked. Over a PDU head, two heads in a chain are searched for. Nothing is judged here but whether bytes are there: what
a peer sent is a PDU by its length, however senseless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

HEADER = 6
"""Bytes of a PDU header: type, reserved, length."""
MAX_KEPT = 64 << 20
"""Bytes kept of one PDU: more than anybody sends, and memory grows only with what was captured."""
MAX_SEARCHED = 2 << 20
"""Bytes kept while heads are searched for."""
MAX_ASSOCIATE = 1 << 20
"""Longest association PDU that is plausible."""

P_DATA_TF = 4
_ASSOCIATE = {1, 2}
_FIXED = {3, 5, 6, 7}
_FIRST_ITEMS = {0x10, 0x20, 0x21, 0x50}
_HEADS = re.compile(rb"[\x01\x02\x04]\x00|[\x03\x05\x06\x07]\x00\x00\x00\x00\x04", re.DOTALL)


class FramedPdu(NamedTuple):
    """A PDU of the stream."""

    data: bytes
    """Its bytes; zeros where some lack."""
    length: int
    """How many it declares, the header included."""
    holes: tuple[tuple[int, int], ...]
    """Offset and size of what lacks."""
    time: int
    """When it was complete: nanoseconds since the epoch."""
    frame: int
    """The frame that completed it."""
    first_frame: int
    """The frame with its first byte."""


class Skipped(NamedTuple):
    """Bytes that belong to no PDU that can be told."""

    size: int
    """How many, those that lack included."""
    time: int
    """When they ended."""
    frame: int
    """The frame behind them."""


def plausible(data: bytes | bytearray, at: int = 0) -> bool:
    """Whether a PDU of the standard may begin at `at`, as far as the bytes reach."""
    size = len(data) - at
    if size < 1 or not 1 <= data[at] <= 7 or (size > 1 and data[at + 1]):
        return False
    if size < HEADER:
        return True
    kind, length = data[at], int.from_bytes(data[at + 2 : at + 6], "big")
    if kind in _FIXED:
        return length == 4
    if kind in _ASSOCIATE:
        return 68 <= length <= MAX_ASSOCIATE and (size < 75 or length == 68 or data[at + 74] in _FIRST_ITEMS)
    if not 6 <= length <= MAX_KEPT:
        return False
    item = int.from_bytes(data[at + 6 : at + 10], "big")
    return size < 12 or (2 <= item <= length - 4 and bool(data[at + 10] & 1) and data[at + 11] <= 3)


def find_chain(data: bytes | bytearray, start: int, ended: bool) -> tuple[int, bool]:
    """Look for two heads in a chain from `start` on.

    Gives where the first one is and True, or how far the search got and False. At the end of the stream (`ended`) one
    head is enough if its PDU ends there or goes beyond.
    """
    size = len(data)
    for match in _HEADS.finditer(data, start):
        at = match.start()
        if not plausible(data, at):
            continue
        if size - at < 12 and not ended:
            return at, False
        following = at + HEADER + int.from_bytes(data[at + 2 : at + 6], "big")
        if following + HEADER <= size:
            if plausible(data, following):
                return at, True
        elif ended or following == size:
            return at, True
        elif size < MAX_SEARCHED:
            return at, False
    return max(start, size - HEADER), False


class PduStream:
    """Takes bytes and gaps of one direction in order and yields `FramedPdu` and `Skipped`."""

    def __init__(self, synchronized: bool) -> None:
        """`synchronized` says that the first byte is known to begin a PDU."""
        self._chunks: list[bytes] = []  # of the PDU under way; only its header is ever joined before its end
        self._size = 0
        self._kept = 0
        self._length = 0  # 0 as long as the header is not complete
        self._holes: list[tuple[int, int]] = []
        self._first_frame = 0
        self._lost = not synchronized
        self._skipped = 0
        self._search = bytearray()
        self._marks: list[tuple[int, int, int]] = []  # of the chunks in `_search`: size, time, frame
        self._searched = 0

    def absorb(self, data: bytes) -> bool:
        """Take bytes that complete nothing, as most segments of a small size do; False if they may."""
        size = self._size + len(data)
        if size >= self._length or self._lost or size > MAX_KEPT:
            return False
        self._chunks.append(data)
        self._size = size
        self._kept += len(data)
        return True

    def data(self, data: bytes, time: int, frame: int) -> Iterator[FramedPdu | Skipped]:
        """Take the next bytes."""
        if self._lost:
            yield from self._resynchronize(data, time, frame)
            return
        start, end = 0, len(data)
        while start < end:
            if not self._length:
                if not self._size and end - start >= HEADER:
                    length = HEADER + int.from_bytes(data[start + 2 : start + 6], "big")
                    if start + length <= end:  # whole, as most are in our own captures
                        stop = start + length
                        yield FramedPdu(data[start:stop], length, (), time, frame, frame)
                        start = stop
                        continue
                start = self._header(data, start, frame)
                if not self._length:
                    return
            stop = min(end, start + self._length - self._size)
            if stop > start:
                self._keep(data[start:stop])
            start = stop
            if self._size == self._length:
                yield self._complete(time, frame)

    def lost(self, size: int, time: int, frame: int) -> Iterator[FramedPdu | Skipped]:
        """`size` bytes of the stream are not in the capture."""
        if self._length and not self._lost:
            inside = min(size, self._length - self._size)
            self._holes.append((self._size, inside))
            self._keep(b"", inside)
            size -= inside
            if self._size == self._length:
                yield self._complete(time, frame)
        if size:
            self._skipped += size + self._size + len(self._search)
            self._forget()
            self._lost = True

    def end(self, time: int, frame: int) -> Iterator[FramedPdu | Skipped]:
        """The stream is over: yield what is unfinished."""
        if self._lost:
            yield from self._resynchronize(b"", time, frame, ended=True)
        if self._size:
            missing = (self._length or HEADER) - self._size
            self._length = self._length or HEADER
            self._holes.append((self._size, missing))
            yield self._complete(time, frame)
        if self._skipped or self._search:
            yield Skipped(self._skipped + len(self._search), time, frame)
        self._forget()
        self._skipped = 0

    def _forget(self) -> None:
        self._chunks, self._size, self._kept, self._length, self._holes = [], 0, 0, 0, []
        self._search, self._marks, self._searched = bytearray(), [], 0

    def _header(self, data: bytes, start: int, frame: int) -> int:
        """Take bytes of a header that is not whole in `data`, or of a PDU that is not."""
        if not self._size:
            self._first_frame = frame
        stop = min(len(data), start + HEADER - self._size)
        self._keep(data[start:stop])
        if self._size == HEADER:
            self._chunks = [b"".join(self._chunks)]
            self._length = HEADER + int.from_bytes(self._chunks[0][2:6], "big")
        return stop

    def _keep(self, data: bytes, hole: int = 0) -> None:
        size = hole or len(data)
        room = MAX_KEPT - self._kept
        self._size += size
        if size > room:
            # Too long to keep: what is dropped counts as lacking.
            if room > 0:
                self._chunks.append(bytes(min(hole, room)) if hole else data[:room])
                self._kept += room
            if not hole:
                dropped = size - max(room, 0)
                self._holes.append((self._size - dropped, dropped))
            return
        self._chunks.append(bytes(hole) if hole else data)
        self._kept += size

    def _complete(self, time: int, frame: int) -> FramedPdu:
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        pdu = FramedPdu(data, self._length, tuple(_merged(self._holes)), time, frame, self._first_frame)
        self._chunks, self._size, self._kept, self._length, self._holes = [], 0, 0, 0, []
        return pdu

    def _resynchronize(self, data: bytes, time: int, frame: int, ended: bool = False) -> Iterator[FramedPdu | Skipped]:
        search = self._search
        search += data
        if data:
            self._marks.append((len(data), time, frame))
        at, found = find_chain(search, self._searched, ended)
        self._searched = at
        if not found:
            if len(search) > MAX_SEARCHED:
                self._drop(at)
            return
        self._drop(at)
        if self._skipped:
            yield Skipped(self._skipped, self._marks[0][1], self._marks[0][2])
        self._skipped = 0
        marks, rest = self._marks, bytes(self._search)
        self._forget()
        self._lost = False
        position = 0
        for size, when, number in marks:
            yield from self.data(rest[position : position + size], when, number)
            position += size

    def _drop(self, size: int) -> None:
        """Give up the first `size` bytes of those that are searched."""
        del self._search[:size]
        self._searched = 0
        self._skipped += size
        while size and self._marks:
            length, time, frame = self._marks[0]
            taken = min(size, length)
            size -= taken
            if taken == length:
                del self._marks[0]
            else:
                self._marks[0] = length - taken, time, frame


def _merged(holes: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Holes side by side are one."""
    start = end = -1
    for offset, size in holes:
        if offset == end:
            end += size
            continue
        if end > start:
            yield start, end - start
        start, end = offset, offset + size
    if end > start:
        yield start, end - start
