"""The prompt itself: help, waiting, leaving."""

from __future__ import annotations

import threading
from typing import Annotated

from dicomsim.behaviour import ACTIONS, PROFILES, TRIGGERS
from dicomsim.errors import TimeLimitError
from dicomsim.repl.command import Command, CommandError, Place, Registry
from dicomsim.repl.forms import COMMAND, SECONDS
from dicomsim.repl.workbench import Workbench


class Quit(Exception):  # noqa: N818  # no error
    """The prompt is to be left."""


def wait(
    bench: Workbench,
    seconds: Annotated[float | None, SECONDS, "how long; without it, until Ctrl-C"] = None,
) -> None:
    """Wait some seconds; what happens meanwhile is shown."""
    threading.Event().wait(seconds)


def wait_end(
    bench: Workbench,
    seconds: Annotated[float | None, SECONDS, "the longest to wait; without it, until Ctrl-C"] = None,
) -> None:
    """Wait until the association is over; if it is not after so many seconds, that is a failure."""
    bench.require_last()
    if not bench.await_end(seconds):
        raise TimeLimitError(f"the association is still open after {seconds:g} s")


def help_(
    bench: Workbench,
    *command: Annotated[str, COMMAND, "what about; without it, all are listed"],
) -> None:
    """List the commands, or say more about one."""
    registry = bench.commands
    if not command:
        _overview(bench, registry)
        return
    group = registry.group(command[0]) if len(command) == 1 else []
    for member in group:
        _about(bench, member)
    if not group:
        found, length = registry.require(command)
        if length < len(command):
            raise CommandError(f"{' '.join(command)} is no command; help lists all")
        _about(bench, found)
    if command[0] == "rule":
        _words_of_rules(bench)


def _overview(bench: Workbench, registry: Registry) -> None:
    width = max(len(one.name) for one in registry)
    for one in registry:
        bench.say(f"{one.name:{width}}  {one.summary}")
    bench.say("")
    bench.say("help COMMAND says more; Tab completes, also in rules; several commands on a line have ; between them")


def _about(bench: Workbench, command: Command) -> None:
    bench.say(command.usage)
    bench.say(f"    {command.summary}")
    for line in command.details.splitlines():
        bench.say(f"    {line}")
    rows = [(f"{one.name}=" if one.place is Place.NAME else one.form.name, one.help) for one in command.parameters]
    width = max((len(name) for name, _ in rows), default=0)
    for name, says in rows:
        bench.say(f"      {name:{width}}  {says}")
    aliases = [alias for alias in command.aliases if " " not in alias]
    if aliases:
        bench.say(f"    also: {', '.join(aliases)}")


def _words_of_rules(bench: Workbench) -> None:
    """The vocabulary of rules, from its tables."""
    tables = (
        ("WHEN", {one.name: one.help for one in TRIGGERS.values()}),
        ("DO", {one.name: one.help for one in ACTIONS.values()}),
        ("profile:", {name: profile.help for name, profile in PROFILES.items()}),
    )
    for title, words in tables:
        bench.say(f"{title}:")
        width = max(map(len, words))
        for word, says in words.items():
            bench.say(f"      {word:{width}}  {says}")


def quit_(bench: Workbench) -> None:
    """Release the association, close everything and leave; Ctrl-D does the same."""
    raise Quit


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.command("wait")(wait)
    registry.command("wait end")(wait_end)
    registry.command("help", "?")(help_)
    registry.command("quit", "exit")(quit_)
