"""PDUs and command sets for people: `one_line` for a ladder or a log, `tree` for everything there is.

The peer's text never reaches the terminal raw: control characters and bytes beyond ASCII are written as escapes, long
values are cut, and so are trees, since a P-DATA-TF may hold a million empty fragments. Passcodes, tickets and tokens
show as lengths. `names` gives UIDs their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from dicomsim.wire.codec import pdu_name
from dicomsim.wire.codes import (
    NO_DATA_SET,
    PRIORITIES,
    command_name,
    describe_abort,
    describe_context_result,
    describe_identity_type,
    describe_reject,
)
from dicomsim.wire.command import COMMAND_ELEMENTS, TAGS, Value, tag_name
from dicomsim.wire.item_codec import ITEMS
from dicomsim.wire.items import (
    AbstractSyntax,
    ApplicationContext,
    AsynchronousOperationsWindow,
    ImplementationClassUid,
    ImplementationVersionName,
    MaximumLength,
    PresentationContextAC,
    PresentationContextRQ,
    RoleSelection,
    SopClassCommonExtendedNegotiation,
    SopClassExtendedNegotiation,
    TransferSyntax,
    UnknownItem,
    UserIdentityAC,
    UserIdentityRQ,
    UserInformation,
)
from dicomsim.wire.pdu import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    PDataTF,
    Pdu,
    Pdv,
    ReleaseRP,
    ReleaseRQ,
    UnknownPdu,
)

MAX_LINES: Final = 1000
"""Lines of a tree before it is cut: 128 contexts with six transfer syntaxes each need fewer."""
MAX_TEXT: Final = 128
"""Characters of a text before it is cut: twice the longest UID."""
MAX_BYTES: Final = 32
"""Bytes shown of a value that is no text."""
MAX_PDVS: Final = 4
"""Fragments named on one line."""

Names: TypeAlias = Mapping[str, str]
"""Name by UID."""

_NO_NAMES: Names = MappingProxyType({})


def one_line(value: Pdu | Mapping[int, Value], names: Names = _NO_NAMES) -> str:
    """A PDU or a command set on one line of printable characters."""
    if isinstance(value, Mapping):
        return _command_line(value, names)
    if isinstance(value, UnknownPdu):
        return f"{pdu_name(value.pdu_type)}, {len(value.data)} bytes"
    detail = _PDU_LINES[type(value)](value)
    return f"{value.TYPE.standard_name} {detail}".rstrip()


def tree(value: Pdu | Mapping[int, Value], names: Names = _NO_NAMES) -> str:
    """All fields of a PDU or of a command set, one a line, indented; cut after `MAX_LINES` lines."""
    lines = _command_lines(value, names) if isinstance(value, Mapping) else _pdu_lines(value, names)
    shown = [f"{'  ' * depth}{text}" for depth, text in islice(lines, MAX_LINES)]
    if next(lines, None) is not None:
        shown.append(f"  ... (cut after {MAX_LINES} lines)")
    return "\n".join(shown)


def printable(text: str) -> str:
    """Text that is safe to show, as `escaped`, cut after `MAX_TEXT` characters."""
    shown = escaped(text[:MAX_TEXT])
    return shown if len(text) <= MAX_TEXT else f"{shown}... ({len(text)} characters)"


def escaped(text: str) -> str:
    """All of a text, with `\\xNN` for what is not printable."""
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not ASCII, see Cursor.text
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def hexadecimal(data: bytes) -> str:
    """`0a 0b`, cut after `MAX_BYTES` bytes."""
    shown = data[:MAX_BYTES].hex(" ")
    return shown if len(data) <= MAX_BYTES else f"{shown} ... ({len(data)} bytes)"


def _uid(uid: str, names: Names) -> str:
    shown = printable(uid) or "(empty)"
    return f"{shown} ({names[uid]})" if uid in names else shown


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# One line


def _associate_line(pdu: AssociateRQ | AssociateAC) -> str:
    contexts: tuple[Any, ...] = pdu.presentation_contexts
    if isinstance(pdu, AssociateRQ):
        about = f"{printable(pdu.calling)} -> {printable(pdu.called)}, {_count(len(contexts), 'context')}"
    else:
        accepted = sum(context.result == 0 for context in contexts)
        about = f"{accepted} of {_count(len(contexts), 'context')} accepted"
    maximum = pdu.user_item(MaximumLength)
    return about if maximum is None else f"{about}, maximum length {maximum.value or 'unlimited'}"


def _pdv_text(pdv: Pdv) -> str:
    kind = "command" if pdv.is_command else "data"
    last = " last" if pdv.is_last else ""
    return f"context {pdv.context_id} {kind}{last}, {_count(len(pdv.data), 'byte')}"


def _p_data_line(pdu: PDataTF) -> str:
    shown = "; ".join(map(_pdv_text, pdu.pdvs[:MAX_PDVS]))
    more = len(pdu.pdvs) - MAX_PDVS
    return shown if more <= 0 else f"{shown}; and {more} more"


_PDU_LINES: Mapping[type, Callable[[Any], str]] = {
    AssociateRQ: _associate_line,
    AssociateAC: _associate_line,
    AssociateRJ: lambda pdu: describe_reject(pdu.result, pdu.source, pdu.reason),
    PDataTF: _p_data_line,
    ReleaseRQ: lambda pdu: "",
    ReleaseRP: lambda pdu: "",
    Abort: lambda pdu: describe_abort(pdu.source, pdu.reason),
}


# Trees


def _common_extended_text(item: SopClassCommonExtendedNegotiation, names: Names) -> str:
    related = ", ".join(_uid(uid, names) for uid in item.related_general[:MAX_PDVS]) or "none"
    more = len(item.related_general) - MAX_PDVS
    text = f"{_uid(item.sop_class_uid, names)}: service class {_uid(item.service_class_uid, names)}, related {related}"
    if more > 0:
        text += f" and {more} more"
    if item.version:
        text += f", version {item.version}"
    return text + (f", rest {hexadecimal(item.rest)}" if item.rest else "")


def _identity_text(item: UserIdentityRQ) -> str:
    if item.identity_type in (1, 2):
        primary = f'"{printable(item.primary.decode("utf-8", "backslashreplace"))}"'
    else:
        primary = _count(len(item.primary), "byte")
    secondary = "no secondary field" if item.secondary is None else f"secondary {_count(len(item.secondary), 'byte')}"
    wanted = ", response requested" if item.positive_response_requested else ""
    return f"{describe_identity_type(item.identity_type)} {primary}, {secondary}{wanted}"


_ITEM_TEXTS: Mapping[type, Callable[[Any, Names], str]] = {
    ApplicationContext: lambda item, names: _uid(item.uid, names),
    PresentationContextRQ: lambda item, names: str(item.context_id),
    PresentationContextAC: lambda item, names: f"{item.context_id}: {describe_context_result(item.result)}",
    AbstractSyntax: lambda item, names: _uid(item.uid, names),
    TransferSyntax: lambda item, names: _uid(item.uid, names),
    UserInformation: lambda item, names: "",
    MaximumLength: lambda item, names: str(item.value or "0 (unlimited)"),
    ImplementationClassUid: lambda item, names: _uid(item.uid, names),
    AsynchronousOperationsWindow: lambda item, names: f"invoked {item.invoked}, performed {item.performed}",
    RoleSelection: lambda item, names: f"{_uid(item.sop_class_uid, names)}: SCU {item.scu_role}, SCP {item.scp_role}",
    ImplementationVersionName: lambda item, names: f'"{printable(item.name)}"',
    SopClassExtendedNegotiation: lambda item, names: (
        f"{_uid(item.sop_class_uid, names)}: {hexadecimal(item.information)}"
    ),
    SopClassCommonExtendedNegotiation: _common_extended_text,
    UserIdentityRQ: lambda item, names: _identity_text(item),
    UserIdentityAC: lambda item, names: f"server response of {_count(len(item.server_response), 'byte')}",
    UnknownItem: lambda item, names: hexadecimal(item.data),
}

_RESERVED_BYTES: Mapping[type, tuple[str, ...]] = {
    AssociateRQ: ("2", "9-10", "43-74"),
    AssociateAC: ("2", "9-10", "43-74"),
    AssociateRJ: ("2", "7"),
    ReleaseRQ: ("2", "7-10"),
    ReleaseRP: ("2", "7-10"),
    Abort: ("2", "7-8"),
    PresentationContextRQ: ("2", "6", "7", "8"),
    PresentationContextAC: ("2", "6", "8"),
}
"""Where the reserved bytes stand, in the standard's numbering; byte 2 alone for the other structures."""


def _reserved_lines(value: Any, depth: int) -> Iterator[tuple[int, str]]:
    reserved = getattr(value, "reserved", 0)
    fields = reserved if isinstance(reserved, tuple) else (reserved,)
    for place, field in zip(_RESERVED_BYTES.get(type(value), ("2",)), fields, strict=False):
        data = field if isinstance(field, bytes) else bytes((field & 0xFF,))
        if any(data):
            yield depth, f"reserved byte{'s' if '-' in place else ''} {place}: {hexadecimal(data)}"


def _item_line(item: Any, names: Names) -> str:
    name = f"unknown item {item.item_type:02X}H" if isinstance(item, UnknownItem) else ITEMS[item.TYPE].name
    return f"{name} {_ITEM_TEXTS[type(item)](item, names)}".rstrip()


def _item_lines(items: Iterable[Any], names: Names) -> Iterator[tuple[int, str]]:
    for item in items:
        yield 1, _item_line(item, names)
        yield from _reserved_lines(item, 2)
        for part in getattr(item, "items", ()):
            yield 2, _item_line(part, names)
            yield from _reserved_lines(part, 3)


def _pdu_lines(pdu: Pdu, names: Names) -> Iterator[tuple[int, str]]:
    if isinstance(pdu, AssociateRQ | AssociateAC):
        yield 0, pdu.TYPE.standard_name
        yield 1, f"protocol version {pdu.protocol_version}"
        yield 1, f'called AE title "{printable(_title(pdu.called_ae_title))}"'
        yield 1, f'calling AE title "{printable(_title(pdu.calling_ae_title))}"'
        yield from _reserved_lines(pdu, 1)
        yield from _item_lines(pdu.items, names)
        return
    yield 0, pdu_name(pdu.pdu_type) if isinstance(pdu, UnknownPdu) else pdu.TYPE.standard_name
    yield from _reserved_lines(pdu, 1)
    if isinstance(pdu, PDataTF):
        for pdv in pdu.pdvs:
            yield 1, f"presentation data value: {_pdv_text(pdv)}"
            if pdv.control > 3:
                yield 2, f"message control header {pdv.control:02X}H"
            if pdv.data:
                yield 2, hexadecimal(pdv.data)
    elif isinstance(pdu, UnknownPdu):
        yield 1, hexadecimal(pdu.data)
    elif detail := _PDU_LINES[type(pdu)](pdu):
        yield 1, detail


def _title(title: bytes) -> str:
    return title.decode("ascii", "surrogateescape")


# Command sets


def _command_line(command: Mapping[int, Value], names: Names) -> str:
    field = command.get(TAGS["CommandField"])
    parts = [command_name(field) if isinstance(field, int) else "command set without command field"]
    for keyword, text in _COMMAND_TEXTS.items():
        value = command.get(TAGS[keyword])
        if value is not None:
            parts.append(text.format(_value_text(TAGS[keyword], value, names)))
    if command.get(TAGS["CommandDataSetType"], NO_DATA_SET) != NO_DATA_SET:
        parts.append("with data set")
    return ", ".join(parts)


_COMMAND_TEXTS: Mapping[str, str] = {
    "MessageID": "message {}",
    "MessageIDBeingRespondedTo": "to message {}",
    "Status": "status {}",
    "AffectedSOPClassUID": "{}",
    "RequestedSOPClassUID": "{}",
    "AffectedSOPInstanceUID": "instance {}",
    "RequestedSOPInstanceUID": "instance {}",
    "EventTypeID": "event type {}",
    "ActionTypeID": "action type {}",
    "MoveDestination": "destination {}",
    "NumberOfRemainingSuboperations": "remaining {}",
    "NumberOfCompletedSuboperations": "completed {}",
    "NumberOfFailedSuboperations": "failed {}",
    "NumberOfWarningSuboperations": "warning {}",
    "ErrorComment": '"{}"',
}
"""What of a command set goes on its one line, in that order."""


_NUMBER_TEXTS: Mapping[int, Callable[[int], str]] = {
    TAGS["CommandField"]: lambda value: f"{value:04X}H {command_name(value)}",
    TAGS["CommandDataSetType"]: lambda value: f"{value:04X}H {'no ' if value == NO_DATA_SET else ''}data set",
    TAGS["Status"]: lambda value: f"{value:04X}H",
    TAGS["Priority"]: lambda value: f"{value} {PRIORITIES.get(value, 'not defined')}",
}
"""Numbers that read better in another way than in decimal."""


def _value_text(tag: int, value: Value, names: Names) -> str:
    if isinstance(value, bytes):
        return hexadecimal(value)
    if isinstance(value, str):
        return _uid(value, names)
    if isinstance(value, int):
        return _NUMBER_TEXTS[tag](value) if tag in _NUMBER_TEXTS else str(value)
    members = value[:MAX_BYTES]
    if tag in COMMAND_ELEMENTS and COMMAND_ELEMENTS[tag].vr == "AT":
        texts = [tag_name(member) if isinstance(member, int) else printable(member) for member in members]
    else:
        texts = [printable(str(member)) for member in members]
    shown = ", ".join(texts) or "(empty)"
    return shown if len(value) <= MAX_BYTES else f"{shown} ... ({len(value)} values)"


def _command_lines(command: Mapping[int, Value], names: Names) -> Iterator[tuple[int, str]]:
    field = command.get(TAGS["CommandField"])
    yield 0, command_name(field) if isinstance(field, int) else "command set without command field"
    for tag, value in command.items():
        yield 1, f"{tag_name(tag)} {_value_text(tag, value, names)}"
