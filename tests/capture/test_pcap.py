"""Classic pcap files in all their flavours."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from dicomsim.capture.files import CaptureReader
from dicomsim.capture.packet import Packet
from dicomsim.capture.pcap import PcapWriter
from dicomsim.errors import FileError
from tests.capture.capture_files import FRAMES, TIME, packets, write


def test_microseconds_are_an_option_of_pcap(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    with path.open("wb") as file:
        PcapWriter(file, nanoseconds=False).write(TIME, b"x")
    assert path.read_bytes()[:4] == bytes.fromhex("d4c3b2a1")
    assert packets(path) == [Packet(1, TIME - TIME % 1000, 1, b"x", 1)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "scale"), [(0xA1B2C3D4, 1000), (0xA1B23C4D, 1)])
def test_pcap_is_read_in_both_byte_orders(tmp_path: Path, order: str, magic: int, scale: int) -> None:
    path = tmp_path / "a"
    header = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 113)
    path.write_bytes(header + struct.pack(order + "IIII", 7, 12, 3, 90) + b"abc")
    assert packets(path) == [Packet(1, 7_000_000_000 + 12 * scale, 113, b"abc", 90)]


def test_the_longer_record_headers_of_old_linux_kernels_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    header = struct.pack("<IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)
    path.write_bytes(header + (struct.pack("<IIII", 1, 0, 1, 1) + bytes(8) + b"a") * 2)
    assert [packet.data for packet in packets(path)] == [b"a", b"a"]


def test_damage_in_the_middle_is_reported_after_the_good_packets(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", FRAMES[:1])
    path.write_bytes(path.read_bytes() + struct.pack("<IIII", 0, 0, 0x7FFFFFFF, 1))
    got: list[Packet] = []
    with (
        pytest.raises(FileError, match="damaged at byte 45: record 2 claims 2147483647 bytes"),
        CaptureReader(path) as r,
    ):
        got.extend(r)
    assert [packet.data for packet in got] == [b"first"]
