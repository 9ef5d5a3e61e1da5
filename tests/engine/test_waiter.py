"""Waiting in one thread, ended by another."""

from __future__ import annotations

import errno
import gc
import os
import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from dicomsim.engine import waiter
from dicomsim.engine.poller import READ, WRITE
from dicomsim.engine.waiter import Waiter, thread_waiter

LONG = 60.0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair()
    with here, there:
        yield here, there


def test_a_ready_descriptor_ends_the_wait(pair: tuple[socket.socket, socket.socket]) -> None:
    here, there = pair
    waiter = Waiter()
    assert waiter.wait(here.fileno(), WRITE, LONG)
    there.send(b"x")
    assert waiter.wait(here.fileno(), READ, LONG)


def test_the_wait_ends_when_the_time_is_over(pair: tuple[socket.socket, socket.socket]) -> None:
    assert not Waiter().wait(pair[0].fileno(), READ, 0)
    assert not Waiter().wait(pair[0].fileno(), READ, -1.0)


def test_another_thread_ends_the_wait(pair: tuple[socket.socket, socket.socket]) -> None:
    waiter, results = Waiter(), []
    thread = threading.Thread(target=lambda: results.append(waiter.wait(pair[0].fileno(), READ, LONG)))
    thread.start()
    waiter.wake()
    thread.join(LONG)
    assert [False] == results


def test_a_wake_that_comes_too_early_ends_the_next_wait_and_no_other(pair: tuple[socket.socket, socket.socket]) -> None:
    waiter = Waiter()
    waiter.wake()
    waiter.wake()
    assert not waiter.wait(pair[0].fileno(), READ, LONG)
    waiter.settle()
    pair[1].send(b"x")
    assert waiter.wait(pair[0].fileno(), READ, LONG)


def test_a_waiter_goes_from_one_descriptor_to_another(pair: tuple[socket.socket, socket.socket]) -> None:
    waiter = Waiter()
    pair[0].send(b"x")
    assert not waiter.wait(pair[0].fileno(), READ, 0)
    assert waiter.wait(pair[1].fileno(), READ, 0)
    assert not waiter.wait(pair[0].fileno(), READ, 0)


def test_a_closed_descriptor_is_not_waited_for() -> None:
    assert not Waiter().wait(-1, READ, LONG)


def test_each_thread_has_its_own_waiter() -> None:
    others: list[Waiter] = []
    thread = threading.Thread(target=lambda: others.append(thread_waiter()))
    thread.start()
    thread.join()
    assert thread_waiter() is thread_waiter()
    assert [thread_waiter()] != others


def test_a_waiter_for_which_there_is_no_descriptor_says_so_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    monkeypatch.setattr(waiter, "Waker", none_left)
    with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        Waiter()
    gc.collect()
    assert [] == unraisable
