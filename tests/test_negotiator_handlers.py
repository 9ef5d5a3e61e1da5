"""What handlers say in answer to association requests, whatever they say."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from dicomsim.ae import AE
from dicomsim.association import Association
from dicomsim.negotiation_items import (
    AsynchronousOperationsWindowNegotiation,
    NegotiationItem,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityNegotiation,
)
from dicomsim.presentation import build_context
from dicomsim.wire.pdu import AssociateRJ
from tests.meeting import (
    CT_IMAGE_STORAGE,
    VERIFICATION,
    Calls,
    acceptor,
    meeting,
    requestor,
)


def negotiated(answering: AE, *ext_neg: NegotiationItem, asking: AE | None = None) -> Association:
    """An association that was negotiated, and is aborted by now if it was accepted."""
    with meeting(asking or requestor(), answering, ext_neg=ext_neg) as association:
        return association


def rejection(association: Association) -> tuple[int, ...]:
    """Result, source and reason."""
    assert association.is_rejected and association.outcome is not None
    return association.outcome.codes


# -- user identity ---------------------------------------------------------------------------------------------------


IDENTITIES = {
    1: (b"user", None, b""),
    2: (b"user", b"passcode", b""),
    3: (b"kerberos ticket", None, b"server ticket"),
    4: (b"<saml/>", None, b"<response/>"),
    5: (b"header.payload.signature", None, b"token"),
}
"""By type: primary and secondary field, and the acceptor's response."""


@pytest.mark.parametrize("kind", IDENTITIES)
@pytest.mark.parametrize("wanted", [False, True])
def test_an_identity_of_each_type_is_judged_and_answered_if_wanted(kind: int, wanted: bool) -> None:
    primary, secondary, response = IDENTITIES[kind]
    answering = acceptor()
    judge = answering.on_user_identity = Calls((True, response or None))
    with meeting(
        requestor(), answering, ext_neg=[UserIdentityNegotiation(kind, wanted, primary, secondary)]
    ) as association:
        assert association.is_established
        answer = association.acceptor.user_identity
        assert (response if wanted else None) == (None if answer is None else answer.server_response)
        assert (kind, primary, secondary, {"requestor": association.requestor.info}) == judge.next()


@pytest.mark.parametrize("verdict", [(False, None), (False, b"response"), False])
def test_an_identity_that_is_not_verified_rejects_the_association(verdict: Any) -> None:
    answering = acceptor(on_user_identity=Calls(verdict))
    assert (1, 2, 1) == rejection(negotiated(answering, UserIdentityNegotiation(1, True, b"user")))


@pytest.mark.parametrize("verdict", [True, (True, None)])
def test_a_verified_identity_needs_no_response(verdict: Any) -> None:
    answering = acceptor(on_user_identity=Calls(verdict))
    assert negotiated(answering, UserIdentityNegotiation(1, False, b"user")).outcome is not None
    assert not negotiated(answering, UserIdentityNegotiation(1, False, b"user")).is_rejected


@pytest.mark.parametrize("verdict", [None, 5, (True,), (True, "text"), (True, b"", b""), (True, bytes(70_000))])
def test_nonsense_about_an_identity_lets_nobody_in(verdict: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "dicomsim"):
        association = negotiated(acceptor(on_user_identity=Calls(verdict)), UserIdentityNegotiation(1, True, b"user"))
    assert association.is_rejected
    assert "Traceback" in caplog.text


def raises(*_: Any) -> Any:
    """A handler with a mistake in it."""
    raise RuntimeError("a mistake")


def test_a_handler_that_raises_over_an_identity_rejects_the_association(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "dicomsim"):
        association = negotiated(acceptor(on_user_identity=raises), UserIdentityNegotiation(1, True, b"user"))
    assert (1, 2, 1) == rejection(association)
    assert "a mistake" in caplog.text


def test_without_a_handler_an_identity_is_ignored_even_if_an_answer_is_wanted() -> None:
    with meeting(requestor(), acceptor(), ext_neg=[UserIdentityNegotiation(1, True, b"user")]) as association:
        assert association.is_established and association.acceptor.user_identity is None


def test_no_identity_asks_nobody() -> None:
    judge = Calls((False, None))
    assert not negotiated(acceptor(on_user_identity=judge)).is_rejected
    assert judge.is_empty


# -- extended negotiation --------------------------------------------------------------------------------------------

EXTENDED = SOPClassExtendedNegotiation(VERIFICATION, b"\x01\x02")


def test_extended_negotiation_is_answered_with_what_the_handler_gives() -> None:
    answering = acceptor()
    asked = answering.on_sop_class_extended = Calls({VERIFICATION: b"\x01\0"})
    with meeting(requestor(), answering, ext_neg=[EXTENDED]) as association:
        assert {VERIFICATION: b"\x01\0"} == association.acceptor.sop_class_extended
        assert {VERIFICATION: b"\x01\x02"} == asked.next()


@pytest.mark.parametrize("answer", [None, {}, {"1.2.3": b"not asked for"}])
def test_extended_negotiation_that_is_not_answered_has_no_item(answer: Any) -> None:
    with meeting(requestor(), acceptor(on_sop_class_extended=Calls(answer)), ext_neg=[EXTENDED]) as association:
        assert association.is_established and {} == association.acceptor.sop_class_extended


@pytest.mark.parametrize("handler", [raises, Calls({VERIFICATION: "text"}), Calls(5)])
def test_nonsense_about_extended_negotiation_costs_only_the_answer(
    handler: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.ERROR, "dicomsim"),
        meeting(requestor(), acceptor(on_sop_class_extended=handler), ext_neg=[EXTENDED]) as association,
    ):
        assert association.is_established and {} == association.acceptor.sop_class_extended
    assert "on_sop_class_extended failed" in caplog.text


def test_without_a_handler_extended_negotiation_is_not_answered() -> None:
    with meeting(requestor(), acceptor(), ext_neg=[EXTENDED]) as association:
        assert {} == association.acceptor.sop_class_extended


def test_an_answer_that_fits_in_no_item_rejects_for_now(caplog: pytest.LogCaptureFixture) -> None:
    answering = acceptor(on_sop_class_extended=Calls({VERIFICATION: bytes(65_530)}))
    with caplog.at_level(logging.ERROR, "dicomsim"):
        assert (2, 1, 1) == rejection(negotiated(answering, EXTENDED))


# -- common extended negotiation -------------------------------------------------------------------------------------

FUTURE = "1.2.826.0.1.3680043.9.9999.2"
STORAGE_SERVICE_CLASS = "1.2.840.10008.4.2"


@pytest.mark.parametrize(
    "item",
    [
        SOPClassCommonExtendedNegotiation(FUTURE, STORAGE_SERVICE_CLASS, []),
        SOPClassCommonExtendedNegotiation(FUTURE, "1.2.3", [CT_IMAGE_STORAGE]),
    ],
    ids=["by service class", "by related general SOP class"],
)
@pytest.mark.parametrize("picks", [True, False])
def test_a_class_that_is_picked_is_taken_as_what_it_is_akin_to(
    item: SOPClassCommonExtendedNegotiation, picks: bool
) -> None:
    answering = acceptor(CT_IMAGE_STORAGE)
    seen = Calls()

    def pick(items: dict[str, Any]) -> dict[str, Any]:
        seen(items)
        return items if picks else {}

    answering.on_sop_class_common_extended = pick
    answering.on_c_store = Calls(0)
    with meeting(requestor(FUTURE), answering, ext_neg=[item]) as association:
        assert {FUTURE: item} == seen.next()
        assert ([FUTURE] if picks else []) == [one.abstract_syntax for one in association.accepted_contexts]


@pytest.mark.parametrize("handler", [None, raises, Calls(None), Calls(5)])
def test_without_a_pick_an_unknown_class_is_rejected(handler: Any) -> None:
    item = SOPClassCommonExtendedNegotiation(FUTURE, STORAGE_SERVICE_CLASS, [CT_IMAGE_STORAGE])
    answering = acceptor(CT_IMAGE_STORAGE, on_sop_class_common_extended=handler)
    with meeting(requestor(FUTURE), answering, ext_neg=[item]) as association:
        assert [3] == [one.result for one in association.rejected_contexts]


@pytest.mark.parametrize(
    "name", ["on_user_identity", "on_sop_class_extended", "on_sop_class_common_extended", "on_async_ops_window"]
)
def test_nobody_is_asked_about_items_that_did_not_come(name: str) -> None:
    asked = Calls({})
    assert negotiated(acceptor(**{name: asked})).is_aborted
    assert asked.is_empty


# -- asynchronous operations window ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "answered", "agreed"),
    [((5, 3), (4, 2), (4, 2)), ((2, 2), (9, 9), (2, 2)), ((0, 0), (6, 0), (6, 0)), ((4, 0), (0, 0), (4, 0))],
)
def test_the_window_is_what_the_handler_gives_but_never_more_than_was_offered(
    offered: tuple[int, int], answered: tuple[int, int], agreed: tuple[int, int]
) -> None:
    answering = acceptor()
    asked = answering.on_async_ops_window = Calls(answered)
    item = AsynchronousOperationsWindowNegotiation(*offered)
    with meeting(requestor(), answering, ext_neg=[item]) as association:
        assert offered == asked.next()
        assert agreed == association.acceptor.asynchronous_operations
        agreement = association.session.agreement
        assert agreement is not None and agreed == (agreement.may_invoke, agreement.may_perform)


@pytest.mark.parametrize("handler", [None, raises, Calls(None), Calls(5), Calls((1,)), Calls((-1, 1)), Calls(("a", 1))])
def test_a_window_that_is_not_answered_is_one_operation_each(handler: Any) -> None:
    item = AsynchronousOperationsWindowNegotiation(5, 5)
    with meeting(requestor(), acceptor(on_async_ops_window=handler), ext_neg=[item]) as association:
        assert association.is_established and (1, 1) == association.acceptor.asynchronous_operations
        assert AsynchronousOperationsWindowNegotiation not in map(type, association.acceptor.user_information)


# -- the request as a whole ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "codes"),
    [(False, (1, 1, 1)), ((2, 3, 1), (2, 3, 1)), (AssociateRJ(1, 1, 10), (1, 1, 10)), ((9, 9, 9), (9, 9, 9))],
)
def test_a_request_may_be_rejected_with_any_codes(verdict: Any, codes: tuple[int, int, int]) -> None:
    assert codes == rejection(negotiated(acceptor(on_association_requested=Calls(verdict))))


@pytest.mark.parametrize("verdict", [None, True])
def test_a_request_that_is_not_rejected_is_negotiated(verdict: Any) -> None:
    answering = acceptor()
    asked = answering.on_association_requested = Calls(verdict)
    with meeting(requestor(), answering, ae_title="ACCEPTOR") as association:
        assert association.is_established
        primitive = asked.next()
        assert (b"REQUESTOR       ", b"ACCEPTOR        ") == (primitive.calling_ae_title, primitive.called_ae_title)
        assert [VERIFICATION] == [
            one.abstract_syntax for one in primitive.presentation_context_definition_list
        ]


@pytest.mark.parametrize("verdict", [5, "no", (1, 1), (1, 1, 256), (1, 1, None), (True, 1, 1)])
def test_nonsense_about_a_request_rejects_it_for_now(verdict: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "dicomsim"):
        assert (2, 1, 1) == rejection(negotiated(acceptor(on_association_requested=Calls(verdict))))
    assert repr(verdict) in caplog.text


def test_a_handler_that_raises_over_a_request_rejects_it_for_now(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "dicomsim"):
        assert (2, 1, 1) == rejection(negotiated(acceptor(on_association_requested=raises)))
    assert "a mistake" in caplog.text


@pytest.mark.parametrize(
    ("name", "item", "codes"),
    [
        ("on_association_requested", None, (2, 1, 1)),
        ("on_user_identity", UserIdentityNegotiation(1, False, b"user"), (1, 2, 1)),
        ("on_sop_class_extended", SOPClassExtendedNegotiation(VERIFICATION, b"\x01"), None),
        ("on_sop_class_common_extended", SOPClassCommonExtendedNegotiation(VERIFICATION, "1.2.3", []), None),
        ("on_async_ops_window", AsynchronousOperationsWindowNegotiation(2, 2), None),
    ],
)
def test_a_handler_that_would_leave_the_program_leaves_no_request_unanswered(
    name: str, item: NegotiationItem | None, codes: tuple[int, ...] | None
) -> None:
    def leaves(*arguments: Any) -> Any:
        raise SystemExit

    asking = requestor()
    asking.acse_timeout = 5.0
    association = negotiated(acceptor(**{name: leaves}), *([] if item is None else [item]), asking=asking)
    assert codes == (None if association.accepted_contexts else rejection(association))


def test_a_request_handler_may_take_no_argument() -> None:
    answering = acceptor()
    answering.on_association_requested = lambda: False
    assert (1, 1, 1) == rejection(negotiated(answering))


def test_settings_still_count_after_the_handlers_consent() -> None:
    answering = acceptor(require_called_aet="OTHER", on_association_requested=Calls(True))
    assert (1, 1, 7) == rejection(negotiated(answering))


def test_supported_contexts_may_be_changed_while_a_request_is_looked_at() -> None:
    answering = AE()

    def learn() -> None:
        answering.add_supported_context(VERIFICATION)

    answering.on_association_requested = learn
    with meeting(requestor(), answering) as association:
        assert 0 == association.c_echo().status
        assert build_context(VERIFICATION).abstract_syntax == association.accepted_contexts[0].abstract_syntax
