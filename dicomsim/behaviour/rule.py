"""`Rule`: when and do, written the same in Python, in YAML and as one line.

Rule(when={"pdu": "A-ASSOCIATE-RQ", "direction": "in"}, do={"reject": "1/1/7"})
{when: {pdu: A-ASSOCIATE-RQ, direction: in}, do: {reject: 1/1/7}}
on A-ASSOCIATE-RQ in: reject 1/1/7
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dicomsim.behaviour import layers
from dicomsim.behaviour.action import Action
from dicomsim.behaviour.occasion import Layer, Occasion, Steps
from dicomsim.behaviour.reading import known_trigger, made_of, read_do, read_when, within
from dicomsim.behaviour.text import RULE_KEYS, read_flow, read_line, write_main, write_value, write_words
from dicomsim.behaviour.triggers import TRIGGERS, Trigger, is_element
from dicomsim.behaviour.values import RuleError, shown, suggest
from dicomsim.behaviour.vocabulary import ACTIONS, REST

_TRANSITION = {"event", "action"}


@dataclass(frozen=True, slots=True)
class Condition:
    """One trigger with the value it is asked for."""

    trigger: Trigger
    """The word."""
    value: Any
    """What its kind has made of what was written."""

    def holds(self, occasion: Occasion) -> bool:
        """Whether it is so."""
        return self.trigger.test(occasion, self.value)


@dataclass(frozen=True, slots=True)
class Step:
    """One action with its parameters."""

    action: Action
    """The word."""
    given: Mapping[str, Any]
    """All parameters by name; None where there is neither a value nor a default."""
    key: str
    """Its place in the rule, for its counter."""

    def run(self, occasion: Occasion, steps: Steps) -> Steps:
        """Carry it out."""
        turns = occasion.memory.turns
        occasion.turn = turns.get(self.key, 0)
        turns[self.key] = occasion.turn + 1
        return self.action.run(occasion, steps, self.given)


@dataclass(frozen=True, eq=False, repr=False)
class Rule:
    """Something that happens under a condition. Immutable; reading it raises `RuleError`.

    Equal rules mean the same, however they were written. `str(rule)` is the one-line form, which reads back to an
    equal rule, and `as_mapping()` the other.
    """

    when: Any
    """The condition: trigger to value, all of which must hold."""
    do: Any
    """The actions in order, each a name with its parameters."""
    times: int | None = None
    """How often it fires at the most, in all sessions together."""
    after: int = 0
    """How many times it lets pass before that."""
    probability: float = 1
    """Chance that it fires when it could."""
    seed: int | None = None
    """Start of its random numbers."""
    name: str | None = None
    """By which it is switched on and off."""
    layer: Layer = field(init=False)
    """The hop at which it is judged."""
    conditions: tuple[Condition, ...] = field(init=False)
    """What must hold, the counting ones apart."""
    counts: tuple[Condition, ...] = field(init=False)
    """What must hold of the number of times that the others have."""
    steps: tuple[Step, ...] = field(init=False)
    """What happens at the hop."""
    answers: tuple[Step, ...] = field(init=False)
    """What happens later, to the answer to the request that the rule has fired on."""

    def __post_init__(self) -> None:
        when, do = read_when(self.when), read_do(self.do)
        for key, (kind, default, _) in REST.items():
            value = when.pop(key, None)
            present = getattr(self, key)
            if value is None or present != default:
                value = present
            self._set(key, default if value is None else within(kind, value, key))
        self._set("when", {key: when[key] for key in (*TRIGGERS, *sorted(when)) if key in when})
        self._set("do", do)
        self._compile()

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _compile(self) -> None:
        triggers = {key: known_trigger(key) for key in self.when}
        steps = [
            Step(ACTIONS[name], made_of(ACTIONS[name], given), str(place))
            for place, (name, given) in enumerate(item for action in self.do for item in action.items())
        ]
        layer, deferred = layers.choose(self.when, triggers, [step.action for step in steps])
        implied = {}
        if (
            layer is Layer.PDU
            and "part" not in triggers
            and any(key == "command" or is_element(key) for key in triggers)
        ):
            # One PDU stands for the message, so that a count of PDUs is a count of messages.
            implied["part"] = "command"
        conditions = [
            Condition(trigger, trigger.kind.make(value))
            for key, value in (self.when | implied).items()
            for trigger in (known_trigger(key),)
        ]
        self._set("layer", layer)
        self._set("conditions", tuple(item for item in conditions if not item.trigger.counting))
        self._set("counts", tuple(item for item in conditions if item.trigger.counting))
        self._set("steps", tuple(step for step in steps if not (deferred and Layer.ANSWER in step.action.layers)))
        self._set("answers", tuple(step for step in steps if deferred and Layer.ANSWER in step.action.layers))

    def matches(self, occasion: Occasion) -> bool:
        """Whether the triggers hold; counts the times that the others hold for those that count."""
        if self.layer is Layer.STATE and occasion.before == occasion.after and self.when.keys().isdisjoint(_TRANSITION):
            return False  # a state is entered from another one
        if not all(condition.holds(occasion) for condition in self.conditions):
            return False
        occasion.memory.matches += 1
        return all(condition.holds(occasion) for condition in self.counts)

    def as_mapping(self) -> dict[str, Any]:
        """The mapping form, plain data in its canonical form, without what is as usual."""
        rest = {key: getattr(self, key) for key, (_, default, _) in REST.items() if getattr(self, key) != default}
        return {"when": dict(self.when), "do": [dict(action) for action in self.do]} | rest

    def __str__(self) -> str:
        words = write_words(self.when)
        mapping = self.as_mapping()
        words += [f"{key}={write_value(mapping[key])}" for key in RULE_KEYS if key in mapping]
        actions = (_action_text(name, given) for action in self.do for name, given in action.items())
        return f"on {' '.join(words)}: {'; '.join(actions)}"

    def __repr__(self) -> str:
        return f"<Rule {self}>"

    def __eq__(self, other: object) -> bool:
        return self.as_mapping() == other.as_mapping() if isinstance(other, Rule) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))


def _action_text(name: str, given: Mapping[str, Any]) -> str:
    main = ACTIONS[name].main
    words = [name]
    if main is not None and main.name in given:
        words.append(write_main(given[main.name]))
    words += [f"{key}={write_value(value)}" for key, value in given.items() if main is None or key != main.name]
    return " ".join(words)


def parse_rule(text: str) -> Rule:
    """Read one rule, as one line or as a mapping in braces; raises RuleError."""
    if text.lstrip().startswith("{"):
        return rule_of(read_flow(text))
    line = read_line(text)
    try:
        return rule_of(line.mapping)
    except RuleError as fault:
        raise RuleError(fault.reason, *fault.where, column=fault.column or line.column(fault.where)) from None


def rule_of(mapping: Any) -> Rule:
    """A rule from its mapping form, or from text; raises RuleError."""
    if isinstance(mapping, Rule):
        return mapping
    if isinstance(mapping, str):
        return parse_rule(mapping)
    if not isinstance(mapping, Mapping):
        raise RuleError(f"{shown(mapping)} is no rule: a mapping with when and do, or a line that begins with on")
    if len(mapping) == 1 and str(next(iter(mapping))).startswith("on "):
        # YAML reads the one-line form as a key and a value.
        key, value = next(iter(mapping.items()))
        return parse_rule(f"{key}: {value}")
    known = ("when", "do", *REST)
    for key in mapping:
        if key not in known:
            raise RuleError(f"a rule has no {shown(str(key))}{suggest(str(key), known)}", str(key))
    for key in ("when", "do"):
        if key not in mapping:
            raise RuleError(f"a rule needs {key}")
    return Rule(**{str(key): value for key, value in mapping.items() if value is not None})
