"""Where data sets come from when a message is sent, and where they go when one is received.

A `DataSource` is anything the fragmenter can cut up: a buffer, a sequence of buffers, or a slice of a file that is read
as it is sent. A `Sink` takes a received data set chunk by chunk; what its `close` returns becomes `Message.data` and is
itself a `DataSource`, so that a received message can be sent on as it is. Data sets are encoded bytes here: nothing
in this package looks into them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import BinaryIO, ClassVar, Final, Protocol

from dicomsim.errors import DicomsimError, FileError

Buffer = bytes | bytearray | memoryview

FILE_BUFFER: Final = 128 * 1024
"""Bytes a `FileSink` gathers before it writes: eight PDUs of the usual 16 kB a system call."""

WRITTEN_AT_ONCE: Final = 32 * 1024
"""Bytes from which on a chunk is written from where it is: a system call costs less than the copy."""

_PART_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class FileSlice:
    """A range of a file, read piece by piece while it is sent.

    A path is opened anew for every pass, so the same slice may be sent on several associations at once; an open file is
    used as it is, with a seek before each read, and stays open.
    """

    file: str | os.PathLike[str] | BinaryIO
    """A path, or a file open for reading in binary mode."""
    offset: int = 0
    """Where the data set begins, in bytes from the start of the file."""
    length: int = -1
    """Bytes; -1 at construction means up to the end of the file as it is then."""
    identity: tuple[int, ...] | None = None
    """What `file_identity` said of the file when it was looked at; another one is not sent."""

    read_size: ClassVar[int] = 1024 * 1024
    """About how many bytes are read at once to be sent: most objects as a whole, which is one write to the socket."""

    def __post_init__(self) -> None:
        if self.length < 0:
            with self._opened() as file:
                try:
                    end = file.seek(0, os.SEEK_END)
                except OSError as error:  # a pipe has no end
                    raise FileError(f"{self.name}: {error.strerror or error}") from error
            object.__setattr__(self, "length", max(end - self.offset, 0))

    @property
    def name(self) -> str:
        """The path, for messages."""
        return (
            os.fspath(self.file)
            if isinstance(self.file, str | os.PathLike)
            else str(getattr(self.file, "name", "file"))
        )

    @property
    def has_path(self) -> bool:
        """Whether it is known by a path, and not an open file."""
        return isinstance(self.file, str | os.PathLike)

    def blocks(self, size: int) -> Iterator[bytes]:
        """Read the slice in blocks of exactly `size` bytes (the last may be shorter), each a fresh object.

        Raises:
            FileError: the file cannot be read, or ends before the slice does.
        """
        with self._opened() as file:
            position, left = self.offset, self.length
            while left:
                block = self._read(file, position, min(size, left))
                yield block
                position += len(block)
                left -= len(block)

    def _read(self, file: BinaryIO, position: int, size: int) -> bytes:
        parts = []
        missing = size
        try:
            file.seek(position)
            while missing:
                part = file.read(missing)
                if not part:
                    raise FileError(
                        f"{self.name}: ends at byte {position + size - missing}, inside the data set to send"
                    )
                parts.append(part)
                missing -= len(part)
        except OSError as error:
            raise FileError(f"{self.name}: {error.strerror or error}") from error
        return parts[0] if len(parts) == 1 else b"".join(parts)

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        if not isinstance(self.file, str | os.PathLike):
            yield self.file
            return
        try:
            file = open(self.file, "rb", buffering=0, opener=_open)  # noqa: SIM115  # only opening it is guarded
        except OSError as error:
            raise FileError(f"{self.name}: {error.strerror or error}") from error
        with file:
            _check_identity(self.name, os.fstat(file.fileno()), self.identity)
            yield file


def file_identity(status: os.stat_result) -> tuple[int, ...]:
    """Tells a file from another one that has taken its place, and from what it was before it was written to."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _check_identity(name: str, status: os.stat_result, identity: tuple[int, ...] | None) -> None:
    if identity is not None and file_identity(status) != identity:
        raise FileError(f"{name}: has changed since it was looked at")


def _open(path: str, flags: int) -> int:
    """Without waiting: a pipe may have taken the place of the file, and opening one lasts until somebody fills it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))


class OpenFile:
    """A file held open for as long as anything refers to it."""

    __slots__ = ("fd", "name")

    def __init__(self, path: str | os.PathLike[str], size: int, identity: tuple[int, ...] | None = None) -> None:
        """Open it; raises `FileError` when that cannot be done, or it is another one or shorter than `size` bytes."""
        self.fd = -1
        self.name = os.fspath(path)
        try:
            self.fd = _open(self.name, os.O_RDONLY)
            status = os.fstat(self.fd)
        except OSError as error:
            raise FileError(f"{self.name}: {error.strerror or error}") from error
        if status.st_size < size:
            raise FileError(f"{self.name}: ends at byte {status.st_size}, inside the data set to send")
        _check_identity(self.name, status, identity)

    def __del__(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)


class FilePart:
    """Stands for a buffer with bytes of a file, which are fetched when the socket takes them.

    Only what has them sent needs to know: it has a length, and can be cut.
    """

    __slots__ = ("fetched", "file", "length", "offset")

    def __init__(self, file: OpenFile, offset: int, length: int) -> None:
        self.file = file
        self.offset = offset
        self.length = length
        self.fetched = _NOTHING
        """The beginning of it, for as long as it is where it was fetched to."""

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, part: slice) -> FilePart:
        start, stop, _ = part.indices(self.length)
        piece = FilePart(self.file, self.offset + start, stop - start)
        piece.fetched = self.fetched[start:stop]
        return piece

    def fetch(self, into: memoryview) -> memoryview:
        """Read what is there and has room; all of that.

        Raises `FileError` when that is nothing, because the file has ended, and when it cannot be read.
        """
        try:
            count = os.preadv(self.file.fd, [into], self.offset)
        except OSError as error:
            raise FileError(f"{self.file.name}: {error.strerror or error}") from error
        if not count and len(into):
            raise FileError(f"{self.file.name}: ends at byte {self.offset}, inside the data set to send")
        self.fetched = into[:count]
        return self.fetched


_NOTHING = memoryview(b"")

DataSource = Buffer | Sequence[Buffer] | FileSlice
"""What can be sent as a data set."""


def source_length(source: DataSource) -> int:
    """Bytes of a data set to send."""
    if isinstance(source, bytes | bytearray):
        return len(source)
    if isinstance(source, memoryview):
        return source.nbytes
    if isinstance(source, FileSlice):
        return source.length
    return sum(map(source_length, source))


def source_bytes(source: DataSource) -> bytes:
    """The whole data set in memory; no copy is made of a `bytes` object."""
    if isinstance(source, bytes):
        return source
    if isinstance(source, bytearray | memoryview):
        return bytes(source)
    if isinstance(source, FileSlice):
        return b"".join(source.blocks(max(source.length, 1)))
    return b"".join(source)


class Sink(Protocol):
    """Takes one received data set."""

    def write(self, chunk: Buffer, /) -> object:
        """Take the next bytes; `chunk` is only valid during the call."""

    def close(self) -> DataSource | None:
        """The data set is complete; return it, or None if it has gone elsewhere."""

    def abort(self) -> None:
        """The message will never be complete: leave nothing behind."""


class SinkFullError(DicomsimError):
    """A sink would have to take more than it was told to."""


class MemorySink:
    """Gathers a data set in one growing bytearray, which becomes the message's data without a further copy.

    One allocation that grows in place is what the C library serves best: the same data set kept as a list of chunks
    costs ten times as much where the heap has to grow for every message and is given back after it.
    """

    __slots__ = ("_data", "_limit", "write")

    write: Callable[[Buffer], object]

    def __init__(self, limit: int = 0) -> None:
        """Take any number of bytes, or at most `limit` if that is not 0: more raises `SinkFullError`."""
        self._data = bytearray()
        self._limit = limit
        self.write = self._write_within_limit if limit else self._data.extend

    def _write_within_limit(self, chunk: Buffer) -> None:
        if len(self._data) + len(chunk) > self._limit:
            raise SinkFullError(f"the data set is longer than {self._limit} bytes")
        self._data.extend(chunk)

    def close(self) -> bytearray:
        """Give the data set away."""
        return self._data

    def abort(self) -> None:
        """Drop the bytes."""
        self._data.clear()


class PartFile:
    """A new file for a `FileSink`: as little as writing takes, since most objects are one system call long."""

    __slots__ = ("_fd", "_held")

    def __init__(self, path: str) -> None:
        """Create it; raises `OSError` if that cannot be done, or if it is there."""
        self._fd = -1  # for `__del__`, if there will be none
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._held = bytearray()

    def fileno(self) -> int:
        """The descriptor, -1 when closed."""
        return self._fd

    def write(self, chunk: Buffer) -> None:
        """Append; a large chunk is written from where it is."""
        if len(chunk) < WRITTEN_AT_ONCE and len(self._held) + len(chunk) <= FILE_BUFFER:
            self._held += chunk
        else:
            held, self._held = self._held, bytearray()
            self._write(held, chunk)

    def _write(self, *chunks: Buffer) -> None:
        views = [memoryview(chunk) for chunk in chunks if len(chunk)]
        while views:
            count = os.writev(self._fd, views)
            while views and count >= len(views[0]):
                count -= len(views.pop(0))
            if count:
                views[0] = views[0][count:]

    def close(self) -> None:
        """Write what is held and close; the second time, and when that fails, only the latter."""
        if self._fd >= 0:
            try:
                self._write(self._held)
            finally:
                fd, self._fd = self._fd, -1
                os.close(fd)

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)


class FileSink:
    """Writes a data set to a file.

    A path is written under a name of its own beside it and gets its name only when the data set is complete, so that
    two peers may store the same instance at once. An open file is written from its present position and is left open,
    cut back to where it was if the message breaks off.
    """

    __slots__ = ("_begin", "_file", "_length", "_part", "_path", "_prefix_length")

    def __init__(self, file: str | os.PathLike[str] | BinaryIO, prefix: bytes = b"") -> None:
        """Open the file; `prefix` (preamble and file meta information, PS3.10 §7.1) goes before the data set.

        Raises:
            OSError: the file cannot be created or written.
        """
        self._path = self._part = ""
        if isinstance(file, str | os.PathLike):
            self._path = os.fspath(file)
            self._part = f"{self._path}.{os.getpid()}-{next(_PART_NUMBERS)}.part"
            self._file: BinaryIO | PartFile = PartFile(self._part)
            self._begin = 0
        else:
            self._file = file
            self._begin = file.tell()
        self._prefix_length = len(prefix)
        self._length = 0
        self._file.write(prefix)

    def write(self, chunk: Buffer) -> None:
        """Append to the file."""
        self._file.write(chunk)
        self._length += len(chunk)

    def close(self) -> FileSlice:
        """Complete the file; the slice returned is the data set without the prefix."""
        start = self._begin + self._prefix_length
        if not isinstance(self._file, PartFile):
            self._file.flush()
            return FileSlice(self._file, start, self._length)
        self._file.close()
        os.replace(self._part, self._path)
        return FileSlice(self._path, start, self._length)

    def abort(self) -> None:
        """Remove what was written."""
        if isinstance(self._file, PartFile):
            try:
                self._file.close()
            except OSError:
                pass  # what is not written yet cannot be, and need not be: that may be why it breaks off
            os.unlink(self._part)
        else:
            self._file.seek(self._begin)
            self._file.truncate()


class CallbackSink:
    """Hands each chunk to a function, as bytes of its own."""

    __slots__ = ("_callback", "_on_abort")

    def __init__(self, callback: Callable[[bytes], object], on_abort: Callable[[], object] | None = None) -> None:
        """Call `callback` for each chunk, and `on_abort` if the data set breaks off."""
        self._callback = callback
        self._on_abort = on_abort

    def write(self, chunk: Buffer) -> None:
        """Call the function."""
        self._callback(bytes(chunk))

    def close(self) -> None:
        """Nothing is left to hand out."""

    def abort(self) -> None:
        """Tell the owner, if asked to."""
        if self._on_abort is not None:
            self._on_abort()


class DiscardSink:
    """Forgets the data set; for peers that answer without keeping anything."""

    __slots__ = ()

    def write(self, chunk: Buffer) -> None:
        """Forget the bytes."""

    def close(self) -> None:
        """Nothing is left to hand out."""

    def abort(self) -> None:
        """Nothing is left behind either."""
