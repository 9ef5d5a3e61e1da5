"""`run --json`: how many cases came to which verdict, and each case with what was expected and what happened."""

from __future__ import annotations

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
    """Write the report; the file is whole or not there.

    Raises:
        FileError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(json.dumps(as_json(results), indent=2, ensure_ascii=False) + "\n", "utf-8")
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FileError(f"{path}: cannot be written: {error.strerror}") from error
