"""What `pip install` brings: the command, the plug-in, the shared folders, and nothing heavy at start."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import dicomsim

ROOT = Path(__file__).resolve().parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
HEAVY = {"asyncio", "pydantic", "pydicom", "prompt_toolkit", "pytest", "rich", "ruamel", "scapy"}
LIGHT = [name for name in ("dicomsim", "dicomsim.cli", "dicomsim.ae", "dicomsim.association") if find_spec(name)]


def _python(code: str, *path: Path) -> str:
    command = [sys.executable, "-c", code]
    environment = {"PYTHONPATH": ":".join(map(str, path)), "PATH": ""}
    return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=True).stdout


def test_the_command_is_where_the_entry_point_says() -> None:
    module, _, function = PROJECT["scripts"]["dicomsim"].partition(":")
    assert "True\n" == _python(f"from {module} import {function}; print(callable({function}))", ROOT)


def test_the_pytest_plugin_is_named_once_it_exists() -> None:
    plugin = "dicomsim.scenario.pytest_plugin"
    exists = (ROOT / "dicomsim" / "scenario" / "pytest_plugin.py").is_file()
    expected = {plugin: plugin} if exists else {}
    assert expected == PROJECT.get("entry-points", {}).get("pytest11", {})


@pytest.mark.parametrize("requirement", PROJECT["dependencies"])
def test_every_dependency_has_a_lower_bound_and_no_upper_one(requirement: str) -> None:
    assert ">=" in requirement and not {"<", "==", "~="} & set(requirement.replace(">=", " "))


@pytest.mark.slow
@pytest.mark.parametrize("module", LIGHT)
def test_nothing_heavy_is_imported_before_it_is_needed(module: str) -> None:
    loaded = _python(f"import {module}, sys; print(*sorted(sys.modules))", ROOT, *map(Path, sys.path[1:])).split()
    assert [] == sorted(HEAVY & {name.partition(".")[0] for name in loaded})


@pytest.mark.slow
def test_an_installed_wheel_has_its_scenarios_captures_and_types(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
    assert 0 == done.returncode, done.stdout + done.stderr
    (wheel,) = tmp_path.glob(f"dicomsim-{dicomsim.__version__}-*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    code = "from dicomsim import resources; print(resources.scenarios(), resources.captures(), sep='\\n')"
    folders = [Path(line) for line in _python(code, installed).splitlines()]
    for folder, source in zip(folders, (ROOT / "scenarios", ROOT / "captures"), strict=True):
        assert folder.is_relative_to(installed)
        assert _files(source) == _files(folder)
    assert (installed / "dicomsim" / "py.typed").is_file()
    assert not list(installed.rglob("ruff.toml"))


def _files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
