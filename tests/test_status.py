"""Status codes, against PS3.7 Annex C and the status tables of PS3.4."""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim import sop_class
from dicomsim.sop_class import ServiceClass
from dicomsim.status import (
    FAILURE_REASONS,
    Status,
    StatusClass,
    code_to_category,
    describe_failure_reason,
    describe_status,
    entries,
    find_status,
    status_class,
    statuses_of,
)
from tests.oracle import document

STATUSES = document("statuses")
GENERAL = [row for row in STATUSES["general"] if row["code"] is not None]
PER_DIMSE = [
    (dimse, row)
    for dimse, part in STATUSES["per_dimse_service"].items()
    for row in part["statuses"]
    if row["code"] is not None
]
PER_SERVICE = [(part, row) for part in STATUSES["per_service_class"] for row in part["statuses"]]
SAME_AS = [part for part in STATUSES["per_service_class"] if "same_as" in part]
SERVICE_NAMES = {
    "Implant Template / Assembly Template / Template Group Query/Retrieve": ServiceClass.IMPLANT_TEMPLATE_QUERY_RETRIEVE
}


def codes_of(row: dict[str, Any]) -> tuple[int, int]:
    first, last = row["range"] or (row["code"], row["code"])
    return int(first, 16), int(last, 16)


def service_of_part(part: dict[str, Any]) -> ServiceClass:
    name = part["service_class"]
    return SERVICE_NAMES.get(name) or ServiceClass(name)


def dimse_of_part(part: dict[str, Any]) -> list[str]:
    return [name.split()[0] for name in part["dimse"].split(" (")[0].split(", ")]


def class_by_rule(code: int) -> str:
    """The algorithm of PS3.7 Annex C, digit by digit."""
    digits = f"{code:04X}"
    if digits == "0000":
        return "Success"
    if digits in ("0001", "0107", "0116") or digits[0] == "B":
        return "Warning"
    if digits in ("FF00", "FF01"):
        return "Pending"
    if digits == "FE00":
        return "Cancel"
    return "Failure" if digits[0] in "AC" or digits[:2] in ("01", "02") else "Unknown"


def test_every_code_has_the_class_of_annex_c() -> None:
    assert [status_class(code).value for code in range(0x10000)] == [class_by_rule(code) for code in range(0x10000)]


def test_only_pending_is_not_final() -> None:
    assert [kind for kind in StatusClass if not kind.is_final] == [StatusClass.PENDING]


def test_categories_are_words() -> None:
    assert [code_to_category(code) for code in (0, 0xB000, 0xA700, 0xFE00, 0xFF00, 0x1234)] == [
        "Success",
        "Warning",
        "Failure",
        "Cancel",
        "Pending",
        "Unknown",
    ]


@pytest.mark.parametrize("row", GENERAL, ids=lambda row: row["name"])
def test_every_general_code_is_described_without_a_service(row: dict[str, Any]) -> None:
    code = int(row["code"], 16)
    entry = find_status(code)
    assert entry is not None
    assert (entry.meaning, entry.table, entry.status_class) == (row["name"], row["section"], row["class"])
    assert [f"{tag:08X}" for tag in entry.elements] == [
        element["tag"] for element in row["extra_elements"] if element["tag"] != "no tag"
    ]
    text = f"0x{row['code']} {row['class']}"
    assert describe_status(code) == (text if row["name"] == row["class"] else f"{text}: {row['name']}")


def test_every_general_code_has_a_name() -> None:
    assert {int(row["code"], 16) for row in GENERAL} <= {code.value for code in Status}


@pytest.mark.parametrize(
    ("dimse", "row"), PER_DIMSE, ids=lambda value: value if isinstance(value, str) else value["code"]
)
def test_every_dimse_service_knows_its_codes(dimse: str, row: dict[str, Any]) -> None:
    entry = find_status(int(row["code"], 16), None, dimse)
    assert entry is not None
    assert dimse in entry.dimse_services
    assert entry.status_class == row["class"]


@pytest.mark.parametrize("dimse", STATUSES["per_dimse_service"])
def test_a_dimse_service_knows_no_other_general_code(dimse: str) -> None:
    assert {entry.first for entry in statuses_of(None, dimse)} == {
        int(row["code"], 16) for name, row in PER_DIMSE if name == dimse
    }


@pytest.mark.parametrize(("part", "row"), PER_SERVICE)
def test_every_row_of_a_service_table_is_known(part: dict[str, Any], row: dict[str, Any]) -> None:
    first, last = codes_of(row)
    for dimse in dimse_of_part(part):
        known = statuses_of(service_of_part(part), dimse)
        found = [entry for entry in known if (entry.first, entry.last, entry.table) == (first, last, part["table"])]
        assert len(found) == 1
        assert found[0].meaning.removeprefix("Processing Failure: ") == (
            row.get("error_comment") or row["meaning"].rstrip(".") or "Success"
        )
        assert found[0].status_class == row["class"]
        if row.get("related_elements"):
            tags = [tag.replace(",", "") for tag in row["related_elements"] if tag != "Identifier"]
            assert [f"{tag:08X}" for tag in found[0].elements] == tags


def test_no_row_is_there_that_the_standard_does_not_have() -> None:
    # The one retired code that is kept: printers still send it.
    own = [entry for entry in entries() if entry.service is not None and entry.first != 0xC604]
    assert len(own) == len(PER_SERVICE)
    assert len(entries()) - len(own) - 1 == len(GENERAL)


@pytest.mark.parametrize("part", SAME_AS, ids=lambda part: f"{part['service_class']} {part['dimse']}")
def test_services_that_borrow_a_table_answer_as_its_owner(part: dict[str, Any]) -> None:
    known = statuses_of(service_of_part(part), part["dimse"])
    assert {entry.table for entry in known if entry.service} == {part["same_as"]["table"]}
    assert known


def test_rows_for_other_sop_classes_of_the_service_do_not_count() -> None:
    assert find_status(0xC602, sop_class.BasicFilmBox) is not None
    assert find_status(0xC602, sop_class.BasicFilmSession) is None
    assert find_status(0xA710, sop_class.RepositoryQuery) is not None
    assert find_status(0xA710, sop_class.StudyRootQueryRetrieveInformationModelFind) is None


def test_sop_classes_named_in_rows_exist() -> None:
    keywords = {keyword for entry in entries() for keyword in entry.sop_classes}
    assert keywords <= set(sop_class.names())


@pytest.mark.parametrize(
    ("code", "service", "dimse", "text"),
    [
        (0xA700, None, None, "0xA700 Failure: Refused: Out of resources"),
        (0xA7FF, "Storage", "C-STORE", "0xA7FF Failure: Refused: Out of resources"),
        (0xB000, "Storage", None, "0xB000 Warning: Coercion of Data Elements"),
        (0xB000, "Query/Retrieve", "C-MOVE", "0xB000 Warning: Sub-operations Complete - One or more Failures"),
        (0xB000, None, None, "0xB000 Warning (the meaning depends on the service)"),
        (0xC123, "Verification", None, "0xC123 Failure (not a status of Verification)"),
        (0x0112, "Storage", "C-STORE", "0x0112 Failure: No such SOP Instance"),
        (0x01FF, "Storage", "C-STORE", "0x01FF Failure (not assigned in PS3.7)"),
        (0x1234, None, None, "0x1234 Unknown (a code that PS3.7 Annex C does not allow)"),
        (0xFF00, None, None, "0xFF00 Pending"),
        (0xA900, "1.2.3.4", "C-STORE", "0xA900 Failure: Error: Data Set does not match SOP Class"),
        (0xA801, "1.2.840.10008.5.1.4.38.3", "C-MOVE", "0xA801 Failure: Refused: Move Destination unknown"),
        (0xA700, "what a peer says", "C-STORE", "0xA700 Failure: Refused: Out of resources"),
        (0xB000, "", "C-STORE", "0xB000 Warning (the meaning depends on the service)"),
    ],
)
def test_a_status_is_described_in_one_line(code: int, service: str | None, dimse: str | None, text: str) -> None:
    assert describe_status(code, service, dimse) == text


def test_a_service_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="Sorage"):
        statuses_of("Sorage")


def test_failure_reasons_are_those_of_storage_commitment() -> None:
    values = STATUSES["storage_commitment_failure_reason"]["values"]
    assert {f"{code:04X}": text for code, text in FAILURE_REASONS.items()} == values
    assert describe_failure_reason(0x0112) == "0x0112 No such object instance"
    assert describe_failure_reason(0x0999) == "0x0999 (not a reason of PS3.3)"
