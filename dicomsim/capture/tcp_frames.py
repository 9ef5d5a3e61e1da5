"""`TcpFrames`: the Ethernet frames that a TCP connection would have been, with right checksums and sequence numbers.

No loss, no reordering, an acknowledgement every two segments: what a capture of an idle loopback interface shows.
A frame never has more than 65,535 bytes, the most that readers take; one with bytes missing may say it was longer.
"""

from __future__ import annotations

import struct
import zlib
from ipaddress import IPv4Address, IPv6Address, ip_address

from dicomsim.capture.frames import ACK, FIN, PSH, RST, SYN
from dicomsim.events import Side

Address = tuple[str, int]
Buffer = bytes | memoryview

ETHERNET_HEADER = 14
MAX_FRAME = 65_535
LARGEST_SEGMENT = {4: MAX_FRAME - ETHERNET_HEADER - 20 - 20, 6: MAX_FRAME - ETHERNET_HEADER - 40 - 20}
"""IP version -> most bytes of data in a segment: 65,481 and 65,461."""

LONGEST_DATAGRAM = 0xFFFF
"""The most that the length fields of IP can say, of a datagram or of what is behind its header."""

SUM_CHUNK = 4_096
"""Bytes that are added as one number: shorter ones cost more calls, longer ones more carries."""

WINDOW_SHIFT = 10
"""Window scale option: the announced 65,535 count as 64 MB, so that no window is ever full."""
WINDOW = 0xFFFF
HOP_LIMIT = 64
_HOPS_AND_KIND = HOP_LIMIT << 8 | 6
_HEADER_4 = struct.Struct(">14sHHHHHH8s4sIIHHHH").pack
_HEADER_6 = struct.Struct(">14sIHBB32s4sIIHHHH").pack

UNKNOWN = IPv4Address("0.0.0.0")
"""Stands for an address that is not known as numbers."""


def ones_complement_sum(data: Buffer) -> int:
    """Sum of the 16 bit words of `data` as RFC 1071 has it, below 65,535; an odd last byte counts as padded with 0."""
    # 65,536 is 1 modulo 65,535, so that any number is congruent to the sum of its words, and sums may be taken of words
    # whose bytes are swapped. Of long numbers, adding is cheap and dividing is not.
    total = 0
    for start in range(0, len(data), SUM_CHUNK):
        total += int.from_bytes(data[start : start + SUM_CHUNK], "little")
    total %= 65_535
    return (total >> 8 | total << 8) & 0xFFFF


def parse_address(host: str) -> IPv4Address | IPv6Address:
    """`host` as an address; IPv4 in IPv6 becomes IPv4, a name that is no number becomes 0.0.0.0."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return UNKNOWN
    return getattr(address, "ipv4_mapped", None) or address


class _Direction:
    """What all frames of one direction have in common, and where its stream is."""

    __slots__ = (
        "acknowledged",
        "addresses",
        "ethernet",
        "finished",
        "header_sum",
        "identifier",
        "next",
        "ports",
        "pseudo_sum",
        "unanswered",
    )

    def __init__(self, source: bytes, destination: bytes, ports: bytes, first: int) -> None:
        kind = b"\x08\x00" if len(source) == 4 else b"\x86\xdd"
        # Locally administered hardware addresses that end as the IP addresses do.
        self.ethernet = b"\x02\0" + destination[-4:] + b"\x02\0" + source[-4:] + kind
        self.addresses = source + destination
        self.ports = ports
        address_sum = ones_complement_sum(source + destination)
        self.header_sum = address_sum + 0x4500 + 0x4000 + _HOPS_AND_KIND
        """Sum of what is the same in every IPv4 header."""
        self.pseudo_sum = address_sum + ones_complement_sum(ports) + 6 + 20
        """Sum of what is the same in every TCP header and the pseudo header before it."""
        self.next = first
        """Sequence number of the next byte."""
        self.acknowledged = 0
        """How far the peer's stream is acknowledged."""
        self.unanswered = 0
        """Segments that the peer has not acknowledged."""
        self.identifier = 0
        self.finished = False


class TcpFrames:
    """Builds the frames of one connection; each method gives them in the order of the wire."""

    def __init__(self, client: Address, server: Address, *, distinct: int = 0, segment: int | None = None) -> None:
        """Connect `client` to `server`.

        `distinct` tells connections of the same addresses and ports apart: the initial sequence numbers are made from
        it. `segment` is the most data a segment holds, by default as much as a frame can, and over IPv4 all that is
        missing.
        """
        hosts = [parse_address(client[0]), parse_address(server[0])]
        if hosts[0].version != hosts[1].version:
            hosts = [
                IPv6Address(b"\0" * 10 + b"\xff\xff" + host.packed) if isinstance(host, IPv4Address) else host
                for host in hosts
            ]
        self.hosts = (str(hosts[0]), str(hosts[1]))
        """Addresses of client and server as they stand in the frames."""
        self.version = hosts[0].version
        """IP version, 4 or 6."""
        self.segment = min(segment or MAX_FRAME, LARGEST_SEGMENT[self.version])
        """Most bytes of data in a segment."""
        self._segments_missing = segment is not None or self.version == 6
        packed = [host.packed for host in hosts]
        ports = [client[1] & 0xFFFF, server[1] & 0xFFFF]
        seed = repr((client, server, distinct)).encode()
        first = [zlib.crc32(b"client" + seed), zlib.crc32(b"server" + seed)]
        self._directions = tuple(
            _Direction(packed[i], packed[1 - i], struct.pack(">HH", ports[i], ports[1 - i]), first[i]) for i in (0, 1)
        )
        self._frame = self._frame_4 if self.version == 4 else self._frame_6

    def handshake(self) -> list[bytes]:
        """SYN, SYN-ACK, ACK."""
        client, server = self._directions
        return [self._synchronize(client, server, SYN), self._synchronize(server, client, SYN | ACK), self._ack(client)]

    def attempt(self, refused: bool) -> list[bytes]:
        """A connection that did not come about: SYN, and RST if it was refused."""
        client, server = self._directions
        frames = [self._synchronize(client, server, SYN)]
        if refused:
            server.next = 0
            frames.append(self._frame(server, RST | ACK, b"", 0))
        return frames

    def data(self, sender: Side, data: Buffer, missing: int = 0) -> list[tuple[bytes, int]]:
        """The segments for `data`, PSH on the last, each second one acknowledged; with each how long it was.

        A frame that is shorter than that has bytes `missing` behind it. One that was too long for IPv4 says 0 there, as
        segmentation offload does where it is captured: a PDU that was cut is one frame then, and not all the rest of
        it frames without data. Readers do not take that over IPv6.
        """
        direction, peer = self._pair(sender)
        frames: list[tuple[bytes, int]] = []
        here, size, segment = len(data), len(data) + missing, self.segment
        start = 0
        while start < size:
            length = size - start
            if length > segment and (here - start > segment or self._segments_missing):
                flags, length = ACK, segment
            else:
                flags = PSH | ACK
            piece = data if here <= length and not start else data[start : start + length]
            lacking = length - len(piece)
            frame = self._frame(direction, flags, piece, WINDOW, b"", lacking)
            frames.append((frame, len(frame) + lacking))
            start += length
            direction.next = peer.acknowledged = (direction.next + length) & 0xFFFFFFFF
            peer.unanswered = 0
            if direction.unanswered:
                frame = self._ack(peer)
                frames.append((frame, len(frame)))
            else:
                direction.unanswered = 1
        return frames

    def finish(self, sender: Side) -> list[bytes]:
        """FIN of `sender`, acknowledged; [] if it was sent before."""
        direction, peer = self._pair(sender)
        if direction.finished:
            return []
        frame = self._frame(direction, FIN | ACK, b"", WINDOW)
        direction.next = (direction.next + 1) & 0xFFFFFFFF
        direction.finished = True
        peer.acknowledged = direction.next
        return [frame, self._ack(peer)]

    def reset(self, sender: Side) -> list[bytes]:
        """RST of `sender`."""
        direction, _ = self._pair(sender)
        return [self._frame(direction, RST | ACK, b"", 0)]

    def _pair(self, sender: Side) -> tuple[_Direction, _Direction]:
        client, server = self._directions
        return (client, server) if sender is Side.REQUESTOR else (server, client)

    def _ack(self, direction: _Direction) -> bytes:
        peer = self._directions[1] if direction is self._directions[0] else self._directions[0]
        peer.unanswered = 0
        return self._frame(direction, ACK, b"", WINDOW)

    def _synchronize(self, direction: _Direction, peer: _Direction, flags: int) -> bytes:
        options = struct.pack(">BBHBBBB", 2, 4, self.segment, 1, 3, 3, WINDOW_SHIFT)
        frame = self._frame(direction, flags, b"", WINDOW, options)
        direction.next = (direction.next + 1) & 0xFFFFFFFF
        peer.acknowledged = direction.next
        return frame

    def _frame_4(
        self, direction: _Direction, flags: int, data: Buffer, window: int, options: bytes = b"", missing: int = 0
    ) -> bytes:
        identifier = direction.identifier = (direction.identifier + 1) & 0xFFFF
        length = 40 + len(options) + len(data) + missing
        if length > LONGEST_DATAGRAM:
            length = 0
        acknowledged = direction.acknowledged if flags & ACK else 0
        bits = 20 + len(options) << 10 | flags
        header = _HEADER_4(
            direction.ethernet, 0x4500, length, identifier, 0x4000, _HOPS_AND_KIND,
            -(direction.header_sum + length + identifier) % 65_535,
            direction.addresses, direction.ports, direction.next, acknowledged, bits, window,
            0 if missing else _tcp_checksum(direction, acknowledged, bits + window, options, data), 0,
        )  # fmt: skip
        return b"".join((header, options, data)) if options or data else header

    def _frame_6(
        self, direction: _Direction, flags: int, data: Buffer, window: int, options: bytes = b"", missing: int = 0
    ) -> bytes:
        length = 20 + len(options) + len(data) + missing
        if length > LONGEST_DATAGRAM:
            length = 0
        acknowledged = direction.acknowledged if flags & ACK else 0
        bits = 20 + len(options) << 10 | flags
        header = _HEADER_6(
            direction.ethernet, 0x60000000, length, 6, HOP_LIMIT, direction.addresses, direction.ports, direction.next,
            acknowledged, bits, window,
            0 if missing else _tcp_checksum(direction, acknowledged, bits + window, options, data), 0,
        )  # fmt: skip
        return b"".join((header, options, data)) if options or data else header


def _tcp_checksum(direction: _Direction, acknowledged: int, bits_and_window: int, options: bytes, data: Buffer) -> int:
    """The checksum of a segment, from its header's last fields, its options and its data."""
    number = direction.next
    total = direction.pseudo_sum + bits_and_window
    total += (number >> 16) + (number & 0xFFFF) + (acknowledged >> 16) + (acknowledged & 0xFFFF)
    if options:
        total += len(options) + ones_complement_sum(options)
    if data:
        total += len(data) + ones_complement_sum(data)
    return -total % 65_535
