"""What it costs to be watched: a subscriber for PDU events, and recording everything to a file."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import ends
from tests.benchmarks.rounds import Comparison, Figure, Subject, Target, report
from tests.benchmarks.workload import MEDIUM

ALONE = "nobody watches"
PDUS = "a subscriber for PDU events"
RECORDING = "recorded to pcapng"
CUT = "recorded, 256 bytes of each data set fragment"
LIMIT = 256
RECORDED = 250
"""MB/s at least, while every byte goes into a file."""


def main() -> int:
    """Measure and print everything; 1 when a target was missed."""
    with TemporaryDirectory(prefix="dicomsim-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        files = str(MEDIUM.make(folder)[0].parent)
        port = stack.enter_context(ends.ours(folder))
        capture, cut = folder / "all.pcapng", str(folder / "cut.pcapng")
        sizes = []

        def recording() -> float:
            rate = MEDIUM.total / 1e6 / ends.ours_does(port, "recorded", files, str(capture))
            sizes.append(os.stat(capture).st_size)
            return rate

        watching = Comparison(
            "C-STORE of 0.5 MB objects, ours -> ours, watched at the requestor",
            "MB/s",
            [
                Subject(ALONE, lambda: MEDIUM.total / 1e6 / ends.ours_does(port, "store", files)),
                Subject(PDUS, lambda: MEDIUM.total / 1e6 / ends.ours_does(port, "watched", files)),
                Subject(RECORDING, recording),
                Subject(CUT, lambda: MEDIUM.total / 1e6 / ends.ours_does(port, "recorded", files, cut, str(LIMIT))),
            ],
            [Target(PDUS, ALONE, 0.9), Target(CUT, ALONE, 0.85)],
        )
        watching.run()
        figures = [
            Figure("rate while recording", watching.median(RECORDING), "MB/s", least=RECORDED),
            Figure("bytes in the file to bytes stored", min(sizes) / MEDIUM.total, "", least=1),
        ]
        for figure in figures:
            figure.print()
        return report("observers", [watching], figures)
