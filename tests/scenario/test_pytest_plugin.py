"""Scenario files as pytest items, in a pytest of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicomsim.engine.stream import BlockingStream
from tests.scenario.doubles import HEAD, LIMIT, Peer, accept_and_answer, write_scenario

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.slow
PLUGIN = ("-p", "dicomsim.scenario.pytest_plugin", "-p", "no:cacheprovider")
ECHO = HEAD.format(role="requestor") + "steps:\n  - use: associate\n  - use: echo\n  - use: release\n"
FAILS = HEAD.format(role="requestor") + "steps:\n  - use: associate\n  - expect: A-ABORT\n    within: 0.05\n"


@pytest.fixture(autouse=True)
def _importable_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer(accept_and_answer) as running:
        yield running


def run(pytester: pytest.Pytester, peer: Peer, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(*PLUGIN, "--dicomsim-peer", f"SCP@{peer.address}", *arguments)


def test_only_scenarios_are_collected_and_named_by_their_ids(pytester: pytest.Pytester) -> None:
    write_scenario(pytester.path, "ps3.8/9.2/one", ECHO)
    write_scenario(pytester.path, "field/two", ECHO)
    (pytester.path / "compose.yaml").write_text("services: {}\n")
    (pytester.path / "use").mkdir()
    (pytester.path / "use" / "mine.yaml").write_text("use: mine\nabout: x\nparameters: {}\nsteps: []\n")
    pytester.runpytest_inprocess(*PLUGIN, "--rootdir=.", "--collect-only", "-q").stdout.fnmatch_lines(
        ["field/two.yaml::field/two", "ps3.8/9.2/one.yaml::ps3.8/9.2/one", "2 tests collected*"]
    )


def test_a_case_that_passes_passes(pytester: pytest.Pytester, peer: Peer) -> None:
    write_scenario(pytester.path, "ps3.8/9.2/one", ECHO)
    run(pytester, peer).assert_outcomes(passed=1)


def test_a_failure_shows_requirement_clause_expected_actual_and_the_lines_of_the_step(
    pytester: pytest.Pytester, peer: Peer
) -> None:
    path = write_scenario(pytester.path, "ps3.8/9.2/one", FAILS)
    result = run(pytester, peer)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "ps3.8/9.2/one: fail: silent(0.05 s)",
            "requirement  A peer does what it should.",
            "clause       PS3.8 §9.2 (shall)",
            "expected     A-ABORT",
            "actual       silent(0.05 s): nothing within the time window of 0.05 s",
            "connection   dicomsim fin",
            f"step         {path}:8",
            "     8 |   - expect: A-ABORT",
            "     9 |     within: 0.05",
            "*-> A-ASSOCIATE-RQ*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_verdicts_are_outcomes_of_pytest(pytester: pytest.Pytester, peer: Peer) -> None:
    needs_more = "steps:\n  - use: associate\n    with: {needed: {3: {result: 0}}}\n"
    write_scenario(pytester.path, "field/inconclusive", HEAD.format(role="requestor") + needs_more)
    write_scenario(pytester.path, "field/skipped", HEAD.format(role="acceptor") + "steps: [accept]\n")
    write_scenario(pytester.path, "field/slow", HEAD.format(role="requestor") + "tags: [slow]\nsteps: [connect]\n")
    known = 'peers: {"FAKE_*": {xfail: {reason: known to be silent}}}\n'
    write_scenario(pytester.path, "field/known", FAILS.replace("steps:", f"{known}steps:"))
    write_scenario(pytester.path, "field/better", ECHO.replace("steps:", f"{known}steps:"))
    error = "steps:\n  - connect\n  - {send: response}\n"
    write_scenario(pytester.path, "field/error", HEAD.format(role="requestor") + error)
    result = run(pytester, peer, "-rsx")
    result.assert_outcomes(skipped=3, xfailed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "field/better: xpass: released",
            "field/error: error: error",
            "SKIPPED*inconclusive: A-ASSOCIATE-AC 1 of 1 context accepted*",
            "SKIPPED*skip: needs a peer that connects*",
            "SKIPPED*skip: slow: run it with --slow",
            "XFAIL*known to be silent",
        ],
        consecutive=False,
    )


def test_cases_are_selected_by_id_level_role_and_tag(pytester: pytest.Pytester, peer: Peer) -> None:
    write_scenario(pytester.path, "ps3.8/9.2/one", ECHO.replace("steps:", "tags: [quick]\nsteps:"))
    write_scenario(pytester.path, "field/two", ECHO.replace("level: shall", "level: practice"))
    counts = {}
    for expression in ("ps3.8", "9.2/one", "quick", "practice", "requestor", "not field"):
        counts[expression] = run(pytester, peer, "-k", expression).parseoutcomes()["passed"]
    assert {"ps3.8": 1, "9.2/one": 1, "quick": 1, "practice": 1, "requestor": 2, "not field": 1} == counts


def test_a_file_with_mistakes_is_shown_without_a_traceback(pytester: pytest.Pytester, peer: Peer) -> None:
    path = write_scenario(pytester.path, "ps3.8/9.2/one", ECHO.replace("use: echo", "use: ecko"))
    result = run(pytester, peer)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"{path}:8:5: no sub-scenario is called ecko, did you mean echo?"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_peer_that_is_not_there_is_said_once(pytester: pytest.Pytester) -> None:
    for name in ("field/one", "field/two"):
        write_scenario(pytester.path, name, ECHO)
    peer = Peer(accept_and_answer)
    peer._listener.close()
    result = run(pytester, peer, "-rs")
    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines([f"{peer.address}: connection refused*", "SKIPPED*not run: *connection refused*"])


def test_junit_has_the_verdict_and_what_led_to_it(pytester: pytest.Pytester, peer: Peer) -> None:
    write_scenario(pytester.path, "ps3.8/9.2/one", ECHO)
    run(pytester, peer, "--junitxml=result.xml")
    text = (pytester.path / "result.xml").read_text()
    assert [] == [
        part
        for part in (
            '<property name="verdict" value="pass"',
            '<property name="clause" value="PS3.8 §9.2"',
            '<property name="level" value="shall"',
            '<property name="actual" value="released"',
            '<property name="close" value="dicomsim fin"',
        )
        if part not in text
    ]


def test_several_processes_may_run_cases(pytester: pytest.Pytester, peer: Peer) -> None:
    for name in ("field/one", "field/two", "field/three"):
        write_scenario(pytester.path, name, ECHO)
    result = pytester.runpytest_subprocess(
        *PLUGIN, "--dicomsim-peer", f"SCP@{peer.address}", "-p", "xdist", "-n", "2", timeout=LIMIT * 6
    )
    result.assert_outcomes(passed=3)


def test_a_peer_that_does_not_survive_the_run_fails_it(pytester: pytest.Pytester) -> None:
    def twice(stream: BlockingStream) -> None:
        if dying.connections <= 2:
            accept_and_answer(stream)

    with Peer(twice) as dying:
        write_scenario(pytester.path, "field/one", ECHO)
        result = run(pytester, dying, "--dicomsim-sanity=ends")
    result.assert_outcomes(passed=1)
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines(["the peer did not survive the run: *"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--dicomsim-peer=nowhere", "*'nowhere' has no port*"),
        ("--dicomsim-peer=AN_ENDLESS_AE_TITLE@localhost:104", "*'AN_ENDLESS_AE_TITLE' has 19 characters*"),
        ("--dicomsim-peer=a b:104", "*'a b:104' has no host*"),
        ("--dicomsim-calling=A\\B", "*an AE title has printable ASCII characters only, and no backslash*"),
        ("--dicomsim-listen=x:y", "*'x:y' has no port*"),
        ("--dicomsim-timeout=soon", "*could not convert string to float*"),
        ("--dicomsim-sanity=often", "*--dicomsim-sanity is one of each, ends, none*"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(pytester: pytest.Pytester, option: str, message: str) -> None:
    write_scenario(pytester.path, "field/one", ECHO)
    result = pytester.runpytest_inprocess(*PLUGIN, option)
    result.stderr.fnmatch_lines([message])
    assert pytest.ExitCode.USAGE_ERROR == result.ret


def test_a_run_against_our_own_peers_says_so(pytester: pytest.Pytester, peer: Peer) -> None:
    write_scenario(pytester.path, "field/one", ECHO)
    told = "the peers were dicomsim's own: --dicomsim-peer, -exec and -listen name others"
    pytester.runpytest_inprocess(*PLUGIN).stdout.fnmatch_lines([told])
    run(pytester, peer).stdout.no_fnmatch_line(told)


def test_the_output_of_a_requestor_under_test_is_kept(pytester: pytest.Pytester) -> None:
    steps = "steps:\n  - listen: false\n  - expect: {exit: 0}\n"
    write_scenario(pytester.path, "field/one", HEAD.format(role="acceptor") + steps)
    command = f"{sys.executable} -c \"print('last words'); raise SystemExit(3)\""
    result = pytester.runpytest_inprocess(*PLUGIN, f"--dicomsim-exec={command}", "--dicomsim-sanity=none")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*field/one: fail: exited(3)", "peer         exited with 3", "last words"])


def test_the_plugin_imports_nothing_of_dicomsim_before_there_is_a_scenario(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_it():
            names = [name for name in sys.modules if name.startswith("dicomsim")]
            assert ["dicomsim", "dicomsim.scenario", "dicomsim.scenario.pytest_plugin"] == sorted(names)
        """
    )
    pytester.runpytest_subprocess(*PLUGIN).assert_outcomes(passed=1)
