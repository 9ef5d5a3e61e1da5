"""PDUs cut out of streams with holes in them."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dicomsim.capture import pdu_stream
from dicomsim.capture.pdu_stream import FramedPdu, PduStream, Skipped, find_chain, plausible

RELEASE = bytes.fromhex("05 00 00000004 00000000")
ABORT = bytes.fromhex("07 00 00000004 00000200")


def p_data(size: int, fill: bytes = b"\xa5") -> bytes:
    body = (size + 2).to_bytes(4, "big") + b"\x01\x00" + fill * size
    return b"\x04\x00" + len(body).to_bytes(4, "big") + body


def whole(data: bytes, frame: int = 1, first: int | None = None) -> FramedPdu:
    return FramedPdu(data, len(data), (), frame * 10, frame, first or frame)


def run(stream: PduStream, *steps: bytes | int, end: bool = True) -> list[FramedPdu | Skipped]:
    """Feed bytes, or gaps by their size, one a frame."""
    out: list[FramedPdu | Skipped] = []
    for frame, step in enumerate(steps, 1):
        out += stream.lost(step, frame * 10, frame) if isinstance(step, int) else stream.data(step, frame * 10, frame)
    if end:
        out += stream.end(990, 99)
    return out


def test_several_pdus_in_one_piece_come_out_at_once() -> None:
    assert run(PduStream(True), p_data(5) + RELEASE + ABORT) == [whole(p_data(5)), whole(RELEASE), whole(ABORT)]


def test_a_pdu_over_several_pieces_has_the_frame_that_completed_it() -> None:
    data = p_data(100)
    assert run(PduStream(True), data[:3], data[3:50], data[50:]) == [whole(data, 3, 1)]


@given(st.lists(st.sampled_from([p_data(0), p_data(7), p_data(60), RELEASE, b"\x0f\0\0\0\0\x02ab"])), st.data())
def test_any_split_gives_the_same_pdus(pdus: list[bytes], draw: st.DataObject) -> None:
    data = b"".join(pdus)
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=10)))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert [pdu.data for pdu in run(PduStream(True), *filter(None, pieces)) if isinstance(pdu, FramedPdu)] == pdus


def test_a_hole_inside_a_pdu_is_filled_and_marked() -> None:
    data = p_data(100)
    (damaged, after) = run(PduStream(True), data[:20], 10, data[30:], RELEASE)
    assert damaged == FramedPdu(data[:20] + bytes(10) + data[30:], len(data), ((20, 10),), 30, 3, 1)
    assert after == whole(RELEASE, 4)


def test_a_hole_up_to_the_end_of_a_pdu_completes_it() -> None:
    data = p_data(100)
    (damaged, after) = run(PduStream(True), data[:50], len(data) - 50, RELEASE)
    assert damaged == FramedPdu(data[:50] + bytes(62), len(data), ((50, 62),), 20, 2, 1)
    assert after == whole(RELEASE, 3)


def test_after_a_hole_over_a_head_two_heads_in_a_chain_are_searched() -> None:
    first, rest = p_data(100), b"\x04\0" * 40
    got = run(PduStream(True), first[:50], 200, rest + p_data(9)[:8], p_data(9)[8:] + RELEASE)
    assert got == [
        FramedPdu(first[:50] + bytes(62), len(first), ((50, 62),), 20, 2, 1),
        Skipped(138 + 80, 30, 3),
        whole(p_data(9), 4, 3),
        whole(RELEASE, 4),
    ]


def test_a_hole_inside_a_header_loses_the_header() -> None:
    assert run(PduStream(True), p_data(9)[:4], 2, p_data(9)[6:] + RELEASE + RELEASE) == [
        Skipped(6 + 15, 30, 3),
        whole(RELEASE, 3),
        whole(RELEASE, 3),
    ]


def test_a_stream_may_begin_in_the_middle_of_a_pdu() -> None:
    got = run(PduStream(False), b"\xff" * 33 + p_data(9) + RELEASE)
    assert got == [Skipped(33, 10, 1), whole(p_data(9)), whole(RELEASE)]


def test_a_stream_whose_start_is_unseen_may_begin_with_a_pdu() -> None:
    assert run(PduStream(False), RELEASE) == [whole(RELEASE)]


def test_what_is_no_pdu_at_all_is_skipped() -> None:
    assert run(PduStream(False), b"GET / HTTP/1.1\r\n\r\n") == [Skipped(18, 990, 99)]


def test_the_end_inside_a_pdu_marks_what_lacks() -> None:
    assert run(PduStream(True), p_data(9)[:12]) == [FramedPdu(p_data(9)[:12], 21, ((12, 9),), 990, 99, 1)]
    assert run(PduStream(True), b"\x05\0\0") == [FramedPdu(b"\x05\0\0", 6, ((3, 3),), 990, 99, 1)]


def test_a_pdu_too_long_to_keep_says_what_was_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdu_stream, "MAX_KEPT", 50)
    data = p_data(200)
    (long, after) = run(PduStream(True), data[:40], data[40:100], 20, data[120:], RELEASE)
    assert long == FramedPdu(data[:50], len(data), ((50, len(data) - 50),), 40, 4, 1)
    assert after == whole(RELEASE, 5)


def test_the_search_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdu_stream, "MAX_SEARCHED", 1000)
    stream = PduStream(False)
    for frame in range(100):
        assert list(stream.data(b"\xff" * 100, frame, frame)) == []
        assert len(stream._search) <= 1100
    assert next(iter(stream.data(RELEASE + RELEASE, 7, 7))) == Skipped(10_000, 7, 7)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (RELEASE, True),
        (b"\x05\0\0\0\0\x05", False),
        (b"\x08\0\0\0\0\x04", False),
        (b"\x05\x01\0\0\0\x04", False),
        (p_data(8), True),
        (b"\x04\0\0\0\0\x05", False),
        (b"\x04\0\0\0\0\x0e\0\0\0\x0a\x02\0", False),
        (b"\x04\0\0\0\0\x0e\0\0\0\x0a\x01\x04", False),
        (b"\x04\0\0\0\0\x0e\0\0\0\x0b\x01\x03", False),
        (b"\x01\0\0\0\0\xcd" + bytes(68) + b"\x10", True),
        (b"\x01\0\0\0\0\xcd" + bytes(68) + b"\x11", False),
        (b"\x01\0\x10\0\0\xcd", False),
        (b"\x01", True),
        (b"", False),
        (b"GET / HTTP", False),
        (b"\x16\x03\x01\x02\0\x01", False),
    ],
)
def test_what_may_be_a_head(data: bytes, expected: bool) -> None:
    assert plausible(data) is expected


@given(st.binary(max_size=120), st.booleans())
def test_the_search_gives_a_place_in_the_data(data: bytes, ended: bool) -> None:
    at, found = find_chain(data, 0, ended)
    assert 0 <= at <= len(data)
    assert not found or plausible(data, at)


@pytest.mark.slow
@given(st.lists(st.binary(min_size=1, max_size=40) | st.integers(1, 50), max_size=12), st.booleans())
def test_every_byte_is_accounted_for(steps: list[bytes | int], synchronized: bool) -> None:
    assume(not steps or isinstance(steps[-1], bytes))  # a gap at the end is one hole with what lacks behind it
    total = sum(step if isinstance(step, int) else len(step) for step in steps)
    seen = 0
    for item in run(PduStream(synchronized), *steps):
        if isinstance(item, Skipped):
            seen += item.size
        else:
            ends_early = item.frame == 99
            seen += item.length - (item.holes[-1][1] if ends_early else 0)
    assert seen == total


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6), st.integers(1, 300), st.integers(0, 400))
def test_a_gap_anywhere_damages_no_pdu_that_it_does_not_touch(sizes: list[int], gap: int, at: int) -> None:
    pdus = [p_data(size, bytes([n + 0x30])) for n, size in enumerate(sizes)] + [RELEASE, ABORT]
    data = b"".join(pdus)
    start = at % len(data)
    stop = min(start + gap, len(data))
    got = run(PduStream(True), *filter(None, [data[:start]]), stop - start, *filter(None, [data[stop:]]))
    intact = [item.data for item in got if isinstance(item, FramedPdu) and not item.holes]
    position, untouched = 0, []
    for pdu in pdus:
        if position + len(pdu) <= start or position >= stop:
            untouched.append(pdu)
        position += len(pdu)
    assert intact == untouched
