"""The link and network layers: the same segment through every wrapping, and frames that hold none."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.capture import frames
from dicomsim.capture.frames import FrameParser, Segment
from dicomsim.capture.packet import Packet
from dicomsim.capture.tcp_frames import TcpFrames
from dicomsim.events import Side

DATA = b"\x05\0\0\0\0\x04\0\0\0\0" * 30


def ethernet(version: int) -> bytes:
    pair = ("10.0.0.1", "10.0.0.2") if version == 4 else ("fd00::1", "fd00::2")
    connection = TcpFrames((pair[0], 50_000), (pair[1], 104))
    connection.handshake()
    return connection.data(Side.REQUESTOR, DATA)[0][0]


IP4, IP6 = ethernet(4)[14:], ethernet(6)[14:]


def parse(link_type: int, data: bytes, length: int | None = None) -> Segment | None:
    return FrameParser().segment(Packet(1, 0, link_type, data, len(data) if length is None else length))


EXPECTED = parse(1, ethernet(4))
EXPECTED_6 = parse(1, ethernet(6))


def test_the_plain_frames_hold_the_data() -> None:
    assert EXPECTED is not None
    assert EXPECTED_6 is not None
    assert EXPECTED.payload == EXPECTED_6.payload == DATA


MAC = bytes(12)
WRAPPINGS = {
    "ethernet": (1, MAC + b"\x08\x00", MAC + b"\x86\xdd"),
    "VLAN": (1, MAC + bytes.fromhex("8100 0005 0800"), MAC + bytes.fromhex("8100 0005 86dd")),
    "QinQ": (1, MAC + bytes.fromhex("88a8 0005 8100 0006 0800"), MAC + bytes.fromhex("88a8 0005 8100 0006 86dd")),
    "null, little endian": (0, bytes.fromhex("02000000"), bytes.fromhex("1e000000")),
    "null, big endian": (0, bytes.fromhex("00000002"), bytes.fromhex("0000000a")),
    "raw 12": (12, b"", b""),
    "raw 14": (14, b"", b""),
    "raw 101": (101, b"", b""),
    "loop": (108, bytes.fromhex("00000002"), bytes.fromhex("00000018")),
    "cooked": (113, bytes(14) + b"\x08\x00", bytes(14) + b"\x86\xdd"),
    "cooked with VLAN": (113, bytes(14) + bytes.fromhex("8100 0005 0800"), bytes(14) + bytes.fromhex("8100 0005 86dd")),
    "cooked 2": (276, b"\x08\x00" + bytes(18), b"\x86\xdd" + bytes(18)),
}


@pytest.mark.parametrize("name", WRAPPINGS)
def test_every_wrapping_gives_the_same_segment(name: str) -> None:
    link_type, before_4, before_6 = WRAPPINGS[name]
    assert parse(link_type, before_4 + IP4) == EXPECTED
    assert parse(link_type, before_6 + IP6) == EXPECTED_6


def test_the_link_types_of_one_version_are_read() -> None:
    assert parse(228, IP4) == EXPECTED
    assert parse(229, IP6) == EXPECTED_6


def test_padding_behind_the_datagram_is_no_data() -> None:
    assert parse(1, ethernet(4) + bytes(9)) == EXPECTED
    assert parse(1, ethernet(6) + bytes(9)) == EXPECTED_6


def with_field(packet: bytes, offset: int, value: bytes) -> bytes:
    return packet[:offset] + value + packet[offset + len(value) :]


def test_a_length_of_0_is_that_of_segmentation_offload() -> None:
    assert parse(1, MAC + b"\x08\x00" + with_field(IP4, 2, b"\0\0")) == EXPECTED
    assert parse(101, with_field(IP4, 2, b"\0\0")) == EXPECTED
    assert parse(101, with_field(IP6, 4, b"\0\0")) == EXPECTED_6


def test_wrong_checksums_are_no_reason_to_drop_a_frame() -> None:
    broken = with_field(with_field(ethernet(4), 24, b"\xaa\xbb"), 50, b"\xcc\xdd")
    assert parse(1, broken) == EXPECTED


@pytest.mark.parametrize("kept", [60, 100, 353])
def test_what_a_snap_length_cut_off_is_counted(kept: int) -> None:
    whole = ethernet(4)
    for link_type, cut, header in ((1, whole[:kept], 54), (101, whole[14:kept], 40)):
        segment = parse(link_type, cut, len(whole))
        assert segment is not None
        assert segment.payload == DATA[: len(cut) - header]
        assert segment.missing == len(DATA) - len(segment.payload)


def test_options_in_both_headers_are_passed_over() -> None:
    packet = bytearray(IP4[:20] + b"\x01\x01\x01\0" + IP4[20:40] + b"\x01" * 12 + IP4[40:])
    packet[0], packet[24 + 12] = 0x46, 8 << 4
    packet[2:4] = struct.pack(">H", len(packet))
    assert parse(1, MAC + b"\x08\x00" + bytes(packet)) == EXPECTED


def test_extension_headers_are_passed_over() -> None:
    hop = bytes([43, 0]) + bytes(6)
    routing = bytes([51, 1]) + bytes(14)
    authentication = bytes([44, 1]) + bytes(10)
    atomic = bytes([6, 0, 0, 0]) + bytes(4)
    body = hop + routing + authentication + atomic + IP6[40:]
    packet = IP6[:4] + struct.pack(">HB", len(body), 0) + IP6[7:40] + body
    assert parse(101, packet) == EXPECTED_6


def fragments_4(sizes: list[int]) -> list[bytes]:
    out, at = [], 0
    body = IP4[20:]
    for size in [*sizes, len(body)]:
        piece = body[at : at + size]
        more = 0x2000 if at + size < len(body) else 0
        head = with_field(
            with_field(IP4[:20], 2, struct.pack(">H", 20 + len(piece))), 6, struct.pack(">H", more | at // 8)
        )
        out.append(head + piece)
        at += size
    return out


def fragments_6(sizes: list[int]) -> list[bytes]:
    out, at = [], 0
    body = IP6[40:]
    for size in [*sizes, len(body)]:
        piece = body[at : at + size]
        head = struct.pack(">BBHI", 6, 0, at | (at + size < len(body)), 77)
        out.append(IP6[:4] + struct.pack(">HB", len(piece) + 8, 44) + IP6[7:40] + head + piece)
        at += size
    return out


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 0, 1, 1, 2]])
def test_fragments_are_put_together_in_any_order(order: list[int]) -> None:
    for pieces, expected in ((fragments_4([64, 128]), EXPECTED), (fragments_6([64, 128]), EXPECTED_6)):
        parser = FrameParser()
        got = [parser.segment(Packet(1, 0, 101, pieces[i], len(pieces[i]))) for i in order]
        assert got[:-1] == [None] * (len(order) - 1)
        assert got[-1] == expected


def test_of_overlapping_fragments_the_first_wins() -> None:
    pieces = fragments_4([64])
    head = with_field(pieces[0][:20], 6, struct.pack(">H", 0x2000 | 4))
    forged = head + b"\xee" * 64  # bytes 32 to 96 of the body
    parser = FrameParser()
    got = [parser.segment(Packet(1, 0, 101, piece, len(piece))) for piece in (pieces[0], forged, pieces[1])]
    assert got[2] is not None
    assert got[2].payload == DATA[:44] + b"\xee" * 32 + DATA[76:]


def test_the_fragments_that_are_waited_for_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_DATAGRAMS", 5)
    parser = FrameParser()
    for identifier in range(100):
        piece = with_field(fragments_4([64])[0], 4, struct.pack(">H", identifier))
        assert parser.segment(Packet(1, 0, 101, piece, len(piece))) is None
    assert len(parser._datagrams) == 5


@pytest.mark.parametrize(
    "data",
    [
        MAC + bytes.fromhex("0806") + bytes(40),
        MAC + b"\x08\x00" + with_field(IP4, 9, b"\x11"),
        MAC + b"\x08\x00" + with_field(IP4, 0, b"\x44"),
        MAC + b"\x08\x00" + with_field(IP4, 32, b"\x10"),
        MAC + b"\x08\x00" + with_field(IP4, 2, b"\0\x15"),
        MAC + b"\x08\x00" + IP4[:30],
        MAC + b"\x86\xdd" + with_field(IP6, 6, b"\x3a"),
        b"",
    ],
)
def test_frames_without_a_tcp_segment_give_none(data: bytes) -> None:
    assert parse(1, data) is None
    assert parse(147, data) is None


@given(
    st.sampled_from(sorted(frames.LINKS)),
    st.sampled_from([b"", *(bytes(before) for _, *pair in WRAPPINGS.values() for before in pair)]),
    st.sampled_from([IP4, IP6, *fragments_4([64, 128]), *fragments_6([64])]),
    st.lists(st.tuples(st.integers(0, 80), st.binary(min_size=1, max_size=3)), max_size=4),
    st.integers(0, 500),
)
def test_no_frame_upsets_the_parser(
    link_type: int, before: bytes, packet: bytes, edits: list[tuple[int, bytes]], cut: int
) -> None:
    data = before + packet
    for at, value in edits:
        data = with_field(data, at % len(data), value)
    segment = parse(link_type, data[:cut], len(data))
    assert segment is None or (segment.missing >= 0 and len(segment.payload) <= cut)
