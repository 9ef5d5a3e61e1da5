"""Where each field of a PDU stands: names for bytes, so that a fault goes into one field and leaves all else alone.

`spans` reads any bytes into a tree of `Span`s and never fails: what is cut off or overlong simply ends where the bytes
end. A path names spans from the outside in: `result`, `contexts.3.abstract_syntax`, `user.maximum_length`,
`pdv.2.context_id`, `command.Status`. Where there are several of a name a number chooses (contexts by their ID, all else
by its place from 1), as do `first`, `last` and `*` for all; without, it is the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dicomsim.wire.command import COMMAND_ELEMENTS

NUMBER: Final = "number"
LITTLE: Final = "little-endian number"
TEXT: Final = "text"
BYTES: Final = "bytes"
GROUP: Final = "group"
"""A span that has parts: an item, a PDV, the command set, an element, the PDU itself."""


@dataclass(frozen=True, slots=True)
class Span:
    """A named range of bytes."""

    name: str
    """As in a path."""
    start: int
    """Offset of its first byte in the PDU."""
    end: int
    """Offset behind its last byte."""
    kind: str = BYTES
    """How a value is written into it: NUMBER, LITTLE, TEXT, BYTES, or GROUP, which stands for its `value`."""
    parts: tuple[Span, ...] = field(default=(), repr=False)
    """What it consists of, in wire order."""
    length: Span | None = field(default=None, repr=False)
    """The field that says how long it is."""
    number: int | None = None
    """What a number in a path chooses it by; None means its place."""
    value: str = ""
    """Of a GROUP: the part that a path which ends here means."""
    fixed: bool = False
    """Whether the standard fixes how many bytes it has."""


Size = int | str
"""Bytes of a field: a number, `counted` (two bytes of length in front) or `rest`."""
Row = tuple[str, Size, str]
"""Name, size and kind of one field."""

_UID_ITEM: Final[tuple[Row, ...]] = (("uid", "rest", TEXT),)
ITEMS: Final[Mapping[int, tuple[str, str, tuple[Row, ...]]]] = {
    0x10: ("application_context", "uid", _UID_ITEM),
    0x20: ("contexts", "", (("context_id", 1, NUMBER), ("reserved2", 3, BYTES), ("", "items", GROUP))),
    0x21: (
        "contexts",
        "result",
        (
            ("context_id", 1, NUMBER),
            ("reserved2", 1, BYTES),
            ("result", 1, NUMBER),
            ("reserved3", 1, BYTES),
            ("", "items", GROUP),
        ),
    ),
    0x30: ("abstract_syntax", "uid", _UID_ITEM),
    0x40: ("transfer_syntax", "uid", _UID_ITEM),
    0x50: ("user", "", (("", "items", GROUP),)),
    0x51: ("maximum_length", "value", (("value", "rest", NUMBER),)),
    0x52: ("implementation_class_uid", "uid", _UID_ITEM),
    0x53: ("asynchronous_operations_window", "invoked", (("invoked", 2, NUMBER), ("performed", 2, NUMBER))),
    0x54: (
        "role_selection",
        "sop_class_uid",
        (("sop_class_uid", "counted", TEXT), ("scu_role", 1, NUMBER), ("scp_role", 1, NUMBER)),
    ),
    0x55: ("implementation_version_name", "name", (("name", "rest", TEXT),)),
    0x56: (
        "sop_class_extended_negotiation",
        "information",
        (("sop_class_uid", "counted", TEXT), ("information", "rest", BYTES)),
    ),
    0x57: (
        "sop_class_common_extended_negotiation",
        "service_class_uid",
        (("sop_class_uid", "counted", TEXT), ("service_class_uid", "counted", TEXT), ("related", "counted", BYTES)),
    ),
    0x58: (
        "user_identity",
        "primary",
        (
            ("identity_type", 1, NUMBER),
            ("positive_response_requested", 1, NUMBER),
            ("primary", "counted", BYTES),
            ("secondary", "counted", BYTES),
        ),
    ),
    0x59: ("user_identity", "server_response", (("server_response", "counted", BYTES),)),
}
"""Item type: its name in paths, its value, its fields. PS3.8 §9.3, PS3.7 Annex D.3.3."""

_ASSOCIATE: Final[tuple[Row, ...]] = (
    ("protocol_version", 2, NUMBER),
    ("reserved2", 2, BYTES),
    ("called_ae_title", 16, TEXT),
    ("calling_ae_title", 16, TEXT),
    ("reserved3", 32, BYTES),
    ("", "items", GROUP),
)
_RELEASE: Final[tuple[Row, ...]] = (("reserved2", 4, BYTES),)
PDUS: Final[Mapping[int, tuple[Row, ...]]] = {
    1: _ASSOCIATE,
    2: _ASSOCIATE,
    3: (("reserved2", 1, BYTES), ("result", 1, NUMBER), ("source", 1, NUMBER), ("reason", 1, NUMBER)),
    4: (("", "pdvs", GROUP),),
    5: _RELEASE,
    6: _RELEASE,
    7: (("reserved2", 2, BYTES), ("source", 1, NUMBER), ("reason", 1, NUMBER)),
}
"""PDU type: its fields behind the header. PS3.8 §9.3."""

_PDV: Final[tuple[Row, ...]] = (("context_id", 1, NUMBER), ("control", 1, NUMBER), ("data", "rest", BYTES))

HEADER: Final = 6
"""Bytes of a PDU header, and offset of what follows it."""


def spans(data: bytes) -> Span:
    """The tree of all fields of a PDU, whatever the bytes are."""
    end = len(data)
    header = _fields(data, 0, min(HEADER, end), _HEADER_ROWS)
    length = next((part for part in header if part.name == "pdu_length"), None)
    rows = PDUS.get(data[0] if data else 0, _UNKNOWN_ROWS)
    return Span("pdu", 0, end, GROUP, (*header, *_fields(data, min(HEADER, end), end, rows)), length)


_HEADER_ROWS: Final[tuple[Row, ...]] = (("pdu_type", 1, NUMBER), ("reserved", 1, NUMBER), ("pdu_length", 4, NUMBER))
_UNKNOWN_ROWS: Final[tuple[Row, ...]] = (("data", "rest", BYTES),)


def _fields(data: bytes, start: int, end: int, rows: Sequence[Row]) -> tuple[Span, ...]:
    """Lay rows over bytes; a row that does not fit whole is shorter or missing."""
    found: list[Span] = []
    position = start
    for name, size, kind in rows:
        if size == "items" or size == "pdvs":
            found.extend((_items if size == "items" else _pdvs)(data, position, end))
            break
        if position >= end and isinstance(size, int):
            break
        count = None
        room = size
        if size == "counted":
            count = Span(f"{name}_length", position, min(position + 2, end), NUMBER, fixed=True)
            found.append(count)
            position, room = count.end, int.from_bytes(data[count.start : count.end], "big")
        stop = min(position + room, end) if isinstance(room, int) else end
        found.append(Span(name, position, stop, kind, length=count, fixed=isinstance(size, int)))
        position = stop
    return tuple(found)


def _items(data: bytes, start: int, end: int) -> Iterator[Span]:
    position = start
    while position + 4 <= end:
        item_type = data[position]
        stop = min(position + 4 + int.from_bytes(data[position + 2 : position + 4], "big"), end)
        name, value, rows = ITEMS.get(item_type, ("item", "data", _UNKNOWN_ROWS))
        length = Span("length", position + 2, position + 4, NUMBER, fixed=True)
        parts = (
            Span("type", position, position + 1, NUMBER, fixed=True),
            Span("reserved", position + 1, position + 2, NUMBER, fixed=True),
            length,
            *_fields(data, position + 4, stop, rows),
        )
        context_id = data[position + 4] if name == "contexts" and position + 4 < stop else None
        yield Span(name, position, stop, GROUP, parts, length, context_id, value)
        position = stop


def _pdvs(data: bytes, start: int, end: int) -> Iterator[Span]:
    position = start
    command_seen = False
    while position + 4 <= end:
        stop = min(position + 4 + int.from_bytes(data[position : position + 4], "big"), end)
        length = Span("length", position, position + 4, NUMBER, fixed=True)
        parts = (length, *_fields(data, position + 4, stop, _PDV))
        if not command_seen and position + 6 <= stop and data[position + 5] & 1:
            command_seen = True
            parts = (*parts, _command(data, position + 6, stop))
        yield Span("pdv", position, stop, GROUP, parts, length, value="data")
        position = stop


def _command(data: bytes, start: int, end: int) -> Span:
    """The elements of a command set (or of the first fragment of one), implicit VR little endian."""
    elements: list[Span] = []
    group_length: Span | None = None
    position = start
    while position + 8 <= end:
        tag = int.from_bytes(data[position : position + 2], "little") << 16
        tag |= int.from_bytes(data[position + 2 : position + 4], "little")
        stop = min(position + 8 + int.from_bytes(data[position + 4 : position + 8], "little"), end)
        row = COMMAND_ELEMENTS.get(tag)
        length = Span("length", position + 4, position + 8, LITTLE, fixed=True)
        kind = {"US": LITTLE, "UL": LITTLE, "AT": BYTES}.get(row.vr, TEXT) if row else BYTES
        value = Span("value", position + 8, stop, kind)
        parts = (Span("tag", position, position + 4), length, value)
        elements.append(Span(row.keyword if row else f"{tag:08X}", position, stop, GROUP, parts, length, value="value"))
        if not tag and group_length is None and stop - position == 12:
            group_length = value
        position = stop
    return Span("command", start, end, GROUP, tuple(elements), group_length)
