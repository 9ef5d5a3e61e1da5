"""Scenario files to cases: checked against the model, with every mistake of a file at its line and column.

Beyond what the model says, an id has to match its path, steps have to fit the kind of actor and the role, and a
`{name}` has to be known. `use` is replaced by the steps of the sub-scenario, which is looked for in a folder `use`
beside the scenario, then beside each folder above it, then among those that come with dicomsim.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dicomsim.behaviour.loading import PROFILE, profile_rules
from dicomsim.behaviour.rule import Rule, rule_of
from dicomsim.behaviour.values import RuleError
from dicomsim.errors import DicomsimError
from dicomsim.scenario.expecting import Expect
from dicomsim.scenario.fields import ANY_PLACEHOLDER, suggest
from dicomsim.scenario.mistakes import mistakes_of
from dicomsim.scenario.model import (
    AE_STEPS,
    SCRIPT_STEPS,
    Accept,
    Connect,
    Listen,
    Scenario,
    Signal,
    Steps,
    SubScenario,
    Use,
    Wait,
)
from dicomsim.scenario.source import Mistake, Path_, ScenarioError, Source, read_source

BUILTIN_USES = Path(__file__).parent / "use"
"""Sub-scenarios that come with dicomsim."""
SHARED = ("associate", "echo", "release")
"""Those of them for a requestor that are steps of an `ae` by the same name."""
GIVEN_NAMES = ("called", "calling", "host", "port", "timeout")
"""Values that every actor has from the start."""
UNFILLED_KEYS = frozenset(("note", "about", "requirement", "text"))
"""Keys whose text is taken as it stands."""
_TOO_WIDE = re.compile("[0-9]{5}")
"""In the way to write a value: more than 9999 characters."""
MAX_USES = 10
"""Sub-scenarios in sub-scenarios."""
MAX_EXPANDED = 1000
"""Sub-scenarios of a scenario altogether: ten that use ten that use ten are as many already."""


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """A step, and where it is written."""

    step: Any
    """One of the models of `model.STEPS` or `sending.SENDING_TAGS`; never a `Use`."""
    written: Any
    """The same as it is written, parameters filled in."""
    path: Path_
    """Its place in the scenario; that of the outermost `use` if it comes from a sub-scenario."""
    used: tuple[tuple[Source, Path_], ...] = ()
    """Its places in the sub-scenarios that it comes through, outermost first."""


@dataclass(frozen=True, slots=True)
class CaseActor:
    """One actor, ready to act."""

    name: str
    """Its name; empty if it is the only one."""
    kind: str
    """`script` or `ae`."""
    count: int
    """How many of it there are."""
    rules: tuple[Rule, ...]
    """Behaviour around an `ae`."""
    steps: tuple[PlacedStep, ...]
    """What it does."""


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario that can be run."""

    scenario: Scenario
    """What the file says."""
    source: Source
    """The file itself."""
    actors: tuple[CaseActor, ...]
    """Who acts."""

    @property
    def id(self) -> str:
        """The scenario's id."""
        return self.scenario.id

    @property
    def slow(self) -> bool:
        """Whether it is only run when asked for."""
        return "slow" in self.scenario.tags


@dataclass(slots=True)
class _Loading:
    """One file on its way."""

    source: Source
    mistakes: list[Mistake] = field(default_factory=list)
    expanded: int = 0
    subs: dict[Path, tuple[Source, SubScenario]] = field(default_factory=dict)

    def note(self, path: Path_, text: str) -> None:
        self.mistakes.append(Mistake(self.source.place(path), text))


def load(path: Path) -> Case:
    """Read and check a scenario file.

    Raises:
        FileError: it cannot be read.
        ScenarioError: it has mistakes; all of them are in the message, a line each.
    """
    loading = _Loading(read_source(path))
    loading.mistakes.extend(loading.source.mistakes)
    data = loading.source.data
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        loading.mistakes.extend(mistakes_of(error, data, Scenario, loading.source.place))
        _check_written(data, loading)
        raise ScenarioError(path, loading.mistakes) from None
    _check_id(scenario.id, loading)
    actors = tuple(_actors(scenario, loading))
    _check_actors(scenario, actors, loading)
    _check_names(scenario, actors, loading)
    if loading.mistakes:
        raise ScenarioError(path, loading.mistakes)
    return Case(scenario, loading.source, actors)


def load_steps(name: str, **parameters: object) -> tuple[PlacedStep, ...]:
    """The steps of a sub-scenario that comes with dicomsim."""
    loading = _Loading(Source(BUILTIN_USES / f"{name}.yaml", ""))
    steps = tuple(_expand(Use.model_validate({"use": name, "with": parameters}), (), loading, ()))
    if loading.mistakes:
        raise ScenarioError(loading.source.path, loading.mistakes)
    return steps


def _check_written(data: Any, loading: _Loading) -> None:
    """What can be said of a file that does not fit the model."""
    if isinstance(data, dict) and isinstance(data.get("id"), str):
        _check_id(data["id"], loading)
        for index, step in enumerate(data.get("steps") or ()):
            if isinstance(step, dict) and isinstance(step.get("use"), str):
                _find_use(step["use"], ("steps", index), loading)


def _check_id(written: str, loading: _Loading) -> None:
    parts = loading.source.path.resolve().with_suffix("").parts
    wanted = tuple(written.split("/"))
    if parts[-len(wanted) :] != wanted:
        loading.note(("id",), f"the id does not match the path: this file is …/{'/'.join(parts[-len(wanted) :])}")


def _actors(scenario: Scenario, loading: _Loading) -> Iterator[CaseActor]:
    if not scenario.actors:
        steps = tuple(_placed(scenario.steps, ("steps",), loading, loading.source.data.get("steps", [])))
        yield CaseActor("", scenario.kind, 1, tuple(_rules(scenario.rules, ("rules",), loading)), steps)
    for name, actor in scenario.actors.items():
        written = loading.source.data["actors"][name].get("steps", [])
        steps = tuple(_placed(actor.steps, ("actors", name, "steps"), loading, written))
        rules = tuple(_rules(actor.rules, ("actors", name, "rules"), loading))
        yield CaseActor(name, actor.kind, actor.count, rules, steps)


def _placed(steps: Iterable[Any], path: Path_, loading: _Loading, written: list[Any]) -> Iterator[PlacedStep]:
    for index, step in enumerate(steps):
        place = (*path, index)
        if isinstance(step, Use):
            yield from _expand(step, place, loading, ())
        else:
            yield PlacedStep(step, written[index], place)


def _expand(use: Use, path: Path_, loading: _Loading, used: tuple[tuple[Source, Path_], ...]) -> Iterator[PlacedStep]:
    found = _find_use(use.use, path, loading)
    if found is None:
        return
    if len(used) >= MAX_USES or any(found == outer.path for outer, _ in used):
        loading.note(path, f"{use.use} uses itself, or too many others")
        return
    loading.expanded += 1
    if loading.expanded > MAX_EXPANDED:
        loading.note(path, f"more than {MAX_EXPANDED} sub-scenarios up to here")
        raise ScenarioError(loading.source.path, loading.mistakes)
    source, sub = _sub_scenario(found, loading)
    parameters = {**sub.parameters, **use.parameters}
    for name in use.parameters:
        if name not in sub.parameters:
            known = suggest(name, list(sub.parameters))
            loading.note((*path, "with", name), f"{use.use} has no parameter {name}{known}")
    try:
        data = {"steps": fill(sub.steps, parameters)}
        steps = Steps.model_validate(data).steps
    except FillError as error:
        loading.note((*path, "with"), f"in {use.use}: {error}")
        return
    except ValidationError as error:
        for mistake in mistakes_of(error, data, Steps, lambda _: loading.source.place((*path, "with"))):
            loading.note((*path, "with"), f"in {use.use}: {mistake.text}")
        return
    for index, step in enumerate(steps):
        inner = (*used, (source, ("steps", index)))
        if isinstance(step, Use):
            yield from _expand(step, path, loading, inner)
        else:
            yield PlacedStep(step, data["steps"][index], path, inner)


def _find_use(name: str, path: Path_, loading: _Loading) -> Path | None:
    folders = [*(parent / "use" for parent in loading.source.path.resolve().parents), BUILTIN_USES]
    for folder in folders:
        if os.path.isfile(found := folder / f"{name}.yaml"):  # and not `Path.is_file`, which raises for odd names
            return found
    known = sorted({file.stem for folder in folders for file in folder.glob("*.yaml")})
    loading.note((*path, "use"), f"no sub-scenario is called {name}{suggest(name, known)}")
    return None


def _sub_scenario(path: Path, loading: _Loading) -> tuple[Source, SubScenario]:
    """The file on its own, with its own defaults, so that its mistakes are shown in it; read once."""
    if path not in loading.subs:
        source = read_source(path)
        loading.subs[path] = source, _checked(source)
    return loading.subs[path]


def _checked(source: Source) -> SubScenario:
    try:
        sub = SubScenario.model_validate(source.data)
    except ValidationError as error:
        mistakes = mistakes_of(error, source.data, SubScenario, source.place)
        raise ScenarioError(source.path, [*source.mistakes, *mistakes]) from None
    mistakes = list(source.mistakes)
    data: dict[str, Any] = {}
    try:
        data["steps"] = fill(sub.steps, sub.parameters)
        Steps.model_validate(data)
    except FillError as error:
        mistakes.append(Mistake(source.place(("steps",)), str(error)))
    except ValidationError as error:
        mistakes += mistakes_of(error, data, Steps, source.place)
    if sub.use != source.path.stem:
        mistakes.append(Mistake(source.place(("use",)), f"the name does not match the file: {source.path.stem}"))
    if mistakes:
        raise ScenarioError(source.path, mistakes)
    return sub


class FillError(DicomsimError):
    """A value that cannot be written as its place in a text wants it."""


def fill(written: Any, values: dict[str, Any]) -> Any:
    """Put values in the place of `{name}`, of any kind where it stands alone; names that are not there stay.

    Raises `FillError`.
    """
    if isinstance(written, dict):
        return {key: value if key in UNFILLED_KEYS else fill(value, values) for key, value in written.items()}
    if isinstance(written, list | tuple):
        return [fill(item, values) for item in written]
    if not isinstance(written, str) or "{" not in written:
        return written
    whole = ANY_PLACEHOLDER.fullmatch(written)
    if whole and written == f"{{{whole[1]}}}":
        return values.get(whole[1], written)
    return ANY_PLACEHOLDER.sub(lambda match: _formatted(match, values), written)


def _formatted(match: re.Match[str], values: dict[str, Any]) -> str:
    name = match[1]
    if name not in values:
        return match[0]
    if _TOO_WIDE.search(match[0], len(name) + 1):
        raise FillError(f"{match[0]} is wider than any value")
    try:
        return match[0].replace(name, "0", 1).format(values[name])
    except (ValueError, TypeError) as error:  # of Python's format()
        raise FillError(f"{match[0]} cannot be made of {values[name]!r}: {error}") from None


def _check_actors(scenario: Scenario, actors: Iterable[CaseActor], loading: _Loading) -> None:
    given = {placed.step.give for actor in actors for placed in actor.steps if isinstance(placed.step, Signal)}
    wrong_role = (Accept, Listen) if scenario.role == "requestor" else (Connect,)
    for actor in actors:
        wrong_kind = SCRIPT_STEPS if actor.kind == "ae" else AE_STEPS
        if actor.kind == "ae" and scenario.role == "acceptor":
            wrong_kind = (*wrong_kind, *AE_STEPS)
        for placed in actor.steps:
            verb = type(placed.step).__name__.lower()
            if isinstance(placed.step, wrong_role):
                loading.note(placed.path, f"dicomsim is the {scenario.role} here, which has no step {verb}")
            elif isinstance(placed.step, wrong_kind):
                what = f"an actor of kind {actor.kind}, as {scenario.role}, has no step {verb}"
                shared = scenario.role == "requestor" and verb in SHARED
                loading.note(placed.path, f"{what}; write use: {verb}" if shared else what)
            elif isinstance(placed.step, Wait) and placed.step.signal and placed.step.signal not in given:
                name = placed.step.signal
                loading.note(placed.path, f"no actor gives the signal {name}{suggest(name, sorted(given))}")
        if actor.rules and actor.kind == "script":
            path: Path_ = ("actors", actor.name, "rules") if actor.name else ("rules",)
            loading.note(path, "rules are put around an actor of kind ae; a script sends what its steps say")
    if scenario.role == "acceptor" and len({actor.kind for actor in actors}) > 1:
        loading.note(("actors",), "a script and an ae cannot both listen for the peer")


def _rules(written: Iterable[Any], path: Path_, loading: _Loading) -> Iterator[Rule]:
    for index, rule in enumerate(written):
        try:
            if isinstance(rule, str) and rule.startswith(PROFILE):
                yield from profile_rules(rule.removeprefix(PROFILE))
            else:
                yield rule_of(rule)
        except RuleError as error:
            loading.note(_nearest((*path, index, *error.where), loading.source), error.reason)


def _nearest(path: Path_, source: Source) -> Path_:
    """The path without the indices that a rule counts and its file does not: those of lists of one."""
    while path and path not in source.places:
        shorter = tuple(each for place, each in enumerate(path) if place != _last_index(path))
        path = shorter if shorter in source.places and shorter != path else path[:-1]
    return path


def _last_index(path: Path_) -> int:
    return max((place for place, each in enumerate(path) if isinstance(each, int)), default=-1)


def _check_names(scenario: Scenario, actors: Iterable[CaseActor], loading: _Loading) -> None:
    kept = {name for actor in actors for placed in actor.steps for name in _kept(placed.step)}
    known = sorted({*GIVEN_NAMES, *scenario.values, *kept})
    for key in ("steps", "actors"):
        for path, name in names_in(loading.source.data.get(key), (key,)):
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f", did you mean {near[0]}?" if near else f"; known here: {', '.join(known)}"
                loading.note(path, f"nothing is kept as {name}{hint}")


def _kept(step: Any) -> Iterator[str]:
    if isinstance(step, Expect):
        for alternative in step.expect:
            yield from alternative.keep


def names_in(written: Any, path: Path_) -> Iterator[tuple[Path_, str]]:
    """Every `{name}` of a part of a file."""
    if isinstance(written, dict):
        for key, value in written.items():
            if key not in UNFILLED_KEYS:
                yield from names_in(value, (*path, key))
    elif isinstance(written, list):
        for index, item in enumerate(written):
            yield from names_in(item, (*path, index))
    elif isinstance(written, str):
        for match in ANY_PLACEHOLDER.finditer(written):
            yield path, match[1]
