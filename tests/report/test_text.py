"""What people see of a run."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from dicomsim.report.text import MOST_LOG_LINES, STYLES, case_line, explanation, print_case, print_end
from dicomsim.scenario.result import CaseResult
from dicomsim.scenario.verdict import Verdict

RESULT = CaseResult(
    id="ps3.8/9.2/case",
    verdict=Verdict.FAIL,
    clause="PS3.8 §9.2",
    level="shall",
    requirement="It aborts.",
    expected=("A-ABORT with source 2", "silence"),
    actual="tcp-rst",
    close="peer reset",
    seconds=0.5,
    detail="closed TCP with a RST",
    file="some.yaml",
    lines=((9, "  - expect: A-ABORT"),),
    log=("0.1 -> A", "0.2 <- B"),
)


def shown(*results: CaseResult, end: bool = False, width: int = 100) -> list[str]:
    output = io.StringIO()
    console = Console(file=output, width=width, highlight=False)
    for result in results:
        print_case(console, result)
    if end:
        output.truncate(0)
        output.seek(0)
        print_end(console, results, 1.25)
    return [line.rstrip() for line in output.getvalue().splitlines()]


def test_a_case_is_one_line() -> None:
    assert ["pass          ps3.8/9.2/case  aborted(0,0)"] == shown(
        replace(RESULT, verdict=Verdict.PASS, actual="aborted(0,0)")
    )


def test_what_was_measured_stands_in_the_line() -> None:
    result = replace(RESULT, verdict=Verdict.PASS, measured={"ARTIM": 30.0123})
    assert ["pass          ps3.8/9.2/case  tcp-rst  ARTIM: 30 s"] == shown(result)


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.XFAIL])
def test_why_a_case_says_nothing_stands_in_the_line(verdict: Verdict) -> None:
    (line,) = shown(replace(RESULT, verdict=verdict, note="known"))
    assert line.endswith("tcp-rst  known")


def test_what_is_inconclusive_is_told_by_what_happened_if_nobody_says_why() -> None:
    (line,) = shown(replace(RESULT, verdict=Verdict.INCONCLUSIVE))
    assert line.endswith("tcp-rst  closed TCP with a RST")


@pytest.mark.parametrize(("note", "told"), [("", ""), ("known", "; known")])
def test_what_is_not_strict_has_what_would_be(note: str, told: str) -> None:
    expected = ("A-ABORT with source 2", "silence", "A-ABORT (non-strict)")
    (line,) = shown(replace(RESULT, verdict=Verdict.NON_STRICT, expected=expected, note=note))
    assert line.endswith(f"tcp-rst  strictly: A-ABORT with source 2 or silence{told}")


def test_a_long_line_is_not_broken() -> None:
    assert 1 == len(shown(replace(RESULT, verdict=Verdict.PASS, id="x" * 200)))


def test_what_went_wrong_is_explained() -> None:
    assert [
        "fail          ps3.8/9.2/case  tcp-rst",
        "    requirement  It aborts.",
        "    clause       PS3.8 §9.2 (shall)",
        "    expected     A-ABORT with source 2",
        "    or           silence",
        "    actual       tcp-rst: closed TCP with a RST",
        "    connection   peer reset",
        "    step         some.yaml:9",
        "         9 |   - expect: A-ABORT",
        "    what happened (seconds, -> to the peer, <- from it)",
        "      0.1 -> A",
        "      0.2 <- B",
    ] == shown(RESULT)


def test_brackets_of_a_peer_are_no_markup() -> None:
    lines = shown(replace(RESULT, detail="[red]said the peer[/red]", log=("[bold]x",)))
    assert (True, True) == ("    actual       tcp-rst: [red]said the peer[/red]" in lines, "      [bold]x" in lines)


def test_the_end_of_the_peers_process_and_a_note_are_told() -> None:
    lines = list(explanation(replace(RESULT, peer_exit=1, note="it takes the answer for its own")))
    assert ["note         it takes the answer for its own", "peer         exited with 1"] == [
        line for line in lines if line.startswith(("note", "peer"))
    ]


def test_a_long_log_is_shortened_in_its_middle() -> None:
    lines = list(explanation(replace(RESULT, log=tuple(f"line {number}" for number in range(100)))))
    log = lines[lines.index("what happened (seconds, -> to the peer, <- from it)") + 1 :]
    assert (MOST_LOG_LINES + 1, "  line 0", "  … 60 lines …", "  line 99") == (len(log), log[0], log[20], log[-1])


def test_the_table_counts_verdicts_by_level_and_says_what_was_skipped() -> None:
    results = [
        replace(RESULT, verdict=Verdict.PASS),
        replace(RESULT, verdict=Verdict.PASS, level="practice"),
        RESULT,
        *[replace(RESULT, verdict=Verdict.SKIP, note="needs a peer")] * 3,
    ]
    lines = [" ".join(line.split()) for line in shown(*results, end=True)]
    assert [
        "", "verdict shall should practice all", "pass 1 1 2", "skip 3 3", "fail 1 1", "6 cases in 1.2 s",
        "skipped: 3, needs a peer",
    ] == lines  # fmt: skip


def test_nothing_is_said_of_a_run_without_cases() -> None:
    output = io.StringIO()
    print_end(Console(file=output), [], 1)
    assert "" == output.getvalue()


def test_every_verdict_has_its_colour() -> None:
    assert [verdict.value for verdict in Verdict] == list(STYLES)
    assert {verdict.value for verdict in Verdict} == {
        case_line(replace(RESULT, verdict=verdict)).plain.split()[0] for verdict in Verdict
    }
