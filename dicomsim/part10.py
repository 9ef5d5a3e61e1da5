"""DICOM files, PS3.10 §7.1: finding the data set behind the file meta information, and writing that in front of one.

Ours and not pydicom's, because a file that is sent or received is never decoded: what is wanted of it are three UIDs
and where its data set begins.
"""

from __future__ import annotations

import os
import re
import stat
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from dicomsim.dimse.data import FileSlice, file_identity
from dicomsim.element_encoder import LONG_VRS
from dicomsim.errors import FileError

PREAMBLE: Final = 128
META_LIMIT: Final = 1 << 16
"""Largest file meta information read; the standard's is a few hundred bytes, private information may add to it."""

WHOLE: Final = 1 << 16
"""Bytes up to which a file to be sent is read at once, unless the caller says otherwise."""

_FIRST_READ: Final = 1024
_LONG_VRS: Final = frozenset(vr.encode() for vr in LONG_VRS)
_ELEMENT: Final = struct.Struct("<HH2sH")
_SOP_CLASS: Final = 0x0002
_SOP_INSTANCE: Final = 0x0003
_TRANSFER_SYNTAX: Final = 0x0010
_HARMFUL: Final = re.compile("[^A-Za-z0-9._-]")
_GROUP: Final = b"\x02\0"
_WANTED: Final = frozenset((_SOP_CLASS, _SOP_INSTANCE, _TRANSFER_SYNTAX))


@dataclass(frozen=True, slots=True)
class FileMeta:
    """What a file says of the data set in it."""

    sop_class_uid: str
    """Media storage SOP class UID, empty if absent."""
    sop_instance_uid: str
    """Media storage SOP instance UID, empty if absent."""
    transfer_syntax_uid: str
    """How the data set is encoded."""
    offset: int
    """Where the data set begins, in bytes from the start of the file."""
    identity: tuple[int, ...] | None = field(default=None, compare=False)
    """What `file_identity` says of the file; None if nobody has looked."""


def read_file_meta(path: str | os.PathLike[str]) -> FileMeta:
    """Read the file meta information; raises `FileError` if there is none."""
    data, status = _read_head(path, 0)
    return _parse(os.fspath(path), data, status)


def open_object(path: str | os.PathLike[str], whole: int = WHOLE) -> tuple[FileMeta, memoryview | FileSlice]:
    """The file meta information, and the data set to be sent: in memory if the file has at most `whole` bytes.

    Raises `FileError` for what is no DICOM file.
    """
    data, status = _read_head(path, whole)
    meta = _parse(os.fspath(path), data, status)
    size = status.st_size
    if size <= len(data):
        return meta, memoryview(data)[meta.offset :]
    return meta, FileSlice(path, meta.offset, size - meta.offset, meta.identity)


def _read_head(path: str | os.PathLike[str], limit: int) -> tuple[bytes, os.stat_result]:
    """All of a file up to that limit, the beginning of a larger one with its file meta information; and its status.

    System calls and not a file object: for small files the object would cost more than the reading. Without waiting,
    for opening a pipe would last until somebody fills it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                raise FileError(f"{os.fspath(path)}: not a file, but a pipe or a device")
            wanted = status.st_size if _FIRST_READ < status.st_size <= limit else _FIRST_READ
            data = os.read(descriptor, wanted)
            if len(data) < min(status.st_size, META_LIMIT) and _goes_on(data):
                data += os.read(descriptor, META_LIMIT - len(data))
            return data, status
        finally:
            os.close(descriptor)
    except OSError as error:
        raise FileError(f"{os.fspath(path)}: {(error.strerror or str(error)).lower()}") from error


def _parse(path: str, data: bytes, status: os.stat_result) -> FileMeta:
    if data[PREAMBLE : PREAMBLE + 4] != b"DICM":
        raise FileError(f"{path}: not a DICOM file (no DICM at byte {PREAMBLE})")
    values, offset = _elements(data, PREAMBLE + 4, path)
    if not values.get(_TRANSFER_SYNTAX):
        raise FileError(f"{path}: file meta information without a transfer syntax")
    return FileMeta(
        values.get(_SOP_CLASS, ""),
        values.get(_SOP_INSTANCE, ""),
        values[_TRANSFER_SYNTAX],
        offset,
        file_identity(status),
    )


def _goes_on(data: bytes) -> bool:
    """Whether the group 0002 has not ended; some writers get its length wrong, so only the elements tell."""
    position = PREAMBLE + 4
    if data[PREAMBLE:position] != b"DICM":
        return False
    while position + 12 <= len(data):
        group, _, vr, length = _ELEMENT.unpack_from(data, position)
        if group != 2:
            return False
        start = position + 8
        if vr in _LONG_VRS:
            start = position + 12
            length = int.from_bytes(data[position + 8 : start], "little")
        position = start + length
    return True


def _elements(data: bytes, position: int, path: str) -> tuple[dict[int, str], int]:
    """The UIDs of group 0002 and where the group ends, by its elements and not by its length."""
    values: dict[int, str] = {}
    size = len(data)
    while position + 8 <= size:
        group, element, vr, length = _ELEMENT.unpack_from(data, position)
        if group != 2:
            break
        start = position + 8
        if vr in _LONG_VRS:
            start = position + 12
            length = int.from_bytes(data[position + 8 : start], "little")
        position = start + length
        if position > min(size, META_LIMIT):
            raise FileError(f"{path}: file meta information is cut short, or longer than {META_LIMIT} bytes")
        if element in _WANTED and vr == b"UI":
            values[element] = data[start:position].decode("ascii", "replace").rstrip("\0 ")
    if data[position : position + 2] == _GROUP and position + 8 > size:
        raise FileError(f"{path}: file meta information is cut short")
    return values, position


def file_meta(
    sop_class_uid: str,
    sop_instance_uid: str,
    transfer_syntax_uid: str,
    implementation_class_uid: str,
    implementation_version_name: str,
    source_ae_title: str = "",
) -> bytes:
    """Preamble, prefix and file meta information for a data set that follows byte for byte. PS3.10 Table 7.1-1."""
    before, behind = _around_instance(
        sop_class_uid, transfer_syntax_uid, implementation_class_uid, implementation_version_name, source_ae_title
    )
    instance = _element(0x03, b"UI", _uid(sop_instance_uid))
    length = len(before) + len(instance) + len(behind)
    return b"".join((_LEAD, length.to_bytes(4, "little"), before, instance, behind))


@lru_cache(maxsize=64)  # the same for all objects of a series
def _around_instance(
    sop_class_uid: str, transfer_syntax_uid: str, class_uid: str, version_name: str, source_ae_title: str
) -> tuple[bytes, bytes]:
    """The elements before the SOP instance UID, and those behind it."""
    before = _element(0x01, b"OB", b"\x00\x01") + _element(0x02, b"UI", _uid(sop_class_uid))
    behind = _element(0x10, b"UI", _uid(transfer_syntax_uid)) + _element(0x12, b"UI", _uid(class_uid))
    behind += _element(0x13, b"SH", _text(version_name))
    if source_ae_title:
        behind += _element(0x16, b"AE", _text(source_ae_title))
    return before, behind


def _element(element: int, vr: bytes, value: bytes) -> bytes:
    if vr in _LONG_VRS:
        return struct.pack("<HH2sHL", 2, element, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", 2, element, vr, len(value)) + value


_LEAD: Final = bytes(PREAMBLE) + b"DICM" + _element(0x00, b"UL", bytes(4))[:-4]
"""What comes before the length of the group."""


def _uid(uid: str) -> bytes:
    data = uid.encode("ascii", "replace")[:64]
    return data + b"\0" * (len(data) % 2)


def _text(text: str) -> bytes:
    data = text.encode("ascii", "replace")[:16]
    return data + b" " * (len(data) % 2)


def file_name(sop_instance_uid: str) -> str:
    """A file name for an instance: its UID, with whatever else a peer has put there made harmless."""
    name = _HARMFUL.sub("_", sop_instance_uid[:64]).strip(".")
    return f"{name or 'unnamed'}.dcm"
