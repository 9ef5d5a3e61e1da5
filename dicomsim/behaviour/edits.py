"""Changes to the bytes of a PDU: write a field, take a part out, put one in; the lengths around it follow, or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from dicomsim import sop_class, transfer_syntax
from dicomsim.behaviour.fields import BYTES, GROUP, ITEMS, LITTLE, NUMBER, PDUS, TEXT, Row, Span
from dicomsim.behaviour.kinds import read_hex
from dicomsim.behaviour.payload import PREFIXES, Payload
from dicomsim.behaviour.values import RANGES, Ranges, RuleError, read_integer, read_text, shown, suggest
from dicomsim.wire.command import COMMAND_ELEMENTS

Chain = tuple[Span, ...]
"""A span with all that is around it, from the PDU inwards."""

ALIASES: Mapping[str, str] = {
    "context": "contexts",
    "presentation_contexts": "contexts",
    "pdvs": "pdv",
    "transfer_syntaxes": "transfer_syntax",
    "user_information": "user",
    "async": "asynchronous_operations_window",
    "implementation_version": "implementation_version_name",
}
"""Other words for names in paths."""

_CHOICES = ("first", "last", "*")
_TAG_DIGITS = 8


def _is_choice(name: str) -> bool:
    """Whether a name chooses among several; eight digits are the tag of a command element."""
    return name in _CHOICES or (name.isdecimal() and len(name) < _TAG_DIGITS)


def find(root: Span, path: str) -> list[Chain]:
    """All spans that a path names, in wire order; none if the PDU has no such field.

    The first name may also be that of something further in: `maximum_length` is `user.maximum_length`, and `command` is
    that of the first presentation data value that has one.
    """
    chains: list[Chain] = [(root,)]
    names = path.split(".")
    while names:
        name = names.pop(0)
        choice = names.pop(0) if names and _is_choice(names[0]) else "first"
        if name != "pdu":
            name = ALIASES.get(name, name)
            chains = [found for chain in chains for found in _choose(_parts(chain, name), choice, name != "items")]
    return chains


def _parts(chain: Chain, name: str) -> list[Chain]:
    """The parts of that name; of the PDU, if it has none itself, those of its parts."""
    span = chain[-1]
    if name == "items":
        return [(*chain, part) for part in span.parts if part.kind is GROUP and part.name != "command"]
    found = [(*chain, part) for part in span.parts if part.name == name]
    return (
        found if found or len(chain) > 1 else [inner for part in span.parts for inner in _inside((*chain, part), name)]
    )


def _inside(chain: Chain, name: str) -> list[Chain]:
    found = []
    for part in chain[-1].parts:
        inner = (*chain, part)
        found += [inner] if part.name == name else _inside(inner, name)
    return found


def _choose(chains: list[Chain], choice: str, by_number: bool) -> list[Chain]:
    if choice == "*":
        return chains
    if choice in ("first", "last"):
        return chains[:1] if choice == "first" else chains[-1:]
    number = int(choice)
    if by_number and any(chain[-1].number is not None for chain in chains):
        return [chain for chain in chains if chain[-1].number == number][:1]
    return chains[number - 1 : number] if number else []


def field_of(chain: Chain) -> Chain:
    """The field that a path means which ends at a group: the group's value."""
    span = chain[-1]
    values = [part for part in span.parts if part.name == span.value]
    return (*chain, values[0]) if values else chain


@dataclass(frozen=True, slots=True)
class Change:
    """Bytes in the place of others."""

    around: Chain
    """The spans whose lengths the change makes wrong, from the PDU inwards."""
    start: int
    """Offset of the first byte that goes."""
    end: int
    """Offset behind the last one."""
    data: bytes
    """What stands there instead."""


def change(data: bytes, changes: Iterable[Change], fix: bool) -> bytes:
    """Carry out changes; `fix` keeps right the lengths of what is around them.

    Of two that overlap, the one that begins further back in the PDU is carried out, and the other is not.
    """
    result = bytearray(data)
    limit = len(result) + 1
    for item in sorted(changes, key=lambda item: (item.start, item.end), reverse=True):
        if item.end > limit:
            continue
        limit = item.start
        result[item.start : item.end] = item.data
        difference = len(item.data) - (item.end - item.start)
        if fix and difference:
            for span in item.around:
                if span.length is not None and item.start >= span.length.end:
                    _add(result, span.length, difference)
    return bytes(result)


def _add(data: bytearray, span: Span, difference: int) -> None:
    order: Literal["little", "big"] = "little" if span.kind is LITTLE else "big"
    size = span.end - span.start
    number = int.from_bytes(data[span.start : span.end], order) + difference
    data[span.start : span.end] = min(max(number, 0), (1 << 8 * size) - 1).to_bytes(size, order)


def _kinds_by_name() -> dict[str, set[str]]:
    """What can be written at the end of a path, by its last name."""
    kinds: dict[str, set[str]] = {"length": {NUMBER}, "type": {NUMBER}, "pdu_type": {NUMBER}, "pdu_length": {NUMBER}}
    rows: list[Row] = [row for pdu in PDUS.values() for row in pdu]
    rows += [row for _, _, item in ITEMS.values() for row in item]
    rows += [("context_id", 1, NUMBER), ("control", 1, NUMBER), ("data", "rest", BYTES), ("reserved", 1, NUMBER)]
    for name, size, kind in rows:
        if name:
            kinds.setdefault(name, set()).add(kind)
        if size == "counted":
            kinds.setdefault(f"{name}_length", set()).add(NUMBER)
    for name, value, item in ITEMS.values():
        kinds.setdefault(name, set()).update(kind for row, _, kind in item if row == value)
    for element in COMMAND_ELEMENTS.values():
        kinds[element.keyword] = {LITTLE if element.vr in ("US", "UL") else TEXT}
    return kinds | {name: {BYTES} for name in ("pdv", "command", "tag", "item", "items", "pdu")} | {"value": set()}


KINDS_BY_NAME: Mapping[str, set[str]] = _kinds_by_name()
"""Every name a path may have, with the kinds of field it may stand for."""


def read_path(value: Any) -> str:
    """Read a path; its names must be known, whether or not some PDU has them."""
    path = read_text(value)
    for name in path.split("."):
        known = ALIASES.get(name, name) in KINDS_BY_NAME
        if not known and not _is_choice(name) and not _is_tag(name):
            raise RuleError(f"no field is called {shown(name)}{suggest(name, (*KINDS_BY_NAME, *ALIASES))}", path)
    return path


def _is_tag(name: str) -> bool:
    return len(name) == _TAG_DIGITS and all(digit in "0123456789ABCDEF" for digit in name)


_UID_NAMES = frozenset(("uid", "abstract_syntax", "transfer_syntax", "sop_class_uid", "service_class_uid"))


def _last_name(path: str) -> str:
    names = [name for name in path.split(".") if not _is_choice(name)]
    return ALIASES.get(names[-1], names[-1]) if names else ""


def read_field(path: str, value: Any) -> int | str:
    """Read what is written into a field: a number, text, or bytes with a prefix."""
    if isinstance(value, str) and ":" in value and (prefix := value.partition(":")[0]) in PREFIXES:
        return f"{prefix}:{PREFIXES[prefix][0](value.partition(':')[2])}"
    kinds = KINDS_BY_NAME.get(_last_name(path), set())
    if kinds and kinds <= {NUMBER, LITTLE}:
        number = read_integer(value)
        if not 0 <= number <= 0xFFFFFFFF:
            raise RuleError(f"{number} fits into no field: 0 to 0xffffffff")
        return number
    return read_text(value)


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A value for a field whose size is only known when the PDU is there."""

    number: int | None
    """As a number, if it can be one."""
    text: str
    """As text."""
    payload: Payload | None = None
    """Bytes that are written as they are."""

    def encode(self, span: Span, payload: bytes | None) -> bytes:
        """The bytes for a span: the payload made, if there is one; a field of fixed size is filled or cut to fit."""
        if payload is not None:
            return payload
        size = span.end - span.start
        if span.kind in (NUMBER, LITTLE) and self.number is not None:
            number = self.number & ((1 << 8 * size) - 1)
            return number.to_bytes(size, "little" if span.kind is LITTLE else "big")
        data = self.text.encode("utf-8", "surrogateescape")
        return data[:size].ljust(size, b" ") if span.fixed else data


def make_field(path: str, value: int | str) -> FieldValue:
    """What `read_field` has read, ready to be written."""
    text = str(value)
    if isinstance(value, str) and (prefix := text.partition(":")[0]) in PREFIXES and ":" in text:
        return FieldValue(None, text, PREFIXES[prefix][1](text.partition(":")[2]))
    if _last_name(path) in _UID_NAMES:
        text = str(sop_class.names().get(text) or transfer_syntax.names().get(text) or text)
    try:
        return FieldValue(read_integer(value), text)
    except RuleError:
        return FieldValue(None, text)


def read_field_test(path: str, value: Any) -> Any:
    """Read what a field is compared with: a number or a range, text with *, `hex:…`, or `present` or `absent`."""
    if value in ("present", "absent") or (isinstance(value, str) and value.startswith("hex:")):
        return value
    kinds = KINDS_BY_NAME.get(_last_name(path), set())
    return RANGES.read(value) if kinds and kinds <= {NUMBER, LITTLE} else read_text(value)


def make_field_test(path: str, value: Any) -> Callable[[bytes, Span], bool]:
    """A predicate on the bytes of a PDU: whether one of the fields that a path names is so."""
    if value in ("present", "absent"):
        return lambda data, root: bool(find(root, path)) is (value == "present")
    test = _make_value_test(path, value)

    def holds(data: bytes, root: Span) -> bool:
        return any(
            test(data[chain[-1].start : chain[-1].end], chain[-1].kind) for chain in map(field_of, find(root, path))
        )

    return holds


def _make_value_test(path: str, value: Any) -> Callable[[bytes, str], bool]:
    if isinstance(value, str) and value.startswith("hex:"):
        wanted = read_hex(value[4:])
        return lambda found, kind: found == wanted
    try:
        ranges = RANGES.make(RANGES.read(value))
    except RuleError:
        ranges = Ranges(())
    text = str(make_field(path, value).text) if isinstance(value, str) else ""

    def test(found: bytes, kind: str) -> bool:
        if kind in (NUMBER, LITTLE):
            return int.from_bytes(found, "little" if kind is LITTLE else "big") in ranges
        return fnmatchcase(found.decode("utf-8", "backslashreplace").strip(" \0"), text)

    return test
