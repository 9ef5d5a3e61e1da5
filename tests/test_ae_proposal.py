"""The association request that `associate` makes of its arguments."""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim import ae_proposal, tls
from dicomsim.ae import AE
from dicomsim.negotiation_items import (
    AsynchronousOperationsWindowNegotiation,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
    NegotiationItem,
    SCP_SCU_RoleSelectionNegotiation,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityNegotiation,
    build_role,
)
from dicomsim.presentation import PresentationContext, build_context
from dicomsim.wire import items
from dicomsim.wire.pdu import AssociateRQ
from tests.meeting import CT_IMAGE_STORAGE, EXPLICIT, IMPLICIT, VERIFICATION


def proposed(
    *ext_neg: Any, contexts: list[PresentationContext] | None = None, max_pdu: int | None = None, called: Any = "PEER"
) -> AssociateRQ:
    """The request for these, by an AE with default settings."""
    return ae_proposal.request(
        AE("US"), called, [build_context(VERIFICATION)] if contexts is None else contexts, max_pdu, ext_neg
    )[0]


def user_items(request: AssociateRQ, kind: type) -> list[Any]:
    """The user information items of one kind."""
    return [item for item in request.user_information if isinstance(item, kind)]


def test_a_request_has_both_titles_the_application_context_and_who_we_are() -> None:
    request = proposed()
    assert (b"PEER            ", b"US              ") == (request.called_ae_title, request.calling_ae_title)
    assert "1.2.840.10008.3.1.1.1" == request.application_context
    kinds = [items.MaximumLength, items.ImplementationClassUid, items.ImplementationVersionName]
    assert kinds == [type(item) for item in request.user_information]


def test_contexts_are_numbered_from_one_in_odd_steps() -> None:
    contexts = [build_context(VERIFICATION, IMPLICIT), build_context(CT_IMAGE_STORAGE), build_context(VERIFICATION)]
    request = proposed(contexts=contexts)
    assert [1, 3, 5] == [one.context_id for one in request.presentation_contexts]
    assert [VERIFICATION, CT_IMAGE_STORAGE, VERIFICATION] == [
        one.abstract_syntax for one in request.presentation_contexts
    ]
    assert (IMPLICIT,) == request.presentation_contexts[0].transfer_syntaxes


def test_an_id_that_is_set_is_kept_and_the_others_go_round_it() -> None:
    contexts = [PresentationContext(VERIFICATION, IMPLICIT, number) for number in (None, 3, None, 2)]
    assert [1, 3, 5, 2] == [one.context_id for one in proposed(contexts=contexts).presentation_contexts]


def test_128_contexts_fit_and_one_more_does_not() -> None:
    contexts = [build_context(VERIFICATION)] * 128
    assert list(range(1, 256, 2)) == [one.context_id for one in proposed(contexts=contexts).presentation_contexts]
    with pytest.raises(ValueError, match="129"):
        proposed(contexts=contexts + contexts[:1])


def test_nothing_to_propose_is_a_runtime_error() -> None:
    with pytest.raises(RuntimeError, match="requested_contexts"):
        proposed(contexts=[])


@pytest.mark.parametrize(("announced", "expected"), [(None, 16382), (0, 0), (1, 1), (2**32 - 1, 2**32 - 1)])
def test_the_maximum_length_is_the_one_given_or_that_of_the_ae(announced: int | None, expected: int) -> None:
    request, limit = ae_proposal.request(AE("US"), "PEER", [build_context(VERIFICATION)], announced, None)
    assert expected == limit == user_items(request, items.MaximumLength)[0].value


ITEMS: list[NegotiationItem] = [
    AsynchronousOperationsWindowNegotiation(5, 0),
    build_role(CT_IMAGE_STORAGE, scp_role=True),
    SOPClassExtendedNegotiation(CT_IMAGE_STORAGE, b"\x02"),
    SOPClassCommonExtendedNegotiation("1.2.3", "1.2.840.10008.4.2", [CT_IMAGE_STORAGE]),
    UserIdentityNegotiation(2, True, b"user", b"pass"),
]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: type(item).__name__)
def test_an_extended_negotiation_item_goes_into_the_request_once(item: NegotiationItem) -> None:
    assert [item.to_item()] == user_items(proposed(item), type(item.to_item()))


def test_wire_items_may_be_given_as_they_are_unknown_ones_too() -> None:
    unknown = items.UnknownItem(0x5E, b"x")
    request = proposed(unknown, items.RoleSelection(CT_IMAGE_STORAGE, 2, 3))
    assert [unknown] == user_items(request, items.UnknownItem)
    assert [items.RoleSelection(CT_IMAGE_STORAGE, 2, 3)] == user_items(request, items.RoleSelection)


def test_given_notifications_take_the_place_of_those_of_the_ae() -> None:
    given = [
        MaximumLengthNotification(0),
        ImplementationClassUIDNotification("1.2.3"),
        ImplementationVersionNameNotification(b"OTHER"),
    ]
    assert [one.to_item() for one in given] == list(proposed(*given).user_information)


def test_an_ae_without_a_version_name_sends_none() -> None:
    ae = AE()
    ae.implementation_version_name = None
    request, _ = ae_proposal.request(ae, "PEER", [build_context(VERIFICATION)], None, None)
    assert [] == user_items(request, items.ImplementationVersionName)


def with_roles(uid: str, scu: bool | None, scp: bool | None) -> PresentationContext:
    """A context with roles."""
    context = build_context(uid, EXPLICIT)
    context.scu_role, context.scp_role = scu, scp
    return context


@pytest.mark.parametrize(
    ("scu", "scp", "sent"),
    [(None, None, None), (True, None, (1, 0)), (None, True, (0, 1)), (True, True, (1, 1)), (False, True, (0, 1))],
)
def test_the_roles_of_a_context_are_proposed(scu: bool | None, scp: bool | None, sent: tuple[int, int] | None) -> None:
    roles = user_items(proposed(contexts=[with_roles(CT_IMAGE_STORAGE, scu, scp)]), items.RoleSelection)
    assert ([] if sent is None else [items.RoleSelection(CT_IMAGE_STORAGE, *sent)]) == roles


def test_the_roles_of_several_contexts_of_a_class_are_one_item() -> None:
    contexts = [with_roles(CT_IMAGE_STORAGE, True, None), with_roles(CT_IMAGE_STORAGE, None, True)]
    assert [items.RoleSelection(CT_IMAGE_STORAGE, 1, 1)] == user_items(proposed(contexts=contexts), items.RoleSelection)


def test_a_role_item_that_is_given_goes_before_the_roles_of_contexts() -> None:
    item = SCP_SCU_RoleSelectionNegotiation(CT_IMAGE_STORAGE, True, True)
    request = proposed(item, contexts=[with_roles(CT_IMAGE_STORAGE, False, True)])
    assert [items.RoleSelection(CT_IMAGE_STORAGE, 1, 1)] == user_items(request, items.RoleSelection)


@pytest.mark.parametrize("item", ["item", 5, build_context(VERIFICATION)])
def test_what_is_no_item_is_refused(item: Any) -> None:
    with pytest.raises(TypeError, match="ext_neg") as raised:
        proposed(item)
    assert repr(item) in str(raised.value)


def test_an_item_that_lacks_something_is_refused() -> None:
    with pytest.raises(ValueError, match="sop_class_uid"):
        proposed(SOPClassExtendedNegotiation())


@pytest.mark.parametrize(("called", "error"), [("", ValueError), ("x" * 17, ValueError), (5, TypeError)])
def test_a_called_title_that_cannot_be_is_refused(called: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="ae_title"):
        proposed(called=called)


@pytest.mark.parametrize(
    ("addr", "port", "error"),
    [(5, 1, TypeError), ("", 1, ValueError), ("h", "1", TypeError), ("h", 0, ValueError), ("h", 65536, ValueError)],
)
def test_a_target_is_a_host_and_a_port(addr: Any, port: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        ae_proposal.check_target(addr, port)


@pytest.mark.parametrize(
    ("address", "error"), [("h", TypeError), (("h",), TypeError), ((5, 0), TypeError), (("", -1), ValueError)]
)
def test_an_address_of_our_own_is_a_host_and_a_port(address: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        ae_proposal.check_bind(address)


@pytest.mark.parametrize("arguments", ["context", ("context", "host"), (), None])
def test_tls_arguments_are_a_context_and_a_name(arguments: Any) -> None:
    with pytest.raises(TypeError, match="tls_args"):
        ae_proposal.check_tls(arguments)


@pytest.mark.parametrize("name", [".", "a..b", "x" * 64])
def test_a_name_that_no_host_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="host name") as raised:
        ae_proposal.check_tls((tls.client_context(), name))
    assert repr(name) in str(raised.value)
