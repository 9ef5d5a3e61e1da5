"""Rules: misbehaviour put around the associations, those that are open among them."""

from __future__ import annotations

from typing import Annotated

from dicomsim.behaviour import Rule, load_rules
from dicomsim.behaviour.values import RuleError, suggest
from dicomsim.errors import FileError
from dicomsim.repl.command import CommandError, Registry
from dicomsim.repl.forms import ENABLED_RULE, RULE, RULE_NAME
from dicomsim.repl.output import Tone
from dicomsim.repl.rule_words import whole_rule
from dicomsim.repl.workbench import Workbench


def on(
    bench: Workbench,
    rule: Annotated[str, RULE, "on WHEN: DO; profile:NAME; a file of rules; the name of one that is off"],
) -> None:
    """Install a rule, or switch one on that is off.

    It works from the next PDU on, in the association that is open and in the acceptor alike; side=requestor and
    side=acceptor tell them apart. A rule with a semicolon in it stands in quotes; the word on at its beginning may be
    left out.
    """
    names = [installed.name for installed in bench.behaviour.rules]
    if rule in names:
        bench.behaviour.enable(rule)
        added = [rule]
    else:
        added = [bench.behaviour.add(read) for read in _read(rule, names)]
    bench.on_change()
    for installed in bench.behaviour.rules:
        if installed.name in added:
            bench.say(f"{installed.name}: {installed.text}", Tone.GOOD)


def _read(rule: str, names: list[str]) -> list[Rule]:
    whole = whole_rule(rule)
    try:
        return load_rules(whole)
    except RuleError as error:
        column = error.column - (len(whole) - len(rule))
        where = f" (column {column} of the rule)" if error.column and column > 0 else ""
        raise CommandError(f"{error.reason}{where}") from None
    except FileError as error:
        raise type(error)(f"{error}{suggest(rule, names)}") from None


def off(bench: Workbench, name: Annotated[str, ENABLED_RULE, "of the rule; all for every one"] = "all") -> None:
    """Switch a rule off, or all of them; rule on NAME switches it on again."""
    names = [installed.name for installed in bench.behaviour.rules if installed.enabled]
    if name != "all" or "all" in names:
        bench.behaviour.disable(name)
        bench.say(f"{name} is off")
    else:
        for one in names:
            bench.behaviour.disable(one)
        bench.say(f"{_counted(len(names))} switched off" if names else "no rule was on")
    bench.on_change()


def show(bench: Workbench) -> None:
    """List the rules, and how often each has fired."""
    if not bench.behaviour.rules:
        bench.say("there are no rules: rule on C-ECHO-RQ in: delay 2 makes one")
    for installed in bench.behaviour.rules:
        state = "on " if installed.enabled else "off"
        bench.say(f"{state} {installed.name}: {installed.text} (fired {installed.fired} times)")


def clear(
    bench: Workbench, name: Annotated[str | None, RULE_NAME, "of the rule; without it, all of them"] = None
) -> None:
    """Take a rule away, or all of them."""
    count = len(bench.behaviour.rules)
    if name is None:
        bench.behaviour.clear()
        bench.say(f"{_counted(count)} taken away" if count else "there was no rule")
    else:
        bench.behaviour.remove(name)
        bench.say(f"{name} is taken away")
    bench.on_change()


def _counted(count: int) -> str:
    return "1 rule" if count == 1 else f"{count} rules"


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.command("rule on")(on)
    registry.command("rule off")(off)
    registry.command("rule list", "rule")(show)
    registry.command("rule clear")(clear)
