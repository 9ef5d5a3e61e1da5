"""Actions on the command set of a message: set elements, delete them, with the group length kept right or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dicomsim.behaviour.action import Action, Free, Parameter
from dicomsim.behaviour.kinds import command_tag, make_element, read_element
from dicomsim.behaviour.occasion import Layer, Occasion, Steps
from dicomsim.behaviour.values import INTEGER, Kind, integer, list_of, read_text, word
from dicomsim.dimse.messages import Message
from dicomsim.engine.hops import PassMessage, Reply
from dicomsim.errors import WireError
from dicomsim.wire.command import TAGS, Value, encode_command

_MESSAGE = (Layer.MESSAGE,)
_GROUP_LENGTH = TAGS["CommandGroupLength"]


def _read_keyword(value: Any) -> str:
    keyword = read_text(value)
    command_tag(keyword)
    return keyword


def _read_element(key: str, value: Any) -> tuple[str, Any]:
    return key, read_element(key, value)


def _make_element(key: str, value: Any) -> tuple[int, Value]:
    """A number for the group length is written as it stands: only bytes keep the encoder from making the right one."""
    tag, made = command_tag(key), make_element(key, value)
    if tag == _GROUP_LENGTH and isinstance(made, int):
        return tag, made.to_bytes(4, "little")
    return tag, made


ELEMENTS = Free(
    "command element",
    "Status, MessageIDBeingRespondedTo … by keyword, or by tag with bytes as hex:…",
    _read_element,
    _make_element,
    lambda: tuple(TAGS),
)


def _on_messages(steps: Steps, function: Callable[[Message], Message]) -> Steps:
    """Steps with a function applied to all messages, those made by the rule among them."""
    result: Steps = []
    for step in steps:
        if isinstance(step, PassMessage | Reply):
            result.append(replace(step, message=function(step.message)))
        else:
            result.append(step)
    return result


def _present_group_length(message: Message) -> dict[int, Value]:
    try:
        return {_GROUP_LENGTH: encode_command(message.command)[8:12]}
    except WireError:
        return {}


def _set(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    elements = dict(given["*"])

    def changed(message: Message) -> Message:
        kept = _present_group_length(message) if given["group_length"] == "keep" else {}
        context_id = message.context_id if given["context"] is None else given["context"]
        return replace(message, context_id=context_id, command=message.command | kept | elements)

    return _on_messages(steps, changed)


def _delete(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    """Without its group length a command set is sent by `remove command.CommandGroupLength`, as bytes."""
    gone = set(given["elements"])

    def changed(message: Message) -> Message:
        kept = _present_group_length(message) if given["group_length"] == "keep" else {}
        left = {tag: value for tag, value in message.command.items() if tag not in gone}
        return replace(message, command=left | kept)

    return _on_messages(steps, changed)


def _add(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    """Numbers that do not fit their element go round, as the two bytes of an identifier would."""
    by = given["by"]
    tags = given["elements"]

    def changed(message: Message) -> Message:
        sums = {tag: (value + by) & 0xFFFF for tag in tags if isinstance(value := message.command.get(tag), int)}
        return replace(message, command=message.command | sums)

    return _on_messages(steps, changed)


_KEYWORDS = list_of(Kind("keyword", _read_keyword, command_tag, words=lambda: TAGS))
_GROUP_LENGTH_FOLLOWS = Parameter(
    "group_length", word("right", "keep"), "made right, or kept as it was before the change", "right"
)

ACTIONS = (
    Action(
        "set",
        "set elements of the command set",
        _MESSAGE,
        _set,
        (
            Parameter("context", integer(0, 255), "presentation context to send it on"),
            _GROUP_LENGTH_FOLLOWS,
        ),
        replace(ELEMENTS, required=True),
        positional=False,
    ),
    Action(
        "delete",
        "take elements out of the command set",
        _MESSAGE,
        _delete,
        (Parameter("elements", _KEYWORDS, "which", required=True), _GROUP_LENGTH_FOLLOWS),
    ),
    Action(
        "add",
        "add a number to elements of the command set",
        _MESSAGE,
        _add,
        (
            Parameter("elements", _KEYWORDS, "which", required=True),
            Parameter("by", INTEGER, "how much; negative takes away", 1),
        ),
    ),
)
"""The words of this module."""
