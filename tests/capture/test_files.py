"""Capture files: what is written is read, and files that are damaged or something else."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim import resources
from dicomsim.capture.files import CaptureReader
from dicomsim.capture.packet import Packet
from dicomsim.errors import FileError
from tests.capture.capture_files import FRAMES, SAMPLES, packets, write


@pytest.mark.parametrize("name", ["a.pcap", "a.cap", "a.pcapng", "a"])
def test_what_is_written_is_read_to_the_nanosecond(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, FRAMES)
    expected = [Packet(n, time, 1, frame, len(frame)) for n, (time, frame) in enumerate(FRAMES, 1)]
    assert packets(path) == expected
    with CaptureReader(path) as reader:
        assert reader.format == ("pcap" if "cap" in name and "ng" not in name else "pcapng")
        assert not reader.truncated


@pytest.mark.parametrize("name", ["a.pcap", "a.pcapng"])
def test_a_cut_last_record_is_normal_input(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, FRAMES[:2])
    whole = path.read_bytes()
    first = len(write(tmp_path / ("one-" + name), FRAMES[:1]).read_bytes())
    for size in range(first, len(whole)):
        path.write_bytes(whole[:size])
        with CaptureReader(path) as reader:
            assert [packet.data for packet in reader] == [b"first"]
            assert reader.truncated == (size > first)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"GIF89a" + bytes(30), "it begins with 47 49 46 38, neither pcap nor pcapng does"),
        (bytes(128) + b"DICM", "it is a DICOM file"),
        (bytes.fromhex("d4c3b2a1 0200"), "it ends inside its header, after 6 bytes"),
        (bytes.fromhex("0a0d0d0a 1c000000 4d3c"), "it ends inside its header, after 10 bytes"),
        (
            bytes.fromhex("0a0d0d0a 1c000000 00000000") + bytes(16),
            "it begins with 0a 0d 0d 0a, neither pcap nor pcapng",
        ),
        (bytes.fromhex("28b52ffd") + bytes(16), "it is compressed with zstd, decompress it first"),
        (b"PK\x03\x04" + bytes(16), "it is a ZIP archive, unpack it first"),
    ],
)
def test_what_is_no_capture_is_said_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(FileError, match=f"^{path}: not a capture: {reason}"):
        CaptureReader(path)


CORPUS = [path.read_bytes() for path in (*SAMPLES, resources.captures() / "profuzzbench" / "dicom_echo.pcap")]


@given(
    st.sampled_from(CORPUS),
    st.lists(st.tuples(st.integers(0, 5000), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6),
    st.none() | st.integers(0, 3000),
)
def test_a_mutated_file_raises_nothing_but_file_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, edits: list[tuple[int, bytes]], cut: int | None
) -> None:
    mutated = bytearray(data)
    for at, value in edits:
        start = at % len(mutated)
        mutated[start : start + len(value)] = value
    path = tmp_path_factory.getbasetemp() / "mutated"
    path.write_bytes(bytes(mutated)[:cut])
    with contextlib.suppress(FileError):
        assert all(len(packet.data) <= len(mutated) for packet in packets(path))
