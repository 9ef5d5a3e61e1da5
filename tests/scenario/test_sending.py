"""The models of what is sent: which fields each has, and what they are if nothing is said."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dicomsim.scenario.sending import (
    MESSAGE_NAMES,
    PDU_NAMES,
    Payload,
    Raw,
    SendAssociateRQ,
    SendMessage,
    SendPDataTF,
    sending_tag,
)


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("A-ASSOCIATE-RQ", "SendAssociateRQ"),
        ("A-RELEASE-RP", "SendRelease"),
        ("C-ECHO-RQ", "SendMessage"),
        ("N-EVENT-REPORT-RSP", "SendMessage"),
        ("response", "SendMessage"),
        ("A-ABROT", None),
        (3, None),
    ],
)
def test_a_name_says_which_model_is_for_it(name: object, tag: str | None) -> None:
    assert tag == sending_tag(name)


def test_all_pdus_and_messages_of_the_standard_can_be_sent() -> None:
    assert (7, 23, "C-CANCEL-RQ" in MESSAGE_NAMES) == (len(PDU_NAMES), len(MESSAGE_NAMES), True)


def test_a_message_has_a_field_for_every_command_element_and_null_is_not_silence() -> None:
    sending = SendMessage.model_validate({"send": "C-ECHO-RQ", "message_id": None, "status": 3})
    assert ({"send", "message_id", "status"}, True) == (
        sending.model_fields_set,
        {"affected_sop_class_uid", "number_of_remaining_suboperations", "command_group_length"}
        < set(SendMessage.model_fields),
    )


def test_a_request_offers_verification_if_nothing_is_said() -> None:
    (context,) = SendAssociateRQ(send="A-ASSOCIATE-RQ").contexts
    assert (1, ("1.2.840.10008.1.1",), ("1.2.840.10008.1.2",)) == (
        context.id, context.abstract_syntax, context.transfer_syntaxes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "payload"),
    [
        ("00 01", Payload(hex="00 01")),
        ("sample", Payload(sample=True)),
        ({"text": "GET /"}, Payload(text="GET /")),
        ({"zeros": 10}, Payload(zeros=10)),
        ({"zeros": "{most}"}, Payload(zeros="{most}")),
        ({"repeat": "FF", "times": 3}, Payload(repeat="FF", times=3)),
    ],
)
def test_bytes_are_written_short_or_long(written: object, payload: Payload) -> None:
    assert payload == Raw.model_validate({"raw": written}).raw


@pytest.mark.parametrize("written", [{}, {"hex": "00", "text": "a"}, {"times": 3}, {"zeros": 1 << 25}, 7, None])
def test_bytes_are_given_in_exactly_one_way(written: object) -> None:
    with pytest.raises(ValidationError):
        Raw.model_validate({"raw": written})


def test_mutations_are_checked_where_they_are_written_unless_a_value_is_still_to_come() -> None:
    assert [{"truncate": {"length": 3}}] == Raw.model_validate({"raw": "00", "mutate": [{"truncate": "3"}]}).mutate
    assert [{"truncate": "{n}"}] == Raw.model_validate({"raw": "00", "mutate": [{"truncate": "{n}"}]}).mutate
    with pytest.raises(ValidationError, match="no action is called"):
        Raw.model_validate({"raw": "00", "mutate": [{"truncat": "3"}]})


def test_a_fragment_needs_its_control_header() -> None:
    with pytest.raises(ValidationError, match="control"):
        SendPDataTF.model_validate({"send": "P-DATA-TF", "pdvs": [{"data": "00"}]})
