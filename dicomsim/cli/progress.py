"""What `dicomsim store` shows while it sends: lines alone, lines above a progress bar, or nothing but bad news.

File names, and UIDs in files, come from media of unknown origin, and are escaped. A bar is for a terminal; rich, which
draws it, is imported for it and for nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from dicomsim.cli.sending import Item, Result
from dicomsim.engine.clock import SystemClock
from dicomsim.wire.render import escaped

WIDTH = max(len(result.value) for result in Result)
REFRESH_SECONDS = 0.1
"""How long lines gather before they go above the bar: one by one they would cost more time than the sending."""


def line(item: Item) -> str:
    """What became of a file."""
    return f"{item.result.value:{WIDTH}}  {escaped(item.path)}  {escaped(item.text)}".rstrip()


class Silent:
    """Tells of files that cannot be sent, on stderr, and of nothing else."""

    @contextmanager
    def showing(self) -> Iterator[None]:
        """While files are looked at and sent."""
        yield

    def found(self, item: Item) -> Item:
        """A file was looked at."""
        if item.result in (Result.UNREADABLE, Result.SKIPPED):
            self.error(f"dicomsim: {escaped(item.path)}: {escaped(item.text)}")
        return item

    def begin(self, size: int) -> None:
        """All were looked at; so many bytes are to be sent."""

    def sent(self, item: Item) -> None:
        """A file was sent, or refused."""

    def error(self, text: str) -> None:
        """Something that is not said by `sent`."""
        click.echo(text, err=True)


class Lines(Silent):
    """A line on stdout for each file; with `quiet`, only for those that are not stored."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet

    def sent(self, item: Item) -> None:
        """Print its line."""
        if not self._quiet or item.result is not Result.STORED:
            self.print(line(item))

    def print(self, text: str) -> None:
        """One line on stdout."""
        click.echo(text)


class Bar(Lines):
    """Lines as they come, and a progress bar below them while there is more to come."""

    def __init__(self, quiet: bool = False) -> None:
        super().__init__(quiet)
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._console = Console(highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), DownloadColumn(),
            TransferSpeedColumn(), TimeRemainingColumn(),
            console=self._console, transient=True, redirect_stderr=sys.stderr.isatty(),
        )  # fmt: skip
        self._task = self._progress.add_task("looking at files", total=None)
        self._clock = SystemClock().monotonic
        self._shown = self._clock()
        self._lines: list[str] = []

    @contextmanager
    def showing(self) -> Iterator[None]:
        """The bar is there for that long."""
        with self._progress:
            try:
                yield
            finally:
                self._flush()

    def begin(self, size: int) -> None:
        """The bar gets its length."""
        self._progress.reset(self._task, total=size, description="sending")

    def advance(self, size: int) -> None:
        """The bar moves on."""
        self._progress.advance(self._task, size)

    def print(self, text: str) -> None:
        """Gather the line, and show what has gathered when it is time to."""
        self._lines.append(text)
        if self._clock() >= self._shown + REFRESH_SECONDS:
            self._flush()

    def error(self, text: str) -> None:
        """In its place among the lines."""
        self._flush()
        super().error(text)

    def _flush(self) -> None:
        if self._lines:
            self._console.print("\n".join(self._lines), markup=False, emoji=False, soft_wrap=True)
            self._lines.clear()
        self._shown = self._clock()


def display(quiet: bool, as_json: bool) -> Silent:
    """What suits the options and stdout."""
    if as_json:
        return Silent()
    return Bar(quiet) if sys.stdout.isatty() else Lines(quiet)
