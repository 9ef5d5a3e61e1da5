"""What an action is: a name, its parameters, and a function from steps to steps.

Actions of a rule run in order, each on the steps that the one before has left. They never raise: bytes that do not have
what an action looks for pass unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dicomsim.behaviour.occasion import Layer, Occasion, Steps
from dicomsim.behaviour.values import Kind, word
from dicomsim.engine.hops import Pass, PassMessage, Step

Run = Callable[[Occasion, Steps, Mapping[str, Any]], Steps]
"""An action at work: the occasion, the steps so far, the parameters by name; the free ones are under `*` as pairs."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an action."""

    name: str
    """Its key."""
    kind: Kind
    """How its value is written."""
    help: str
    """What it says, in one line."""
    default: Any = None
    """Canonical value when it is not given; None means that there is none."""
    required: bool = False
    """Whether it must be given."""
    prefixes: tuple[str, ...] = ()
    """Keys that stand for this one with a prefix: `hex: 00` for `data: "hex:00"`."""


@dataclass(frozen=True, slots=True)
class Free:
    """Further keys of an action, such as the fields to write: any that can be read."""

    form: str
    """What the keys are, for help texts."""
    help: str
    """What they say, in one line."""
    read: Callable[[str, Any], tuple[str, Any]]
    """Key and value to their canonical form; raises RuleError."""
    make: Callable[[str, Any], Any]
    """To what is used at run time."""
    words: Callable[[], tuple[str, ...]] = tuple
    """Keys to offer for completion."""
    required: bool = False
    """Whether there must be one."""


@dataclass(frozen=True, slots=True)
class Action:
    """One word of what a rule does."""

    name: str
    """The key in the mapping form."""
    help: str
    """What it does, in one line."""
    layers: tuple[Layer, ...]
    """The hops at which it can work."""
    run: Run
    """The function."""
    parameters: tuple[Parameter, ...] = ()
    """In the order in which they print; the first may be given without its name."""
    free: Free | None = None
    """What other keys it takes."""
    positional: bool = True
    """Whether the first parameter may be given without its name."""

    @property
    def main(self) -> Parameter | None:
        """The parameter that may be given without its name."""
        return self.parameters[0] if self.parameters and self.positional else None


BEFORE = "before"
AFTER = "after"
INSTEAD = "instead"


def place_parameter(default: str) -> Parameter:
    """Where an action puts what it adds."""
    return Parameter("place", word(BEFORE, AFTER, INSTEAD), "where it goes", default)


def placed(steps: Steps, added: list[Step], place: str) -> Steps:
    """Steps with others before them, behind them, or in the place of those that let something pass."""
    if place == BEFORE:
        return [*added, *steps]
    if place == AFTER:
        return [*steps, *added]
    return [*without_passing(steps), *added]


def without_passing(steps: Steps) -> Steps:
    """The steps but those that let something pass."""
    return [step for step in steps if not isinstance(step, Pass | PassMessage)]


def on_bytes(steps: Steps, function: Callable[[bytes], bytes]) -> Steps:
    """Steps with a function applied to all bytes that pass."""
    return [Pass(function(step.data)) if isinstance(step, Pass) else step for step in steps]
