from __future__ import annotations

import pytest

from dicomsim.upper_layer.table import TRANSITIONS, Action, Event, State
from tests.oracle import table

ROWS = table("upper_layer_fsm")


def test_the_oracle_has_all_247_cells() -> None:
    assert len(ROWS) == 19 * 13 == len(Event) * len(State)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['event']}-{row['state']}")
def test_every_cell_is_that_of_the_standard(row: dict[str, str]) -> None:
    cell = TRANSITIONS[Event(row["event"])].get(State(row["state"]))
    if row["defined"] == "no":
        assert cell is None
    else:
        assert cell is not None
        action, after = cell
        states = after if isinstance(after, tuple) else (after,)
        assert (action.value, "|".join(state.value for state in states)) == (row["action"], row["next_state"])


def test_123_cells_are_defined() -> None:
    assert sum(map(len, TRANSITIONS.values())) == 123


def test_events_states_and_actions_stand_in_the_order_of_the_standard() -> None:
    assert [event.value for event in Event] == [row["event"] for row in table("upper_layer_events")]
    assert [state.value for state in State] == [row["state"] for row in table("upper_layer_states")]
    assert [action.value for action in Action] == [row["action"] for row in table("upper_layer_actions")]
    assert list(TRANSITIONS) == list(Event)
    order = list(State)
    for cells in TRANSITIONS.values():
        assert list(cells) == sorted(cells, key=order.index)
