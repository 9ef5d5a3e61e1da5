"""Classic pcap files: 24 bytes of header, then records of 16 bytes of header and a frame.

Read in both byte orders, with microseconds or nanoseconds, and with the longer record headers of some old Linux
kernels. Format: draft-ietf-opsawg-pcap.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO, NamedTuple

from dicomsim.capture.packet import ETHERNET, MAX_RECORD, Packet
from dicomsim.capture.source import Source

FILE_HEADER = 24
"""Length of the file header."""


class Flavour(NamedTuple):
    """What the first four bytes say."""

    order: str
    """`<` or `>`, as for `struct`."""
    scale: int
    """Nanoseconds a unit of the fraction."""
    extra: int
    """Bytes in a record header behind the usual 16."""


MAGICS = {
    magic.to_bytes(4, name): Flavour(order, scale, extra)  # type: ignore[arg-type]
    for magic, scale, extra in ((0xA1B2C3D4, 1000, 0), (0xA1B23C4D, 1, 0), (0xA1B2CD34, 1000, 8))
    for order, name in ((">", "big"), ("<", "little"))
}
"""First four bytes of the file -> its flavour."""


def read_pcap(source: Source, head: bytes) -> Iterator[Packet]:
    """Yield the packets of a file whose first chunk is `head` (at least the file header)."""
    order, scale, extra = MAGICS[head[:4]]
    buffer = head
    link_type = struct.unpack_from(order + "I", buffer, 20)[0] & 0xFFFF
    unpack = struct.Struct(order + "IIII").unpack_from
    header = 16 + extra
    new = tuple.__new__  # half the price of calling the class
    number, start, base = 0, FILE_HEADER, 0
    while True:
        end = len(buffer)
        while start + header <= end:
            seconds, fraction, captured, length = unpack(buffer, start)
            stop = start + header + captured
            if stop > end:
                if captured > MAX_RECORD:
                    raise source.damaged(base + start, f"record {number + 1} claims {captured} bytes")
                break
            number += 1
            time = seconds * 1_000_000_000 + fraction * scale
            yield new(Packet, (number, time, link_type, buffer[start + header : stop], length, ()))
            start = stop
        base += start
        more = source.read()
        if not more:
            source.cut = source.cut or start < end
            return
        buffer, start = buffer[start:] + more, 0


class PcapWriter:
    """Writes frames as a pcap file; comments, names and secrets have no place in it and are left out."""

    def __init__(self, file: IO[bytes], *, link_type: int = ETHERNET, nanoseconds: bool = True) -> None:
        self._file = file
        self._scale = 1 if nanoseconds else 1000
        magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
        file.write(struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 0x40000, link_type))
        self._header = struct.Struct("<IIII").pack

    def write(self, time: int, frame: bytes, comment: str = "", length: int | None = None) -> None:
        """Append one frame taken at `time` (nanoseconds since the epoch), `length` bytes long if it was longer."""
        seconds, nanoseconds = divmod(time, 1_000_000_000)
        size = len(frame)
        self._file.write(self._header(seconds & 0xFFFFFFFF, nanoseconds // self._scale, size, length or size))
        self._file.write(frame)

    def write_names(self, names: dict[str, str]) -> None:
        """Nothing: the format has no name resolution."""

    def write_secrets(self, key_log: bytes) -> None:
        """Nothing: the format has no secrets."""
