"""Profiles: what a peer of that kind is seen to do."""

from __future__ import annotations

import pytest

from dicomsim.behaviour import PROFILES, load_rules
from dicomsim.dimse.builders import c_echo_rq, c_find_rq, c_find_rsp, c_move_rq, c_store_rq
from dicomsim.engine.hops import Pass, PassMessage, Reply, Request, Reset, Stall, Step, StopReading, Wait
from dicomsim.upper_layer.primitives import AbortRequest
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.items import AsynchronousOperationsWindow, RoleSelection
from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ
from tests.behaviour.sessions import AC, ECHO_RQ, RELEASE_RQ, RQ, FakeSession, Peer
from tests.behaviour.test_negotiation import ANSWER, IMPLICIT, REQUEST
from tests.behaviour.test_triggers import STORE_PDUS
from tests.wire.vectors import PDU_BYTES


def peer_of(profile: str) -> Peer:
    """A session with the rules of a profile."""
    peer = Peer()
    for rule in load_rules(f"profile:{profile}"):
        peer.behaviour.add(rule)
    return peer


def answer_of(profile: str) -> AssociateAC:
    answer = peer_of(profile).answer(REQUEST, ANSWER)
    assert isinstance(answer, AssociateAC)
    return answer


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_has_rules_named_after_it_and_a_line_of_help(name: str) -> None:
    names = [str(rule.name) for rule in load_rules(f"profile:{name}")]

    assert names in ([name], [f"{name}-{number}" for number in range(1, len(names) + 1)])
    assert PROFILES[name].help
    assert "\n" not in PROFILES[name].help + PROFILES[name].origin


def test_async_zero_drops() -> None:
    peer = peer_of("async-zero-drops")

    assert [[Reset()], [Pass(RQ)]] == [peer.pdu_in(PDU_BYTES["RQ-035"]), peer.pdu_in(RQ)]


def test_async_zero_answer() -> None:
    assert AsynchronousOperationsWindow(0, 0) == answer_of("async-zero-answer").user_item(AsynchronousOperationsWindow)


def test_one_pdv_per_pdu() -> None:
    peer = peer_of("one-pdv-per-pdu")

    assert [Request(AbortRequest(2, 0))] == peer.pdu_in(PDU_BYTES["PD-003"])
    assert [Pass(ECHO_RQ)] == peer.pdu_in(ECHO_RQ)


def test_no_role_selection() -> None:
    assert answer_of("no-role-selection").user_item(RoleSelection) is None


def test_role_chatter() -> None:
    asked = {item.sop_class_uid for item in REQUEST.user_information if isinstance(item, RoleSelection)}
    answered = {
        item.sop_class_uid for item in answer_of("role-chatter").user_information if isinstance(item, RoleSelection)
    }

    assert {"1.2.840.10008.1.1"} == answered - asked


def test_pending_forever() -> None:
    request = c_move_rq(1, 1, "1.2.840.10008.5.1.4.1.2.2.2", "ME", b"query")
    steps = peer_of("pending-forever").message_in(request)
    answers = [step for step in steps if isinstance(step, Reply)]

    assert (3601, {0xFF00}) == (len(answers), {step.message.status for step in answers})
    assert 3600 == sum(step.seconds for step in steps if isinstance(step, Wait))


def test_silent_after_one_minute() -> None:
    peer = peer_of("silent-after-1-minute")
    answer = c_find_rsp(c_find_rq(1, 1, "1.2.3", b"query"), 0xFF00, b"match")
    early = peer.message_out(answer)
    peer.fake.clock.now += 60

    assert [[PassMessage(answer)], []] == [early, peer.message_out(answer)]


def test_store_hang() -> None:
    peer = peer_of("store-hang")

    assert [] == peer.message_in(c_store_rq(1, 1, "1.2", "1.2.3", b"data"))
    assert [] != peer.message_in(c_echo_rq(1, 1))


def test_abort_for_release() -> None:
    assert [Request(AbortRequest(0, 0))] == peer_of("abort-for-release").pdu_in(RELEASE_RQ)


def test_reserved_reject_code() -> None:
    assert AssociateRJ(1, 3, 8) == peer_of("reserved-reject-code").answer(REQUEST, ANSWER)


def test_limit_exceeded() -> None:
    peer = peer_of("limit-exceeded")
    answers = []
    for number in range(1, 13):
        session = Peer(session=FakeSession(number=number))
        session.behaviour = peer.behaviour
        answers.append(session.answer(REQUEST, ANSWER))

    assert [ANSWER] * 10 + [AssociateRJ(2, 3, 2)] * 2 == answers


def test_stop_reading() -> None:
    peer = peer_of("stop-reading")
    steps: list[list[Step]] = [peer.pdu_in(data) for data in STORE_PDUS]

    assert [False, False, True, True, True] == [StopReading() in step for step in steps]


def test_gateway_drop() -> None:
    peer = peer_of("gateway-drop")
    busy = peer.bytes_in(b"x")
    peer.fake.clock.now += 60

    assert [[Pass(b"x")], [StopReading(), Stall()]] == [busy, peer.bytes_out(b"y")]


def test_implicit_only() -> None:
    contexts = answer_of("implicit-only").presentation_contexts

    assert [(0, IMPLICIT), (0, IMPLICIT)] == [
        (each.result, each.transfer_syntax) for each in contexts if not each.result
    ]
    assert [4] == [each.result for each in contexts if each.result]


def test_old_1993() -> None:
    peer = peer_of("old-1993")
    answer = peer.answer(REQUEST, ANSWER)
    (step,) = peer.pdu_out(encode_pdu(answer))
    assert isinstance(step, Pass)
    sent = decode_pdu(step.data)
    assert isinstance(sent, AssociateAC)

    assert [0x51] == [getattr(item, "TYPE", 0) for item in sent.user_information]
    assert isinstance(decode_pdu(AC), AssociateAC | AssociateRQ)
