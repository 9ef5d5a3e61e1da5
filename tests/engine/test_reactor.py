"""The reactor's thread, its timers, and what it forgets."""

from __future__ import annotations

import gc
import logging
import socket
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest

from dicomsim.engine.poller import READ, WRITE
from dicomsim.engine.reactor import Appointment, Reactor, shared_reactor
from dicomsim.testing import FakeClock, ManualReactor

LONG = 20.0
Pair = tuple[socket.socket, socket.socket]


class Target:
    """Counts its calls."""

    def __init__(self, fd: int = -1) -> None:
        self.appointment: Appointment | None = None
        self.fd = fd
        self.wish = self.armed = 0
        self.reports = 0
        self.called: list[float] = []
        self.told = threading.Event()
        self.on_report: Callable[[], None] = lambda: None
        self.thread = 0

    def fileno(self) -> int:
        return self.fd

    def ready(self) -> None:
        self.reports += 1
        self.thread = threading.get_ident()
        self.told.set()
        self.on_report()

    def due(self, now: float) -> None:
        self.called.append(now)
        self.told.set()
        self.on_report()


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    reactor = Reactor()
    yield reactor
    reactor.stop()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair()
    with here, there:
        yield here, there


@pytest.fixture
def manual() -> ManualReactor:
    return ManualReactor(FakeClock(100.0))


# -- reports -----------------------------------------------------------------------------------------------------------


def test_a_ready_target_is_called_in_the_reactors_thread(reactor: Reactor, pair: Pair) -> None:
    target = Target(pair[0].fileno())
    reactor.add(target)
    pair[1].send(b"x")
    assert target.told.wait(LONG)
    assert threading.get_ident() != target.thread
    assert not reactor.is_here


def test_a_target_is_called_once_for_every_arming(reactor: Reactor, pair: Pair) -> None:
    target = Target(pair[0].fileno())
    reactor.add(target, WRITE)
    for count in (1, 2):
        assert target.told.wait(LONG)
        assert count == target.reports
        target.told.clear()
        reactor.arm(target, WRITE)


def test_a_target_that_fails_takes_nobody_down(reactor: Reactor, pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    broken, sound = Target(pair[0].fileno()), Target(pair[1].fileno())
    broken.on_report = fail
    with caplog.at_level(logging.CRITICAL, "dicomsim"):
        reactor.add(broken, WRITE)
        assert broken.told.wait(LONG)
        broken.told.clear()
        reactor.schedule(broken, 0.0)
        assert broken.told.wait(LONG)
        reactor.add(sound, WRITE)
        assert sound.told.wait(LONG)


def test_a_forgotten_target_is_not_called(manual: ManualReactor, pair: Pair) -> None:
    target = Target(77)
    manual.add(target, 0)
    manual.schedule(target, 101.0)
    manual.forget(target)
    manual.arm(target, READ)
    manual.advance(2.0)
    assert 0 == target.reports
    assert [] == target.called
    assert target.appointment is None


def test_a_late_report_for_a_number_used_again_goes_to_the_new_one_and_does_no_harm(reactor: Reactor) -> None:
    # The descriptor of a closed target may belong to another one by the time its report is handled.
    first, second = socket.socketpair()
    with first, second:
        old, new = Target(first.fileno()), Target(first.fileno())
        reactor.add(old, 0)
        reactor.forget(old)
        reactor.add(new, 0)
        reactor.arm(old, WRITE)
        reactor.forget(old)
        reactor.arm(new, WRITE)
        assert new.told.wait(LONG)
        assert 0 == old.reports


def test_the_last_wish_counts_whoever_comes_last(manual: ManualReactor) -> None:
    target = Target(77)
    manual.add(target, 0)
    target.wish = READ
    manual.follow(target)
    target.wish = READ | WRITE
    manual.follow(target)
    assert READ | WRITE == target.armed
    manual.follow(target)
    assert READ | WRITE == target.armed


# -- timers ------------------------------------------------------------------------------------------------------------


def test_appointments_are_kept_in_their_order(manual: ManualReactor) -> None:
    order: list[str] = []
    first, second = Target(), Target()
    first.on_report = lambda: order.append("first")
    second.on_report = lambda: order.append("second")
    manual.schedule(second, 102.0)
    manual.schedule(first, 101.0)
    manual.advance(0.5)
    assert [] == order
    manual.advance(2.0)
    assert ["first", "second"] == order
    assert ([101.0], [102.0]) == (first.called, second.called)


def test_an_earlier_appointment_stands_and_a_later_one_is_replaced(manual: ManualReactor) -> None:
    target = Target()
    manual.schedule(target, 105.0)
    manual.schedule(target, 103.0)
    manual.schedule(target, 107.0)
    manual.advance(10.0)
    assert [103.0] == target.called


def test_whoever_is_called_has_no_appointment_and_may_make_a_new_one(manual: ManualReactor) -> None:
    target = Target()
    target.on_report = lambda: manual.schedule(target, manual.clock.monotonic() + 5.0)
    manual.schedule(target, 101.0)
    manual.advance(12.0)
    assert [101.0, 106.0, 111.0] == target.called


def test_an_appointment_in_the_past_is_kept_at_once(reactor: Reactor, pair: Pair) -> None:
    target = Target(pair[0].fileno())
    reactor.add(target, 0)
    reactor.schedule(target, 0.0)
    assert target.told.wait(LONG)


def test_an_earlier_appointment_wakes_the_reactor(reactor: Reactor, pair: Pair) -> None:
    late, early = Target(pair[0].fileno()), Target(pair[1].fileno())
    reactor.add(late, 0)
    reactor.add(early, 0)
    reactor.schedule(late, reactor.clock.monotonic() + 1e6)
    reactor.schedule(early, reactor.clock.monotonic() + 1e-3)
    assert early.told.wait(LONG)
    assert [] == late.called


def test_the_heap_keeps_no_target_alive_that_is_forgotten(manual: ManualReactor) -> None:
    target = Target()
    manual.schedule(target, 1e9)
    manual.forget(target)
    gone = weakref.ref(target)
    del target
    gc.collect()
    assert gone() is None


def test_a_replaced_appointment_keeps_nobody_alive(manual: ManualReactor) -> None:
    target = Target()
    manual.schedule(target, 1e9)
    manual.schedule(target, 101.0)
    manual.advance(2.0)
    gone = weakref.ref(target)
    del target
    gc.collect()
    assert gone() is None


# -- its end -----------------------------------------------------------------------------------------------------------


def test_a_stopped_reactor_takes_everything_and_does_nothing(pair: Pair) -> None:
    reactor, target = Reactor(), Target(pair[0].fileno())
    reactor.add(target, WRITE)
    assert target.told.wait(LONG)
    reactor.stop()
    reactor.stop()
    reactor.arm(target, WRITE)
    reactor.schedule(target, 0.0)
    reactor.forget(target)
    reactor.add(Target(pair[1].fileno()), WRITE)
    assert 1 == target.reports


def test_a_reactor_that_was_never_used_has_no_thread_to_stop() -> None:
    before = threading.active_count()
    reactor = Reactor()
    assert before == threading.active_count()
    reactor.stop()


def test_stopping_gives_thread_and_descriptors_back(pair: Pair) -> None:
    import os

    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = threading.active_count(), descriptors()
    reactor = Reactor()
    reactor.add(Target(pair[0].fileno()), 0)
    reactor.stop()
    assert before == (threading.active_count(), descriptors())


def test_a_process_has_one_reactor() -> None:
    assert shared_reactor() is shared_reactor()
