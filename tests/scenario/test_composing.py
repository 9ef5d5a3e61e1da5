"""From steps to bytes: what is said, and what a conforming peer would send for the rest."""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim.dimse.builders import build
from dicomsim.errors import WireError
from dicomsim.scenario.composing import Composed, ComposeError, compose, compose_message, payload
from dicomsim.scenario.dialogue import Dialogue
from dicomsim.scenario.model import Steps
from dicomsim.scenario.sending import Payload
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.command import decode_command
from dicomsim.wire.items import (
    ApplicationContext,
    ImplementationClassUid,
    MaximumLength,
    RoleSelection,
    UnknownItem,
    UserIdentityRQ,
    UserInformation,
)
from dicomsim.wire.pdu import Abort, AssociateAC, AssociateRJ, AssociateRQ, PDataTF, ReleaseRQ
from tests.scenario.doubles import AC, RQ, VERIFICATION

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def step(**written: object) -> Any:
    return Steps.model_validate({"steps": [written]}).steps[0]


def composed(dialogue: Dialogue | None = None, **written: object) -> Composed:
    return compose(step(**written), dialogue or agreed())


def pdu(dialogue: Dialogue | None = None, **written: object) -> Any:
    return decode_pdu(composed(dialogue, **written).data)


def agreed(maximum: int = 16384) -> Dialogue:
    dialogue = Dialogue("SCP", "SCU")
    dialogue.sent(RQ)
    dialogue.received(AC)
    dialogue.peer_maximum = maximum
    return dialogue


def pdus(data: bytes) -> list[PDataTF]:
    found = []
    while data:
        end = 6 + int.from_bytes(data[2:6], "big")
        one = decode_pdu(data[:end])
        assert isinstance(one, PDataTF)
        found.append(one)
        data = data[end:]
    return found


def test_a_request_is_conforming_if_nothing_is_said() -> None:
    made = pdu(send="A-ASSOCIATE-RQ")
    assert isinstance(made, AssociateRQ)
    (context,) = made.presentation_contexts
    assert ("SCP", "SCU", 1, 1, VERIFICATION, 1) == (
        made.called, made.calling, made.protocol_version, context.context_id, context.abstract_syntax,
        len([item for item in made.items if isinstance(item, UserInformation)]),
    )  # fmt: skip


def test_a_request_says_what_the_step_says() -> None:
    made = pdu(
        send="A-ASSOCIATE-RQ",
        called="a" * 16,
        calling=" x",
        protocol_version=2,
        application_context=["1.2", "1.3"],
        contexts=[{"id": 2, "abstract_syntax": [], "transfer_syntaxes": ["1.2", "1.2"]}],
        maximum_length=[0, 7],
        implementation_class_uid=None,
        implementation_version_name=None,
        roles=[{"sop_class": "CTImageStorage", "scu": 0, "scp": 1}],
        async_window={"invoked": 3, "performed": 4},
        extended=[{"sop_class": "1.2", "information": "0102"}],
        user_identity=[{"type": 2, "primary": "user", "secondary": "pass"}],
        items=[{"type": 0x6F, "data": "00"}],
        user_items=[{"type": 0x7A}],
    )
    kinds = [type(item).__name__ for item in made.user_information]
    assert (b"a" * 16, b" x".ljust(16), 2, ["1.2", "1.3"], UnknownItem(0x6F, b"\0")) == (
        made.called_ae_title,
        made.calling_ae_title,
        made.protocol_version,
        [item.uid for item in made.items if isinstance(item, ApplicationContext)],
        made.items[-1],
    )
    assert ["MaximumLength", "MaximumLength", "AsynchronousOperationsWindow", "RoleSelection",
            "SopClassExtendedNegotiation", "UserIdentityRQ", "UnknownItem"] == kinds  # fmt: skip
    assert (RoleSelection("1.2.840.10008.5.1.4.1.1.2", 0, 1), UserIdentityRQ(2, 0, b"user", b"pass")) == (
        made.user_item(RoleSelection), made.user_item(UserIdentityRQ),
    )  # fmt: skip
    (context,) = made.presentation_contexts
    assert (2, None, ("1.2", "1.2")) == (context.context_id, context.abstract_syntax, context.transfer_syntaxes)


@pytest.mark.parametrize(("how", "count"), [("sent", 1), ("left out", 0), ("twice", 2)])
def test_user_information_may_be_missing_or_there_twice(how: str, count: int) -> None:
    made = pdu(send="A-ASSOCIATE-RQ", user_information=how)
    assert count == len([item for item in made.items if isinstance(item, UserInformation)])


def test_all_reserved_bytes_can_be_set() -> None:
    made = pdu(send="A-ASSOCIATE-RQ", reserved="set")
    assert ((255, b"\xff" * 2, b"\xff" * 32), 255, (255,) * 4, 255) == (
        made.reserved,
        made.items[0].reserved,
        made.presentation_contexts[0].reserved,
        made.user_item(MaximumLength).reserved,
    )
    assert (255, b"\xff" * 4) == pdu(send="A-RELEASE-RQ", reserved="set").reserved


def test_an_acceptance_answers_every_offer_with_a_syntax_of_it() -> None:
    made = pdu(send="A-ASSOCIATE-AC")
    assert isinstance(made, AssociateAC)
    (answer,) = made.presentation_contexts
    assert ((1, 0, "1.2.840.10008.1.2"), RQ.called_ae_title, RQ.calling_ae_title) == (
        (answer.context_id, answer.result, answer.transfer_syntax),
        made.called_ae_title,
        made.calling_ae_title,
    )


def test_an_acceptance_may_say_otherwise() -> None:
    made = pdu(
        send="A-ASSOCIATE-AC", contexts=[{"id": 3, "result": 4, "transfer_syntax": []}], user_identity_response="AB"
    )
    assert [(3, 4, None)] == [(one.context_id, one.result, one.transfer_syntax) for one in made.presentation_contexts]
    assert [3] == [one.result for one in pdu(send="A-ASSOCIATE-AC", result=3).presentation_contexts]


def test_there_is_nothing_to_accept_before_a_request() -> None:
    with pytest.raises(ComposeError, match="no A-ASSOCIATE-RQ has been received"):
        composed(Dialogue("SCP", "SCU"), send="A-ASSOCIATE-AC")


def test_small_pdus_have_their_codes() -> None:
    assert [AssociateRJ(2, 3, 1), Abort(2, 6), ReleaseRQ()] == [
        pdu(send="A-ASSOCIATE-RJ", result=2, source=3, reason=1),
        pdu(send="A-ABORT", source=2, reason=6),
        pdu(send="A-RELEASE-RQ"),
    ]


def test_fragments_are_what_they_are_said_to_be() -> None:
    data = composed(
        send="P-DATA-TF", pdvs=[{"context": 3, "control": 2, "data": "0102", "length": 99}, {"control": 0xFF}]
    ).data
    assert bytes.fromhex("04 00 0000000e 00000063 03 02 0102 00000002 01 ff") == data


def test_an_empty_p_data_tf_can_be_sent() -> None:
    assert bytes.fromhex("04 00 00000000") == composed(send="P-DATA-TF").data


@pytest.mark.parametrize(
    ("spec", "data"),
    [
        (Payload(hex="01 0\n2" .replace("\n", "")), b"\1\2"),
        (Payload(text="GET\r\n"), b"GET\r\n"),
        (Payload(zeros=3), b"\0\0\0"),
        (Payload(repeat="FF 00", times=2), b"\xff\0\xff\0"),
        (Payload(hex="010203", mutate=[{"truncate": 2}]), b"\1\2"),
    ],
)  # fmt: skip
def test_bytes_are_made_as_they_are_described(spec: Payload, data: bytes) -> None:
    assert data == payload(spec, agreed(), 1)


def test_random_bytes_depend_on_the_seed_only() -> None:
    one, same, other = (payload(Payload(random=16, seed=seed), agreed(), 1) for seed in (1, 1, 2))
    assert (True, False, 16) == (one == same, one == other, len(one))


def test_a_message_has_what_is_mandatory_and_a_new_id_each_time() -> None:
    dialogue = agreed()
    first, second = (compose_message(step(send="C-ECHO-RQ"), dialogue) for _ in range(2))
    assert ((1, 2), VERIFICATION, 1, False) == (
        (first.message_id, second.message_id), first.affected_sop_class_uid, first.context_id, first.has_data_set,
    )  # fmt: skip


def test_elements_can_be_set_left_out_and_added() -> None:
    made = composed(send="C-ECHO-RQ", message_id=None, priority=7, elements={"00080016": "312e32"}).data
    (one,) = pdus(made)
    command = decode_command(one.pdvs[0].data)
    assert (None, 7, b"1.2") == (command.get(0x110), command[0x700], command[0x00080016])


def test_the_group_length_can_be_wrong() -> None:
    (one,) = pdus(composed(send="C-ECHO-RQ", command_group_length=4).data)
    assert 4 == decode_command(one.pdvs[0].data)[0]


def test_a_store_has_the_sample_in_the_syntax_of_its_context() -> None:
    dialogue = agreed()
    message = compose_message(step(send="C-STORE-RQ"), dialogue)
    assert (SECONDARY_CAPTURE, dialogue.sample.instance_uid, dialogue.sample.encode()) == (
        message.affected_sop_class_uid, message.affected_sop_instance_uid, message.data,
    )  # fmt: skip


def test_a_store_without_a_data_set_announces_none() -> None:
    message = compose_message(step(send="C-STORE-RQ", data=None), agreed())
    assert (None, False) == (message.data, message.has_data_set)


def test_a_message_on_a_context_of_its_own_is_about_what_that_is_for() -> None:
    assert VERIFICATION == compose_message(step(send="C-STORE-RQ", context=1), agreed()).affected_sop_class_uid


def test_a_response_answers_the_last_request() -> None:
    dialogue = agreed()
    dialogue.asked = build(
        "C-STORE-RQ", 5, message_id=77, affected_sop_class_uid="1.2", affected_sop_instance_uid="1.3"
    )
    message = compose_message(step(send="response", status=0xA700), dialogue)
    assert ("C-STORE-RSP", 77, 0xA700, 5, "1.2", "1.3") == (
        message.name, message.message_id_being_responded_to, message.status, message.context_id,
        message.affected_sop_class_uid, message.affected_sop_instance_uid,
    )  # fmt: skip


def test_a_response_may_have_no_status_and_another_name() -> None:
    dialogue = agreed()
    dialogue.asked = build("C-ECHO-RQ", 1, message_id=3, affected_sop_class_uid=VERIFICATION)
    message = compose_message(step(send="C-STORE-RSP", status=None, context=9), dialogue)
    assert ("C-STORE-RSP", None, 9) == (message.name, message.status, message.context_id)


def test_a_response_to_nothing_needs_a_name() -> None:
    assert "C-ECHO-RSP" == compose_message(step(send="C-ECHO-RSP"), agreed()).name
    with pytest.raises(ComposeError, match="no request has been received"):
        compose_message(step(send="response"), agreed())


@pytest.mark.parametrize(("maximum", "longest"), [(16, 16), (13, 12), (0, 100_000)])
def test_a_message_is_cut_to_what_the_peer_takes(maximum: int, longest: int) -> None:
    made = pdus(composed(agreed(maximum), send="C-STORE-RQ").data)
    lengths = [sum(len(pdv.data) + 6 for pdv in one.pdvs) for one in made]
    assert (True, {0}) == (max(lengths) <= longest, {length % 2 for length in lengths})


def test_a_step_may_cut_otherwise() -> None:
    assert 16 == max(
        sum(len(pdv.data) + 6 for pdv in one.pdvs) for one in pdus(composed(send="C-ECHO-RQ", maximum=16).data)
    )


def test_command_and_data_can_share_a_pdu() -> None:
    (one,) = pdus(composed(send="C-STORE-RQ", together=True).data)
    assert [3, 2] == [pdv.control for pdv in one.pdvs]


@pytest.mark.parametrize(("part", "controls"), [("command", [3]), ("data", [2]), ("all", [3, 2])])
def test_a_part_of_a_message_can_be_sent(part: str, controls: list[int]) -> None:
    made = pdus(composed(send="C-STORE-RQ", part=part).data)
    assert controls == [pdv.control for one in made for pdv in one.pdvs]


def test_the_last_fragment_may_not_say_so_and_other_bits_may_be_set() -> None:
    made = pdus(composed(send="C-STORE-RQ", last=False, control=0xF0).data)
    assert [0xF3, 0xF0] == [pdv.control for one in made for pdv in one.pdvs]


def test_changed_bytes_are_sent_in_pieces_and_said_to_be_changed() -> None:
    made = composed(send="A-ABORT", mutate=[{"truncate": 8}, {"slice": {"size": 4, "pause": 0}}])
    assert (8, [4, 4], True) == (
        len(made.data), [len(piece) for piece in made.pieces if isinstance(piece, bytes)], "truncate" in made.text,
    )  # fmt: skip


def test_raw_bytes_are_sent_as_they_are() -> None:
    made = composed(raw="08 00 00000000")
    assert (bytes.fromhex("08 00 00000000"), None, "6 bytes 08 00 00 00 00 00") == (made.data, made.pdu, made.text)


def test_a_title_that_is_no_ascii_goes_as_utf_8() -> None:
    assert "é".encode().ljust(16) == pdu(send="A-ASSOCIATE-RQ", called="é").called_ae_title


def test_a_title_that_is_too_long_is_not_cut() -> None:
    assert b"x" * 17 == composed(send="A-ASSOCIATE-RQ", called="x" * 17).data[10:27]


def test_what_does_not_fit_its_field_is_an_error_of_the_wire() -> None:
    with pytest.raises(WireError):
        composed(send="A-ASSOCIATE-RQ", implementation_version_name="é")


def test_the_class_uid_may_be_left_out() -> None:
    assert pdu(send="A-ASSOCIATE-RQ", implementation_class_uid=None).user_item(ImplementationClassUid) is None
