"""Commands without a prompt: from the command line or from a pipe, until one fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TextIO

from dicomsim.errors import ExitCode
from dicomsim.repl.commands.prompt import Quit
from dicomsim.repl.interpreter import Interpreter


def lines_of(stream: TextIO) -> Iterator[tuple[str, str]]:
    """The lines of a stream as they come, each with what to say before what is wrong in it."""
    for number, line in enumerate(stream, 1):
        yield f"line {number}: ", line.rstrip("\n")


def run_batch(interpreter: Interpreter, lines: Iterable[tuple[str, str]]) -> int:
    """Run lines, each with what stands before its errors, until one fails or nobody reads on; then clear away.

    Returns the exit code of the command that failed, else that of clearing away, else 0, or 6 if nothing was run.
    """
    code = 0
    try:
        for about, line in lines:
            code = interpreter.run(line, about)
            if code or not interpreter.bench.output.is_read:
                break
    except Quit:
        pass
    except KeyboardInterrupt:  # between two commands
        code = ExitCode.INTERRUPTED
    finally:
        try:
            cleared = interpreter.bench.close()
        except KeyboardInterrupt:
            cleared = ExitCode.INTERRUPTED
    return code or cleared or (0 if interpreter.count else ExitCode.NOTHING_RUN)
