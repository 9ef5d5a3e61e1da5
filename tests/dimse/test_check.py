"""The judge of messages."""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim.dimse import builders
from dicomsim.dimse.builders import build
from dicomsim.dimse.check import check
from dicomsim.dimse.messages import Message
from dicomsim.wire.command import TAGS, Value
from tests.dimse import MESSAGES, command_of
from tests.oracle import document

DATA = b"\x08\x00\x05\x00\x00\x00\x00\x00"
STORE = builders.c_store_rq(7, 3, "1.2.3", "1.2.3.4", DATA)
FIND = builders.c_find_rq(9, 5, "1.2.3", DATA)
CREATE = builders.n_create_rq(1, 1, "1.2.3", None)
ACTION = builders.n_action_rq(1, 1, "1.2.3", "1.2.3.4", 1)
COUNTERS: dict[str, Any] = {f"number_of_{kind}_suboperations": 1 for kind in ("completed", "failed", "warning")}


def changed(message: Message, **elements: Value) -> Message:
    command = message.command | {TAGS[keyword]: value for keyword, value in elements.items()}
    return Message(message.context_id, command, message.data)


def reasons(message: Message, request: Message | None = None) -> list[str]:
    return [
        f"{fault.tag:04X} {fault.reason}" if fault.tag is not None else fault.reason
        for fault in check(message, request)
    ]


@pytest.mark.parametrize("row", MESSAGES.values(), ids=MESSAGES.keys())
def test_the_vectors_have_no_fault(row: dict[str, Any]) -> None:
    data = None if row["data_set_hex"] is None else bytes.fromhex(row["data_set_hex"])

    assert [] == check(Message(int(row["context_id"]), command_of(row), data))


@pytest.mark.parametrize(
    "element",
    [
        (message["message"], element)
        for service in document("dimse_commands")["services"]
        for message in (service["request"], service["response"])
        for element in message["elements"]
        if element["usage"] == "M" and element["keyword"] not in ("CommandGroupLength", "CommandField")
    ],
    ids=lambda element: f"{element[0]}-{element[1]['keyword']}",
)
def test_each_mandatory_element_is_missed(element: tuple[str, dict[str, str]]) -> None:
    name, row = element
    tag = int(row["tag"], 16)
    everything: dict[int, Value] = {
        TAGS[other["keyword"]]: "1.2" if other["vr"] in ("UI", "AE") else 0
        for service in document("dimse_commands")["services"]
        for message in (service["request"], service["response"])
        if message["message"] == name
        for other in message["elements"]
        if other["usage"] == "M"
    }
    message = build(name, 1)
    message.command = everything | {TAGS["CommandField"]: message.command_field}
    del message.command[tag]

    assert tag in [fault.tag for fault in check(message)]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (build(0x1234, 1), ["0100 1234H is no command"]),
        (builders.c_echo_rq(1, 1, affected_sop_class_uid=""), ["0002 required and empty"]),
        (builders.c_echo_rq(1, 1, priority=0), ["0700 not an element of C-ECHO-RQ"]),
        (builders.c_echo_rq(1, 1, dialog_receiver="retired"), []),
        (builders.c_store_rq(1, 1, "1.2", "1.2.3", DATA, 3), ["0700 0003H is no priority"]),
        (builders.c_store_rq(1, 1, "1.02", "1.2.3", DATA), ["0002 '1.02' is no UID"]),
        (builders.c_store_rq(1, 1, "1." * 33 + "1", "1.2.3", DATA), ["0002 67 characters, at most 64 are allowed"]),
        (builders.c_store_rq(1, 1, "1.2", "1.2.3", None), ["C-STORE-RQ needs a data set"]),
        (changed(FIND, AttributeIdentifierList=5), ["1005 not an element of C-FIND-RQ", "1005 no list of tags"]),
        (builders.c_move_rq(1, 1, "1.2", "A\\B", DATA), ["0600 'A\\\\B' has characters that AE does not allow"]),
        (builders.c_move_rq(1, 1, "1.2", "A" * 17, DATA), ["0600 17 characters, at most 16 are allowed"]),
        (changed(FIND, MessageID=(1, 2)), ["0110 not one number"]),
        (changed(FIND, AffectedSOPClassUID=b"1.2"), ["0002 no text"]),
        (builders.c_echo_rq(1, 1, command_data_set_type=1), ["C-ECHO-RQ takes no data set"]),
    ],
)
def test_a_request_is_judged(message: Message, expected: list[str]) -> None:
    assert expected == reasons(message)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (builders.c_store_rsp(STORE, 0xA700, error_comment="full", message_id=3), []),
        (builders.c_store_rsp(STORE, 0x0001), []),
        (builders.c_store_rsp(STORE, 0x1234), ["0900 1234H is in no class of status"]),
        (build("C-STORE-RSP", 3, message_id_being_responded_to=7), ["0900 required and absent"]),
        (builders.c_store_rsp(STORE, error_comment="x" * 65), ["0902 65 characters, at most 64 are allowed"]),
        (builders.c_find_rsp(FIND, 0xFF00), ["C-FIND-RSP needs a data set with Pending"]),
        (builders.c_find_rsp(FIND, 0, DATA), ["C-FIND-RSP takes no data set with Success"]),
        (builders.c_get_rsp(FIND, 0xFF00, number_of_remaining_suboperations=1, **COUNTERS), []),
        (builders.c_get_rsp(FIND, 0xFF00, **COUNTERS), ["1020 required and absent"]),
        (builders.c_get_rsp(FIND, 0xFE00, number_of_remaining_suboperations=1, **COUNTERS), []),
        (
            builders.c_get_rsp(FIND, 0xB000, number_of_remaining_suboperations=1),
            ["1020 must not be there with Warning"],
        ),
        (builders.n_get_rsp(ACTION, 0), ["N-GET-RSP needs a data set with Success"]),
        (builders.n_get_rsp(ACTION, 0x0112), []),
        (builders.n_action_rsp(ACTION, 0, DATA), []),
        (builders.n_action_rsp(ACTION, 0x0110, DATA), ["N-ACTION-RSP takes no data set with Failure"]),
        (builders.n_action_rsp(ACTION, 0x0115, DATA), []),
        (builders.n_action_rsp(ACTION, 0, DATA, action_type_id=None), ["1008 required and absent"]),
    ],
)
def test_a_response_is_judged_by_its_status(message: Message, expected: list[str]) -> None:
    assert expected == reasons(message)


def test_an_element_of_another_group_does_not_belong_into_a_command_set() -> None:
    message = builders.c_echo_rq(1, 1)
    message.command |= {0x00080016: b"1.2", 0x00000999: b""}

    faults = list(map(str, check(message)))

    assert [
        "(0008,0016): only group 0000 belongs into a command set (PS3.7 §6.3.1)",
        "(0000,0999): no command element (PS3.7 §E.1)",
    ] == faults


def test_a_data_set_that_is_not_announced_is_a_fault() -> None:
    message = builders.n_create_rq(1, 1, "1.2", None, DATA, command_data_set_type=0x0101)

    assert ["there is a data set that the Command Data Set Type does not announce"] == reasons(message)


def test_a_response_fits_its_request() -> None:
    assert [] == check(builders.c_store_rsp(STORE), STORE)


def test_a_response_is_judged_by_its_request() -> None:
    response = builders.c_find_rsp(STORE, message_id_being_responded_to=8, affected_sop_class_uid="1.9")
    response.context_id = 5

    assert [
        "0100 C-FIND-RSP does not answer C-STORE-RQ",
        "0120 the request has the id 7",
        "on presentation context 5, the request is on 3",
        "0002 the request has '1.2.3'",
    ] == reasons(response, STORE)


def test_a_created_instance_has_to_be_named_if_the_request_did_not() -> None:
    named = builders.n_create_rq(1, 1, "1.2.3", "1.2.3.4")

    assert ["1000 required and absent"] == reasons(builders.n_create_rsp(CREATE), CREATE)
    assert [] == reasons(builders.n_create_rsp(CREATE, 0x0110), CREATE)
    assert [] == reasons(builders.n_create_rsp(named, affected_sop_instance_uid=None), named)
