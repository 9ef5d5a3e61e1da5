"""pcapng files: sections of blocks, each with its type, its length (twice) and a body padded to 32 bits.

Read in both byte orders, with any number of sections and interfaces and every timestamp resolution; blocks of unknown
types are skipped. Format: draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, ClassVar, NamedTuple

from dicomsim.capture.packet import ETHERNET, MAX_RECORD, Packet
from dicomsim.capture.source import Source

SECTION_HEADER = 0x0A0D0D0A
INTERFACE_DESCRIPTION = 1
OBSOLETE_PACKET = 2
SIMPLE_PACKET = 3
NAME_RESOLUTION = 4
ENHANCED_PACKET = 6
JOURNAL = 9
DECRYPTION_SECRETS = 10
CUSTOM, CUSTOM_NOT_COPIED = 0xBAD, 0x40000BAD

NUMBERED = {JOURNAL, CUSTOM, CUSTOM_NOT_COPIED}
"""Blocks that are no packets, but that Wireshark gives a frame number."""

MAGIC = SECTION_HEADER.to_bytes(4, "big")
"""First four bytes of the file: a palindrome, the byte order follows later."""

COMMENT, APPLICATION, TIME_RESOLUTION, TIME_OFFSET = 1, 4, 9, 14
"""Option codes; 4 in a section header, 9 and 14 in an interface description."""

TLS_KEY_LOG = 0x544C534B
"""Type of a secrets block with lines in the format of NSS."""

MAX_NAMES = 100_000
"""Entries kept of all name resolution blocks."""

BYTE_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
"""Bytes 9 to 12 of a section header -> the order of its section."""


_new = tuple.__new__  # half the price of calling the class
_HEAD = {order: struct.Struct(order + "II").unpack_from for order in "<>"}
_PACKET = {order: struct.Struct(order + "5I").unpack_from for order in "<>"}


Block = tuple[int, str, bytes, int, int, int]
"""Type, byte order (`<` or `>`), a buffer, begin and end of the body in it, offset of the block in the file.

The body is not cut out, because most blocks are packets, whose data is.
"""


class _Interface(NamedTuple):
    link_type: int
    snap_length: int
    multiplier: int
    divisor: int
    offset: int


@dataclass(slots=True)
class SectionNotes:
    """What a file says beside its packets, as far as it has been read."""

    application: str = ""
    """The program that wrote the (latest) section."""
    comments: list[str] = field(default_factory=list)
    """Comments on the sections."""
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Address -> the names given to it."""
    secrets: list[tuple[int, bytes]] = field(default_factory=list)
    """Type and content of the secrets blocks."""


def read_blocks(source: Source, head: bytes) -> Iterator[Block]:
    """Yield every block of a file whose first chunk is `head`; a cut last one ends it."""
    buffer, start, base, order = head, 0, 0, "<"
    while True:
        end = len(buffer)
        while start + 12 <= end:
            if buffer.startswith(MAGIC, start):
                order = BYTE_ORDERS.get(buffer[start + 8 : start + 12], "")
                if not order:
                    raise source.damaged(base + start, "a section header with no byte order")
            kind, length = _HEAD[order](buffer, start)
            if length < 12 or length % 4 or length > MAX_RECORD:
                raise source.damaged(base + start, f"a block of type {kind} claims {length} bytes")
            if start + length > end:
                break
            stop = start + length - 4
            if buffer[stop : stop + 4] != buffer[start + 4 : start + 8]:
                raise source.damaged(base + start, f"the two lengths of a block of type {kind} differ")
            yield kind, order, buffer, start + 8, stop, base + start
            start += length
        base += start
        more = source.read()
        if not more:
            source.cut = source.cut or start < end
            return
        buffer, start = buffer[start:] + more, 0


def options(order: str, body: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Yield code and value of the options from `start` on; a malformed one ends them."""
    header = struct.Struct(order + "HH")
    while start + 4 <= len(body):
        code, length = header.unpack_from(body, start)
        if code == 0 or start + 4 + length > len(body):
            return
        yield code, body[start + 4 : start + 4 + length]
        start += 4 + length + -length % 4


def _comments(order: str, tail: bytes) -> tuple[str, ...]:
    return tuple(v.decode("utf-8", "replace").rstrip("\0") for code, v in options(order, tail, 0) if code == COMMENT)


class PcapngReader:
    """Yields the packets of a pcapng file and keeps its notes."""

    def __init__(self, source: Source, head: bytes) -> None:
        self._source = source
        self._head = head
        self.notes = SectionNotes()
        self._interfaces: list[_Interface] = []
        self._secret_bytes = 0

    def __iter__(self) -> Iterator[Packet]:
        number = 0
        time = 0
        for block in read_blocks(self._source, self._head):
            kind = block[0]
            if kind == ENHANCED_PACKET or kind == OBSOLETE_PACKET:  # noqa: SIM109  # a set costs more, on the hot path
                number += 1
                packet = self._packet(block, number)
                time = packet.time
                yield packet
            elif kind == SIMPLE_PACKET:
                number += 1
                yield self._simple_packet(block, number, time)
            elif kind in NUMBERED:
                number += 1
            elif kind in self._OTHERS:
                _, order, buffer, begin, end, offset = block
                self._OTHERS[kind](self, order, buffer[begin:end], offset)

    def _interface(self, offset: int, index: int) -> _Interface:
        if index >= len(self._interfaces):
            raise self._source.damaged(offset, f"a packet of interface {index}, which is not described")
        return self._interfaces[index]

    def _packet(self, block: Block, number: int) -> Packet:
        kind, order, buffer, begin, end, offset = block
        start = begin + 20
        if start > end:
            raise self._source.damaged(offset, "a packet block shorter than its own header")
        index, high, low, captured, length = _PACKET[order](buffer, begin)
        if kind == OBSOLETE_PACKET:
            index = struct.unpack_from(order + "H", buffer, begin)[0]
        stop = start + captured
        if stop > end:
            raise self._source.damaged(offset, f"a packet of {captured} bytes in a block of {end - begin + 12}")
        link_type, _, multiplier, divisor, zero = self._interface(offset, index)
        time = (high << 32 | low) * multiplier // divisor + zero
        comments: tuple[str, ...] = ()
        if end - stop >= 8:
            comments = _comments(order, buffer[stop + -captured % 4 : end])
        return _new(Packet, (number, time, link_type, buffer[start:stop], length, comments))

    def _simple_packet(self, block: Block, number: int, time: int) -> Packet:
        _, order, buffer, begin, end, offset = block
        interface = self._interface(offset, 0)
        if end - begin < 4:
            raise self._source.damaged(offset, "a simple packet block shorter than its own header")
        length = struct.unpack_from(order + "I", buffer, begin)[0]
        captured = min(length, interface.snap_length or length, end - begin - 4)
        return Packet(number, time, interface.link_type, buffer[begin + 4 : begin + 4 + captured], length)

    def _section(self, order: str, body: bytes, offset: int) -> None:
        major = struct.unpack_from(order + "H", body, 4)[0] if len(body) >= 16 else 0
        if major != 1:
            raise self._source.damaged(offset, f"a section of version {major}, known is 1")
        self._interfaces.clear()
        self.notes.application = ""
        for code, value in options(order, body, 16):
            text = value.decode("utf-8", "replace").rstrip("\0")
            if code == APPLICATION:
                self.notes.application = text
            elif code == COMMENT:
                self.notes.comments.append(text)

    def _describe_interface(self, order: str, body: bytes, offset: int) -> None:
        if len(body) < 8:
            raise self._source.damaged(offset, "an interface description shorter than its own header")
        link_type, _, snap_length = struct.unpack_from(order + "HHI", body)
        multiplier, divisor, zero = 1000, 1, 0
        for code, value in options(order, body, 8):
            if code == TIME_RESOLUTION and value:
                exponent = value[0] & 0x7F
                ticks = 1 << exponent if value[0] & 0x80 else 10**exponent
                multiplier, divisor = (10**9 // ticks, 1) if 10**9 % ticks == 0 else (10**9, ticks)
            elif code == TIME_OFFSET and len(value) == 8:
                zero = struct.unpack(order + "q", value)[0] * 10**9
        self._interfaces.append(_Interface(link_type, snap_length, multiplier, divisor, zero))

    def _resolve_names(self, order: str, body: bytes, offset: int) -> None:
        start = 0
        while start + 4 <= len(body) and len(self.notes.names) < MAX_NAMES:
            kind, length = struct.unpack_from(order + "HH", body, start)
            value = body[start + 4 : start + 4 + length]
            size = {1: 4, 2: 16}.get(kind)
            if kind == 0 or len(value) < length:
                return
            if size and length > size:
                names = tuple(name.decode("utf-8", "replace") for name in value[size:].split(b"\0") if name)
                address = str(ipaddress.ip_address(value[:size]))
                known = self.notes.names.get(address, ())
                self.notes.names[address] = known + tuple(name for name in names if name not in known)
            start += 4 + length + -length % 4

    def _secrets(self, order: str, body: bytes, offset: int) -> None:
        if len(body) < 8:
            return
        kind, length = struct.unpack_from(order + "II", body)
        secret = body[8 : 8 + length]
        if self._secret_bytes + len(secret) <= MAX_RECORD:
            self._secret_bytes += len(secret)
            self.notes.secrets.append((kind, secret))

    _OTHERS: ClassVar[dict[int, Callable[[PcapngReader, str, bytes, int], None]]] = {
        SECTION_HEADER: _section,
        INTERFACE_DESCRIPTION: _describe_interface,
        NAME_RESOLUTION: _resolve_names,
        DECRYPTION_SECRETS: _secrets,
    }


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


class PcapngWriter:
    """Writes frames as a pcapng file of one section and one interface, with nanoseconds, in little endian order."""

    def __init__(self, file: IO[bytes], *, link_type: int = ETHERNET, application: str = "", comment: str = "") -> None:
        self._file = file
        notes = b"".join(
            _option(code, text.encode()[:0xFFFF])
            for code, text in ((COMMENT, comment), (APPLICATION, application))
            if text
        )
        file.write(_block(SECTION_HEADER, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + notes + (notes and bytes(4))))
        resolution = _option(TIME_RESOLUTION, b"\x09") + bytes(4)
        file.write(_block(INTERFACE_DESCRIPTION, struct.pack("<HHI", link_type, 0, 0) + resolution))
        self._header = struct.Struct("<IIIIIII").pack

    def write(self, time: int, frame: bytes, comment: str = "", length: int | None = None) -> None:
        """Append one frame taken at `time` (nanoseconds since the epoch), `length` bytes long if it was longer."""
        size = len(frame)
        tail = bytes(-size % 4)
        if comment:
            tail += _option(COMMENT, comment.encode("utf-8", "replace")[:0xFFF0]) + bytes(4)
        block = 32 + size + len(tail)
        high, low = time >> 32 & 0xFFFFFFFF, time & 0xFFFFFFFF
        header = self._header(ENHANCED_PACKET, block, 0, high, low, size, length or size)
        self._file.write(b"".join((header, frame, tail, block.to_bytes(4, "little"))))

    def write_names(self, names: dict[str, str]) -> None:
        """Append a name resolution block: address -> name."""
        records = b""
        for address, name in names.items():
            packed = ipaddress.ip_address(address).packed
            value = packed + name.encode("utf-8", "replace").replace(b"\0", b"") + b"\0"
            records += _option(1 if len(packed) == 4 else 2, value)
        self._file.write(_block(NAME_RESOLUTION, records + bytes(4)))

    def write_secrets(self, key_log: bytes) -> None:
        """Append a TLS key log; it must stand before the frames that it decrypts."""
        body = struct.pack("<II", TLS_KEY_LOG, len(key_log)) + key_log + bytes(-len(key_log) % 4)
        self._file.write(_block(DECRYPTION_SECRETS, body))
