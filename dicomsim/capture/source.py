"""`Source`: the bytes of a capture file, decompressed where it is compressed, a chunk at a time."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zlib
from collections.abc import Callable
from typing import Any

from dicomsim.errors import FileError

CHUNK = 1 << 18
"""Bytes a read: enough to make the call cheap, little enough to stay in the cache."""

COMPRESSED: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"\xfd7zXZ\0": lzma.LZMAFile,
    b"BZh": bz2.BZ2File,
}
"""Recognized by their first bytes, whatever the name says."""

FOREIGN = {
    b"\x28\xb5\x2f\xfd": "it is compressed with zstd, decompress it first",
    b"PK\x03\x04": "it is a ZIP archive, unpack it first",
}
"""What people try, and what to tell them."""


class Source:
    """Reads PATH; every failure is a `FileError` that begins with it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.cut = False
        """Whether the compressed stream ended before its end."""
        try:
            raw: io.BufferedReader[Any] = io.BufferedReader(io.FileIO(self.path), CHUNK)
        except OSError as error:
            raise FileError(f"{self.path}: cannot be read: {error.strerror or error}") from error
        self._file: Any = raw
        self._raw = raw
        try:
            self._open_layers(raw)
        except BaseException:
            self.close()
            raise

    def _open_layers(self, raw: io.BufferedReader[Any]) -> None:
        try:
            head = raw.peek(8)
        except OSError as error:
            raise FileError(f"{self.path}: cannot be read: {error.strerror or error}") from error
        for magic, hint in FOREIGN.items():
            if head.startswith(magic):
                raise self.no_capture(hint)
        for magic, opener in COMPRESSED.items():
            if head.startswith(magic):
                self._file = opener(raw)

    def read(self) -> bytes:
        """The next bytes, at most `CHUNK`; empty at the end."""
        try:
            data: bytes = self._file.read1(CHUNK)  # read() would lose what stands before a cut
        except EOFError:
            self.cut = True
            return b""
        except (OSError, zlib.error, lzma.LZMAError, ValueError) as error:
            raise FileError(f"{self.path}: cannot be decompressed: {error}") from error
        return data

    def no_capture(self, reason: str) -> FileError:
        """The error for a file that is something else."""
        return FileError(f"{self.path}: not a capture: {reason}")

    def damaged(self, offset: int, reason: str) -> FileError:
        """The error for a capture that goes wrong at `offset` (of the decompressed bytes)."""
        return FileError(f"{self.path}: damaged at byte {offset}: {reason}")

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()
        self._raw.close()
