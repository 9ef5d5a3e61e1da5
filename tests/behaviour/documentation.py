"""The tables of docs/behaviour.md from those of the code; `python -m tests.behaviour.documentation` writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from dicomsim.behaviour import ACTIONS, PROFILES, TRIGGERS
from dicomsim.behaviour.action import Action
from dicomsim.behaviour.kinds import ABORT_NAMES, REJECTION_NAMES
from dicomsim.behaviour.occasion import Layer
from dicomsim.behaviour.text import write_value
from dicomsim.behaviour.vocabulary import REST

PAGE = Path(__file__).parents[2] / "docs" / "behaviour.md"
SECTION = re.compile(r"(<!-- (\w+): written by [^>]*-->\n)(.*?)(<!-- end -->)", re.DOTALL)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _hops(layers: Iterable[Layer]) -> str:
    found = [layer.value for layer in layers]
    return "all" if len(found) == len(Layer) else ", ".join(found)


def triggers() -> str:
    rows = ((f"`{each.name}`", each.help, each.kind.form, _hops(each.layers)) for each in TRIGGERS.values())
    return _table(("trigger", "holds if", "value", "hops"), rows)


def rest() -> str:
    return _table(("key", "says", "value"), ((f"`{name}`", says, kind.form) for name, (kind, _, says) in REST.items()))


def _parameters(action: Action) -> str:
    cells = []
    for each in action.parameters:
        default = "" if each.default is None else f"; usually {write_value(each.default)}"
        cells.append(f"`{each.name}`: {each.help} ({each.kind.form}{default})")
    if action.free is not None:
        cells.append(f"{action.free.form}: {action.free.help}")
    return "<br>".join(cells)


def actions() -> str:
    rows = ((f"`{each.name}`", each.help, _parameters(each), _hops(each.layers)) for each in ACTIONS.values())
    return _table(("action", "what it does", "parameters", "hops"), rows)


def codes() -> str:
    rows = [("`reject`", f"`{name}`", f"{value}") for name, value in REJECTION_NAMES.items()]
    rows += [("`abort`", f"`{name}`", f"{value}") for name, value in ABORT_NAMES.items()]
    return _table(("action", "name", "codes"), rows)


def profiles() -> str:
    rows = (
        (f"`{name}`", each.help, each.origin, "<br>".join(f"`{rule}`" for rule in each.rules))
        for name, each in PROFILES.items()
    )
    return _table(("profile", "such a peer", "seen", "rules"), rows)


SECTIONS: Mapping[str, Callable[[], str]] = {
    "triggers": triggers,
    "rest": rest,
    "actions": actions,
    "codes": codes,
    "profiles": profiles,
}


def written(page: str) -> str:
    """The page with its tables as they should be."""
    return SECTION.sub(lambda match: match[1] + SECTIONS[match[2]]() + match[4], page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
