"""Both pollers, by the same tests: each descriptor is reported once for every time it is armed."""

from __future__ import annotations

import select
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from dicomsim.engine.poller import MAX_REPORTS, READ, WRITE, EpollPoller, Poller, SelectorPoller, Waker, best_poller

LONG = 20.0
Pair = tuple[socket.socket, socket.socket]

KINDS: list[Callable[[], Poller]] = [
    SelectorPoller,
    lambda: SelectorPoller(selectors.PollSelector()),
    lambda: SelectorPoller(selectors.SelectSelector()),
]
if hasattr(select, "epoll"):
    KINDS.append(EpollPoller)


@pytest.fixture(params=KINDS, ids=["best selector", "poll", "select", "epoll"][: len(KINDS)])
def poller(request: pytest.FixtureRequest) -> Iterator[Poller]:
    with closing(request.param()) as poller:
        yield poller


@pytest.fixture
def pair() -> Iterator[Pair]:
    here, there = socket.socketpair()
    here.setblocking(False)
    with here, there:
        yield here, there


def test_a_descriptor_is_reported_once_until_it_is_armed_again(poller: Poller, pair: Pair) -> None:
    here, there = pair
    poller.add(here.fileno(), READ)
    there.send(b"x")
    assert [here.fileno()] == poller.wait(LONG)
    assert [] == poller.wait(0)
    poller.arm(here.fileno(), READ)
    assert [here.fileno()] == poller.wait(LONG)


def test_only_what_is_asked_for_is_reported(poller: Poller, pair: Pair) -> None:
    here, there = pair
    poller.add(here.fileno(), READ)
    assert [] == poller.wait(0)
    poller.arm(here.fileno(), WRITE)
    assert [here.fileno()] == poller.wait(0)
    poller.arm(here.fileno(), READ | WRITE)
    there.send(b"x")
    assert [here.fileno()] == poller.wait(0)


def test_a_disarmed_descriptor_is_quiet(poller: Poller, pair: Pair) -> None:
    here, there = pair
    poller.add(here.fileno(), READ)
    there.send(b"x")
    poller.arm(here.fileno(), 0)
    assert [] == poller.wait(0)
    poller.arm(here.fileno(), READ)
    assert [here.fileno()] == poller.wait(0)


def test_the_end_is_something_to_read(poller: Poller, pair: Pair) -> None:
    here, there = pair
    poller.add(here.fileno(), READ)
    there.close()
    assert [here.fileno()] == poller.wait(LONG)


def test_a_removed_descriptor_may_be_closed_and_its_number_used_again(poller: Poller, pair: Pair) -> None:
    here, there = pair
    number = here.fileno()
    poller.add(number, READ)
    there.send(b"x")
    poller.remove(number)
    here.close()
    assert [] == poller.wait(0)
    again, other = socket.socketpair()
    with again, other:
        poller.add(again.fileno(), READ)
        other.send(b"x")
        assert [again.fileno()] == poller.wait(LONG)
        poller.remove(again.fileno())


def test_several_are_reported_together(poller: Poller, pair: Pair) -> None:
    for end in pair:
        poller.add(end.fileno(), WRITE)
    assert sorted(end.fileno() for end in pair) == sorted(poller.wait(LONG))


def test_wake_ends_the_wait_and_is_no_report(poller: Poller) -> None:
    poller.wake()
    poller.wake()
    assert [] == poller.wait(LONG)
    assert [] == poller.wait(0)


def test_another_thread_may_arm_while_one_waits(poller: Poller, pair: Pair) -> None:
    here, there = pair
    poller.add(here.fileno(), 0)
    there.send(b"x")
    results: list[list[int]] = []

    def wait_for_a_report() -> None:
        while not (reports := poller.wait(LONG)):
            pass  # woken to look at what was armed
        results.append(reports)

    thread = threading.Thread(target=wait_for_a_report)
    thread.start()
    poller.arm(here.fileno(), READ)
    thread.join(LONG)
    assert [[here.fileno()]] == results


def test_closing_gives_all_descriptors_back() -> None:
    def lowest_free() -> int:
        with socket.socket() as probe:
            return probe.fileno()

    before = lowest_free()
    for kind in (*KINDS, best_poller):
        kind().close()
    assert before == lowest_free()


def test_a_waker_makes_its_descriptor_readable_until_drained() -> None:
    waker = Waker()
    assert [] == select.select([waker.fd], [], [], 0)[0]
    waker.wake()
    waker.wake()
    assert [waker.fd] == select.select([waker.fd], [], [], 0)[0]
    waker.drain()
    waker.drain()
    assert [] == select.select([waker.fd], [], [], 0)[0]
    waker.close()
    waker.close()


def test_a_waker_can_be_a_pipe_where_there_is_nothing_better(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.delattr(os, "eventfd", raising=False)
    test_a_waker_makes_its_descriptor_readable_until_drained()


def test_no_more_is_reported_in_one_turn_than_may_be() -> None:
    with closing(best_poller()) as poller, ExitStack() as stack:
        for _ in range(MAX_REPORTS + 10):
            here, there = socket.socketpair()
            stack.enter_context(here)
            stack.enter_context(there)
            poller.add(here.fileno(), WRITE)
        assert len(poller.wait(LONG)) <= MAX_REPORTS
