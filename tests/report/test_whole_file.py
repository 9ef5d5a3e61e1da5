"""Reports in files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dicomsim.errors import FileError
from dicomsim.report.whole_file import write_whole


def test_the_file_is_there_as_a_whole_and_nothing_beside_it(tmp_path: Path) -> None:
    write_whole("Größe\n", tmp_path / "report")
    assert ("Größe\n", ["report"]) == (
        (tmp_path / "report").read_text("utf-8"),
        [path.name for path in tmp_path.iterdir()],
    )


def test_a_file_that_cannot_be_written_is_said_so_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no/report: cannot be written: No such file or directory"):
        write_whole("", tmp_path / "no" / "report")
    assert [] == list(tmp_path.iterdir())


def test_a_device_or_a_pipe_is_written_to_and_stays_what_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole("text", tmp_path / "pipe")
        assert b"text" == os.read(reader, 4096)
    finally:
        os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
