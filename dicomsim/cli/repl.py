"""`dicomsim repl`: work by hand at a prompt, or run its commands from the command line or a pipe."""

from __future__ import annotations

import click

from dicomsim.cli.options import example


@click.command(
    "repl",
    epilog=example(
        "dicomsim repl ARCHIVE@127.0.0.1:11112",
        "dicomsim repl 127.0.0.1:11112 -c 'echo; release'",
    ),
)
@click.argument("peer", required=False, metavar="[[AET@]HOST:PORT]")
@click.option(
    "-c", "--command", "commands", multiple=True, metavar="COMMANDS", help="Run these and leave; may be repeated."
)
@click.option("--calling", metavar="AET", help="Calling AE title: who we are.")
def command(peer: str | None, commands: tuple[str, ...], calling: str | None) -> int:
    """Work by hand at a prompt: open an association, use it, misbehave, serve, record, trace; help lists all commands.

    With a peer, an association with it is opened first. With -c, or when stdin is no terminal, commands are run without
    a prompt until one fails; a dash before a command lets it fail. Exits with the code of the command that failed, and
    6 if there was none.
    """
    from dicomsim.repl.session import run_repl

    return run_repl(peer, commands, calling)
