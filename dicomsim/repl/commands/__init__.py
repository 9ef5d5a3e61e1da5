"""The commands of the prompt, by what they are about; each module registers its own.

A command is a function of the workbench and its typed arguments. What it shows goes through the workbench, what it
cannot do it raises as a `DicomsimError`.
"""

from __future__ import annotations

from dicomsim.repl.command import Registry
from dicomsim.repl.commands import acceptor, association, inspecting, operations, prompt, recording, rules, settings


def all_commands() -> Registry:
    """All commands, in the order in which help lists them."""
    registry = Registry()
    for module in (association, operations, inspecting, acceptor, rules, recording, settings, prompt):
        module.register(registry)
    return registry
