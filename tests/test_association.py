"""What an association says of itself and tells handlers, and what user code on it may take its time for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomsim.association import Association
from dicomsim.negotiation_items import SOPClassExtendedNegotiation
from tests.meeting import CT_IMAGE_STORAGE as CT
from tests.meeting import LIMIT, VERIFICATION, acceptor, meeting, requestor
from tests.services.archive import as_scp, image
from tests.services.calls import Recorder

COMMITMENT, COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"


def test_handlers_learn_who_is_there_and_what_was_agreed_on() -> None:
    item = SOPClassExtendedNegotiation()
    item.sop_class_uid, item.service_class_application_information = VERIFICATION, b"\x01"
    handler = Recorder()
    accepting = acceptor(on_c_echo=handler, on_sop_class_extended=lambda offered: offered)
    with meeting(requestor(), accepting, ext_neg=[item]) as association:
        association.send_c_echo(msg_id=3)
        context, info = handler.calls[0]
        other: Association = info["association"]
        assert (association.requestor.port, association.acceptor.port) == (other.requestor.port, other.acceptor.port)
    assert (1, VERIFICATION, "1.2.840.10008.1.2") == context
    assert {"requestor", "acceptor", "parameters", "sop_class_extended", "cancelled", "association"} == info.keys()
    assert {"ae_title", "called_aet", "address", "port"} == info["requestor"].keys()
    assert {"ae_title", "address", "port"} == info["acceptor"].keys()
    assert {
        "message_id": 3, "affected_sop_class": VERIFICATION, "priority": None, "originator_aet": None,
        "originator_message_id": None,
    } == info["parameters"]  # fmt: skip
    assert {VERIFICATION: b"\x01"} == info["sop_class_extended"]
    assert not info["cancelled"]()


def test_contexts_are_told_apart_by_what_became_of_them() -> None:
    with meeting(requestor(VERIFICATION, CT), acceptor()) as association:
        (accepted,), (rejected,) = association.accepted_contexts, association.rejected_contexts
    assert (1, VERIFICATION, 0) == (accepted.context_id, accepted.abstract_syntax, accepted.result)
    assert (3, CT, 3, 3) == (
        rejected.context_id, rejected.abstract_syntax, rejected.result, len(rejected.transfer_syntax)
    )  # fmt: skip


def test_it_says_in_one_line_how_it_is() -> None:
    with meeting(requestor(), acceptor()) as association:
        assert repr(association).endswith(": Sta6>")
        association.release()
    assert "\n" not in repr(association)
    assert ": released by requestor in Sta7" in repr(association)
    assert (True, False, False) == (association.is_released, association.is_aborted, association.is_rejected)


def test_a_block_that_raises_aborts_and_another_releases() -> None:
    with meeting(requestor(), acceptor()) as association:
        with pytest.raises(LookupError), association:
            raise LookupError
        assert association.is_aborted
    with meeting(requestor(), acceptor()) as association:
        with association:
            pass
        assert association.is_released


def test_a_data_set_that_is_no_object_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    find = "1.2.840.10008.5.1.4.1.2.2.1"
    monkeypatch.setattr("dicomsim.provider.DATA_SET_LIMIT", 64)
    long = Dataset()
    long.PatientID = "x" * 64
    matches = [(0xFF00, image(1)), (0xFF00, long)]
    with meeting(requestor(find), acceptor(find, on_c_find=Recorder(matches))) as association:
        assert [0xA700] == [status.Status for status, _ in association.send_c_find(long, query_model="S")]
        query = Dataset()
        query.PatientID = ""
        pairs = list(association.send_c_find(query, query_model="S"))
    assert [0xFF00, 0xFF00, 0x0000] == [status.Status for status, _ in pairs]
    assert [image(1), None, None] == [identifier for _, identifier in pairs]


# -- user code that takes its time ------------------------------------------------------------------------------------


def test_a_handler_that_does_not_end_is_answered_for_and_the_association_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    may_end, ended = threading.Event(), threading.Event()

    def endless_handler(dataset: Dataset, context: Any, info: Any) -> int:
        assert may_end.wait(LIMIT)
        ended.set()
        return 0x0000

    accepting = acceptor(VERIFICATION, CT, on_c_store=endless_handler)
    accepting.timeouts.handler = 0.01
    with meeting(requestor(VERIFICATION, CT), accepting) as association:
        response = association.c_store(image(1))
        assert (0xC000, "handler did not end within 0.01 s") == (response.status, response.error_comment)
        assert 0x0000 == association.c_echo().status
        may_end.set()
        assert ended.wait(LIMIT)
        accepting.on_c_store = Recorder()
        assert 0x0000 == association.c_store(image(2)).status
        association.release()
        assert association.is_released
    assert "endless_handler" in caplog.text


def test_a_query_whose_handler_stops_yielding_is_answered_for() -> None:
    find, may_end = "1.2.840.10008.5.1.4.1.2.2.1", threading.Event()

    def on_c_find(dataset: Dataset, context: Any, info: Any) -> Any:
        yield 0xFF00, dataset
        assert may_end.wait(LIMIT)
        yield 0xFF00, dataset

    accepting = acceptor(VERIFICATION, find, on_c_find=on_c_find)
    accepting.timeouts.handler = 0.01
    with meeting(requestor(VERIFICATION, find), accepting) as association:
        statuses = [answer.status for answer in association.c_find(image(1), query_model="S")]
        assert [0xFF00, 0xC000] == statuses
        assert 0x0000 == association.c_echo().status
        may_end.set()


def test_a_handler_without_a_limit_may_take_any_time() -> None:
    entered, may_end = threading.Event(), threading.Event()

    def on_c_echo(context: Any, info: Any) -> int:
        entered.set()
        assert may_end.wait(LIMIT)
        return 0x0210

    accepting = acceptor(on_c_echo=on_c_echo)
    accepting.timeouts.handler = None
    with meeting(requestor(), accepting) as association, ThreadPoolExecutor(1) as executor:
        answer = executor.submit(association.c_echo)
        assert entered.wait(LIMIT)
        may_end.set()
        assert 0x0210 == answer.result(LIMIT).status


# -- both ways at once ------------------------------------------------------------------------------------------------


def test_a_handler_may_ask_the_peer_for_something_on_the_same_association() -> None:
    def on_n_action(dataset: Dataset, context: Any, info: Any) -> int:
        report = info["association"].n_event_report(dataset, 1, COMMITMENT, COMMITMENT_INSTANCE)
        return int(report.status)

    handler = Recorder(0x0110)
    asking = requestor(COMMITMENT, on_n_event_report=handler)
    with meeting(asking, acceptor(COMMITMENT, on_n_action=on_n_action)) as association:
        assert 0x0110 == association.n_action(image(1), 1, COMMITMENT, COMMITMENT_INSTANCE).status
    assert 1 == handler.calls[0][2]["parameters"]["event_type_id"]


def test_an_answer_goes_out_while_another_thread_waits_for_one_of_its_own() -> None:
    reported, answered = threading.Event(), threading.Event()

    def report(association: Association) -> int | None:
        return association.n_event_report(image(1), 1, COMMITMENT, COMMITMENT_INSTANCE).status

    def on_n_action(dataset: Dataset, context: Any, info: Any) -> int:
        report_status.append(executor.submit(report, info["association"]))
        assert reported.wait(LIMIT)
        return 0x0000

    def on_n_event_report(dataset: Dataset, context: Any, info: Any) -> int:
        reported.set()
        assert answered.wait(LIMIT)
        return 0x0000

    report_status: list[Any] = []
    with ThreadPoolExecutor(1) as executor:
        asking = requestor(COMMITMENT, on_n_event_report=on_n_event_report)
        with meeting(asking, acceptor(COMMITMENT, on_n_action=on_n_action)) as association:
            answer = association.submit("n_action", image(1), 1, COMMITMENT, COMMITMENT_INSTANCE)
            assert 0x0000 == answer.result(LIMIT).status
            answered.set()
            assert 0x0000 == report_status[0].result(LIMIT)


def test_storage_commitment_may_be_reported_on_an_association_of_its_own() -> None:
    handler = Recorder()
    scu = acceptor(on_n_event_report=handler)
    scu.add_supported_context(COMMITMENT, scu_role=True, scp_role=True)
    with meeting(requestor(COMMITMENT), scu, ext_neg=as_scp(COMMITMENT)) as association:
        assert 0x0000 == association.n_event_report(image(1), 2, COMMITMENT, COMMITMENT_INSTANCE).status
    dataset, context, info = handler.calls[0]
    assert (image(1), COMMITMENT) == (dataset, context.abstract_syntax)
    assert (2, COMMITMENT_INSTANCE) == (
        info["parameters"]["event_type_id"], info["parameters"]["affected_sop_instance"]
    )  # fmt: skip


def test_an_event_from_somebody_who_is_no_scp_is_not_recognized() -> None:
    with meeting(requestor(COMMITMENT), acceptor(COMMITMENT, on_n_event_report=Recorder())) as association:
        event = {
            "affected_sop_class_uid": COMMITMENT,
            "affected_sop_instance_uid": COMMITMENT_INSTANCE,
            "event_type_id": 1,
        }
        response = association.perform("N-EVENT-REPORT-RQ", 1, None, **event)
    assert (0x0211, "not the role that was negotiated") == (response.status, response.error_comment)
