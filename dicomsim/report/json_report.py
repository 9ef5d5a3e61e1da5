"""`run --json`: how many cases came to which verdict, and each case with what was expected and what happened."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomsim.report.whole_file import write_whole

if TYPE_CHECKING:
    from dicomsim.scenario.result import CaseResult


def as_json(results: Iterable[CaseResult]) -> dict[str, Any]:
    """The whole report as plain values; the summary has only verdicts that occurred."""
    results = list(results)
    counts = Counter(result.verdict.value for result in results)
    return {"summary": dict(sorted(counts.items())), "cases": [result.for_json() for result in results]}


def write_json(results: Iterable[CaseResult], path: Path) -> None:
    """Write the report; raises `FileError` if it cannot be written."""
    write_whole(json.dumps(as_json(results), indent=2, ensure_ascii=False) + "\n", path)
