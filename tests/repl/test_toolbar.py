from __future__ import annotations

import pytest

from dicomsim.repl.status import STATES, Status
from dicomsim.repl.toolbar import STYLE, toolbar
from dicomsim.upper_layer.table import State

FULL = Status(
    state="Sta6", peer="SCP@h:1", accepted=2, proposed=3, outstanding=1, serving="US@h:2", served=4,
    recording="/some/where/x.pcapng", traced=("message",), rules=2, rules_on=1,
)  # fmt: skip


def text(status: Status, width: int = 200) -> str:
    return "".join(fragment for _, fragment in toolbar(status, width))


def test_an_idle_prompt_says_only_that() -> None:
    assert " Sta1 idle" == text(Status())


def test_everything_that_is_going_on_is_told() -> None:
    pieces = ["Sta6 open", "SCP@h:1", "1 outstanding", "rules 1/2", "rec x.pcapng"]
    pieces += ["serve US@h:2 (4)", "contexts 2/3", "trace message"]
    assert " " + " │ ".join(pieces) == text(FULL)


@pytest.mark.parametrize("width", range(1, 120))
def test_it_fits_in_any_width(width: int) -> None:
    shown = text(FULL, width)
    assert len(shown) <= max(width, 2)


def test_what_is_less_important_gives_way_first() -> None:
    assert " Sta6 open │ SCP@h:1" == text(FULL, 24)


def test_every_state_has_words() -> None:
    assert [state.value for state in State] == list(STATES)


@pytest.mark.parametrize("state", STATES)
def test_every_style_is_defined(state: str) -> None:
    styles = {style.removeprefix("class:") for style, _ in toolbar(Status(state=state, rules=1, rules_on=1), 200)}
    assert styles <= set(STYLE)
