"""*When*: the words a rule's condition is made of. All that are given must hold.

A trigger works at some of the hops only, and so settles, with the actions, at which hop its rule is judged. Those that
count (`nth`, `every`) are asked last, about how often the others have held in this session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dicomsim.behaviour.edits import KINDS_BY_NAME, make_field_test, read_field_test, read_path
from dicomsim.behaviour.kinds import (
    ACTION,
    COMMAND,
    EVENT,
    ITEM,
    PDU,
    PEER,
    SOP_CLASS,
    STATE,
    TITLE,
    command_tag,
    make_element_test,
    read_element_test,
)
from dicomsim.behaviour.occasion import Layer, Occasion
from dicomsim.behaviour.values import COUNT, ELAPSED, RANGES, Kind, RuleError, integer, list_of, word
from dicomsim.wire.command import TAGS

ALL = tuple(Layer)
_PASSING = (Layer.PDU, Layer.MESSAGE, Layer.BYTES)
_MESSAGES = (Layer.MESSAGE, Layer.PDU)


@dataclass(frozen=True, slots=True)
class Trigger:
    """One word of a condition."""

    name: str
    """The key in the mapping form."""
    help: str
    """What it means, in one line."""
    kind: Kind
    """How its value is written."""
    layers: tuple[Layer, ...]
    """The hops at which it can be judged; one that fits any hop does not choose one."""
    test: Callable[[Occasion, Any], bool]
    """Whether it holds; takes what the kind has made of the value."""
    counting: bool = False
    """Whether it is about the number of times that the others have held."""


def _any(tests: tuple[Callable[[Any], bool], ...], value: Any) -> bool:
    return any(test(value) for test in tests)


def _command(occasion: Occasion, tests: Any) -> bool:
    field = occasion.element(TAGS["CommandField"])
    return isinstance(field, int) and _any(tests, field)


def _sop_class(occasion: Occasion, tests: Any) -> bool:
    return any(_any(tests, uid) for uid in occasion.sop_classes)


def _offset(occasion: Occasion, offset: int) -> bool:
    return occasion.seen <= offset < occasion.seen + len(occasion.data)


def _peer(occasion: Occasion, tests: Any) -> bool:
    remote = occasion.session.remote
    return bool(remote) and _any(tests, remote[0])


def _read_fields(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not value:
        raise RuleError("a mapping of fields to values is wanted: {user.maximum_length: 0, pdv.2: present}")
    result = {}
    for key, item in value.items():
        path = read_path(key)
        try:
            result[path] = read_field_test(path, item)
        except RuleError as fault:
            raise RuleError(f"{path}: {fault.reason}", path, value=True) from None
    return result


_FIELDS = Kind(
    "{field: number, range, text with *, hex:…, present, or absent}",
    _read_fields,
    lambda value: tuple(make_field_test(path, item) for path, item in value.items()),
    schema={"type": "object"},
    words=lambda: KINDS_BY_NAME,
    mapping=True,
)


def _fields(occasion: Occasion, tests: Any) -> bool:
    return all(test(occasion.data, occasion.root) for test in tests)


def _in_words(*choices: str) -> Kind:
    return list_of(word(*choices))


TRIGGERS: Mapping[str, Trigger] = {
    trigger.name: trigger
    for trigger in (
        Trigger("pdu", "type of the PDU", PDU, (Layer.PDU, Layer.ANSWER), lambda o, types: o.pdu_type in types),
        Trigger(
            "command",
            "which DIMSE message; among PDUs, the one with its command set",
            COMMAND,
            _MESSAGES,
            _command,
        ),
        Trigger("state", "state of our machine; alone, entering it", STATE, ALL, lambda o, states: o.state in states),
        Trigger("event", "event of the state machine", EVENT, (Layer.STATE,), lambda o, events: o.event in events),
        Trigger("action", "action of the state machine", ACTION, (Layer.STATE,), lambda o, names: o.action in names),
        Trigger(
            "direction",
            "from the peer (in) or to it (out)",
            word("in", "out"),
            (*_PASSING, Layer.ANSWER),
            lambda o, way: o.direction == way,
        ),
        Trigger(
            "at",
            "the hop, where the other words leave a choice",
            word(*(layer.value for layer in Layer)),
            ALL,
            lambda o, hop: o.layer.value == hop,
        ),
        Trigger(
            "item",
            "the PDU has such an item or sub-item",
            ITEM,
            (Layer.PDU, Layer.ANSWER),
            lambda o, types: not o.item_types.isdisjoint(types),
        ),
        Trigger("field", "fields of the PDU have these values", _FIELDS, (Layer.PDU, Layer.ANSWER), _fields),
        Trigger(
            "part",
            "what a P-DATA-TF holds of its message",
            _in_words("command", "data", "last"),
            (Layer.PDU,),
            lambda o, parts: not o.parts.isdisjoint(parts),
        ),
        Trigger(
            "sop_class",
            "SOP class of the message, or proposed in the request",
            SOP_CLASS,
            (*_MESSAGES, Layer.ANSWER),
            _sop_class,
        ),
        Trigger(
            "context",
            "presentation context ID",
            RANGES,
            (*_MESSAGES, Layer.ANSWER),
            lambda o, ids: any(number in ids for number in o.contexts),
        ),
        Trigger(
            "side",
            "which side we are",
            word("requestor", "acceptor"),
            ALL,
            lambda o, side: o.session.side.value == side,
        ),
        Trigger("calling", "calling AE title", TITLE, ALL, lambda o, tests: _any(tests, o.calling)),
        Trigger("called", "called AE title", TITLE, ALL, lambda o, tests: _any(tests, o.called)),
        Trigger("peer", "address of the peer", PEER, ALL, _peer),
        Trigger(
            "association",
            "number of the association in this process, from 1",
            RANGES,
            ALL,
            lambda o, numbers: o.session.association_number in numbers,
        ),
        Trigger(
            "size",
            "bytes of the PDU or the read; of a message, of its data set",
            RANGES,
            _PASSING,
            lambda o, sizes: o.size in sizes,
        ),
        Trigger(
            "elapsed", "seconds since the connection was opened", ELAPSED, ALL, lambda o, times: o.elapsed in times
        ),
        Trigger(
            "idle",
            "seconds in which no bytes have passed before these",
            ELAPSED,
            (Layer.BYTES,),
            lambda o, times: o.idle in times,
        ),
        Trigger("seen", "bytes that have passed in this direction", RANGES, ALL, lambda o, sizes: o.seen in sizes),
        Trigger(
            "offset",
            "the byte at this place of the stream passes; what is before it goes on",
            integer(0),
            (Layer.BYTES,),
            _offset,
        ),
        Trigger(
            "nth",
            "which time it is in this session, from 1",
            RANGES,
            ALL,
            lambda o, counts: o.memory.matches in counts,
            counting=True,
        ),
        Trigger(
            "every",
            "each time that this many times have come in this session",
            COUNT,
            ALL,
            lambda o, n: not o.memory.matches % n,
            counting=True,
        ),
    )
}
"""The words of a condition, in the order in which a rule prints them."""


def is_element(key: str) -> bool:
    """Whether a key of a condition is the keyword of a command element, which compares its value."""
    return key in TAGS


def element_trigger(keyword: str) -> Trigger:
    """The trigger that compares one command element."""
    tag = command_tag(keyword)
    return Trigger(
        keyword,
        "value of this command element",
        Kind(
            "value, range, text with *, absent, or a list",
            lambda value: read_element_test(keyword, value),
            lambda value: make_element_test(keyword, value),
        ),
        _MESSAGES,
        lambda occasion, test: occasion.command is not None and test(occasion.element(tag)),
    )


def trigger_of(key: str) -> Trigger | None:
    """The trigger with that name, or None."""
    if key in TRIGGERS:
        return TRIGGERS[key]
    return element_trigger(key) if is_element(key) else None
