"""What a case came to, from what its actors have found."""

from __future__ import annotations

from pathlib import Path

from dicomsim.scenario.loader import Case
from dicomsim.scenario.result import JSON_KEYS, CaseResult, blank, decide
from dicomsim.scenario.stage import ActorResult, Finding
from dicomsim.scenario.verdict import Verdict
from tests.scenario.doubles import case_of

STEPS = """\
  - use: associate
  - expect: A-ABORT
  - expect: close
"""


def case(root: Path) -> Case:
    return case_of(root, STEPS)


def finding(case: Case, verdict: Verdict, actual: str, step: int) -> Finding:
    return Finding(verdict, ("this", "that"), actual, f"it was {actual}", case.actors[0].steps[step])


def test_the_last_finding_of_the_scenarios_own_steps_decides_when_all_is_well(tmp_path: Path) -> None:
    one = case(tmp_path)
    findings = [
        finding(one, Verdict.PASS, "accepted(1:0)", 2),
        finding(one, Verdict.PASS, "aborted(2,1)", 3),
        finding(one, Verdict.PASS, "tcp-fin", 4),
    ]
    result = decide(one, [ActorResult("", findings, "peer fin", {"ARTIM": 2.0})])
    assert (Verdict.PASS, "tcp-fin", "it was tcp-fin", "peer fin", {"ARTIM": 2.0}, ((9, "- expect: close"),)) == (
        result.verdict, result.actual, result.detail, result.close, result.measured, result.lines,
    )  # fmt: skip


def test_the_worst_finding_decides(tmp_path: Path) -> None:
    one = case(tmp_path)
    findings = [finding(one, Verdict.NON_STRICT, "aborted(0,0)", 3), finding(one, Verdict.PASS, "tcp-fin", 4)]
    result = decide(one, [ActorResult("", findings)])
    assert (Verdict.NON_STRICT, "aborted(0,0)", ("this", "that")) == (result.verdict, result.actual, result.expected)


def test_a_failure_in_a_sub_scenario_is_shown_with_the_lines_of_both_files(tmp_path: Path) -> None:
    one = case(tmp_path)
    result = decide(one, [ActorResult("", [finding(one, Verdict.INCONCLUSIVE, "rejected(1,1,7)", 2)])])
    texts = [text for _, text in result.lines]
    assert ("- use: associate", True) == (texts[0], any("# in associate" in text for text in texts[1:]))


def test_several_actors_are_counted_and_the_worst_decides(tmp_path: Path) -> None:
    one = case(tmp_path)
    results = [
        ActorResult(f"peer {number}", [finding(one, Verdict.PASS, "accepted(1:0)", 3)], "dicomsim fin")
        for number in (1, 2)
    ]
    results.append(ActorResult("peer 3", [finding(one, Verdict.FAIL, "tcp-rst", 3)], "peer reset"))
    result = decide(one, results)
    assert (Verdict.FAIL, "accepted(1:0) x2, tcp-rst", "peer 3: it was tcp-rst", "peer reset") == (
        result.verdict, result.actual, result.detail, result.close,
    )  # fmt: skip


def test_a_case_without_findings_has_passed(tmp_path: Path) -> None:
    result = decide(case(tmp_path), [ActorResult("", [], "dicomsim reset")])
    assert (Verdict.PASS, "", (), "dicomsim reset") == (result.verdict, result.actual, result.expected, result.close)


def test_json_has_exactly_what_was_promised(tmp_path: Path) -> None:
    one = case(tmp_path)
    shown = decide(one, [ActorResult("", [finding(one, Verdict.FAIL, "tcp-rst", 3)], "peer reset")]).for_json()
    assert (list(JSON_KEYS), "fail", ["this", "that"], 0.0) == (
        list(shown), shown["verdict"], shown["expected"], shown["seconds"],
    )  # fmt: skip


def test_a_result_travels_as_plain_values(tmp_path: Path) -> None:
    one = case(tmp_path)
    result = decide(one, [ActorResult("", [finding(one, Verdict.FAIL, "tcp-rst", 3)], "peer reset", {"x": 1.5})])
    values = result.as_dict()
    values["lines"] = [list(line) for line in values["lines"]]
    assert result == CaseResult.from_dict(values)


def test_a_case_that_was_not_run_says_why(tmp_path: Path) -> None:
    result = blank(case(tmp_path), Verdict.SKIP, "needs a peer")
    assert (Verdict.SKIP, "needs a peer", "") == (result.verdict, result.note, result.actual)
