"""Where an action puts its steps, and what bytes it works on."""

from __future__ import annotations

import pytest

from dicomsim.behaviour.action import AFTER, BEFORE, INSTEAD, Action, on_bytes, placed, without_passing
from dicomsim.behaviour.vocabulary import ACTIONS
from dicomsim.dimse.builders import c_echo_rq
from dicomsim.engine.hops import Close, Pass, PassMessage, Raw, Step, Wait

ECHO = PassMessage(c_echo_rq(1, 1))


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (BEFORE, [Close(), Wait(1), Pass(b"x"), ECHO, Raw(b"y")]),
        (AFTER, [Wait(1), Pass(b"x"), ECHO, Raw(b"y"), Close()]),
        (INSTEAD, [Wait(1), Raw(b"y"), Close()]),
    ],
)
def test_steps_are_added_before_after_or_instead_of_what_passes(place: str, expected: list[Step]) -> None:
    assert expected == placed([Wait(1), Pass(b"x"), ECHO, Raw(b"y")], [Close()], place)


def test_what_passes_is_bytes_and_messages() -> None:
    assert [Wait(1), Raw(b"y")] == without_passing([Wait(1), Pass(b"x"), ECHO, Raw(b"y")])


def test_bytes_that_pass_are_changed_and_no_others() -> None:
    assert [Pass(b"xx"), Raw(b"y"), ECHO] == on_bytes([Pass(b"x"), Raw(b"y"), ECHO], lambda data: data * 2)


def test_the_first_parameter_may_go_without_its_name_unless_the_action_says_otherwise() -> None:
    mains = {name: action.main.name if action.main else None for name, action in ACTIONS.items()}

    assert ("codes", "seconds", None, None) == (mains["reject"], mains["delay"], mains["set"], mains["drop"])


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.name)
def test_a_default_is_in_its_canonical_form(action: Action) -> None:
    defaults = {each.name: each.default for each in action.parameters if each.default is not None}
    read = {each.name: each.kind.read(each.default) for each in action.parameters if each.default is not None}

    assert defaults == read
    assert not any(each.required and each.default is not None for each in action.parameters)
