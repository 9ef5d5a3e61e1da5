"""A session from its beginning to its end: with a prompt, or without."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from itertools import chain

from dicomsim import __version__
from dicomsim.repl.batch import lines_of, run_batch
from dicomsim.repl.commands import all_commands
from dicomsim.repl.interpreter import Interpreter
from dicomsim.repl.line import quoted
from dicomsim.repl.output import Output, PlainOutput, TerminalOutput
from dicomsim.repl.workbench import Workbench

SHOWN = "backslashreplace"
PATIENCE = 2.0
"""Seconds after which somebody at a terminal is told how to end a command that waits for a peer."""


def run_repl(peer: str | None, commands: Sequence[str], calling: str | None = None) -> int:
    """Run the commands, or those of stdin if it is no terminal, or ask for them; the exit code.

    With a peer, an association with it is opened first, by the same command as at the prompt.
    """
    _take_any_bytes()
    first = list(_first(peer, calling))
    if commands or not (sys.stdin.isatty() and sys.stdout.isatty()):
        interpreter = _interpreter(PlainOutput())
        lines = (("", one) for one in commands) if commands else lines_of(sys.stdin)
        return run_batch(interpreter, chain((("", one) for one in first), lines))
    from dicomsim.repl.prompt import MESSAGE, Prompt, open_history

    output = TerminalOutput()
    interpreter = _interpreter(output, PATIENCE)
    prompt = Prompt(interpreter, open_history(output))
    output.line(f"dicomsim {__version__}; help lists the commands, Tab completes, Ctrl-D leaves")
    for line in first:
        output.line(f"{MESSAGE}{line}")
        interpreter.run(line)
    return prompt.run()


def _take_any_bytes() -> None:
    """Names of files may be any bytes: what cannot be decoded is kept, what cannot be shown is shown as an escape."""
    for stream, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, SHOWN), (sys.stderr, SHOWN)):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=errors)


def _interpreter(output: Output, patience: float | None = None) -> Interpreter:
    registry = all_commands()
    return Interpreter(registry, Workbench(output, registry, patience))


def _first(peer: str | None, calling: str | None) -> Iterator[str]:
    if calling is not None:
        yield f"set calling {quoted(calling)}"
    if peer is not None:
        yield f"open {quoted(peer)}"
