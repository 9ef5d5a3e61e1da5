from __future__ import annotations

import pytest

from dicomsim.errors import WireError, WireFault
from dicomsim.upper_layer.actions import ACTIONS, CHOICES, OTHERWISE, PDU_EVENTS, Artim, Occasion, abort_reason
from dicomsim.upper_layer.table import TRANSITIONS, Action, Event, State
from dicomsim.wire.codes import ABORT_REASONS
from dicomsim.wire.pdu import AssociateRJ
from tests.oracle import document, table

ROWS = {Action(row["action"]): row for row in table("upper_layer_actions")}


def test_every_action_of_the_standard_has_its_row_in_its_order() -> None:
    assert list(ACTIONS) == list(ROWS)


@pytest.mark.parametrize("action", ROWS, ids=lambda action: action.value)
def test_a_row_does_what_the_oracle_says_and_nothing_else(action: Action) -> None:
    row, step = ROWS[action], ACTIONS[action]
    words = {None: "", Artim.START: "start", Artim.STOP: "stop"}
    streamed = ("P-DATA-TF", "P-DATA indication")
    assert (step.send is not None) == (action is not Action.AE_6 and row["pdu_sent"] not in ("", *streamed))
    assert (step.tell is not None) == (row["primitive_issued_to_local_user"] not in ("", *streamed))
    assert row["artim"].replace(";", "").partition(" ")[0] == words[step.artim]
    assert (step.transport is not None) == (row["transport"] in ("close", "connect (active open)"))


def test_the_actions_with_a_choice_are_those_with_two_next_states() -> None:
    cells = (cell for cells in TRANSITIONS.values() for cell in cells.values())
    assert {action for action, after in cells if isinstance(after, tuple)} == set(CHOICES)
    assert set(OTHERWISE) <= set(CHOICES)


def test_a_request_that_the_provider_cannot_serve_is_rejected_with_artim() -> None:
    step = OTHERWISE[Action.AE_6]
    assert step.send is not None
    assert step.send(Occasion(Event.EVT6, State.STA2)) == AssociateRJ(1, 2, 2)
    assert (step.artim, step.tell, step.transport) == (Artim.START, None, None)


def test_pdus_and_their_events_are_those_of_the_standard() -> None:
    rows = {int(row["pdu_type_hex"], 16): row["event"] for row in table("upper_layer_events") if row["pdu_type_hex"]}
    assert {pdu_type: event.value for pdu_type, event in PDU_EVENTS.items()} == rows


@pytest.mark.parametrize("kind", WireFault)
def test_the_reason_for_an_invalid_pdu_is_its_kind_of_fault(kind: WireFault) -> None:
    error = WireError(0, "PDU", "bad", kind)
    assert abort_reason(Occasion(Event.EVT19, State.STA6, None, error)) == kind


@pytest.mark.parametrize("event", PDU_EVENTS.values(), ids=lambda event: event.value)
def test_the_reason_for_a_pdu_out_of_place_is_unexpected_pdu(event: Event) -> None:
    assert abort_reason(Occasion(event, State.STA3)) == 2


def test_no_reason_is_specified_for_anything_else() -> None:
    assert abort_reason(Occasion(Event.EVT17, State.STA6)) == 0
    assert abort_reason(Occasion(Event.EVT19, State.STA6)) == 0


def test_every_reason_is_one_of_the_standard() -> None:
    allowed = {
        int(reason)
        for reason, name in document("reject_abort")["a_abort"]["reason_if_source_2"].items()
        if name != "reserved"
    }
    assert {int(kind) for kind in WireFault} | {0, 2} == allowed == set(ABORT_REASONS)
