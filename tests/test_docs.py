"""What the pages tell people to type and to write is understood, and their links lead somewhere."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from importlib import import_module
from pathlib import Path

import click
import pytest

from dicomsim import AE
from dicomsim.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "scenarios" / "README.md"]
PAGES = [page for page in PAGES if page.is_file()]
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)")
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"^(?: {4}|\$ )?(dicomsim .*)$", re.MULTILINE)


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _commands() -> list[tuple[str, str]]:
    found = [(_name(page), typed) for page in PAGES for typed in TYPED.findall(page.read_text())]
    return [(page, typed) for page, typed in found if re.fullmatch(r"dicomsim +[a-z]+( .*)?", typed)]


def _examples() -> list[tuple[str, str]]:
    return [(_name(page), code) for page in PAGES for code in BLOCK.findall(page.read_text())]


def _anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {"#" + re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_to_files_and_titles(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text()):
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), f"{_name(page)}: {target}"
        assert not anchor or anchor in _anchors(there), f"{_name(page)}: {target}{anchor}"


@pytest.mark.parametrize(("page", "typed"), _commands())
def test_what_is_to_be_typed_is_understood(page: str, typed: str) -> None:
    _, name, *words = shlex.split(typed, comments=True)
    assert name in COMMANDS
    command = import_module(f"dicomsim.cli.{name}").command
    assert isinstance(command, click.Command)
    _parse(command, words)


def _parse(command: click.Command, words: list[str]) -> None:
    """Sort words into options and arguments, and leave it at that: the files of an example need not exist here."""
    command.make_parser(click.Context(command)).parse_args(words)


def test_an_option_that_does_not_exist_would_be_noticed() -> None:
    with pytest.raises(click.NoSuchOption):
        _parse(import_module("dicomsim.cli.echo").command, ["--tiemout", "5", "127.0.0.1:104"])


def test_there_is_an_example_of_every_command_people_begin_with() -> None:
    names = {typed.split()[1] for page, typed in _commands() if page == "README.md"}
    assert {"echo", "store", "serve", "run", "decode", "replay"} <= names


@pytest.mark.parametrize(("page", "code"), _examples())
def test_examples_in_python_are_python(page: str, code: str) -> None:
    ast.parse(code, filename=page)


def test_the_architecture_tells_of_the_layers_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    checked = [set(re.findall(r"\w+", layer)) for layer in contracts[0]["layers"]]
    table = re.findall(r"^\| [^|]+ \| (`[^|]+) \|", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE)
    rows = [set(re.findall(r"`(\w+)`", row)) for row in table]
    told = [[place for place, row in enumerate(rows) if layer & row] for layer in checked if layer != {"testing"}]
    assert [1] * len(told) == [len(places) for places in told], "each layer stands in one row"
    assert sorted(told) == told, "the rows are in the order of the layers"
    assert set().union(*checked) - {"testing"} == set().union(*rows)


def test_the_first_example_in_python_works(capsys: pytest.CaptureFixture[str]) -> None:
    ae = AE("ARCHIVE")
    ae.add_supported_context("1.2.840.10008.1.1")
    page, code = _examples()[0]
    assert "README.md" == page
    with ae.start_server(("127.0.0.1", 0)) as server:
        exec(compile(code.replace("11112", str(server.address[1])), page, "exec"), {})  # noqa: S102 - our own page
    out = capsys.readouterr().out
    assert "C-ECHO-RSP" in out
    assert "released by requestor" in out
