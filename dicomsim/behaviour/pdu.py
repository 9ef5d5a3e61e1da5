"""Actions on the bytes of a PDU: cut, lengthen, write a field, move items; and the PDUs that end an association."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dicomsim.behaviour.action import AFTER, INSTEAD, Action, Free, Parameter, on_bytes, place_parameter, placed
from dicomsim.behaviour.edits import (
    KINDS_BY_NAME,
    Chain,
    Change,
    change,
    field_of,
    find,
    make_field,
    read_field,
    read_path,
)
from dicomsim.behaviour.fields import GROUP, HEADER, LITTLE, Span, spans
from dicomsim.behaviour.kinds import ABORT, REJECTION
from dicomsim.behaviour.occasion import Layer, Occasion, Steps
from dicomsim.behaviour.payload import PAYLOAD, PREFIXES
from dicomsim.behaviour.tcp import EVERYWHERE
from dicomsim.behaviour.values import BYTE, COUNT, INTEGER, Kind, RuleError, read_integer, word
from dicomsim.engine.hops import Pass, Raw, Request, Step
from dicomsim.upper_layer.primitives import AbortRequest, ReleaseRequest
from dicomsim.upper_layer.table import TRANSITIONS, Event
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.command import COMMAND_ELEMENTS, TAGS
from dicomsim.wire.pdu import Abort, AssociateRJ, ReleaseRQ

_PDU = (Layer.PDU,)
_BYTES = (Layer.PDU, Layer.BYTES)
_USER_ABORT_STATES = TRANSITIONS[Event.EVT15]
_USER_RELEASE_STATES = TRANSITIONS[Event.EVT11]

_LENGTHS_HELP = "whether the lengths around follow"
_KEEP = Parameter("lengths", word("keep", "fix"), _LENGTHS_HELP, "keep")
_FIX = Parameter("lengths", word("keep", "fix"), _LENGTHS_HELP, "fix")
_AS = Parameter(
    "as", word("auto", "user", "raw"), "a primitive of our user, or bytes; auto: if the state allows it", "auto"
)
_PATH = Kind("user.maximum_length, contexts.3, pdv.last …", read_path, words=lambda: KINDS_BY_NAME)


def _reject(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    """As the answer if there is one to give, else as a PDU that comes out of the blue."""
    result, source, reason = given["codes"]
    rejection = AssociateRJ(result, source, reason)
    if occasion.layer is Layer.ANSWER:
        occasion.answer = rejection
        return steps
    data = encode_pdu(rejection)
    outgoing = occasion.layer is Layer.PDU and occasion.direction == "out"
    return placed(steps, [Pass(data) if outgoing else Raw(data)], given["place"])


def _abort(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    source, reason = given["codes"]
    as_user = given["as"] == "user" or (given["as"] == "auto" and occasion.session.state in _USER_ABORT_STATES)
    step: Step = Request(AbortRequest(source, reason)) if as_user else Raw(encode_pdu(Abort(source, reason)))
    return placed(steps, [step], given["place"])


def _release(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    as_user = given["as"] == "user" or (given["as"] == "auto" and occasion.session.state in _USER_RELEASE_STATES)
    step: Step = Request(ReleaseRequest()) if as_user else Raw(encode_pdu(ReleaseRQ()))
    return placed(steps, [step], given["place"])


def _resized(data: bytes, start: int, added: bytes, fix: bool) -> bytes:
    """Bytes cut off at `start` and lengthened there, the PDU-length with them if asked for."""
    root = Span("pdu", 0, len(data), GROUP, length=Span("pdu_length", 2, HEADER) if len(data) >= HEADER else None)
    return change(data, [Change((root,), start, len(data), added)], fix)


def _truncate(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    length, fix = given["length"], given["lengths"] == "fix"

    def cut(data: bytes) -> bytes:
        keep = max(min(length if length >= 0 else len(data) + length, len(data)), 0)
        return _resized(data, keep, b"", fix)

    return on_bytes(steps, cut)


def _pad(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    padding = bytes((given["byte"],)) * given["count"]
    return on_bytes(steps, lambda data: _resized(data, len(data), padding, given["lengths"] == "fix"))


def _offset_change(data: bytes, offset: int, new: bytes) -> list[Change]:
    """Bytes over others, from an offset that may count from the end; what stands behind the end is not written."""
    start = offset if offset >= 0 else len(data) + offset
    if not 0 <= start < len(data):
        return []
    end = min(start + len(new), len(data))
    return [Change((), start, end, new[: end - start])]


def _changes(occasion: Occasion, data: bytes, given: Mapping[str, Any], xor: bool) -> list[Change]:
    root = spans(data)
    changes: list[Change] = []
    for key, value in given["*"]:
        payload = value.payload(occasion) if value.payload else None
        if isinstance(key, int):
            new = payload if payload is not None else bytes((value.number & 0xFF,))
            found = _offset_change(data, key, new)
        else:
            fields = [field_of(chain) for chain in find(root, key)]
            found = [
                Change(chain, chain[-1].start, chain[-1].end, value.encode(chain[-1], payload)) for chain in fields
            ]
        changes += [_xored(data, item) for item in found] if xor else found
    return changes


def _xored(data: bytes, item: Change) -> Change:
    present = data[item.start : item.end]
    mask = item.data[: len(present)].ljust(len(present), b"\0")
    return Change((), item.start, item.end, bytes(a ^ b for a, b in zip(present, mask, strict=True)))


def _substitute(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    fix = given["lengths"] == "fix"
    return on_bytes(steps, lambda data: change(data, _changes(occasion, data, given, xor=False), fix))


def _xor(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    return on_bytes(steps, lambda data: change(data, _changes(occasion, data, given, xor=True), fix=False))


def _edit(make: Callable[[Occasion, bytes, Chain, Mapping[str, Any]], Change]) -> Callable[..., Steps]:
    """An action that makes one change for each span that its path names."""

    def run(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
        def edited(data: bytes) -> bytes:
            changes = [make(occasion, data, chain, given) for chain in find(spans(data), given["path"])]
            return change(data, changes, given["lengths"] == "fix")

        return on_bytes(steps, edited)

    return run


def _removal(occasion: Occasion, data: bytes, chain: Chain, given: Mapping[str, Any]) -> Change:
    return Change(chain[:-1], chain[-1].start, chain[-1].end, b"")


def _repetition(occasion: Occasion, data: bytes, chain: Chain, given: Mapping[str, Any]) -> Change:
    span = chain[-1]
    return Change(chain[:-1], span.end, span.end, data[span.start : span.end] * given["count"])


def _appendix(occasion: Occasion, data: bytes, chain: Chain, given: Mapping[str, Any]) -> Change:
    return Change(chain, chain[-1].end, chain[-1].end, given["data"](occasion))


def _reversal(occasion: Occasion, data: bytes, chain: Chain, given: Mapping[str, Any]) -> Change:
    parts = [part for part in chain[-1].parts if part.kind is GROUP and part.name != "command"]
    if not parts:
        return Change((), 0, 0, b"")
    backwards = b"".join(data[part.start : part.end] for part in reversed(parts))
    return Change((), parts[0].start, parts[-1].end, backwards)


def _recode(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    """The first command set of the PDU in an encoding that it must not have, PS3.7 §6.3.1."""
    how = given["how"]

    def recoded(data: bytes) -> bytes:
        changes = []
        for chain in find(spans(data), "command"):
            elements = b"".join(_recoded(data, element, how) for element in chain[-1].parts)
            changes.append(Change(chain, chain[-1].start, chain[-1].end, elements))
        return change(data, changes, fix=True)

    return on_bytes(steps, recoded)


def _recoded(data: bytes, element: Span, how: str) -> bytes:
    """One element: tag, VR and length in the new order; numbers are turned round, text is not."""
    tag, value = data[element.start : element.start + 4], data[element.start + 8 : element.end]
    number = element.parts[-1].kind is LITTLE
    vr = (b"UL" if element.name == "CommandGroupLength" else b"US") if number else _vr(element.name)
    size = 2 if how.startswith("explicit") else 4
    length = len(value) & ((1 << 8 * size) - 1)
    middle = vr if size == 2 else b""
    if how.endswith("little"):
        return tag + middle + length.to_bytes(size, "little") + value
    tag = tag[1::-1] + tag[3:1:-1]
    return tag + middle + length.to_bytes(size, "big") + (value[::-1] if number else value)


def _vr(keyword: str) -> bytes:
    row = COMMAND_ELEMENTS.get(TAGS.get(keyword, -1))
    return row.vr.encode("ascii") if row else b"UN"


def _is_offset(key: str) -> bool:
    return key.lstrip("-").isdecimal() and key.count("-") <= 1


def _read_place(key: str, value: Any) -> tuple[str, Any]:
    if not _is_offset(key):
        path = read_path(key)
        return path, read_field(path, value)
    read = read_field("data", value)
    if isinstance(read, str) and ":" not in read:
        number = read_integer(read)
        if not 0 <= number <= 255:
            raise RuleError(f"{number} is no byte: 0 to 255, or hex:… for several")
        read = number
    return str(int(key)), read


def _make_place(key: str, value: Any) -> tuple[int | str, Any]:
    return (int(key) if _is_offset(key) else key), make_field(key, value)


_FIELDS = Free(
    "field or offset",
    "result, contexts.3.transfer_syntax, command.Status …, or the offset of a byte, negative from the end",
    _read_place,
    _make_place,
    lambda: tuple(KINDS_BY_NAME),
    required=True,
)


def _path(default: str | None, says: str) -> Parameter:
    return Parameter("path", _PATH, says, default, required=default is None)


ACTIONS = (
    Action(
        "reject",
        "answer the association request with A-ASSOCIATE-RJ",
        (Layer.ANSWER, *EVERYWHERE),
        _reject,
        (Parameter("codes", REJECTION, "the codes", "1/1/1"), place_parameter(INSTEAD)),
    ),
    Action(
        "abort",
        "send an A-ABORT",
        EVERYWHERE,
        _abort,
        (Parameter("codes", ABORT, "the codes", "0/0"), _AS, place_parameter(INSTEAD)),
    ),
    Action("release", "send an A-RELEASE-RQ", EVERYWHERE, _release, (_AS, place_parameter(AFTER))),
    Action(
        "truncate",
        "let only the first bytes pass",
        _BYTES,
        _truncate,
        (Parameter("length", INTEGER, "bytes that stay; negative: that go, at the end", required=True), _KEEP),
    ),
    Action(
        "pad",
        "add bytes at the end",
        _BYTES,
        _pad,
        (Parameter("count", COUNT, "how many", required=True), Parameter("byte", BYTE, "their value", 0), _KEEP),
    ),
    Action("substitute", "write into fields, or over bytes", _PDU, _substitute, (_FIX,), _FIELDS, positional=False),
    Action("xor", "turn bits of fields or of bytes", _PDU, _xor, (), _FIELDS),
    Action(
        "remove", "take items, PDVs or command elements out", _PDU, _edit(_removal), (_path(None, "what goes"), _FIX)
    ),
    Action(
        "repeat",
        "put a copy behind items, PDVs or command elements",
        _PDU,
        _edit(_repetition),
        (_path(None, "what is there again"), Parameter("count", COUNT, "how many copies", 1), _FIX),
    ),
    Action(
        "append",
        "put bytes at the end of an item, a PDV, the command set, or the PDU",
        _PDU,
        _edit(_appendix),
        (
            Parameter("data", PAYLOAD, "the bytes", required=True, prefixes=tuple(PREFIXES)),
            Parameter("path", _PATH, "where", "pdu"),
            _FIX,
        ),
    ),
    Action(
        "reverse",
        "turn round the order of the items or PDVs",
        _PDU,
        _edit(_reversal),
        (Parameter("path", _PATH, "of what", "pdu"), _FIX),
    ),
    Action(
        "recode",
        "write the command set in another encoding than implicit VR little endian",
        _PDU,
        _recode,
        (Parameter("how", word("explicit-little", "implicit-big", "explicit-big"), "the encoding", required=True),),
    ),
)
"""The words of this module."""
