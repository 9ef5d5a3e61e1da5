"""Presentation contexts and the ready lists of them."""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim import presentation, sop_class
from dicomsim.presentation import (
    DEFAULT_TRANSFER_SYNTAXES,
    READY_LISTS,
    PresentationContext,
    PresentationContextTuple,
    build_context,
)
from dicomsim.sop_class import SOPClass
from dicomsim.transfer_syntax import ImplicitVRLittleEndian, TransferSyntaxUID
from dicomsim.upper_layer.agreement import AcceptedContext, RejectedContext
from tests.oracle import document, table

VERIFICATION = "1.2.840.10008.1.1"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
BIG_ENDIAN = "1.2.840.10008.1.2.2"

BUILT = """\
Abstract Syntax: Verification SOP Class
Transfer Syntax(es):
    =Implicit VR Little Endian
    =Explicit VR Little Endian
    =Explicit VR Big Endian"""

ACCEPTED = """\
ID: 3
Abstract Syntax: Verification SOP Class
Transfer Syntax(es):
    =Implicit VR Little Endian
Role: SCU
Result: Accepted"""


def test_a_context_prints_as_the_reference_shows_it() -> None:
    assert str(build_context(VERIFICATION)) == BUILT


def test_an_accepted_context_says_role_and_result() -> None:
    context = PresentationContext.from_accepted(AcceptedContext(3, VERIFICATION, IMPLICIT, as_scu=True, as_scp=False))
    assert str(context) == ACCEPTED
    assert repr(context) == "<PresentationContext 3 Verification SOP Class: Implicit VR Little Endian, Accepted>"
    assert context.as_tuple == (3, VERIFICATION, IMPLICIT)


def test_a_rejected_context_shows_what_was_proposed_and_why_not() -> None:
    context = PresentationContext.from_rejected(RejectedContext(5, VERIFICATION, 4), [IMPLICIT, EXPLICIT])
    assert context.transfer_syntax == [IMPLICIT, EXPLICIT]
    assert (context.result, context.status) == (4, "Transfer Syntax(es) Not Supported")
    assert (context.as_scu, context.as_scp) == (False, False)
    assert str(context).endswith("Role: none\nResult: Transfer Syntax(es) Not Supported")


def test_an_empty_context_prints_and_has_a_line_of_its_own() -> None:
    assert str(PresentationContext()) == "Transfer Syntax(es):"
    assert repr(PresentationContext()) == "<PresentationContext: >"


def test_the_tuple_has_names_and_knows_about_its_uids() -> None:
    context = build_context(VERIFICATION, IMPLICIT)
    context.context_id = 1
    given = context.as_tuple
    assert type(given) is PresentationContextTuple
    assert given._fields == ("context_id", "abstract_syntax", "transfer_syntax")
    assert given.abstract_syntax is not None
    assert given.abstract_syntax.name == "Verification SOP Class"
    assert given.transfer_syntax.is_implicit_VR


def test_the_tuple_makes_do_with_text_put_into_the_list() -> None:
    context = build_context(VERIFICATION, [])
    context.transfer_syntax.append(EXPLICIT)  # type: ignore[arg-type]
    assert not context.as_tuple.transfer_syntax.is_implicit_VR
    assert "=Explicit VR Little Endian" in str(context)


def test_without_a_transfer_syntax_there_is_no_tuple() -> None:
    with pytest.raises(IndexError):
        _ = build_context(VERIFICATION, []).as_tuple


WORDS = {
    "0": "Accepted",
    "1": "User Rejected",
    "2": "Provider Rejected",
    "3": "Abstract Syntax Not Supported",
    "4": "Transfer Syntax(es) Not Supported",
}


@pytest.mark.parametrize("code", document("reject_abort")["presentation_context_result"]["values"])
def test_every_result_has_its_words(code: str) -> None:
    context = build_context(VERIFICATION)
    context.result = int(code)
    assert context.status == WORDS[code]


def test_a_result_is_pending_at_first_and_may_be_none_of_the_standards() -> None:
    context = build_context(VERIFICATION)
    assert context.status == "Pending"
    context.result = 9
    assert context.status == "Unknown"


def test_transfer_syntaxes_are_added_once_and_removed() -> None:
    context = build_context(VERIFICATION, [EXPLICIT, IMPLICIT])
    context.add_transfer_syntax(IMPLICIT)
    context.add_transfer_syntax(BIG_ENDIAN)
    assert context.transfer_syntax == [EXPLICIT, IMPLICIT, BIG_ENDIAN]
    context.remove_transfer_syntax(EXPLICIT)
    context.remove_transfer_syntax("1.2.3")
    assert context.transfer_syntax == [IMPLICIT, BIG_ENDIAN]


def test_uids_may_be_text_bytes_or_known_names() -> None:
    contexts = [
        build_context(VERIFICATION, IMPLICIT),
        build_context(b"1.2.840.10008.1.1", b"1.2.840.10008.1.2"),
        build_context(sop_class.Verification, ImplicitVRLittleEndian),
        build_context(sop_class.VerificationSOPClass, (IMPLICIT,)),
    ]
    assert contexts == [contexts[0]] * 4
    assert {type(context.abstract_syntax) for context in contexts} == {SOPClass}
    assert {type(context.transfer_syntax[0]) for context in contexts} == {TransferSyntaxUID}


def test_contexts_are_equal_when_all_their_values_are() -> None:
    one, two = build_context(VERIFICATION), build_context(VERIFICATION)
    assert one == two
    assert one != VERIFICATION
    changes: list[tuple[str, Any]] = [
        ("context_id", 1), ("abstract_syntax", "1.2"), ("transfer_syntax", [IMPLICIT]), ("scu_role", True),
        ("scp_role", False), ("as_scu", True), ("as_scp", True), ("result", 0),
    ]  # fmt: skip
    for name, value in changes:
        changed = build_context(VERIFICATION)
        setattr(changed, name, value)
        assert changed != one, name
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_illegal_values_that_fit_on_the_wire_can_be_set() -> None:
    context = PresentationContext("not a UID", ["", IMPLICIT, IMPLICIT], 2)
    context.result = 255
    assert (context.context_id, context.abstract_syntax, context.result) == (2, "not a UID", 255)
    assert context.transfer_syntax == ["", IMPLICIT, IMPLICIT]


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("context_id", "1", TypeError),
        ("context_id", True, TypeError),
        ("context_id", 256, ValueError),
        ("context_id", -1, ValueError),
        ("abstract_syntax", 1.2, TypeError),
        ("transfer_syntax", 12, TypeError),
        ("transfer_syntax", [12], TypeError),
        ("transfer_syntax", None, TypeError),
        ("scu_role", 1, TypeError),
        ("scp_role", "yes", TypeError),
        ("result", "accepted", TypeError),
        ("result", 256, ValueError),
        ("no_such_attribute", 1, AttributeError),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(name: str, value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match=name):
        setattr(PresentationContext(), name, value)


def test_a_transfer_syntax_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="None"):
        build_context(VERIFICATION).add_transfer_syntax(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="abstract_syntax"):
        build_context(None)  # type: ignore[arg-type]


SERVICE_OF_LIST = {
    "VerificationPresentationContexts": "Verification",
    "AllStoragePresentationContexts": "Storage",
    "ModalityPerformedPresentationContexts": "Procedure Step",
    "PrintManagementPresentationContexts": "Print Management",
    "MediaStoragePresentationContexts": "Media Storage",
    "StorageCommitmentPresentationContexts": "Storage Commitment",
    "BasicWorklistManagementPresentationContexts": "Basic Worklist Management",
    "ApplicationEventLoggingPresentationContexts": "Application Event Logging",
    "RelevantPatientInformationPresentationContexts": "Relevant Patient Information Query",
    "InstanceAvailabilityPresentationContexts": "Instance Availability Notification",
    "MediaCreationManagementPresentationContexts": "Media Creation Management",
    "HangingProtocolPresentationContexts": "Hanging Protocol Query/Retrieve",
    "SubstanceAdministrationPresentationContexts": "Substance Administration Query",
    "ColorPalettePresentationContexts": "Color Palette Query/Retrieve",
    "ImplantTemplatePresentationContexts": "Implant Template Query/Retrieve",
    "UnifiedProcedurePresentationContexts": "Unified Procedure Step",
    "RTMachineVerificationPresentationContexts": "RT Machine Verification",
    "DisplaySystemPresentationContexts": "Display System Management",
    "NonPatientObjectPresentationContexts": "Non-Patient Object Storage",
    "DefinedProcedureProtocolPresentationContexts": "Defined Procedure Protocol Query/Retrieve",
    "ProtocolApprovalPresentationContexts": "Protocol Approval Query/Retrieve",
    "InventoryPresentationContexts": "Inventory Query/Retrieve",
    "StorageManagementPresentationContexts": "Storage Management",
}


def abstract_syntaxes(name: str) -> list[str]:
    return [str(context.abstract_syntax) for context in getattr(presentation, name)]


@pytest.mark.parametrize(("name", "service"), SERVICE_OF_LIST.items())
def test_a_ready_list_has_the_sop_classes_of_its_service(name: str, service: str) -> None:
    rows = [row for row in table("sop_classes") if row["service_class"] == service and row["retired"] == "no"]
    assert abstract_syntaxes(name) == [row["uid"] for row in rows]


def test_the_query_retrieve_list_has_all_roots_and_the_composite_models() -> None:
    services = {
        "Query/Retrieve",
        "Composite Instance Root Retrieve",
        "Composite Instance Retrieve Without Bulk Data",
    }
    rows = [row["uid"] for row in table("sop_classes") if row["service_class"] in services]
    assert sorted(abstract_syntaxes("QueryRetrievePresentationContexts")) == sorted(rows)


def test_the_storage_list_fits_into_one_association() -> None:
    uids = abstract_syntaxes("StoragePresentationContexts")
    assert len(uids) == len(set(uids)) == 128
    assert set(uids) < set(abstract_syntaxes("AllStoragePresentationContexts"))
    assert sop_class.CTImageStorage in uids


def test_no_ready_list_is_left_out_here() -> None:
    others = {"QueryRetrievePresentationContexts", "StoragePresentationContexts"}
    assert set(READY_LISTS) == set(SERVICE_OF_LIST) | others
    assert set(READY_LISTS) <= set(dir(presentation))


def test_every_list_is_there_after_importing_all() -> None:
    namespace: dict[str, object] = {}
    exec("from dicomsim.presentation import *", namespace)  # noqa: S102  # no function may import all by itself
    assert {"PresentationContext", "build_context", "DEFAULT_TRANSFER_SYNTAXES", *READY_LISTS} <= namespace.keys()


@pytest.mark.parametrize("name", READY_LISTS)
def test_contexts_of_a_ready_list_have_the_default_transfer_syntaxes(name: str) -> None:
    assert all(context.transfer_syntax == DEFAULT_TRANSFER_SYNTAXES for context in getattr(presentation, name))


def test_a_ready_list_is_nobody_elses() -> None:
    mine = presentation.VerificationPresentationContexts
    mine[0].transfer_syntax.clear()
    mine.append(build_context("1.2.3"))
    assert presentation.VerificationPresentationContexts == [build_context(VERIFICATION)]
    assert len(DEFAULT_TRANSFER_SYNTAXES) == 3


def test_a_list_nobody_knows_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="NoSuchPresentationContexts"):
        _ = presentation.NoSuchPresentationContexts
