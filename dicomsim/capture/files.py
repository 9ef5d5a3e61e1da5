"""Capture files as a whole: `CaptureReader` opens any of them, `open_writer` begins one in the format of its suffix."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from dicomsim import __version__
from dicomsim.capture.packet import ETHERNET, Packet
from dicomsim.capture.pcap import FILE_HEADER, MAGICS, PcapWriter, read_pcap
from dicomsim.capture.pcapng import BYTE_ORDERS, MAGIC, PcapngReader, PcapngWriter, SectionNotes
from dicomsim.capture.source import Source

APPLICATION = f"dicomsim {__version__}"
"""What our files name as their writer."""
BYTE_ORDER_END = 12
"""Bytes of a pcapng file that are needed to read on."""


class CaptureReader:
    """Iterates over the packets of a pcap or pcapng file, plain or compressed, in bounded memory.

    Raises `FileError` at once if the file is no capture, and while iterating where it is damaged.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._source = Source(path)
        try:
            self._packets = self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> Iterator[Packet]:
        source = self._source
        head = source.read()
        while 0 < len(head) < FILE_HEADER and (more := source.read()):
            head += more
        self.notes = SectionNotes()
        """What the file says beside its packets, as far as it has been read."""
        if head[:4] in MAGICS:
            self.format = "pcap"
            """`pcap` or `pcapng`."""
            if len(head) < FILE_HEADER:
                raise source.no_capture(f"it ends inside its header, after {len(head)} bytes")
            return read_pcap(source, head)
        if head.startswith(MAGIC) and head[8:BYTE_ORDER_END] in BYTE_ORDERS:
            self.format = "pcapng"
            reader = PcapngReader(source, head)
            self.notes = reader.notes
            return iter(reader)
        if head.startswith(MAGIC) and len(head) < BYTE_ORDER_END:
            raise source.no_capture(f"it ends inside its header, after {len(head)} bytes")
        raise source.no_capture(_what_it_is(head))

    @property
    def truncated(self) -> bool:
        """Whether the last record turned out to be cut; known when iteration has ended."""
        return self._source.cut

    def __iter__(self) -> Iterator[Packet]:
        return self._packets

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def _what_it_is(head: bytes) -> str:
    if not head:
        return "it is empty"
    if head[128:132] == b"DICM":
        return "it is a DICOM file"
    return f"it begins with {head[:4].hex(' ')}, neither pcap nor pcapng does"


class CaptureWriter(Protocol):
    """What both formats offer."""

    def write(self, time: int, frame: bytes, comment: str = "", length: int | None = None) -> None:
        """Append one frame taken at `time` (nanoseconds since the epoch), `length` bytes long if it was longer."""

    def write_names(self, names: dict[str, str]) -> None:
        """Give names to addresses, where the format can."""

    def write_secrets(self, key_log: bytes) -> None:
        """Add a TLS key log, where the format can."""


def open_writer(path: str | os.PathLike[str], file: IO[bytes], *, link_type: int = ETHERNET) -> CaptureWriter:
    """Begin a capture in `file`: classic pcap with nanoseconds if `path` ends in `.pcap` or `.cap`, else pcapng."""
    if Path(path).suffix.lower() in (".pcap", ".cap"):
        return PcapWriter(file, link_type=link_type)
    return PcapngWriter(file, link_type=link_type, application=APPLICATION)
