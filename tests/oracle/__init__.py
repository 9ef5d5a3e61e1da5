"""The standard's tables as tests read them; README.md says what each file holds."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of `<name>.csv`, keyed by heading."""
    with (HERE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def document(name: str) -> Any:
    """What `<name>.json` holds; `vectors/valid_pdus` and so on for the vectors."""
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
