"""Data sets between their encoded form and pydicom's: the only module that imports pydicom's data set code.

It is imported when a data set is first wanted as a `Dataset`, because pydicom takes a good part of a second to load.
What is usual is encoded and cut into elements here, which takes a fraction of the time; pydicom does the rest, and is
always the one who turns values into objects.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydicom import config as pydicom_config
from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import DataElement, RawDataElement, empty_value_for_VR
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import dcmread, read_dataset
from pydicom.filewriter import write_dataset
from pydicom.tag import BaseTag, Tag

from dicomsim.element_encoder import LONG_VRS, UNDEFINED, ElementEncoder, UnusualError
from dicomsim.errors import DicomsimError, FileError
from dicomsim.transfer_syntax import TransferSyntaxUID

if TYPE_CHECKING:
    from dicomsim.dimse.messages import Message

__all__ = ["Dataset", "DatasetError", "convert", "decode", "encode", "read_file", "status_dataset", "status_of"]

INFLATE_LIMIT: Final = 1 << 29
"""Bytes that a deflated data set may come to: a few kilobytes can be made to fill any memory. Half a gigabyte is more
than any deflated object in use (they are reports and segmentations) and less than what would hurt."""

Kind = TypeVar("Kind", bound=Dataset)

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

_N_CREATE_RSP = 0x8140
_AFFECTED_SOP_INSTANCE = 0x00001000
_EMPTY, _EMPTY_META = Dataset(), FileMetaDataset()
_TRANSFER_SYNTAX = BaseTag(0x00020010)
_STATUS = BaseTag(0x00000900)
_CHARACTER_SET = BaseTag(0x00080005)
_IMPLICIT_HEADER = {True: Struct("<HHL"), False: Struct(">HHL")}
_EXPLICIT_HEADER = {True: Struct("<HH2sH"), False: Struct(">HH2sH")}
_LENGTH = {True: Struct("<L"), False: Struct(">L")}
_WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
"""Bytes of a word of the VRs whose values pydicom leaves in the byte order they came in."""
_SHORT_VRS = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US"
_VRS = {vr.encode(): (vr, vr in LONG_VRS) for vr in (*_SHORT_VRS.split(), *LONG_VRS)}


class DatasetError(DicomsimError):
    """A data set that cannot be encoded or decoded."""


# -- decoding ---------------------------------------------------------------------------------------------------------


def decode(data: bytes | bytearray, transfer_syntax: str) -> Dataset:
    """Decode a data set, which gets file meta information with that transfer syntax. Raises `DatasetError`."""
    dataset = decode_bare(data, transfer_syntax)
    syntax = str(transfer_syntax).encode("ascii", "replace")
    element = RawDataElement(_TRANSFER_SYNTAX, "UI", len(syntax), syntax, 0, False, True)
    dataset.__dict__["file_meta"] = _made_of({_TRANSFER_SYNTAX: element}, _EMPTY_META)
    return dataset


def decode_bare(data: bytes | bytearray, transfer_syntax: str, limit: int = INFLATE_LIMIT) -> Dataset:
    """Decode a data set; values stay encoded until they are looked at. Raises `DatasetError`.

    `limit` is how many bytes a deflated one may come to.
    """
    syntax = TransferSyntaxUID(transfer_syntax)
    if syntax.is_deflated:
        data = _inflate(data, limit)
    implicit, little = syntax.is_implicit_VR, syntax.is_little_endian
    try:
        elements = _cut(bytes(data), implicit, little)
        if elements is not None:
            charset = elements.get(_CHARACTER_SET)
            return _made_of(elements, _origin(implicit, little, charset.value if charset else None))
        dataset = read_dataset(BytesIO(data), implicit, little)
    except DatasetError as error:
        raise DatasetError(f"the data set cannot be read as {syntax.name}: {error}") from None
    except Exception as error:  # pydicom raises whatever goes wrong inside it on foreign bytes
        raise DatasetError(f"the data set cannot be read as {syntax.name}: {error}") from error
    _require_whole(dataset, syntax)
    return dataset


def _made_of(elements: dict[BaseTag, DataElement | RawDataElement], like: Kind) -> Kind:
    """A data set of these elements, in all else like another one.

    What `Dataset(elements)` does costs as much as decoding half a dozen elements: it sets each of its attributes in a
    way that looks for an element of that name first.
    """
    dataset = object.__new__(type(like))
    attributes = dataset.__dict__
    for name, value in like.__dict__.items():
        attributes[name] = value.copy() if type(value) is dict else value
    attributes["_dict"] = elements
    return dataset


@lru_cache(maxsize=64)
def _origin(implicit: bool, little: bool, character_set: bytes | None) -> Dataset:
    """An empty data set that remembers how it was encoded."""
    dataset = Dataset()
    dataset.set_original_encoding(implicit, little, _character_sets(character_set))
    return dataset


def _inflate(data: bytes | bytearray, limit: int) -> bytes:
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = unpacker.decompress(data, limit)
    except zlib.error as error:
        raise DatasetError(f"the data set cannot be inflated: {error}") from error
    if unpacker.unconsumed_tail:
        raise DatasetError(f"the data set inflates to more than {limit} bytes")
    if not unpacker.eof:
        raise DatasetError("the data set cannot be inflated: it is cut short")
    return inflated


def _cut(data: bytes, implicit: bool, little: bool) -> dict[BaseTag, DataElement | RawDataElement] | None:
    """The elements of a data set as they stand; None for what pydicom is to look at (items, mostly).

    Raises `DatasetError` for one that breaks off.
    """
    elements: dict[BaseTag, DataElement | RawDataElement] = {}
    size = len(data)
    if implicit and data[4:6].isalpha() and data[4:6].isupper():
        return None  # explicit VR, perhaps
    header = (_IMPLICIT_HEADER if implicit else _EXPLICIT_HEADER)[little].unpack_from
    position = 0
    vr: str | None = None
    new = tuple.__new__
    while size - position >= 8:
        if implicit:
            group, number, length = header(data, position)
            position += 8
        else:
            group, number, code, length = header(data, position)
            known = _VRS.get(code)
            if known is None:
                return None
            vr, long = known
            position += 8
            if long:
                (length,) = _LENGTH[little].unpack(data[position : position + 4].ljust(4, b"\0"))
                position += 4
        if length == UNDEFINED or group == 0xFFFE:
            return None
        tag = _tag(group << 16 | number)
        end = position + length
        if end > size:
            raise DatasetError(f"it ends inside {tag}, {end - size} bytes too early")
        value = data[position:end] if length else empty_value_for_VR(vr, raw=True)
        elements[tag] = new(RawDataElement, (tag, vr, length, value, position, implicit, little, True, False))
        position = end
    if data[position:].strip(b"\0"):
        raise DatasetError(f"it ends inside an element header, at byte {position}")
    return elements


_tag = lru_cache(maxsize=4096)(BaseTag)


def _character_sets(value: bytes | None) -> Any:
    """The Python names of a Specific Character Set, as pydicom remembers them."""
    if value is None:
        return default_encoding
    names = value.decode("ascii", "replace").strip(" \0").split("\\")
    try:
        return convert_encodings(names if len(names) > 1 else names[0])
    except (ValueError, LookupError):  # what pydicom does not know it passes over, but some names break Python's codecs
        return default_encoding


def _require_whole(dataset: Dataset, syntax: TransferSyntaxUID) -> None:
    for element in dataset.values():
        if not isinstance(element, RawDataElement) or element.value is None:
            continue
        if element.length not in (UNDEFINED, len(element.value)):
            raise DatasetError(f"the data set cannot be read as {syntax.name}: it ends inside {element.tag}")


# -- encoding ---------------------------------------------------------------------------------------------------------


def check_dataset(value: object) -> None:
    """Raise `TypeError` for what is no pydicom data set."""
    if not isinstance(value, Dataset):
        raise TypeError(f"a data set must be a pydicom Dataset, not {value!r}")


def encode(dataset: Dataset, transfer_syntax: str) -> bytes:
    """Encode a data set without its file meta information, from whatever it was decoded from. Raises `DatasetError`.

    Pixel data goes as it is: between transfer syntaxes that compress it, nothing is converted.
    """
    syntax = TransferSyntaxUID(transfer_syntax)
    data: bytes | bytearray
    try:
        try:
            data = _encode_usual(dataset, syntax)
        except UnusualError:
            data = _encode_by_pydicom(dataset, syntax)
    except Exception as error:  # pydicom raises whatever goes wrong inside it on odd values
        raise DatasetError(f"the data set cannot be written as {syntax.name}: {error}") from error
    if syntax.is_deflated:
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data = packer.compress(data) + packer.flush()
        data += b"\0" * (len(data) % 2)
    return bytes(data)


def _encode_usual(dataset: Dataset, syntax: TransferSyntaxUID) -> bytearray:
    if not syntax.is_little_endian or dataset.original_encoding[1] is False:
        raise UnusualError
    return ElementEncoder(syntax.is_implicit_VR).encode(dataset)


def _encode_by_pydicom(dataset: Dataset, syntax: TransferSyntaxUID) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = syntax.is_implicit_VR
    buffer.is_little_endian = syntax.is_little_endian
    came_little = dataset.original_encoding[1] is not False
    plain = Dataset({tag: element for tag, element in dataset.items() if tag.group > 2})
    _remember_origin(plain, dataset)
    if came_little is not syntax.is_little_endian:
        _swap_words(plain)
    write_dataset(buffer, plain)
    return buffer.getvalue()


def _remember_origin(copy: Dataset, original: Dataset) -> None:
    implicit, little = original.original_encoding
    copy.set_original_encoding(implicit, little, original.original_character_set)


def _swap_words(dataset: Dataset) -> None:
    """Replace the values that pydicom would write in the byte order they came in."""
    for tag in list(dataset.keys()):
        element = dataset[tag]
        if element.VR == "SQ":
            swapped = []
            for item in element.value:
                copy = Dataset(dict(item.items()), parent_encoding=item._parent_encoding)
                copy.is_undefined_length_sequence_item = item.is_undefined_length_sequence_item
                _remember_origin(copy, item)
                _swap_words(copy)
                swapped.append(copy)
            dataset[tag] = DataElement(tag, "SQ", swapped, is_undefined_length=element.is_undefined_length)
        elif (size := _WORDS.get(_resolved(element))) and isinstance(element.value, bytes):
            dataset[tag] = DataElement(tag, element.VR, _swapped(element.value, size))


def _resolved(element: DataElement) -> str:
    """The VR; of `OB or OW`, which native data in implicit VR has, the one that native data has."""
    return "OW" if "OW" in element.VR else element.VR


def _swapped(value: bytes, size: int) -> bytes:
    swapped = bytearray(len(value))
    whole = len(value) // size * size
    for offset in range(size):
        swapped[offset:whole:size] = value[size - 1 - offset : whole : size]
    swapped[whole:] = value[whole:]
    return bytes(swapped)


def convert(data: bytes | bytearray, from_syntax: str, to_syntax: str) -> bytes:
    """Bring an encoded data set from one transfer syntax with native pixel data to another. Raises `DatasetError`."""
    for syntax in map(TransferSyntaxUID, (from_syntax, to_syntax)):
        if syntax.is_encapsulated:
            raise DatasetError(f"the data set cannot be converted: pixel data is compressed in {syntax.name}")
    return encode(decode_bare(data, from_syntax), to_syntax)


# -- files, statuses, attributes --------------------------------------------------------------------------------------


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
    status = None if response is None else response.status
    if response is None or status is None:
        return Dataset()
    raw = RawDataElement(_STATUS, "US", 2, status.to_bytes(2, "little"), 0, False, True)
    dataset = _made_of({_STATUS: raw}, _EMPTY)
    told = _ALWAYS if response.command_field != _N_CREATE_RSP else _ALWAYS | {_AFFECTED_SOP_INSTANCE}
    for tag in told & response.command.keys():
        value = response.command[tag]
        setattr(dataset, STATUS_KEYWORDS[tag], list(value) if isinstance(value, tuple) else value)
    return dataset


def status_of(value: Any) -> tuple[int, dict[int, Any]]:
    """What a handler returned as status: the code, and further command elements by tag.

    Raises `TypeError` or `ValueError` for what is no status.
    """
    if isinstance(value, Dataset):
        if "Status" not in value:
            raise ValueError("the status data set has no (0000,0900) Status")
        further = [element for element in value if int(element.tag) in STATUS_KEYWORDS]
        return _code(value.Status), {int(element.tag): _command_value(element.value) for element in further}
    return _code(value), {}


def _command_value(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, BaseTag):
        return (int(value),)
    return tuple(map(int, value)) if hasattr(value, "append") else value


def _code(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"a status must be an int or a Dataset with a Status, not {value!r}")
    if not 0 <= value <= 0xFFFF:
        raise ValueError(f"{value:#x} is no status: a status has 16 bits")
    return int(value)


def attributes(dataset: Dataset, keywords: Mapping[str, str]) -> dict[str, str]:
    """The values of some attributes as text, by the names given for them; absent ones are left out."""
    return {name: str(dataset.get(keyword)) for name, keyword in keywords.items() if keyword in dataset}


def failed_instances(instances: list[str]) -> Dataset:
    """The identifier of a C-GET or C-MOVE response that lists what could not be sent, PS3.4 §C.4.2.1.4.2."""
    dataset = Dataset()
    dataset.FailedSOPInstanceUIDList = instances
    return dataset


def tags_of(numbers: tuple[int, ...] | None) -> list[BaseTag]:
    """Tags as user code gets them."""
    return [Tag(number) for number in numbers or ()]


def tag_numbers(tags: Any) -> tuple[int, ...]:
    """Tags as users give them: numbers, pairs or keywords, one or several. Raises `ValueError`."""
    pair = isinstance(tags, tuple) and len(tags) == 2 and all(type(one) is int and one <= 0xFFFF for one in tags)
    if pair or isinstance(tags, int | str):
        tags = [tags]
    return tuple(int(Tag(one)) for one in tags)


# Foreign data sets are the trade here: what is wrong in them is for the peer under test to say, not for a warning.
pydicom_config.settings.reading_validation_mode = pydicom_config.IGNORE
