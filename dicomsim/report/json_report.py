"""`run --json`: how many cases came to which verdict, and each case with what was expected and what happened."""

from __future__ import annotations

import errno
import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomsim.errors import FileError

if TYPE_CHECKING:
    from dicomsim.scenario.result import CaseResult


def as_json(results: Iterable[CaseResult]) -> dict[str, Any]:
    """The whole report as plain values; the summary has only verdicts that occurred."""
    results = list(results)
    counts = Counter(result.verdict.value for result in results)
    return {"summary": dict(sorted(counts.items())), "cases": [result.for_json() for result in results]}


def write_json(results: Iterable[CaseResult], path: Path) -> None:
    """Write the report; a file is whole or not there, a link stays one, and a pipe or a device is written to.

    Raises:
        FileError: it cannot be written.
    """
    text = json.dumps(as_json(results), indent=2, ensure_ascii=False) + "\n"
    target = Path(os.path.realpath(path))
    try:
        if target.is_symlink():  # one that leads to itself
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if os.path.exists(target) and not os.path.isfile(target):
            target.write_text(text, "utf-8", "backslashreplace")
        else:
            _replace(target, text)
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {error.strerror}") from error


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(text, "utf-8", "backslashreplace")
        os.replace(part, path)
    except OSError:
        if os.path.exists(part):
            part.unlink()
        raise
