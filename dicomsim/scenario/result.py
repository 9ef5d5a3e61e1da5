"""What a case came to, as one value for reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dicomsim.scenario.loader import Case
from dicomsim.scenario.stage import ActorResult, Finding
from dicomsim.scenario.verdict import Verdict, worst

JSON_KEYS = ("id", "verdict", "clause", "level", "expected", "actual", "close", "seconds", "requirement", "note")
"""What a case has in `run --json`, in this order."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case, judged."""

    id: str
    """Of the scenario."""
    verdict: Verdict
    """What it came to."""
    clause: str
    """Where the standard has the requirement."""
    level: str
    """shall, should or practice."""
    requirement: str
    """What is required."""
    expected: tuple[str, ...] = ()
    """What would have been right at the step that decided, best first."""
    actual: str = ""
    """The reaction there, by its short name."""
    close: str = "none"
    """How the connection ended: who closed it, how, and `early` if it was not that side's turn."""
    seconds: float = 0.0
    """How long the case took."""
    detail: str = ""
    """The reaction in words."""
    note: str = ""
    """Why it counts so."""
    file: str = ""
    """The scenario file."""
    lines: tuple[tuple[int, str], ...] = ()
    """The lines of the deciding step in it."""
    log: tuple[str, ...] = ()
    """What happened, a line each."""
    measured: dict[str, float] = field(default_factory=dict)
    """Seconds by name."""
    peer_exit: int | None = None
    """Exit code of the peer, if it was started by us."""
    peer_output: str = ""
    """What it printed."""

    def for_json(self) -> dict[str, Any]:
        """What `run --json` has of it."""
        values = asdict(self)
        return {key: values[key] for key in JSON_KEYS} | {
            "verdict": self.verdict.value,
            "expected": list(self.expected),
            "seconds": round(self.seconds, 3),
        }

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, to travel between processes."""
        return asdict(self) | {"verdict": self.verdict.value}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> CaseResult:
        """What `as_dict` has made."""
        made = cls(**{**values, "verdict": Verdict(values["verdict"])})
        lines = tuple((int(number), str(text)) for number, text in made.lines)
        return replace(made, expected=tuple(made.expected), lines=lines, log=tuple(made.log))


def blank(case: Case, verdict: Verdict, note: str) -> CaseResult:
    """The result of a case that was not run."""
    scenario = case.scenario
    return CaseResult(
        case.id,
        verdict,
        scenario.clause,
        scenario.level,
        scenario.requirement,
        note=note,
        detail=note,
        file=str(case.source.path),
    )


def decide(case: Case, results: Iterable[ActorResult]) -> CaseResult:
    """The result of a case from what its actors have come to; the worst of their findings decides."""
    results = list(results)
    deciding = [(each, finding) for each in results if (finding := _deciding(each.findings)) is not None]
    verdict = worst(finding.verdict for _, finding in deciding)
    result = replace(
        blank(case, verdict, ""),
        close=next((each.close for each in results if each.close != "none"), "none"),
        measured={name: seconds for each in results for name, seconds in each.measured.items()},
    )
    if not deciding:
        return result
    actor, finding = next(pair for pair in deciding if pair[1].verdict is verdict)
    reactions = Counter(each.actual for _, each in deciding)
    return replace(
        result,
        expected=finding.expected,
        actual=", ".join(f"{text} x{count}" if count > 1 else text for text, count in reactions.items()),
        detail=f"{actor.name}: {finding.detail}" if actor.name else finding.detail,
        note=finding.note,
        close=actor.close,
        lines=tuple(_lines(case, finding)),
    )


def _deciding(findings: Sequence[Finding]) -> Finding | None:
    """The finding of an actor that its verdict comes from; the scenario's own steps go before those it uses."""
    verdict = worst(finding.verdict for finding in findings)
    worst_ones = [finding for finding in findings if finding.verdict is verdict]
    own = [finding for finding in worst_ones if finding.placed is None or not finding.placed.used]
    return next(reversed(own or worst_ones), None)


def _lines(case: Case, finding: Finding) -> Iterable[tuple[int, str]]:
    if finding.placed is None:
        return
    yield from case.source.lines(finding.placed.path)
    for source, path in finding.placed.used:
        for number, text in source.lines(path):
            yield number, f"{text}  # in {source.path.stem}" if "#" not in text else text
