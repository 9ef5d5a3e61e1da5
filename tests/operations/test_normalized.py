"""The N-services as SCU, and N-EVENT-REPORT as SCP, in both forms."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomsim.association import Association
from dicomsim.datasets import decode_bare
from tests.meeting import IMPLICIT, SilentPeer, acceptor, meeting, requestor
from tests.services.archive import as_scp
from tests.services.calls import Recorder

RT_VERIFICATION = "1.2.840.10008.5.1.4.34.8"  # has all six services
GRAYSCALE_PRINT, COLOUR_PRINT = "1.2.840.10008.5.1.1.9", "1.2.840.10008.5.1.1.18"
FILM_SESSION = "1.2.840.10008.5.1.1.1"
INSTANCE = "1.2.3.4"


def _attributes(text: str = "x") -> Dataset:
    dataset = Dataset()
    dataset.PatientID = text
    return dataset


def _arguments(service: str) -> tuple[Any, ...]:
    return {
        "n_event_report": (_attributes(), 2, RT_VERIFICATION, INSTANCE),
        "n_get": (["PatientID", (0x0010, 0x0010)], RT_VERIFICATION, INSTANCE),
        "n_set": (_attributes(), RT_VERIFICATION, INSTANCE),
        "n_action": (_attributes(), 3, RT_VERIFICATION, INSTANCE),
        "n_create": (_attributes(), RT_VERIFICATION, INSTANCE),
        "n_delete": (RT_VERIFICATION, INSTANCE),
    }[service]


SERVICES = ["n_event_report", "n_get", "n_set", "n_action", "n_create", "n_delete"]


def _ask(service: str, result: Any, form: str, *more: Any) -> tuple[Any, tuple[Any, ...]]:
    """What comes back, and what the handler got; events go from SCP to SCU."""
    handler = Recorder(result)
    ae = acceptor(**{f"on_{service}": handler})
    ae.add_supported_context(RT_VERIFICATION, scu_role=True, scp_role=True)
    roles = as_scp(RT_VERIFICATION) if service == "n_event_report" else None
    with meeting(requestor(RT_VERIFICATION), ae, ext_neg=roles) as association:
        return getattr(association, form + service)(*_arguments(service), *more), handler.calls[0]


@pytest.mark.parametrize("service", SERVICES)
def test_the_response_is_what_comes_back(service: str) -> None:
    response, arguments = _ask(service, (0x0000, _attributes("y")) if service != "n_delete" else 0, "", 9)
    assert (0x0000, 9, INSTANCE) == (
        response.status, response.message_id_being_responded_to, response.affected_sop_instance_uid
    )  # fmt: skip
    if service != "n_delete":
        assert "y" == decode_bare(response.data_bytes(), IMPLICIT).PatientID
    parameters = arguments[-1]["parameters"]
    kind = "affected" if service in ("n_event_report", "n_create") else "requested"
    expected: dict[str, Any] = {
        "message_id": 9, f"{kind}_sop_class": RT_VERIFICATION, f"{kind}_sop_instance": INSTANCE
    }  # fmt: skip
    types = {"n_event_report": {"event_type_id": 2}, "n_action": {"action_type_id": 3}}
    assert expected | types.get(service, {}) == parameters


@pytest.mark.parametrize("service", [service for service in SERVICES if service != "n_delete"])
def test_a_status_and_a_data_set_come_back_in_the_form_of_the_1x_api(service: str) -> None:
    (status, dataset), arguments = _ask(service, (0x0001, _attributes("y")), "send_")
    assert (0x0001, "y") == (status.Status, dataset.PatientID)
    assert 1 == arguments[-1]["parameters"]["message_id"]
    (status, dataset), _ = _ask(service, (0x0110, None), "send_", 5)
    assert (0x0110, None) == (status.Status, dataset)


@pytest.mark.parametrize(("service", "what"), [("n_event_report", "an event type"), ("n_action", "an action type")])
def test_a_type_that_cannot_be_sent_is_named_before_anything_is(service: str, what: str) -> None:
    roles = as_scp(RT_VERIFICATION) if service == "n_event_report" else None
    ae = acceptor()
    ae.add_supported_context(RT_VERIFICATION, scu_role=True, scp_role=True)
    with meeting(requestor(RT_VERIFICATION), ae, ext_neg=roles) as association:
        send = getattr(association, f"send_{service}")
        with pytest.raises(ValueError, match=f"{what} must be from 0 to 65535, not 65536"):
            send(None, 65536, RT_VERIFICATION, INSTANCE)
        with pytest.raises(TypeError, match=f"{what} must be an int, not '1'"):
            send(None, "1", RT_VERIFICATION, INSTANCE)


def test_of_a_delete_the_status_comes_back() -> None:
    status, _ = _ask("n_delete", 0x0112, "send_")
    assert 0x0112 == status.Status


def test_tags_are_taken_as_keywords_pairs_and_numbers() -> None:
    _, arguments = _ask("n_get", (0x0000, _attributes()), "")
    assert [0x00100020, 0x00100010] == arguments[0]


def test_without_a_list_all_attributes_are_asked_for() -> None:
    handler = Recorder((0x0000, _attributes()))
    with meeting(requestor(RT_VERIFICATION), acceptor(RT_VERIFICATION, on_n_get=handler)) as association:
        nothings: list[Any] = [None, [], ()]
        for nothing in nothings:
            association.send_n_get(nothing, RT_VERIFICATION, INSTANCE)
    assert [[], [], []] == [call[0] for call in handler.calls]


def test_an_instance_may_be_left_to_the_performer() -> None:
    with meeting(requestor(RT_VERIFICATION), acceptor(RT_VERIFICATION, on_n_create=Recorder())) as association:
        response = association.n_create(_attributes(), RT_VERIFICATION)
        assert (response.affected_sop_instance_uid or "").startswith("2.25.")
        status, dataset = association.send_n_create(None, RT_VERIFICATION)
        assert (0x0000, None) == (status.Status, dataset)
        assert status.AffectedSOPInstanceUID.startswith("2.25.")


def test_a_meta_sop_class_can_be_chosen() -> None:
    handler = Recorder()
    classes = (GRAYSCALE_PRINT, COLOUR_PRINT)
    with meeting(requestor(*classes), acceptor(*classes, on_n_create=handler)) as association:
        for meta in (None, *classes):
            assert 0x0000 == association.n_create(_attributes(), FILM_SESSION, INSTANCE, meta_uid=meta).status
    assert [GRAYSCALE_PRINT, GRAYSCALE_PRINT, COLOUR_PRINT] == [call[1].abstract_syntax for call in handler.calls]


def test_an_event_cannot_be_told_by_the_scu_nor_anything_asked_by_the_scp() -> None:
    handler = Recorder((0x0000, _attributes()))
    with meeting(requestor(RT_VERIFICATION), acceptor(RT_VERIFICATION, on_n_get=handler)) as association:
        association.n_get([], RT_VERIFICATION, INSTANCE)
        other_end: Association = handler.calls[0][-1]["association"]
        with pytest.raises(ValueError, match="not in the role of SCP"):
            association.send_n_event_report(*_arguments("n_event_report"))
        with pytest.raises(ValueError, match="not in the role of SCU"):
            other_end.send_n_get(*_arguments("n_get"))


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_can_be_asked_on_an_association_that_is_over(service: str) -> None:
    with meeting(requestor(RT_VERIFICATION), acceptor(RT_VERIFICATION)) as association:
        association.release()
        with pytest.raises(RuntimeError, match=service.upper().replace("_", "-")):
            getattr(association, f"send_{service}")(*_arguments(service))


def test_without_an_answer_the_status_is_empty() -> None:
    for service in ("n_get", "n_delete"):
        with SilentPeer() as peer:
            ae = requestor(RT_VERIFICATION)
            ae.timeouts.dimse = 0.01
            answer = getattr(ae.associate(*peer.address), f"send_{service}")(*_arguments(service))
        assert answer == (Dataset() if service == "n_delete" else (Dataset(), None))


def test_a_data_set_that_cannot_be_read_is_none(caplog: pytest.LogCaptureFixture) -> None:
    handler = Recorder((0x0000, b"\x10\0\x20\0\xff\0\0\0"))
    with meeting(requestor(RT_VERIFICATION), acceptor(RT_VERIFICATION, on_n_get=handler)) as association:
        status, dataset = association.send_n_get([], RT_VERIFICATION, INSTANCE)
    assert (0x0000, None) == (status.Status, dataset)
    assert "N-GET-RSP: the data set cannot be read" in caplog.text
