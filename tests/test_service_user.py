"""What each end of an association is known to have said of itself, seen from both ends."""

from __future__ import annotations

import pytest

from dicomsim.association import Association
from dicomsim.negotiation_items import (
    AsynchronousOperationsWindowNegotiation,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityNegotiation,
    build_role,
)
from tests.meeting import CT_IMAGE_STORAGE, VERIFICATION, Calls, acceptor, meeting, requestor

ITEMS = [
    AsynchronousOperationsWindowNegotiation(3, 2),
    build_role(CT_IMAGE_STORAGE, scu_role=True, scp_role=True),
    SOPClassExtendedNegotiation(CT_IMAGE_STORAGE, b"\x02\0\x03\0\x01\0"),
    SOPClassCommonExtendedNegotiation("1.2.3", "1.2.840.10008.4.2", [CT_IMAGE_STORAGE]),
    UserIdentityNegotiation(1, True, b"user"),
]


@pytest.fixture
def both_ends() -> object:
    """The association as the requestor has it, and as the acceptor does."""
    asking = requestor(VERIFICATION, CT_IMAGE_STORAGE, maximum_pdu_size=0, implementation_version_name="ASKS")
    answering = acceptor(VERIFICATION, maximum_pdu_size=4096, implementation_class_uid="1.2.3")
    answering.add_supported_context(CT_IMAGE_STORAGE, scu_role=True, scp_role=True)
    accepted = answering.on_association_accepted = Calls()
    answering.on_sop_class_extended = lambda offered: offered
    answering.on_async_ops_window = lambda invoked, performed: (2, 2)
    answering.on_user_identity = lambda *arguments: (True, None)
    with meeting(asking, answering, ext_neg=ITEMS) as association:
        yield association, accepted.next().association


BothEnds = tuple[Association, Association]


def test_titles_and_addresses_are_the_same_from_both_ends(both_ends: BothEnds) -> None:
    for association in both_ends:
        assert (b"REQUESTOR       ", b"ANY-SCP         ") == (
            association.requestor.ae_title,
            association.acceptor.ae_title,
        )
        assert "127.0.0.1" == association.requestor.address == association.acceptor.address
    ours, theirs = both_ends
    assert (ours.requestor.port, ours.acceptor.port) == (theirs.requestor.port, theirs.acceptor.port)
    assert ours.requestor.port not in (0, ours.acceptor.port)


def test_each_end_knows_which_it_is(both_ends: BothEnds) -> None:
    for association in both_ends:
        assert association.requestor.is_requestor and not association.requestor.is_acceptor
        assert association.acceptor.is_acceptor and not association.acceptor.is_requestor


def test_maximum_length_and_implementation_are_those_of_each_end(both_ends: BothEnds) -> None:
    for association in both_ends:
        assert (0, 4096) == (association.requestor.maximum_length, association.acceptor.maximum_length)
        assert (b"ASKS", b"DICOMSIM_010") == (
            association.requestor.implementation_version_name,
            association.acceptor.implementation_version_name,
        )
        assert "1.2.3" == association.acceptor.implementation_class_uid
        assert str(association.requestor.implementation_class_uid).startswith("2.25.")


def test_the_items_are_those_that_were_sent(both_ends: BothEnds) -> None:
    for association in both_ends:
        assert ITEMS == sorted(association.requestor.extended_negotiation, key=ITEMS.index)
        kinds = {type(item) for item in association.requestor.user_information} - {type(item) for item in ITEMS}
        notifications = (
            MaximumLengthNotification,
            ImplementationClassUIDNotification,
            ImplementationVersionNameNotification,
        )
        assert set(notifications) == kinds


def test_each_kind_of_item_has_an_attribute(both_ends: BothEnds) -> None:
    for association in both_ends:
        asked, answered = association.requestor, association.acceptor
        assert ((3, 2), (2, 2)) == (asked.asynchronous_operations, answered.asynchronous_operations)
        assert {CT_IMAGE_STORAGE: ITEMS[1]} == asked.role_selection == answered.role_selection
        assert {CT_IMAGE_STORAGE: b"\x02\0\x03\0\x01\0"} == asked.sop_class_extended == answered.sop_class_extended
        assert {"1.2.3": ITEMS[3]} == asked.sop_class_common_extended
        assert {} == answered.sop_class_common_extended
        assert ITEMS[4] == asked.user_identity
        assert answered.user_identity is not None and b"" == answered.user_identity.server_response


def test_the_requested_contexts_are_those_proposed(both_ends: BothEnds) -> None:
    for association in both_ends:
        requested = association.requestor.requested_contexts
        assert [1, 3] == [one.context_id for one in requested]
        assert [VERIFICATION, CT_IMAGE_STORAGE] == [one.abstract_syntax for one in requested]
        assert [] == association.acceptor.requested_contexts


def test_nothing_is_known_of_an_acceptor_that_rejected() -> None:
    asking, answering = requestor(), acceptor(require_called_aet="OTHER")
    with meeting(asking, answering) as association:
        assert association.is_rejected
        nobody = association.acceptor
        assert ([], [], None, None, None, None, (1, 1), {}) == (
            nobody.user_information,
            nobody.extended_negotiation,
            nobody.maximum_length,
            nobody.implementation_class_uid,
            nobody.implementation_version_name,
            nobody.user_identity,
            nobody.asynchronous_operations,
            nobody.role_selection,
        )


def test_a_peer_that_was_not_reached_has_the_address_that_was_asked_for() -> None:
    with acceptor().start_server(("127.0.0.1", 0)) as server:
        address = server.address
    association = requestor().associate(*address, ae_title="NOBODY")
    assert address == (association.acceptor.address, association.acceptor.port)
    assert ("", 0) == (association.requestor.address, association.requestor.port)
    assert f"NOBODY@127.0.0.1:{address[1]}" == repr(association.acceptor)


def test_info_is_what_handlers_get(both_ends: BothEnds) -> None:
    association = both_ends[0]
    assert {
        "ae_title": b"REQUESTOR       ",
        "address": "127.0.0.1",
        "port": association.requestor.port,
    } == association.requestor.info
