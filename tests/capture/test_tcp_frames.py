"""Frames of a made-up connection: what each byte must be, and what our own parser makes of them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.capture.frames import ACK, FIN, PSH, RST, SYN, FrameParser, Segment, endpoints, reverse
from dicomsim.capture.packet import Packet
from dicomsim.capture.tcp_frames import LARGEST_SEGMENT, TcpFrames, ones_complement_sum
from dicomsim.events import Side

CLIENT, SERVER = ("10.1.2.3", 50_000), ("10.1.2.4", 104)
CLIENT_6, SERVER_6 = ("fd00::1", 50_000), ("fd00::2", 104)
PAIRS = {4: (CLIENT, SERVER), 6: (CLIENT_6, SERVER_6)}


def slow_sum(data: bytes) -> int:
    """RFC 1071 word by word."""
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data[: len(data) // 2 * 2]))
    if len(data) % 2:
        total += data[-1] << 8
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def parse(frame: bytes, length: int = 0) -> Segment:
    """Parse a frame that was `length` bytes long, if that is more than there are."""
    segment = FrameParser().segment(Packet(1, 0, 1, frame, length or len(frame)))
    assert segment is not None
    return segment


def check(frame: bytes) -> None:
    """Lengths and checksums are right."""
    assert len(frame) <= 65_535
    if frame[12:14] == b"\x08\x00":
        assert slow_sum(frame[14:34]) == 0xFFFF
        assert struct.unpack(">H", frame[16:18])[0] == len(frame) - 14
        addresses, tcp = frame[26:34], frame[34:]
    else:
        assert struct.unpack(">H", frame[18:20])[0] == len(frame) - 54
        addresses, tcp = frame[22:54], frame[54:]
    assert slow_sum(addresses + struct.pack(">II", len(tcp), 6) + tcp) == 0xFFFF


@given(st.binary(max_size=300))
def test_the_sum_is_that_of_rfc_1071(data: bytes) -> None:
    assert ones_complement_sum(data) == slow_sum(data) % 65_535


@pytest.mark.parametrize("version", [4, 6])
def test_a_handshake_is_three_frames_with_scaled_windows(version: int) -> None:
    frames = TcpFrames(*PAIRS[version]).handshake()
    for frame in frames:
        check(frame)
    syn, answer, ack = map(parse, frames)
    assert [syn.flags, answer.flags, ack.flags] == [SYN, SYN | ACK, ACK]
    assert answer.acknowledged == syn.sequence + 1
    assert (ack.sequence, ack.acknowledged) == (syn.sequence + 1, answer.sequence + 1)
    assert endpoints(syn.key) == PAIRS[version]
    assert answer.key == reverse(syn.key)
    options = frames[0][-8:]
    assert struct.unpack(">BBHBBBB", options) == (2, 4, LARGEST_SEGMENT[version], 1, 3, 3, 10)


@pytest.mark.parametrize("version", [4, 6])
def test_the_largest_segment_makes_the_largest_frame(version: int) -> None:
    frames = TcpFrames(*PAIRS[version])
    frames.handshake()
    size = {4: 65_481, 6: 65_461}[version]
    ((frame, length),) = frames.data(Side.REQUESTOR, b"\x07" * size)
    check(frame)
    assert length == len(frame)
    assert len(frame) == 65_535
    assert parse(frame).payload == b"\x07" * size


def test_data_is_cut_into_segments_with_push_on_the_last_and_an_acknowledgement_every_two() -> None:
    frames = TcpFrames(CLIENT, SERVER, segment=1460)
    frames.handshake()
    data = bytes(range(256)) * 20
    segments = []
    for frame, _ in frames.data(Side.ACCEPTOR, data):
        check(frame)
        segments.append(parse(frame))
    assert [(s.flags, len(s.payload)) for s in segments] == [
        (ACK, 1460),
        (ACK, 1460),
        (ACK, 0),
        (ACK, 1460),
        (PSH | ACK, 740),
        (ACK, 0),
    ]
    assert b"".join(s.payload for s in segments) == data
    assert segments[2].acknowledged == segments[3].sequence
    assert segments[5].acknowledged == segments[4].sequence + 740


def test_an_answer_acknowledges_and_saves_an_acknowledgement() -> None:
    frames = TcpFrames(CLIENT, SERVER)
    frames.handshake()
    sent: list[bytes] = []
    for sender in [Side.REQUESTOR, Side.ACCEPTOR] * 3:
        sent += [frame for frame, _ in frames.data(sender, b"data")]
    assert len(sent) == 6
    assert parse(sent[1]).acknowledged == parse(sent[0]).sequence + 4


def test_each_side_finishes_once() -> None:
    frames = TcpFrames(CLIENT, SERVER)
    frames.handshake()
    end = frames.finish(Side.ACCEPTOR) + frames.finish(Side.REQUESTOR)
    assert [parse(frame).flags for frame in end] == [FIN | ACK, ACK, FIN | ACK, ACK]
    assert frames.finish(Side.ACCEPTOR) == []
    assert parse(end[3]).acknowledged == parse(end[2]).sequence + 1


def test_a_reset_and_a_refusal_end_with_rst() -> None:
    frames = TcpFrames(CLIENT, SERVER)
    frames.handshake()
    (reset,) = frames.reset(Side.REQUESTOR)
    assert parse(reset).flags == RST | ACK
    attempt = TcpFrames(CLIENT, SERVER).attempt(refused=True)
    assert [parse(frame).flags for frame in attempt] == [SYN, RST | ACK]
    assert [parse(frame).flags for frame in TcpFrames(CLIENT, SERVER).attempt(refused=False)] == [SYN]
    for frame in [reset, *attempt]:
        check(frame)


def test_connections_of_the_same_ports_differ_in_their_first_sequence_numbers() -> None:
    first = {parse(TcpFrames(CLIENT, SERVER, distinct=n).handshake()[0]).sequence for n in range(50)}
    assert len(first) == 50


@pytest.mark.parametrize(
    ("client", "server", "expected"),
    [
        ("::ffff:10.0.0.1", "10.0.0.2", ("10.0.0.1", "10.0.0.2")),
        ("fe80::1%eth0", "fe80::2", ("fe80::1", "fe80::2")),
        ("archive.example", "10.0.0.2", ("0.0.0.0", "10.0.0.2")),
        ("10.0.0.1", "fd00::2", ("::ffff:10.0.0.1", "fd00::2")),
    ],
)
def test_addresses_of_every_form_are_taken(client: str, server: str, expected: tuple[str, str]) -> None:
    frame = TcpFrames((client, 1), (server, 2)).handshake()[0]
    check(frame)
    seen = tuple(host for host, _ in endpoints(parse(frame).key))
    assert seen in (expected, (expected[0].replace("10.0.0.1", "a00:1"), expected[1]))


@given(
    st.sampled_from([4, 6]),
    st.lists(st.tuples(st.sampled_from(list(Side)), st.binary(min_size=1, max_size=60)), max_size=12),
    st.integers(1, 20),
)
def test_what_is_sent_comes_back_from_the_frames(version: int, turns: list[tuple[Side, bytes]], segment: int) -> None:
    frames = TcpFrames(*PAIRS[version], segment=segment)
    key = parse(frames.handshake()[0]).key
    streams = {key: b"", reverse(key): b""}
    for sender, data in turns:
        for frame, _ in frames.data(sender, data):
            check(frame)
            streams[parse(frame).key] += parse(frame).payload
    assert streams[key] == b"".join(data for sender, data in turns if sender is Side.REQUESTOR)
    assert streams[reverse(key)] == b"".join(data for sender, data in turns if sender is Side.ACCEPTOR)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("missing", [96, 65_000, 65_600, 300_000])
def test_a_frame_of_which_bytes_are_missing_says_how_long_it_was(version: int, missing: int) -> None:
    connection = TcpFrames(*PAIRS[version])
    ((whole, _),) = connection.data(Side.REQUESTOR, b"all")
    (short, length), *rest = connection.data(Side.REQUESTOR, b"some", missing)
    after = connection.data(Side.REQUESTOR, b"next")[0][0]
    headers = len(whole) - 3
    here = missing if version == 4 else min(missing, connection.segment - 4)
    assert headers + 4 == len(short)
    assert headers + 4 + here == length
    first, cut, second = (parse(frame, size) for frame, size in ((whole, 0), (short, length), (after, 0)))
    assert [3, 7 + missing] == [one.sequence - first.sequence for one in (cut, second)]
    assert (b"some", here) == (cut.payload, cut.missing)
    assert missing - here == sum(parse(frame, size).missing for frame, size in rest)


@pytest.mark.parametrize("version", [4, 6])
def test_what_is_kept_of_a_longer_pdu_is_in_whole_segments_but_the_last(version: int) -> None:
    connection = TcpFrames(*PAIRS[version])
    kept = bytes(150_000)
    frames = [(frame, size) for frame, size in connection.data(Side.REQUESTOR, kept, 50_000) if size > 80]
    assert [65_535, 65_535] == [len(frame) for frame, _ in frames[:2]]
    segments = [parse(frame, size) for frame, size in frames]
    assert [0, 0] == [one.missing for one in segments[:2]]
    assert 50_000 == sum(one.missing for one in segments)
    assert kept == b"".join(one.payload for one in segments)


def test_missing_bytes_come_in_segments_of_a_length_that_was_asked_for() -> None:
    connection = TcpFrames(CLIENT, SERVER, segment=1000)
    segments = [parse(frame, size) for frame, size in connection.data(Side.REQUESTOR, bytes(1500), 2000)]
    sent = [(len(one.payload), one.missing) for one in segments if one.payload or one.missing]
    assert [(1000, 0), (500, 500), (0, 1000), (0, 500)] == sent
