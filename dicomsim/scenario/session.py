"""A run with pytest from within: it selects, parallelises and writes JUnit; what people see is ours."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from dicomsim.engine.clock import SystemClock
from dicomsim.errors import ExitCode
from dicomsim.scenario.pytest_plugin import RUNNER, ScenarioItem
from dicomsim.scenario.result import CaseResult
from dicomsim.scenario.verdict import Verdict, exit_code

if TYPE_CHECKING:
    from rich.console import Console

    from dicomsim.scenario.runner import Runner

PLUGIN: Final = "dicomsim.scenario.pytest_plugin"
OTHER_COLLECTORS: Final = ("python", "unittest", "doctest")
"""Pytest's own, which would run what is no scenario."""


@dataclass(slots=True)
class Selection:
    """What to run, and where to write what pytest writes."""

    files: Sequence[Path]
    """Scenario files."""
    expression: str | None = None
    """As for `pytest -k`."""
    junit: Path | None = None
    """Where to write JUnit XML."""
    processes: int = 0
    """How many run at once; 0: this one."""
    options: Sequence[str] = ()
    """Options of the plugin, for other processes."""


class LiveReporter:
    """Takes the place of pytest's own terminal output, and keeps the results."""

    def __init__(self, console: Console, runner: Runner) -> None:
        self.console = console
        self.runner = runner
        self.results: list[CaseResult] = []
        self.mistakes: list[str] = []
        """What kept files from being collected."""
        self.problems: list[str] = []
        """What went wrong apart from the cases."""
        self.unprinted: OSError | None = None
        """Why nothing more could be printed, which ends a run."""
        self.interrupted = False
        self.seconds = 0.0
        """How long all of it took."""
        self._waiting: set[str] = set()
        """Node ids of the cases that wait for a peer which somebody starts by hand."""
        self._clock = SystemClock()
        self._start = self._clock.monotonic()

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Send pytest's own reporter home, and let the plugin use the runner that is there already."""
        config.stash[RUNNER] = self.runner
        standard = config.pluginmanager.get_plugin("terminalreporter")
        if standard is not None:
            config.pluginmanager.unregister(standard)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take note of files that are no scenarios."""
        if report.failed:
            self.mistakes.append(str(report.longrepr))

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Take note of cases that will wait."""
        if self.runner.settings.listen is None or not isinstance(item, ScenarioItem):
            return
        if item.case.scenario.role == "acceptor" and self.runner.why_not(item.case) is None:
            self._waiting.add(item.nodeid)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Say what is running, where that can be wiped out again, or where somebody has to start a peer for it."""
        end = "\r" if self.console.is_terminal else "\n"
        if self.console.is_terminal or nodeid in self._waiting:
            self.console.print(f"… {nodeid.rpartition('::')[2]}", end=end, style="dim", highlight=False, markup=False)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print the line of a case."""
        from dicomsim.report.text import print_case

        values = getattr(report, "dicomsim", None)
        if values is not None:
            result = CaseResult.from_dict(values)
            self.results.append(result)
            if self.console.is_terminal:
                self.console.print(" " * (self.console.width - 1), end="\r")
            if result.verdict is not Verdict.SKIP:
                print_case(self.console, result)
        elif report.failed:
            self.problems.append(str(report.longrepr))

    def pytest_internalerror(self, excrepr: object, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """A fault of ours, unless nobody takes what is printed; True keeps pytest from printing it as well."""
        if isinstance(excinfo.value, OSError):
            self.unprinted = excinfo.value
        else:
            self.problems.append(str(excrepr))
        return True

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C; pytest's own interruption, after files that are no scenarios, is of a derived class."""
        self.interrupted = excinfo.type is KeyboardInterrupt

    def pytest_sessionfinish(self) -> None:
        """Stop the clock."""
        self.seconds = self._clock.monotonic() - self._start

    def exit_code(self, code: int, *, strict: bool = False, lost: bool = False) -> ExitCode:
        """The exit code of the run, from that of pytest and the verdicts."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.mistakes:
            return ExitCode.DOES_NOT_PARSE
        if self.problems or lost:
            return ExitCode.FAILED
        if code == pytest.ExitCode.USAGE_ERROR:
            return ExitCode.USAGE
        if code == pytest.ExitCode.NO_TESTS_COLLECTED:
            return ExitCode.NOTHING_RUN
        return exit_code((result.verdict for result in self.results), strict=strict)


def run_selection(selection: Selection, reporter: LiveReporter) -> int:
    """Run scenarios with pytest, undisturbed by the settings that other tests have here; pytest's exit code.

    Raises:
        OneAtATimeError: several cases at once are too many for the peer.
    """
    if selection.processes > 1:
        reporter.runner.check_together()
    peer_prints = any(option.startswith("--dicomsim-exec") for option in selection.options)
    logging = "system-out" if peer_prints else "no"  # pytest writes the heading of an empty text as well
    arguments = [
        *("-p", PLUGIN, "-p", "no:cacheprovider", "--noconftest", "-c", os.devnull, "--capture=no"),
        *("--dicomsim-all-named", *(f"-pno:{name}" for name in OTHER_COLLECTORS)),
        *("--rootdir", _root(selection.files), "-o", "junit_suite_name=dicomsim", "-o", f"junit_logging={logging}"),
        *selection.options,
    ]
    if selection.expression is not None:
        arguments += ["-k", selection.expression]
    if selection.junit is not None:
        arguments += ["--junitxml", str(selection.junit.absolute())]
    if selection.processes:
        arguments += ["-p", "xdist.plugin", "-n", str(selection.processes)]
    arguments += [str(file.absolute()) for file in selection.files]
    with _plain_pytest():
        return int(pytest.main(arguments, plugins=[reporter]))


def _root(files: Sequence[Path]) -> str:
    return os.path.commonpath([file.absolute().parent for file in files])


@contextmanager
def _plain_pytest() -> Iterator[None]:
    """No plugins and no options but those that are asked for."""
    kept = {name: os.environ.get(name) for name in ("PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")}
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
