"""`FrameParser`: from captured frames to TCP segments, through the link and network layers.

Checksums are not looked at: offloading makes them wrong in nearly every capture of a loopback or sending interface.
A length of 0 in the IP header is what segmentation offload leaves there; the frame's own length counts then.
"""

from __future__ import annotations

import ipaddress
import struct
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from dicomsim.capture.packet import Packet

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
"""Flags of the TCP header."""

IPV4, IPV6 = 0x0800, 0x86DD
"""Ethernet types."""

VLAN_TAGS = {0x8100, 0x88A8, 0x9100, 0x9200}
"""Ethernet types of tags, which may be stacked: the real type follows two bytes later."""

FAMILIES = {2: IPV4, 10: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}
"""Address families as the BSDs, macOS and Linux number them."""

TCP = 6
EXTENSIONS = {0, 43, 60, 135}
"""IPv6 extension headers that say their length in units of 8 bytes beyond the first."""
FRAGMENT, AUTHENTICATION = 44, 51

MAX_DATAGRAMS = 256
"""Fragmented datagrams that are waited for at the same time."""

MAX_FRAGMENTS = 1024
"""Fragments of one datagram: 64 kB in pieces of 64 bytes."""


class Segment(NamedTuple):
    """One TCP segment; a tuple because a capture has millions of them."""

    key: bytes
    """Source address, destination address, source port, destination port."""
    sequence: int
    """Sequence number of the first byte of `payload` (or of the SYN)."""
    acknowledged: int
    """Acknowledgement number, without meaning if the flag is not set."""
    flags: int
    """`FIN`, `SYN`, `RST`, `PSH`, `ACK`."""
    payload: bytes
    """The bytes that were captured."""
    missing: int = 0
    """How many more there were behind them."""


def reverse(key: bytes) -> bytes:
    """The key of the opposite direction."""
    size = (len(key) - 4) // 2
    return key[size : 2 * size] + key[:size] + key[-2:] + key[-4:-2]


def endpoints(key: bytes) -> tuple[tuple[str, int], tuple[str, int]]:
    """Source and destination of a key as address and port."""
    size = (len(key) - 4) // 2
    source, destination = (str(ipaddress.ip_address(key[at : at + size])) for at in (0, size))
    ports = struct.unpack(">HH", key[-4:])
    return (source, ports[0]), (destination, ports[1])


def _ethernet(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[12:14], "big"), 14


def _cooked(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[14:16], "big"), 16


def _cooked_2(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[:2], "big"), 20


def _loopback(data: bytes) -> tuple[int, int]:
    # In the byte order of the machine that captured (link type 0) or big endian (108).
    family = min(int.from_bytes(data[:4], "big"), int.from_bytes(data[:4], "little"))
    return FAMILIES.get(family, 0), 4


def _raw(data: bytes) -> tuple[int, int]:
    return {4: IPV4, 6: IPV6}.get(data[0] >> 4, 0) if data else 0, 0


LINKS: dict[int, Callable[[bytes], tuple[int, int]]] = {
    0: _loopback,
    1: _ethernet,
    12: _raw,
    14: _raw,
    101: _raw,
    108: _loopback,
    113: _cooked,
    228: _raw,
    229: _raw,
    276: _cooked_2,
}
"""Link type -> function that gives the Ethernet type and where the network layer begins."""

_USUAL = struct.Struct(">HBxHxxHxB10xHHIIBB").unpack_from
_new = tuple.__new__  # half the price of calling the class
_TCP = struct.Struct(">HHIIBB").unpack_from


@dataclass(slots=True)
class _Datagram:
    pieces: dict[int, bytes] = field(default_factory=dict)
    total: int | None = None

    def whole(self) -> bytes | None:
        """The payload of the datagram, once no byte of it lacks; of overlapping fragments the first to come wins."""
        if self.total is None:
            return None
        data = bytearray(self.total)
        covered = 0
        for offset in sorted(self.pieces):
            if offset > covered:
                return None
            covered = max(covered, offset + len(self.pieces[offset]))
        if covered < self.total:
            return None
        for offset, piece in reversed(self.pieces.items()):
            data[offset : offset + len(piece)] = piece
        return bytes(data[: self.total])


class FrameParser:
    """Gives the TCP segment of a packet, if it holds one; keeps the fragments of IP datagrams until they are whole."""

    def __init__(self) -> None:
        self._datagrams: OrderedDict[tuple[bytes, int], _Datagram] = OrderedDict()

    def segment(self, packet: Packet) -> Segment | None:
        """The TCP segment that `packet` holds or completes, else None."""
        _, _, link_type, data, length, _ = packet
        if link_type == 1 and len(data) >= 54:
            # The usual case at a stroke: Ethernet, IPv4 without options or fragments, TCP.
            kind, version, total, fragment, protocol, _, _, sequence, acknowledged, offset, flags = _USUAL(data, 12)
            if kind == IPV4 and version == 0x45 and protocol == TCP and not fragment & 0x3FFF:
                end = 14 + total if total else length
                start = 34 + (offset >> 4) * 4
                if start < 54 or start > end:
                    return None
                missing = end - max(start, len(data))
                return Segment(data[26:38], sequence, acknowledged, flags, data[start:end], max(0, missing))
        link = LINKS.get(link_type)
        if link is None:
            return None
        kind, start = link(data)
        while kind in VLAN_TAGS:
            kind, start = int.from_bytes(data[start + 2 : start + 4], "big"), start + 4
        if kind == IPV4:
            return self._ipv4(data, start, length)
        if kind == IPV6:
            return self._ipv6(data, start, length)
        return None

    def _ipv4(self, data: bytes, start: int, length: int) -> Segment | None:
        if len(data) < start + 20 or data[start] >> 4 != 4:
            return None
        header = (data[start] & 15) * 4
        total = int.from_bytes(data[start + 2 : start + 4], "big")
        end = start + total if total else length
        body = start + header
        if header < 20 or body > end or data[start + 9] != TCP:
            return None
        addresses = data[start + 12 : start + 20]
        fragment = int.from_bytes(data[start + 6 : start + 8], "big")
        if fragment & 0x3FFF:
            identifier = int.from_bytes(data[start + 4 : start + 6], "big")
            return self._fragment(
                addresses, identifier, (fragment & 0x1FFF) * 8, bool(fragment & 0x2000), data[body:end], end - body
            )
        return _tcp(addresses, data[body:end], end - body)

    def _ipv6(self, data: bytes, start: int, length: int) -> Segment | None:
        if len(data) < start + 40 or data[start] >> 4 != 6:
            return None
        size = int.from_bytes(data[start + 4 : start + 6], "big")
        addresses = data[start + 8 : start + 40]
        following, body = data[start + 6], start + 40
        end = body + size if size else length
        while following != TCP:
            if len(data) < body + 8 or body + 8 > end:
                return None
            if following in EXTENSIONS:
                size = 8 + data[body + 1] * 8
            elif following == AUTHENTICATION:
                size = 8 + data[body + 1] * 4
            elif following == FRAGMENT:
                place = int.from_bytes(data[body + 2 : body + 4], "big")
                identifier = int.from_bytes(data[body + 4 : body + 8], "big")
                if place & 0xFFF9:
                    if data[body] != TCP:
                        return None
                    rest = data[body + 8 : end]
                    return self._fragment(addresses, identifier, place & 0xFFF8, bool(place & 1), rest, end - body - 8)
                size = 8
            else:
                return None
            following, body = data[body], body + size
        return _tcp(addresses, data[body:end], end - body) if body <= end else None

    def _fragment(
        self, addresses: bytes, identifier: int, offset: int, more: bool, piece: bytes, length: int
    ) -> Segment | None:
        if len(piece) < length or offset + length > 0xFFFF:
            return None  # cut by a snap length: the datagram never becomes whole, TCP sees a gap
        key = (addresses, identifier)
        datagram = self._datagrams.get(key)
        if datagram is None:
            datagram = self._datagrams[key] = _Datagram()
            if len(self._datagrams) > MAX_DATAGRAMS:
                self._datagrams.popitem(last=False)
        if len(datagram.pieces) < MAX_FRAGMENTS:
            datagram.pieces.setdefault(offset, piece)
        if not more and datagram.total is None:
            datagram.total = offset + length
        whole = datagram.whole()
        if whole is None:
            return None
        del self._datagrams[key]
        return _tcp(addresses, whole, len(whole))


def _tcp(addresses: bytes, data: bytes, length: int) -> Segment | None:
    if len(data) < 20:
        return None
    _, _, sequence, acknowledged, offset, flags = _TCP(data)
    start = (offset >> 4) * 4
    if start < 20 or start > length:
        return None
    return Segment(
        addresses + data[:4], sequence, acknowledged, flags, data[start:], max(0, length - max(start, len(data)))
    )
