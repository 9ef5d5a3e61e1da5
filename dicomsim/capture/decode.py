"""`decode_lines`: a capture as one JSON object a PDU, with fields and messages by name.

Passcodes, tickets and tokens are given as lengths, data sets as their size.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from dicomsim.capture.captured import (
    CapturedEnd,
    CapturedLoss,
    CapturedMessage,
    CapturedOpen,
    CapturedPdu,
    Item,
    address_text,
)
from dicomsim.capture.contexts import Contexts
from dicomsim.capture.conversation import read
from dicomsim.dimse.builders import TAG_OF_NAME
from dicomsim.dimse.messages import Message
from dicomsim.errors import WireError
from dicomsim.events import Side
from dicomsim.sop_class import uid_name
from dicomsim.status import describe_status
from dicomsim.wire.codec import pdu_name
from dicomsim.wire.codes import describe_abort, describe_context_result, describe_reject
from dicomsim.wire.command import tag_name
from dicomsim.wire.items import (
    PresentationContextAC,
    PresentationContextRQ,
    RoleSelection,
    SopClassCommonExtendedNegotiation,
    SopClassExtendedNegotiation,
    UnknownItem,
    UserIdentityAC,
    UserIdentityRQ,
)
from dicomsim.wire.pdu import Abort, AssociateAC, AssociateRJ, AssociateRQ, PDataTF, UnknownPdu

Json = dict[str, Any]

REPEATED = (RoleSelection, SopClassExtendedNegotiation, SopClassCommonExtendedNegotiation, UnknownItem)
"""User information items that may stand several times: always given as lists."""
MAX_PDVS = 1000
"""Fragments listed of one PDU."""

_NAMES = {tag: name for name, tag in TAG_OF_NAME.items()}
_LEFT_OUT = {"command_group_length", "command_field", "command_data_set_type", "status"}


def decode_lines(
    path: str | os.PathLike[str], *, ports: Container[int] = (), connections: bool = False
) -> Iterator[Json]:
    """Yield an object for every PDU of a capture, ready for `json.dumps`.

    The PDU that completes a message has it as `message`. With `connections`, beginning and end of the connections are
    objects too, with `event` instead of `pdu`. Raises `FileError`.
    """
    yield from item_lines(read(path, ports=ports), connections=connections)


def item_lines(items: Iterable[Item], *, connections: bool = False) -> Iterator[Json]:
    """The same for the items of any conversation."""
    contexts: dict[int, Contexts] = {}
    lost: dict[tuple[int, Side], int] = {}
    held: Json | None = None  # until it is known whether a message follows
    for item in items:
        if isinstance(item, CapturedMessage):
            if held is not None:
                key = "message" if not item.damage.startswith("incomplete") else "incomplete_message"
                held[key] = _message(item, contexts.get(item.association))
            continue
        if held is not None:
            yield held
            held = None
        if isinstance(item, CapturedPdu):
            contexts.setdefault(item.association, Contexts()).note(item)
            held = _pdu_line(item)
            if missing := lost.pop((item.association, item.sender), 0):
                held["lost_before"] = missing
        elif isinstance(item, CapturedLoss):
            key_of = item.association, item.sender
            lost[key_of] = lost.get(key_of, 0) + item.size
        else:
            if isinstance(item, CapturedEnd):
                contexts.pop(item.association, None)
                for side in Side:
                    lost.pop((item.association, side), None)
            if connections:
                yield _connection_line(item)
    if held is not None:
        yield held


def utc(time: int) -> str:
    """Nanoseconds since the epoch as `2026-01-02T03:04:05.000000006Z`."""
    seconds, nanoseconds = divmod(time, 1_000_000_000)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"
    except (ValueError, OverflowError, OSError):
        return f"{seconds}.{nanoseconds:09d} s after 1970"


def _head(item: Item) -> Json:
    return {"frame": item.frame, "time": utc(item.time), "association": item.association}


def _connection_line(item: CapturedOpen | CapturedEnd) -> Json:
    if isinstance(item, CapturedOpen):
        ends = {"requestor": address_text(item.requestor), "acceptor": address_text(item.acceptor)}
        return {**_head(item), "event": "opened", **ends, "from_the_beginning": item.handshake}
    by = item.by.value if item.by else None
    return {**_head(item), "event": "closed", "by": by, "how": item.how.value if item.how else None}


def _pdu_line(item: CapturedPdu) -> Json:
    line = {**_head(item), "from": item.sender.value, "pdu": pdu_name(item.data[0]), "length": item.length}
    if item.damage:
        line["damage"] = item.damage
    else:
        try:
            pdu = item.pdu
            line.update(_FIELDS[type(pdu)](pdu) if type(pdu) in _FIELDS else {})
        except WireError as error:
            line["fault"] = str(error)
    if item.fault:
        line["fault"] = item.fault
    return line


def _text(text: str | None) -> str | None:
    # Bytes that are not ASCII stand as surrogates, which JSON cannot carry.
    return None if text is None else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return value.hex()
    if isinstance(value, tuple | list):
        return [_plain(member) for member in value]
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.name != "reserved"}
    return value


def _associate(pdu: AssociateRQ | AssociateAC) -> Json:
    return {
        "protocol_version": pdu.protocol_version,
        "called_ae_title": _text(pdu.called),
        "calling_ae_title": _text(pdu.calling),
        "application_context": _text(pdu.application_context),
        "presentation_contexts": [_context(context) for context in pdu.presentation_contexts],
        "user_information": _user_information(pdu.user_information),
    }


def _context(context: PresentationContextRQ | PresentationContextAC) -> Json:
    if isinstance(context, PresentationContextRQ):
        syntaxes = [_text(uid) for uid in context.transfer_syntaxes]
        name = _text(context.abstract_syntax)
        return {"id": context.context_id, "abstract_syntax": name, "transfer_syntaxes": syntaxes}
    meaning = describe_context_result(context.result)
    syntax = _text(context.transfer_syntax)
    return {"id": context.context_id, "result": context.result, "meaning": meaning, "transfer_syntax": syntax}


def _user_information(items: Iterable[Any]) -> Json:
    information: Json = {}
    for item in items:
        name = re.sub("(?<=[a-z])(?=[A-Z])", "_", type(item).__name__.removesuffix("RQ").removesuffix("AC")).lower()
        value = _USER_ITEMS.get(type(item), _plain)(item)
        if isinstance(value, Mapping) and len(value) == 1:
            (value,) = value.values()
        if isinstance(item, REPEATED) or name in information:
            before = information.get(name, [])
            information[name] = [*(before if isinstance(before, list) else [before]), value]
        else:
            information[name] = value
    return information


def _user_identity(item: UserIdentityRQ) -> Json:
    identity: Json = {"type": item.identity_type, "response_requested": item.positive_response_requested}
    if item.identity_type in (1, 2):
        identity["user_name"] = item.primary.decode("utf-8", "backslashreplace")
    else:
        identity["primary_length"] = len(item.primary)
    identity["secondary_length"] = len(item.secondary or b"")
    return identity


_USER_ITEMS: Mapping[type, Callable[[Any], Any]] = {
    UserIdentityRQ: _user_identity,
    UserIdentityAC: lambda item: {"server_response_length": len(item.server_response)},
}


def _p_data(pdu: PDataTF) -> Json:
    pdvs = [
        {"context_id": pdv.context_id, "command": pdv.is_command, "last": pdv.is_last, "length": len(pdv.data)}
        for pdv in pdu.pdvs[:MAX_PDVS]
    ]
    return {"pdvs": pdvs, **({"further_pdvs": len(pdu.pdvs) - MAX_PDVS} if len(pdu.pdvs) > MAX_PDVS else {})}


def _reject(pdu: AssociateRJ) -> Json:
    meaning = describe_reject(pdu.result, pdu.source, pdu.reason)
    return {"result": pdu.result, "source": pdu.source, "reason": pdu.reason, "meaning": meaning}


def _abort(pdu: Abort) -> Json:
    return {"source": pdu.source, "reason": pdu.reason, "meaning": describe_abort(pdu.source, pdu.reason)}


_FIELDS: Mapping[type, Callable[[Any], Json]] = {
    AssociateRQ: _associate,
    AssociateAC: _associate,
    AssociateRJ: _reject,
    PDataTF: _p_data,
    Abort: _abort,
    UnknownPdu: lambda pdu: {"type": pdu.pdu_type},
}


def status_text(message: Message) -> str:
    """The status of a response as its service has it: `0xA700 Failure: Refused: Out of resources`."""
    if message.status is None:
        return ""
    uid = message.sop_class_uid or ""
    service = message.name.rpartition("-")[0]
    return describe_status(message.status, uid if uid[:1].isdigit() else None, service)  # peers send any text


def status_name(message: Message) -> str:
    """The same without the code."""
    return status_text(message).partition(" ")[2]


def _message(item: CapturedMessage, contexts: Contexts | None) -> Json:
    message = item.message
    out: Json = {"command": message.name, "context_id": message.context_id}
    if message.status is not None:
        out["status"], out["status_code"] = status_name(message), message.status
    for tag, value in message.command.items():
        name = _NAMES.get(tag) or tag_name(tag)
        if name not in _LEFT_OUT:
            out[name] = _plain(value)
    if message.sop_class_uid:
        out["sop_class"] = uid_name(message.sop_class_uid)
    if message.has_data_set:
        out["data_set_length"] = item.data_length
        out["transfer_syntax"] = _text(contexts.transfer_syntax(message.context_id)) if contexts else None
    if item.first_frame != item.frame:
        out["first_frame"] = item.first_frame
    if item.damage:
        out["damage"] = item.damage
    return out
