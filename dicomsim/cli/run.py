"""`dicomsim run`: run scenarios against a peer and judge its answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from dicomsim.cli.options import (
    PEER,
    SECONDS,
    Parsed,
    calling_option,
    check_payload_limit,
    example,
    payload_limit_option,
)
from dicomsim.errors import FileError
from dicomsim.scenario.finding import find_scenarios

if TYPE_CHECKING:
    from dicomsim.peer_address import PeerAddress
    from dicomsim.scenario.runner import Settings
    from dicomsim.scenario.session import LiveReporter
    from dicomsim.scenario.stage import Address


def _listen(text: str) -> Address:
    from dicomsim.scenario.stage import Address

    return Address.parse(text)


FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command(
    "run",
    epilog=example(
        "dicomsim run --peer ARCHIVE@localhost:11112 -k 9.3.2",
        "dicomsim run ps3.8/9.2 --exec 'storescu {host} {port} {file}' --junit results.xml",
    ),
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--peer", type=PEER, metavar="[AET@]HOST:PORT", help="The peer under test, which listens.")
@click.option(
    "--exec", "command", metavar="CMD", help="The peer under test, which connects: {host} {port} {aet} {file} are set."
)
@click.option(
    "--listen",
    type=Parsed("[HOST:]PORT", _listen),
    metavar="[HOST:]PORT",
    help="Wait here for a peer that connects and is started by hand.",
)
@calling_option
@click.option("-k", "expression", metavar="EXPR", help="Only cases whose id, level, role or tags fit, as in pytest.")
@click.option("--slow", is_flag=True, help="Slow cases, too: those that wait for timers.")
@click.option("--strict", is_flag=True, help="non-strict and inconclusive cases fail the run.")
@click.option("--timeout", type=SECONDS, metavar="S", help="The longest that any step may take.")
@click.option(
    "--sanity",
    type=click.Choice(["each", "ends", "none"]),
    default="each",
    show_default=True,
    help="When a plain association is tried: after each case, first and last, never.",
)
@click.option("--name", metavar="NAME", help="What to call the peer, for the expectations in scenarios.")
@click.option("-n", "processes", type=click.IntRange(0, 64), default=0, metavar="N", help="Run so many cases at once.")
@click.option("--junit", type=FILE, metavar="F", help="Write JUnit XML.")
@click.option("--json", "json_file", type=FILE, metavar="F", help="Write a JSON report.")
@click.option("--record", type=FILE, metavar="F", help="Write a capture of everything.")
@payload_limit_option
def command(paths: tuple[str, ...], **options: Any) -> int:
    """Run scenarios against a peer and judge its answers.

    PATH is a file, a folder, or the id (or its beginning) of a scenario that is shipped; all of these if there is none.
    Without --peer, --exec and --listen the peers under test are dicomsim's own, which conform.
    """
    check_payload_limit(options["payload_limit"], options["record"])
    if options["processes"] and options["record"]:
        raise click.UsageError("--record and -n do not go together: a capture has one writer")
    reports: list[Path] = [path for path in (options["json_file"], options["junit"]) if path is not None]
    for report in reports:
        if not report.absolute().parent.is_dir():  # better known now than after hours
            raise FileError(f"{report}: cannot be written: there is no such folder")
    files = find_scenarios(paths)
    settings = _settings(options)
    return _run(files, settings, options)


def _settings(options: dict[str, Any]) -> Settings:
    from dicomsim.scenario.process import command_line
    from dicomsim.scenario.runner import Settings
    from dicomsim.scenario.stage import Address, Titles

    if options["command"] is not None:
        command_line(options["command"], {})  # raises what is wrong with it
    peer: PeerAddress | None = options["peer"]
    return Settings(
        peer=None if peer is None else Address(peer.host, peer.port),
        command=options["command"],
        listen=options["listen"],
        titles=Titles(Titles().called if peer is None else peer.ae_title, options["calling"]),
        timeout=options["timeout"],
        sanity=options["sanity"],
        name=options["name"],
        slow=options["slow"],
    )


def _run(files: list[Path], settings: Settings, options: dict[str, Any]) -> int:
    from contextlib import ExitStack
    from dataclasses import replace
    from tempfile import TemporaryDirectory

    import pytest
    from rich.console import Console

    from dicomsim.capture.recorder import Recorder
    from dicomsim.engine.stream import StreamListener
    from dicomsim.report.text import print_end
    from dicomsim.scenario.runner import Runner
    from dicomsim.scenario.session import LiveReporter, Selection, run_selection

    console = Console(highlight=False)
    console.on_broken_pipe = _broken_pipe  # type: ignore[method-assign]  # rich would exit, in the middle of pytest
    with ExitStack() as exits:
        if options["record"] is not None:
            recorder = exits.enter_context(Recorder(options["record"], payload_limit=options["payload_limit"]))
            settings = replace(settings, observer=recorder, note=recorder.note)
        runner = exits.enter_context(Runner(settings))
        for role in settings.roles:
            runner.check(role)
        junit = None if options["junit"] is None else Path(exits.enter_context(TemporaryDirectory()), "junit.xml")
        selection = Selection(files, options["expression"], junit, options["processes"], _plugin_options(options))
        reporter = LiveReporter(console, runner)
        if settings.listen is not None:
            StreamListener(settings.listen.host, settings.listen.port).close()  # raises what is wrong with it
            click.echo(f"waiting for the peer at {settings.listen}: start it each time a case is named")
        code = run_selection(selection, reporter)
        if reporter.unprinted is not None:
            raise reporter.unprinted
        lost = runner.check_last()
        # Within, so that the verdicts are said and kept even if the end of the capture cannot be written.
        print_end(console, reporter.results, reporter.seconds, embedded=settings.embedded)
        _write_reports(reporter, junit, options)
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        click.echo(f"dicomsim: no case fits -k {options['expression']!r}; `dicomsim list` shows them", err=True)
    for line in (*reporter.mistakes, *reporter.problems, *([f"the peer did not survive: {lost}"] if lost else [])):
        click.echo(line, err=True)
    return reporter.exit_code(code, strict=options["strict"], lost=lost is not None)


def _write_reports(reporter: LiveReporter, junit: Path | None, options: dict[str, Any]) -> None:
    """Each of them, also when the other cannot be written."""
    from dicomsim.report.json_report import write_json
    from dicomsim.report.whole_file import write_whole

    try:
        if options["json_file"] is not None and reporter.results and not reporter.interrupted:
            write_json(reporter.results, options["json_file"])
    finally:
        if junit is not None and junit.is_file():  # not if pytest did not get so far
            write_whole(junit.read_text("utf-8"), options["junit"])


def _broken_pipe() -> NoReturn:
    raise BrokenPipeError


def _plugin_options(options: dict[str, Any]) -> list[str]:
    """The same for other processes, which read them from pytest's command line."""
    values = {
        "peer": options["peer"],
        "exec": options["command"],
        "listen": options["listen"],
        "calling": options["calling"],
        "timeout": options["timeout"],
        "sanity": options["sanity"],
        "name": options["name"],
    }
    given = [f"--dicomsim-{name}={value}" for name, value in values.items() if value is not None]
    return [*given, *(["--dicomsim-slow"] if options["slow"] else [])]
