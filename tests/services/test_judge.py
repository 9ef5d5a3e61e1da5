"""Which requests are served at all, by the table of SOP classes and by the roles that were negotiated."""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim.dimse.table import SERVICE_OF
from dicomsim.services.call import RefusedError
from dicomsim.services.judge import UPS_PUSH, belongs, is_valid_uid, judge
from dicomsim.sop_class import SOPClass
from tests.oracle import table
from tests.services.calls import Serving

CT = "1.2.840.10008.5.1.4.1.1.2"
STUDY_FIND, STUDY_MOVE = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.2"
MPPS = "1.2.840.10008.3.1.2.3.3"
FILM_SESSION, COLOUR_IMAGE_BOX = "1.2.840.10008.5.1.1.1", "1.2.840.10008.5.1.1.4.1"
GRAYSCALE_PRINT, COLOUR_PRINT = "1.2.840.10008.5.1.1.9", "1.2.840.10008.5.1.1.18"
UPS_PULL, UPS_WATCH, UPS_EVENT = (f"1.2.840.10008.5.1.4.34.6.{number}" for number in (3, 2, 4))
ALL_SERVICES = [service.name for service in SERVICE_OF.values()]


def _elements(service: str, sop_class: str | None, instance: str | None = "1.2.3") -> dict[str, Any]:
    kind = "requested" if service in ("N-GET", "N-SET", "N-ACTION", "N-DELETE") else "affected"
    elements = {f"{kind}_sop_class_uid": sop_class}
    if service == "C-STORE" or service.startswith("N-"):
        elements[f"{kind}_sop_instance_uid"] = instance
    return elements


def verdict(
    service: str, context: str, sop_class: str | None, *, data: bytes | None = b"", instance: str | None = "1.2.3",
    may_perform: bool = True,
) -> int:
    """The status of the refusal; 0 for none."""
    serving = Serving(service, context, None, data, may_perform=may_perform, **_elements(service, sop_class, instance))
    try:
        judge(serving.call)
    except RefusedError as refusal:
        return refusal.status
    return 0


def _own_services(row: dict[str, str]) -> set[str]:
    cells = [cell for cell in row["dimse_services"].split(";") if cell and "sub-operation" not in cell]
    return {cell.split()[0] for cell in cells}


# Storage commitment by pull, which the table files under storage, was retired with its N-services in 2001.
RETIRED = "1.2.840.10008.1.20.2"
WITH_SERVICES = [row for row in table("sop_classes") if _own_services(row) and row["uid"] != RETIRED]


@pytest.mark.parametrize("row", WITH_SERVICES, ids=lambda row: row["keyword"] or row["uid"])
def test_a_sop_class_has_the_services_of_its_table_and_no_others(row: dict[str, str]) -> None:
    uid = row["uid"]
    served = {service for service in ALL_SERVICES if verdict(service, uid, uid) == 0}
    assert _own_services(row) == served
    for service in set(ALL_SERVICES) - served:
        assert verdict(service, uid, uid) == (0xC000 if service == "C-FIND" else 0x0211)


MEMBERS = [(row["meta_sop_class"].split(";"), row["uid"]) for row in table("sop_classes") if row["meta_sop_class"]]


@pytest.mark.parametrize(("meta", "member"), [(cell.split()[0], uid) for cells, uid in MEMBERS for cell in cells])
def test_members_of_a_meta_sop_class_are_served_on_its_contexts(meta: str, member: str) -> None:
    if SOPClass(meta).retired:
        pytest.skip("a retired meta SOP class")
    for service in SOPClass(member).dimse_services:
        assert 0 == verdict(service, meta, member)
    assert 0x0118 == verdict("N-SET", meta, MPPS)


def test_a_sop_class_of_another_meta_sop_class_is_not_served() -> None:
    assert 0 == verdict("N-SET", COLOUR_PRINT, COLOUR_IMAGE_BOX)
    assert 0x0118 == verdict("N-SET", GRAYSCALE_PRINT, COLOUR_IMAGE_BOX)
    assert not belongs(GRAYSCALE_PRINT, FILM_SESSION, True)


@pytest.mark.parametrize(
    ("service", "context", "status"),
    [
        ("N-SET", UPS_PULL, 0),
        ("N-ACTION", UPS_WATCH, 0),
        ("N-EVENT-REPORT", UPS_EVENT, 0),
        ("N-CREATE", UPS_PUSH, 0),
        ("N-CREATE", UPS_PULL, 0x0211),
        ("N-SET", MPPS, 0x0118),
        ("C-FIND", UPS_PULL, 0x0122),
    ],
)
def test_n_services_on_any_ups_context_name_ups_push(service: str, context: str, status: int) -> None:
    assert status == verdict(service, context, UPS_PUSH)


@pytest.mark.parametrize(
    ("service", "context", "status"), [("C-STORE", CT, 0x0122), ("C-FIND", STUDY_FIND, 0x0122), ("N-GET", MPPS, 0x0118)]
)
def test_another_sop_class_than_that_of_the_context_is_not_supported(service: str, context: str, status: int) -> None:
    assert status == verdict(service, context, "1.2.3.4")


@pytest.mark.parametrize(
    ("service", "status"), [("C-STORE", 0x0212), ("C-FIND", 0xC000), ("C-MOVE", 0x0212), ("N-SET", 0x0212)]
)
def test_a_request_must_have_a_sop_class(service: str, status: int) -> None:
    assert status == verdict(service, CT, None)


def test_sop_classes_that_nobody_knows_are_served() -> None:
    for service in ALL_SERVICES:
        assert 0 == verdict(service, "1.2.3.4", "1.2.3.4")


@pytest.mark.parametrize(
    ("service", "uid", "status"),
    [("C-STORE", CT, 0x0122), ("C-FIND", STUDY_FIND, 0x0122), ("N-CREATE", MPPS, 0x0211)],
)
def test_a_role_that_was_not_negotiated_is_refused(service: str, uid: str, status: int) -> None:
    assert status == verdict(service, uid, uid, may_perform=False)


@pytest.mark.parametrize("service", ["C-STORE", "C-FIND", "C-GET", "C-MOVE", "N-SET"])
def test_a_request_that_needs_a_data_set_must_have_one(service: str) -> None:
    assert verdict(service, "1.2.3.4", "1.2.3.4", data=None) == (0x0110 if service == "N-SET" else 0xC000)


@pytest.mark.parametrize("service", ["N-GET", "N-ACTION", "N-CREATE", "N-DELETE", "N-EVENT-REPORT", "C-ECHO"])
def test_the_others_need_none(service: str) -> None:
    assert 0 == verdict(service, "1.2.3.4", "1.2.3.4", data=None)


VALID = ["1", "1.2.840.10008.1.1", "2.25.0", "1." + "2" * 62]
INVALID = ["", "1.", ".1", "1..2", "1.02", "01", "1.2 ", "1.a", "1." + "2" * 63, "१.२"]


@pytest.mark.parametrize("uid", VALID)
def test_valid_uids(uid: str) -> None:
    assert is_valid_uid(uid)
    assert 0 == verdict("C-STORE", CT, CT, instance=uid)


@pytest.mark.parametrize("uid", INVALID)
def test_invalid_uids(uid: str) -> None:
    assert not is_valid_uid(uid)
    assert 0x0117 == verdict("C-STORE", CT, CT, instance=uid)
