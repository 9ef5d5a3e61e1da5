"""Items of extended negotiation under the names that programs know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim import sop_class
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
    public_items,
)
from dicomsim.wire import items
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.items import UserItem
from dicomsim.wire.pdu import AssociateAC, AssociateRQ
from tests.oracle import document

CT = "1.2.840.10008.5.1.4.1.1.2"
STORAGE = "1.2.840.10008.4.2"

PAIRS: list[tuple[NegotiationItem, UserItem]] = [
    (MaximumLengthNotification(0), items.MaximumLength(0)),
    (ImplementationClassUIDNotification("1.2.3"), items.ImplementationClassUid("1.2.3")),
    (ImplementationVersionNameNotification(b"NAME"), items.ImplementationVersionName("NAME")),
    (AsynchronousOperationsWindowNegotiation(5, 0), items.AsynchronousOperationsWindow(5, 0)),
    (SCP_SCU_RoleSelectionNegotiation(CT, True, False), items.RoleSelection(CT, 1, 0)),
    (SCP_SCU_RoleSelectionNegotiation(CT, 7, True), items.RoleSelection(CT, 7, 1)),
    (SOPClassExtendedNegotiation(CT, b"\1"), items.SopClassExtendedNegotiation(CT, b"\1")),
    (
        SOPClassCommonExtendedNegotiation(CT, STORAGE, ["1.2", "1.3"]),
        items.SopClassCommonExtendedNegotiation(CT, STORAGE, ("1.2", "1.3")),
    ),
    (UserIdentityNegotiation(1, True, b"user"), items.UserIdentityRQ(1, 1, b"user")),
    (UserIdentityNegotiation(2, False, b"user", b"pass"), items.UserIdentityRQ(2, 0, b"user", b"pass")),
    (UserIdentityNegotiation(9, 2, b""), items.UserIdentityRQ(9, 2, b"")),
    (UserIdentityNegotiation(server_response=b""), items.UserIdentityAC(b"")),
    (UserIdentityNegotiation(server_response=b"ticket"), items.UserIdentityAC(b"ticket")),
]


@pytest.mark.parametrize(("public", "wire"), PAIRS, ids=lambda value: type(value).__name__)
def test_an_item_goes_to_the_wire_and_comes_back(public: NegotiationItem, wire: UserItem) -> None:
    assert public.to_item() == wire
    assert public_items([wire]) == [public]


def plain(item: UserItem) -> UserItem:
    """The item without what only the wire has: reserved bytes and what later versions may add."""
    unseen: dict[str, Any] = {"reserved": 0, "rest": b"", "version": 0}
    return replace(item, **{name: value for name, value in unseen.items() if hasattr(item, name)})


@pytest.mark.parametrize(
    "vector",
    [v for v in document("vectors/valid_pdus")["vectors"] if v["id"].startswith(("RQ", "AC"))],
    ids=lambda vector: vector["id"],
)
def test_the_items_of_every_valid_request_and_answer_survive(vector: dict[str, Any]) -> None:
    pdu = decode_pdu(bytes.fromhex(vector["hex"]))
    assert isinstance(pdu, AssociateRQ | AssociateAC)
    known = [plain(item) for item in pdu.user_information if not isinstance(item, items.UnknownItem)]
    assert [public.to_item() for public in public_items(pdu.user_information)] == known


def test_items_that_the_standard_does_not_know_are_left_out() -> None:
    came: list[UserItem] = [items.UnknownItem(0x5A, b""), items.MaximumLength(1)]
    assert public_items(came) == [MaximumLengthNotification(1)]


def test_items_are_made_step_by_step_as_programs_do() -> None:
    item = SCP_SCU_RoleSelectionNegotiation()
    item.sop_class_uid = sop_class.CTImageStorage
    item.scp_role = True
    assert item.to_item() == items.RoleSelection(CT, 0, 1)
    assert build_role(CT, scp_role=True).to_item() == item.to_item()


def test_what_goes_on_the_wire_is_plain_text() -> None:
    assert type(build_role(sop_class.CTImageStorage).to_item().sop_class_uid) is str


def test_uids_know_their_names_and_may_be_given_as_bytes() -> None:
    item = SOPClassExtendedNegotiation(sop_class_uid=CT.encode())  # type: ignore[arg-type]
    assert isinstance(item.sop_class_uid, sop_class.SOPClass)
    assert item.sop_class_uid.name == "CT Image Storage"


def test_a_version_name_may_be_given_as_text() -> None:
    item = ImplementationVersionNameNotification()
    item.implementation_version_name = "NAME"  # type: ignore[assignment]
    assert item.implementation_version_name == b"NAME"


def test_defaults_are_those_that_say_nothing_new() -> None:
    assert MaximumLengthNotification().to_item() == items.MaximumLength(16382)
    assert AsynchronousOperationsWindowNegotiation().to_item() == items.AsynchronousOperationsWindow(1, 1)


@pytest.mark.parametrize(
    ("item", "name"),
    [
        (ImplementationClassUIDNotification(), "implementation_class_uid"),
        (ImplementationVersionNameNotification(), "implementation_version_name"),
        (SCP_SCU_RoleSelectionNegotiation(scu_role=True), "sop_class_uid"),
        (SOPClassExtendedNegotiation(service_class_application_information=b""), "sop_class_uid"),
        (SOPClassExtendedNegotiation(CT), "service_class_application_information"),
        (SOPClassCommonExtendedNegotiation(service_class_uid=STORAGE), "sop_class_uid"),
        (SOPClassCommonExtendedNegotiation(CT), "service_class_uid"),
        (UserIdentityNegotiation(primary_field=b"user"), "user_identity_type"),
        (UserIdentityNegotiation(1), "primary_field"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_item_that_lacks_something_says_what(item: NegotiationItem, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} of the {type(item).__name__} is not set"):
        item.to_item()


@pytest.mark.parametrize(
    ("item", "name", "value", "error"),
    [
        (MaximumLengthNotification(), "maximum_length_received", "16382", TypeError),
        (MaximumLengthNotification(), "maximum_length_received", True, TypeError),
        (MaximumLengthNotification(), "maximum_length_received", 1 << 32, ValueError),
        (MaximumLengthNotification(), "maximum_length_received", -1, ValueError),
        (AsynchronousOperationsWindowNegotiation(), "maximum_number_operations_invoked", 65536, ValueError),
        (SCP_SCU_RoleSelectionNegotiation(), "scu_role", "yes", TypeError),
        (SCP_SCU_RoleSelectionNegotiation(), "sop_class_uid", 1.2, TypeError),
        (SOPClassExtendedNegotiation(), "service_class_application_information", "01", TypeError),
        (SOPClassCommonExtendedNegotiation(), "related_general_sop_class_identification", CT, TypeError),
        (SOPClassCommonExtendedNegotiation(), "related_general_sop_class_identification", [1], TypeError),
        (UserIdentityNegotiation(), "user_identity_type", 256, ValueError),
        (UserIdentityNegotiation(), "primary_field", "user", TypeError),
        (UserIdentityNegotiation(), "primary_feild", b"user", AttributeError),
    ],
    ids=lambda value: str(value) if not isinstance(value, type) else value.__name__,
)
def test_what_cannot_be_meant_is_refused_by_name(
    item: NegotiationItem, name: str, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match=name):
        setattr(item, name, value)


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=9), st.binary(max_size=9))
def test_any_identity_survives_the_way_to_the_wire(kind: int, wanted: int, first: bytes, second: bytes) -> None:
    wire = items.UserIdentityRQ(kind, wanted, first, second)
    assert UserIdentityNegotiation.from_item(wire).to_item() == wire
