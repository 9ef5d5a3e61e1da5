"""Matches of a fast handler go out together, those of a slow one after a moment, and none is held for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from pydicom.dataset import Dataset

from dicomsim import events
from tests.meeting import LIMIT, acceptor, meeting, requestor
from tests.services.archive import STUDY_FIND, query
from tests.services.calls import encoded

MATCHES = 500


def test_matches_of_a_fast_handler_go_out_together() -> None:
    written: list[events.Event] = []
    match = encoded(query())
    answering = acceptor(STUDY_FIND, on_c_find=lambda *arguments: [(0xFF00, match)] * MATCHES)
    answering.events.add(written.append, events.BytesOut)
    with meeting(requestor(STUDY_FIND), answering) as association:
        answers = list(association.c_find(query(), query_model="S"))
    assert MATCHES + 1 == len(answers)
    assert len(written) < MATCHES // 2


def test_each_match_of_a_handler_that_pauses_arrives_without_waiting_for_the_next() -> None:
    may_go_on = [threading.Event() for _ in range(4)]

    def on_c_find(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        for event in may_go_on:
            yield 0xFF00, dataset
            assert event.wait(LIMIT)

    with meeting(requestor(STUDY_FIND), acceptor(STUDY_FIND, on_c_find=on_c_find)) as association:
        answers = association.c_find(query(), query_model="S")
        for event in may_go_on:
            assert 0xFF00 == next(answers).status
            event.set()
        assert [0x0000] == [answer.status for answer in answers]


def test_large_matches_wait_for_nobody_and_in_bounded_memory() -> None:
    large = Dataset()
    large.PatientComments = "x" * 60_000
    with meeting(
        requestor(STUDY_FIND), acceptor(STUDY_FIND, on_c_find=lambda *arguments: [(0xFF00, large)] * 100)
    ) as association:
        assert [0xFF00] * 100 + [0x0000] == [one.status for one in association.c_find(query(), query_model="S")]


def test_a_match_that_waits_is_dropped_with_the_association() -> None:
    ended = threading.Event()

    def on_c_find(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        try:
            yield 0xFF00, dataset
            yield 0xFF00, dataset
            info["association"].abort()
            while True:
                yield 0xFF00, dataset
        finally:
            ended.set()

    with meeting(requestor(STUDY_FIND), acceptor(STUDY_FIND, on_c_find=on_c_find)) as association:
        association.send_c_find(query(), query_model="S").close()
        assert ended.wait(LIMIT)
