"""Answers in the place of a service."""

from __future__ import annotations

import pytest

from dicomsim.behaviour.values import RuleError
from dicomsim.dimse.builders import c_cancel_rq, c_echo_rq, c_echo_rsp, c_find_rq, c_store_rq
from dicomsim.dimse.messages import Message
from dicomsim.engine.hops import PassMessage, Reply, Wait
from tests.behaviour.sessions import FakeSession, Peer

STORE = c_store_rq(7, 3, "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4", b"data")


def answer_of(peer: Peer, message: Message) -> Message:
    """The only answer."""
    (step,) = peer.message_in(message)
    assert isinstance(step, Reply)
    return step.message


def test_a_request_is_answered_and_the_service_does_not_see_it() -> None:
    answer = answer_of(Peer("on C-STORE-RQ in nth=1: answer A700 ErrorComment='disk full'"), STORE)

    assert ("C-STORE-RSP", 3, 7, 0xA700, "disk full", "1.2.3.4", False) == (
        answer.name,
        answer.context_id,
        answer.message_id_being_responded_to,
        answer.status,
        answer.error_comment,
        answer.affected_sop_instance_uid,
        answer.has_data_set,
    )


def test_a_list_of_statuses_is_used_in_turn_by_each_session() -> None:
    peer = Peer("on C-STORE-RQ in: answer [0000, A700, B000]")
    statuses = [answer_of(peer, STORE).status for _ in range(4)]
    other = Peer(session=FakeSession(number=2))
    other.behaviour = peer.behaviour

    assert [0x0000, 0xA700, 0xB000, 0x0000] == statuses
    assert 0x0000 == answer_of(other, STORE).status


def test_an_answer_may_be_that_of_another_service_and_have_data() -> None:
    find = c_find_rq(9, 5, "1.2.840.10008.5.1.4.1.2.2.1", b"query")
    answer = answer_of(Peer("on C-FIND-RQ in: answer FF00 as=C-GET-RSP hex=0102"), find)

    assert ("C-GET-RSP", 0xFF00, b"\1\2", 9) == (
        answer.name,
        answer.status,
        answer.data,
        answer.message_id_being_responded_to,
    )


def test_an_answer_comes_after_a_delay() -> None:
    steps = Peer("on C-STORE-RQ in: delay 2; answer 0000").message_in(STORE)

    assert [Wait(2), Reply] == [steps[0], type(steps[1])]


def test_success_is_the_usual_answer() -> None:
    assert 0 == answer_of(Peer("on C-ECHO-RQ in: answer"), c_echo_rq(1, 1)).status


def test_what_asks_for_nothing_passes() -> None:
    peer = Peer("on message in: answer A700")
    for message in (c_echo_rsp(c_echo_rq(1, 1)), c_cancel_rq(1, 1)):
        assert [PassMessage(message)] == peer.message_in(message)
    assert ["message in, nothing to change"] * 2 == peer.fake.fired


def test_a_request_without_an_id_is_answered_all_the_same() -> None:
    answer = answer_of(Peer("on message in: answer 0122"), Message(1, {0x100: 0x0099}))

    assert (0x8099, 0x0122, None) == (answer.command_field, answer.status, answer.message_id_being_responded_to)


def test_one_answer_takes_the_place_of_the_service_and_a_second_rule_has_nothing_left() -> None:
    peer = Peer("on C-STORE-RQ in: answer A700", "on C-STORE-RQ in: answer A900")

    assert 0xA700 == answer_of(peer, STORE).status


def test_a_status_has_sixteen_bits() -> None:
    with pytest.raises(RuleError, match="is no status"):
        Peer("on C-STORE-RQ in: answer 0x10000")
