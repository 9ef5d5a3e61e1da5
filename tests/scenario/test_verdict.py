"""Verdicts: which decides, what known faults make of them, and the exit code."""

from __future__ import annotations

import pytest

from dicomsim.scenario.verdict import Verdict, against_known_fault, exit_code, worst

PASS, NON_STRICT, SKIP = Verdict.PASS, Verdict.NON_STRICT, Verdict.SKIP
INCONCLUSIVE, XFAIL, XPASS, FAIL, ERROR = (
    Verdict.INCONCLUSIVE,
    Verdict.XFAIL,
    Verdict.XPASS,
    Verdict.FAIL,
    Verdict.ERROR,
)


@pytest.mark.parametrize(
    ("verdicts", "decides"),
    [
        ([], PASS),
        ([PASS, PASS], PASS),
        ([PASS, NON_STRICT, PASS], NON_STRICT),
        ([NON_STRICT, INCONCLUSIVE], INCONCLUSIVE),
        ([INCONCLUSIVE, FAIL, PASS], FAIL),
        ([FAIL, ERROR], ERROR),
    ],
)
def test_the_worst_verdict_decides(verdicts: list[Verdict], decides: Verdict) -> None:
    assert decides is worst(verdicts)


@pytest.mark.parametrize(
    ("verdict", "actual", "known", "becomes"),
    [
        (FAIL, "tcp-rst", None, XFAIL),
        (FAIL, "tcp-rst", "tcp-*", XFAIL),
        (FAIL, "silent(5 s)", "tcp-*", FAIL),
        (PASS, "aborted(0,0)", None, XPASS),
        (NON_STRICT, "aborted(2,0)", None, XPASS),
        (INCONCLUSIVE, "refused-connection", None, INCONCLUSIVE),
        (ERROR, "error", None, ERROR),
    ],
)
def test_a_known_fault_is_expected_and_its_absence_noticed(
    verdict: Verdict, actual: str, known: str | None, becomes: Verdict
) -> None:
    assert becomes is against_known_fault(verdict, actual, known)


@pytest.mark.parametrize(
    ("verdicts", "code", "strict_code"),
    [
        ([PASS, PASS, SKIP], 0, 0),
        ([PASS, NON_STRICT], 0, 1),
        ([PASS, INCONCLUSIVE], 0, 1),
        ([PASS, XFAIL], 0, 0),
        ([PASS, XPASS], 1, 1),
        ([PASS, FAIL], 1, 1),
        ([PASS, ERROR], 1, 1),
        ([SKIP, SKIP], 6, 6),
        ([SKIP, INCONCLUSIVE], 6, 1),
        ([], 6, 6),
    ],
)
def test_the_exit_code_follows_from_the_verdicts(verdicts: list[Verdict], code: int, strict_code: int) -> None:
    assert (code, strict_code) == (exit_code(verdicts), exit_code(verdicts, strict=True))


def test_the_bad_verdicts_are_those_that_fail_a_run() -> None:
    assert {FAIL, XPASS, ERROR} == {verdict for verdict in Verdict if verdict.is_bad}
