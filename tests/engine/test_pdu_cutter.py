"""Whole PDUs for onlookers, whatever comes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.engine.pdu_cutter import PduCutter
from dicomsim.wire.framer import MAX_ASSOCIATE_LENGTH

RELEASE = bytes.fromhex("05000000000400000000")
EMPTY = bytes.fromhex("04000000 0000")


def p_data(length: int) -> bytes:
    return b"\4\0" + length.to_bytes(4) + bytes(length)


def cut(cutter: PduCutter, data: bytes, *places: int) -> list[tuple[bool, bytes]]:
    ends = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [piece for start, end in pairwise(ends) for piece in cutter.cut(data[start:end])]


def test_several_pdus_in_one_read_come_out_one_by_one() -> None:
    assert [(True, RELEASE), (True, EMPTY), (True, p_data(9))] == cut(PduCutter(), RELEASE + EMPTY + p_data(9))


def test_a_pdu_comes_out_with_its_last_byte() -> None:
    cutter = PduCutter()
    assert [] == list(cutter.cut(RELEASE[:-1]))
    assert len(RELEASE) - 1 == cutter.pending
    assert [(True, RELEASE)] == list(cutter.cut(RELEASE[-1:]))
    assert 0 == cutter.pending


HTTP, TLS, MLLP = b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"\x0bMSH|^~\\&|"


@pytest.mark.parametrize("garbage", [HTTP, TLS, MLLP])
def test_what_another_protocol_says_is_not_waited_for(garbage: bytes) -> None:
    cutter = PduCutter()
    assert [(False, garbage[:6]), (False, garbage[6:])] == cut(cutter, garbage)
    assert [(False, RELEASE)] == cut(cutter, RELEASE)


def test_a_pdu_of_unknown_type_is_one_if_its_length_makes_sense() -> None:
    unknown = b"\x0a\0\0\0\0\2ab"
    assert [(True, unknown), (True, RELEASE)] == cut(PduCutter(), unknown + RELEASE)


def test_an_association_pdu_too_long_for_a_framer_passes_unheld_and_nothing_is_cut_behind_it() -> None:
    header = b"\1\0" + (MAX_ASSOCIATE_LENGTH + 1).to_bytes(4)
    assert [(False, header), (False, b"abc")] == cut(PduCutter(), header + b"abc")


def test_a_p_data_tf_too_long_to_be_held_passes_in_pieces_and_the_next_pdu_is_cut_again() -> None:
    cutter = PduCutter(longest=10)
    assert [(False, p_data(11)[:6]), (False, bytes(4))] == cut(cutter, p_data(11)[:10])
    assert [(False, bytes(7)), (True, p_data(10))] == cut(cutter, bytes(7) + p_data(10))


@given(st.lists(st.integers(0, 40), max_size=6), st.lists(st.integers(0, 300), max_size=8))
def test_pieces_are_together_what_came_however_it_is_cut(lengths: list[int], places: list[int]) -> None:
    pdus = [p_data(length) for length in lengths]
    assert [(True, pdu) for pdu in pdus] == cut(PduCutter(), b"".join(pdus), *places)


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_no_byte_is_lost_of_anything(data: bytes, places: list[int]) -> None:
    cutter = PduCutter(longest=8)
    pieces = b"".join(piece for _, piece in cut(cutter, data, *places))
    assert data[: len(data) - cutter.pending] == pieces
