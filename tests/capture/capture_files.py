"""Capture files for tests: the samples of the format, and short ways to write and read."""

from __future__ import annotations

from pathlib import Path

from dicomsim.capture.files import CaptureReader, open_writer
from dicomsim.capture.packet import Packet

FORMAT = Path(__file__).parent / "pcapng-format"
SAMPLES = sorted(FORMAT.glob("le/*/*.pcapng"))
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
