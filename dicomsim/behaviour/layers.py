"""At which hop a rule is judged: where all its words work, and of several such hops the one that they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dicomsim.behaviour.action import Action
from dicomsim.behaviour.occasion import Layer
from dicomsim.behaviour.triggers import Trigger
from dicomsim.behaviour.values import RuleError

_ORDER = (Layer.ANSWER, Layer.PDU, Layer.MESSAGE, Layer.BYTES, Layer.CONNECTION, Layer.STATE)
"""Which hop is taken when the words say nothing about it."""

_REQUEST = "A-ASSOCIATE-RQ"


def choose(when: Mapping[str, Any], triggers: Mapping[str, Trigger], actions: Sequence[Action]) -> tuple[Layer, bool]:
    """The hop, and whether some actions wait for the answer to the request that the rule fires on.

    A rule on an A-ASSOCIATE-RQ may both do something with the PDU and answer otherwise; it is then judged at the PDU.
    """
    words = {key: _trigger_layers(key, trigger, when) for key, trigger in triggers.items()}
    answering = [action for action in actions if Layer.ANSWER in action.layers]
    deferred = (
        len(answering) not in (0, len(actions)) and when.get("pdu") == _REQUEST and when.get("direction") != "out"
    )
    for action in actions:
        words[action.name] = {Layer.PDU} if deferred and action in answering else set(action.layers)
    found = set(Layer).intersection(*words.values())
    if not found:
        raise RuleError(_disagreement(words))
    return _best(found, when, triggers, actions), deferred


def _trigger_layers(key: str, trigger: Trigger, when: Mapping[str, Any]) -> set[Layer]:
    if key == "at":
        return {Layer(when["at"])}
    if key == "direction" and when["direction"] == "out":
        return set(trigger.layers) - {Layer.ANSWER}
    if key == "pdu" and when["pdu"] != _REQUEST:
        return {Layer.PDU}
    return set(trigger.layers)


def _best(
    found: set[Layer], when: Mapping[str, Any], triggers: Mapping[str, Trigger], actions: Iterable[Action]
) -> Layer:
    if Layer.STATE in found and "state" in when:
        return Layer.STATE
    homes = [trigger.layers[0] for trigger in triggers.values() if not _anywhere(trigger.layers)]
    homes += [action.layers[0] for action in actions if Layer.STATE not in action.layers]
    order = (Layer.ANSWER, *homes, *_ORDER)
    return next(layer for layer in order if layer in found)


def _anywhere(layers: Iterable[Layer]) -> bool:
    return {Layer.PDU, Layer.BYTES} <= set(layers)


def _disagreement(words: Mapping[str, set[Layer]]) -> str:
    """Where each word works that does not work everywhere."""
    limited = (f"{name} ({_listed(layers)})" for name, layers in words.items() if layers != set(Layer))
    return f"there is no hop where all of these work: {', '.join(limited)}"


def _listed(layers: set[Layer]) -> str:
    return " or ".join(layer.value for layer in Layer if layer in layers)
