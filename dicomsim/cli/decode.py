"""`dicomsim decode`: show what a capture says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import click

from dicomsim.cli.options import example
from dicomsim.errors import ExitCode

NARROWEST = 60
"""Columns below which a ladder cannot be read."""
WIDEST = 1000
"""Columns beyond which nobody sees both ends of it."""


@click.command(
    "decode",
    epilog=example(
        "dicomsim decode field.pcapng",
        "dicomsim decode field.pcap.gz --association 3",
        "dicomsim decode field.pcapng --json | jq -c 'select(.message.status_code != 0)'",
    ),
)
@click.argument("file", type=click.Path(path_type=str))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a PDU, on a line each.")
@click.option(
    "--association", type=click.IntRange(min=1), metavar="N", help="Only the association of that number in the capture."
)
@click.option(
    "--port", "ports", type=click.IntRange(1, 65535), multiple=True, metavar="P",
    help="Take connections to this port for DICOM without looking at their bytes; may be given several times.",
)  # fmt: skip
@click.option(
    "--width", type=click.IntRange(NARROWEST, WIDEST), metavar="COLUMNS", help="How wide the ladder may be."
)
def command(file: str, as_json: bool, association: int | None, ports: tuple[int, ...], width: int | None) -> int:
    """Show the DICOM associations in a capture (pcap or pcapng, also .gz, .xz and .bz2) as a ladder.

    The requestor is on the left and the acceptor on the right; times are seconds since the first frame.
    """
    lines = _json_lines(file, association, ports) if as_json else _ladder(file, association, ports, width)
    shown = 0
    for line in lines:
        click.echo(line)
        shown += 1
    if not shown:
        which = "no DICOM association" if association is None else f"no association {association}"
        click.echo(f"dicomsim: {file}: {which} in this capture", err=True)
        return ExitCode.NOTHING_RUN
    return 0


def _json_lines(file: str, association: int | None, ports: tuple[int, ...]) -> Iterator[str]:
    from dicomsim.capture.decode import decode_lines

    for line in decode_lines(file, ports=ports):
        if association in (None, line["association"]):
            yield json.dumps(line, ensure_ascii=False)


def _ladder(file: str, association: int | None, ports: tuple[int, ...], width: int | None) -> Iterator[str]:
    from dicomsim.capture.conversation import read
    from dicomsim.capture.ladder import ladder_lines

    columns = width or max(shutil.get_terminal_size((100, 24)).columns, NARROWEST)
    items = (item for item in read(file, ports=ports) if association in (None, item.association))
    yield from ladder_lines(items, columns)
