"""Verdicts: what a case came to, which of two weighs more, and what a peer's known faults make of it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from dicomsim.errors import ExitCode
from dicomsim.scenario.matchers import matches_pattern


class Verdict(StrEnum):
    """What a case came to, from good to bad."""

    PASS = "pass"
    """The peer did what is required, or one of the things that are."""
    NON_STRICT = "non-strict"
    """Sane, but not what the standard says: another code, for instance."""
    SKIP = "skip"
    """Not run: it needs what this run has not got."""
    INCONCLUSIVE = "inconclusive"
    """The precondition was not met, so that nothing was tested."""
    XFAIL = "xfail"
    """Failed, as this peer is known to."""
    XPASS = "xpass"
    """Passed though this peer is known to fail; the expectation is out of date, which fails the run."""
    FAIL = "fail"
    """The peer did something else."""
    ERROR = "error"
    """dicomsim, or the scenario, is at fault."""

    @property
    def is_bad(self) -> bool:
        """Whether it fails the run."""
        return self in BAD


BAD = frozenset((Verdict.FAIL, Verdict.XPASS, Verdict.ERROR))
"""Verdicts that fail a run."""
JUDGED = frozenset((Verdict.PASS, Verdict.NON_STRICT, Verdict.FAIL, Verdict.XFAIL, Verdict.XPASS))
"""Verdicts that say something about the peer."""
STRICT = BAD | {Verdict.NON_STRICT, Verdict.INCONCLUSIVE}
"""Verdicts that fail a strict run."""

_WEIGHT = (Verdict.PASS, Verdict.NON_STRICT, Verdict.SKIP, Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.ERROR)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The one that decides when a case has several; a case without any has passed."""
    return max(verdicts, key=_WEIGHT.index, default=Verdict.PASS)


def against_known_fault(verdict: Verdict, actual: str, known_actual: str | None) -> Verdict:
    """The verdict when this peer is known to fail the case.

    `known_actual` is a pattern that the reaction must fit, so that a peer that fails in a new way is still noticed.
    """
    if verdict is Verdict.FAIL:
        return Verdict.XFAIL if known_actual is None or matches_pattern(known_actual, actual) else Verdict.FAIL
    if verdict in (Verdict.PASS, Verdict.NON_STRICT):
        return Verdict.XPASS
    return verdict


def exit_code(verdicts: Iterable[Verdict], *, strict: bool = False) -> ExitCode:
    """0 when nothing is bad, 1 when something is, 6 when nothing was judged at all."""
    seen = frozenset(verdicts)
    if seen & (STRICT if strict else BAD):
        return ExitCode.FAILED
    return ExitCode.OK if seen & JUDGED else ExitCode.NOTHING_RUN
