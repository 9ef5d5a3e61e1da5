from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum

import pytest

from dicomsim.errors import WireFault
from dicomsim.wire.codes import (
    ABORT_REASONS,
    ABORT_SOURCES,
    COMMAND_NAMES,
    CONTEXT_RESULTS,
    IDENTITY_TYPES,
    REJECT_REASONS,
    REJECT_RESULTS,
    REJECT_SOURCES,
    AbortReason,
    AbortSource,
    ContextResult,
    IdentityType,
    RejectResult,
    RejectSource,
    command_name,
    describe_abort,
    describe_context_result,
    describe_identity_type,
    describe_reject,
)
from tests.oracle import document

CODES = document("reject_abort")


def assigned(names: Mapping[str, str]) -> dict[int, str]:
    """The numbers that are not reserved."""
    return {int(number): name for number, name in names.items() if name != "reserved"}


def without_layer(names: Mapping[int, str]) -> dict[int, str]:
    """Names without the words that all of them begin with."""
    return {number: name.removeprefix("DICOM UL ") for number, name in names.items()}


def test_reject_codes_are_those_of_the_standard() -> None:
    table = CODES["a_associate_rj"]
    assert assigned(table["result"]) == REJECT_RESULTS
    assert without_layer(assigned(table["source"])) == REJECT_SOURCES
    assert {int(source): assigned(reasons) for source, reasons in table["reason"].items()} == REJECT_REASONS


def test_abort_codes_are_those_of_the_standard() -> None:
    table = CODES["a_abort"]
    assert without_layer(assigned(table["source"])) == ABORT_SOURCES
    assert assigned(table["reason_if_source_2"]) == ABORT_REASONS


def test_context_results_are_those_of_the_standard() -> None:
    assert assigned(CODES["presentation_context_result"]["values"]) == CONTEXT_RESULTS


def test_command_fields_are_those_of_the_standard() -> None:
    fields = document("dimse_commands")["command_fields"]
    assert {int(number, 16): name for number, name in fields.items()} == COMMAND_NAMES


ENUMS: dict[str, tuple[Iterable[IntEnum], Iterable[int]]] = {
    "reject results": (RejectResult, REJECT_RESULTS),
    "reject sources": (RejectSource, REJECT_SOURCES),
    "abort sources": (AbortSource, ABORT_SOURCES),
    "abort reasons": (AbortReason, ABORT_REASONS),
    "context results": (ContextResult, CONTEXT_RESULTS),
    "identity types": (IdentityType, IDENTITY_TYPES),
    "identity types of the standard": (IdentityType, map(int, CODES["user_identity"]["types"])),
}


@pytest.mark.parametrize("what", ENUMS)
def test_each_assigned_number_has_a_member(what: str) -> None:
    members, numbers = ENUMS[what]
    assert [int(member) for member in members] == list(numbers)


def test_each_wire_fault_is_an_abort_reason() -> None:
    assert {fault.value: fault.name for fault in WireFault} == {
        1: "UNRECOGNIZED_PDU",
        4: "UNRECOGNIZED_PARAMETER",
        5: "UNEXPECTED_PARAMETER",
        6: "INVALID_VALUE",
    }
    assert set(WireFault) <= set(AbortReason)


def test_a_rejection_is_described() -> None:
    assert describe_reject(1, 1, 7) == "rejected-permanent, service-user: called-AE-title-not-recognized (1/1/7)"
    assert describe_reject(2, 3, 1) == (
        "rejected-transient, service-provider (Presentation related function): temporary-congestion (2/3/1)"
    )


def test_a_rejection_with_reserved_numbers_is_described() -> None:
    assert describe_reject(0, 4, 9) == "reserved result 0, reserved source 4: reserved reason 9 (0/4/9)"
    assert describe_reject(1, 1, 4) == "rejected-permanent, service-user: reserved reason 4 (1/1/4)"


def test_an_abort_is_described() -> None:
    assert describe_abort(2, 2) == "service-provider: unexpected-PDU (2/2)"
    assert describe_abort(2, 3) == "service-provider: reserved reason 3 (2/3)"
    assert describe_abort(0, 5) == "service-user (0/5)"
    assert describe_abort(1, 0) == "reserved source 1 (1/0)"


def test_context_results_identity_types_and_commands_are_described() -> None:
    assert (describe_context_result(1), describe_context_result(9)) == ("user-rejection", "reserved result 9")
    assert (describe_identity_type(5), describe_identity_type(6)) == ("JSON Web Token", "reserved type 6")
    assert (command_name(0x8100), command_name(0x1234)) == ("N-EVENT-REPORT-RSP", "command 1234H")
