"""C-STORE on one association: ours, DCMTK's, pynetdicom's and bare sockets, small, medium and large objects."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import ends
from tests.benchmarks.rounds import Comparison, Subject, Target, report
from tests.benchmarks.workload import LARGE, MEDIUM, SMALL, Workload

OURS_TO_STORESCP = "ours -> storescp --ignore"
DCMSEND_TO_STORESCP = "dcmsend -> storescp --ignore"
DCMSEND_TO_OURS = "dcmsend -> ours, discarding"
DCMSEND_TO_OURS_WRITING = "dcmsend -> ours, writing files"
DCMSEND_TO_STORESCP_WRITING = "dcmsend -> storescp +B"
OURS_TO_OURS = "ours -> ours, discarding"
THEIRS_TO_THEIRS = "pynetdicom -> pynetdicom"
BARE = "bare sockets"
DCMSEND_TO_BARE = "dcmsend -> bare sockets"
DCMSEND_TO_BARE_WRITING = "dcmsend -> bare sockets, writing files"

WANTED = {SMALL: (1.2, 1.0, 100), MEDIUM: (1.2, 1.0, 10), LARGE: (1.0, 1.0, 6)}
"""Least ratios: our requestor to dcmsend, our acceptor to storescp, ours at both ends to pynetdicom at both."""

THEIR_SMALL = Workload("100 x 4 kB", SMALL.count // 10, SMALL.size)
"""What pynetdicom gets of the small ones, of which each takes it 50 ms."""

WRITING = 1.3
"""Least ratio of our acceptor to `storescp +B`, both writing files."""

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where objects are written: making a file takes ext4 5 us or 200, as many as were removed near it within a minute."""

WRITTEN = "objects"
"""Name of the folders into which objects are written."""

BARE_SHARE = 0.7
"""Least share of what bare sockets carry."""


def _targets(load: Workload) -> list[Target]:
    requestor, acceptor, both = WANTED[load]
    return [
        Target(OURS_TO_STORESCP, DCMSEND_TO_STORESCP, requestor),
        Target(DCMSEND_TO_OURS, DCMSEND_TO_STORESCP, acceptor),
        Target(DCMSEND_TO_OURS_WRITING, DCMSEND_TO_STORESCP_WRITING, WRITING),
        Target(OURS_TO_OURS, BARE, BARE_SHARE),
        Target(OURS_TO_OURS, THEIRS_TO_THEIRS, both),
    ]


def _written(folder: Path, port: int, files: Path) -> float:
    """As `dcmsend`, into folders that are empty: replacing a file costs more than making one, and is not the rule."""
    for written in folder.glob(f"*/{WRITTEN}/*"):
        written.unlink()
    return ends.dcmsend(port, files)


def main() -> int:
    """Measure and print everything; 1 when a target was missed."""
    with TemporaryDirectory(prefix="dicomsim-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        memory = Path(stack.enter_context(TemporaryDirectory(prefix="dicomsim-bench-", dir=MEMORY)))
        discarding = stack.enter_context(ends.ours(folder))
        objects = memory / "ours" / WRITTEN
        objects.mkdir(parents=True)
        writing = stack.enter_context(ends.ours(folder, str(objects)))
        ignoring = stack.enter_context(ends.storescp(folder, "--fork", "--ignore"))
        keeping = stack.enter_context(ends.storescp(memory, "--fork", "+B"))
        theirs = stack.enter_context(ends.pynetdicom(folder))
        bare = stack.enter_context(ends.bare(folder))
        bare_acceptor = stack.enter_context(ends.bare_acceptor(folder))
        bare_objects = memory / "bare" / WRITTEN
        bare_objects.mkdir(parents=True)
        bare_writing = stack.enter_context(ends.bare_acceptor(folder, str(bare_objects)))
        comparisons = []
        for load in (SMALL, MEDIUM, LARGE):
            files = load.make(folder)[0].parent
            their_load = THEIR_SMALL if load is SMALL else load
            their_files = their_load.make(folder)[0].parent

            def rate(seconds: partial[float], load: Workload = load) -> partial[float]:
                amount = load.total / 1e6 if load.size > SMALL.size else load.count
                return partial(lambda: amount / seconds())

            comparison = Comparison(
                f"C-STORE, {load.name}",
                "objects/s" if load is SMALL else "MB/s",
                [
                    Subject(OURS_TO_STORESCP, rate(partial(ends.ours_does, ignoring, "store", str(files)))),
                    Subject(DCMSEND_TO_STORESCP, rate(partial(ends.dcmsend, ignoring, files))),
                    Subject(DCMSEND_TO_OURS, rate(partial(ends.dcmsend, discarding, files))),
                    Subject(DCMSEND_TO_OURS_WRITING, rate(partial(_written, memory, writing, files))),
                    Subject(DCMSEND_TO_STORESCP_WRITING, rate(partial(_written, memory, keeping, files))),
                    Subject(DCMSEND_TO_BARE, rate(partial(ends.dcmsend, bare_acceptor, files))),
                    Subject(DCMSEND_TO_BARE_WRITING, rate(partial(_written, memory, bare_writing, files))),
                    Subject(OURS_TO_OURS, rate(partial(ends.ours_does, discarding, "store", str(files)))),
                    Subject(BARE, rate(partial(ends.bare_does, bare, "store", str(files)))),
                    Subject(
                        THEIRS_TO_THEIRS,
                        rate(partial(ends.pynetdicom_does, theirs, "store", str(their_files)), their_load),
                    ),
                ],
                _targets(load),
            )
            comparison.run()
            comparisons.append(comparison)
        return report("store", comparisons)
