"""Habits of the tree that no linter knows: a test file a module, short modules, speaking names, nothing that sleeps."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "dicomsim"
TESTS = ROOT / "tests"
LONGEST_MODULE = 450
LONGEST_PACKAGE_DOCSTRING = 20
SAYS_NOTHING = re.compile(r"utils?|helpers?|commons?|misc|tools?box", re.IGNORECASE)
SLEEPERS = {"sleep", "time"}

WITHOUT_TEST_FILE: dict[str, str] = {
    "capture/packet.py": "plain values; the tests of the file formats exercise them",
    "errors.py": "plain exception classes",
    "events.py": "plain values",
    "engine/hops.py": "an interface and its values; the behaviour tests exercise it",
}
"""Modules that need no test file of their own, each with its reason. The list only ever gets shorter."""


def _modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _test_files(module: Path) -> list[Path]:
    # A module with much to test may have several files: test_machine.py, test_machine_artim.py.
    folder = TESTS / module.relative_to(PACKAGE).parent
    return [*folder.glob(f"test_{module.stem}.py"), *folder.glob(f"test_{module.stem}_*.py")]


MODULES = _modules(PACKAGE)
PLAIN_MODULES = [path for path in MODULES if path.name != "__init__.py"]
SOURCES = [*MODULES, *_modules(TESTS)]


def test_every_module_has_its_test_file() -> None:
    exempt = {PACKAGE / name for name in WITHOUT_TEST_FILE}
    lacking = [_name(module) for module in PLAIN_MODULES if not _test_files(module) and module not in exempt]
    assert [] == lacking, "no test file for " + ", ".join(lacking)


def test_an_exemption_is_taken_off_when_the_module_has_a_test_file_or_is_gone() -> None:
    modules = [PACKAGE / name for name in WITHOUT_TEST_FILE]
    assert [] == [_name(module) for module in modules if _test_files(module) or not module.is_file()]


def test_no_module_is_long() -> None:
    lengths = {_name(source): len(source.read_text().splitlines()) for source in SOURCES}
    assert {} == {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE}


def test_no_name_says_nothing() -> None:
    folders = {parent for source in SOURCES for parent in source.parents if parent.is_relative_to(ROOT)}
    names = {path.stem.removeprefix("test_") for path in (*SOURCES, *folders)}
    assert [] == sorted(name for name in names if any(SAYS_NOTHING.fullmatch(word) for word in name.split("_")))


def _sleepers(tree: ast.AST) -> list[int]:
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="time"), attr=name) if name in SLEEPERS:
                found.append(node.lineno)
            case ast.ImportFrom(module="time", names=names) if SLEEPERS & {alias.name for alias in names}:
                found.append(node.lineno)
    return found


def test_nothing_sleeps_and_nothing_asks_the_wall_clock() -> None:
    lines = {_name(source): _sleepers(ast.parse(source.read_text())) for source in SOURCES}
    assert {} == {name: found for name, found in lines.items() if found}


@pytest.mark.parametrize(
    "text", ["import time\ntime.sleep(1)", "from time import sleep", "import time\nnow = time.time()"]
)
def test_a_sleeper_would_be_noticed(text: str) -> None:
    assert _sleepers(ast.parse(text))


def test_clocks_that_are_allowed_are_not_taken_for_sleepers() -> None:
    assert [] == _sleepers(ast.parse("import time\ntime.monotonic()\ntime.time_ns()"))


def test_a_package_says_briefly_what_it_holds() -> None:
    packages = [module for module in MODULES if module.name == "__init__.py"]
    lengths = {
        _name(path): len((ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()) for path in packages
    }
    assert {} == {name: lines for name, lines in lengths.items() if not 1 <= lines <= LONGEST_PACKAGE_DOCSTRING}


@pytest.mark.parametrize(("folder", "allowed"), [("dicomsim/engine", {"socket"}), ("tests", {"socket"})])
def test_nested_linter_settings_lift_one_ban_only(folder: str, allowed: set[str]) -> None:
    # A nested table replaces the one of pyproject.toml, so it has to repeat what stays banned.
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    nested = tomllib.loads((ROOT / folder / "ruff.toml").read_text())["lint"]
    banned = (set(table["flake8-tidy-imports"]["banned-api"]) for table in (whole, nested))
    assert allowed == set.difference(*banned)
