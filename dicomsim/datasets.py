"""Data sets between their encoded form and pydicom's: the only module that imports pydicom's data set code.

It is imported when a data set is first wanted as a `Dataset`, because pydicom takes a good part of a second to load.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

from pydicom import config as pydicom_config
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import dcmread, read_dataset
from pydicom.filewriter import write_dataset
from pydicom.uid import UID

from dicomsim.errors import DicomsimError, FileError
from dicomsim.transfer_syntax import TransferSyntaxUID

if TYPE_CHECKING:
    from dicomsim.dimse.messages import Message

__all__ = ["Dataset", "DatasetError", "decode", "encode", "read_file", "status_dataset", "status_of"]

STATUS_KEYWORDS = {
    0x00000901: "OffendingElement",
    0x00000902: "ErrorComment",
    0x00000903: "ErrorID",
    0x00001000: "AffectedSOPInstanceUID",
    0x00000002: "AffectedSOPClassUID",
    0x00001005: "AttributeIdentifierList",
    0x00001002: "EventTypeID",
    0x00001008: "ActionTypeID",
    0x00001020: "NumberOfRemainingSuboperations",
    0x00001021: "NumberOfCompletedSuboperations",
    0x00001022: "NumberOfFailedSuboperations",
    0x00001023: "NumberOfWarningSuboperations",
}
"""Command elements of a response that go with its status, PS3.7 Annex C, by tag."""

_ALWAYS = frozenset((0x00000901, 0x00000902, 0x00000903, 0x00001005, 0x00001020, 0x00001021, 0x00001022, 0x00001023))


class DatasetError(DicomsimError):
    """A data set that cannot be encoded or decoded."""


def decode(data: bytes, transfer_syntax: str) -> Dataset:
    """Decode a data set; values stay encoded until they are looked at. Raises `DatasetError`."""
    syntax = TransferSyntaxUID(transfer_syntax)
    try:
        if syntax.is_deflated:
            import zlib

            data = zlib.decompress(data, -zlib.MAX_WBITS)
        dataset = read_dataset(BytesIO(data), syntax.is_implicit_VR, syntax.is_little_endian)
    except Exception as error:  # pydicom raises whatever goes wrong inside it on foreign bytes
        raise DatasetError(f"the data set cannot be read as {syntax.name}: {error}") from error
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(str(transfer_syntax))
    dataset.file_meta = meta
    return dataset


def encode(dataset: Dataset, transfer_syntax: str) -> bytes:
    """Encode a data set without its file meta information. Raises `DatasetError`."""
    syntax = TransferSyntaxUID(transfer_syntax)
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = syntax.is_implicit_VR
    buffer.is_little_endian = syntax.is_little_endian
    plain = Dataset({tag: element for tag, element in dataset.items() if tag.group > 2})
    for attribute in ("_character_set", "_read_charset"):
        if hasattr(dataset, attribute):
            setattr(plain, attribute, getattr(dataset, attribute))
    try:
        write_dataset(buffer, plain)
    except Exception as error:  # pydicom raises whatever goes wrong inside it on odd values
        raise DatasetError(f"the data set cannot be written as {syntax.name}: {error}") from error
    data = buffer.getvalue()
    if syntax.is_deflated:
        import zlib

        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data = packer.compress(data) + packer.flush()
        data += b"\0" * (len(data) % 2)
    return data


def read_file(path: str | os.PathLike[str]) -> Dataset:
    """Read a DICOM file as a data set, pixel data only when it is looked at. Raises `FileError`."""
    try:
        return dcmread(path, defer_size="1 MB")
    except OSError as error:
        raise FileError(f"{os.fspath(path)}: {(error.strerror or str(error)).lower()}") from error
    except Exception as error:  # pydicom's InvalidDicomError and whatever else foreign bytes make it raise
        raise FileError(f"{os.fspath(path)}: not a DICOM file ({error})") from error


def status_dataset(response: Message | None) -> Dataset:
    """The status data set that users of the AE get: empty when there was no valid answer."""
    dataset = Dataset()
    if response is None or response.status is None:
        return dataset
    dataset.Status = response.status
    for tag in _ALWAYS & response.command.keys():
        with_reading = response.command[tag]
        setattr(dataset, STATUS_KEYWORDS[tag], list(with_reading) if isinstance(with_reading, tuple) else with_reading)
    return dataset


def status_of(value: Any) -> tuple[int, dict[int, Any]]:
    """What a handler returned as status: the code, and further command elements by tag.

    Raises `TypeError` or `ValueError` for what is no status.
    """
    if isinstance(value, Dataset):
        if "Status" not in value:
            raise ValueError("the status data set has no (0000,0900) Status")
        extra = {int(tag): value[tag].value for tag in value.keys() if int(tag) in STATUS_KEYWORDS}
        return _code(value.Status), extra
    return _code(value), {}


def _code(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"a status must be an int or a Dataset with a Status, not {value!r}")
    if not 0 <= value <= 0xFFFF:
        raise ValueError(f"{value:#x} is no status: a status has 16 bits")
    return int(value)


def attributes(dataset: Dataset, keywords: Mapping[str, str]) -> dict[str, str]:
    """The values of some attributes as text, by the names given for them; absent ones are left out."""
    return {name: str(dataset.get(keyword)) for name, keyword in keywords.items() if keyword in dataset}


# Foreign data sets are the trade here: what is wrong in them is for the peer under test to say, not for a warning of ours.
pydicom_config.settings.reading_validation_mode = pydicom_config.IGNORE
