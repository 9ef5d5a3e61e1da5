"""How cost grows: with associations, with the size of an object, with contexts, with the answers to a query."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.benchmarks import ends
from tests.benchmarks.chart import Chart, draw
from tests.benchmarks.rounds import Figure, progress, report
from tests.benchmarks.workload import Workload

DRAWING = Path(__file__).parents[2] / "docs" / "growth.svg"
TAKES = 3
"""Each point is the middle one of so many."""

OBJECTS = 2000
"""Objects stored over all associations together."""
ASSOCIATIONS = (1, 10, 100, 1000)
SIZES = (10**3, 10**4, 10**5, 10**6, 10**7, 10**8, 10**9)
CONTEXTS = (1, 4, 16, 64, 128)
ANSWERS = (1, 10, 100, 1000, 10_000, 100_000)

LINEAR = 1.15
"""Steepest rise on logarithmic axes that still counts as linear: 15 % for the moods of the machine."""


def main() -> int:
    """Measure, draw and print everything; 1 when something grows faster than linearly."""
    with TemporaryDirectory(prefix="dicomsim-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        port = stack.enter_context(ends.ours(folder))

        def crowd(count: int) -> float:
            files = Workload(f"{OBJECTS // count} small", OBJECTS // count, 4096).make(folder)[0].parent
            return ends.ours_says(port, "crowd", str(count), str(files))[1] / OBJECTS * count

        def negotiate(contexts: int) -> float:
            return ends.ours_does(port, "negotiate", str(contexts))

        def one(size: int) -> float:
            count = max(1, min(200, 10**8 // size))
            files = Workload(f"{count} x {size}", count, size).make(folder)
            seconds = ends.ours_does(port, "store", str(files[0].parent)) / count
            for file in files:
                file.unlink()
            return seconds

        charts = [
            _measure("C-STORE of 4 kB by so many at once", "associations", ASSOCIATIONS, crowd, "s for one each"),
            _measure("C-STORE of one object", "bytes", SIZES, one, "s each"),
            _measure("Associate and release", "contexts", CONTEXTS, negotiate),
            _measure("C-FIND", "answers", ANSWERS, lambda n: ends.ours_does(port, "find", str(n))),
        ]
    draw(DRAWING, charts)
    figures = [Figure(f"{one.title}: steepest rise", one.slope, "", most=LINEAR) for one in charts]
    figures += [Figure(f"{one.title}: {x:,} {one.across}", y * 1000, "ms") for one in charts for x, y in one.points]
    for figure in figures:
        figure.print()
    return report("growth", [], figures)


def _measure(
    title: str, across: str, quantities: tuple[int, ...], seconds: Callable[[int], float], up: str = "s"
) -> Chart:
    points = []
    for quantity in quantities:
        progress(f"{title}: {quantity:,}")
        points.append((quantity, median(seconds(quantity) for _ in range(TAKES))))
    progress("")
    return Chart(title, across, up, points)
