"""Reading the answers to a query one by one: in bounded memory, to the end or not, with a C-CANCEL or without."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomsim.association import Association
from dicomsim.datasets import decode_bare
from dicomsim.engine.poller import READ
from dicomsim.errors import AssociationError, StateError, TimeLimitError
from dicomsim.operations.answers import Answers
from tests.meeting import IMPLICIT, LIMIT, VERIFICATION, SilentPeer, acceptor, meeting, requestor
from tests.services.archive import STUDY_FIND, query

AT_ONCE = 1 << 16
"""Bytes of one read where memory is counted."""


def _match(number: int, filling: int = 0) -> Dataset:
    dataset = Dataset()
    dataset.PatientID = str(number)
    if filling:
        dataset.PatientComments = "x" * filling
    return dataset


def finding(count: int, filling: int = 0) -> Any:
    """An `on_c_find` with that many matches."""

    def on_c_find(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        for number in range(count):
            yield 0xFF00, _match(number, filling)

    return on_c_find


@contextmanager
def querying(on_c_find: Any, **handlers: Any) -> Iterator[Association]:
    ae = acceptor(VERIFICATION, STUDY_FIND, on_c_find=on_c_find, **handlers)
    with meeting(requestor(VERIFICATION, STUDY_FIND), ae) as association:
        yield association


def _find(association: Association) -> Answers:
    return association.c_find(query(), query_model="S")


def _patient(answer: Any) -> str:
    return str(decode_bare(answer.data_bytes(), IMPLICIT).PatientID)


def test_every_response_is_read_the_final_one_included() -> None:
    with querying(finding(3)) as association, _find(association) as answers:
        responses = list(answers)
        assert [] == list(answers)
    assert [0xFF00, 0xFF00, 0xFF00, 0x0000] == [one.status for one in responses]
    assert ["0", "1", "2"] == [_patient(one) for one in responses[:-1]]
    assert ("C-FIND-RQ", responses[0].message_id_being_responded_to) == (answers.request.name, answers.message_id)


def test_nothing_is_read_between_two_steps_and_everything_afterwards() -> None:
    with querying(finding(2)) as association:
        session = association.session
        answers = _find(association)
        for _ in range(3):
            assert 1 == session.held
            assert not session._wanted() & READ
            next(answers)
        assert 0 == session.held
        assert session._wanted() & READ


@pytest.mark.slow
def test_a_long_query_is_read_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicomsim.engine.pump.borrow", lambda: memoryview(bytearray(AT_ONCE)))
    monkeypatch.setattr("dicomsim.engine.pump.give_back", lambda buffer: None)
    filling, most, count = 1000, 0, 0
    with querying(finding(5000, filling)) as association:
        answers = _find(association)
        for _ in answers:
            most = max(most, len(answers._operation.replies))
            count += 1
    assert 5001 == count
    assert most <= AT_ONCE // filling + 1


def test_answers_that_are_not_read_are_dropped_and_the_association_goes_on() -> None:
    with querying(finding(50)) as association:
        answers = _find(association)
        assert "0" == _patient(next(answers))
        answers.close()
        answers.close()
        assert [] == list(answers)
        assert 0x0000 == association.c_echo().status
        assert 51 == len(list(_find(association)))
        assert 0 == association.session.held


def test_an_iterator_that_is_forgotten_is_closed() -> None:
    with querying(finding(50)) as association:
        for _ in _find(association):
            break
        gc.collect()
        assert 0 == association.session.held
        assert 0x0000 == association.c_echo().status


def test_an_iterator_that_was_never_begun_is_closed_like_any_other() -> None:
    with querying(finding(50)) as association:
        with _find(association):
            assert 1 == association.session.held
        assert 0x0000 == association.c_echo().status


class Patient:
    """An `on_c_find` that goes on when its C-CANCEL has come."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.was_told: list[bool] = []

    def on_c_find(self, dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        yield 0xFF00, _match(0)
        assert self.cancelled.wait(LIMIT)
        self.was_told.append(info["cancelled"]())
        yield 0xFF00, _match(1)

    def on_c_find_cancel(self) -> bool:
        self.cancelled.set()
        return True


@contextmanager
def cancelling() -> Iterator[tuple[Association, Patient]]:
    peer = Patient()
    with querying(peer.on_c_find, on_c_find_cancel=peer.on_c_find_cancel) as association:
        yield association, peer
    assert [True] == peer.was_told


def test_a_cancel_between_two_steps_ends_the_query() -> None:
    with cancelling() as (association, _):
        answers = _find(association)
        next(answers)
        assert answers.cancel()
        assert [0xFE00] == [one.status for one in answers]
        assert not answers.cancel()


def test_a_cancel_by_its_message_id_ends_the_query() -> None:
    with cancelling() as (association, _):
        pairs = association.send_c_find(query(), msg_id=5, query_model="S")
        assert 0xFF00 == next(pairs)[0].Status
        assert association.send_c_cancel(5)
        assert [(0xFE00, None)] == [(status.Status, identifier) for status, identifier in pairs]
        assert not association.send_c_cancel(5)


def test_another_thread_may_cancel_while_an_answer_is_awaited() -> None:
    with cancelling() as (association, _), ThreadPoolExecutor(1) as executor:
        answers = _find(association)
        next(answers)
        cancelled = executor.submit(answers.cancel)
        assert [0xFE00] == [one.status for one in answers]
        assert cancelled.result(LIMIT)


def test_an_iterator_may_be_closed_with_a_cancel() -> None:
    with cancelling() as (association, peer):
        answers = _find(association)
        next(answers)
        answers.close(cancel=True)
        assert peer.cancelled.wait(LIMIT)
        assert 0x0000 == association.c_echo().status


def test_a_cancel_handler_that_says_no_lets_the_query_go_on() -> None:
    asked = threading.Event()

    def on_c_find(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        yield 0xFF00, _match(0)
        assert asked.wait(LIMIT)
        yield 0xFF00, _match(1)

    def on_c_find_cancel() -> bool:
        asked.set()
        return False

    with querying(on_c_find, on_c_find_cancel=on_c_find_cancel) as association:
        answers = _find(association)
        next(answers)
        answers.cancel()
        assert [0xFF00, 0x0000] == [one.status for one in answers]


def test_a_cancel_that_comes_too_late_has_no_effect() -> None:
    with querying(finding(0)) as association:
        answers = _find(association)
        assert [0x0000] == [one.status for one in answers]
        assert not answers.cancel()
        assert not association.send_c_cancel(answers.message_id)
        assert association.send_c_cancel(answers.message_id, context_id=3)
        assert association.send_c_cancel(999, context_id=3)
        assert 0x0000 == association.c_echo().status


def _finding_when_told(may_go_on: threading.Event) -> Any:
    def on_c_find(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        yield 0xFF00, _match(0)
        assert may_go_on.wait(LIMIT)
        yield 0xFF00, _match(1)

    return on_c_find


def test_whoever_reads_answers_cannot_ask_for_anything_else_meanwhile() -> None:
    may_go_on = threading.Event()
    with querying(_finding_when_told(may_go_on)) as association:
        answers = _find(association)
        next(answers)
        with pytest.raises(StateError, match="answers to C-FIND-RQ 1 are still being read"):
            association.c_echo()
        may_go_on.set()
        assert [0xFF00, 0x0000] == [one.status for one in answers]
        assert 0x0000 == association.c_echo().status


def test_another_thread_waits_until_they_are_read() -> None:
    may_go_on = threading.Event()
    with querying(_finding_when_told(may_go_on)) as association, ThreadPoolExecutor(1) as executor:
        answers = _find(association)
        next(answers)
        echo = executor.submit(association.c_echo)
        may_go_on.set()
        assert [0xFF00, 0x0000] == [one.status for one in answers]
        assert 0x0000 == echo.result(LIMIT).status


def test_an_association_that_ends_raises_what_ended_it() -> None:
    def on_c_find(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        yield 0xFF00, _match(0)
        info["association"].abort()

    with querying(on_c_find) as association:
        answers = _find(association)
        next(answers)
        with pytest.raises(AssociationError, match="aborted by acceptor"):
            next(answers)
        assert [] == list(answers)


def test_an_answer_that_does_not_come_is_a_timeout() -> None:
    with SilentPeer() as peer:
        ae = requestor(STUDY_FIND)
        ae.timeouts.dimse = 0.01
        with pytest.raises(TimeLimitError, match="dimse timeout"):
            next(_find(ae.associate(*peer.address)))


def test_a_release_ends_answers_that_are_not_read() -> None:
    with querying(finding(2)) as association:
        answers = _find(association)
        next(answers)
        association.release()
        assert association.outcome is not None
        answers.close()


# -- the form of the 1.x API ------------------------------------------------------------------------------------------


def test_pairs_of_status_and_identifier() -> None:
    with querying(finding(2)) as association:
        answers = association.send_c_find(query(), query_model="S")
        pairs = [(status.Status, identifier) for status, identifier in answers]
    assert [(0xFF00, _match(0)), (0xFF00, _match(1)), (0x0000, None)] == pairs


def test_a_status_that_may_be_changed_belongs_to_one_answer() -> None:
    with querying(finding(2)) as association:
        pairs = association.send_c_find(query(), query_model="S")
        status, _ = next(pairs)
        status.Status = 0
        assert [0xFF00, 0x0000] == [status.Status for status, _ in pairs]


def test_an_identifier_that_cannot_be_read_is_none(caplog: pytest.LogCaptureFixture) -> None:
    with querying(lambda *arguments: [(0xFF00, b"\x10\0\x20\0\xff\0\0\0")]) as association:
        pairs = list(association.send_c_find(query(), query_model="S"))
    assert [0xFF00, 0x0000] == [status.Status for status, _ in pairs]
    assert [None, None] == [identifier for _, identifier in pairs]
    assert "C-FIND-RSP: the data set cannot be read" in caplog.text


def test_without_an_answer_the_status_is_empty_and_nothing_follows() -> None:
    def on_c_find(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        yield 0xFF00, _match(0)
        info["association"].abort()

    with querying(on_c_find) as association:
        pairs = list(association.send_c_find(query(), query_model="S"))
    assert [0xFF00, None] == [status.get("Status") for status, _ in pairs]


def test_an_association_that_ended_a_moment_ago_gives_one_empty_status() -> None:
    with querying(finding(1)) as association:
        session = association.session
        pairs = association.send_c_find(query(), query_model="S")
        session.take()
        association.abort()
        session.give_back()
        assert [(Dataset(), None)] == list(pairs)
        assert not pairs.cancel()
        pairs.close()


def test_pairs_can_be_closed() -> None:
    with querying(finding(50)) as association:
        pairs = association.send_c_find(query(), query_model="S")
        next(pairs)
        pairs.close()
        assert [] == list(pairs)
        assert 0x0000 == association.send_c_echo().Status


def test_an_unknown_status_is_passed_on_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with querying(lambda *arguments: [(0xB123, None)]) as association:
        assert [0xB123] == [status.Status for status, _ in association.send_c_find(query(), query_model="S")]
    assert "C-FIND-RQ: the peer answered with 0xB123 Warning" in caplog.text
