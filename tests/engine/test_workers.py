"""Threads for user code."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from dicomsim.engine.workers import Workers

LIMIT = 20.0


class Gate:
    """A job that waits to be let through."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()
        self.left = threading.Event()
        self.thread: threading.Thread | None = None

    def __call__(self) -> None:
        self.thread = threading.current_thread()
        self.entered.set()
        assert self.open.wait(LIMIT)
        self.left.set()

    def pass_through(self) -> None:
        self.open.set()
        assert self.left.wait(LIMIT)


@pytest.fixture
def gates() -> Iterator[Callable[[], Gate]]:
    made: list[Gate] = []

    def make() -> Gate:
        made.append(Gate())
        return made[-1]

    yield make
    for gate in made:
        gate.open.set()


def done(workers: Workers, job: Callable[[], None] = lambda: None) -> int:
    """Have a job done; the thread that did it."""
    threads: list[int] = []
    finished = threading.Event()

    def run() -> None:
        threads.append(threading.get_ident())
        try:
            job()
        finally:
            finished.set()

    workers.submit(run)
    assert finished.wait(LIMIT)
    return threads[0]


def test_jobs_that_wait_for_each_other_run_at_once() -> None:
    workers, barrier = Workers(), threading.Barrier(3)

    def meet() -> None:
        barrier.wait(LIMIT)

    for _ in range(2):
        workers.submit(meet)
    meet()


def test_a_thread_is_used_again(gates: Callable[[], Gate]) -> None:
    workers = Workers(limit=1)
    assert done(workers) == done(workers)
    assert 1 == workers.threads


def test_no_more_threads_than_the_limit_and_the_others_wait_in_order(gates: Callable[[], Gate]) -> None:
    workers, first, order = Workers(limit=1, patience=LIMIT), gates(), list[int]()
    workers.submit(first)
    assert first.entered.wait(LIMIT)
    workers.submit(lambda: order.append(1))
    workers.submit(lambda: order.append(2))
    assert 1 == workers.threads
    first.open.set()
    assert first.thread is not None
    assert first.thread.ident == done(workers)
    assert [1, 2] == order


@pytest.mark.parametrize("raised", [ZeroDivisionError, SystemExit])
def test_a_job_that_raises_is_told_to_the_hook_and_costs_nobody_a_thread(
    raised: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[type[BaseException] | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: told.append(arguments.exc_type))

    def broken() -> None:
        raise raised

    workers = Workers(limit=1)
    thread = done(workers, broken)
    assert thread == done(workers)
    assert [raised] == told


def test_a_thread_without_work_ends() -> None:
    workers = Workers(idle_seconds=0.0)
    ended = threading.Event()
    watched: list[threading.Thread] = []
    done(workers, lambda: watched.append(threading.current_thread()))
    watched[0].join(LIMIT)
    assert 0 == workers.threads
    done(workers, ended.set)
    assert ended.is_set()


def test_handlers_that_wait_for_other_handlers_are_not_stuck_for_ever(gates: Callable[[], Gate]) -> None:
    workers, finished = Workers(limit=2, patience=0.01), threading.Event()
    inner = [threading.Event(), threading.Event()]
    barrier = threading.Barrier(2)

    def outer(event: threading.Event) -> None:
        barrier.wait(LIMIT)
        workers.submit(event.set)
        assert event.wait(LIMIT)
        if all(event.is_set() for event in inner):
            finished.set()

    for event in inner:
        workers.submit(partial(outer, event))
    assert finished.wait(LIMIT)


def test_threads_beyond_the_limit_go_when_they_are_not_needed(gates: Callable[[], Gate]) -> None:
    workers, first, second = Workers(limit=1, patience=0.01), gates(), gates()
    workers.submit(first)
    assert first.entered.wait(LIMIT)
    workers.submit(second)
    assert second.entered.wait(LIMIT)
    assert 2 == workers.threads
    first.pass_through()
    assert first.thread is not None
    first.thread.join(LIMIT)
    assert 1 == workers.threads


def test_nothing_is_kept_of_a_job_that_is_done() -> None:
    class Job:
        def __call__(self) -> None:
            pass

    workers, job = Workers(limit=1), Job()
    gone = threading.Event()
    weakref.finalize(job, gone.set)
    workers.submit(job)
    del job
    assert gone.wait(LIMIT)
