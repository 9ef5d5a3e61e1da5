"""One object of 10 GB: memory must not grow with it, in either role and in either direction."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from dicomsim.part10 import file_meta
from tests.benchmarks import ends
from tests.benchmarks.process import resident
from tests.benchmarks.rounds import Figure, report
from tests.benchmarks.workload import CT_IMAGE, EXPLICIT_LITTLE_ENDIAN
from tests.interop.peers import Peer

SIZE = 10_000_000_000
MEMORY = 64
"""MB that either side may take, the interpreter and all modules included."""


def main() -> int:
    """Measure and print everything; 1 when a target was missed."""
    with TemporaryDirectory(prefix="dicomsim-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        path = folder / "large.dcm"
        path.write_bytes(file_meta(CT_IMAGE, "2.25.1", EXPLICIT_LITTLE_ENDIAN, "2.25.1", "BENCHMARK"))
        with path.open("r+b") as file:
            file.truncate(SIZE)  # sparse: a hole that is read as zeros
        acceptor = stack.enter_context(ends.our_peer(folder))
        archive = stack.enter_context(ends.our_peer(folder, str(path), does="archive"))
        sent, store_seconds = ends.ours_says(acceptor.port, "send", str(path))
        got, get_seconds = ends.ours_says(archive.port, "get")
        figures = [
            Figure("C-STORE: rate", SIZE / 1e6 / store_seconds, "MB/s"),
            Figure("C-STORE: memory of the requestor, at most", sent, "MB", most=MEMORY),
            Figure("C-STORE: memory of the acceptor, at most", _most(acceptor), "MB", most=MEMORY),
            Figure("C-GET: rate", SIZE / 1e6 / get_seconds, "MB/s"),
            Figure("C-GET: memory of the requestor (with pydicom), at most", got, "MB", most=MEMORY),
            Figure("C-GET: memory of the acceptor, at most", _most(archive), "MB", most=MEMORY),
        ]
        for figure in figures:
            figure.print()
        return report("large", [], figures)


def _most(peer: Peer) -> float:
    return resident(peer.pid, most=True)
