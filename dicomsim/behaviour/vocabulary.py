"""All words of rules as tables, and the same as data for completion, help, and the JSON Schema of scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dicomsim.behaviour import dimse, negotiation, pdu, service, tcp
from dicomsim.behaviour.action import Action, Parameter
from dicomsim.behaviour.triggers import TRIGGERS
from dicomsim.behaviour.values import COUNT, PROBABILITY, SIZE, TEXT, Kind, integer
from dicomsim.wire.command import TAGS

ACTIONS: Mapping[str, Action] = {
    action.name: action for module in (pdu, negotiation, service, dimse, tcp) for action in module.ACTIONS
}
"""All words for what a rule does."""

REST: Mapping[str, tuple[Kind, Any, str]] = {
    "times": (COUNT, None, "how often it fires at the most, in all sessions together"),
    "after": (SIZE, 0, "how many times it lets pass before it fires for the first time, in all sessions together"),
    "probability": (PROBABILITY, 1, "chance that it fires when it could"),
    "seed": (integer(0), None, "start of its random numbers; without, that of the behaviour it belongs to"),
    "name": (TEXT, None, "by which it is switched on and off; without, it is numbered"),
}
"""What a rule has beside `when` and `do`: kind, default, help."""


def vocabulary() -> dict[str, Any]:
    """All words with their help as plain data: `triggers`, `actions` (with parameters) and `rest`."""
    return {
        "triggers": {
            trigger.name: {
                "help": trigger.help,
                "form": trigger.kind.form,
                "hops": [layer.value for layer in trigger.layers],
                "words": list(trigger.kind.words()),
            }
            for trigger in TRIGGERS.values()
        },
        "elements": list(TAGS),
        "actions": {action.name: _action(action) for action in ACTIONS.values()},
        "rest": {name: {"help": says, "form": kind.form} for name, (kind, _, says) in REST.items()},
    }


def _action(action: Action) -> dict[str, Any]:
    parameters = [_parameter(parameter) for parameter in action.parameters]
    described: dict[str, Any] = {
        "help": action.help,
        "hops": [layer.value for layer in action.layers],
        "main": action.main.name if action.main else None,
        "parameters": parameters,
    }
    if action.free is not None:
        described["keys"] = {
            "form": action.free.form,
            "help": action.free.help,
            "words": list(action.free.words()),
        }
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "help": parameter.help,
        "form": parameter.kind.form,
        "default": parameter.default,
        "required": parameter.required,
        "prefixes": list(parameter.prefixes),
        "words": list(parameter.kind.words()),
    }


def rule_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one rule: the mapping form, or text.

    It knows all words and the shapes of values; what a value means is checked when the rule is read.
    """
    conditions: dict[str, Any] = {trigger.name: _described(trigger.kind, trigger.help) for trigger in TRIGGERS.values()}
    conditions |= {keyword: _described(_ANY, "value of this command element") for keyword in TAGS}
    rest = {name: _described(kind, says) for name, (kind, _, says) in REST.items()}
    actions = {action.name: _action_schema(action) for action in ACTIONS.values()}
    do = {"type": "object", "properties": actions, "additionalProperties": False, "minProperties": 1}
    line = {"type": "string", "description": "actions in the one-line form", "minLength": 1}
    when = {"type": "object", "properties": conditions | rest, "additionalProperties": False, "minProperties": 1}
    text = {"type": "string", "pattern": r"^\s*(on\s|\{|profile:)", "description": "the one-line form, or a profile"}
    one_line = {
        "type": "object",
        "patternProperties": {"^on ": {"type": "string"}},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
        "description": "the one-line form, as YAML reads it",
    }
    mapping = {
        "type": "object",
        "properties": {
            "when": {"anyOf": [when, {"type": "string", "minLength": 1}]},
            "do": {"anyOf": [do, line, {"type": "array", "items": {"anyOf": [do, line]}, "minItems": 1}]},
        }
        | rest,
        "required": ["when", "do"],
        "additionalProperties": False,
    }
    return {"anyOf": [mapping, one_line, text]}


_ANY = Kind("", lambda value: value)
_PLAIN = ("string", "number", "array")


def _described(kind: Kind, says: str) -> dict[str, Any]:
    plain = {"type": [*_PLAIN, "object"] if kind.mapping else [*_PLAIN]}
    schema = plain if kind.schema is None else dict(kind.schema)
    return schema | {"description": f"{says} ({kind.form})" if kind.form else says}


def _action_schema(action: Action) -> dict[str, Any]:
    """Nothing, a value for the first parameter, or parameters by name."""
    properties = {parameter.name: _described(parameter.kind, parameter.help) for parameter in action.parameters}
    properties |= {
        prefix: {"type": ["string", "number"], "description": f"{parameter.help}, as {prefix}"}
        for parameter in action.parameters
        for prefix in parameter.prefixes
    }
    open_ended = action.free is not None or (action.main is not None and action.main.kind.mapping)
    named = {"type": "object", "properties": properties, "additionalProperties": open_ended}
    choices: list[dict[str, Any]] = [{"type": "null"}, named]
    if action.main is not None:
        choices.append(_described(action.main.kind, action.main.help))
    return {"description": action.help, "anyOf": choices}
