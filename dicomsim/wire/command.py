"""DIMSE command sets: implicit VR little endian, group 0000 only, ascending tags. PS3.7 §6.3.1, Annex E.

A command set is a plain dict from tag to value, because it has few elements and there is one for every message:
numbers are `int` (`US`, `UL`), texts are `str` without their padding, `AT` is always a tuple of tags. A number element
that is empty or has several values is a tuple, too, and what the dictionary does not know stays `bytes`.

Decoding tolerates what harms nobody: a wrong group length, elements of other groups, any order, odd lengths of text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct, error, unpack
from typing import NamedTuple, TypeAlias

from dicomsim.errors import WireError, WireFault

Value: TypeAlias = int | str | bytes | tuple[int, ...] | tuple[str, ...]
"""The value of one command element."""


class CommandElement(NamedTuple):
    """One row of the command dictionary."""

    keyword: str
    """As in the standard: `AffectedSOPClassUID`."""
    vr: str
    """Value representation."""
    vm: str
    """Value multiplicity: `1` or `1-n`."""


COMMAND_ELEMENTS: Mapping[int, CommandElement] = {
    0x00000000: CommandElement("CommandGroupLength", "UL", "1"),
    0x00000002: CommandElement("AffectedSOPClassUID", "UI", "1"),
    0x00000003: CommandElement("RequestedSOPClassUID", "UI", "1"),
    0x00000100: CommandElement("CommandField", "US", "1"),
    0x00000110: CommandElement("MessageID", "US", "1"),
    0x00000120: CommandElement("MessageIDBeingRespondedTo", "US", "1"),
    0x00000600: CommandElement("MoveDestination", "AE", "1"),
    0x00000700: CommandElement("Priority", "US", "1"),
    0x00000800: CommandElement("CommandDataSetType", "US", "1"),
    0x00000900: CommandElement("Status", "US", "1"),
    0x00000901: CommandElement("OffendingElement", "AT", "1-n"),
    0x00000902: CommandElement("ErrorComment", "LO", "1"),
    0x00000903: CommandElement("ErrorID", "US", "1"),
    0x00001000: CommandElement("AffectedSOPInstanceUID", "UI", "1"),
    0x00001001: CommandElement("RequestedSOPInstanceUID", "UI", "1"),
    0x00001002: CommandElement("EventTypeID", "US", "1"),
    0x00001005: CommandElement("AttributeIdentifierList", "AT", "1-n"),
    0x00001008: CommandElement("ActionTypeID", "US", "1"),
    0x00001020: CommandElement("NumberOfRemainingSuboperations", "US", "1"),
    0x00001021: CommandElement("NumberOfCompletedSuboperations", "US", "1"),
    0x00001022: CommandElement("NumberOfFailedSuboperations", "US", "1"),
    0x00001023: CommandElement("NumberOfWarningSuboperations", "US", "1"),
    0x00001030: CommandElement("MoveOriginatorApplicationEntityTitle", "AE", "1"),
    0x00001031: CommandElement("MoveOriginatorMessageID", "US", "1"),
    # Retired; they may come and mean nothing. PS3.7 §E.2
    0x00000001: CommandElement("CommandLengthToEnd", "UL", "1"),
    0x00000010: CommandElement("CommandRecognitionCode", "SH", "1"),
    0x00000200: CommandElement("Initiator", "AE", "1"),
    0x00000300: CommandElement("Receiver", "AE", "1"),
    0x00000400: CommandElement("FindLocation", "AE", "1"),
    0x00000850: CommandElement("NumberOfMatches", "US", "1"),
    0x00000860: CommandElement("ResponseSequenceNumber", "US", "1"),
    0x00004000: CommandElement("DialogReceiver", "LT", "1"),
    0x00004010: CommandElement("TerminalType", "LT", "1"),
    0x00005010: CommandElement("MessageSetID", "SH", "1"),
    0x00005020: CommandElement("EndMessageID", "SH", "1"),
    0x00005110: CommandElement("DisplayFormat", "LT", "1"),
    0x00005120: CommandElement("PagePositionID", "LT", "1"),
    0x00005130: CommandElement("TextFormatID", "CS", "1"),
    0x00005140: CommandElement("NormalReverse", "CS", "1"),
    0x00005150: CommandElement("AddGrayScale", "CS", "1"),
    0x00005160: CommandElement("Borders", "CS", "1"),
    0x00005170: CommandElement("Copies", "IS", "1"),
    0x00005180: CommandElement("CommandMagnificationType", "CS", "1"),
    0x00005190: CommandElement("Erase", "CS", "1"),
    0x000051A0: CommandElement("Print", "CS", "1"),
    0x000051B0: CommandElement("Overlays", "US", "1-n"),
}
"""The command dictionary by tag. PS3.7 Tables E.1-1 and E.2-1."""

TAGS: Mapping[str, int] = {element.keyword: tag for tag, element in COMMAND_ELEMENTS.items()}
"""Tag by keyword."""

_HEADER = Struct("<HHI")
_US_ELEMENT = Struct("<HHIH")
_UL_ELEMENT = Struct("<HHII")
_AT_VALUE = Struct("<HH")
_NUMBER_SIZES = {"US": 2, "UL": 4, "AT": 4}


def tag_name(tag: int) -> str:
    """`(0000,0002) AffectedSOPClassUID`; the number alone where the dictionary has no name."""
    number = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
    element = COMMAND_ELEMENTS.get(tag)
    return f"{number} {element.keyword}" if element else number


def _decode_numbers(value: bytes, size: int) -> tuple[int, ...]:
    if len(value) % size:
        raise ValueError(f"length {len(value)} is no multiple of {size}")
    return unpack(f"<{len(value) // size}{'H' if size == 2 else 'I'}", value)


def _decode_us(value: bytes) -> Value:
    values = _decode_numbers(value, 2)
    return values[0] if len(values) == 1 else values


def _decode_ul(value: bytes) -> Value:
    values = _decode_numbers(value, 4)
    return values[0] if len(values) == 1 else values


def _decode_at(value: bytes) -> Value:
    halves = _decode_numbers(value, 2)
    if len(halves) % 2:
        raise ValueError(f"length {len(value)} is no multiple of 4")
    return tuple(group << 16 | element for group, element in zip(halves[::2], halves[1::2], strict=True))


def _decode_text(value: bytes) -> Value:
    return value.decode("ascii", "surrogateescape").rstrip(" \0")


def _decode_ae(value: bytes) -> Value:
    """Leading spaces are not significant either. PS3.5 Table 6.2-1."""
    return value.decode("ascii", "surrogateescape").strip(" \0")


_DECODERS: Mapping[str, Callable[[bytes], Value]] = {
    "US": _decode_us,
    "UL": _decode_ul,
    "AT": _decode_at,
    "AE": _decode_ae,
}
_US_TAGS = frozenset(tag for tag, element in COMMAND_ELEMENTS.items() if element.vr == "US")
_UID_TAGS = frozenset(tag for tag, element in COMMAND_ELEMENTS.items() if element.vr == "UI")
_TEXT_TAGS = frozenset(tag for tag, element in COMMAND_ELEMENTS.items() if element.vr not in ("US", "UL", "AT", "AE"))
_DECODER_BY_TAG = {tag: _DECODERS.get(element.vr, _decode_text) for tag, element in COMMAND_ELEMENTS.items()}


def decode_command(data: bytes | bytearray | memoryview) -> dict[int, Value]:
    """Read a whole command set, in wire order; raises `WireError` and nothing else."""
    raw = bytes(data)
    end = len(raw)
    if not end:
        raise WireError(0, "command set", "it is empty")
    elements: dict[int, Value] = {}
    stop = 0
    while stop < end:
        position = stop
        if end - position < 8:
            raise WireError(position, "command set", f"{end - position} bytes left, too few for an element header")
        group, element, length = _HEADER.unpack_from(raw, position)
        tag = group << 16 | element
        stop = position + 8 + length
        if stop > end:
            left = end - position - 8
            raise WireError(position + 4, _path(tag), f"value length is {length}, {left} bytes are left")
        if tag in elements:
            raise WireError(position, _path(tag), "it is there twice", WireFault.UNEXPECTED_PARAMETER)
        if length == 2 and tag in _US_TAGS:
            elements[tag] = raw[position + 8] | raw[position + 9] << 8
            continue
        value = raw[position + 8 : stop]
        if tag in _TEXT_TAGS:
            elements[tag] = value.decode("ascii", "surrogateescape").rstrip(" \0")
            continue
        if length == 4 and not tag:
            elements[0] = int.from_bytes(value, "little")
            continue
        decode = _DECODER_BY_TAG.get(tag)
        try:
            elements[tag] = decode(value) if decode else value
        except ValueError as fault:
            raise WireError(position + 4, _path(tag), str(fault)) from fault
    return elements


def _path(tag: int) -> str:
    return f"command set/{tag_name(tag)}"


def encode_command(elements: Mapping[int, Value]) -> bytes:
    """Write a command set, tags ascending, texts padded, behind the group length that fits.

    `bytes` are written as they stand, in any element, which is the way to write what the value representation does
    not allow, a wrong (0000,0000) too. Raises `WireError` for a value that does not fit its element.
    """
    parts = []
    for tag in sorted(elements):
        value = elements[tag]
        try:
            if tag in _US_TAGS and isinstance(value, int):
                parts.append(_US_ELEMENT.pack(0, tag, 2, value))
            elif tag:
                if isinstance(value, str) and tag in _UID_TAGS:
                    data = value.encode("ascii", "surrogateescape")
                    if len(data) % 2:
                        data += b"\0"
                else:
                    data = value if isinstance(value, bytes) else _encode_value(tag, value)
                parts.append(_HEADER.pack(tag >> 16, tag & 0xFFFF, len(data)) + data)
        except (ValueError, TypeError, OverflowError, error) as fault:
            raise WireError(0, _path(tag), f"{value!r} does not fit: {fault}") from fault
    body = b"".join(parts)
    group_length = elements.get(0)
    if isinstance(group_length, bytes):
        return _HEADER.pack(0, 0, len(group_length)) + group_length + body
    return _UL_ELEMENT.pack(0, 0, 4, len(body)) + body


def _encode_value(tag: int, value: int | str | tuple[int, ...] | tuple[str, ...]) -> bytes:
    row = COMMAND_ELEMENTS.get(tag)
    vr = row.vr if row else "UN"
    if isinstance(value, str):
        if vr in _NUMBER_SIZES:
            raise ValueError(f"{vr} is a number")
        return _padded(value, vr)
    return _encode_values((value,) if isinstance(value, int) else value, vr)


def _padded(text: str, vr: str) -> bytes:
    data = text.encode("ascii", "surrogateescape")
    if len(data) % 2:
        data += b"\0" if vr == "UI" else b" "
    return data


def _encode_values(values: tuple[int, ...] | tuple[str, ...], vr: str) -> bytes:
    if vr not in _NUMBER_SIZES:
        if any(isinstance(value, int) for value in values):
            raise ValueError(f"{vr} is no number")
        return _padded("\\".join(map(str, values)), vr)
    if vr == "AT":
        return b"".join(_AT_VALUE.pack(int(value) >> 16, int(value) & 0xFFFF) for value in values)
    size = _NUMBER_SIZES[vr]
    return b"".join(int(value).to_bytes(size, "little") for value in values)
