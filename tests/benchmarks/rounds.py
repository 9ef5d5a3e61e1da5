"""Interleaved rounds: every subject once a round, so that a machine's moods hit all of them; medians come out."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from os import cpu_count, environ
from pathlib import Path
from statistics import median
from sys import stdout

ROUNDS = int(environ.get("BENCH_ROUNDS", "11"))
"""Rounds of each comparison."""

RESULTS = Path("build") / "bench"
"""Where the figures go, as JSON."""


def progress(text: str) -> None:
    """Show on a terminal what is being done, in place of what was."""
    if stdout.isatty():
        print(f"\r{text:100.100}\r", end="", flush=True)


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to measure."""

    name: str
    """As the table shows it."""
    measure: Callable[[], float]
    """Runs it once; how much it did a second, in the comparison's unit."""


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio that is to be reached."""

    name: str
    """The subject that has to be fast."""
    against: str
    """The subject it is compared with."""
    ratio: float
    """At least so many times as fast."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that is measured once, and what it must not exceed or fall short of."""

    name: str
    """As the table shows it."""
    value: float
    """What was measured."""
    unit: str
    """What it counts."""
    most: float | None = None
    """At most this."""
    least: float | None = None
    """At least this."""

    @property
    def holds(self) -> bool:
        """Whether it is within its bounds."""
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    def print(self) -> None:
        """One line."""
        wanted = f", at most {self.most:,g}" if self.most is not None else ""
        wanted += f", at least {self.least:,g}" if self.least is not None else ""
        verdict = ("holds" if self.holds else "MISSED") if wanted else ""
        print(f"  {verdict:6} {self.name:56} {self.value:12,.1f} {self.unit}{wanted}")

    def as_dict(self) -> dict[str, object]:
        """For the JSON file."""
        return asdict(self) | {"holds": self.holds}


@dataclass(slots=True)
class Comparison:
    """Subjects in one unit, and what ours have to reach."""

    title: str
    """What is done."""
    unit: str
    """What a figure counts."""
    subjects: Sequence[Subject]
    """In the order of the table."""
    targets: Sequence[Target] = ()
    """What has to hold."""
    figures: dict[str, list[float]] = field(default_factory=dict)
    """All figures by subject, in the order of the rounds."""

    def run(self) -> None:
        """Measure everything, then print the table."""
        for number in range(ROUNDS):
            for subject in self.subjects:
                progress(f"{self.title}: round {number + 1} of {ROUNDS}, {subject.name}")
                self.figures.setdefault(subject.name, []).append(subject.measure())
        progress("")
        self.print()

    def median(self, name: str) -> float:
        """The middle one of a subject's figures."""
        return median(self.figures[name])

    def holds(self, target: Target) -> bool:
        """Whether a target was reached."""
        return self.ratio(target) >= target.ratio

    def ratio(self, target: Target) -> float:
        """How many times as fast as the other it was."""
        return self.median(target.name) / self.median(target.against)

    def print(self) -> None:
        """The table, then what holds."""
        print(f"{self.title} ({self.unit}; median of {len(next(iter(self.figures.values())))}, least to most)")
        for name, figures in self.figures.items():
            print(f"  {name:46} {median(figures):12,.0f}   {min(figures):,.0f} to {max(figures):,.0f}")
        for target in self.targets:
            verdict = "holds" if self.holds(target) else "MISSED"
            print(f"  {verdict:6} {self.ratio(target):8.2f} x {target.against}, wanted {target.ratio} ({target.name})")

    def as_dict(self) -> dict[str, object]:
        """For the JSON file."""
        return {
            "title": self.title,
            "unit": self.unit,
            "figures": self.figures,
            "medians": {name: self.median(name) for name in self.figures},
            "targets": [
                {"name": one.name, "against": one.against, "wanted": one.ratio, "ratio": self.ratio(one),
                 "holds": self.holds(one)}
                for one in self.targets
            ],
        }  # fmt: skip


def report(name: str, comparisons: Sequence[Comparison], figures: Sequence[Figure] = ()) -> int:
    """Write the figures of one benchmark; 1 when a target was missed."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    machine = {"python": platform.python_version(), "system": platform.platform(), "cores": cpu_count()}
    document = {
        "benchmark": name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "comparisons": [one.as_dict() for one in comparisons],
        "figures": [one.as_dict() for one in figures],
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
    held = all(one.holds(target) for one in comparisons for target in one.targets)
    return int(not (held and all(one.holds for one in figures)))
