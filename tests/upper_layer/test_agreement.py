from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomsim.events import Side
from dicomsim.upper_layer.agreement import (
    AcceptedContext,
    Agreement,
    Implementation,
    RejectedContext,
    conclude,
    narrow,
)
from dicomsim.upper_layer.negotiation import IdentityVerdict, build_request, negotiate, propose
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.items import (
    AbstractSyntax,
    ApplicationContext,
    AsynchronousOperationsWindow,
    ImplementationClassUid,
    ImplementationVersionName,
    MaximumLength,
    PresentationContextAC,
    PresentationContextRQ,
    RoleSelection,
    SopClassCommonExtendedNegotiation,
    SopClassExtendedNegotiation,
    TransferSyntax,
    UserIdentityAC,
    UserIdentityRQ,
    UserInformation,
    UserItem,
)
from dicomsim.wire.pdu import AssociateAC, AssociateRQ
from tests.oracle import document
from tests.upper_layer.driving import ANSWER, CT_IMAGE_STORAGE, EXPLICIT, IMPLICIT, POLICY, REQUEST, VERIFICATION
from tests.wire.vectors import VALID

BOTH = (Side.REQUESTOR, Side.ACCEPTOR)


def answer(*contexts: PresentationContextAC, items: tuple[UserItem, ...] = ()) -> AssociateAC:
    return replace(ANSWER, items=(ApplicationContext(), *contexts, UserInformation(items)))


def ask(*items: UserItem) -> AssociateRQ:
    return build_request("ANY-SCP", "DICOMSIM", propose([(VERIFICATION, (IMPLICIT, EXPLICIT))]), items=items)


def accepted(context_id: int, transfer_syntax: str = IMPLICIT) -> PresentationContextAC:
    return PresentationContextAC(context_id, 0, (TransferSyntax(transfer_syntax),))


def test_both_sides_see_the_same_contexts_in_opposite_roles() -> None:
    requestor, acceptor = (conclude(REQUEST, ANSWER, side) for side in BOTH)
    assert requestor.accepted == {
        1: AcceptedContext(1, VERIFICATION, IMPLICIT, as_scu=True, as_scp=False),
        3: AcceptedContext(3, CT_IMAGE_STORAGE, IMPLICIT, as_scu=True, as_scp=False),
    }
    assert acceptor.accepted == {
        1: AcceptedContext(1, VERIFICATION, IMPLICIT, as_scu=False, as_scp=True),
        3: AcceptedContext(3, CT_IMAGE_STORAGE, IMPLICIT, as_scu=False, as_scp=True),
    }
    assert requestor.rejected == acceptor.rejected == {}
    assert (requestor.called_ae_title, requestor.calling_ae_title) == ("ANY-SCP", "DICOMSIM")
    assert requestor.application_context == "1.2.840.10008.3.1.1.1"


@pytest.mark.parametrize("result", [1, 2, 3, 4, 5, 255])
def test_a_rejected_context_keeps_its_result(result: int) -> None:
    agreement = conclude(ask(), answer(PresentationContextAC(1, result)), Side.REQUESTOR)
    assert agreement.rejected == {1: RejectedContext(1, VERIFICATION, result)}
    assert agreement.accepted == {}


@pytest.mark.parametrize(
    ("contexts", "result"),
    [
        ((), None),
        ((accepted(3),), None),
        ((accepted(1, "1.2.3"),), 0),
        ((PresentationContextAC(1, 0),), 0),
        ((PresentationContextAC(1, 4), accepted(1)), 4),
    ],
)
def test_a_context_that_is_not_answered_properly_is_not_usable(
    contexts: tuple[PresentationContextAC, ...], result: int | None
) -> None:
    agreement = conclude(ask(), answer(*contexts), Side.REQUESTOR)
    assert agreement.accepted == {}
    assert agreement.rejected == {1: RejectedContext(1, VERIFICATION, result)}


def test_answers_are_matched_by_id_whatever_their_order() -> None:
    agreement = conclude(REQUEST, answer(accepted(3), PresentationContextAC(1, 2)), Side.REQUESTOR)
    assert list(agreement.accepted) == [3]
    assert list(agreement.rejected) == [1]


ROLES: list[dict[str, Any]] = document("reject_abort")["role_selection"]["table"]


@pytest.mark.parametrize("row", ROLES)
def test_roles_follow_the_table_on_both_sides(row: dict[str, Any]) -> None:
    request = ask(RoleSelection(VERIFICATION, row["proposed_scu"], row["proposed_scp"]))
    back = row["returned"]
    items = () if back is None else (RoleSelection(VERIFICATION, back["scu"], back["scp"]),)
    for side, key in ((Side.REQUESTOR, "requestor_roles"), (Side.ACCEPTOR, "acceptor_roles")):
        context = conclude(request, answer(accepted(1), items=items), side).accepted[1]
        assert (context.as_scu, context.as_scp) == ("SCU" in row[key], "SCP" in row[key])


def test_roles_nobody_proposed_are_ignored() -> None:
    items = (RoleSelection(VERIFICATION, 1, 1),)
    context = conclude(ask(), answer(accepted(1), items=items), Side.REQUESTOR).accepted[1]
    assert (context.as_scu, context.as_scp) == (True, False)


@pytest.mark.parametrize(("offered", "ours", "result"), [(0, 0, 0), (0, 3, 3), (3, 0, 3), (3, 2, 2), (2, 3, 2)])
def test_no_limit_is_wider_than_any(offered: int, ours: int, result: int) -> None:
    assert narrow(offered, ours) == result


@pytest.mark.parametrize(
    ("offered", "answered", "window"),
    [
        (None, None, (1, 1)),
        ((5, 3), None, (1, 1)),
        (None, (5, 3), (1, 1)),
        ((5, 3), (2, 3), (2, 3)),
        ((0, 0), (0, 7), (0, 7)),
        ((5, 3), (9, 0), (5, 3)),
    ],
)
def test_the_window_is_what_was_answered_within_what_was_offered(
    offered: tuple[int, int] | None, answered: tuple[int, int] | None, window: tuple[int, int]
) -> None:
    request = ask(*(() if offered is None else (AsynchronousOperationsWindow(*offered),)))
    items = () if answered is None else (AsynchronousOperationsWindow(*answered),)
    requestor, acceptor = (conclude(request, answer(accepted(1), items=items), side) for side in BOTH)
    assert (requestor.operations_invoked, requestor.operations_performed) == window
    assert (requestor.may_invoke, requestor.may_perform) == window
    assert (acceptor.may_perform, acceptor.may_invoke) == window


def test_each_side_knows_its_own_and_the_peers_maximum_length_and_implementation() -> None:
    request = build_request(
        "A", "B", (), maximum_length=0, implementation_class_uid="1.2", implementation_version_name=None
    )
    items = (MaximumLength(64), ImplementationClassUid("1.3"), ImplementationVersionName("PEER"))
    requestor, acceptor = (conclude(request, answer(items=items), side) for side in BOTH)
    assert (requestor.own_maximum_length, requestor.peer_maximum_length) == (0, 64)
    assert (acceptor.own_maximum_length, acceptor.peer_maximum_length) == (64, 0)
    assert requestor.peer_implementation == acceptor.acceptor_implementation == Implementation("1.3", "PEER")
    assert acceptor.peer_implementation == requestor.requestor_implementation == Implementation("1.2", None)


def test_without_a_maximum_length_there_is_no_limit() -> None:
    agreement = conclude(ask(), answer(), Side.REQUESTOR)
    assert agreement.peer_maximum_length == 0
    assert agreement.peer_implementation == Implementation(None, None)


@pytest.mark.parametrize(("wanted", "expected"), [(1, UserIdentityAC(b"ticket")), (0, None)])
def test_an_identity_answer_counts_only_if_it_was_asked_for(wanted: int, expected: UserIdentityAC | None) -> None:
    identity = UserIdentityRQ(3, wanted, b"ticket")
    agreement = conclude(ask(identity), answer(items=(UserIdentityAC(b"ticket"),)), Side.REQUESTOR)
    assert agreement.user_identity == identity
    assert agreement.user_identity_answer == expected


def test_extended_negotiation_is_what_was_offered_and_answered() -> None:
    common = SopClassCommonExtendedNegotiation(VERIFICATION, "1.2")
    request = ask(SopClassExtendedNegotiation(VERIFICATION, b"\1\1"), SopClassExtendedNegotiation("1.3", b""), common)
    items = (SopClassExtendedNegotiation(VERIFICATION, b"\1"), SopClassExtendedNegotiation("1.4", b"unasked"))
    agreement = conclude(request, answer(items=items), Side.REQUESTOR)
    assert agreement.extended_negotiation == {VERIFICATION: b"\1"}
    assert agreement.common_extended_negotiation == {VERIFICATION: common}


@pytest.mark.parametrize("name", [name for name in VALID if name.startswith("RQ-")])
def test_what_is_negotiated_is_concluded_alike_on_both_sides(name: str) -> None:
    request = decode_pdu(bytes.fromhex(VALID[name]["hex"]))
    assert isinstance(request, AssociateRQ)
    policy = replace(POLICY, window=(3, 3), user_identity=lambda _: IdentityVerdict(accepted=True))
    reply = negotiate(request, policy)
    assert isinstance(reply, AssociateAC)
    requestor, acceptor = (conclude(request, reply, side) for side in BOTH)
    assert _mirrored(requestor) == acceptor


def _mirrored(agreement: Agreement) -> Agreement:
    contexts = {
        context_id: replace(context, as_scu=context.as_scp, as_scp=context.as_scu)
        for context_id, context in agreement.accepted.items()
    }
    return replace(agreement, side=agreement.side.other, accepted=contexts)


UIDS = (VERIFICATION, CT_IMAGE_STORAGE, "1.2.3\0", "")
POOL: tuple[UserItem, ...] = (
    MaximumLength(1),
    ImplementationClassUid(""),
    AsynchronousOperationsWindow(0, 7),
    UserIdentityRQ(9, 9, b""),
    UserIdentityAC(),
    *(RoleSelection(uid, scu, scp) for uid in UIDS for scu in (0, 1, 2) for scp in (0, 1)),
    *(SopClassExtendedNegotiation(uid, uid.encode()) for uid in UIDS),
    *(SopClassCommonExtendedNegotiation(uid, uid) for uid in UIDS),
)
ANY_USER_ITEMS = st.lists(st.sampled_from(POOL), max_size=6).map(lambda items: UserInformation(tuple(items)))
ANY_PROPOSALS = st.lists(
    st.sampled_from(
        [
            PresentationContextRQ(context_id, items)
            for context_id in (0, 1, 3, 255)
            for uid in UIDS
            for items in (
                (),
                (AbstractSyntax(uid),),
                (AbstractSyntax(uid), TransferSyntax(IMPLICIT), AbstractSyntax("")),
            )
        ]
    ),
    max_size=6,
)
ANY_ANSWERS = st.lists(
    st.sampled_from(
        [
            PresentationContextAC(context_id, result, tuple(map(TransferSyntax, uids)))
            for context_id in (0, 1, 3, 5)
            for result in (0, 4, 9)
            for uids in ((), (IMPLICIT,), ("",), (EXPLICIT, IMPLICIT))
        ]
    ),
    max_size=6,
)


@settings(max_examples=50)
@given(ANY_PROPOSALS, ANY_USER_ITEMS, ANY_ANSWERS, ANY_USER_ITEMS)
def test_anything_can_be_concluded(
    proposals: list[PresentationContextRQ],
    asked: UserInformation,
    answers: list[PresentationContextAC],
    answered: UserInformation,
) -> None:
    request = replace(REQUEST, items=(*proposals, asked))
    reply = replace(ANSWER, items=(answered, *answers))
    for side in BOTH:
        agreement = conclude(request, reply, side)
        assert {*agreement.accepted, *agreement.rejected} == {context.context_id for context in proposals}
        assert not {*agreement.accepted} & {*agreement.rejected}
        assert all(context.transfer_syntax == IMPLICIT for context in agreement.accepted.values())
