"""`dicomsim replay`: play the requestor of a capture to a live peer and compare the answers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from dicomsim.cli.options import PEER, SECONDS, TITLE, check_payload_limit, example, payload_limit_option
from dicomsim.errors import ConnectError, DicomsimError
from dicomsim.peer_address import ANY_ACCEPTOR, PeerAddress

if TYPE_CHECKING:
    from dicomsim.capture.replay import ReplayReport

ANSWER_SECONDS = 30.0
"""How long an answer is waited for: longer than archives take for a query, shorter than a person's patience."""


@click.command(
    "replay",
    epilog=example(
        "dicomsim replay field.pcapng --to ARCHIVE@127.0.0.1:11112",
        "dicomsim replay field.pcapng --to 127.0.0.1:11112 --association 2 --timing captured --record again.pcapng",
    ),
)
@click.argument("file", type=click.Path(path_type=str))
@click.option("--to", "peer", type=PEER, required=True, metavar="[AET@]HOST:PORT", help="The live peer.")
@click.option("--calling", type=TITLE, metavar="AET", help="Calling AE title; by default that of the capture.")
@click.option(
    "--association", type=click.IntRange(min=1), metavar="N",
    help="Only the association of that number; by default all with the acceptor of the first.",
)  # fmt: skip
@click.option(
    "--timing", default="fast", show_default=True, metavar="fast|captured|FACTOR",
    help="How far apart steps are: as fast as their order allows, as captured, or so many times that.",
)  # fmt: skip
@click.option(
    "--timeout", type=SECONDS, default=ANSWER_SECONDS, show_default=True, metavar="S",
    help="Seconds that bound each wait for an answer.",
)  # fmt: skip
@click.option("--statuses", type=click.Choice(["exact", "class"]), default="exact", show_default=True,
              help="Whether another status of the same class counts as a difference.")  # fmt: skip
@click.option("--secrets", is_flag=True, help="Send user identities as captured; else they are left out.")
@click.option("--damaged", is_flag=True, help="Send PDUs of which the capture lacks bytes, with zeros for those.")
@click.option(
    "--record", type=click.Path(path_type=str), metavar="FILE", help="Write the live conversation as a capture."
)
@payload_limit_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object an association, on a line each.")
def command(file: str, peer: PeerAddress, as_json: bool, record: str | None, **options: Any) -> int:
    """Play the requestor of each captured association again and say what the live peer answers otherwise.

    AE titles, context ids, PDU sizes and message ids are fitted to the live association. Exits with 0 when all answers
    are the same by meaning, 1 when some differ or a step could not be played, 4 when there is no connection.
    """
    check_payload_limit(options["payload_limit"], record)
    if record is not None and all(map(os.path.exists, (file, record))) and os.path.samefile(file, record):
        raise click.BadParameter("the capture to replay would be overwritten", param_hint="'--record'")
    code = 0
    said = set()
    with ExitStack() as stack:
        for report in _reports(stack, file, peer, record, options):
            click.echo(json.dumps(_as_dict(report), ensure_ascii=False) if as_json else "\n".join(report.lines()))
            code = max(code, _exit_code(report))
            error = str(report.error or "")
            if error and error not in said:  # a peer that is not there is so for every association
                said.add(error)
                click.echo(f"dicomsim: {error}", err=True)
    return code


def _reports(
    stack: ExitStack, file: str, peer: PeerAddress, record: str | None, options: dict[str, Any]
) -> Iterator[ReplayReport]:
    from dicomsim.capture.compare import Statuses
    from dicomsim.capture.conversation import conversations
    from dicomsim.capture.player import PlayOptions
    from dicomsim.capture.recorder import Recorder
    from dicomsim.capture.replay import replay_file
    from dicomsim.engine.stream import connect_stream

    conversations(file)  # before anything is sent or written: a file that is no capture ends it here
    play = PlayOptions(
        called=None if peer.ae_title == ANY_ACCEPTOR else peer.ae_title,
        calling=options["calling"],
        timing=_timing(options["timing"]),
        timeout=options["timeout"],
        secrets=options["secrets"],
        damaged=options["damaged"],
    )
    limit: int | None = options["payload_limit"]
    observer = stack.enter_context(Recorder(record, payload_limit=limit)) if record else None
    connect = partial(connect_stream, peer.host, peer.port, options["timeout"], observer)
    statuses = Statuses[options["statuses"].upper()]
    yield from replay_file(file, connect, play, association=options["association"], statuses=statuses)


def _timing(text: str) -> float:
    words = {"fast": 0.0, "captured": 1.0}
    try:
        factor = words[text] if text in words else float(text)
    except ValueError:
        factor = -1.0
    if not 0 <= factor <= 1000:
        raise click.BadParameter(
            f"{text!r} is neither fast nor captured nor a factor from 0 to 1000", param_hint="--timing"
        )
    return factor


def _exit_code(report: ReplayReport) -> int:
    if isinstance(report.error, DicomsimError):
        return report.error.exit_code if isinstance(report.error, ConnectError) else max(1, report.error.exit_code)
    return int(bool(report.differences))


def _as_dict(report: ReplayReport) -> dict[str, Any]:
    return {
        "association": report.association,
        "verdict": report.verdict.value,
        "steps": [
            {"step": one.step, "frame": one.frame, "from": one.sender and one.sender.value, "text": one.text}
            for one in report.steps
        ],
        "differences": [
            {"step": one.step, "frame": one.frame, "path": one.path, "captured": one.captured, "live": one.live}
            for one in report.differences
        ],
        "notes": list(report.notes),
        "error": None if report.error is None else str(report.error),
    }
