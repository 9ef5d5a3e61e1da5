"""Listening in the reactor."""

from __future__ import annotations

import errno
import logging
import queue
import socket
from collections.abc import Iterator

import pytest

from dicomsim.engine.listener import RETRY_SECONDS, Listener
from dicomsim.engine.reactor import Reactor
from dicomsim.errors import ConnectError
from dicomsim.testing import ManualReactor

LONG = 20.0


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    reactor = Reactor()
    yield reactor
    reactor.stop()


def test_every_connection_is_handed_over_with_its_address(reactor: Reactor) -> None:
    accepted: queue.Queue[tuple[socket.socket, tuple[str, int]]] = queue.Queue()
    listener = Listener(reactor, "127.0.0.1", 0, lambda *arguments: accepted.put(arguments))
    for _ in range(3):
        with socket.create_connection(listener.address) as client:
            connected, remote = accepted.get(timeout=LONG)
            assert client.getsockname() == remote
            connected.close()
    listener.close()


def test_what_fails_for_one_connection_leaves_the_next_alone(
    reactor: Reactor, caplog: pytest.LogCaptureFixture
) -> None:
    accepted: queue.Queue[socket.socket] = queue.Queue()
    refusing = [True]

    def take(connected: socket.socket, remote: tuple[str, int]) -> None:
        if refusing.pop() if refusing else False:
            raise ZeroDivisionError
        accepted.put(connected)

    listener = Listener(reactor, "127.0.0.1", 0, take)
    with caplog.at_level(logging.CRITICAL, "dicomsim"):
        with socket.create_connection(listener.address, LONG) as refused:
            assert b"" == refused.recv(1)
        with socket.create_connection(listener.address):
            accepted.get(timeout=LONG).close()
    listener.close()


def test_nobody_gets_in_when_it_is_closed(reactor: Reactor) -> None:
    listener = Listener(reactor, "127.0.0.1", 0, lambda connected, _: connected.close())
    address = listener.address
    listener.close()
    listener.close()
    assert -1 == listener.fileno()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_an_address_that_is_taken_is_an_error(reactor: Reactor) -> None:
    listener = Listener(reactor, "127.0.0.1", 0, lambda connected, _: connected.close())
    with pytest.raises(ConnectError, match="cannot listen"):
        Listener(reactor, *listener.address, lambda connected, _: connected.close())
    listener.close()
    assert f"<Listener 127.0.0.1:{listener.address[1]}>" == repr(listener)


def test_an_ipv6_address_stands_in_brackets(reactor: Reactor) -> None:
    listener = Listener(reactor, "::1", 0, lambda connected, _: connected.close())
    listener.close()
    assert f"<Listener [::1]:{listener.address[1]}>" == repr(listener)


class Deaf:
    """A listening socket on a process without descriptors."""

    def __init__(self, errors: list[OSError]) -> None:
        self.errors = errors

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        raise self.errors.pop(0)

    def fileno(self) -> int:
        return 5

    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", 104)

    def close(self) -> None:
        pass


def test_without_descriptors_it_pauses_and_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, full = ConnectionAbortedError("gone before we looked"), OSError(errno.EMFILE, "too many open files")
    errors = [gone, full, full, BlockingIOError()]
    monkeypatch.setattr("dicomsim.engine.listener.listen", lambda *_: Deaf(errors))
    manual = ManualReactor()
    listener = Listener(manual, "127.0.0.1", 104, lambda connected, _: None)
    listener.ready()
    assert 2 == len(errors)
    assert listener.appointment is not None
    assert manual.clock.monotonic() + RETRY_SECONDS == listener.appointment.when
    manual.forget(listener)
    listener.due(0.0)
    listener.ready()
    listener.ready()
    assert [] == errors
