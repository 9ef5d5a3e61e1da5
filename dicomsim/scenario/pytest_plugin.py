"""Scenario files as pytest items: `pytest --dicomsim-peer AET@HOST:PORT scenarios/`.

A YAML file is collected if it looks like a scenario, whatever else lies beside it. Each is one item, named by its id;
its level, role and tags are keywords for `-k`. This module is loaded by every pytest of the environment, so it imports
nothing of dicomsim before there is a scenario to collect.
"""

from __future__ import annotations

import argparse
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dicomsim.scenario.loader import Case
    from dicomsim.scenario.result import CaseResult
    from dicomsim.scenario.runner import Runner, Settings

RUNNER: pytest.StashKey[Runner] = pytest.StashKey()
"""The runner of a run; whoever has one already puts it here."""
_SETTINGS: pytest.StashKey[Settings] = pytest.StashKey()
_STOPPED: pytest.StashKey[Exception] = pytest.StashKey()
LOST: pytest.StashKey[str] = pytest.StashKey()
"""How the peer failed the last sanity exchange."""
OPTIONS = (
    ("peer", "[AET@]HOST:PORT", "the peer under test, which listens"),
    ("exec", "COMMAND", "the peer under test, which connects: a command with {host} {port} {aet} {file}"),
    ("listen", "[HOST:]PORT", "wait here for a peer that connects and that somebody else starts"),
    ("calling", "AET", "calling AE title to use"),
    ("timeout", "SECONDS", "the longest that any step may take"),
    ("sanity", "each|ends|none", "when a plain association is tried: after each case, first and last, never"),
    ("name", "NAME", "what to call the peer, for the expectations in scenarios"),
)
"""Name, value and help of the options that take a value."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, all of them with the prefix `--dicomsim-`."""
    group = parser.getgroup("dicomsim", "DICOM scenarios")
    for name, value, text in OPTIONS:
        group.addoption(f"--dicomsim-{name}", metavar=value, help=text)
    group.addoption("--dicomsim-slow", action="store_true", help="run slow scenarios, too")
    # For `dicomsim run`. With pytest, a YAML file that is named may be another plugin's.
    group.addoption("--dicomsim-all-named", action="store_true", help=argparse.SUPPRESS)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse options that make no sense before anything is run."""
    if any(config.getoption(f"dicomsim_{name}") is not None for name, _, _ in OPTIONS):
        settings_of(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect what looks like a scenario, and what is called one: it may be one with a mistake."""
    if parent.config.getoption("dicomsim_all_named") and parent.session.isinitpath(file_path):
        return ScenarioFile.from_parent(parent, path=file_path)
    if file_path.suffix not in (".yaml", ".yml"):
        return None
    from dicomsim.scenario.finding import is_scenario

    if is_scenario(file_path):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.File):
    """A scenario file, which has one case."""

    def collect(self) -> Iterable[pytest.Item]:
        """The case."""
        from dicomsim.scenario.loader import load

        yield ScenarioItem.from_parent(self, case=load(self.path))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Mistakes of the file as they are, without a traceback."""
        from dicomsim.errors import DicomsimError

        if isinstance(excinfo.value, DicomsimError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)


class CaseFailed(Exception):  # noqa: N818 - pytest shows the name
    """A case whose verdict fails the run."""


class ScenarioItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, **arguments: Any) -> None:
        super().__init__(case.id, **arguments)
        self.case = case
        self.result: CaseResult | None = None
        scenario = case.scenario
        self.extra_keyword_matches.update((scenario.level, scenario.role, *scenario.tags))

    def runtest(self) -> None:
        """Run it, and turn the verdict into what pytest knows."""
        from dicomsim.errors import DicomsimError
        from dicomsim.scenario.verdict import Verdict

        stopped = self.config.stash.get(_STOPPED, None)
        if stopped is not None:
            pytest.skip(f"not run: {stopped}")
        try:
            result = self.result = runner_of(self.config).run(self.case)
        except DicomsimError as error:
            self.config.stash[_STOPPED] = error
            raise
        self.user_properties += properties(result)
        if result.peer_output:
            self.add_report_section("call", "stdout", result.peer_output)
        if result.verdict in (Verdict.SKIP, Verdict.INCONCLUSIVE):
            pytest.skip(f"{result.verdict.value}: {result.note or result.detail}")
        if result.verdict is Verdict.XFAIL:
            pytest.xfail(result.note)
        if result.verdict.is_bad:
            raise CaseFailed(f"{result.verdict.value}: {result.actual}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The requirement, what was expected, what happened and the lines of the step; never a traceback of ours."""
        from dicomsim.errors import DicomsimError
        from dicomsim.report.text import explanation

        if isinstance(excinfo.value, CaseFailed) and self.result is not None:
            return "\n".join((f"{self.case.id}: {excinfo.value}", *explanation(self.result)))
        if isinstance(excinfo.value, DicomsimError):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it is, and its id."""
        return self.path, 0, self.case.id


def properties(result: CaseResult) -> list[tuple[str, object]]:
    """What JUnit has of a case beside pytest's own."""
    found = {
        "verdict": result.verdict.value,
        "clause": result.clause,
        "level": result.level,
        "requirement": result.requirement,
        "expected": " | ".join(result.expected),
        "actual": result.actual,
        "close": result.close,
        **{f"measured {name}": f"{seconds:.3f}" for name, seconds in result.measured.items()},
    }
    if result.peer_exit is not None:
        found["peer exit"] = str(result.peer_exit)
    return list(found.items())


def settings_of(config: pytest.Config) -> Settings:
    """The settings of a run from its options; raises `pytest.UsageError`."""
    if _SETTINGS not in config.stash:
        from dicomsim.peer_address import check_title, parse_peer
        from dicomsim.scenario.runner import SANITY, Settings
        from dicomsim.scenario.stage import Address, Titles

        def option(name: str) -> Any:
            return config.getoption(f"dicomsim_{name}")

        try:
            peer = parse_peer(option("peer")) if option("peer") else None
            usual = Titles()
            timeout = option("timeout")
            sanity = option("sanity") or SANITY[0]
            if sanity not in SANITY:
                raise ValueError(f"--dicomsim-sanity is one of {', '.join(SANITY)}")
            config.stash[_SETTINGS] = Settings(
                peer=None if peer is None else Address(peer.host, peer.port),
                command=option("exec"),
                listen=Address.parse(option("listen")) if option("listen") else None,
                titles=Titles(
                    usual.called if peer is None else peer.ae_title, check_title(option("calling") or usual.calling)
                ),
                timeout=None if timeout is None else float(timeout),
                sanity=sanity,
                name=option("name"),
                slow=option("slow"),
            )
        except ValueError as error:
            raise pytest.UsageError(str(error)) from error
    return config.stash[_SETTINGS]


def runner_of(config: pytest.Config) -> Runner:
    """The runner of a run, made when it is first needed."""
    if RUNNER not in config.stash:
        from dicomsim.scenario.runner import Runner

        runner = config.stash[RUNNER] = Runner(settings_of(config))
        config.add_cleanup(runner.close)
    return config.stash[RUNNER]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the whole result travel with the report, also from another process."""
    report = yield
    if isinstance(item, ScenarioItem) and report.when == "call" and item.result is not None:
        report.dicomsim = item.result.as_dict()  # type: ignore[attr-defined] # reports take what they are given
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The last sanity exchange: a peer that did not survive fails the run."""
    runner = session.config.stash.get(RUNNER, None)
    lost = None if runner is None else runner.check_last()
    if lost is not None:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        session.config.stash[LOST] = lost


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say so, and whether no peer of the user's was under test."""
    reports = (report for group in terminalreporter.stats.values() for report in group)
    if any(hasattr(report, "dicomsim") for report in reports) and settings_of(config).embedded:
        terminalreporter.section("dicomsim")
        terminalreporter.line("the peers were dicomsim's own: --dicomsim-peer, -exec and -listen name others")
    if LOST in config.stash:
        terminalreporter.section("dicomsim")
        terminalreporter.line(f"the peer did not survive the run: {config.stash[LOST]}")
