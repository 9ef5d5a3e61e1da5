"""C-FIND: each match as it is yielded, then one final response. PS3.4 §C.4.1."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomsim.datasets import decode_bare
from tests.services.calls import IMPLICIT, Handlers, Recorder, Serving, encoded

STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"


def _match(number: int) -> Dataset:
    dataset = Dataset()
    dataset.PatientID = str(number)
    return dataset


def _serving(handler: Callable[..., Any] | None, **others: Any) -> Serving:
    handlers = Handlers(**({"on_c_find": handler} if handler else {}), **others)
    query = _match(0)
    return Serving("C-FIND", STUDY_FIND, handlers, encoded(query), affected_sop_class_uid=STUDY_FIND, priority=0)


def _yielding(*steps: Any) -> Serving:
    return _serving(lambda *arguments: iter(steps))


def _statuses(serving: Serving) -> list[int | None]:
    return [response.status for response in serving.run()]


def test_n_matches_are_n_pending_responses_and_a_final_one() -> None:
    serving = _yielding((0xFF00, _match(1)), (0xFF01, _match(2)), (0xFF00, _match(3)))
    assert [0xFF00, 0xFF01, 0xFF00, 0x0000] == _statuses(serving)
    identifiers = [decode_bare(one.data_bytes(), IMPLICIT).PatientID for one in serving.sent[:3]]
    assert ["1", "2", "3"] == identifiers
    assert [True, True, True, False] == [one.has_data_set for one in serving.sent]
    assert {STUDY_FIND} == {one.affected_sop_class_uid for one in serving.sent}


def test_no_matches_are_one_final_response() -> None:
    assert [0x0000] == _statuses(_yielding())


@pytest.mark.parametrize("final", [0x0000, 0xA700, 0xA900, 0xC123, 0xFE00])
def test_a_final_status_of_the_handler_ends_it_without_an_identifier(final: int) -> None:
    serving = _yielding((0xFF00, _match(1)), (final, _match(2)), (0xFF00, _match(3)))
    assert [0xFF00, final] == _statuses(serving)
    assert not serving.sent[-1].has_data_set


def test_a_final_status_may_come_alone() -> None:
    assert [0xFF00, 0xA700] == _statuses(_yielding((0xFF00, _match(1)), 0xA700))


def test_a_status_data_set_gives_its_elements_to_a_match_too() -> None:
    status = Dataset()
    status.Status, status.ErrorComment = 0xFF01, "one key was ignored"
    serving = _yielding((status, _match(1)))
    assert [0xFF01, 0x0000] == _statuses(serving)
    assert ["one key was ignored", None] == [one.error_comment for one in serving.sent]


WRONG = {
    "no match with Pending": (0xFF00, None),
    "a match that is no data set": (0xFF00, "match"),
    "no status": (None, Dataset()),
    "three of them": (0xFF00, Dataset(), 5),
    "nothing": None,
    "a status out of range": (0x12345, Dataset()),
}


@pytest.mark.parametrize("step", WRONG.values(), ids=WRONG)
def test_the_wrong_thing_is_a_failure(step: Any) -> None:
    assert [0xFF00, 0xC000] == _statuses(_yielding((0xFF00, _match(1)), step, (0xFF00, _match(2))))


def test_without_a_handler_nothing_can_be_found() -> None:
    serving = _serving(None)
    assert [0xC000] == _statuses(serving)
    assert "no on_c_find handler" == serving.sent[0].error_comment


def test_the_handler_gets_identifier_context_and_info() -> None:
    handler = Recorder(())
    serving = _serving(handler)
    assert [0x0000] == _statuses(serving)
    ((identifier, context, info),) = handler.calls
    assert ("0", serving.call.context) == (identifier.PatientID, context)
    assert {"cancelled", "parameters"} == info.keys()


def test_a_cancel_stops_the_search_at_the_next_match() -> None:
    closed: list[str] = []

    def matches(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        try:
            yield 0xFF00, _match(1)
            serving.operation.cancelled = True
            yield 0xFF00, _match(2)
        finally:
            closed.append("closed")

    serving = _serving(matches)
    assert [0xFF00, 0xFE00] == _statuses(serving)
    assert not serving.sent[-1].has_data_set
    assert ["closed"] == closed


def test_a_handler_that_ends_because_of_a_cancel_has_been_cancelled() -> None:
    def matches(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        yield 0xFF00, _match(1)
        serving.operation.cancelled = True
        if info["cancelled"]():
            return
        yield 0xFF00, _match(2)

    serving = _serving(matches)
    assert [0xFF00, 0xFE00] == _statuses(serving)


def test_the_user_may_decide_to_go_on() -> None:
    def matches(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        yield 0xFF00, _match(1)
        serving.operation.cancelled = True
        yield 0xFF00, _match(2)

    serving = _serving(matches, on_c_find_cancel=lambda: False)
    assert [0xFF00, 0xFF00, 0x0000] == _statuses(serving)
