"""Every call of one C-STORE of 4 kB and its microseconds, as requestor and as acceptor: writes `docs/profile.md`."""

from __future__ import annotations

import cProfile
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType
from unittest.mock import patch

from dicomsim.engine.reactor import Reactor, shared_reactor
from dicomsim.services.storage import StoreTo
from tests.benchmarks import ends, ours
from tests.benchmarks.rounds import progress
from tests.benchmarks.workload import SMALL

PAGE = Path(__file__).parents[2] / "docs" / "profile.md"
OFTEN = 0.9
"""Calls an object from which on a function belongs to it, and not to the association."""

_FUNCTION = re.compile(r"<(?:built-in )?method '?([\w.]+)'?(?: of '([\w.]+)' objects)?>")


def requestor(folder: Path) -> str:
    """Send all files of a folder to an acceptor in a process of its own."""
    profile = cProfile.Profile()
    with ends.ours(folder.parent) as port:
        profile.enable()
        ours.store(str(port), str(folder))
        profile.disable()
    return _table(profile)


def acceptor(folder: Path) -> str:
    """Take and forget what a requestor in a process of its own sends: all of it in the reactor's thread."""
    profile = cProfile.Profile()
    run = Reactor._run

    def profiled(reactor: Reactor) -> None:
        profile.enable()
        run(reactor)
        profile.disable()

    ae = ours.entity()
    ae.store_to = StoreTo.NOWHERE
    with patch.object(Reactor, "_run", profiled):
        with ae.start_server(("127.0.0.1", 0), block=False) as server:
            ends.ours_does(server.address[1], "store", str(folder))
        shared_reactor().stop()
    return _table(profile)


def _table(profile: cProfile.Profile) -> str:
    rows = [
        (entry.inlinetime / SMALL.count * 1e6, entry.callcount / SMALL.count, _name(entry.code))
        for entry in profile.getstats()
        if entry.callcount >= OFTEN * SMALL.count
    ]
    lines = [f"| {own:.1f} | {calls:.1f} | `{name}` |" for own, calls, name in sorted(rows, reverse=True)]
    total = f"{sum(row[1] for row in rows):.0f} calls, {sum(row[0] for row in rows):.0f} us."
    return "\n".join([total, "", "| us | calls | |", "|---|---|---|", *lines])


def _name(code: str | CodeType) -> str:
    if isinstance(code, str):
        found = _FUNCTION.search(code)
        return code if found is None else ".".join(filter(None, (found[2], found[1])))
    path = Path(code.co_filename).with_suffix("").parts
    return ".".join((*path[path.index("dicomsim") + 1 :], code.co_name)) if "dicomsim" in path else code.co_name


def main() -> int:
    """Profile both ends and write the page; nothing can be missed."""
    parts = []
    with TemporaryDirectory(prefix="dicomsim-bench-") as name:
        folder = SMALL.make(Path(name))[0].parent
        for title, role in (("As requestor", "requestor"), ("As acceptor, discarding", "acceptor")):
            progress(f"profile: {title.lower()}")
            command = [sys.executable, "-m", "tests.benchmarks.profile_bench", role, str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=ends.PROCESS_LIMIT)
            parts.append(f"## {title}\n\n{done.stdout.strip()}\n")
    progress("")
    about = (
        "# One C-STORE of 4 kB\n\nEvery call of it, and the microseconds spent in each itself: means of "
        f"{SMALL.count:,} objects on {datetime.now(UTC):%Y-%m-%d}, under a\nprofiler, which makes Python's calls take "
        "several times as long as they do. Written by `make bench BENCH=profile`.\n"
    )
    PAGE.write_text("\n".join([about, *parts]))
    print(f"wrote {PAGE.name}")
    return 0


if __name__ == "__main__":
    print({"requestor": requestor, "acceptor": acceptor}[sys.argv[1]](Path(sys.argv[2])))
