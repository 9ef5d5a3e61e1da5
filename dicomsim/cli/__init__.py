"""The command line: one module a command, each with a click command of the module's name; imported when called.

Every command reports a `DicomsimError` as one line on stderr and exits with the code of its class, or 130 after Ctrl-C.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from dicomsim import __version__
from dicomsim.errors import DicomsimError, ExitCode

COMMANDS = {
    "echo": "Verify that a peer answers (C-ECHO).",
    "store": "Send DICOM files to a peer (C-STORE).",
    "serve": "Be a peer: verification and storage, with rules on request.",
    "list": "List scenarios.",
    "run": "Run scenarios against a peer and judge its answers.",
    "decode": "Show what a capture says.",
    "replay": "Play a capture again to a live peer and compare the answers.",
    "repl": "Work by hand at a prompt.",
    "demo": "See all of it at work in half a minute.",
}
"""Name and short help, in the order of the help page."""


class LazyGroup(click.Group):
    """A group whose commands are imported only when one is called, so that `--version` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the table."""
        return [*COMMANDS]  # `list` is the module of that command here, once it is imported

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import `dicomsim.cli.<name>` and take its `command`."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"dicomsim.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command table without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dicomsim")
def dicomsim() -> None:
    """Test harness and conformance simulator for DICOM networking."""


def _open_closed_streams() -> None:
    """Whoever has started us may have closed our streams, whose numbers then would be taken by the next sockets."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  # as long as the process


def _print_no_more() -> None:
    """Drop what is still to be printed, or Python complains at its end that it cannot be."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line and exit with one of the codes of `ExitCode`."""
    _open_closed_streams()
    try:
        code = dicomsim.main(arguments, prog_name="dicomsim", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough, as `| head` does; click ends the same way
        _print_no_more()
        code = ExitCode.FAILED  # for what was broken off may be a run
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except DicomsimError as error:
        click.echo(f"dicomsim: {error}", err=True)
        code = error.exit_code
    except OSError as error:  # what the commands write goes through errors of ours; this is where they print
        _print_no_more()
        where = "" if error.filename is None else f"{error.filename}: "
        click.echo(f"dicomsim: {where}{(error.strerror or str(error)).lower()}", err=True)
        code = ExitCode.FAILED
    sys.exit(code if isinstance(code, int) else 0)
