"""Encodes data sets of usual elements in little endian, many times as fast as pydicom, which is asked for the rest.

Nothing is imported for it: a data set is a series of tags and elements, and of an element its `VR` and `value` are
looked at. Whatever is not plainly one of the usual kinds raises `UnusualError`, and nothing has been changed then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct, error, pack
from typing import Any, Final

UNDEFINED: Final = 0xFFFFFFFF
SHORT_LIMIT: Final = 0xFFFF
"""Longest value of a VR whose length has 16 bits in explicit VR, PS3.5 §7.1.2."""

LONG_VRS: Final = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))
"""VRs with a length of 32 bits in explicit VR, PS3.5 Table 7.1-1."""

PYTHON_CHARACTER_SETS: Final = {"": "ascii", "ISO_IR 6": "ascii", "ISO_IR 100": "latin-1", "ISO_IR 192": "utf-8"}
"""Specific Character Sets encoded here beside ASCII, which is the same in all of them."""

_SPECIFIC_CHARACTER_SET: Final = 0x00080005
_IMPLICIT: Final = Struct("<HHL")
_SHORT: Final = Struct("<HH2sH")
_LONG: Final = Struct("<HH2sHL")
_ITEM: Final = Struct("<HHL")
_ITEM_END: Final = _ITEM.pack(0xFFFE, 0xE00D, 0)
_SEQUENCE_END: Final = _ITEM.pack(0xFFFE, 0xE0DD, 0)


class UnusualError(Exception):
    """Something that pydicom is to encode."""


@dataclass(slots=True)
class ElementEncoder:
    """Encodes one data set; raises `UnusualError`."""

    implicit: bool
    """Whether elements go without their VR."""
    character_set: str = "ascii"
    """The Python name of the character set in force."""

    def encode(self, dataset: Any) -> bytearray:
        """The encoded elements, in ascending order."""
        elements = sorted([(int(tag), element) for tag, element in dataset.items()])
        outer = self.character_set
        implicit = self.implicit
        copies: bool | None = None
        out = bytearray()
        for tag, element in elements:
            if tag < 0x00030000 or (not tag & 0xFFFF and tag > 0x0006FFFF):
                continue  # command and file meta information; group lengths are retired, PS3.5 §7.2
            if element.is_raw:
                if copies is None:
                    copies = _keeps_character_set(dataset)
                if not copies:
                    raise UnusualError
                self._raw(out, tag, element)
                continue
            if tag == _SPECIFIC_CHARACTER_SET:
                self.character_set = _character_set(element.value)
            vr = element.VR
            if vr == "SQ":
                self._sequence(out, tag, element)
                continue
            encoder = _ENCODERS.get(vr)
            if encoder is None:
                raise UnusualError
            data = encoder(element, self.character_set)
            if implicit:  # as `_header` does, without the call
                out += _IMPLICIT.pack(tag >> 16, tag & 0xFFFF, len(data))
            else:
                self._header(out, tag, vr, data)
            out += data
        self.character_set = outer
        return out

    def _header(self, out: bytearray, tag: int, vr: str, data: bytes | bytearray, undefined: bool = False) -> None:
        length = UNDEFINED if undefined else len(data)
        if self.implicit:
            out += _IMPLICIT.pack(tag >> 16, tag & 0xFFFF, length)
        elif vr in LONG_VRS:
            out += _LONG.pack(tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)
        elif length <= SHORT_LIMIT:
            out += _SHORT.pack(tag >> 16, tag & 0xFFFF, vr.encode(), length)
        else:
            raise UnusualError

    def _raw(self, out: bytearray, tag: int, element: Any) -> None:
        """A value that was never decoded goes as it came, if its encoding says so."""
        vr, value = element.VR, element.value
        if value is None and not element.length:
            value = b""
        if value is None or not element.is_little_endian or element.length == UNDEFINED:
            raise UnusualError
        if element.is_implicit_VR is not self.implicit and (vr is None or vr in ("SQ", "UN")):
            raise UnusualError
        if len(value) & 1:
            raise UnusualError
        self._header(out, tag, vr or "", value)
        out += value

    def _sequence(self, out: bytearray, tag: int, element: Any) -> None:
        undefined: bool = element.is_undefined_length
        content = bytearray()
        for item in element.value or ():
            data = self.encode(item)
            if item.is_undefined_length_sequence_item:
                content += _ITEM.pack(0xFFFE, 0xE000, UNDEFINED) + data + _ITEM_END
            else:
                content += _ITEM.pack(0xFFFE, 0xE000, len(data)) + data
        self._header(out, tag, "SQ", content, undefined)
        out += content
        if undefined:
            out += _SEQUENCE_END


def _keeps_character_set(dataset: Any) -> bool:
    """Whether what was never decoded is in the character set in force."""
    read_as = dataset.original_character_set
    return bool(read_as) and read_as == dataset._character_set


def _character_set(value: Any) -> str:
    name = PYTHON_CHARACTER_SETS.get(value or "") if isinstance(value, str) or value is None else None
    if name is None:
        raise UnusualError
    return name


def _string(value: Any) -> str:
    """One value or several as text, with the text it was decoded from where that is remembered."""
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if value is None:
        return ""
    if hasattr(value, "append"):
        return "\\".join([_string(one) for one in value])
    original = getattr(value, "original_string", None)
    if isinstance(original, bytes):
        if not original.isascii():
            raise UnusualError
        return original.decode("ascii")
    return original if isinstance(original, str) else str(value)


def _text(element: Any, character_set: str) -> bytes:
    value = element.value
    try:
        data = (value if type(value) is str else _string(value)).encode(character_set)
    except UnicodeError as failure:
        raise UnusualError from failure
    return data + b" " if len(data) & 1 else data


def _plain_text(element: Any, character_set: str) -> bytes:
    return _text(element, "ascii")


def _uid(element: Any, character_set: str) -> bytes:
    value = element.value
    try:
        data = _string(value).encode("ascii")
    except UnicodeError as failure:
        raise UnusualError from failure
    return data + b"\0" if len(data) & 1 else data


def _bytes(element: Any, character_set: str) -> bytes:
    value = element.value
    if value is None or value == "":
        return b""
    if type(value) is not bytes or element.is_undefined_length:
        raise UnusualError
    return value + b"\0" if len(value) & 1 else value


def _numbers(code: str) -> Callable[[Any, str], bytes]:
    one = Struct("<" + code).pack

    def encode(element: Any, character_set: str) -> bytes:
        value = element.value
        try:
            if type(value) is int or type(value) is float:
                return one(value)
            if value is None or value == "":
                return b""
            if hasattr(value, "append"):
                return pack(f"<{len(value)}{code}", *value)
        except error as failure:  # pydicom says it better
            raise UnusualError from failure
        raise UnusualError

    return encode


_ENCODERS: Final[dict[str, Callable[[Any, str], bytes]]] = {
    **dict.fromkeys(("LO", "LT", "PN", "SH", "ST", "UC", "UT"), _text),
    **dict.fromkeys(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UR"), _plain_text),
    **dict.fromkeys(("OB", "OD", "OF", "OL", "OV", "OW", "UN"), _bytes),
    "UI": _uid,
    **{vr: _numbers(code) for vr, code in (("US", "H"), ("UL", "L"), ("SL", "l"), ("UV", "Q"), ("SV", "q"))},
    **{vr: _numbers(code) for vr, code in (("FL", "f"), ("FD", "d"))},
}
"""How each VR is encoded; SS is left out for its LUT descriptors, AT for being rare."""
