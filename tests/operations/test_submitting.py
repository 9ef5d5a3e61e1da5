"""Several operations outstanding at once, within the negotiated window. PS3.7 §D.3.3.3."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomsim.association import Association
from dicomsim.dimse.messages import Message
from dicomsim.errors import AssociationError, TimeLimitError
from dicomsim.negotiation_items import AsynchronousOperationsWindowNegotiation
from dicomsim.operations.submitting import SUBMITTABLE
from tests.meeting import CT_IMAGE_STORAGE as CT
from tests.meeting import LIMIT, VERIFICATION, SilentPeer, acceptor, meeting, requestor
from tests.services.archive import image
from tests.services.calls import Recorder

MPPS = "1.2.840.10008.3.1.2.3.3"


def window(invoked: int, performed: int = 1) -> list[AsynchronousOperationsWindowNegotiation]:
    """What a requestor offers."""
    item = AsynchronousOperationsWindowNegotiation()
    item.maximum_number_operations_invoked, item.maximum_number_operations_performed = invoked, performed
    return [item]


@contextmanager
def windowed(size: int, **handlers: Any) -> Iterator[Association]:
    """An association on which that many operations may be outstanding; 0 is any number."""
    ae = acceptor(VERIFICATION, CT, MPPS, **handlers)
    ae.on_async_ops_window = lambda invoked, performed: (size, 1)
    with meeting(requestor(VERIFICATION, CT, MPPS), ae, ext_neg=window(size)) as association:
        assert association.session.exchange.invoked_window == size
        yield association


def test_a_future_has_the_response() -> None:
    with windowed(3) as association:
        answer = association.submit("c_echo")
        assert 0x0000 == answer.result(LIMIT).status
        assert answer.done()
        assert VERIFICATION == answer.request.sop_class


def test_without_a_window_operations_go_one_after_the_other() -> None:
    handler = Recorder()
    with meeting(requestor(), acceptor(on_c_echo=handler)) as association:
        assert [0x0000] * 5 == [association.submit("C-ECHO").result(LIMIT).status for _ in range(5)]
        answers = [association.submit("c_echo") for _ in range(5)]
        assert len(association.submitted) <= 1
        assert [0x0000] * 5 == [one.result(LIMIT).status for one in answers]
    assert list(range(1, 11)) == [call[1]["parameters"]["message_id"] for call in handler.calls]


@pytest.mark.parametrize("size", [4, 0])
def test_handlers_run_in_parallel_up_to_the_window(size: int) -> None:
    together = threading.Barrier(4)

    def on_c_echo(context: Any, info: Any) -> int:
        together.wait(LIMIT)
        return 0x0000

    with windowed(size, on_c_echo=on_c_echo) as association:
        answers = [association.submit("c_echo") for _ in range(4)]
        assert [0x0000] * 4 == [one.result(LIMIT).status for one in answers]


def test_answers_are_taken_in_any_order() -> None:
    later = threading.Event()
    order: list[Future[Message]] = []

    def on_c_store(dataset: Dataset, context: Any, info: Any) -> int:
        if dataset.PatientID == "1":
            assert later.wait(LIMIT)
            return 0xB000
        return 0x0000

    with windowed(2, on_c_store=on_c_store) as association:
        first, second = association.submit("c_store", image(1)), association.submit("c_store", image(2))
        for one in (first, second):
            one.add_done_callback(order.append)
        assert 0x0000 == second.result(LIMIT).status
        assert not first.done()
        later.set()
        assert 0xB000 == first.result(LIMIT).status
        assert {second, first} == wait([first, second], LIMIT).done


def test_more_than_the_window_waits_for_room() -> None:
    at_once, most, lock = [0], [0], threading.Lock()

    def on_c_echo(context: Any, info: Any) -> int:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        with lock:
            at_once[0] -= 1
        return 0x0000

    with windowed(3, on_c_echo=on_c_echo) as association:
        answers = []
        for _ in range(60):
            answers.append(association.submit("c_echo"))
            assert len(association.session.exchange.invoked) <= 3
        assert [0x0000] * 60 == [one.result(LIMIT).status for one in answers]
    assert most[0] <= 3


def test_a_caller_may_wait_for_one_answer_while_others_are_outstanding() -> None:
    may_end = threading.Event()

    def on_c_store(dataset: Dataset, context: Any, info: Any) -> int:
        assert may_end.wait(LIMIT)
        return 0x0000

    with windowed(2, on_c_store=on_c_store) as association:
        answer = association.submit("c_store", image(1))
        assert [0x0000] * 3 == [association.c_echo().status for _ in range(3)]
        assert not answer.done()
        may_end.set()
        assert 0x0000 == answer.result(LIMIT).status


def test_every_operation_with_one_response_can_be_submitted() -> None:
    dataset = Dataset()
    dataset.PatientID = "1"
    with windowed(2, on_c_store=Recorder(), on_n_set=Recorder(), on_n_create=Recorder()) as association:
        answers = [
            association.submit("c_store", image(1), priority=0),
            association.submit("n_create", dataset, MPPS, "1.2.3"),
            association.submit("N-SET", dataset, MPPS, "1.2.3", message_id=77),
        ]
        assert [0x0000] * 3 == [one.result(LIMIT).status for one in answers]
        assert 77 == answers[2].result().message_id_being_responded_to
    assert len(SUBMITTABLE) == 8


@pytest.mark.parametrize("operation", ["c_find", "release", "perform", ""])
def test_nothing_else_can_be_submitted(operation: str) -> None:
    with windowed(2) as association, pytest.raises(ValueError, match=r"one of c_echo, .* can be submitted, not"):
        association.submit(operation)


def test_what_cannot_be_sent_is_raised_at_once() -> None:
    with windowed(2) as association:
        with pytest.raises(ValueError, match="no accepted presentation context"):
            association.submit("n_get", [], "1.2.3", "1.2.3.4")
        association.release()
        with pytest.raises(AssociationError, match="released"):
            association.submit("c_echo")
        assert {} == association.submitted


def test_callbacks_may_use_the_association() -> None:
    echoed: Future[Message] = Future()

    with windowed(2) as association:
        association.submit("c_echo").add_done_callback(lambda _: echoed.set_result(association.c_echo()))
        assert 0x0000 == echoed.result(LIMIT).status


def test_the_end_of_the_association_fails_what_is_outstanding() -> None:
    entered, may_end = threading.Event(), threading.Event()

    def on_c_echo(context: Any, info: Any) -> int:
        entered.set()
        assert may_end.wait(LIMIT)
        return 0x0000

    with windowed(3, on_c_echo=on_c_echo) as association:
        answers = [association.submit("c_echo") for _ in range(3)]
        assert entered.wait(LIMIT)
        association.abort()
        for answer in answers:
            with pytest.raises(AssociationError, match="aborted by requestor"):
                answer.result(LIMIT)
        may_end.set()


def test_an_answer_that_does_not_come_is_a_timeout() -> None:
    with SilentPeer() as peer:
        ae = requestor()
        ae.timeouts.dimse = 0.01
        association = ae.associate(*peer.address)
        with pytest.raises(TimeLimitError, match=r"dimse timeout of 0.01 s"):
            association.submit("c_echo").result(LIMIT)


def test_a_status_that_the_service_does_not_know_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with windowed(2, on_c_echo=Recorder(0xB123)) as association:
        assert 0xB123 == association.submit("c_echo").result(LIMIT).status
    assert "C-ECHO-RQ: the peer answered with 0xB123" in caplog.text
