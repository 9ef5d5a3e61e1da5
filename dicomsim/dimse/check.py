"""Judges messages by the tables of PS3.7: what is missing, what is too much, what does not fit the status."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dicomsim.dimse.messages import (
    COMMAND_DATA_SET_TYPE,
    COMMAND_FIELD,
    MESSAGE_ID,
    MESSAGE_ID_BEING_RESPONDED_TO,
    STATUS,
    Message,
)
from dicomsim.dimse.table import MESSAGE_TYPES, RESPONSE, STATUS_ELEMENTS, DataSet, MessageType, Usage
from dicomsim.status import Status, StatusClass, status_class
from dicomsim.wire.codes import Priority
from dicomsim.wire.command import COMMAND_ELEMENTS, TAGS, Value, tag_name

_HEAD: Final = frozenset((TAGS["CommandGroupLength"], COMMAND_FIELD, COMMAND_DATA_SET_TYPE))
_IN_ANY_RESPONSE: Final = STATUS_ELEMENTS | {TAGS["AffectedSOPClassUID"], TAGS["AffectedSOPInstanceUID"], MESSAGE_ID}
_PRESENT: Final = (
    _HEAD | _IN_ANY_RESPONSE | {tag for message_type in MESSAGE_TYPES.values() for tag in message_type.elements}
)
"""All that is not retired."""
_REMAINING: Final = TAGS["NumberOfRemainingSuboperations"]
_PRIORITY: Final = TAGS["Priority"]
_LENGTHS: Final = {"UI": 64, "AE": 16, "LO": 64}
_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")
_DATA_SET_STATUSES: Final = {
    DataSet.WITH_PENDING: (frozenset((StatusClass.PENDING,)), frozenset((StatusClass.PENDING,))),
    DataSet.WITH_SUCCESS: (frozenset((StatusClass.SUCCESS,)), frozenset(StatusClass)),
    DataSet.ONLY_WITH_SUCCESS: (frozenset[StatusClass](), frozenset((StatusClass.SUCCESS,))),
    DataSet.ALWAYS: (frozenset(StatusClass), frozenset(StatusClass)),
    DataSet.OPTIONAL: (frozenset[StatusClass](), frozenset(StatusClass)),
    DataSet.NEVER: (frozenset[StatusClass](), frozenset[StatusClass]()),
}
"""With which classes of status a data set is required, and with which it is allowed; requests count as any."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule that a message breaks."""

    tag: int | None
    """The command element, or None if it is about the data set or the message as a whole."""
    reason: str
    """What is wrong, in words."""
    section: str
    """Where the standard says so."""

    def __str__(self) -> str:
        where = "" if self.tag is None else f"{tag_name(self.tag)}: "
        return f"{where}{self.reason} ({self.section})"


def check(message: Message, request: Message | None = None) -> list[Fault]:
    """Judge a message, and a response also by the request that it answers; an empty list means that it conforms."""
    kind = MESSAGE_TYPES.get(message.command_field)
    if kind is None:
        return [Fault(COMMAND_FIELD, f"{message.command_field:04X}H is no command", "PS3.7 §E.1")]
    faults = [*_missing(message, kind, request), *_foreign(message, kind), *_values(message), *_data_set(message, kind)]
    if request is not None:
        faults += _relation(message, kind, request)
    return faults


def _missing(message: Message, kind: MessageType, request: Message | None) -> Iterator[Fault]:
    required = {
        Usage.MANDATORY: True,
        Usage.OPTIONAL: False,
        Usage.WITH_PENDING: message.is_pending,
        Usage.WITH_DATA: message.has_data_set,
        Usage.ASSIGNED: message.status == Status.SUCCESS and request is not None and not request.sop_instance_uid,
    }
    for tag, usage in (kind.elements | {COMMAND_DATA_SET_TYPE: Usage.MANDATORY}).items():
        if required[usage] and message.command.get(tag) in (None, "", ()):
            reason = "required and empty" if tag in message.command else "required and absent"
            yield Fault(tag, reason, kind.section)


def _foreign(message: Message, kind: MessageType) -> Iterator[Fault]:
    allowed = kind.elements.keys() | _HEAD | (_IN_ANY_RESPONSE if message.is_response else frozenset())
    for tag in message.command:
        if tag >> 16:
            yield Fault(tag, "only group 0000 belongs into a command set", "PS3.7 §6.3.1")
        elif tag not in COMMAND_ELEMENTS:
            yield Fault(tag, "no command element", "PS3.7 §E.1")
        elif tag in _PRESENT and tag not in allowed:
            yield Fault(tag, f"not an element of {kind.name}", kind.section)
    if _REMAINING in message.command and message.status is not None and _REMAINING in kind.elements:
        status = status_class(message.status)
        if status in (StatusClass.SUCCESS, StatusClass.WARNING, StatusClass.FAILURE):
            yield Fault(_REMAINING, f"must not be there with {status.value}", "PS3.4 §C.4.2.1.6, §C.4.3.1.5")


def _values(message: Message) -> Iterator[Fault]:
    for tag, value in message.command.items():
        if tag in _PRESENT:
            row = COMMAND_ELEMENTS[tag]
            reason = _misfit(row.vr, value)
            if reason:
                yield Fault(tag, reason, "PS3.5 §6.2")
    if message.priority is not None and message.priority not in tuple(Priority):
        yield Fault(_PRIORITY, f"{message.priority:04X}H is no priority", "PS3.7 §9.3.1.1")
    if message.status is not None and status_class(message.status) is StatusClass.UNKNOWN:
        yield Fault(STATUS, f"{message.status:04X}H is in no class of status", "PS3.7 Annex C")


def _misfit(vr: str, value: Value) -> str:
    """Why a value does not fit its value representation; empty if it does."""
    if vr in ("US", "UL"):
        return "" if isinstance(value, int) else "not one number"
    if vr == "AT":
        return "" if isinstance(value, tuple) else "no list of tags"
    if not isinstance(value, str):
        return "no text"
    if len(value) > _LENGTHS[vr]:
        return f"{len(value)} characters, at most {_LENGTHS[vr]} are allowed"
    if vr == "UI" and value and not _UID.fullmatch(value):
        return f"{value!r} is no UID"
    if not value.isprintable() or not value.isascii() or "\\" in value:
        return f"{value!r} has characters that {vr} does not allow"
    return ""


def _data_set(message: Message, kind: MessageType) -> Iterator[Fault]:
    required, allowed = _DATA_SET_STATUSES[kind.data_set]
    status = StatusClass.SUCCESS if message.status is None else status_class(message.status)
    # An N-ACTION may be answered with what was wrong with its Action Information, PS3.7 §C.5.10; so may a notification.
    if kind.data_set is DataSet.ONLY_WITH_SUCCESS and message.status == Status.INVALID_ARGUMENT_VALUE:
        allowed |= {StatusClass.FAILURE}
    circumstance = f" with {status.value}" if message.is_response else ""
    if message.has_data_set and status not in allowed:
        yield Fault(None, f"{kind.name} takes no data set{circumstance}", kind.section)
    if not message.has_data_set and status in required:
        yield Fault(None, f"{kind.name} needs a data set{circumstance}", kind.section)
    if message.data is not None and not message.has_data_set:
        yield Fault(None, "there is a data set that the Command Data Set Type does not announce", "PS3.7 §E.1")


def _relation(message: Message, kind: MessageType, request: Message) -> Iterator[Fault]:
    if message.command_field != request.command_field | RESPONSE:
        yield Fault(COMMAND_FIELD, f"{kind.name} does not answer {request.name}", "PS3.7 §9.3")
    if message.message_id_being_responded_to != request.message_id:
        yield Fault(MESSAGE_ID_BEING_RESPONDED_TO, f"the request has the id {request.message_id}", "PS3.7 §9.3")
    if message.context_id != request.context_id:
        reason = f"on presentation context {message.context_id}, the request is on {request.context_id}"
        yield Fault(None, reason, "PS3.7 §7.5.3")
    for tag in sorted(kind.echoed & message.command.keys() & request.command.keys()):
        if message.command[tag] != request.command[tag]:
            yield Fault(tag, f"the request has {request.command[tag]!r}", kind.section)
