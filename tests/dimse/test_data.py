"""Sources and sinks of data sets."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.dimse.data import (
    CallbackSink,
    DiscardSink,
    FileSink,
    FileSlice,
    MemorySink,
    SinkFullError,
    source_bytes,
    source_length,
)
from dicomsim.errors import FileError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(bytes(range(100)))
    return path


def test_a_slice_is_read_in_blocks(file: Path) -> None:
    assert [bytes(range(10, 18)), bytes(range(18, 26)), bytes(range(26, 30))] == list(FileSlice(file, 10, 20).blocks(8))


def test_a_slice_goes_to_the_end_of_the_file(file: Path) -> None:
    assert bytes(range(90, 100)) == source_bytes(FileSlice(str(file), 90))
    assert 10 == source_length(FileSlice(str(file), 90))
    assert 0 == source_length(FileSlice(file, 200))


def test_a_slice_of_an_open_file_survives_that_others_move_in_it(file: Path) -> None:
    with file.open("rb") as opened:
        one, other = FileSlice(opened, 0, 20).blocks(10), FileSlice(opened, 50, 20).blocks(10)

        read = [next(one), next(other), next(one), next(other)]

    assert [bytes(range(start, start + 10)) for start in (0, 50, 10, 60)] == read


def test_a_slice_is_read_to_the_full_from_a_file_that_gives_little_at_once() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 3))

    assert [b"abcdefgh", b"ij"] == list(FileSlice(Slow(b"abcdefghij"), 0, 10).blocks(8))


def test_a_file_that_has_become_shorter_is_an_error(file: Path) -> None:
    blocks = FileSlice(file, 90, 20).blocks(8)
    next(blocks)

    with pytest.raises(FileError, match=r"data: ends at byte 100, inside the data set to send"):
        next(blocks)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, file: Path) -> None:
    with pytest.raises(FileError, match="nothing: No such file"):
        FileSlice(tmp_path / "nothing")
    with file.open("wb") as unreadable, pytest.raises(FileError):
        list(FileSlice(unreadable, 0, 5).blocks(5))


def test_what_has_no_length_is_an_error_that_names_it() -> None:
    read, write = os.pipe()
    with open(read, "rb") as pipe, open(write, "wb"), pytest.raises(FileError, match=f"^{read}: "):
        FileSlice(pipe)


def test_a_slice_of_a_path_leaves_no_file_open(file: Path) -> None:
    blocks = FileSlice(file).blocks(10)
    next(blocks)
    before = len(os.listdir("/proc/self/fd"))

    blocks.close()  # type: ignore[attr-defined]

    assert before - 1 == len(os.listdir("/proc/self/fd"))


@given(st.lists(st.sampled_from([0, 1, 2, 100, 3000]), max_size=12))
def test_a_memory_sink_keeps_what_it_gets(lengths: list[int]) -> None:
    chunks = [bytes([number]) * length for number, length in enumerate(lengths)]
    sink = MemorySink()
    for chunk in chunks:
        shared = bytearray(chunk)
        sink.write(memoryview(shared))
        shared[:] = bytes(len(shared))

    assert b"".join(chunks) == source_bytes(sink.close())


def test_a_memory_sink_gives_its_own_buffer_away() -> None:
    sink = MemorySink()
    sink.write(b"abc")

    assert sink.close() is sink.close()


def test_a_memory_sink_refuses_more_than_its_limit() -> None:
    sink = MemorySink(limit=5)
    sink.write(b"abcde")

    with pytest.raises(SinkFullError):
        sink.write(b"f")


def test_a_memory_sink_forgets_what_breaks_off() -> None:
    sink = MemorySink()
    sink.write(b"abc")
    sink.abort()

    assert b"" == sink.close()


def test_a_file_sink_names_its_file_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "x.dcm"
    sink = FileSink(path, prefix=b"DICM")
    sink.write(memoryview(b"data "))
    sink.write(b"set")
    assert not path.exists()

    data = sink.close()

    assert b"DICMdata set" == path.read_bytes()
    assert b"data set" == source_bytes(data)
    assert [path] == list(tmp_path.iterdir())


def test_two_file_sinks_for_one_path_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "x.dcm"
    one, other = FileSink(path), FileSink(path)
    one.write(b"one")
    other.write(b"other")
    one.close()
    other.close()

    assert b"other" == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_a_file_sink_leaves_nothing_behind_when_the_message_breaks_off(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "x.dcm")
    sink.write(b"data")
    sink.abort()

    assert [] == list(tmp_path.iterdir())


def test_a_file_sink_appends_to_an_open_file(tmp_path: Path) -> None:
    with (tmp_path / "x").open("w+b") as opened:
        opened.write(b"before")
        sink = FileSink(opened, b"head")
        sink.write(b"data")

        data = sink.close()

        assert b"data" == source_bytes(data)
        opened.seek(0)
        assert b"beforeheaddata" == opened.read()


def test_a_file_sink_cuts_an_open_file_back_when_the_message_breaks_off(tmp_path: Path) -> None:
    with (tmp_path / "x").open("w+b") as opened:
        opened.write(b"before")
        sink = FileSink(opened, b"head")
        sink.write(b"data")

        sink.abort()

        opened.seek(0)
        assert b"before" == opened.read()


def test_a_callback_sink_hands_out_bytes_that_stay() -> None:
    got: list[bytes] = []
    shared = bytearray(b"abc")
    sink = CallbackSink(got.append)
    sink.write(memoryview(shared))
    shared[:] = b"xyz"
    sink.write(b"d")
    sink.abort()

    assert [b"abc", b"d"] == got
    assert sink.close() is None  # type: ignore[func-returns-value]


def test_a_callback_sink_tells_that_the_data_set_broke_off() -> None:
    told: list[str] = []
    CallbackSink(print, lambda: told.append("aborted")).abort()

    assert ["aborted"] == told


def test_a_discard_sink_keeps_nothing() -> None:
    sink = DiscardSink()
    sink.write(b"abc")
    sink.abort()

    assert sink.close() is None  # type: ignore[func-returns-value]


def test_a_file_sink_that_cannot_write_any_more_leaves_nothing_behind(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "object.dcm", b"prefix")
    (part,) = tmp_path.iterdir()
    sink.write(bytes(10))
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, sink._file.fileno())  # from here on there is no room on its disk
    os.close(full)
    with pytest.raises(OSError, match="No space left"):
        sink.write(bytes(1 << 20))
    assert part.exists()
    sink.abort()
    assert [] == list(tmp_path.iterdir())
