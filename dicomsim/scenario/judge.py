"""Holds what a peer did against the alternatives of an `expect`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dicomsim.scenario.dialogue import Dialogue
from dicomsim.scenario.expecting import (
    Alternative,
    ContextMatch,
    ExpectClose,
    ExpectExit,
    ExpectMessageMatch,
    ExpectSilence,
)
from dicomsim.scenario.matchers import matcher, matches_pattern, status_matcher
from dicomsim.scenario.observation import Arrived, Closed, Exited, Observation, Received, Silent
from dicomsim.wire.codec import pdu_name

COMMON = frozenset((*Alternative.model_fields, "pdu", "message", "close", "silence", "exit", "contexts"))
"""Fields of an alternative that are no matchers of the field of that name."""


def first_fit(alternatives: Iterable[Alternative], seen: Observation, dialogue: Dialogue) -> Alternative | None:
    """The first alternative that an observation fits, or None."""
    return next((each for each in alternatives if fits(each, seen, dialogue)), None)


def fits(alternative: Alternative, seen: Observation, dialogue: Dialogue) -> bool:
    """Whether an observation is what an alternative waits for."""
    if isinstance(alternative, ExpectClose):
        return isinstance(seen, Closed) and alternative.close in ("any", seen.how)
    if isinstance(alternative, ExpectSilence):
        return isinstance(seen, Silent) and not seen.rest
    if isinstance(alternative, ExpectExit):
        return isinstance(seen, Exited) and matcher(alternative.exit).matches(seen.code)
    if isinstance(alternative, ExpectMessageMatch):
        if not isinstance(seen, Arrived) or not matches_pattern(alternative.message, seen.message.name):
            return False
        return _fields_fit(alternative, seen.fields(dialogue))
    if not isinstance(seen, Received) or pdu_name(getattr(seen.pdu, "TYPE", 0)) != getattr(alternative, "pdu", None):
        return False
    fields = seen.fields(dialogue)
    wanted: Mapping[int, ContextMatch | None] = getattr(alternative, "contexts", {})
    contexts = fields.get("contexts", {})
    return _fields_fit(alternative, fields) and all(
        _context_fits(match, contexts.get(context_id)) for context_id, match in wanted.items()
    )


def _fields_fit(alternative: Alternative, fields: Mapping[str, Any]) -> bool:
    return all(_matcher(name, written).matches(fields.get(name)) for name, written in _written(alternative))


def _context_fits(match: ContextMatch | None, context: Mapping[str, Any] | None) -> bool:
    if match is None or context is None:
        return match is None and context is None
    for name, written in _written(match):
        value = context.get(name)
        values = value if isinstance(value, list) else [value]
        if not any(matcher(written).matches(each) for each in values):
            return False
    return True


def _written(model: Alternative | ContextMatch) -> Iterable[tuple[str, Any]]:
    """The matchers that a scenario has written down; the others are not looked at."""
    for name in type(model).model_fields:
        if name in model.model_fields_set and name not in COMMON:
            yield name, getattr(model, name)


def _matcher(name: str, written: Any) -> Any:
    return status_matcher(written) if name == "status" else matcher(written)


def describe(alternative: Alternative) -> str:
    """What an alternative waits for, in words."""
    words = [f"{name} {_matcher(name, written)}" for name, written in _written(alternative)]
    for context_id, match in getattr(alternative, "contexts", {}).items():
        inner = ["not there"] if match is None else [f"{name} {matcher(each)}" for name, each in _written(match)]
        words.append(f"context {context_id} {', '.join(inner)}")
    text = f"{_subject(alternative)} with {', '.join(words)}" if words else _subject(alternative)
    if alternative.verdict != "pass":
        text += f" ({alternative.verdict})"
    return text


def _subject(alternative: Alternative) -> str:
    if isinstance(alternative, ExpectClose):
        return {"any": "TCP closed", "fin": "TCP closed with a FIN", "reset": "TCP closed with a RST"}[
            alternative.close
        ]
    if isinstance(alternative, ExpectSilence):
        return "silence"
    if isinstance(alternative, ExpectExit):
        return f"exit with {matcher(alternative.exit)}"
    return str(getattr(alternative, "pdu", None) or getattr(alternative, "message", ""))
