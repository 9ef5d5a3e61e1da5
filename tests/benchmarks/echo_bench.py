"""C-ECHO: round trips on one association, and whole associations with one C-ECHO each."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import ends
from tests.benchmarks.rounds import Comparison, Figure, Subject, Target, report

ECHOES = 5000
THEIR_ECHOES = 200
"""pynetdicom takes milliseconds for each."""
ASSOCIATIONS = 500
LEAST_ECHOES, LEAST_ASSOCIATIONS = 10_000, 1_000
"""A second."""
THEIR_ASSOCIATIONS = 20

OURS = "ours -> ours"
OURS_TO_STORESCP = "ours -> storescp"
ECHOSCU = "echoscu --repeat -> storescp"
ECHOSCU_TO_OURS = "echoscu --repeat -> ours"
THEIRS = "pynetdicom -> pynetdicom"
BARE = "bare sockets"


def main() -> int:
    """Measure and print everything; 1 when a target was missed."""
    with TemporaryDirectory(prefix="dicomsim-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        ours = stack.enter_context(ends.ours(folder))
        storescp = stack.enter_context(ends.storescp(folder, "--fork", "--ignore"))
        theirs = stack.enter_context(ends.pynetdicom(folder))
        bare = stack.enter_context(ends.bare(folder))
        echoes = Comparison(
            "C-ECHO on one association",
            "round trips/s",
            [
                Subject(OURS, lambda: ECHOES / ends.ours_does(ours, "echo", str(ECHOES))),
                Subject(OURS_TO_STORESCP, lambda: ECHOES / ends.ours_does(storescp, "echo", str(ECHOES))),
                Subject(ECHOSCU, lambda: ECHOES / ends.echoscu(storescp, ECHOES)),
                Subject(ECHOSCU_TO_OURS, lambda: ECHOES / ends.echoscu(ours, ECHOES)),
                Subject(BARE, lambda: ECHOES / ends.bare_does(bare, "echo", str(ECHOES))),
                Subject(THEIRS, lambda: THEIR_ECHOES / ends.pynetdicom_does(theirs, "echo", str(THEIR_ECHOES))),
            ],
            [Target(OURS, THEIRS, 10), Target(OURS, ECHOSCU, 1)],
        )
        associations = Comparison(
            "associate, C-ECHO, release",
            "associations/s",
            [
                Subject(OURS, lambda: ASSOCIATIONS / ends.ours_does(ours, "associate", str(ASSOCIATIONS))),
                Subject(THEIRS, partial(_their_associations, theirs)),
            ],
        )
        echoes.run()
        associations.run()
        figures = [
            Figure("C-ECHO on an open association", echoes.median(OURS), "a second", least=LEAST_ECHOES),
            Figure("the same, of what bare sockets do", echoes.median(OURS) / echoes.median(BARE) * 100, "%"),
            Figure("associate, C-ECHO, release", associations.median(OURS), "a second", least=LEAST_ASSOCIATIONS),
        ]
        for figure in figures:
            figure.print()
        return report("echo", [echoes, associations], figures)


def _their_associations(port: int) -> float:
    return THEIR_ASSOCIATIONS / ends.pynetdicom_does(port, "associate", str(THEIR_ASSOCIATIONS))
