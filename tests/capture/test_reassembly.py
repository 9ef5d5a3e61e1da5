"""Segments in any order become the streams they came from; what lacks is a gap, and only when it must."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.capture import reassembly
from dicomsim.capture.frames import ACK, FIN, RST, SYN, Segment, reverse
from dicomsim.capture.reassembly import Connection, Reassembler
from dicomsim.events import CloseHow

KEY = bytes([10, 0, 0, 1, 10, 0, 0, 2, 0xC3, 0x50, 0, 104])
BACK = reverse(KEY)
SECOND = 1_000_000_000


@dataclass
class Collector:
    """Writes down what it is told, a line each."""

    lines: list[str] = field(default_factory=list)
    streams: list[list[bytes | int]] = field(default_factory=lambda: [[], []])
    stamps: list[tuple[int, int]] = field(default_factory=list)

    def opened(self, connection: Connection, time: int, frame: int) -> None:
        self.lines.append("open")

    def data(self, connection: Connection, sender: int, data: bytes, time: int, frame: int) -> None:
        assert data
        self.lines.append(f"{sender}: {data!r}")
        self.streams[sender].append(data)
        self.stamps.append((time, frame))

    def lost(self, connection: Connection, sender: int, size: int, time: int, frame: int) -> None:
        assert size > 0
        self.lines.append(f"{sender}: lost {size}")
        self.streams[sender].append(size)

    def ended(self, connection: Connection, sender: int, time: int, frame: int) -> None:
        self.lines.append(f"{sender}: fin")

    def closed(self, connection: Connection, sender: int | None, how: CloseHow | None, time: int, frame: int) -> None:
        self.lines.append(f"closed {how.value if how else 'unseen'} by {sender}")


def feed(segments: list[Segment], times: list[int] | None = None, finish: bool = True) -> Collector:
    collector = Collector()
    reassembler = Reassembler(collector)
    for frame, segment in enumerate(segments, 1):
        reassembler.segment(segment, times[frame - 1] if times else 0, frame)
    if finish:
        reassembler.finish()
    return collector


def handshake(client: int = 999, server: int = 4999) -> list[Segment]:
    return [
        Segment(KEY, client, 0, SYN, b""),
        Segment(BACK, server, client + 1 & 0xFFFFFFFF, SYN | ACK, b""),
        Segment(KEY, client + 1 & 0xFFFFFFFF, server + 1 & 0xFFFFFFFF, ACK, b""),
    ]


def up(sequence: int, data: bytes, missing: int = 0) -> Segment:
    return Segment(KEY, sequence & 0xFFFFFFFF, 5000, ACK, data, missing)


def down(sequence: int, data: bytes, acknowledged: int = 1000) -> Segment:
    return Segment(BACK, sequence & 0xFFFFFFFF, acknowledged, ACK, data)


def test_an_ordinary_connection() -> None:
    fin = [Segment(KEY, 1003, 5002, FIN | ACK, b""), Segment(BACK, 5002, 1004, FIN | ACK, b"")]
    assert feed([*handshake(), up(1000, b"abc"), down(5000, b"xy", 1003), *fin]).lines == [
        "open",
        "0: b'abc'",
        "1: b'xy'",
        "0: fin",
        "1: fin",
        "closed fin by 0",
    ]


def test_every_frame_twice_is_the_same_connection() -> None:
    once = [*handshake(), up(1000, b"abc"), down(5000, b"xy", 1003)]
    once += [Segment(KEY, 1003, 5002, FIN | ACK, b""), Segment(BACK, 5002, 1004, FIN | ACK, b"")]
    assert feed([segment for segment in once for _ in "12"]).lines == feed(once).lines


def test_a_refused_connection() -> None:
    refusal = [Segment(KEY, 999, 0, SYN, b""), Segment(BACK, 0, 1000, RST | ACK, b"")]
    assert feed(refusal).lines == ["open", "closed refused by 1"]


def test_a_reset_connection() -> None:
    assert feed([*handshake(), Segment(KEY, 1000, 5000, RST | ACK, b"")]).lines == ["open", "closed reset by 0"]
    assert feed([*handshake(), Segment(BACK, 5000, 0, RST, b"")]).lines == ["open", "closed reset by 1"]


def test_a_connection_whose_end_is_not_captured() -> None:
    assert feed([*handshake(), up(1000, b"abc")]).lines == ["open", "0: b'abc'", "closed unseen by None"]


def test_a_capture_may_begin_in_the_middle_and_hold_one_direction() -> None:
    lines = feed([up(77_000, b"abc"), up(77_003, b"def")]).lines
    assert lines == ["open", "0: b'abc'", "0: b'def'", "closed unseen by None"]


def test_the_client_is_known_from_the_answer_alone() -> None:
    collector = feed([*handshake()[1:], up(1000, b"abc"), down(5000, b"xy")])
    assert collector.streams == [[b"abc"], [b"xy"]]


def test_the_first_copy_of_overlapping_bytes_wins() -> None:
    segments = [*handshake(), up(1002, b"cd"), up(1001, b"XXXX"), up(1000, b"ab")]
    assert b"".join(feed(segments).streams[0]) == b"aXcdX"  # type: ignore[arg-type]


def test_a_retransmission_with_more_behind_it_gives_the_new_part() -> None:
    assert feed([*handshake(), up(1000, b"abc"), up(1000, b"abcde")]).streams[0] == [b"abc", b"de"]


def test_keep_alive_probes_give_nothing() -> None:
    assert feed([*handshake(), up(1000, b"abc"), up(1002, b"c"), up(1002, b"")]).streams[0] == [b"abc"]


def test_pieces_behind_a_hole_arrive_when_it_is_filled() -> None:
    collector = feed([*handshake(), up(1003, b"def"), up(1000, b"abc")], [0, 0, 0, 50, 60])
    assert collector.streams[0] == [b"abc", b"def"]
    assert collector.stamps == [(60, 5), (60, 5)]


def test_a_hole_that_was_acknowledged_is_a_gap_after_64_segments() -> None:
    later = [up(1010 + n, b"x") for n in range(64)]
    acknowledged = down(5000, b"", 2000)
    assert feed([*handshake(), *later[:63], acknowledged], finish=False).streams[0] == []
    assert feed([*handshake(), *later, acknowledged], finish=False).streams[0] == [10] + [b"x"] * 64


def test_a_hole_that_was_acknowledged_is_a_gap_after_a_second() -> None:
    segments = [*handshake(), up(1010, b"abc"), down(5000, b"", 2000)]
    assert feed(segments, [0, 0, 0, 0, SECOND - 1], finish=False).streams[0] == []
    assert feed(segments, [0, 0, 0, 0, SECOND], finish=False).streams[0] == [10, b"abc"]


def test_a_hole_that_was_not_acknowledged_is_waited_for() -> None:
    segments = [*handshake(), *[up(1010 + n, b"x") for n in range(200)], down(5000, b"", 1000)]
    assert feed(segments, [0] * 203 + [9 * SECOND], finish=False).streams[0] == []


def test_a_hole_is_a_gap_without_acknowledgement_where_the_peer_is_not_captured() -> None:
    segments = [handshake()[0], *[up(1010 + n, b"x") for n in range(64)]]
    assert feed(segments, finish=False).streams[0] == [10] + [b"x"] * 64


def test_a_hole_at_the_end_is_a_gap() -> None:
    assert feed([*handshake(), up(1010, b"abc")]).lines[1:] == ["0: lost 10", "0: b'abc'", "closed unseen by None"]


def test_a_hole_before_the_fin_is_a_gap_and_the_end_still_an_end() -> None:
    fin = [Segment(KEY, 1010, 5000, FIN | ACK, b""), Segment(BACK, 5000, 1011, FIN | ACK, b"")]
    assert feed([*handshake(), *fin]).lines[1:] == ["1: fin", "0: lost 10", "0: fin", "closed fin by 0"]


def test_the_last_data_may_come_after_the_fin() -> None:
    fin = [Segment(KEY, 1003, 5000, FIN | ACK, b""), Segment(BACK, 5000, 1004, FIN | ACK, b"")]
    assert feed([*handshake(), *fin, up(1000, b"abc")]).lines[1:] == [
        "1: fin",
        "0: b'abc'",
        "0: fin",
        "closed fin by 0",
    ]


def test_what_a_snap_length_cut_off_is_lost_at_once() -> None:
    segments = [*handshake(), up(1000, b"abc", 7), up(1010, b"xyz")]
    assert feed(segments, finish=False).streams[0] == [b"abc", 7, b"xyz"]


def test_sequence_numbers_wrap() -> None:
    first = 0xFFFFFFFA
    segments = [*handshake(client=first - 1), *[up(first + n * 5, b"%05d" % n) for n in (0, 2, 1, 3)]]
    assert b"".join(feed(segments).streams[0]) == b"00000000010000200003"  # type: ignore[arg-type]


def test_a_syn_with_another_number_is_another_connection_on_the_same_ports() -> None:
    segments = [*handshake(), up(1000, b"abc"), *handshake(client=49_999), up(50_000, b"new")]
    assert feed(segments).lines == [
        "open",
        "0: b'abc'",
        "closed unseen by None",
        "open",
        "0: b'new'",
        "closed unseen by None",
    ]


def test_ports_used_again_without_a_captured_syn_are_noticed_by_two_segments() -> None:
    far = 0x90000000
    new = [Segment(KEY, far, far, ACK, b"new"), Segment(KEY, far + 3, far, ACK, b"er")]
    lines = feed([*handshake(), up(1000, b"abc"), down(5000, b"z"), *new]).lines
    assert lines[3:] == ["closed unseen by None", "open", "0: b'new'", "0: b'er'", "closed unseen by None"]
    lines = feed([*handshake(), up(1000, b"abc"), down(5000, b"z"), new[0], up(1003, b"def")]).lines
    assert lines == ["open", "0: b'abc'", "1: b'z'", "0: b'def'", "closed unseen by None"]


def test_ports_used_again_after_the_end_are_noticed_at_once() -> None:
    reset = Segment(KEY, 1000, 5000, RST | ACK, b"")
    far = Segment(KEY, 0x90000000, 0, ACK, b"new")
    assert feed([*handshake(), reset, up(1000, b"late"), far]).lines[1:] == [
        "closed reset by 0",
        "open",
        "0: b'new'",
        "closed unseen by None",
    ]


def test_memory_behind_a_hole_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reassembly, "MAX_PENDING", 3000)
    streams = feed([*handshake(), *[up(1010 + n * 500, b"x" * 500) for n in range(6)]], finish=False).streams
    assert streams[0][0] == 10
    assert len(streams[0]) == 7


def test_the_number_of_connections_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reassembly, "MAX_CONNECTIONS", 10)
    collector = Collector()
    reassembler = Reassembler(collector)
    for n in range(100):
        reassembler.segment(Segment(KEY[:-1] + bytes([n]), 999, 0, SYN, b""), n, n)
        assert len(reassembler._flows) <= 20
    reassembler.finish()
    assert collector.lines.count("open") == collector.lines.count("closed unseen by None") == 100


def test_an_ignored_connection_gives_no_more_data() -> None:
    class Ignorer(Collector):
        def data(self, connection: Connection, sender: int, data: bytes, time: int, frame: int) -> None:
            super().data(connection, sender, data, time, frame)
            connection.ignored = True

    collector = Ignorer()
    reassembler = Reassembler(collector)
    for segment in [*handshake(), up(1000, b"abc"), up(1003, b"def")]:
        reassembler.segment(segment, 0, 1)
    reassembler.finish()
    assert collector.lines == ["open", "0: b'abc'"]


Mess = tuple[bytes, int, list[tuple[int, int]]]


@st.composite
def messy_stream(draw: st.DrawFn) -> Mess:
    """A stream, its first sequence number, and segments (start, stop) that cover it with overlaps, in any order."""
    data = draw(st.binary(min_size=1, max_size=200))
    cuts = sorted({0, len(data), *draw(st.lists(st.integers(0, len(data)), max_size=12))})
    segments = list(itertools.pairwise(cuts))
    extra = draw(st.lists(st.tuples(st.integers(0, len(data)), st.integers(0, len(data))), max_size=12))
    segments += [(min(pair), max(pair)) for pair in extra if pair[0] != pair[1]]
    segments += draw(st.lists(st.sampled_from(segments), max_size=5))
    return data, draw(st.integers(0, 0xFFFFFFFF)), draw(st.permutations(segments))


@pytest.mark.slow
@given(messy_stream())
def test_shuffled_doubled_and_overlapping_segments_give_the_stream(
    mess: tuple[bytes, int, list[tuple[int, int]]],
) -> None:
    data, first, order = mess
    segments = [up(first + start, data[start:stop]) for start, stop in order]
    collector = feed([*handshake(client=first - 1 & 0xFFFFFFFF), *segments])
    assert b"".join(collector.streams[0]) == data  # type: ignore[arg-type]


@pytest.mark.slow
@given(messy_stream(), st.data())
def test_what_is_delivered_stands_where_it_stood_and_only_what_lacks_is_lost(mess: Mess, draw: st.DataObject) -> None:
    data, first, order = mess
    kept = [pair for pair in order if draw.draw(st.booleans())]
    cut = [(start, stop, draw.draw(st.integers(start, stop))) for start, stop in kept]
    segments = [up(first + start, data[start:seen], stop - seen) for start, stop, seen in cut]
    stream = feed([*handshake(client=first - 1 & 0xFFFFFFFF), *segments]).streams[0]
    at = 0
    held = {place for start, _, seen in cut for place in range(start, seen)}
    for piece in stream:
        if isinstance(piece, int):
            at += piece
        else:
            assert data[at : at + len(piece)] == piece
            assert held.issuperset(range(at, at + len(piece)))
            at += len(piece)
    assert at == max((stop for _, stop, _ in cut), default=0)
    if all(seen == stop for _, stop, seen in cut):
        assert sum(len(piece) for piece in stream if isinstance(piece, bytes)) == len(held)


@pytest.mark.slow
@given(
    st.lists(
        st.builds(
            Segment,
            st.sampled_from([KEY, BACK]),
            st.integers(0, 60) | st.integers(0, 0xFFFFFFFF),
            st.integers(0, 60) | st.integers(0, 0xFFFFFFFF),
            st.integers(0, 31),
            st.binary(max_size=20),
            st.integers(0, 3),
        ),
        max_size=60,
    )
)
def test_no_sequence_of_segments_upsets_it(segments: list[Segment]) -> None:
    lines = feed(segments).lines
    assert lines.count("open") == sum(line.startswith("closed") for line in lines)
