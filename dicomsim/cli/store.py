"""`dicomsim store`: send DICOM files to a peer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from dicomsim.cli.options import (
    calling_option,
    example,
    json_option,
    max_pdu_option,
    peer_argument,
    timeout_option,
    trace_option,
)
from dicomsim.cli.progress import Bar, display
from dicomsim.cli.quantities import count, quantity
from dicomsim.cli.requesting import REQUESTOR_TIMEOUTS, Requestor, describe_peer, explain
from dicomsim.cli.secure import client_tls_options
from dicomsim.cli.sending import Item, Result, Sending, find
from dicomsim.engine.clock import SystemClock
from dicomsim.errors import ExitCode
from dicomsim.peer_address import PeerAddress


@click.command(
    "store",
    epilog=example(
        "dicomsim store ARCHIVE@127.0.0.1:11112 image.dcm folder/",
        "dicomsim store [::1]:11112 folder/ --quiet --timeout dimse=300",
    ),
)
@peer_argument
@click.argument(
    "paths", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True, metavar="PATH..."
)
@calling_option
@max_pdu_option(16382)
@timeout_option(**REQUESTOR_TIMEOUTS)
@click.option("-q", "--quiet", is_flag=True, help="No line for what was stored.")
@client_tls_options
@trace_option
@json_option
def command(peer: PeerAddress, paths: tuple[Path, ...], quiet: bool, as_json: bool, **options: Any) -> int:
    """Send DICOM files to a peer (C-STORE), folders with all that is in them, byte for byte as they are.

    Proposes exactly the presentation contexts that the files need, over several associations if there are more than
    128. A warning counts as stored. Exits with 0 if all is stored, 1 if something is not, 3 if no file is a DICOM
    file, 4 without connection or association, 5 after a timeout, 6 if there is nothing to send.
    """
    shown = display(quiet, as_json)
    items: list[Item] = []
    sending = Sending(Requestor.of(peer, **options), shown.sent, shown.advance if isinstance(shown, Bar) else None)
    clock = SystemClock().monotonic
    begin = clock()
    try:
        with shown.showing():
            items.extend(shown.found(item) for item in find(paths))
            shown.begin(sum(item.size for item in items if item.result is Result.NOT_SENT))
            begin = clock()
            sending.send(items)
    except KeyboardInterrupt:
        sending.interrupted = True
    report = Report(peer, items, sending, clock() - begin)
    if as_json:
        report.print_json()
    elif items:
        click.echo(report.summary())
    if report.problem:
        click.echo(f"dicomsim: {report.problem}", err=True)
    return report.exit_code


@dataclass(slots=True)
class Report:
    """What came of it."""

    peer: PeerAddress
    """Whom it was sent to."""
    items: list[Item]
    """All files."""
    sending: Sending
    """Who has sent them."""
    seconds: float
    """How long that took."""
    counts: Counter[Result] = field(init=False)
    """Files by result."""

    def __post_init__(self) -> None:
        self.counts = Counter(item.result for item in self.items)

    @property
    def stored_bytes(self) -> int:
        """Bytes of the data sets that were stored."""
        return sum(item.size for item in self.items if item.result is Result.STORED)

    @property
    def sendable(self) -> int:
        """Files that were to be sent."""
        return len(self.items) - self.counts[Result.UNREADABLE] - self.counts[Result.SKIPPED]

    @property
    def exit_code(self) -> int:
        """The most telling reason, if not all is good."""
        failure = self.sending.failure
        if self.sending.interrupted:
            return ExitCode.INTERRUPTED
        if failure is not None:
            return failure.error().exit_code
        if not self.sendable:
            return ExitCode.DOES_NOT_PARSE if self.counts[Result.UNREADABLE] else ExitCode.NOTHING_RUN
        complete = self.counts[Result.STORED] == len(self.items) - self.counts[Result.SKIPPED]
        return ExitCode.OK if complete else ExitCode.FAILED

    @property
    def problem(self) -> str:
        """What went wrong beside single files, on one line."""
        failure = self.sending.failure
        if self.sending.interrupted:
            return f"interrupted after {count(self.counts[Result.STORED], 'file')}"
        if failure is not None:
            return explain(failure, self.peer)
        if not self.sendable:
            return "no file is a DICOM file" if self.counts[Result.UNREADABLE] else "there is no file to send"
        return ""

    def summary(self) -> str:
        """One line."""
        stored, size = self.counts[Result.STORED], self.stored_bytes
        text = f"{stored} of {count(len(self.items), 'file')} stored"
        if stored and self.seconds > 0:
            text += (
                f", {quantity(size)} in {self.seconds:.2f} s"
                f" ({quantity(size / self.seconds)}/s, {stored / self.seconds:.0f} files/s)"
            )
        others = [f"{number} {result}" for result in Result if result != "stored" and (number := self.counts[result])]
        return text + (f"; {', '.join(others)}" if others else "")

    def print_json(self) -> None:
        """Everything, as one object."""
        import json

        associations = [
            {"accepted": describe_peer(one), "outcome": one.outcome.as_dict() if one.outcome else None}
            for one in self.sending.associations
        ]
        summary = {result.value.replace(" ", "_"): self.counts[result] for result in Result} | {
            "bytes": self.stored_bytes,
            "seconds": round(self.seconds, 6),
        }
        document = self.sending.requestor.as_dict() | {
            "files": [item.as_dict() for item in self.items],
            "associations": associations,
            "summary": summary,
            "error": self.problem or None,
        }
        click.echo(json.dumps(document, indent=2))
