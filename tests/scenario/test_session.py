"""Runs with pytest from within: what is selected, what people see, and the exit code."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from ruamel.yaml import YAML

from dicomsim.scenario.actors import EmbeddedAcceptor
from dicomsim.scenario.finding import find_scenarios
from dicomsim.scenario.runner import Runner, Settings
from dicomsim.scenario.session import LiveReporter, Selection, run_selection
from dicomsim.scenario.stage import Address, Titles
from tests.scenario.doubles import HEAD, LIMIT, Peer, accept_and_answer, write_scenario

ECHO = HEAD.format(role="requestor") + "steps:\n  - use: associate\n  - use: echo\n  - use: release\n"
FAILS = HEAD.format(role="requestor") + "steps:\n  - use: associate\n  - expect: A-ABORT\n    within: 0.05\n"
OTHER = HEAD.format(role="acceptor") + "steps: [accept]\n"


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer(accept_and_answer) as running:
        yield running


class Run:
    """One run and all that came of it."""

    def __init__(self, peer: Peer | EmbeddedAcceptor, folder: Path, **selected: object) -> None:
        self.output = io.StringIO()
        settings = Settings(peer=peer.address, titles=Titles("SCP", "SCU"), timeout=LIMIT)
        with Runner(settings) as runner:
            self.reporter = LiveReporter(Console(file=self.output, width=200, highlight=False), runner)
            self.code = run_selection(Selection(find_scenarios([str(folder)]), **selected), self.reporter)  # type: ignore[arg-type]
        self.exit_code = self.reporter.exit_code(self.code)
        self.verdicts = {result.id: result.verdict.value for result in self.reporter.results}


def test_every_case_has_its_line_and_its_result(tmp_path: Path, peer: Peer) -> None:
    write_scenario(tmp_path, "ps3.8/9.2/good", ECHO)
    write_scenario(tmp_path, "ps3.8/9.2/bad", FAILS)
    write_scenario(tmp_path, "ps3.8/9.2/other", OTHER)
    run = Run(peer, tmp_path)
    lines = run.output.getvalue().splitlines()
    verdicts = {"ps3.8/9.2/good": "pass", "ps3.8/9.2/bad": "fail", "ps3.8/9.2/other": "skip"}
    assert (verdicts, 1) == (run.verdicts, run.exit_code)
    assert [
        "fail          ps3.8/9.2/bad  silent(0.05 s)",
        "pass          ps3.8/9.2/good  released",
    ] == [line.rstrip() for line in lines if not line.startswith(" ")]
    assert "    expected     A-ABORT" in lines


def test_pytest_itself_is_silent(tmp_path: Path, peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    write_scenario(tmp_path, "field/good", ECHO)
    Run(peer, tmp_path)
    assert ("", "") == tuple(capsys.readouterr())


def test_cases_are_selected_by_an_expression(tmp_path: Path, peer: Peer) -> None:
    for name in ("field/one", "field/two"):
        write_scenario(tmp_path, name, ECHO)
    assert {"field/two": "pass"} == Run(peer, tmp_path, expression="two or three").verdicts


def test_nothing_to_run_is_told_apart(tmp_path: Path, peer: Peer) -> None:
    write_scenario(tmp_path, "field/one", ECHO)
    write_scenario(tmp_path, "field/two", OTHER)
    assert [6, 6] == [Run(peer, tmp_path, expression=each).exit_code for each in ("three", "two")]


def test_an_expression_that_makes_no_sense_is_a_mistake_of_use(tmp_path: Path, peer: Peer) -> None:
    write_scenario(tmp_path, "field/one", ECHO)
    assert 2 == Run(peer, tmp_path, expression="and and").exit_code


def test_mistakes_of_files_stop_the_run(tmp_path: Path, peer: Peer) -> None:
    write_scenario(tmp_path, "field/one", ECHO)
    path = write_scenario(tmp_path, "field/two", ECHO.replace("use: echo", "use: ecko").replace("shall", "shal"))
    run = Run(peer, tmp_path)
    assert (3, {}) == (run.exit_code, run.verdicts)
    assert [
        f"{path}:4:1: level cannot be 'shal', did you mean shall?",
        f"{path}:8:5: no sub-scenario is called ecko, did you mean echo?",
    ] == run.reporter.mistakes[0].splitlines()


@pytest.mark.parametrize(
    ("name", "text", "mistake"),
    [
        ("two.yaml", "steps:\n  - use: [\n", "{path}:3:1: not YAML: "),
        ("empty.yaml", "", "{path}:1:1: a scenario should be a mapping"),
        ("test_two.py", "raise SystemExit\n", "{path}:1:1: a scenario should be a mapping"),
        ("two.txt", ">>> 1\n2\n", "{path}:1:2: not YAML: "),
    ],
)
def test_a_named_file_that_does_not_look_like_a_scenario_is_a_mistake_and_nothing_else(
    tmp_path: Path, peer: Peer, name: str, text: str, mistake: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    run = Run(peer, path)
    assert (3, {}, [], 1) == (run.exit_code, run.verdicts, run.reporter.problems, len(run.reporter.mistakes))
    assert run.reporter.mistakes[0].startswith(mistake.format(path=path))


def test_a_named_file_is_run_however_its_keys_are_laid_out(tmp_path: Path, peer: Peer) -> None:
    path = write_scenario(tmp_path, "field/one", ECHO)
    path.write_text(json.dumps(YAML(typ="safe").load(path)))
    assert {"field/one": "pass"} == Run(peer, path).verdicts


def test_junit_is_written_where_it_is_wanted(tmp_path: Path, peer: Peer) -> None:
    write_scenario(tmp_path, "field/one", ECHO)
    Run(peer, tmp_path, junit=tmp_path / "junit.xml")
    text = (tmp_path / "junit.xml").read_text()
    assert (True, True) == ('<testsuite name="dicomsim"' in text, 'name="verdict" value="pass"' in text)


def test_settings_of_other_tests_are_left_aside_and_left_as_they_were(
    tmp_path: Path, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --neither-this\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError\n")
    write_scenario(tmp_path, "field/one", ECHO)
    assert ({"field/one": "pass"}, "--no-such-option", None) == (
        Run(peer, tmp_path).verdicts,
        os.environ["PYTEST_ADDOPTS"],
        os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"),
    )


def test_an_interruption_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_scenario(tmp_path, "field/one", ECHO)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Runner, "run", interrupt)
    with Peer(accept_and_answer) as peer:
        run = Run(peer, tmp_path)
    assert (130, True) == (run.exit_code, run.reporter.interrupted)


def test_a_fault_of_ours_is_a_problem_and_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_scenario(tmp_path, "field/one", ECHO)

    def fail(*_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(Runner, "run", fail)
    with Peer(accept_and_answer) as peer:
        run = Run(peer, tmp_path)
    assert (1, {}, True) == (run.exit_code, run.verdicts, "ZeroDivisionError: ours" in run.reporter.problems[0])


def test_what_is_running_is_shown_on_a_terminal_and_wiped_out(tmp_path: Path, peer: Peer) -> None:
    output = io.StringIO()
    write_scenario(tmp_path, "field/one", ECHO)
    with Runner(Settings(peer=peer.address, timeout=LIMIT)) as runner:
        console = Console(file=output, width=60, force_terminal=True, color_system=None)
        run_selection(Selection(find_scenarios([str(tmp_path)])), LiveReporter(console, runner))
    assert ["… field/one", " " * 59, "pass          field/one  released\n"] == output.getvalue().split("\r")


def test_a_case_that_waits_for_a_peer_that_is_started_by_hand_is_named_first(tmp_path: Path) -> None:
    write_scenario(tmp_path, "field/skipped", ECHO)
    write_scenario(tmp_path, "field/waits", OTHER.replace("accept]", "{accept: null, within: 0.01}]"))
    output = io.StringIO()
    with Runner(Settings(listen=Address("127.0.0.1", 0))) as runner:
        console = Console(file=output, width=200)
        run_selection(Selection(find_scenarios([str(tmp_path)])), LiveReporter(console, runner))
    lines = [line[:26].rstrip() for line in output.getvalue().splitlines()]
    assert ["… field/waits", "inconclusive  field/waits"] == lines


@pytest.mark.parametrize(("options", "is_there"), [([], False), (["--dicomsim-exec=x"], True)])
def test_junit_has_what_a_peer_prints_where_one_was_started(
    tmp_path: Path, peer: Peer, options: list[str], is_there: bool
) -> None:
    write_scenario(tmp_path, "field/one", ECHO)
    Run(peer, tmp_path, junit=tmp_path / "junit.xml", options=options)
    assert is_there is ("<system-out>" in (tmp_path / "junit.xml").read_text())


@pytest.mark.slow
def test_several_processes_report_to_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    for name in ("field/one", "field/two", "field/three"):
        write_scenario(tmp_path, name, ECHO)
    with EmbeddedAcceptor() as peer:
        run = Run(peer, tmp_path, processes=2, options=[f"--dicomsim-peer=SCP@{peer.address}"])
    assert ({"field/one": "pass", "field/two": "pass", "field/three": "pass"}, 0) == (run.verdicts, run.exit_code)
