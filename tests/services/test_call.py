"""What stands between the engine and user code: whatever a handler does becomes one response."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomsim.dimse.builders import respond
from dicomsim.dimse.data import SinkFullError
from dicomsim.dimse.messages import Message
from dicomsim.errors import AssociationError, TimeLimitError
from dicomsim.services.call import OverError, RefusedError, knows_status, serve
from dicomsim.services.storage import StoreTo
from tests.services.calls import Association, Handlers, Serving, encoded

LIMIT = 20.0
VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
MPPS = "1.2.840.10008.3.1.2.3.3"


def _echo(handler: Any = None) -> Serving:
    handlers = Handlers() if handler is None else Handlers(on_c_echo=handler)
    return Serving("C-ECHO", VERIFICATION, handlers, affected_sop_class_uid=VERIFICATION)


def _find(handler: Any, **others: Any) -> Serving:
    handlers = Handlers(on_c_find=handler, **others)
    return Serving("C-FIND", STUDY_FIND, handlers, encoded(Dataset()), affected_sop_class_uid=STUDY_FIND, priority=0)


def _status(code: int, **elements: Any) -> Dataset:
    dataset = Dataset()
    dataset.Status = code
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


# -- statuses ---------------------------------------------------------------------------------------------------------


def test_a_status_data_set_gives_its_further_elements_to_the_response() -> None:
    status = _status(0x0122, ErrorComment="not today", OffendingElement=0x00000002)
    response = _echo(lambda context, info: status).final()
    assert (0x0122, "not today", (2,)) == (response.status, response.error_comment, response.offending_element)


@pytest.mark.parametrize("nonsense", [None, "0000", 0x10000, -1, True, 1.0, Dataset(), ("a", "b", "c")])
def test_nonsense_for_a_status_is_a_processing_failure(nonsense: Any, caplog: pytest.LogCaptureFixture) -> None:
    response = _echo(lambda context, info: nonsense).final()
    assert 0x0110 == response.status
    assert "status" in (response.error_comment or "")
    assert "C-ECHO-RQ" in caplog.text


@pytest.mark.parametrize(
    ("code", "sop_class", "service", "known"),
    [
        (0x0000, CT, "C-STORE", True),
        (0xA7FF, CT, "C-STORE", True),
        (0xB006, CT, "C-STORE", True),
        (0xB123, CT, "C-STORE", False),
        (0xFF00, STUDY_FIND, "C-FIND", True),
        (0xFF00, CT, "C-STORE", False),
        (0x0112, MPPS, "N-SET", True),
        (0x0112, CT, "C-STORE", False),
        (0xB123, "1.2.3.4", "C-STORE", True),
        (0x1234, "1.2.3.4", "C-STORE", False),
        (0xB123, "", "C-STORE", True),
    ],
)
def test_a_status_is_known_if_the_service_class_has_it(code: int, sop_class: str, service: str, known: bool) -> None:
    assert known is knows_status(code, sop_class, service)


def test_a_status_that_the_service_does_not_know_is_passed_on_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert 0xB123 == _echo(lambda context, info: 0xB123).final().status
    assert "0xB123 Warning (not a status of Verification)" in caplog.text


def test_a_status_that_the_service_knows_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert 0x0210 == _echo(lambda context, info: 0x0210).final().status
    assert "" == caplog.text


# -- handlers that fail -----------------------------------------------------------------------------------------------


def _raising(*arguments: Any) -> Any:
    raise LookupError("no such thing")


PRINTER, PRINTER_INSTANCE = "1.2.840.10008.5.1.1.16", "1.2.840.10008.5.1.1.17"
FAILING = {
    "C-ECHO": (_echo(_raising), 0x0110),
    "C-FIND": (_find(_raising), 0xC000),
    "C-STORE": (
        Serving("C-STORE", CT, Handlers(on_c_store=_raising), b"", affected_sop_class_uid=CT,
                affected_sop_instance_uid="1.2", association=Association(StoreTo.BYTES)), 0xC000,
    ),
    "N-GET": (
        Serving("N-GET", PRINTER, Handlers(on_n_get=_raising), requested_sop_class_uid=PRINTER,
                requested_sop_instance_uid=PRINTER_INSTANCE), 0x0110,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("serving", "status"), FAILING.values(), ids=FAILING)
def test_a_handler_that_raises_is_a_failure_with_its_traceback_in_the_log(
    serving: Serving, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    response = serving.final()
    assert (status, "handler failed: LookupError") == (response.status, response.error_comment)
    assert "no such thing" in caplog.text
    assert "Traceback" in caplog.text


LEAVING = [SystemExit(3), pytest.fail.Exception("not what was expected")]
"""Raised by `sys.exit` and `pytest.fail`, and no `Exception`."""


@pytest.mark.parametrize("leaving", LEAVING, ids=repr)
def test_a_handler_that_would_leave_the_program_or_the_test_is_a_failure_like_any_other(
    leaving: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(*arguments: Any) -> int:
        raise leaving

    response = _echo(handler).final()
    assert (0x0110, f"handler failed: {type(leaving).__name__}") == (response.status, response.error_comment)
    assert "Traceback" in caplog.text


def test_ctrl_c_in_a_handler_is_for_whoever_waits_in_its_thread() -> None:
    def handler(*arguments: Any) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _echo(handler).call.run("on_c_echo")


@pytest.mark.parametrize("leaving", LEAVING, ids=repr)
def test_a_cancel_handler_or_a_clean_up_that_would_leave_the_program_changes_nothing(leaving: BaseException) -> None:
    def matches(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        try:
            yield 0xFF00, Dataset()
        finally:
            raise leaving

    def cancelled() -> bool:
        raise leaving

    serving = _find(matches, on_c_find_cancel=cancelled)
    serving.operation.cancelled = True
    assert 0xFE00 == serving.final().status


def test_an_association_of_the_handlers_own_that_fails_is_a_failure_like_any_other() -> None:
    def handler(context: Any, info: Any) -> int:
        raise AssociationError("the other one is gone")

    assert 0x0110 == _echo(handler).final().status


def test_a_handler_that_raises_in_the_middle_ends_the_query_with_a_failure() -> None:
    def matches(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        yield 0xFF00, Dataset()
        raise LookupError

    assert [0xFF00, 0xC000] == [response.status for response in _find(matches).run()]


@pytest.mark.parametrize("result", [None, 5, 0x0000])
def test_a_handler_that_should_yield_and_returns_is_a_failure(result: Any) -> None:
    response = _find(lambda *arguments: result).final()
    assert (0xC000, "handler does not yield") == (response.status, response.error_comment)


def test_a_handler_may_return_any_iterable() -> None:
    assert [0xFF00, 0xFF01, 0x0000] == [
        response.status for response in _find(lambda *arguments: [(0xFF00, Dataset()), (0xFF01, Dataset())]).run()
    ]


def test_a_handler_is_closed_when_it_is_not_asked_any_more() -> None:
    closed = threading.Event()

    def matches(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        try:
            yield 0xA700, None
            yield 0xFF00, Dataset()
        finally:
            closed.set()

    assert [0xA700] == [response.status for response in _find(matches).run()]
    assert closed.is_set()


def test_a_handler_that_fails_when_it_is_closed_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def matches(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        try:
            yield 0xA700, None
        finally:
            raise LookupError

    assert [0xA700] == [response.status for response in _find(matches).run()]
    assert "failed when it was closed" in caplog.text


def test_a_defect_of_a_provider_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    serving = _echo()
    serve(_raising, serving.call)
    assert [0x0110] == [response.status for response in serving.sent]
    assert "the provider failed" in caplog.text


@pytest.mark.parametrize("error", [AssociationError("gone"), TimeLimitError("dimse timeout of 1 s")])
def test_what_cannot_be_answered_is_logged(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    serving = _echo()

    def answer(response: Message) -> None:
        raise error

    serving.call.answer = answer
    assert [] == serving.run()
    assert f"C-ECHO-RQ: not answered: {error}" in caplog.text


# -- data sets and pairs ----------------------------------------------------------------------------------------------


def test_a_data_set_that_cannot_be_read_is_a_failure() -> None:
    serving = Serving("C-FIND", STUDY_FIND, Handlers(on_c_find=_raising), b"\x10\0\x20\0\xff\0\0\0",
                      affected_sop_class_uid=STUDY_FIND)  # fmt: skip
    assert (0xC000, "data set cannot be read") == (serving.final().status, serving.sent[0].error_comment)
    with pytest.raises(RefusedError, match="cannot be read"):
        serving.call.dataset()


@pytest.mark.parametrize(("service", "status"), [("C-FIND", 0xA700), ("C-GET", 0xA701), ("N-SET", 0x0213)])
def test_a_data_set_that_did_not_fit_is_out_of_resources(service: str, status: int) -> None:
    kind = "requested" if service == "N-SET" else "affected"
    elements: dict[str, Any] = {f"{kind}_sop_class_uid": "1.2.3", f"{kind}_sop_instance_uid": "1.2.3"}
    name = "on_" + service.lower().replace("-", "_")
    serving = Serving(service, "1.2.3", Handlers(**{name: _raising}), b"", **elements)
    serving.operation.request.sink_error = SinkFullError("longer than 5 bytes")
    assert (status, "data set is too long") == (serving.final().status, serving.sent[0].error_comment)


def test_the_data_set_of_an_object_has_file_meta_information_and_an_identifier_has_none() -> None:
    dataset = Dataset()
    dataset.PatientID = "1"
    serving = Serving("C-STORE", CT, None, encoded(dataset))
    assert "1.2.840.10008.1.2" == serving.call.dataset().file_meta.TransferSyntaxUID
    assert not hasattr(serving.call.identifier(), "file_meta")
    assert "1" == serving.call.identifier().PatientID


def test_bytes_are_taken_for_an_encoded_data_set() -> None:
    assert b"ab" == _echo().call.encoded(b"ab")


@pytest.mark.parametrize("wrong", [5, "text", [Dataset()]])
def test_anything_else_is_no_data_set(wrong: Any) -> None:
    with pytest.raises(RefusedError, match="no data set"):
        _echo().call.encoded(wrong)


def test_a_data_set_that_cannot_be_written_is_a_failure() -> None:
    dataset = Dataset()
    dataset.Rows = 70_000
    with pytest.raises(RefusedError, match="cannot be written"):
        _echo().call.encoded(dataset)


def test_a_status_alone_has_no_data_set() -> None:
    call = _echo().call
    assert (0, None) == call.pair(0)
    assert (1, 2) == call.pair((1, 2)) == call.pair([1, 2])
    with pytest.raises(RefusedError, match="no status and data set"):
        call.pair((1, 2, 3))


# -- the final response -----------------------------------------------------------------------------------------------


def test_nothing_goes_behind_the_final_response() -> None:
    call = _find(None).call
    call.send(respond(call.message, 0xFF00))
    call.send(respond(call.message, 0x0000))
    for status in (0x0000, 0xFF00):
        with pytest.raises(OverError):
            call.send(respond(call.message, status))


def test_a_handler_that_does_not_end_is_answered_for(caplog: pytest.LogCaptureFixture) -> None:
    entered, may_end = threading.Event(), threading.Event()

    def dawdling_handler(context: Any, info: Any) -> int:
        entered.set()
        assert may_end.wait(LIMIT)
        return 0x0000

    serving = _echo(dawdling_handler)
    thread = threading.Thread(target=serving.run)
    thread.start()
    assert entered.wait(LIMIT)
    assert serving.call.in_user_code
    serving.call.time_out(1.5)
    serving.call.time_out(1.5)
    may_end.set()
    thread.join(LIMIT)
    assert [(0x0110, "handler did not end within 1.5 s")] == [(one.status, one.error_comment) for one in serving.sent]
    assert "dawdling_handler" in caplog.text
    assert not serving.call.in_user_code


def test_what_is_not_user_code_does_not_time_out() -> None:
    serving = _echo()
    serving.call.time_out(1.0)
    assert [] == serving.sent


def test_the_time_limit_begins_anew_whenever_user_code_is_entered() -> None:
    entries: list[None] = []
    serving = _find(lambda *arguments: [(0xFF00, Dataset())] * 3)
    serving.call.renew = lambda: entries.append(None)
    serving.run()
    assert 1 + 3 + 1 == len(entries)


# -- cancel -----------------------------------------------------------------------------------------------------------


def test_without_a_cancel_nothing_stops() -> None:
    call = _find(None, on_c_find_cancel=_raising).call
    assert not call.is_cancelled()
    assert not call.stops()


@pytest.mark.parametrize(("verdict", "stops"), [(True, True), (None, True), (False, False)])
def test_the_cancel_handler_decides_and_is_asked_once(verdict: Any, stops: bool) -> None:
    asked: list[None] = []

    def on_cancel() -> Any:
        asked.append(None)
        return verdict

    serving = _find(None, on_c_find_cancel=on_cancel)
    serving.operation.cancelled = True
    serving.call.heed_cancel()
    assert (stops, stops) == (serving.call.stops(), serving.call.stops())
    assert 1 == len(asked)


def test_without_a_cancel_handler_or_with_one_that_fails_a_cancel_stops(caplog: pytest.LogCaptureFixture) -> None:
    for handlers in ({}, {"on_c_find_cancel": _raising}):
        serving = _find(None, **handlers)
        serving.operation.cancelled = True
        assert serving.call.stops()
    assert "cancel handler failed" in caplog.text


def test_handlers_can_ask_whether_a_cancel_came() -> None:
    serving = _find(None)
    cancelled = serving.call.info["cancelled"]
    assert not cancelled()
    serving.operation.cancelled = True
    assert cancelled()
