"""The builders, against the message vectors."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dicomsim.dimse import builders
from dicomsim.dimse.builders import build, respond
from dicomsim.dimse.messages import Message
from dicomsim.dimse.table import MESSAGE_TYPES
from dicomsim.wire.codes import Priority
from dicomsim.wire.command import encode_command
from tests.dimse import MESSAGES, command_of

CT = "1.2.840.10008.5.1.4.1.1.2"
INSTANCE = "1.2.826.0.1.3680043.9.3811.2.1"
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
COMMITMENT = ("1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1")
MPPS = ("1.2.840.10008.3.1.2.3.3", "1.2.826.0.1.3680043.9.3811.3.1")
FILM_SESSION = "1.2.840.10008.5.1.1.1"


def data_of(name: str) -> bytes | None:
    data_set = MESSAGES[name]["data_set_hex"]
    return None if data_set is None else bytes.fromhex(data_set)


def store_rq() -> Message:
    return builders.c_store_rq(7, 3, CT, INSTANCE, data_of("C-STORE-RQ"))


def find_rq() -> Message:
    return builders.c_find_rq(9, 5, FIND, data_of("C-FIND-RQ"))


def move_rq() -> Message:
    return builders.c_move_rq(10, 7, MOVE, "STORESCP", data_of("C-MOVE-RQ"))


def set_rq() -> Message:
    return builders.n_set_rq(15, 15, *MPPS, data_of("N-SET-RQ"))


def action_rq(action_type_id: int = 1) -> Message:
    return builders.n_action_rq(16, 11, *COMMITMENT, action_type_id, data_of("N-ACTION-RQ"))


def create_rq() -> Message:
    return builders.n_create_rq(18, 17, FILM_SESSION, None)


BUILT: dict[str, Callable[[], Message]] = {
    "C-ECHO-RQ": lambda: builders.c_echo_rq(1, 1),
    "C-ECHO-RSP": lambda: builders.c_echo_rsp(builders.c_echo_rq(1, 1)),
    "C-ECHO-RSP-0122": lambda: builders.c_echo_rsp(builders.c_echo_rq(1, 1), 0x0122),
    "C-STORE-RQ": store_rq,
    "C-STORE-RQ-MOVE": lambda: builders.c_store_rq(
        8,
        3,
        CT,
        INSTANCE,
        data_of("C-STORE-RQ-MOVE"),
        Priority.HIGH,
        move_originator_application_entity_title="MOVESCU",
        move_originator_message_id=77,
    ),
    "C-STORE-RSP": lambda: builders.c_store_rsp(store_rq()),
    "C-STORE-RSP-A700": lambda: builders.c_store_rsp(store_rq(), 0xA700, error_comment="disk full"),
    "C-FIND-RQ": find_rq,
    "C-FIND-RSP-FF00": lambda: builders.c_find_rsp(find_rq(), 0xFF00, data_of("C-FIND-RSP-FF00")),
    "C-FIND-RSP-FF01": lambda: builders.c_find_rsp(find_rq(), 0xFF01, data_of("C-FIND-RSP-FF01")),
    "C-FIND-RSP-0000": lambda: builders.c_find_rsp(find_rq()),
    "C-FIND-RSP-A900": lambda: builders.c_find_rsp(
        find_rq(), 0xA900, offending_element=[0x00080052], error_comment="no level"
    ),
    "C-CANCEL-RQ": lambda: builders.c_cancel_rq(9, 5),
    "C-MOVE-RQ": move_rq,
    "C-MOVE-RSP-FF00": lambda: builders.c_move_rsp(
        move_rq(),
        0xFF00,
        number_of_remaining_suboperations=3,
        number_of_completed_suboperations=1,
        number_of_failed_suboperations=1,
        number_of_warning_suboperations=0,
    ),
    "C-MOVE-RSP-B000": lambda: builders.c_move_rsp(
        move_rq(),
        0xB000,
        data_of("C-MOVE-RSP-B000"),
        number_of_completed_suboperations=3,
        number_of_failed_suboperations=1,
        number_of_warning_suboperations=0,
    ),
    "C-MOVE-RSP-A801": lambda: builders.c_move_rsp(move_rq(), 0xA801, error_comment="unknown AE"),
    "N-EVENT-REPORT-RQ": lambda: builders.n_event_report_rq(12, 11, *COMMITMENT, 1, data_of("N-EVENT-REPORT-RQ")),
    "N-GET-RQ-ALL": lambda: builders.n_get_rq(14, 13, "1.2.840.10008.5.1.1.16", "1.2.840.10008.5.1.1.17"),
    "N-SET-RQ": set_rq,
    "N-SET-RSP": lambda: builders.n_set_rsp(set_rq()),
    "N-SET-RSP-0110": lambda: builders.n_set_rsp(
        set_rq(),
        0x0110,
        error_comment="Performed Procedure Step Object may no longer be updated",
        error_id=0xA710,
    ),
    "N-ACTION-RQ": action_rq,
    "N-ACTION-RSP": lambda: builders.n_action_rsp(action_rq()),
    "N-ACTION-RSP-0123": lambda: builders.n_action_rsp(action_rq(9), 0x0123),
    "N-CREATE-RQ-NOUID": create_rq,
    "N-CREATE-RSP": lambda: builders.n_create_rsp(
        create_rq(), affected_sop_instance_uid="1.2.826.0.1.3680043.9.3811.3.2"
    ),
    "N-CREATE-RSP-0111": lambda: builders.n_create_rsp(builders.n_create_rq(17, 15, *MPPS, b""), 0x0111),
    "N-DELETE-RQ": lambda: builders.n_delete_rq(19, 17, FILM_SESSION, "1.2.826.0.1.3680043.9.3811.3.2"),
}


def test_every_vector_has_a_builder() -> None:
    assert MESSAGES.keys() == BUILT.keys()


@pytest.mark.parametrize("name", BUILT)
def test_a_built_message_is_the_vector(name: str) -> None:
    row = MESSAGES[name]

    message = BUILT[name]()

    assert command_of(row) == message.command
    assert bytes.fromhex(row["command_hex"]) == encode_command(message.command)
    assert row["context_id"] == message.context_id
    assert data_of(name) == message.data
    assert message.name == message.describe().split(",")[0] == MESSAGE_TYPES[message.command_field].name


def test_the_requests_without_a_vector_have_all_that_is_mandatory() -> None:
    get = builders.c_get_rq(3, 5, "1.2.840.10008.5.1.4.1.2.2.3", b"identifier")
    wanted = builders.n_get_rq(4, 13, "1.2.3", "1.2.3.4", [0x00080005, 0x00100010])

    assert {2: "1.2.840.10008.5.1.4.1.2.2.3", 0x100: 0x0010, 0x110: 3, 0x700: 0, 0x800: 1} == get.command
    assert (0x00080005, 0x00100010) == wanted.attribute_identifier_list


@pytest.mark.parametrize(
    ("response", "field"),
    [
        (builders.c_get_rsp, 0x8010),
        (builders.n_get_rsp, 0x8110),
        (builders.n_event_report_rsp, 0x8100),
        (builders.n_delete_rsp, 0x8150),
    ],
)
def test_the_responses_without_a_vector_answer_their_request(
    response: Callable[[Message], Message], field: int
) -> None:
    request = build(field & 0x7FFF, 5, message_id=77, requested_sop_class_uid="1.2", requested_sop_instance_uid="1.2.3")

    answer = response(request)

    assert (5, field, 77, 0) == (
        answer.context_id,
        answer.command_field,
        answer.message_id_being_responded_to,
        answer.status,
    )
    assert "1.2" == answer.affected_sop_class_uid


def test_a_response_takes_the_event_type_of_its_notification() -> None:
    answer = builders.n_event_report_rsp(builders.n_event_report_rq(12, 11, *COMMITMENT, 2))

    assert (*COMMITMENT, 2) == (answer.affected_sop_class_uid, answer.affected_sop_instance_uid, answer.event_type_id)


def test_a_request_that_nobody_knows_can_be_answered() -> None:
    request = build(0x0177, 9, message_id=5, requested_sop_class_uid="1.2.3")

    answer = respond(request, 0x0211)

    assert {2: "1.2.3", 0x100: 0x8177, 0x120: 5, 0x800: 0x0101, 0x900: 0x0211} == answer.command
    assert 9 == answer.context_id


def test_a_request_can_be_answered_as_another_service() -> None:
    assert "C-FIND-RSP" == builders.c_find_rsp(store_rq()).name


def test_any_element_can_be_left_out_or_set_wrongly() -> None:
    message = builders.c_echo_rq(1, 1, message_id_being_responded_to=9, affected_sop_class_uid="x")
    nameless = build("C-ECHO-RQ", 1, command_field=None, command_data_set_type=0x0102)

    assert ("x", 9) == (message.affected_sop_class_uid, message.message_id_being_responded_to)
    assert {0x800: 0x0102} == nameless.command


def test_an_element_that_does_not_exist_is_a_programming_error() -> None:
    with pytest.raises(TypeError, match="no command element is called messageid"):
        builders.c_echo_rq(1, 1, messageid=2)
