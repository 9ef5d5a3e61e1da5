"""Kinds of values that have a meaning in DICOM: PDU types, messages, UIDs, titles, codes, command elements."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from math import inf
from typing import Any, cast

from dicomsim import sop_class, transfer_syntax
from dicomsim.behaviour.values import (
    Kind,
    Ranges,
    RuleError,
    integer,
    list_of,
    many,
    read_integer,
    read_list,
    read_text,
    shown,
    suggest,
    word,
)
from dicomsim.dimse.table import MESSAGE_TYPES
from dicomsim.upper_layer.table import Action, Event, State
from dicomsim.wire.command import COMMAND_ELEMENTS, TAGS, Value
from dicomsim.wire.pdu import PduType

Test = Callable[[Any], bool]
"""A predicate on the value that an occasion shows."""

PDU_TYPES: Mapping[str, int] = {kind.standard_name: kind.value for kind in PduType}
"""PDU type by the standard's name."""
COMMANDS: Mapping[str, int] = {kind.name: number for number, kind in MESSAGE_TYPES.items()}
"""Command Field by the message's name."""
ITEM_TYPES: Mapping[str, int] = {
    "application_context": 0x10,
    "presentation_context_rq": 0x20,
    "presentation_context_ac": 0x21,
    "abstract_syntax": 0x30,
    "transfer_syntax": 0x40,
    "user_information": 0x50,
    "maximum_length": 0x51,
    "implementation_class_uid": 0x52,
    "asynchronous_operations_window": 0x53,
    "role_selection": 0x54,
    "implementation_version_name": 0x55,
    "sop_class_extended_negotiation": 0x56,
    "sop_class_common_extended_negotiation": 0x57,
    "user_identity_rq": 0x58,
    "user_identity_ac": 0x59,
}
"""Item type by name, PS3.8 §9.3 and PS3.7 Annex D.3.3."""


def _coded(table: Mapping[str, int], noun: str, high: int) -> Kind:
    """Names of a table, or the numbers themselves."""
    names = {number: name for name, number in table.items()}

    def read(value: Any) -> str:
        text = read_text(value)
        key = text.upper() if text.upper() in table else text.lower()
        if key in table:
            return key
        try:
            number = read_integer(value)
        except RuleError:
            raise RuleError(f"no {noun} is called {shown(text)}{suggest(text, table)}") from None
        if not 0 <= number <= high:
            raise RuleError(f"{number} is no {noun}: 0 to {high:#x}")
        return names.get(number, f"0x{number:0{len(f'{high:x}')}X}")

    def make(value: str) -> int:
        return table[value] if value in table else int(value, 16)

    return Kind(f"{noun}: {next(iter(table))}, or its number", read, make, words=lambda: table)


PDU = list_of(_coded(PDU_TYPES, "PDU type", 255))
ITEM = list_of(_coded(ITEM_TYPES, "item type", 255))
COMMAND_FIELD = _coded(COMMANDS, "message", 0xFFFF)


def _read_command(value: Any) -> str:
    text = read_text(value).upper()
    if isinstance(value, str) and any(sign in text for sign in "*?"):
        if not any(fnmatchcase(name, text) for name in COMMANDS):
            raise RuleError(f"no message's name looks like {shown(text)}")
        return text
    return str(COMMAND_FIELD.read(value))


def _make_command(value: str) -> Test:
    if "*" in value or "?" in value:
        fields = {number for name, number in COMMANDS.items() if fnmatchcase(name, value)}
    else:
        fields = {COMMAND_FIELD.make(value)}
    return lambda field: field in fields


COMMAND = list_of(
    Kind("message: C-STORE-RQ, *-RSP, or its number", _read_command, _make_command, words=lambda: COMMANDS)
)

STATE = list_of(word(*(state.value for state in State)))
EVENT = list_of(word(*(event.value for event in Event)))
ACTION = list_of(word(*(action.value for action in Action)))


def _uid_keywords(transfer: bool) -> Mapping[str, str]:
    if transfer:
        return {name: uid.uid for name, uid in transfer_syntax.names().items()}
    return {name: uid.uid for name, uid in sop_class.names().items() if name == uid.keyword}


_UID_FORM = re.compile(r"[0-9.*?]+")


def _uid(noun: str, transfer: bool, wildcards: bool) -> Kind:
    def read(value: Any) -> str:
        text = read_text(value).strip()
        if _UID_FORM.fullmatch(text) or text.startswith("text:"):
            return text
        known = _uid_keywords(transfer)
        if wildcards and "*" in text and any(fnmatchcase(name, text) for name in known):
            return text
        if text in known:
            return text
        former = None if transfer else sop_class.names().get(text)
        if former is not None:
            return former.keyword or former.uid
        raise RuleError(f"no {noun} is called {shown(text)}{suggest(text, known)}")

    def make(value: str) -> str:
        return value[5:] if value.startswith("text:") else _uid_keywords(transfer).get(value, value)

    def make_test(value: str) -> Test:
        if not ("*" in value or "?" in value) or value.startswith("text:"):
            uid = make(value)
            return lambda other: bool(other == uid)
        if _UID_FORM.fullmatch(value):
            return lambda other: fnmatchcase(other, value)
        uids = {uid for name, uid in _uid_keywords(transfer).items() if fnmatchcase(name, value)}
        return lambda other: other in uids

    form = f"{noun}: keyword or UID" + (", * for any part" if wildcards else "")
    return Kind(form, read, make_test if wildcards else make, words=lambda: _uid_keywords(transfer))


ONE_SOP_CLASS = _uid("SOP class", transfer=False, wildcards=True)
SOP_CLASS = list_of(ONE_SOP_CLASS)
SOP_CLASS_UID = _uid("SOP class", transfer=False, wildcards=False)
TRANSFER_SYNTAX_UID = _uid("transfer syntax", transfer=True, wildcards=False)


def _make_glob(value: str) -> Test:
    return lambda other: fnmatchcase(other, value)


TITLE = list_of(Kind("AE title, * for any part", read_text, _make_glob, schema={"type": ["string", "number"]}))


def _read_peer(value: Any) -> str:
    text = read_text(value).strip()
    if "/" in text:
        try:
            return str(ip_network(text, strict=False))
        except ValueError as fault:
            raise RuleError(f"{shown(text)} is no network: {fault}") from None
    return text


def _make_peer(value: str) -> Test:
    if "/" not in value:
        return _make_glob(value)
    network = ip_network(value, strict=False)

    def test(host: str) -> bool:
        try:
            return ip_address(host.partition("%")[0]) in network
        except ValueError:
            return False

    return test


PEER = list_of(Kind("address, 10.0.0.*, 10.0.0.0/8", _read_peer, _make_peer))

_HEX_STATUS = re.compile(r"(?:0x)?([0-9a-fA-F]{4})H?|([0-9a-fA-F]{1,4})H", re.IGNORECASE)


def read_status(value: Any) -> str:
    """Read a DIMSE status: four hexadecimal digits, with or without 0x in front or H behind; or a number."""
    if isinstance(value, str) and (match := _HEX_STATUS.fullmatch(value.strip())):
        number = int(match[1] or match[2], 16)
    else:
        number = read_integer(value)
    if not 0 <= number <= 0xFFFF:
        raise RuleError(f"{shown(value)} is no status: 0000 to FFFF")
    return f"0x{number:04X}"


STATUS = Kind(
    "A700, or a list used in turn",
    lambda value: read_list(value, read_status),
    lambda value: tuple(int(status, 16) for status in many(value)),
)


def codes(names: tuple[str, ...], known: Mapping[str, str], high: int = 255) -> Kind:
    """A few numbers with a slash between them, or a list, a mapping by name, or a well-known word."""

    def read(value: Any) -> str:
        if isinstance(value, str) and value.casefold() in known:
            return known[value.casefold()]
        parts: Any = value
        if isinstance(value, Mapping):
            if strange := [key for key in value if key not in names]:
                raise RuleError(f"no {shown(str(strange[0]))} here{suggest(str(strange[0]), names)}", str(strange[0]))
            parts = [value.get(name, 0) for name in names]
        elif not isinstance(value, list | tuple):
            parts = read_text(value).split("/")
        if len(parts) != len(names):
            hint = suggest(value, known) if isinstance(value, str) else ""
            raise RuleError(f"{shown(value)} is not {'/'.join(names)}{hint}")
        numbers = [read_integer(part) for part in parts]
        if any(not 0 <= number <= high for number in numbers):
            raise RuleError(f"{shown(value)} is out of range: each number is 0 to {high}")
        return "/".join(map(str, numbers))

    def make(value: str) -> tuple[int, ...]:
        return tuple(map(int, value.split("/")))

    form = "/".join(names) + (f", or a name such as {next(iter(known))}" if known else "")
    return Kind(form, read, make, words=lambda: known, mapping=True)


REJECTION_NAMES: Mapping[str, str] = {
    "no-reason": "1/1/1",
    "application-context": "1/1/2",
    "calling": "1/1/3",
    "called": "1/1/7",
    "identity": "1/2/1",
    "version": "1/2/2",
    "congestion": "2/3/1",
    "limit": "2/3/2",
}
"""Usual codes of an A-ASSOCIATE-RJ."""
ABORT_NAMES: Mapping[str, str] = {
    "user": "0/0",
    "provider": "2/0",
    "unrecognized-pdu": "2/1",
    "unexpected-pdu": "2/2",
    "unrecognized-parameter": "2/4",
    "unexpected-parameter": "2/5",
    "invalid-value": "2/6",
}
"""Usual codes of an A-ABORT."""
REJECTION = codes(("result", "source", "reason"), REJECTION_NAMES)
"""Codes of an A-ASSOCIATE-RJ, PS3.8 Table 9-21."""
ABORT = codes(("source", "reason"), ABORT_NAMES)
"""Codes of an A-ABORT, PS3.8 Table 9-26."""

_TAG = re.compile(r"\(?([0-9a-fA-F]{4}),?([0-9a-fA-F]{4})\)?")


def command_tag(keyword: str) -> int:
    """The tag of a command element by keyword or by its own number (`0000,0900`)."""
    if keyword in TAGS:
        return TAGS[keyword]
    if match := _TAG.fullmatch(keyword):
        return int(match[1] + match[2], 16)
    raise RuleError(f"no command element is called {shown(keyword)}{suggest(keyword, TAGS)}", keyword)


def read_hex(text: str) -> bytes:
    """Read hexadecimal digits, blanks between bytes allowed."""
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise RuleError(f"{shown(text)} is not in hexadecimal digits, two a byte") from None


def _read_tag(value: Any) -> str:
    """Read a tag as the value of an AT element: `(0008,0018)`, `00080018`, or a number."""
    if isinstance(value, str) and (match := _TAG.fullmatch(value.strip())):
        number = int(match[1] + match[2], 16)
    else:
        number = read_integer(value)
    if not 0 <= number <= 0xFFFFFFFF:
        raise RuleError(f"{shown(value)} is no tag: (0000,0000) to (FFFF,FFFF)")
    return f"0x{number:08X}"


def _from_hex(value: str) -> int:
    return int(value, 16)


_ONE_STATUS = Kind("A700", read_status, _from_hex)
_ONE_TAG = Kind("(0008,0018)", _read_tag, _from_hex)
_PLAIN_TEXT = Kind("text", read_text)
_NUMBERS: Mapping[str, Kind] = {"US": integer(0, 0xFFFF), "UL": integer(0, 0xFFFFFFFF), "AT": _ONE_TAG}
_SPECIAL: Mapping[str, Kind] = {"Status": _ONE_STATUS, "CommandField": COMMAND_FIELD}


def _element_kind(keyword: str) -> Kind:
    """How one value of a command element is written."""
    row = COMMAND_ELEMENTS.get(command_tag(keyword))
    if row is None:
        raise RuleError(f"{keyword} is no element of the command dictionary; give its value as hex:…")
    if row.keyword in _SPECIAL:
        return _SPECIAL[row.keyword]
    return SOP_CLASS_UID if row.vr == "UI" else _NUMBERS.get(row.vr, _PLAIN_TEXT)


def _is_hex(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("hex:")


def read_element(keyword: str, value: Any) -> Any:
    """Read what a command element is set to: a number, text, a list, or `hex:…` for bytes as they stand."""
    if _is_hex(value):
        return f"hex:{read_hex(value[4:]).hex()}"
    return read_list(value, _element_kind(keyword).read)


def make_element(keyword: str, value: Any) -> Value:
    """The value of a command element as a `Message` holds it."""
    if _is_hex(value):
        return bytes.fromhex(value[4:])
    kind = _element_kind(keyword)
    values: tuple[Any, ...] = tuple(map(kind.make, many(value)))
    single = not isinstance(value, list) and kind is not _ONE_TAG
    return cast("Value", values[0] if single else values)


def read_element_test(keyword: str, value: Any) -> Any:
    """Read what a command element is compared with: a value, a range, text with *, `absent`, or a list of them."""
    kind = None if _is_hex(value) else _element_kind(keyword)

    def read(item: Any) -> Any:
        if kind is None or item == "absent":
            return item
        if isinstance(item, str) and _is_range(kind, item):
            ends = [str(kind.read(end)) if end.strip() else "" for end in item.split("..", 1)]
            return "..".join(ends)
        if isinstance(item, str) and "*" in item and kind is SOP_CLASS_UID:
            return item
        return read_element(keyword, item)

    return read_list(value, read)


def _is_range(kind: Kind, item: str) -> bool:
    return ".." in item and (kind is _ONE_STATUS or kind in _NUMBERS.values())


def make_element_test(keyword: str, value: Any) -> Test:
    """A predicate on the value of a command element; None stands for an absent one."""
    tests = tuple(_make_one_test(keyword, item) for item in many(value))
    return lambda found: any(test(found) for test in tests)


def _make_one_test(keyword: str, item: Any) -> Test:
    if item == "absent":
        return lambda found: found is None
    if isinstance(item, str) and not _is_hex(item):
        kind = _element_kind(keyword)
        if _is_range(kind, item):
            low, _, high = item.partition("..")
            ranges = Ranges(((kind.make(kind.read(low)) if low else 0, kind.make(kind.read(high)) if high else inf),))
            return lambda found: found in ranges
        if "*" in item:
            return lambda found: isinstance(found, str) and fnmatchcase(found, item)
    wanted = make_element(keyword, item)
    return lambda found: bool(found == wanted)
