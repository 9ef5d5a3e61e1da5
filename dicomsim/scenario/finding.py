"""Which scenario files a person means: a file, a folder, or an id (or its beginning) of those that are shipped."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from dicomsim import resources
from dicomsim.errors import DicomsimError, ExitCode
from dicomsim.scenario.source import MAX_SIZE

SUFFIXES: Final = (".yaml", ".yml")
SCENARIO_KEYS: Final = frozenset(("id", "requirement", "clause", "level", "role", "steps", "actors"))
"""Keys at the beginning of a line by which a scenario is known."""
FEWEST_KEYS: Final = 4
"""How many of them a file has at least: one or two may be misspelt."""

_KEY = re.compile(r"^([a-z]+):", re.MULTILINE)


class NoScenarioError(DicomsimError):
    """There is no such scenario."""

    exit_code = ExitCode.USAGE


def is_scenario(path: Path) -> bool:
    """Whether a file looks like a scenario, even one with mistakes."""
    if path.suffix not in SUFFIXES or not os.path.isfile(path):  # opening a pipe waits for whoever fills it
        return False
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_SIZE)
    except (OSError, UnicodeDecodeError):
        return False
    return len(SCENARIO_KEYS.intersection(_KEY.findall(text))) >= FEWEST_KEYS


def usual_root() -> Path:
    """The folder that is meant when none is named: `scenarios` here, else the shipped ones."""
    here = Path("scenarios")
    return here if here.is_dir() else resources.scenarios()


def find_scenarios(names: Iterable[str]) -> list[Path]:
    """The files of paths and ids, each once, in the order of the names and then of the ids.

    Raises:
        NoScenarioError: a name is neither a path nor an id, or there is nothing in it.
    """
    found: dict[Path, None] = {}
    for name in list(names) or [str(usual_root())]:
        found |= dict.fromkeys(_files(name))
    return list(found)


def _files(name: str) -> list[Path]:
    path = Path(name)
    roots = [path, *(root / name for root in (usual_root(), resources.scenarios()))]
    for place in roots:
        if os.path.isfile(place):  # and not `Path.is_file`, which raises for names that are too long
            return [place]
        if os.path.isfile(f"{place}.yaml"):
            return [Path(f"{place}.yaml")]
        if os.path.isdir(place):
            files = sorted(each for each in place.rglob("*") if is_scenario(each))
            if files:
                return files
            raise NoScenarioError(f"{place}: there is no scenario in it")
    if found := _beginning_with(name):
        return found
    near = get_close_matches(name, _ids(), 1)
    hint = f", did you mean {near[0]}?" if near else "; `dicomsim list` shows those that are shipped"
    raise NoScenarioError(f"{name}: neither a file or folder nor the id of a scenario{hint}")


def _beginning_with(name: str) -> list[Path]:
    """The scenarios whose ids begin with this, up to the end of a word: there is no folder `ps3.8/9.3`."""
    for root in (usual_root(), resources.scenarios()):
        named = ((each, each.relative_to(root).as_posix()) for each in root.rglob("*.yaml"))
        files = (each for each, text in named if name and text.startswith(name) and not text[len(name)].isalnum())
        found = sorted(each for each in files if is_scenario(each))
        if found:
            return found
    return []


def _ids() -> list[str]:
    root = resources.scenarios()
    ids = {each.relative_to(root).with_suffix("").as_posix() for each in root.rglob("*.yaml") if is_scenario(each)}
    return sorted(ids | {parent.as_posix() for each in ids for parent in Path(each).parents})
