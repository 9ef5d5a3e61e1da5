"""Vectors of buffers, of which some are fetched from files."""

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
from dicomsim.engine.fetching import IOV_MAX, vectors
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


def joined(buffers: list[Any]) -> list[bytes]:
    """What each vector holds, looked at before the next one is asked for."""
    found = []
    for vector, size in vectors(buffers):
        found.append(b"".join(vector))
        assert size == len(found[-1])
        assert 0 < len(vector) <= IOV_MAX
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(min_size=1, max_size=20) | st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=1))
def test_all_bytes_come_in_order(file: OpenFile, pieces: list[bytes | tuple[int, int]]) -> None:
    buffers: list[Any] = [one if isinstance(one, bytes) else FilePart(file, *one) for one in pieces]
    expected = b"".join(one if isinstance(one, bytes) else CONTENT[one[0] : sum(one)] for one in pieces)
    assert expected == b"".join(joined(buffers))


def test_as_much_of_files_is_fetched_at_once_as_there_is_room_for(file: OpenFile) -> None:
    parts: list[Any] = [b"a", FilePart(file, 0, 10), b"b", FilePart(file, 10, 10), b"c"]
    assert [b"a" + CONTENT[:10] + b"b" + CONTENT[10:16], CONTENT[16:20] + b"c"] == joined(parts)


def test_no_vector_is_longer_than_the_system_takes(file: OpenFile) -> None:
    parts: list[Any] = [FilePart(file, 0, 1), *[b"x"] * IOV_MAX]
    assert [CONTENT[:1] + b"x" * (IOV_MAX - 1), b"x"] == joined(parts)


def test_what_there_is_of_a_file_that_ends_too_early_is_the_last(file: OpenFile) -> None:
    parts: list[Any] = [b"a", FilePart(file, 95, 10), b"b"]
    assert [b"a" + CONTENT[95:]] == joined(parts)


def test_a_file_that_has_ended_is_named(file: OpenFile) -> None:
    with pytest.raises(FileError, match=f"{file.name}: ends at byte 100"):
        joined([b"a", FilePart(file, 100, 10)])


def test_a_file_that_cannot_be_read_is_named(file: OpenFile) -> None:
    os.close(file.fd)
    file.fd = os.open(Path(file.name).parent, os.O_RDONLY)
    with pytest.raises(FileError, match=f"{file.name}: "):
        joined([FilePart(file, 0, 10)])
