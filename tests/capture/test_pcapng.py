"""pcapng files: the format's corners."""

from __future__ import annotations

import json
import struct
from collections import Counter
from pathlib import Path

import pytest

from dicomsim.capture.files import CaptureReader, open_writer
from dicomsim.capture.packet import Packet
from dicomsim.capture.pcapng import read_blocks
from dicomsim.capture.source import Source
from tests.capture.capture_files import FORMAT, SAMPLES, TIME, packets, write

EXPECTED = json.loads((FORMAT / "frames.json").read_text())
BLOCK_NAMES = {
    0x0A0D0D0A: "SHB",
    1: "IDB",
    3: "SPB",
    4: "NRB",
    5: "ISB",
    6: "EPB",
    0xBAD: "CB",
    0x40000BAD: "DCB",
}


def test_comments_names_and_secrets_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    names = {"10.0.0.1": "ARCHIVE", "fd00::1": "SCU"}
    with path.open("wb") as file:
        writer = open_writer(path, file)
        writer.write_secrets(b"CLIENT_RANDOM 00 11\n")
        writer.write_names(names)
        writer.write(TIME, b"abc", "Sta6, Grüße")
    with CaptureReader(path) as reader:
        assert [packet.comments for packet in reader] == [("Sta6, Grüße",)]
        assert reader.notes.names == {address: (name,) for address, name in names.items()}
        assert reader.notes.secrets == [(0x544C534B, b"CLIENT_RANDOM 00 11\n")]
        assert reader.notes.application.startswith("dicomsim ")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_of_the_format_gives_the_packets_that_tshark_sees(path: Path) -> None:
    expected, time = [], 0
    for number, stamp, captured, length in EXPECTED[path.stem]:
        time = time if stamp is None else stamp
        expected.append((number, time, captured, length))
    assert [(p.number, p.time, len(p.data), p.length) for p in packets(path)] == expected


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_of_the_format_has_the_blocks_that_its_text_lists(path: Path) -> None:
    source = Source(path)
    blocks = [BLOCK_NAMES[block[0]] for block in read_blocks(source, source.read())]
    source.close()
    text = path.with_suffix(".txt").read_text()
    assert ", ".join(blocks) == text.split("Block sequence:")[1].strip()
    counts = text.split("Block counts:")[1].split("Block sequence:")[0].split()
    assert Counter(blocks) == {
        name.rstrip(":"): int(count) for name, count in zip(counts[::2], counts[1::2], strict=True)
    }


def swapped(data: bytes) -> bytes:
    """The same file in the other byte order: blocks of fixed fields only."""
    out, start = b"", 0
    while start < len(data):
        kind, length = struct.unpack_from("<II", data, start)
        body = data[start + 8 : start + length - 4]
        layout = {0x0A0D0D0A: "IHHq", 1: "HHI", 6: "IIIII", 3: "I"}[kind]
        fixed = struct.calcsize("<" + layout)
        fields = struct.unpack_from("<" + layout, body)
        size = length if kind != 1 else 20
        tail = body[fixed:] if kind != 1 else b""
        out += struct.pack(">II", kind, size) + struct.pack(">" + layout, *fields) + tail + struct.pack(">I", size)
        start += length
    return out


def test_both_byte_orders_may_stand_in_one_file(tmp_path: Path) -> None:
    little = write(tmp_path / "little.pcapng", [(3_000_000_000, b"abcde")]).read_bytes()
    start = struct.unpack_from("<I", little, 4)[0]
    plain = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28) + little[start:]
    big = tmp_path / "big.pcapng"
    big.write_bytes(plain + swapped(plain))
    # The swapped interface lost its options: its ticks count as microseconds.
    assert [(p.time, p.data) for p in packets(big)] == [(3_000_000_000, b"abcde"), (3_000_000_000_000, b"abcde")]


@pytest.mark.parametrize(
    ("resolution", "ticks", "time"),
    [
        (0, 5, 5_000_000_000),
        (3, 5_001, 5_001_000_000),
        (6, 5_000_001, 5_000_001_000),
        (9, 5_000_000_001, 5_000_000_001),
        (12, 5_000_000_001_999, 5_000_000_001),
        (0x80 | 10, 5 * 1024 + 512, 5_500_000_000),
        (0x80 | 30, 1 << 29, 500_000_000),
    ],
)
def test_every_timestamp_resolution_is_understood(tmp_path: Path, resolution: int, ticks: int, time: int) -> None:
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    option = struct.pack("<HHB3x", 9, 1, resolution) + struct.pack("<HHq", 14, 8, 100) + bytes(4)
    interface = struct.pack("<IIHHI", 1, 20 + len(option), 1, 0, 0) + option + struct.pack("<I", 20 + len(option))
    packet = struct.pack("<IIIIIIII", 6, 32, 0, ticks >> 32, ticks & 0xFFFFFFFF, 0, 0, 32)
    path = tmp_path / "a"
    path.write_bytes(section + interface + packet)
    assert packets(path) == [Packet(1, time + 100_000_000_000, 1, b"", 0)]


def test_obsolete_packet_blocks_are_read(tmp_path: Path) -> None:
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = struct.pack("<IIHHII", 1, 20, 101, 0, 0, 20)
    packet = struct.pack("<IIHHIIII", 2, 36, 0, 7, 0, 5, 3, 9) + b"abc\0" + struct.pack("<I", 36)
    path = tmp_path / "a"
    path.write_bytes(section + interface + packet)
    assert packets(path) == [Packet(1, 5000, 101, b"abc", 9)]
