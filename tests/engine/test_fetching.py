"""Buffers of which some are fetched from files when they are sent."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicomsim.dimse.data import FilePart, OpenFile
from dicomsim.engine import fetching
from dicomsim.engine.fetching import IOV_MAX, fetched
from dicomsim.errors import FileError

CONTENT = random.Random(1).randbytes(100)
ROOM = 16


@pytest.fixture(autouse=True)
def _small_scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SCRATCH", ROOM)
    monkeypatch.setattr(fetching, "_scratches", threading.local())


@pytest.fixture
def file(tmp_path: Path) -> OpenFile:
    path = tmp_path / "object"
    path.write_bytes(CONTENT)
    return OpenFile(path, len(CONTENT))


def sent(buffers: list[Any]) -> list[bytes]:
    """What each call sends, if the peer takes all of it."""
    calls = []
    while buffers:
        vector = fetched(buffers)
        calls.append(b"".join(vector))
        assert 0 < len(vector) <= IOV_MAX
        count = len(calls[-1])
        assert count
        while buffers and count >= len(buffers[0]):
            count -= len(buffers.pop(0))
        if count:
            buffers[0] = buffers[0][count:]
    return calls


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=1, max_size=20) | st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=1))
def test_all_bytes_come_in_order(file: OpenFile, pieces: list[bytes | tuple[int, int]]) -> None:
    buffers: list[Any] = [one if isinstance(one, bytes) else FilePart(file, *one) for one in pieces]
    expected = b"".join(one if isinstance(one, bytes) else CONTENT[one[0] : sum(one)] for one in pieces)
    assert expected == b"".join(sent(buffers))


def test_as_much_of_files_is_fetched_at_once_as_there_is_room_for(file: OpenFile) -> None:
    parts: list[Any] = [b"a", FilePart(file, 0, 10), b"b", FilePart(file, 10, 10), b"c"]
    assert [b"a" + CONTENT[:10] + b"b" + CONTENT[10:16], CONTENT[16:20] + b"c"] == sent(parts)


def test_there_are_no_more_buffers_than_the_system_takes(file: OpenFile) -> None:
    parts: list[Any] = [FilePart(file, 0, 1), *[b"x"] * IOV_MAX]
    assert [CONTENT[:1] + b"x" * (IOV_MAX - 1), b"x"] == sent(parts)


def test_what_there_is_of_a_file_that_ends_too_early_is_the_last(file: OpenFile) -> None:
    parts: list[Any] = [b"a", FilePart(file, 95, 10), b"b"]
    assert [b"a", CONTENT[95:]] == fetched(parts)


def test_a_part_knows_what_was_fetched_of_it_and_so_do_its_pieces(file: OpenFile) -> None:
    parts: list[Any] = [FilePart(file, 0, 10), FilePart(file, 10, 10)]
    assert CONTENT[:16] == b"".join(fetched(parts))
    assert CONTENT[:10] == parts[0].fetched
    assert CONTENT[10:16] == parts[1].fetched
    assert CONTENT[3:5] == parts[0][3:5].fetched


def test_a_file_that_has_ended_is_named(file: OpenFile) -> None:
    with pytest.raises(FileError, match=f"{file.name}: ends at byte 100"):
        sent([b"a", FilePart(file, 100, 10)])


def test_a_file_that_cannot_be_read_is_named(file: OpenFile) -> None:
    os.close(file.fd)
    file.fd = os.open(Path(file.name).parent, os.O_RDONLY)
    with pytest.raises(FileError, match=f"{file.name}: "):
        sent([FilePart(file, 0, 10)])
