"""docs/behaviour.md: its tables are those of the code, and its examples are rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dicomsim.behaviour import load_rules, parse_rule
from tests.behaviour.documentation import PAGE, SECTION, SECTIONS, written

TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
LINES = [line for kind, block in BLOCKS if not kind for line in block.splitlines()]
INLINE = [code.replace(r"\|", "|") for code in re.findall(r"`(on [^`]+: [^`]+)`", TEXT)]


def test_the_tables_are_those_of_the_code() -> None:
    assert written(TEXT) == TEXT, "python -m tests.behaviour.documentation writes them anew"
    assert set(SECTIONS) == {match[2] for match in SECTION.finditer(TEXT)}


@pytest.mark.parametrize("line", [*LINES, *INLINE])
def test_an_example_is_a_rule(line: str) -> None:
    assert parse_rule(line).steps or parse_rule(line).answers


def test_the_example_of_a_file_can_be_loaded(tmp_path: Path) -> None:
    (block,) = (block for kind, block in BLOCKS if kind == "yaml")
    (tmp_path / "rules.yaml").write_text(block, encoding="utf-8")

    assert [None, "disk-full", None, "store-hang"] == [rule.name for rule in load_rules(tmp_path / "rules.yaml")]


def test_the_example_in_python_is_python() -> None:
    (block,) = (block for kind, block in BLOCKS if kind == "python")

    compile(block, "docs/behaviour.md", "exec")


def test_there_are_examples() -> None:
    assert len(LINES) > 5
    assert len(INLINE) > 30
