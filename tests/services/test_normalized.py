"""The N-services: what handlers get, and what becomes of what they return. PS3.7 §10."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomsim.datasets import decode_bare
from dicomsim.dimse.messages import Message
from dicomsim.services.judge import is_valid_uid
from tests.services.calls import IMPLICIT, Handlers, Recorder, Serving, encoded

PRIVATE = "1.2.3.4"  # a SOP class that has every service
INSTANCE = "1.2.3.4.5"
CREATE_LIKE = ("N-CREATE", "N-EVENT-REPORT")
WITH_DATA_SET = ("N-EVENT-REPORT", "N-GET", "N-SET", "N-ACTION", "N-CREATE")
ALL = (*WITH_DATA_SET, "N-DELETE")


def _attributes(text: str = "x") -> Dataset:
    dataset = Dataset()
    dataset.PatientID = text
    return dataset


def _name(service: str) -> str:
    return "on_" + service.lower().replace("-", "_")


def _serving(service: str, handler: Callable[..., Any] | None, instance: str | None = INSTANCE) -> Serving:
    kind = "affected" if service in CREATE_LIKE else "requested"
    elements: dict[str, Any] = {f"{kind}_sop_class_uid": PRIVATE, f"{kind}_sop_instance_uid": instance}
    if service == "N-EVENT-REPORT":
        elements["event_type_id"] = 3
    if service == "N-ACTION":
        elements["action_type_id"] = 4
    if service == "N-GET":
        elements["attribute_identifier_list"] = (0x00100010, 0x00100020)
    data = encoded(_attributes()) if service not in ("N-GET", "N-DELETE") else None
    handlers = Handlers() if handler is None else Handlers(**{_name(service): handler})
    return Serving(service, PRIVATE, handlers, data, **elements)


def _answered(service: str, result: Any) -> Message:
    return _serving(service, lambda *arguments: result).final()


@pytest.mark.parametrize("service", ALL)
def test_the_handler_gets_what_belongs_to_the_service(service: str) -> None:
    handler = Recorder()
    serving = _serving(service, handler)
    assert 0x0000 == serving.final().status
    *first, context, info = handler.calls[0]
    assert serving.call.context == context
    assert "cancelled" in info
    if service == "N-DELETE":
        assert [] == first
    elif service == "N-GET":
        assert [[0x00100010, 0x00100020]] == first
    else:
        assert [_attributes()] == first


@pytest.mark.parametrize("service", ["N-EVENT-REPORT", "N-ACTION", "N-CREATE"])
def test_without_a_data_set_the_handler_gets_none(service: str) -> None:
    handler = Recorder()
    kind = "affected" if service in CREATE_LIKE else "requested"
    elements: dict[str, Any] = {f"{kind}_sop_class_uid": PRIVATE, f"{kind}_sop_instance_uid": INSTANCE}
    assert 0x0000 == Serving(service, PRIVATE, Handlers(**{_name(service): handler}), **elements).final().status
    assert handler.calls[0][0] is None


def test_without_a_list_all_attributes_are_asked_for() -> None:
    handler = Recorder((0x0000, _attributes()))
    elements: dict[str, Any] = {"requested_sop_class_uid": PRIVATE, "requested_sop_instance_uid": INSTANCE}
    Serving("N-GET", PRIVATE, Handlers(on_n_get=handler), **elements).run()
    assert [] == handler.calls[0][0]


@pytest.mark.parametrize("service", WITH_DATA_SET)
@pytest.mark.parametrize("status", [0x0000, 0x0001, 0x0107, 0xB123])
def test_a_data_set_goes_with_success_and_warning(service: str, status: int) -> None:
    response = _answered(service, (status, _attributes("y")))
    assert status == response.status
    assert "y" == decode_bare(response.data_bytes(), IMPLICIT).PatientID


@pytest.mark.parametrize("service", WITH_DATA_SET)
@pytest.mark.parametrize("status", [0x0110, 0x0112, 0xC123])
def test_no_data_set_goes_with_a_failure(service: str, status: int, caplog: pytest.LogCaptureFixture) -> None:
    response = _answered(service, (status, _attributes("y")))
    assert (status, False) == (response.status, response.has_data_set)
    assert "no data set goes with" in caplog.text


@pytest.mark.parametrize("service", ALL)
def test_a_status_alone_is_enough(service: str) -> None:
    response = _answered(service, 0x0112)
    assert (0x0112, False) == (response.status, response.has_data_set)


@pytest.mark.parametrize("service", ALL)
def test_the_response_names_class_and_instance_as_affected(service: str) -> None:
    response = _answered(service, 0x0000)
    assert (PRIVATE, INSTANCE) == (response.affected_sop_class_uid, response.affected_sop_instance_uid)
    assert (None, None) == (response.requested_sop_class_uid, response.requested_sop_instance_uid)


def test_a_reply_goes_with_the_type_it_answers() -> None:
    assert 3 == _answered("N-EVENT-REPORT", (0x0000, _attributes())).event_type_id
    assert 4 == _answered("N-ACTION", (0x0000, _attributes())).action_type_id


WRONG = {"nothing": None, "text": "0000", "three things": (0, None, None), "no data set": (0, "attributes")}


@pytest.mark.parametrize("service", WITH_DATA_SET)
@pytest.mark.parametrize("result", WRONG.values(), ids=WRONG)
def test_the_wrong_thing_is_a_processing_failure(service: str, result: Any) -> None:
    assert 0x0110 == _answered(service, result).status


@pytest.mark.parametrize("service", ALL)
def test_without_a_handler_the_operation_is_not_recognized(service: str) -> None:
    response = _serving(service, None).final()
    assert (0x0211, f"no {_name(service)} handler") == (response.status, response.error_comment)


@pytest.mark.parametrize("service", [service for service in ALL if service != "N-CREATE"])
def test_an_instance_must_be_named(service: str) -> None:
    assert 0x0117 == _serving(service, lambda *arguments: 0x0000, instance=None).final().status


def test_an_instance_without_a_uid_is_given_one_that_handler_and_requestor_learn() -> None:
    handler = Recorder()
    response = _serving("N-CREATE", handler, instance=None).final()
    assigned = handler.calls[0][-1]["parameters"]["affected_sop_instance"]
    assert is_valid_uid(assigned)
    assert assigned == response.affected_sop_instance_uid


def test_a_handler_may_choose_the_uid_itself() -> None:
    status = Dataset()
    status.Status, status.AffectedSOPInstanceUID = 0x0000, "1.9.9"
    serving = _serving("N-CREATE", lambda *arguments: (status, None), instance=None)
    assert "1.9.9" == serving.final().affected_sop_instance_uid


def test_no_uid_is_assigned_to_what_was_not_made() -> None:
    assert _serving("N-CREATE", lambda *arguments: 0x0106, instance=None).final().affected_sop_instance_uid is None


def test_the_elements_of_a_status_go_with_the_response() -> None:
    status = Dataset()
    status.Status, status.AttributeIdentifierList, status.ErrorID = 0x0107, [0x00100010, 0x00100020], 7
    response = _answered("N-GET", (status, _attributes()))
    assert (0x0107, (0x00100010, 0x00100020), 7) == (
        response.status, response.attribute_identifier_list, response.error_id
    )  # fmt: skip
