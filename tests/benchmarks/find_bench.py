"""C-FIND: one query with many matches, each made anew by the acceptor's handler and read by the requestor."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import ends
from tests.benchmarks.rounds import Comparison, Subject, Target, report

MATCHES = 10_000
THEIR_MATCHES = 2_000
"""pynetdicom takes milliseconds for each."""

OURS = "ours -> ours"
OURS_TO_THEIRS = "ours -> pynetdicom"
THEIRS = "pynetdicom -> pynetdicom"


def main() -> int:
    """Measure and print everything; 1 when a target was missed."""
    with TemporaryDirectory(prefix="dicomsim-bench-") as name, ExitStack() as stack:
        ours = stack.enter_context(ends.ours(Path(name)))
        theirs = stack.enter_context(ends.pynetdicom(Path(name)))
        matches = Comparison(
            f"C-FIND with {MATCHES} matches of ten attributes",
            "matches/s",
            [
                Subject(OURS, lambda: MATCHES / ends.ours_does(ours, "find", str(MATCHES))),
                Subject(OURS_TO_THEIRS, lambda: THEIR_MATCHES / ends.ours_does(theirs, "find", str(THEIR_MATCHES))),
                Subject(THEIRS, lambda: THEIR_MATCHES / ends.pynetdicom_does(theirs, "find", str(THEIR_MATCHES))),
            ],
            [Target(OURS, THEIRS, 8)],
        )
        matches.run()
        return report("find", [matches])
