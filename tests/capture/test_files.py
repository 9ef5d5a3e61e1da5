"""Capture files: what is written is read, the format's corners, and files that are damaged or something else."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import json
import lzma
import struct
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim import resources
from dicomsim.capture.files import CaptureReader, open_writer
from dicomsim.capture.packet import Packet
from dicomsim.capture.pcap import PcapWriter
from dicomsim.capture.pcapng import read_blocks
from dicomsim.capture.source import Source
from dicomsim.errors import FileError

FORMAT = Path(__file__).parent / "pcapng-format"
SAMPLES = sorted(FORMAT.glob("le/*/*.pcapng"))
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
TIME = 1_795_337_116_152_054_349
FRAMES = [(TIME, b"first"), (TIME + 1, b""), (TIME + 1_000_000_001, bytes(range(256)) * 255)]


def packets(path: Path) -> list[Packet]:
    with CaptureReader(path) as reader:
        return list(reader)


def write(path: Path, frames: list[tuple[int, bytes]]) -> Path:
    with path.open("wb") as file:
        writer = open_writer(path, file)
        for time, frame in frames:
            writer.write(time, frame)
    return path


@pytest.mark.parametrize("name", ["a.pcap", "a.cap", "a.pcapng", "a"])
def test_what_is_written_is_read_to_the_nanosecond(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, FRAMES)
    expected = [Packet(n, time, 1, frame, len(frame)) for n, (time, frame) in enumerate(FRAMES, 1)]
    assert packets(path) == expected
    with CaptureReader(path) as reader:
        assert reader.format == ("pcap" if "cap" in name and "ng" not in name else "pcapng")
        assert not reader.truncated


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
    blocks = [BLOCK_NAMES[block.kind] for block in read_blocks(source, source.read())]
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


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, bz2.compress])
def test_compressed_files_are_read_whatever_their_name(tmp_path: Path, compress: object) -> None:
    path = write(tmp_path / "a.pcapng", FRAMES)
    plain = packets(path)
    path.write_bytes(compress(path.read_bytes()))  # type: ignore[operator]
    assert packets(path) == plain


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


def test_a_cut_gzip_file_gives_what_it_has(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcapng", [(TIME + n, bytes([n])) for n in range(200)])
    path.write_bytes(gzip.compress(path.read_bytes())[:-40])
    with CaptureReader(path) as reader:
        data = [packet.data for packet in reader]
        assert reader.truncated
    assert data == [bytes([n]) for n in range(len(data))]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"GIF89a" + bytes(30), "it begins with 47 49 46 38, neither pcap nor pcapng does"),
        (bytes(128) + b"DICM", "it is a DICOM file"),
        (bytes.fromhex("d4c3b2a1 0200"), "it ends inside its header, after 6 bytes"),
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


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"^/nowhere/a\.pcap: cannot be read: No such file"):
        CaptureReader("/nowhere/a.pcap")
    with pytest.raises(FileError, match=f"^{tmp_path}: cannot be read: Is a directory"):
        CaptureReader(tmp_path)


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
