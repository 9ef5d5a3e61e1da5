"""Compressed files, cut ones, and such that cannot be read."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest

from dicomsim.capture.files import CaptureReader
from dicomsim.errors import FileError
from tests.capture.capture_files import FRAMES, TIME, packets, write


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, bz2.compress])
def test_compressed_files_are_read_whatever_their_name(tmp_path: Path, compress: object) -> None:
    path = write(tmp_path / "a.pcapng", FRAMES)
    plain = packets(path)
    path.write_bytes(compress(path.read_bytes()))  # type: ignore[operator]
    assert packets(path) == plain


def test_a_cut_gzip_file_gives_what_it_has(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcapng", [(TIME + n, bytes([n])) for n in range(200)])
    path.write_bytes(gzip.compress(path.read_bytes())[:-40])
    with CaptureReader(path) as reader:
        data = [packet.data for packet in reader]
        assert reader.truncated
    assert data == [bytes([n]) for n in range(len(data))]


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"^/nowhere/a\.pcap: cannot be read: No such file"):
        CaptureReader("/nowhere/a.pcap")
    with pytest.raises(FileError, match=f"^{tmp_path}: cannot be read: Is a directory"):
        CaptureReader(tmp_path)
