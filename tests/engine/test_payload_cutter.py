"""What is kept of PDUs when data sets count only by their beginnings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.dimse.data import FilePart, OpenFile
from dicomsim.engine.payload_cutter import PayloadCutter

RELEASE = bytes.fromhex("05000000000400000000")


def p_data(control: int, fragment: bytes) -> bytes:
    value = (len(fragment) + 2).to_bytes(4, "big") + bytes([1, control]) + fragment
    return b"\x04\0" + len(value).to_bytes(4, "big") + value


COMMAND, DATA = p_data(3, bytes(range(100))), p_data(2, bytes(range(200)))


def test_data_sets_are_cut_and_all_else_is_whole() -> None:
    cut = list(PayloadCutter(10).cut((RELEASE + COMMAND, DATA + RELEASE)))
    assert [(RELEASE, 0), (COMMAND, 0), (DATA[:22], 190), (RELEASE, 0)] == cut


def test_what_is_shorter_than_the_limit_is_whole() -> None:
    assert [(DATA, 0)] == list(PayloadCutter(200).cut((DATA,)))
    assert [(DATA[:-1], 1)] == list(PayloadCutter(199).cut((DATA,)))
    assert [(DATA[:12], 200)] == list(PayloadCutter(0).cut((DATA,)))


@pytest.mark.parametrize("pdu", [b"\x04\0\0\0\0\0", b"\x04\0\0\0\0\x03abc", b"\x05\0\0\0\0\0"])
def test_what_is_too_short_for_a_fragment_is_whole(pdu: bytes) -> None:
    assert [(pdu, 0), (RELEASE, 0)] == list(PayloadCutter(0).cut((pdu + RELEASE,)))


def test_what_is_no_pdu_is_kept() -> None:
    cutter = PayloadCutter(0)
    assert [(b"GET / HTTP/1.1", 0)] == list(cutter.cut((b"GET / HTTP/1.1",)))
    assert [(b"\r\n", 0)] == list(cutter.cut((b"\r\n",)))


PDUS = st.lists(st.sampled_from((RELEASE, COMMAND, DATA)), max_size=6)


@given(PDUS, st.lists(st.integers(1, 300)), st.integers(0, 250))
def test_however_the_bytes_come_the_same_are_kept(pdus: list[bytes], sizes: list[int], limit: int) -> None:
    cutter, stream = PayloadCutter(limit), b"".join(pdus)
    kept, missing = b"", 0
    for size in (*sizes, len(stream)):
        for data, more in cutter.cut((stream[: size // 2], stream[size // 2 : size])):
            kept, missing = kept + data, missing + more
        stream = stream[size:]
    assert b"".join(pdu[: 12 + limit] if pdu is DATA else pdu for pdu in pdus) == kept
    assert sum(max(200 - limit, 0) for pdu in pdus if pdu is DATA) == missing


@given(PDUS, st.integers(0, 100), st.integers(100, 250))
def test_what_was_cut_before_can_be_cut_again(pdus: list[bytes], limit: int, before: int) -> None:
    first, second = PayloadCutter(before), PayloadCutter(limit)
    again = [piece for pdu in pdus for data, lack in first.cut((pdu,)) for piece in second.cut((data,), lack)]
    assert [piece for pdu in pdus for piece in PayloadCutter(limit).cut((pdu,))] == again


def test_of_a_file_no_more_is_read_than_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(range(200)))
    part = FilePart(OpenFile(path, 200), 0, 200)
    path.write_bytes(bytes(range(5)))  # more is not there to be read any more
    buffers = (DATA[:12], part)
    assert [(DATA[:17], 195)] == list(PayloadCutter(5).cut(buffers))  # type: ignore[arg-type]


@pytest.mark.parametrize("left", [0, 7])
def test_what_is_gone_of_a_file_since_it_was_sent_counts_as_left_out(tmp_path: Path, left: int) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(range(200)))
    buffers: Any = (DATA[:12], FilePart(OpenFile(path, 200), 0, 100), DATA[112:], RELEASE)
    os.truncate(path, left)
    assert [(DATA[: 12 + left], 200 - left), (RELEASE, 0)] == list(PayloadCutter(150).cut(buffers))
