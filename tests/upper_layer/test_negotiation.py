from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from dicomsim import __version__
from dicomsim.events import Side
from dicomsim.upper_layer import rejections
from dicomsim.upper_layer.negotiation import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    AcceptorPolicy,
    IdentityVerdict,
    SupportedContext,
    build_request,
    negotiate,
    propose,
)
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.items import (
    ApplicationContext,
    AsynchronousOperationsWindow,
    ImplementationClassUid,
    ImplementationVersionName,
    MaximumLength,
    PresentationContextRQ,
    RoleSelection,
    SopClassCommonExtendedNegotiation,
    SopClassExtendedNegotiation,
    TransferSyntax,
    UnknownItem,
    UserIdentityAC,
    UserIdentityRQ,
    UserInformation,
    UserItem,
)
from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ
from tests.oracle import document
from tests.upper_layer.driving import (
    CT_IMAGE_STORAGE,
    EXPLICIT,
    IMPLICIT,
    POLICY,
    REQUEST,
    STUDY_ROOT_FIND,
    VERIFICATION,
)
from tests.wire.vectors import VALID

VECTOR_UID = "1.2.826.0.1.3680043.9.3811.99.1"
VECTOR_NAME = "DICOMSIM_010"
JPEG = "1.2.840.10008.1.2.4.50"

ANSWERED = [
    (step, before)
    for conversation in document("vectors/conversations")["conversations"]
    for before, step in zip(conversation["steps"], conversation["steps"][1:], strict=False)
    if step.get("pdu") in ("A-ASSOCIATE-AC", "A-ASSOCIATE-RJ") and conversation["id"] != "CV-09"
]


def ask(*items: UserItem, contexts: tuple[PresentationContextRQ, ...] | None = None, **changes: Any) -> AssociateRQ:
    """A request for Verification, with these user information sub-items besides."""
    proposed = contexts or propose([(VERIFICATION, (IMPLICIT,))])
    return replace(build_request("ANY-SCP", "DICOMSIM", proposed, items=items), **changes)


def accepting(request: AssociateRQ, policy: AcceptorPolicy = POLICY, **changes: Any) -> AssociateAC:
    answer = negotiate(request, replace(policy, **changes))
    assert isinstance(answer, AssociateAC)
    return answer


def results(answer: AssociateAC) -> list[tuple[int, int, str | None]]:
    return [(context.context_id, context.result, context.transfer_syntax) for context in answer.presentation_contexts]


def items_of(answer: AssociateAC, kind: type[Any]) -> list[Any]:
    return [item for item in answer.user_information if isinstance(item, kind)]


@pytest.mark.parametrize(("step", "before"), ANSWERED)
def test_the_answers_of_the_conversations_are_given(step: dict[str, Any], before: dict[str, Any]) -> None:
    request, expected = decode_pdu(bytes.fromhex(before["hex"])), decode_pdu(bytes.fromhex(step["hex"]))
    assert isinstance(request, AssociateRQ)
    length = name = None
    if isinstance(expected, AssociateAC):
        length, name = expected.user_item(MaximumLength), expected.user_item(ImplementationVersionName)
    policy = replace(
        POLICY,
        called_ae_titles={"ANY-SCP"},
        calling_ae_titles={"DICOMSIM"},
        maximum_length=length.value if length else 0,
        implementation_class_uid=VECTOR_UID,
        implementation_version_name=name.name if name else None,
        user_identity=lambda _: IdentityVerdict(accepted=True),
    )
    answer = negotiate(request, policy)
    if isinstance(expected, AssociateAC):  # CV-06 has its sub-items in another order
        *items, information = expected.items
        assert isinstance(information, UserInformation)
        order = sorted(information.items, key=lambda item: item.TYPE)  # type: ignore[union-attr]
        expected = replace(expected, items=(*items, UserInformation(tuple(order))))
    assert answer == expected


@pytest.mark.parametrize("name", [name for name in VALID if name.startswith("RQ-")])
def test_every_valid_request_gets_an_answer_for_each_context_in_order(name: str) -> None:
    request = decode_pdu(bytes.fromhex(VALID[name]["hex"]))
    assert isinstance(request, AssociateRQ)
    answer = accepting(request)
    assert [context.context_id for context in answer.presentation_contexts] == [
        context.context_id for context in request.presentation_contexts
    ]
    assert decode_pdu(encode_pdu(answer)) == answer


def test_the_answer_copies_the_titles_and_the_32_reserved_bytes() -> None:
    request = ask(reserved=(9, b"ab", bytes(range(32))), called_ae_title=b"  ANY-SCP       ", protocol_version=0xFFFF)
    answer = accepting(request)
    assert (answer.called_ae_title, answer.calling_ae_title) == (b"  ANY-SCP       ", b"DICOMSIM        ")
    assert answer.reserved == (0, bytes(2), bytes(range(32)))
    assert answer.protocol_version == 1


@pytest.mark.parametrize(
    ("changes", "policy", "rejection"),
    [
        ({"called_ae_title": b" " * 16}, {}, rejections.CALLED_AE_TITLE),
        ({"called_ae_title": bytes(16)}, {}, rejections.CALLED_AE_TITLE),
        ({"calling_ae_title": b" " * 16}, {}, rejections.CALLING_AE_TITLE),
        ({}, {"called_ae_titles": {"STORE"}}, rejections.CALLED_AE_TITLE),
        ({}, {"calling_ae_titles": {"STORE"}}, rejections.CALLING_AE_TITLE),
        ({}, {"called_ae_titles": {"STORE"}, "calling_ae_titles": set()}, rejections.CALLED_AE_TITLE),
        ({"called_ae_title": b"any-scp         "}, {"called_ae_titles": {"ANY-SCP"}}, rejections.CALLED_AE_TITLE),
        ({"items": (ApplicationContext("1.2.840.10008.3.1.1.2"),)}, {}, rejections.APPLICATION_CONTEXT),
        ({"items": ()}, {}, rejections.APPLICATION_CONTEXT),
    ],
)
def test_an_association_is_rejected_for_what_it_says(
    changes: dict[str, Any], policy: dict[str, Any], rejection: AssociateRJ
) -> None:
    assert negotiate(ask(**changes), replace(POLICY, **policy)) is rejection


def test_blanks_around_a_title_do_not_matter() -> None:
    accepting(ask(called_ae_title=b"   ANY-SCP      "), called_ae_titles={"ANY-SCP"})


def test_another_application_context_is_answered_by_its_name() -> None:
    request = replace(REQUEST, items=(ApplicationContext("1.2.3"), *REQUEST.items[1:]))
    assert accepting(request, application_contexts={"1.2.3"}).application_context == "1.2.3"


def test_each_context_is_judged_by_itself() -> None:
    contexts = (
        PresentationContextRQ.of(7, "1.2.3", EXPLICIT, IMPLICIT),
        PresentationContextRQ.of(1, VERIFICATION, JPEG, EXPLICIT),
        PresentationContextRQ.of(5, VERIFICATION, JPEG, IMPLICIT),
        PresentationContextRQ.of(255, CT_IMAGE_STORAGE, IMPLICIT),
    )
    assert results(accepting(ask(contexts=contexts))) == [
        (7, 3, EXPLICIT),
        (1, 4, JPEG),
        (5, 0, IMPLICIT),
        (255, 0, IMPLICIT),
    ]


def test_all_128_contexts_may_be_rejected_and_the_association_stands() -> None:
    request = ask(contexts=propose([("1.2.3", (IMPLICIT,))] * 128))
    assert results(accepting(request)) == [(context_id, 3, IMPLICIT) for context_id in range(1, 256, 2)]


@pytest.mark.parametrize(("prefer", "chosen"), [(Side.ACCEPTOR, EXPLICIT), (Side.REQUESTOR, IMPLICIT)])
def test_one_side_orders_the_transfer_syntaxes(prefer: Side, chosen: str) -> None:
    request = ask(contexts=propose([(VERIFICATION, (JPEG, IMPLICIT, EXPLICIT))]))
    contexts = {VERIFICATION: SupportedContext((EXPLICIT, IMPLICIT))}
    assert results(accepting(request, contexts=contexts, prefer=prefer)) == [(1, 0, chosen)]


def test_uids_padded_by_old_peers_are_known_and_answered_without_padding() -> None:
    request = ask(contexts=(PresentationContextRQ.of(1, VERIFICATION + "\0", IMPLICIT + "\0"),))
    assert results(accepting(request)) == [(1, 0, IMPLICIT)]


@pytest.mark.parametrize(
    ("flags", "proposed", "answered", "result"),
    [
        ((True, True), (1, 1), (1, 1), 0),
        ((True, True), (0, 1), (0, 1), 0),
        ((True, True), (1, 0), (1, 0), 0),
        ((False, True), (1, 1), (0, 1), 0),
        ((True, False), (0, 1), (0, 0), 1),
        ((True, True), (0, 0), (0, 0), 1),
        ((None, True), (1, 1), None, 0),
        ((None, None), (0, 0), None, 0),
    ],
)
def test_roles_are_answered_as_far_as_proposed_and_wanted(
    flags: tuple[bool | None, bool | None], proposed: tuple[int, int], answered: tuple[int, int] | None, result: int
) -> None:
    request = ask(RoleSelection(VERIFICATION, *proposed))
    answer = accepting(request, contexts={VERIFICATION: SupportedContext((IMPLICIT,), *flags)})
    expected = [] if answered is None else [RoleSelection(VERIFICATION, *answered)]
    assert items_of(answer, RoleSelection) == expected
    assert [context.result for context in answer.presentation_contexts] == [result]


def test_roles_for_what_is_not_proposed_or_not_supported_get_no_answer() -> None:
    items = (RoleSelection(CT_IMAGE_STORAGE, 1, 1), RoleSelection("1.2.3", 1, 1))
    request = ask(*items, contexts=propose([(VERIFICATION, (IMPLICIT,)), ("1.2.3", (IMPLICIT,))]))
    assert items_of(accepting(request), RoleSelection) == []


def test_without_a_proposal_no_role_is_answered() -> None:
    assert items_of(accepting(REQUEST), RoleSelection) == []


def test_the_required_items_are_there_once_and_in_order() -> None:
    request = ask(
        AsynchronousOperationsWindow(3, 3),
        RoleSelection(VERIFICATION, 1, 1),
        SopClassExtendedNegotiation(VERIFICATION, b"\1"),
        SopClassCommonExtendedNegotiation(VERIFICATION, "1.2"),
        UserIdentityRQ(3, 1, b"ticket"),
    )
    answer = accepting(
        request,
        contexts={VERIFICATION: SupportedContext((IMPLICIT,), True, True)},
        maximum_length=4096,
        window=(0, 0),
        extended_negotiation=lambda offered: offered,
        user_identity=lambda _: IdentityVerdict(accepted=True, response=b"server ticket"),
    )
    assert answer.user_information == (
        MaximumLength(4096),
        ImplementationClassUid(IMPLEMENTATION_CLASS_UID),
        AsynchronousOperationsWindow(3, 3),
        RoleSelection(VERIFICATION, 1, 1),
        ImplementationVersionName(IMPLEMENTATION_VERSION_NAME),
        SopClassExtendedNegotiation(VERIFICATION, b"\1"),
        UserIdentityAC(b"server ticket"),
    )


@pytest.mark.parametrize(
    ("offered", "ours", "answered"),
    [
        ((5, 5), (2, 9), (2, 5)),
        ((0, 0), (4, 0), (4, 0)),
        ((3, 1), (0, 0), (3, 1)),
        ((5, 5), None, None),
        ((5, 5), lambda invoked, performed: (invoked + 1, performed - 1), (5, 4)),
        ((5, 5), lambda invoked, performed: None, None),
    ],
)
def test_a_window_is_answered_within_the_one_offered(offered: tuple[int, int], ours: Any, answered: Any) -> None:
    answer = accepting(ask(AsynchronousOperationsWindow(*offered)), window=ours)
    expected = [] if answered is None else [AsynchronousOperationsWindow(*answered)]
    assert items_of(answer, AsynchronousOperationsWindow) == expected


def test_a_window_that_was_not_offered_is_not_answered() -> None:
    assert items_of(accepting(ask(), window=(0, 0)), AsynchronousOperationsWindow) == []


@pytest.mark.parametrize("identity_type", range(1, 6))
@pytest.mark.parametrize("wanted", [0, 1])
def test_an_identity_is_judged_and_answered_if_that_was_asked_for(identity_type: int, wanted: int) -> None:
    seen = []

    def judge(identity: UserIdentityRQ) -> IdentityVerdict:
        seen.append(identity)
        return IdentityVerdict(accepted=True, response=b"answer")

    identity = UserIdentityRQ(identity_type, wanted, b"alice")
    answer = accepting(ask(identity), user_identity=judge)
    assert seen == [identity]
    assert items_of(answer, UserIdentityAC) == [UserIdentityAC(b"answer")] * wanted


def test_an_identity_that_is_refused_rejects_the_association() -> None:
    policy = replace(POLICY, user_identity=lambda _: IdentityVerdict(accepted=False))
    assert negotiate(ask(UserIdentityRQ(2, 0, b"alice", b"wrong")), policy) is rejections.USER_IDENTITY


@pytest.mark.parametrize("judge", [None, lambda _: None])
def test_an_identity_that_is_not_supported_gets_no_answer(judge: Any) -> None:
    assert items_of(accepting(ask(UserIdentityRQ(4, 1, b"<saml/>")), user_identity=judge), UserIdentityAC) == []


@pytest.mark.parametrize("identity_type", [0, 6, 255])
def test_an_identity_of_a_reserved_type_is_not_judged(identity_type: int) -> None:
    policy = replace(POLICY, user_identity=lambda _: IdentityVerdict(accepted=False))
    assert items_of(accepting(ask(UserIdentityRQ(identity_type, 1, b"?")), policy), UserIdentityAC) == []


def test_extended_negotiation_is_answered_for_what_is_proposed_and_offered() -> None:
    seen = []

    def answer_some(offered: Mapping[str, bytes]) -> Mapping[str, bytes]:
        seen.append(dict(offered))
        return {STUDY_ROOT_FIND: b"\1\0", VERIFICATION: b"not offered"}

    items = (
        SopClassExtendedNegotiation(STUDY_ROOT_FIND, b"\1\1"),
        SopClassExtendedNegotiation(STUDY_ROOT_FIND, b"a second one"),
        SopClassExtendedNegotiation(CT_IMAGE_STORAGE, b"no answer"),
        SopClassExtendedNegotiation("1.2.3", b"not proposed"),
    )
    contexts = propose([(uid, (IMPLICIT,)) for uid in (STUDY_ROOT_FIND, CT_IMAGE_STORAGE, VERIFICATION)])
    answer = accepting(ask(*items, contexts=contexts), extended_negotiation=answer_some)
    assert seen == [{STUDY_ROOT_FIND: b"\1\1", CT_IMAGE_STORAGE: b"no answer"}]
    assert items_of(answer, SopClassExtendedNegotiation) == [SopClassExtendedNegotiation(STUDY_ROOT_FIND, b"\1\0")]


def test_nobody_is_asked_about_extended_negotiation_that_is_not_offered() -> None:
    def fail(offered: Mapping[str, bytes]) -> Mapping[str, bytes]:
        raise AssertionError(offered)

    accepting(ask(SopClassExtendedNegotiation("1.2.3", b"not proposed")), extended_negotiation=fail)


PRIVATE = "1.2.826.0.1.3680043.9.3811.5"
STORAGE_SERVICE = "1.2.840.10008.4.2"


@pytest.mark.parametrize(
    ("item", "result"),
    [
        (SopClassCommonExtendedNegotiation(PRIVATE, STORAGE_SERVICE), 0),
        (SopClassCommonExtendedNegotiation(PRIVATE, "1.2.3", ("1.2.4", CT_IMAGE_STORAGE)), 0),
        (SopClassCommonExtendedNegotiation(PRIVATE, "1.2.3", ("1.2.4",)), 3),
        (SopClassCommonExtendedNegotiation(PRIVATE, STORAGE_SERVICE, version=1, rest=b"later"), 0),
        (SopClassCommonExtendedNegotiation(VERIFICATION, STORAGE_SERVICE), 3),
    ],
)
def test_an_unknown_sop_class_may_be_taken_for_its_service_class_or_a_related_class(
    item: SopClassCommonExtendedNegotiation, result: int
) -> None:
    request = ask(item, contexts=propose([(PRIVATE, (IMPLICIT,))]))
    services = {STORAGE_SERVICE: SupportedContext((IMPLICIT,))}
    answer = accepting(request, common_extended_negotiation=lambda offered: offered, service_classes=services)
    assert results(answer) == [(1, result, IMPLICIT)]
    assert items_of(answer, SopClassCommonExtendedNegotiation) == []
    unasked = accepting(request, service_classes=services)
    assert results(unasked) == [(1, 3, IMPLICIT)]


def test_a_supported_sop_class_stays_what_it_is_whatever_it_is_related_to() -> None:
    request = ask(SopClassCommonExtendedNegotiation(VERIFICATION, STORAGE_SERVICE))
    services = {STORAGE_SERVICE: SupportedContext((EXPLICIT,))}
    answer = accepting(request, common_extended_negotiation=lambda offered: offered, service_classes=services)
    assert results(answer) == [(1, 0, IMPLICIT)]


def test_a_request_is_built_as_the_vectors_have_it() -> None:
    request = build_request(
        "ANY-SCP",
        b"DICOMSIM",
        propose([(VERIFICATION, (IMPLICIT,))]),
        implementation_class_uid=VECTOR_UID,
        implementation_version_name=VECTOR_NAME,
    )
    assert encode_pdu(request).hex() == VALID["RQ-001"]["hex"]


def test_sub_items_of_a_request_are_sent_in_ascending_order() -> None:
    items = (UnknownItem(0x5A, b""), UserIdentityRQ(1, 0, b"a"), AsynchronousOperationsWindow(1, 1))
    request = build_request("A", "B", (), items=items, implementation_version_name=None)
    types = [item.item_type if isinstance(item, UnknownItem) else item.TYPE for item in request.user_information]
    assert types == [0x51, 0x52, 0x53, 0x58, 0x5A]


def test_contexts_are_numbered_oddly() -> None:
    contexts = propose([(VERIFICATION, (IMPLICIT, EXPLICIT)), (CT_IMAGE_STORAGE, (JPEG,))])
    assert contexts == (
        PresentationContextRQ.of(1, VERIFICATION, IMPLICIT, EXPLICIT),
        PresentationContextRQ.of(3, CT_IMAGE_STORAGE, JPEG),
    )


def test_an_illegal_request_can_be_built() -> None:
    context = PresentationContextRQ(2, (TransferSyntax("not a UID"),))
    request = build_request(b"", "seventeen letters!", (context,), maximum_length=1)
    assert request.called_ae_title == b" " * 16
    assert request.calling_ae_title == b"seventeen letters!"
    assert request.presentation_contexts == (context,)


def test_dicomsim_names_itself_as_the_standard_wants() -> None:
    assert re.fullmatch(r"2\.25\.[1-9][0-9]*", IMPLEMENTATION_CLASS_UID)
    assert int(IMPLEMENTATION_CLASS_UID[5:]) < 1 << 128
    assert len(IMPLEMENTATION_CLASS_UID) <= 64
    assert IMPLEMENTATION_VERSION_NAME == f"DICOMSIM_{__version__.replace('.', '')}"
    assert len(IMPLEMENTATION_VERSION_NAME) <= 16
