from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomsim.upper_layer.outgoing import IOV_MAX, SEND_LIMIT, Buffer, Outgoing
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import Abort, PDataTF, Pdv, ReleaseRQ

ABORT = encode_pdu(Abort())
RELEASE = encode_pdu(ReleaseRQ())


def p_data(*lengths: int) -> list[bytes]:
    """One P-DATA-TF for each fragment length."""
    return [encode_pdu(PDataTF((Pdv(1, 0, bytes(length)),))) for length in lengths]


def cut_at(data: bytes, places: list[int]) -> list[bytes]:
    """The same bytes in pieces."""
    borders = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[start:stop] for start, stop in pairwise(borders)]


def joined(buffers: list[Buffer]) -> bytes:
    return b"".join(map(bytes, buffers))


class Run:
    """A lazy run that notes how far it was taken, and whether it was closed."""

    def __init__(self, *buffers: Buffer) -> None:
        self.left = list(buffers)
        self.closed = False

    def __iter__(self) -> Iterator[Buffer]:
        try:
            while self.left:
                yield self.left.pop(0)
        finally:
            self.closed = True


def test_there_is_nothing_at_first() -> None:
    outgoing = Outgoing()
    assert not outgoing
    assert outgoing.take(SEND_LIMIT) == []


def test_buffers_come_out_as_they_went_in_and_in_order() -> None:
    outgoing = Outgoing()
    data = memoryview(bytearray(b"\4\0\0\0\0\2" + b"xy"))
    outgoing.append(RELEASE)
    outgoing.extend([data[:6], data[6:]])
    outgoing.append(ABORT)
    taken = outgoing.take(SEND_LIMIT)
    assert taken == [RELEASE, data[:6], data[6:], ABORT]
    assert all(isinstance(buffer, memoryview) for buffer in taken[1:3])
    assert not outgoing


def test_a_run_is_taken_only_as_far_as_the_limit() -> None:
    run = Run(*p_data(100, 100, 100))
    outgoing = Outgoing()
    outgoing.extend(run)
    assert len(run.left) == 3
    assert len(outgoing.take(1)) == 1
    assert len(run.left) == 2
    assert len(outgoing.take(113)) == 2
    assert outgoing.take(1) == []
    assert run.closed


def test_no_more_buffers_are_given_than_a_system_call_takes() -> None:
    outgoing = Outgoing()
    outgoing.extend(p_data(*[2] * (IOV_MAX + 1)))
    assert [len(outgoing.take(SEND_LIMIT)) for _ in range(3)] == [IOV_MAX, 1, 0]


def test_an_abort_goes_out_at_once_if_nothing_has_begun() -> None:
    run = Run(*p_data(100, 100))
    outgoing = Outgoing()
    outgoing.append(RELEASE)
    outgoing.extend(run)
    outgoing.cut()
    outgoing.append(ABORT)
    assert outgoing.take(SEND_LIMIT) == [RELEASE, ABORT]
    assert len(run.left) == 2


def test_an_abort_closes_the_generators_that_it_drops() -> None:
    begun, waiting = Run(*p_data(100, 100)), Run(*p_data(100))
    outgoing = Outgoing()
    outgoing.extend(begun)
    outgoing.extend(waiting)
    outgoing.take(1)
    outgoing.cut()
    assert begun.closed
    assert len(waiting.left) == 1
    assert not outgoing


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=5),
    st.lists(st.integers(0, 400), max_size=8),
    st.integers(0, 300),
)
def test_an_abort_never_falls_inside_a_pdu(lengths: list[int], places: list[int], limit: int) -> None:
    pdus = p_data(*lengths)
    starts = {sum(map(len, pdus[:count])) for count in range(len(pdus))}
    data = b"".join(pdus)
    inside_a_header = {start + offset for start in starts for offset in range(1, 6)}
    borders = [place for place in places if place % (len(data) + 1) not in inside_a_header]
    outgoing = Outgoing()
    outgoing.extend(cut_at(data, borders))
    taken = joined(outgoing.take(limit))
    outgoing.cut()
    outgoing.append(ABORT)
    whole = taken + joined(outgoing.take(SEND_LIMIT))
    assert whole.endswith(ABORT)
    body = whole[: -len(ABORT)]
    assert data.startswith(body)
    assert len(body) in starts | {len(data)}
    assert len(body) == min(end for end in (*starts, len(data)) if end >= len(taken))


def test_a_header_across_two_pieces_is_survived() -> None:
    outgoing = Outgoing()
    outgoing.extend([b"\4\0\0", b"\0\0\2ab"])
    assert joined(outgoing.take(SEND_LIMIT)) == b"\4\0\0\0\0\2ab"
    outgoing.cut()
    assert not outgoing


def failing(*buffers: bytes) -> Iterator[bytes]:
    yield from buffers
    raise OSError("the disk is gone")


def test_what_a_run_raises_comes_behind_what_is_before_it_and_the_rest_is_dropped() -> None:
    outgoing = Outgoing()
    outgoing.append(RELEASE)
    outgoing.extend(failing(*p_data(10)))
    outgoing.append(RELEASE)
    assert outgoing.take(SEND_LIMIT) == [RELEASE, *p_data(10)]
    assert outgoing
    with pytest.raises(OSError, match="gone"):
        outgoing.take(SEND_LIMIT)
    assert not outgoing
    outgoing.append(ABORT)
    assert outgoing.take(SEND_LIMIT) == [ABORT]


def test_after_a_failure_inside_a_pdu_nothing_follows_it() -> None:
    outgoing = Outgoing()
    outgoing.extend(failing(p_data(10)[0][:12]))
    assert outgoing.take(SEND_LIMIT) == [p_data(10)[0][:12]]
    with pytest.raises(OSError, match="gone"):
        outgoing.take(SEND_LIMIT)
    outgoing.append(ABORT)
    outgoing.extend(p_data(10))
    assert not outgoing
    outgoing.clear()
    outgoing.append(ABORT)
    assert outgoing.take(SEND_LIMIT) == [ABORT]


def test_an_interrupt_does_not_wait_for_what_is_before_it_and_nothing_follows() -> None:
    def interrupted() -> Iterator[bytes]:
        yield p_data(10)[0]
        raise KeyboardInterrupt

    outgoing = Outgoing()
    outgoing.extend(interrupted())
    with pytest.raises(KeyboardInterrupt):
        outgoing.take(SEND_LIMIT)
    outgoing.append(ABORT)
    assert not outgoing


def test_an_abort_takes_the_place_of_a_failure_that_nobody_was_told_of() -> None:
    outgoing = Outgoing()
    outgoing.extend(failing(*p_data(10)))
    outgoing.take(SEND_LIMIT)
    outgoing.cut()
    outgoing.append(ABORT)
    assert outgoing.take(SEND_LIMIT) == [ABORT]
