"""The counters of a retrieval, and the status they call for. PS3.4 §C.4.2.3.1."""

from __future__ import annotations

import pytest

from dicomsim.services.suboperations import SubOperations

REMAINING, COMPLETED, FAILED, WARNING = 0x1020, 0x1021, 0x1022, 0x1023


def _after(announced: int, *statuses: int | None) -> SubOperations:
    books = SubOperations(announced)
    for number, status in enumerate(statuses):
        books.count(status, f"1.{number}")
    return books


def test_each_sub_operation_is_counted_by_the_class_of_its_status() -> None:
    books = _after(9, 0x0000, 0xB000, 0xB007, 0xA700, None, 0xC123, 0x0122)
    assert (2, 1, 4, 2) == (books.remaining, books.completed, books.failed, books.warning)
    assert ["1.3", "1.4", "1.5", "1.6"] == books.failed_instances


@pytest.mark.parametrize(
    ("statuses", "final"),
    [
        ((), 0x0000),
        ((0x0000, 0x0000), 0x0000),
        ((0x0000, 0xA700), 0xB000),
        ((0xB000, 0xA700), 0xB000),
        ((0x0000, 0xB000), 0xB000),
        ((0xB000, 0xB000), 0xB000),
        ((0xA700, None), 0xA702),
    ],
)
def test_the_final_status_follows_from_the_counters(statuses: tuple[int | None, ...], final: int) -> None:
    assert final == _after(len(statuses), *statuses).final_status


def test_pending_and_cancel_tell_what_remains_and_the_others_do_not() -> None:
    books = _after(5, 0x0000, 0xB000, 0xA700)
    for status in (0xFF00, 0xFE00):
        assert {REMAINING: 2, COMPLETED: 1, FAILED: 1, WARNING: 1} == books.counters(status)
    for status in (0x0000, 0xB000, 0xA702, 0xC000):
        assert {COMPLETED: 1, FAILED: 1, WARNING: 1} == books.counters(status)


def test_more_than_announced_leaves_nothing_to_come() -> None:
    assert 0 == _after(1, 0x0000, 0x0000).remaining


def test_counters_fit_into_their_elements() -> None:
    books = SubOperations(100_000, completed=70_000)
    assert (30_000, 0xFFFF) == (books.counters(0xFF00)[REMAINING], books.counters(0xFF00)[COMPLETED])


def test_an_instance_whose_uid_is_not_known_is_counted_all_the_same() -> None:
    books = SubOperations(1)
    books.count(None, "")
    assert (1, []) == (books.failed, books.failed_instances)
