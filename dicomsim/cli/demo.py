"""`dicomsim demo`: all of it at work, as the commands that a person would type, against a peer in this process."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from dicomsim.cli import dicomsim
from dicomsim.cli.options import example
from dicomsim.cli.serving import make_acceptor
from dicomsim.peer_address import PeerAddress

if TYPE_CHECKING:
    from dicomsim.server import Server

AET = "PEER"
CAPTURE = "demo.pcapng"
SCENARIOS = (
    "ps3.7/9.1.5/echo",
    "ps3.4/b.2/store",
    "ps3.8/9.3.3.2/abstract-syntax-unknown",
    "ps3.8/9.2/unknown-pdu-in-association",
    "ps3.8/9.3.1/item-past-the-end",
    "field/titles-padded-with-nul",
)
"""What is done to the peer: what anybody does, what nobody may do, and what is done in the field all the same."""
SHOWN = 4
"""The association whose conversation is shown; each of these scenarios has one."""
RULE = "on C-ECHO-RQ in: answer status=0110"
"""How the peer misbehaves in the end."""
JUDGE = "ps3.7/9.1.5/echo"
"""The scenario that notices it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and why it is there."""

    why: str
    """In one line."""
    words: tuple[str, ...]
    """The command."""
    exit_code: int = 0
    """What it exits with if all is as it should be."""
    before: Callable[[], object] | None = None
    """What happens to the peer before it."""


@click.command("demo", epilog=example("dicomsim demo"))
def command() -> int:
    """See all of it at work in half a minute: a peer, scenarios and their verdicts, a capture decoded and replayed.

    Needs nothing and leaves nothing behind; the commands are shown as you would type them. Exits with 0 if everything
    went as it should, else with 1.
    """
    surprises = []
    ae = make_acceptor(AET)
    with (
        TemporaryDirectory(prefix="dicomsim-demo-") as folder,
        chdir(folder),
        ae.start_server(("127.0.0.1", 0)) as server,
    ):
        _say("1. A peer of our own, so that nothing else is needed. It runs in this process; elsewhere you would type")
        port = server.address[1]
        click.secho(f"   $ dicomsim serve --port {port} --aet {AET}", bold=True)
        for number, step in enumerate(_steps(server), 2):
            if step.before is not None:
                step.before()
            _say(f"{number}. {step.why}")
            if _call(step.words) != step.exit_code:
                surprises.append(number)
    click.echo()
    if surprises:
        click.echo(f"dicomsim: not as it should be: step {', '.join(map(str, surprises))}", err=True)
        return 1
    _say("All as it should be. Next: dicomsim --help, docs/getting-started.md, and your own peer after --peer.")
    return 0


def _steps(server: Server) -> Iterator[Step]:
    peer = str(PeerAddress(AET, *server.address))
    run = ("run", "--peer", peer, "--sanity", "none")
    yield Step("Does it answer?", ("echo", peer))
    yield Step(
        "What does it do when others do what they should, and what they must not? All of it is recorded.",
        (*run, "--record", CAPTURE, *SCENARIOS),
    )
    name = SCENARIOS[SHOWN - 1]
    yield Step(f"What was said in one of them, {name}:", ("decode", CAPTURE, "--association", str(SHOWN)))
    yield Step("The recorded requests once more: are the answers still the same?", ("replay", CAPTURE, "--to", peer))
    yield Step(
        f"Now the peer misbehaves, as with serve -b {RULE!r}: does a scenario notice?",
        (*run, JUDGE),
        exit_code=1,
        before=lambda: _misbehave(server),
    )


def _misbehave(server: Server) -> None:
    from dicomsim.behaviour import Behaviour

    server.ae.behaviour = Behaviour([RULE])


def _say(text: str) -> None:
    click.echo()
    click.secho(text, fg="cyan")


def _call(words: tuple[str, ...]) -> int:
    """Run a command as if it had been typed."""
    click.secho(f"   $ dicomsim {shlex.join(words)}", bold=True)
    code = dicomsim.main(list(words), prog_name="dicomsim", standalone_mode=False)
    return code if isinstance(code, int) else 0
