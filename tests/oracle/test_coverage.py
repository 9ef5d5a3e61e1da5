"""Every requirement that must or should be met has its tests, which exist, or a reason why it has none."""

from __future__ import annotations

import ast
import csv
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent

TESTLESS = 5
"""Rows that no test covers, each with its reason. The number only ever goes down."""


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one of the tables beside this file."""
    with (HERE / name).open(newline="") as file:
        return list(csv.DictReader(file))


REQUIREMENTS = {row["id"]: row for row in rows("conformance_requirements.csv")}
COVERAGE = rows("coverage.csv")


@cache
def functions_of(path: str) -> frozenset[str]:
    """The names of the functions in a test file."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))


def test_every_requirement_that_binds_has_its_row_in_order_and_no_other_has() -> None:
    binding = [row["id"] for row in REQUIREMENTS.values() if row["severity"] in ("shall", "should")]
    assert binding == [row["id"] for row in COVERAGE]


@pytest.mark.parametrize("path", sorted({test.partition("::")[0] for row in COVERAGE for test in row["tests"].split()}))
def test_every_test_that_is_named_exists(path: str) -> None:
    tests = [test.partition("::") for row in COVERAGE for test in row["tests"].split()]
    named = {name for file, _, name in tests if file == path}
    assert set() == named - functions_of(path)
    assert all(name.startswith("test_") for name in named)


def test_a_row_has_tests_or_a_reason() -> None:
    assert [] == [row["id"] for row in COVERAGE if not row["tests"] and not row["note"]]
    assert TESTLESS >= sum(not row["tests"] for row in COVERAGE)


def test_no_test_is_named_twice_in_a_row() -> None:
    assert [] == [row["id"] for row in COVERAGE if len(set(row["tests"].split())) != len(row["tests"].split())]
