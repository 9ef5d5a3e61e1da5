"""`dicomsim echo`: verify that a peer answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from dicomsim.association import VERIFICATION
from dicomsim.cli.options import (
    TRANSFER_SYNTAX,
    calling_option,
    example,
    json_option,
    max_pdu_option,
    peer_argument,
    timeout_option,
    trace_option,
)
from dicomsim.cli.requesting import (
    REQUESTOR_TIMEOUTS,
    Requestor,
    describe_peer,
    explain,
    implementation_text,
    refusal,
)
from dicomsim.cli.secure import client_tls_options
from dicomsim.errors import DicomsimError, ExitCode
from dicomsim.peer_address import PeerAddress
from dicomsim.presentation import DEFAULT_TRANSFER_SYNTAXES, build_context
from dicomsim.status import StatusClass, describe_status, status_class

if TYPE_CHECKING:
    from dicomsim.association import Association
    from dicomsim.outcome import Outcome

LITTLE_ENDIAN = tuple(map(str, DEFAULT_TRANSFER_SYNTAXES[:2]))


@dataclass(slots=True)
class Echoes:
    """What came of it."""

    wanted: int
    """Requests to send."""
    answers: list[tuple[int | None, float]] = field(default_factory=list)
    """Status, None if the answer had none, and seconds of each."""
    problem: str = ""
    """What went wrong beside the answers, on one line."""
    exit_code: int = 0
    """What the command exits with."""

    @property
    def good(self) -> int:
        """Answers with success."""
        return sum(status is not None and status_class(status) is StatusClass.SUCCESS for status, _ in self.answers)

    def fail(self, problem: str, exit_code: int) -> None:
        """Note a problem; the first one counts."""
        if not self.exit_code:
            self.problem, self.exit_code = problem, exit_code


@click.command(
    "echo",
    epilog=example(
        "dicomsim echo ARCHIVE@127.0.0.1:11112", "dicomsim echo [::1]:11112 -n 100 --calling MODALITY --timeout 5"
    ),
)
@peer_argument
@click.option(
    "-n", "--count", type=click.IntRange(min=1), default=1, show_default=True, metavar="COUNT", help="Echoes to send."
)
@calling_option
@click.option(
    "--transfer-syntax",
    "transfer_syntaxes",
    type=TRANSFER_SYNTAX,
    multiple=True,
    metavar="UID|KEYWORD",
    help="Propose this one, and not implicit and explicit VR little endian; several times for several.",
)
@max_pdu_option(16382)
@timeout_option(**REQUESTOR_TIMEOUTS)
@click.option("-v", "--verbose", is_flag=True, help="Print every answer.")
@client_tls_options
@trace_option
@json_option
def command(
    peer: PeerAddress, count: int, transfer_syntaxes: tuple[str, ...], verbose: bool, as_json: bool, **options: Any
) -> int:
    """Verify that a peer answers (C-ECHO): one association, COUNT requests, release.

    The peer is called ANY-SCP unless AET@ stands before its address. Exits with 0 if every answer says success and the
    association ends in order, 1 if an answer does not, 4 without connection or association, 5 after a timeout.
    """
    requestor = Requestor.of(peer, **options)
    association = requestor.associate([build_context(VERIFICATION, transfer_syntaxes or LITTLE_ENDIAN)])
    echoes = Echoes(count)
    if association.is_established:
        _converse(association, echoes, peer, verbose and not as_json)
    if association.outcome is not None and not association.is_released:
        echoes.fail(explain(association.outcome, peer), association.outcome.error().exit_code)
    if as_json:
        _print_json(requestor, association, echoes)
    elif echoes.answers:
        click.echo(_summary(association, echoes, peer))
    if echoes.problem:
        click.echo(f"dicomsim: {echoes.problem}", err=True)
    return echoes.exit_code


def _converse(association: Association, echoes: Echoes, peer: PeerAddress, verbose: bool) -> None:
    """Send the requests and release; what ends the association early is told by its outcome."""
    try:
        with association:
            if not association.accepted_contexts:
                echoes.fail(f"{peer}: refuses Verification: {refusal(association, VERIFICATION)}", 1)
                return
            clock = association.session.clock.monotonic
            for number in range(1, echoes.wanted + 1):
                begin = clock()
                status = association.c_echo().status
                echoes.answers.append((status, clock() - begin))
                meaning = _meaning(status)
                if verbose or status != 0:
                    click.echo(f"echo {number}: {meaning} in {1e3 * echoes.answers[-1][1]:.3f} ms")
                if status != 0:
                    echoes.fail(f"{peer}: answers {meaning}", 1)
    except KeyboardInterrupt:
        echoes.fail(f"interrupted after {len(echoes.answers)} of {echoes.wanted} echoes", ExitCode.INTERRUPTED)
    except DicomsimError as error:
        if association.outcome is None:
            echoes.fail(f"{peer}: {error}", error.exit_code)


def _meaning(status: int | None) -> str:
    return "no status" if status is None else describe_status(status, VERIFICATION, "C-ECHO")


def _summary(association: Association, echoes: Echoes, peer: PeerAddress) -> str:
    name = implementation_text(association)
    name = f" ({name})" if name else ""
    times = sorted(1e3 * seconds for _, seconds in echoes.answers)
    if echoes.wanted == 1:
        return f"{peer}{name} answers {_meaning(echoes.answers[0][0])} in {times[0]:.3f} ms"
    middle = times[len(times) // 2]
    return (
        f"{peer}{name}: {echoes.good} of {echoes.wanted} echoes answered with success, "
        f"{times[0]:.3f} / {middle:.3f} / {times[-1]:.3f} ms (least / median / most)"
    )


def _print_json(requestor: Requestor, association: Association, echoes: Echoes) -> None:
    import json

    outcome: Outcome | None = association.outcome
    answers = [
        {"status": status, "meaning": _meaning(status), "seconds": round(seconds, 6)}
        for status, seconds in echoes.answers
    ]
    document = requestor.as_dict() | {
        "accepted": describe_peer(association),
        "echoes": answers,
        "outcome": None if outcome is None else outcome.as_dict(),
        "error": echoes.problem or None,
    }
    click.echo(json.dumps(document, indent=2))
