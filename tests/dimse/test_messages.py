"""What a message tells about itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomsim.dimse.builders import build, c_cancel_rq, c_find_rsp, c_move_rq, c_store_rq, c_store_rsp, n_action_rq
from dicomsim.dimse.data import DataSource, FileSlice
from dicomsim.dimse.messages import CommandElement, Message

STORE = c_store_rq(7, 3, "1.2.3", "1.2.3.4", b"data")


def test_a_request_a_response_and_a_cancel_are_told_apart() -> None:
    kinds = [(m.is_request, m.is_response, m.is_cancel) for m in (STORE, c_store_rsp(STORE), c_cancel_rq(7, 3))]

    assert [(True, False, False), (False, True, False), (False, False, True)] == kinds


def test_elements_are_attributes() -> None:
    assert (7, 3, "1.2.3", "1.2.3.4", 0) == (
        STORE.message_id,
        STORE.context_id,
        STORE.affected_sop_class_uid,
        STORE.affected_sop_instance_uid,
        STORE.priority,
    )
    assert STORE.status is None
    assert STORE.requested_sop_class_uid is None


def test_an_element_of_the_wrong_kind_is_no_attribute_but_still_in_the_command() -> None:
    message = build("C-ECHO-RQ", 1, message_id=(1, 2), affected_sop_class_uid=b"\xff")

    assert message.message_id is None
    assert message.affected_sop_class_uid is None
    assert (1, 2) == message.command[0x110]


def test_an_attribute_of_the_class_names_its_tag() -> None:
    element = Message.event_type_id

    assert isinstance(element, CommandElement)
    assert 0x1002 == element.tag


def test_the_sop_class_and_instance_are_the_affected_or_the_requested_ones() -> None:
    action = n_action_rq(1, 1, "1.2", "1.2.3", 4)

    assert ("1.2.3", "1.2.3.4") == (STORE.sop_class_uid, STORE.sop_instance_uid)
    assert ("1.2", "1.2.3") == (action.sop_class_uid, action.sop_instance_uid)


@pytest.mark.parametrize(
    ("name", "status", "pending"),
    [
        ("C-FIND-RSP", 0xFF00, True),
        ("C-FIND-RSP", 0xFF01, True),
        ("C-MOVE-RSP", 0xFF00, True),
        ("C-GET-RSP", 0xFF00, True),
        ("C-FIND-RSP", 0x0000, False),
        ("C-FIND-RSP", 0xFE00, False),
        ("C-STORE-RSP", 0xFF00, False),
        ("C-FIND-RQ", 0xFF00, False),
    ],
)
def test_pending_counts_only_in_responses_of_services_that_know_it(name: str, status: int, pending: bool) -> None:
    assert pending is build(name, 1, status=status).is_pending


@pytest.mark.parametrize(("data_set_type", "announced"), [(0x0101, False), (0, True), (1, True), (0xFFFF, True)])
def test_any_command_data_set_type_but_0101_announces_a_data_set(data_set_type: int, announced: bool) -> None:
    assert announced is build("C-ECHO-RQ", 1, command_data_set_type=data_set_type).has_data_set


def test_a_message_without_command_field_has_no_name() -> None:
    assert "command 0000H" == build("C-ECHO-RQ", 1, command_field=None).name


def test_the_data_set_comes_whole_from_wherever_it_is(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_bytes(b"--data set--")
    sources: list[DataSource] = [
        b"data set",
        bytearray(b"data set"),
        memoryview(b"data set"),
        [b"data", memoryview(b" set")],
    ]

    for source in (*sources, FileSlice(file, 2, 8)):
        message = build("C-STORE-RQ", 1, source)

        assert (b"data set", 8) == (message.data_bytes(), message.data_length)


def test_no_data_set_is_empty() -> None:
    message = build("C-ECHO-RQ", 1)

    assert (b"", 0) == (message.data_bytes(), message.data_length)


def test_one_line_says_what_a_message_is(tmp_path: Path) -> None:
    file = tmp_path / "x.dcm"
    file.write_bytes(b"abcd")

    assert "C-STORE-RQ, id 7, context 3, 1.2.3, 1.2.3.4, data set of 4 bytes" == STORE.describe()
    assert (
        "C-STORE-RSP, to 7, context 3, status A700, 1.2.3, 1.2.3.4, comment full"
        == c_store_rsp(STORE, 0xA700, error_comment="full").describe()
    )
    assert (
        f"C-MOVE-RQ, id 1, context 5, 1.2, destination PACS, data set of 4 bytes in {file}"
        == c_move_rq(1, 5, "1.2", "PACS", FileSlice(file)).describe()
    )
    assert "C-CANCEL-RQ, to 7, context 3" == c_cancel_rq(7, 3).describe()
    assert (
        "N-ACTION-RQ, id 1, context 1, 1.2, 1.2.3, action 4, data set"
        == n_action_rq(1, 1, "1.2", "1.2.3", 4, command_data_set_type=1).describe()
    )
    assert "C-FIND-RSP, to 7, context 3, status FF00, 1.2.3" == c_find_rsp(STORE, 0xFF00).describe()
