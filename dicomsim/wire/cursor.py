"""A bounded reader: every read beyond the bounds is a `WireError` that says where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from dicomsim.errors import WireError, WireFault

_ITEM_HEADER = Struct(">BBH")


class Cursor:
    """Reads forward through `data[position:end]`; all integers are big endian, PS3.8 §9.3.1."""

    __slots__ = ("data", "end", "path", "position")

    def __init__(self, data: bytes, position: int, end: int, path: str) -> None:
        self.data = data
        self.position = position
        self.end = end
        self.path = path

    @property
    def remaining(self) -> int:
        """Bytes left before the bound."""
        return self.end - self.position

    def _advance(self, count: int, what: str) -> int:
        start = self.position
        if count > self.end - start:
            raise WireError(start, self.path, f"{what} needs {count} bytes, {self.end - start} are left")
        self.position = start + count
        return start

    def u8(self, what: str) -> int:
        """One byte."""
        return self.data[self._advance(1, what)]

    def u16(self, what: str) -> int:
        """Two bytes."""
        return int.from_bytes(self.take(2, what))

    def u32(self, what: str) -> int:
        """Four bytes."""
        return int.from_bytes(self.take(4, what))

    def take(self, count: int, what: str) -> bytes:
        """The next `count` bytes, copied."""
        start = self._advance(count, what)
        return self.data[start : start + count]

    def rest(self) -> bytes:
        """All that is left, copied."""
        return self.take(self.remaining, "rest")

    def text(self, count: int, what: str) -> str:
        """`count` bytes as ASCII; others become lone surrogates, so that encoding brings them back."""
        return self.take(count, what).decode("ascii", "surrogateescape")

    def counted(self, what: str) -> bytes:
        """A 16 bit length, then as many bytes."""
        return self.take(self.u16(f"length of {what}"), what)

    def counted_text(self, what: str) -> str:
        """A 16 bit length, then as many bytes as ASCII."""
        return self.text(self.u16(f"length of {what}"), what)

    def part(self, count: int, what: str) -> Cursor:
        """A cursor over the next `count` bytes, which this one then has behind it."""
        start = self._advance(count, what)
        return Cursor(self.data, start, start + count, f"{self.path}/{what}")

    def items(self) -> Iterator[tuple[int, int, Cursor]]:
        """Items up to the bound, as type, reserved byte and a cursor over what follows the four byte header."""
        data, end = self.data, self.end
        while (start := self.position) < end:
            if end - start < 4:
                raise self.error(f"{end - start} stray bytes, too few for an item header")
            item_type, reserved, length = _ITEM_HEADER.unpack_from(data, start)
            start += 4
            if length > end - start:
                reason = f"item {item_type:02X}H has length {length}, its container has {end - start} bytes left"
                raise WireError(start - 2, self.path, reason)
            self.position = start + length
            yield item_type, reserved, Cursor(data, start, start + length, self.path)

    def finish(self) -> None:
        """Raise `WireError` unless the bound has been reached."""
        if self.position != self.end:
            raise self.error(f"{self.end - self.position} bytes too many")

    def error(self, reason: str, kind: WireFault = WireFault.INVALID_VALUE) -> WireError:
        """The error to raise for what stands at the present position."""
        return WireError(self.position, self.path, reason, kind)
