"""Changes to bytes that are about to be sent, so that a fault is always a valid thing with something done to it.

They are the actions that rules have for the bytes of a PDU (`dicomsim.behaviour`), written the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, cast

from dicomsim.behaviour.occasion import Layer, Occasion, Steps
from dicomsim.behaviour.reading import made_of, read_do
from dicomsim.behaviour.values import RuleError
from dicomsim.behaviour.vocabulary import ACTIONS
from dicomsim.engine.hops import Pass, Wait
from dicomsim.scenario.fields import suggest

MUTATIONS: Final = (
    *("truncate", "pad", "append", "insert", "substitute", "xor", "remove", "repeat", "reverse", "recode"),
    *("duplicate", "slice", "throttle"),
)
"""The actions that make sense for bytes that are sent once."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The occasion on which bytes of a script are changed; as much of `Occasion` as the actions above ask for."""

    called: str
    """Called AE title."""
    calling: str
    """Calling AE title."""
    random: Random = field(default_factory=lambda: Random(1))
    """The same numbers each time."""
    layer: Layer = Layer.PDU
    direction: str = "out"
    turn: int = 0


def read_mutations(written: Any) -> list[dict[str, Mapping[str, Any]]]:
    """Check mutations, and bring them to one form.

    Raises:
        ValueError: one of them is none; says which, and what may have been meant.
    """
    try:
        actions = read_do(written)
    except RuleError as error:
        raise ValueError(str(error)) from None
    for action in actions:
        for name in action:
            if name not in MUTATIONS:
                raise ValueError(f"{name} changes no bytes{suggest(name, list(MUTATIONS))}")
    return cast("list[dict[str, Mapping[str, Any]]]", actions)


def mutate(data: bytes, mutations: Iterable[Mapping[str, Mapping[str, Any]]], sent: Sent) -> Sequence[bytes | float]:
    """Do mutations one after another: the bytes to write, each at a time, with seconds to wait between them."""
    steps: Steps = [Pass(data)]
    occasion = cast("Occasion", sent)
    for mutation in mutations:
        for name, given in mutation.items():
            action = ACTIONS[name]
            steps = action.run(occasion, steps, made_of(action, given))
    pieces: list[bytes | float] = []
    for step in steps:
        if isinstance(step, Pass):
            pieces.append(step.data)
        elif isinstance(step, Wait):
            pieces.append(step.seconds)
    return pieces
