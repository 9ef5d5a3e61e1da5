"""Runs the commands of a line, one after the other, and turns what they raise into one line each."""

from __future__ import annotations

from contextlib import nullcontext

from dicomsim.errors import DicomsimError, ExitCode
from dicomsim.repl.command import IGNORE, Command, CommandError, Registry, bind
from dicomsim.repl.line import Part, read_line
from dicomsim.repl.workbench import Workbench


class Interpreter:
    """Reads lines and runs what they say on a workbench."""

    def __init__(self, registry: Registry, bench: Workbench) -> None:
        self.registry = registry
        self.bench = bench
        self.count = 0
        """Commands that were run."""

    def run(self, line: str, about: str = "") -> int:
        """Run the commands of a line until one fails; its exit code, or 0.

        A command with a dash before it may fail. `about` stands before what went wrong. `Quit` passes through.
        """
        for part in read_line(line):
            if part.words:
                code = self._run(part, line, about)
                if code == ExitCode.INTERRUPTED or (code and not part.words[0].text.startswith(IGNORE)):
                    return code
        return 0

    def _run(self, part: Part, line: str, about: str) -> int:
        command: Command | None = None
        with self.bench.busy():
            try:
                names = [word.text for word in part.words]
                names[0] = names[0].removeprefix(IGNORE)
                command, skip = self.registry.require(names)
                arguments, named = bind(command, part, line, skip)
                self.count += 1
                with self.bench.hint(command.name) if command.calls else nullcontext():
                    command.function(self.bench, *arguments, **named)
            except KeyboardInterrupt:
                self._interrupt(command)
                return ExitCode.INTERRUPTED
            except DicomsimError as error:
                what = f"{command.name}: " if command is not None and not isinstance(error, CommandError) else ""
                self.bench.complain(f"{about}{what}{error}")
                return error.exit_code
        return 0

    def _interrupt(self, command: Command | None) -> None:
        """Ctrl-C: what waits for the peer aborts its association, everything else just stops."""
        try:
            if command is not None and command.calls:
                self.bench.interrupt()
        except KeyboardInterrupt:
            pass  # who presses it twice wants it twice
        self.bench.output.interrupted()
