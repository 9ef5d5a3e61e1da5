"""Answers to an association request that are not what they should be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.engine.hops import Pass, Wait
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.items import (
    ApplicationContext,
    AsynchronousOperationsWindow,
    ImplementationClassUid,
    ImplementationVersionName,
    MaximumLength,
    PresentationContextAC,
    PresentationContextRQ,
    RoleSelection,
    SopClassExtendedNegotiation,
    TransferSyntax,
    UserIdentityAC,
    UserIdentityRQ,
    UserInformation,
)
from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ, pad_ae_title
from tests.behaviour.sessions import Peer

IMPLICIT, EXPLICIT, JPEG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50"
VERIFICATION, CT, MR = "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
TITLES = pad_ae_title("ARCHIVE"), pad_ae_title("MODALITY")

REQUEST = AssociateRQ(
    *TITLES,
    (
        ApplicationContext(),
        PresentationContextRQ.of(1, VERIFICATION, IMPLICIT),
        PresentationContextRQ.of(3, CT, EXPLICIT, IMPLICIT),
        PresentationContextRQ.of(5, MR, JPEG),
        UserInformation(
            (
                MaximumLength(16384),
                ImplementationClassUid("1.2.3"),
                AsynchronousOperationsWindow(5, 0),
                RoleSelection(CT, 1, 0),
                RoleSelection(MR, 0, 1),
                SopClassExtendedNegotiation(CT, b"\1\2"),
                UserIdentityRQ(1, 1, b"me"),
            )
        ),
    ),
)
ANSWER = AssociateAC(
    *TITLES,
    (
        ApplicationContext(),
        PresentationContextAC(1, 0, (TransferSyntax(IMPLICIT),)),
        PresentationContextAC(3, 0, (TransferSyntax(EXPLICIT),)),
        PresentationContextAC(5, 4, (TransferSyntax(JPEG),)),
        UserInformation(
            (
                MaximumLength(16382),
                ImplementationClassUid("1.2.4"),
                AsynchronousOperationsWindow(1, 1),
                RoleSelection(CT, 1, 0),
                ImplementationVersionName("X"),
                SopClassExtendedNegotiation(CT, b"\1"),
            )
        ),
    ),
)


def answered(actions: str, answer: AssociateAC | AssociateRJ = ANSWER) -> AssociateAC:
    """The A-ASSOCIATE-AC after a rule."""
    changed = Peer(f"on A-ASSOCIATE-RQ in: {actions}").answer(REQUEST, answer)
    assert isinstance(changed, AssociateAC)
    assert changed == decode_pdu(encode_pdu(changed))
    return changed


def contexts(actions: str) -> list[tuple[int, int, list[str]]]:
    """ID, result and transfer syntaxes of each context."""
    return [
        (context.context_id, context.result, [item.uid for item in context.items if isinstance(item, TransferSyntax)])
        for context in answered(actions).presentation_contexts
    ]


@pytest.mark.parametrize(
    ("actions", "results"),
    [
        ("accept", [0, 0, 0]),
        ("accept 3", [3, 3, 3]),
        ("accept result={3: 1}", [0, 1, 4]),
        ("accept {1: 2, '*': 3}", [2, 3, 3]),
        ("accept {CTImageStorage: 5, '1.2.840.10008.5.*': 255}", [0, 5, 255]),
        ("accept {'*ImageStorage': 3}", [0, 3, 3]),
        ("accept order=reversed", [4, 0, 0]),
        ("accept missing=3", [0, 4]),
        ("accept missing=[1, MRImageStorage]", [0]),
        ("accept missing='*'", []),
        ("accept twice=5", [0, 0, 4, 4]),
        ("accept extra=[7, 2]", [0, 0, 4, 0, 0]),
        ("accept only=ImplicitVRLittleEndian", [0, 0, 4]),
        ("accept only=JPEGBaseline8Bit", [4, 4, 4]),
    ],
)
def test_contexts_are_accepted_otherwise(actions: str, results: list[int]) -> None:
    assert results == [result for _, result, _ in contexts(actions)]


@pytest.mark.parametrize(
    ("actions", "syntaxes"),
    [
        ("accept transfer_syntax=JPEGBaseline8Bit", [[JPEG], [JPEG], [JPEG]]),
        ("accept transfer_syntax=[ImplicitVRLittleEndian, 1.2.3]", [[IMPLICIT, "1.2.3"]] * 3),
        ("accept transfer_syntax=none", [[], [], []]),
        ("accept transfer_syntax={3: none}", [[IMPLICIT], [], [JPEG]]),
        ("accept only=ImplicitVRLittleEndian", [[IMPLICIT], [IMPLICIT], [JPEG]]),
        ("accept only=[ExplicitVRLittleEndian, ImplicitVRLittleEndian]", [[IMPLICIT], [EXPLICIT], [JPEG]]),
    ],
)
def test_contexts_get_other_transfer_syntaxes(actions: str, syntaxes: list[list[str]]) -> None:
    assert syntaxes == [found for _, _, found in contexts(actions)]


def test_a_shuffled_order_is_the_same_in_the_next_run() -> None:
    orders = {tuple(number for number, _, _ in contexts("accept order=shuffled")) for _ in range(3)}

    assert 1 == len(orders)
    assert {1, 3, 5} == set(orders.pop())


def test_all_else_of_the_answer_stays() -> None:
    changed = answered("accept result=3 missing=1 extra=99")

    assert (ANSWER.items[0], ANSWER.items[-1]) == (changed.items[0], changed.items[-1])
    assert ANSWER == answered("accept order=reversed; accept order=reversed")


def test_accepting_takes_the_place_of_a_rejection() -> None:
    changed = answered("accept", AssociateRJ(1, 1, 7))

    assert [(1, IMPLICIT), (3, EXPLICIT), (5, JPEG)] == [
        (context.context_id, context.transfer_syntax) for context in changed.presentation_contexts
    ]
    assert ("ARCHIVE", "MODALITY", REQUEST.application_context) == (
        changed.called,
        changed.calling,
        changed.application_context,
    )
    assert 16382 == answered("accept", AssociateRJ(1, 1, 7)).user_information[0].value  # type: ignore[union-attr]


@pytest.mark.parametrize("actions", ["roles 1/1", "async 1/1", "identity empty", "extended same", "maximum-length 0"])
def test_other_answers_leave_a_rejection_alone(actions: str) -> None:
    rejection = AssociateRJ(1, 1, 7)

    assert rejection is Peer(f"on A-ASSOCIATE-RQ in: {actions}").answer(REQUEST, rejection)


def items(actions: str, kind: type[Any]) -> list[Any]:
    return [item for item in answered(actions).user_information if isinstance(item, kind)]


@pytest.mark.parametrize(
    ("actions", "roles"),
    [
        ("roles same", [(CT, 1, 0), (MR, 0, 1)]),
        ("roles absent", []),
        ("roles 1/1", [(CT, 1, 1), (MR, 1, 1)]),
        ("roles {CTImageStorage: 0/0}", [(CT, 0, 0)]),
        ("roles {MRImageStorage: same}", [(CT, 1, 0), (MR, 0, 1)]),
        ("roles {Verification: 1/1}", [(CT, 1, 0), (VERIFICATION, 1, 1)]),
        ("roles {'*': absent, Verification: 0/1}", [(VERIFICATION, 0, 1)]),
        ("roles {1.2.3: same}", [(CT, 1, 0)]),
        ("roles {CTImageStorage: [0, 1]}", [(CT, 0, 1)]),
    ],
)
def test_roles_are_granted_refused_widened_or_made_up(actions: str, roles: list[tuple[str, int, int]]) -> None:
    found = items(actions, RoleSelection)

    assert roles == [(item.sop_class_uid, item.scu_role, item.scp_role) for item in found]


@pytest.mark.parametrize(
    ("actions", "window"),
    [("async 9/9", [(9, 9)]), ("async 0/65535", [(0, 65535)]), ("async same", [(5, 0)]), ("async absent", [])],
)
def test_the_asynchronous_window_is_answered_otherwise(actions: str, window: list[tuple[int, int]]) -> None:
    assert window == [(item.invoked, item.performed) for item in items(actions, AsynchronousOperationsWindow)]


@pytest.mark.parametrize(
    ("actions", "responses"),
    [
        ("identity empty", [b""]),
        ("identity text:ticket", [b"ticket"]),
        ("identity 0102", [b"\1\2"]),
        ("identity zeros:300", [bytes(300)]),
        ("identity absent", []),
    ],
)
def test_the_user_identity_is_answered_otherwise(actions: str, responses: list[bytes]) -> None:
    assert responses == [item.server_response for item in items(actions, UserIdentityAC)]


@pytest.mark.parametrize(
    ("actions", "information"),
    [
        ("extended same", [(CT, b"\1\2")]),
        ("extended longer", [(CT, b"\1\2\1")]),
        ("extended shorter", [(CT, b"\1")]),
        ("extended absent", []),
        ("extended ff", [(CT, b"\xff")]),
        ("extended {Verification: 00}", [(CT, b"\1"), (VERIFICATION, b"\0")]),
        ("extended {Verification: longer, '*': absent}", [(VERIFICATION, b"\1")]),
    ],
)
def test_the_extended_negotiation_is_answered_otherwise(actions: str, information: list[tuple[str, bytes]]) -> None:
    found = items(actions, SopClassExtendedNegotiation)

    assert information == [(item.sop_class_uid, item.information) for item in found]


@pytest.mark.parametrize(
    ("actions", "lengths"),
    [
        ("maximum-length 7", [7]),
        ("maximum_length 0xFFFFFFFF", [0xFFFFFFFF]),
        ("maximum-length absent", []),
        ("maximum-length twice", [16382, 16382]),
    ],
)
def test_the_maximum_length_is_answered_otherwise(actions: str, lengths: list[int]) -> None:
    assert lengths == [item.value for item in items(actions, MaximumLength)]


def test_user_items_keep_the_order_of_their_types() -> None:
    found = answered("identity empty; roles same; async same; maximum-length 1; extended same").user_information

    assert [0x51, 0x52, 0x53, 0x54, 0x54, 0x55, 0x56, 0x59] == [getattr(item, "TYPE", 0) for item in found]


def test_rejection_and_acceptance_compose() -> None:
    peer = Peer("on A-ASSOCIATE-RQ in: reject limit", "on A-ASSOCIATE-RQ in: accept result=1")

    changed = peer.answer(REQUEST, ANSWER)
    assert isinstance(changed, AssociateAC)
    assert [1, 1, 1] == [context.result for context in changed.presentation_contexts]


def test_a_delayed_rejection_holds_the_request_and_answers_it_later() -> None:
    peer = Peer("on A-ASSOCIATE-RQ in nth=1: delay 5; reject 1/1/1")
    data = encode_pdu(REQUEST)

    assert [Wait(5), Pass(data)] == peer.pdu_in(data)
    assert AssociateRJ(1, 1, 1) == peer.answer(REQUEST, ANSWER)
    assert [Pass(data)] == peer.pdu_in(data)
    assert ANSWER is peer.answer(REQUEST, ANSWER)


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        ("accept result=256", "256 is out of range: 0 to 255"),
        ("accept transfer_syntax=Banana", "or none"),
        ("accept missing=Banana", "no SOP class is called"),
        ("accept misisng=1", "did you mean missing?"),
        ("roles asbent", "did you mean absent?"),
        ("roles {CTImageStorge: 1/1}", "did you mean CTImageStorage?"),
        ("roles {CTImageStorage: 1}", "is not scu/scp"),
        ("async 1", "is not invoked/performed"),
        ("identity random:99999", "is too long for an item"),
        ("roles", "roles needs answer"),
        ("maximum-length -1", "out of range"),
    ],
)
def test_answers_that_cannot_be_given_are_errors(actions: str, said: str) -> None:
    with pytest.raises(Exception, match=r".") as caught:
        Peer(f"on A-ASSOCIATE-RQ in: {actions}")
    assert said in str(caught.value)


@given(
    st.lists(
        st.sampled_from(
            [
                "accept",
                "accept result={1: 9}",
                "accept twice='*' order=shuffled",
                "accept missing='*' extra=[1, 255]",
                "accept only=1.2.3 transfer_syntax=none",
                "roles {'*': 1/1, 1.2.3: same}",
                "extended {'*': longer, 1.2.3: shorter}",
                "async 0/0",
                "identity random:99",
                "maximum-length twice",
                "reject 9/9/9",
            ]
        ),
        max_size=6,
    ),
    st.sampled_from([ANSWER, AssociateRJ(1, 1, 1)]),
)
def test_any_answers_in_any_order_are_pdus(actions: list[str], answer: AssociateAC | AssociateRJ) -> None:
    peer = Peer(*(f"on A-ASSOCIATE-RQ in: {action}" for action in actions))
    empty = AssociateRQ(*TITLES, ())

    for request in (REQUEST, empty):
        assert encode_pdu(peer.answer(request, answer))
