"""What is kept of PDUs when data sets count only by their beginnings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.engine.payload_cutter import PayloadCutter

RELEASE = bytes.fromhex("05000000000400000000")


def p_data(control: int, fragment: bytes) -> bytes:
    value = (len(fragment) + 2).to_bytes(4, "big") + bytes([1, control]) + fragment
    return b"\x04\0" + len(value).to_bytes(4, "big") + value


COMMAND, DATA = p_data(3, bytes(range(100))), p_data(2, bytes(range(200)))


def pieces(cutter: PayloadCutter, spans: list[tuple[bytes, int]]) -> list[tuple[bytes, int, bool]]:
    """The bytes of each piece, how many are missing behind it, and whether a PDU ends there."""
    kept, cuts = cutter.cut([(memoryview(data), missing) for data, missing in spans])
    whole, starts = b"".join(kept), [0, *(end for end, _, _ in cuts)]
    assert starts[-1] == len(whole)
    return [(whole[start:end], missing, ends) for start, (end, missing, ends) in zip(starts, cuts, strict=False)]


def cut(cutter: PayloadCutter, *buffers: bytes) -> list[tuple[bytes, int, bool]]:
    return pieces(cutter, [(buffer, 0) for buffer in buffers])


def test_data_sets_are_cut_and_all_else_is_whole() -> None:
    found = cut(PayloadCutter(10), RELEASE + COMMAND, DATA + RELEASE)
    assert [(RELEASE, 0, True), (COMMAND, 0, True), (DATA[:22], 190, True), (RELEASE, 0, True)] == found


def test_without_a_limit_all_is_whole_and_cut_at_pdus() -> None:
    cutter = PayloadCutter()
    assert [(RELEASE, 0, True), (DATA, 0, True), (DATA[:50], 0, False)] == cut(cutter, RELEASE + DATA + DATA[:50])
    assert 162 == cutter.left
    assert [(DATA[50:], 0, True), (DATA[:3], 0, False)] == cut(cutter, DATA[50:] + DATA[:3])
    assert [(DATA[3:], 0, True)] == cut(cutter, DATA[3:])


def test_what_is_shorter_than_the_limit_is_whole() -> None:
    assert [(DATA, 0, True)] == cut(PayloadCutter(200), DATA)
    assert [(DATA[:-1], 1, True)] == cut(PayloadCutter(199), DATA)
    assert [(DATA[:12], 200, True)] == cut(PayloadCutter(0), DATA)


@pytest.mark.parametrize("pdu", [b"\x04\0\0\0\0\0", b"\x04\0\0\0\0\x03abc", b"\x05\0\0\0\0\0"])
def test_what_is_too_short_for_a_fragment_is_whole(pdu: bytes) -> None:
    for buffers in ((pdu + RELEASE,), (pdu, RELEASE), (pdu + RELEASE[:1], RELEASE[1:])):
        assert [(pdu, 0, True), (RELEASE, 0, True)] == cut(PayloadCutter(0), *buffers)


def test_what_is_no_pdu_is_kept() -> None:
    cutter = PayloadCutter(0)
    assert [(b"GET / HTTP/1.1", 0, False)] == cut(cutter, b"GET / HTTP/1.1")
    assert [(b"\r\n", 0, False)] == cut(cutter, b"\r\n")


PDUS = st.lists(st.sampled_from((RELEASE, COMMAND, DATA)), max_size=6)


@given(PDUS, st.lists(st.integers(1, 300)), st.integers(0, 250) | st.none())
def test_however_the_bytes_come_the_same_are_kept(pdus: list[bytes], sizes: list[int], limit: int | None) -> None:
    cutter, stream = PayloadCutter(limit), b"".join(pdus)
    kept, missing, ends = b"", 0, 0
    for size in (*sizes, len(stream)):
        for data, more, whole in cut(cutter, stream[: size // 2], stream[size // 2 : size]):
            kept, missing, ends = kept + data, missing + more, ends + whole
        stream = stream[size:]
    limit = 200 if limit is None else limit
    assert b"".join(pdu[: 12 + limit] if pdu is DATA else pdu for pdu in pdus) == kept
    assert sum(max(200 - limit, 0) for pdu in pdus if pdu is DATA) == missing
    assert len(pdus) == ends


@given(PDUS, st.integers(0, 100), st.integers(100, 250))
def test_what_was_cut_before_can_be_cut_again(pdus: list[bytes], limit: int, before: int) -> None:
    first, second = PayloadCutter(before), PayloadCutter(limit)
    again = pieces(second, [(data, missing) for data, missing, _ in cut(first, *pdus)])
    assert cut(PayloadCutter(limit), *pdus) == again
