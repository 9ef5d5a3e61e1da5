"""Every status of PS3.4 and PS3.7 is passed on as the handler gives it, by the services that have it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dicomsim.dimse.table import PENDING
from dicomsim.services import PROVIDERS
from dicomsim.services.call import knows_status
from dicomsim.services.storage import StoreTo
from dicomsim.sop_class import SOPClass, registry
from tests.oracle import document
from tests.services.calls import Association, Handlers, Serving

INSTANCE = "1.2.3.4.5"
CREATE_LIKE = ("N-CREATE", "N-EVENT-REPORT")


def _codes(status: dict[str, Any]) -> list[int]:
    first, last = status["range"] or (status["code"], status["code"])
    return sorted({int(first, 16), int(last, 16)})


def _sop_class(service_class: str, service: str, code: int) -> str:
    """A SOP class of the service class whose table has the status; empty if there is none."""
    of_class = [one for one in map(SOPClass, registry()) if one.service_class == service_class]
    candidates = [str(one) for one in of_class if service in one.dimse_services]
    return next((uid for uid in candidates if knows_status(code, uid, service)), "" if candidates else "none")


def _cases() -> list[tuple[str, str, str, int]]:
    """Service class, SOP class, DIMSE service and status of every row of PS3.4."""
    cases = set()
    for row in document("statuses")["per_service_class"]:
        for service in re.findall("[CN]-[A-Z]+(?:-REPORT)?", row["dimse"]):
            for code in {code for status in row["statuses"] for code in _codes(status)}:
                cases.add((row["service_class"], _sop_class(row["service_class"], service, code), service, code))
    return sorted(case for case in cases if case[1] != "none")


def _answer(service: str, uid: str, code: int) -> Serving:
    def handler(*arguments: Any) -> Any:
        steps = {"C-FIND": [(code, None)], "C-GET": [1, (code, None)], "C-MOVE": [("h", 1), 1, (code, None)]}
        return steps.get(service, code)

    kind = "requested" if service in ("N-GET", "N-SET", "N-ACTION", "N-DELETE") else "affected"
    elements: dict[str, Any] = {f"{kind}_sop_class_uid": uid}
    if service == "C-STORE" or service.startswith("N-"):
        elements[f"{kind}_sop_instance_uid"] = INSTANCE
    association = Association(StoreTo.NOWHERE)
    association.requested_contexts = []  # type: ignore[attr-defined]
    handlers = Handlers(**{"on_" + service.lower().replace("-", "_"): handler})
    data = None if service in ("C-ECHO", "N-GET", "N-DELETE") else b""
    return Serving(service, uid, handlers, data, association=association, **elements)


CASES = _cases()


def _is_final(service: str, code: int) -> bool:
    """Whether a handler can end it so: a retrieval that succeeds is judged by its counters."""
    return code not in PENDING and (code != 0 or service not in ("C-GET", "C-MOVE"))


@pytest.mark.parametrize(("name", "uid", "service", "code"), [case for case in CASES if _is_final(*case[2:])])
def test_a_status_of_the_service_class_is_passed_on_without_a_word(
    name: str, uid: str, service: str, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert uid, f"no SOP class of {name} knows {code:04X} in {service}"
    assert code == _answer(service, uid, code).final().status
    assert "" == caplog.text


def test_the_tables_cover_all_services_that_have_statuses_of_their_own() -> None:
    without = {"C-ECHO", "N-DELETE", "N-EVENT-REPORT"}
    assert set(PROVIDERS) - without == {service for _, _, service, _ in CASES}
    assert len(CASES) > 200


GENERAL = [
    (service, int(status["code"], 16))
    for service, row in document("statuses")["per_dimse_service"].items()
    for status in row["statuses"]
    if status.get("code") and _is_final(service, int(status["code"], 16))
]


@pytest.mark.parametrize(("service", "code"), GENERAL)
def test_a_general_status_is_passed_on_by_the_services_that_have_it(
    service: str, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    uid = next(one for one in map(SOPClass, registry()) if service in one.dimse_services)
    assert code == _answer(service, uid, code).final().status
    assert "" == caplog.text
