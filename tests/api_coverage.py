"""The table of docs/api_coverage.md: every member of the API that programs know, where it is, and a test of it.

The members and their tests are in tests/oracle/api_members.csv; where a member is comes from looking at it.

    python -m tests.api_coverage        writes the table anew
"""

from __future__ import annotations

import csv
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import dicomsim
from dicomsim import ae_handlers, association, negotiation_items, presentation, sop_class

ROOT = Path(__file__).resolve().parents[1]
MEMBERS = ROOT / "tests" / "oracle" / "api_members.csv"
TABLE = ROOT / "docs" / "api_coverage.md"

HEAD = """\
# API coverage

Each member of the 1.x API that programs know, where it is, and a test that shows it working. Made by
`python -m tests.api_coverage`; a test checks that nothing is missing, empty or out of date.

| member | what it is | where | test |
|---|---|---|---|
"""

HOMES: dict[str, Any] = {"AE": dicomsim.AE, "Association": association.Association, "sop_class": sop_class}
"""Where dotted names begin; all others are in one of the modules below."""

MODULES: tuple[ModuleType, ...] = (presentation, negotiation_items)


@dataclass(frozen=True, slots=True)
class Row:
    """One member."""

    member: str
    """Its name, with that of its class or module before it."""
    kind: str
    """Constructor, property, method, handler …"""
    where: str
    """The file it is in."""
    test: str
    """The test that shows it working: file and function."""


def rows() -> Iterator[Row]:
    """Every member, in the order of the file; raises `AttributeError` for one that there is not."""
    with MEMBERS.open(newline="") as file:
        for member, test in csv.reader(file):
            if member != "member":
                yield Row(member, *_found(member), test)


def _found(member: str) -> tuple[str, str]:
    first, _, rest = member.partition(".")
    home = HOMES.get(first)
    if home is None:
        module = next((one for one in MODULES if hasattr(one, first)), None)
        if module is None:
            raise AttributeError(member)
        home = getattr(module, first)
        if not rest:
            return ("context list" if isinstance(home, list) else "function"), _file(module)
    if isinstance(home, ModuleType):
        return type(getattr(home, rest)).__name__, _file(home)
    return _of_class(home, rest)


def _of_class(home: type, name: str) -> tuple[str, str]:
    owner = next((one for one in home.__mro__ if name in vars(one)), None)
    if owner is None:
        raise AttributeError(f"{home.__name__}.{name}")
    value = vars(owner)[name]
    where = _file(sys.modules[owner.__module__])
    if isinstance(value, property):
        return ("property" if value.fset is None else "property, may be set"), where
    if owner is ae_handlers.Handlers:
        return "handler", where
    if inspect.isfunction(value):
        return ("constructor" if name == "__init__" else "method"), where
    return "attribute", where


def _file(module: ModuleType) -> str:
    return Path(str(module.__file__)).relative_to(ROOT).as_posix()


def table() -> str:
    """The whole page."""
    return HEAD + "".join(f"| `{one.member}` | {one.kind} | {one.where} | {one.test} |\n" for one in rows())


if __name__ == "__main__":
    TABLE.write_text(table())
