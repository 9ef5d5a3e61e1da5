"""What people see of a run: a line a case while it goes on, what went wrong in full, and a table at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from dicomsim.scenario.result import CaseResult

STYLES = {
    "pass": "green",
    "non-strict": "yellow",
    "skip": "dim",
    "inconclusive": "magenta",
    "xfail": "cyan",
    "xpass": "bold red",
    "fail": "bold red",
    "error": "bold white on red",
}
"""Colour of each verdict, in the order of the table."""
WIDTH = max(map(len, STYLES))
SHOWN_IN_FULL = ("fail", "xpass", "error")
"""Verdicts whose cases are explained after their line."""
MOST_LOG_LINES = 40
"""Lines of a case's log that are shown; of a longer one, the beginning and the end."""


def case_line(result: CaseResult) -> Text:
    """One case: verdict, id, how it ended."""
    from rich.text import Text  # heavy, and only needed where people look

    line = Text()
    line.append(f"{result.verdict.value:{WIDTH}}", STYLES[result.verdict.value])
    line.append(f"  {result.id}")
    if result.actual:
        line.append(f"  {result.actual}", "dim")
    if reason := _reason(result):
        line.append(f"  {reason}", "dim")
    for name, seconds in result.measured.items():
        line.append(f"  {name}: {seconds:.3g} s", "bold")
    return line


def _reason(result: CaseResult) -> str:
    """What there is to say of a case that neither passed nor is explained in full."""
    match result.verdict.value:
        case "skip" | "xfail":
            return result.note
        case "inconclusive":
            return result.note or result.detail
        case "non-strict":
            strict = [each for each in result.expected if not each.endswith(f"({result.verdict.value})")]
            return "; ".join(filter(None, (f"strictly: {' or '.join(strict)}" if strict else "", result.note)))
    return ""


def explanation(result: CaseResult) -> Iterator[str]:
    """Everything about a case that went wrong: the requirement, what was expected, what happened, and where."""
    yield f"requirement  {result.requirement}"
    yield f"clause       {result.clause} ({result.level})"
    for index, expected in enumerate(result.expected):
        yield f"{'expected' if not index else 'or':12} {expected}"
    yield f"actual       {result.actual}{f': {result.detail}' if result.detail else ''}"
    if result.note:
        yield f"note         {result.note}"
    yield f"connection   {result.close}"
    if result.peer_exit is not None:
        yield f"peer         exited with {result.peer_exit}"
    if result.lines:
        yield f"step         {result.file}:{result.lines[0][0]}"
        yield from (f"  {number:4} | {text}" for number, text in result.lines)
    if result.log:
        yield "what happened (seconds, -> to the peer, <- from it)"
        yield from (f"  {line}" for line in _shortened(result.log))


def _shortened(log: tuple[str, ...]) -> Iterator[str]:
    if len(log) <= MOST_LOG_LINES:
        yield from log
        return
    half = MOST_LOG_LINES // 2
    yield from log[:half]
    yield f"… {len(log) - 2 * half} lines …"
    yield from log[-half:]


def print_end(console: Console, results: Iterable[CaseResult], seconds: float, *, embedded: bool = False) -> None:
    """The table, if anything was run; `embedded` says that no peer of the user's was under test."""
    results = list(results)
    if results:
        console.print()
        console.print(summary(results, seconds))
        for why, count in Counter(result.note for result in results if result.verdict.value == "skip").items():
            console.print(f"skipped: {count}, {why}", style="dim", markup=False)
        if embedded:
            console.print("the peers were dicomsim's own: --peer, --exec and --listen name others", style="dim")


def summary(results: Iterable[CaseResult], seconds: float) -> Any:
    """A table of verdicts, by level."""
    from rich.table import Table

    results = list(results)
    levels = ("shall", "should", "practice")
    table = Table(box=None, pad_edge=False)
    table.add_column("verdict")
    for level in levels:
        table.add_column(level, justify="right")
    table.add_column("all", justify="right")
    counts = Counter((result.verdict.value, result.level) for result in results)
    for verdict, style in STYLES.items():
        row = [counts[verdict, level] for level in levels]
        if any(row):
            table.add_row(f"[{style}]{verdict}[/]", *(str(count or "") for count in row), str(sum(row)))
    table.add_section()
    table.caption = f"{len(results)} case{'s' if len(results) != 1 else ''} in {seconds:.1f} s"
    table.caption_justify = "left"
    return table


def print_case(console: Console, result: CaseResult) -> None:
    """The line of a case, and what went wrong if something did."""
    console.print(case_line(result), soft_wrap=True)
    if result.verdict.value in SHOWN_IN_FULL:
        for line in explanation(result):
            console.print(f"    {line}", markup=False, highlight=False, soft_wrap=True)
