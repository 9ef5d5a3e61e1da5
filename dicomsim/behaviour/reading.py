"""From what a person writes to the canonical form of conditions and actions, with errors that say what was meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dicomsim.behaviour.action import Action
from dicomsim.behaviour.text import MAIN, RULE_KEYS, read_actions, read_line
from dicomsim.behaviour.triggers import TRIGGERS, Trigger, trigger_of
from dicomsim.behaviour.values import Kind, RuleError, shown, suggest
from dicomsim.behaviour.vocabulary import ACTIONS, REST
from dicomsim.wire.command import TAGS


def within(kind: Kind, value: Any, *where: str | int) -> Any:
    """A value read as what it should be; the error names the last of `where`, and stands at all of it."""
    try:
        return kind.read(value)
    except RuleError as fault:
        of_value = fault.value or not fault.where
        raise RuleError(f"{where[-1]}: {fault.reason}", *where, *fault.where, value=of_value) from None


def known_trigger(key: str) -> Trigger:
    """The trigger, or the command element, of that name."""
    trigger = trigger_of(key)
    if trigger is None:
        known = (*TRIGGERS, *RULE_KEYS, *TAGS)
        raise RuleError(f"no trigger is called {shown(key)}{suggest(key, known)}", "when", key)
    return trigger


def read_when(when: Any) -> dict[str, Any]:
    """A condition, as a mapping or in the one-line form, with its values read; the rest is left as it is."""
    if isinstance(when, str):
        when = read_line(f"on {when}: drop").mapping["when"] if when.strip() else {}
    if not isinstance(when, Mapping):
        raise RuleError("a condition is a mapping of triggers to values", "when")
    if not when:
        raise RuleError("a rule needs a condition", "when")
    result = {}
    for key, value in when.items():
        if key in REST:
            result[key] = value
        else:
            result[str(key)] = within(known_trigger(str(key)).kind, value, "when", str(key))
    return result


def read_do(do: Any) -> list[dict[str, dict[str, Any]]]:
    """Actions, one or several and in either form, each as its name and the parameters it was given, read."""
    items = do if isinstance(do, list | tuple) else [do]
    actions = []
    for place, item in enumerate(items):
        where = ("do", place) if items is do else ("do",)
        try:
            actions += [_read_action(*action) for action in _actions_of(item)]
        except RuleError as fault:
            raise fault.within(*where) from None
    if not actions:
        raise RuleError("a rule needs an action", "do")
    return actions


def _actions_of(item: Any) -> list[tuple[str, Any]]:
    if isinstance(item, Mapping):
        return [(str(name), given) for name, given in item.items()]
    if isinstance(item, str):
        return [pair for action in read_actions(item) for pair in action.items()]
    raise RuleError("an action is a name, or a mapping of a name to parameters")


def _read_action(name: str, given: Any) -> dict[str, dict[str, Any]]:
    action = ACTIONS.get(name.casefold().replace("_", "-"))
    if action is None:
        raise RuleError(f"no action is called {shown(name)}{suggest(name, ACTIONS)}", name)
    try:
        return {action.name: _read_given(action, _named(action, given))}
    except RuleError as fault:
        raise fault.within(name) from None


def _named(action: Action, given: Any) -> dict[str, Any]:
    """Parameters by name, whatever way they were written."""
    if given is None or given == "":
        return {}
    main = action.main
    if not isinstance(given, Mapping):
        given = {MAIN: given}
    named: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for key, value in given.items():
        if key == MAIN:
            if main is None:
                raise RuleError(f"{action.name} takes no value", MAIN)
            named[main.name] = value
        else:
            (named if _is_parameter(action, str(key)) else rest)[str(key)] = value
    if main is not None and main.kind.mapping and rest and main.name not in named and not _misspelt(action, rest):
        named[main.name] = rest  # the value itself is a mapping
    else:
        named |= rest
    return named


def _is_parameter(action: Action, key: str) -> bool:
    return any(key == parameter.name or key in parameter.prefixes for parameter in action.parameters)


def _misspelt(action: Action, rest: Mapping[str, Any]) -> bool:
    """Whether some key looks like a parameter."""
    return any(suggest(key, [parameter.name for parameter in action.parameters]) for key in rest)


def _read_given(action: Action, named: Mapping[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    free: dict[str, Any] = {}
    for key, value in named.items():
        parameter = next((item for item in action.parameters if key == item.name or key in item.prefixes), None)
        if parameter is not None:
            written = value if key == parameter.name else f"{key}:{value}"
            if parameter.name in read:
                raise RuleError(f"{parameter.name} is there twice", key)
            read[parameter.name] = within(parameter.kind, written, key)
        elif action.free is not None:
            name, canonical = _read_free(action, key, value)
            free[name] = canonical
        else:
            names = [item.name for item in action.parameters]
            raise RuleError(f"{action.name} has no parameter {shown(key)}{suggest(key, names)}", key)
    _check_required(action, read, free)
    usual = {item.name: item.default for item in action.parameters}
    kept = {
        item.name: read[item.name] for item in action.parameters if read.get(item.name) not in (None, usual[item.name])
    }
    return kept | free


def _read_free(action: Action, key: str, value: Any) -> tuple[str, Any]:
    assert action.free is not None  # asked by the caller
    try:
        return action.free.read(key, value)
    except RuleError as fault:
        hint = suggest(key, [item.name for item in action.parameters])
        if hint:
            raise RuleError(f"{action.name} has no parameter {shown(key)}{hint}", key) from None
        raise RuleError(fault.reason, key, value=not fault.where) from None


def _check_required(action: Action, read: Mapping[str, Any], free: Mapping[str, Any]) -> None:
    for parameter in action.parameters:
        if parameter.required and parameter.name not in read:
            raise RuleError(f"{action.name} needs {parameter.name}: {parameter.help} ({parameter.kind.form})")
    if action.free is not None and action.free.required and not free and not read:
        raise RuleError(f"{action.name} needs a {action.free.form}: {action.free.help}")


def made_of(action: Action, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as the action takes them."""
    made: dict[str, Any] = {}
    for parameter in action.parameters:
        value = given.get(parameter.name, parameter.default)
        made[parameter.name] = None if value is None else parameter.kind.make(value)
    names = {parameter.name for parameter in action.parameters}
    if action.free is not None:
        made["*"] = tuple(action.free.make(key, value) for key, value in given.items() if key not in names)
    return made
