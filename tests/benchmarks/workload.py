"""What is sent in the benchmarks: DICOM files of three sizes, made once a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dicomsim.part10 import file_meta

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
ROOT = "2.25.120104030202"
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Workload:
    """So many objects of one size."""

    name: str
    """As tables show it."""
    count: int
    """Files."""
    size: int
    """Bytes of pixel data in each."""

    @property
    def total(self) -> int:
        """Bytes of pixel data in all."""
        return self.count * self.size

    def make(self, folder: Path) -> list[Path]:
        """Write the files, or find them there."""
        folder = folder / self.name.replace(" ", "-")
        folder.mkdir(exist_ok=True)
        return [self._file(folder / f"{number:05}.dcm", number) for number in range(1, self.count + 1)]

    def _file(self, path: Path, number: int) -> Path:
        if path.exists():
            return path
        instance = f"{ROOT}.{self.size}.{number}"
        with path.open("wb") as file:
            file.write(file_meta(CT_IMAGE, instance, EXPLICIT_LITTLE_ENDIAN, "2.25.1", "BENCHMARK"))
            for tag, vr, value in _elements(instance):
                file.write(tag.to_bytes(4, "little")[2:] + tag.to_bytes(4, "little")[:2] + vr)
                file.write(len(value).to_bytes(2, "little") + value)
            file.write(b"\xe0\x7f\x10\x00OW\x00\x00" + self.size.to_bytes(4, "little"))
            for start in range(0, self.size, BLOCK):
                file.write(bytes(min(BLOCK, self.size - start)))
        return path


def _elements(instance: str) -> list[tuple[int, bytes, bytes]]:
    def padded(text: str, filler: bytes) -> bytes:
        data = text.encode()
        return data + filler * (len(data) % 2)

    return [
        (0x00080016, b"UI", padded(CT_IMAGE, b"\0")),
        (0x00080018, b"UI", padded(instance, b"\0")),
        (0x00080060, b"CS", b"CT"),
        (0x00100010, b"PN", b"BENCH^MARK"),
        (0x00100020, b"LO", b"BENCH1"),
        (0x0020000D, b"UI", padded(f"{ROOT}.1", b"\0")),
        (0x0020000E, b"UI", padded(f"{ROOT}.2", b"\0")),
    ]


SMALL = Workload("1000 x 4 kB", 1000, 4096)
MEDIUM = Workload("400 x 0.5 MB", 400, 512 * 1024)
LARGE = Workload("1 x 420 MB", 1, 420_000_000)
