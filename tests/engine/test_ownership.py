"""One owner at a time: reports that come while somebody owns, waiting that lets others in, and wishes that cross."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from dicomsim.engine.ownership import REPORTED, Owned
from dicomsim.engine.poller import READ, WRITE
from dicomsim.engine.reactor import ArmedTarget, Reactor
from dicomsim.engine.waiter import thread_waiter
from dicomsim.testing import ManualReactor

LONG = 20.0


class Account:
    """What a reactor is told, by a target that it does not know."""

    def __init__(self) -> None:
        self.armed: list[int] = []
        self.scheduled: list[float] = []
        self.before_follow: Callable[[], None] = lambda: None


class Book(ManualReactor):
    """A reactor that keeps an account."""

    def __init__(self) -> None:
        super().__init__()
        self.account = Account()

    def follow(self, target: ArmedTarget) -> None:
        self.account.before_follow()
        if target.armed != target.wish:
            target.armed = target.wish
            self.account.armed.append(target.wish)

    def schedule(self, target: Any, when: float) -> None:
        self.account.scheduled.append(when)


class Thing(Owned):
    """Something to own that says what it was asked."""

    def __init__(self, reactor: Reactor) -> None:
        super().__init__(reactor)
        self.log: list[str] = []
        self.wanted = READ
        self.deadline: float | None = None
        self.on_pump: Callable[[], None] = lambda: None

    def fileno(self) -> int:
        return 5

    def fail(self, error: BaseException) -> None:
        self.log.append(f"failed: {error}")

    def _outlook(self) -> tuple[float | None, int]:
        return self.deadline, self.wanted

    def _pump(self) -> None:
        self.log.append("pump")
        self.on_pump()

    def _check_time(self, now: float) -> None:
        self.log.append(f"time {now}")


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def thing(book: Book) -> Thing:
    return Thing(book)


def touch(thing: Thing) -> None:
    """Own it and do nothing."""
    thing.take()
    thing.give_back()


def in_a_thread(function: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def run_in_a_thread(function: Callable[[], Any]) -> None:
    thread = in_a_thread(function)
    thread.join(LONG)
    assert not thread.is_alive()


# -- taking and giving back --------------------------------------------------------------------------------------------


def test_whoever_gives_back_has_it_watched_for_what_is_wanted(book: Book, thing: Thing) -> None:
    thing.deadline = 7.0
    thing.take()
    thing.give_back()
    assert ([READ], [7.0]) == (book.account.armed, book.account.scheduled)
    thing.wanted = READ | WRITE
    thing.take(quiet=False)
    thing.give_back()
    assert [READ, READ | WRITE] == book.account.armed


def test_nothing_is_armed_twice(book: Book, thing: Thing) -> None:
    for _ in range(3):
        thing.take(quiet=False)
        thing.give_back()
    assert [READ] == book.account.armed


def test_a_quiet_owner_is_not_disturbed(book: Book, thing: Thing) -> None:
    thing.take()
    thing.give_back()
    thing.take()
    assert 0 == thing.armed
    thing.give_back()
    assert [READ, 0, READ] == book.account.armed


def test_it_may_be_taken_several_times_and_is_free_after_the_last(book: Book, thing: Thing) -> None:
    for _ in range(3):
        thing.take()
    thing.give_back()
    thing.give_back()
    assert [] == book.account.armed
    run_in_a_thread(thing.ready)
    assert [] == thing.log
    thing.give_back()
    assert [READ] == book.account.armed


def test_only_one_thread_owns_it(thing: Thing) -> None:
    order: list[str] = []
    entered = threading.Event()

    def other() -> None:
        entered.set()
        thing.take()
        order.append("other")
        thing.give_back()

    thing.take()
    thread = in_a_thread(other)
    assert entered.wait(LONG)
    order.append("first")
    thing.give_back()
    thread.join(LONG)
    assert ["first", "other"] == order


# -- reports -----------------------------------------------------------------------------------------------------------


def test_a_report_is_seen_to_when_nobody_owns_it(book: Book, thing: Thing) -> None:
    thing.ready()
    assert ["pump"] == thing.log
    assert [READ] == book.account.armed


def test_a_report_that_comes_while_somebody_owns_it_is_seen_to_by_the_owner(book: Book, thing: Thing) -> None:
    thing.take(quiet=False)
    run_in_a_thread(thing.ready)
    assert [] == thing.log
    assert REPORTED == thing.armed
    thing.give_back()
    assert ["pump"] == thing.log
    assert [READ] == book.account.armed


def test_a_report_between_letting_go_and_arming_is_not_lost(book: Book, thing: Thing) -> None:
    # The owner has released the lock and is about to arm: a report comes, is handled, and arms by itself.
    thing.take()

    def report() -> None:
        book.account.before_follow = lambda: None
        thing.ready()

    book.account.before_follow = report
    thing.give_back()
    assert ["pump"] == thing.log
    assert READ == thing.armed
    assert READ == book.account.armed[-1]


def test_what_one_has_wished_who_has_let_go_does_not_override_the_next_owner(book: Book, thing: Thing) -> None:
    # The first owner wants nothing read, and is held up before it says so; the second wants to read again.
    thing.armed = READ
    thing.wanted = 0

    def second_owner() -> None:
        book.account.before_follow = lambda: None
        thing.take(quiet=False)
        thing.wanted = READ
        thing.give_back()

    book.account.before_follow = second_owner
    thing.take(quiet=False)
    thing.give_back()
    assert READ == thing.armed
    assert 0 not in book.account.armed[-1:]


def test_a_report_in_the_midst_of_handling_one_is_left_to_the_end(book: Book, thing: Thing) -> None:
    thing.on_pump = lambda: thing.ready() if len(thing.log) < 2 else None
    thing.ready()
    assert ["pump", "pump"] == thing.log


def test_what_goes_wrong_while_the_reactor_owns_it_is_its_own_affair(book: Book, thing: Thing) -> None:
    def broken() -> None:
        raise ZeroDivisionError("oh")

    thing.on_pump = broken
    thing.ready()
    assert ["pump", "failed: oh"] == thing.log
    assert [READ] == book.account.armed
    run_in_a_thread(lambda: touch(thing))


def interrupted() -> None:
    raise KeyboardInterrupt("Ctrl-C")


def test_a_caller_who_is_interrupted_while_giving_back_does_not_keep_it(book: Book, thing: Thing) -> None:
    thing.on_pump = interrupted
    thing.take(quiet=False)
    run_in_a_thread(thing.ready)
    with pytest.raises(KeyboardInterrupt):
        thing.give_back()
    assert ["pump"] == thing.log
    assert [READ] == book.account.armed
    run_in_a_thread(lambda: touch(thing))


def test_in_the_thread_of_the_reactor_there_is_nobody_to_interrupt(book: Book, thing: Thing) -> None:
    thing.on_pump = interrupted
    book._ident = threading.get_ident()
    thing.ready()
    assert ["pump", "failed: Ctrl-C"] == thing.log
    assert [READ] == book.account.armed
    run_in_a_thread(lambda: touch(thing))


# -- time --------------------------------------------------------------------------------------------------------------


def test_a_deadline_is_looked_at_when_nobody_owns_it(thing: Thing) -> None:
    thing.due(3.0)
    assert ["time 3.0"] == thing.log


def test_a_deadline_that_passes_while_somebody_owns_it_is_made_anew_by_the_owner(book: Book, thing: Thing) -> None:
    thing.deadline = 3.0
    thing.take()
    run_in_a_thread(lambda: thing.due(3.0))
    assert [] == thing.log
    thing.give_back()
    assert [3.0] == book.account.scheduled


# -- waiting -----------------------------------------------------------------------------------------------------------


class Slow:
    """A transport on which one waits until told."""

    def __init__(self) -> None:
        self.waiting = threading.Event()
        self.go_on = threading.Event()

    def wait(self, seconds: float | None, *, write: bool = False, read: bool = True) -> bool:
        self.waiting.set()
        assert self.go_on.wait(LONG)
        return True


def waits(thing: Thing, depth: int = 1) -> tuple[threading.Thread, Slow, list[str]]:
    """A thread that owns it and waits."""
    transport, log = Slow(), list[str]()

    def wait() -> None:
        for _ in range(depth):
            thing.take()
        log.append(str(thing.wait_lent(transport, None, False, True)))  # type: ignore[arg-type]
        log.append("owner again")
        for _ in range(depth):
            thing.give_back()

    thread = in_a_thread(wait)
    assert transport.waiting.wait(LONG)
    return thread, transport, log


@pytest.mark.parametrize("depth", [1, 3])
def test_others_may_own_it_while_somebody_waits(book: Book, thing: Thing, depth: int) -> None:
    thread, transport, log = waits(thing, depth)
    thing.take()
    transport.go_on.set()
    assert [] == log  # it cannot go on before it is the owner again
    thing.give_back()
    thread.join(LONG)
    assert ["True", "owner again"] == log
    assert [READ] == book.account.armed  # by the one who has waited, and not before


def test_the_reactor_leaves_it_to_whoever_waits(thing: Thing) -> None:
    thread, transport, _ = waits(thing)
    thing.ready()
    thing.due(3.0)
    assert [] == thing.log
    transport.go_on.set()
    thread.join(LONG)
    assert ["pump"] == thing.log


def test_whoever_waits_is_woken_by_what_others_do(thing: Thing) -> None:
    results: list[bool] = []
    here, there = socket.socketpair()
    entered = threading.Event()

    class Silent(Slow):
        def wait(self, seconds: float | None, *, write: bool = False, read: bool = True) -> bool:
            entered.set()
            return thread_waiter().wait(here.fileno(), READ, LONG)

    def wait() -> None:
        thing.take()
        results.append(thing.wait_lent(Silent(), None, False, True))  # type: ignore[arg-type]
        thing.give_back()

    with here, there:
        thread = in_a_thread(wait)
        assert entered.wait(LONG)
        touch(thing)
        thread.join(LONG)
    assert [False] == results


def test_who_does_other_work_meanwhile_is_not_woken_from_what_that_waits_for(book: Book, thing: Thing) -> None:
    def touch() -> None:
        thing.take()
        thing.give_back()

    def work() -> bool:
        run_in_a_thread(touch)
        thing.ready()  # the reactor stays away
        return thread_waiter().is_woken

    thing.take()
    assert not thing.lent(work)
    assert [] == thing.log
    thing.give_back()
    assert "pump" in thing.log


def test_an_owner_may_part_with_it_for_a_while_however_often_it_has_taken_it(book: Book, thing: Thing) -> None:
    for _ in range(3):
        thing.take()
    with thing.parted():
        assert READ == thing.armed
        run_in_a_thread(lambda: touch(thing))
        thing.ready()
        assert "pump" in thing.log
    assert 0 == thing.armed
    run_in_a_thread(thing.ready)
    assert 1 == thing.log.count("pump")
    for _ in range(3):
        thing.give_back()
    assert 2 == thing.log.count("pump")


def test_it_is_owned_again_after_whatever_happens_meanwhile(thing: Thing) -> None:
    thing.take()
    with pytest.raises(KeyboardInterrupt), thing.parted():
        raise KeyboardInterrupt
    run_in_a_thread(thing.ready)
    assert "pump" not in thing.log
    thing.give_back()
