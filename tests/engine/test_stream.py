"""Blocking streams for scripts."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator

import pytest

from dicomsim.engine import stream
from dicomsim.engine.stream import BlockingStream, StreamListener, connect_stream
from dicomsim.errors import ConnectError, TimeLimitError
from dicomsim.events import (
    BytesIn,
    BytesOut,
    CloseHow,
    ConnectionClosed,
    ConnectionOpened,
    ConnectionRefused,
    Event,
    Side,
)
from dicomsim.testing import ManualReactor, MemoryTransport, memory_pair

LONG = 20.0


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def ends(events: list[Event]) -> Iterator[tuple[BlockingStream, BlockingStream]]:
    """A requestor who is observed, and an acceptor."""
    with (
        StreamListener() as listener,
        connect_stream(*listener.address, LONG, events.append) as here,
        listener.accept(LONG) as there,
    ):
        yield here, there


def in_memory(events: list[Event] | None = None) -> tuple[BlockingStream, MemoryTransport]:
    reactor = ManualReactor()
    here, there = memory_pair(reactor)
    observer = None if events is None else events.append
    return BlockingStream(here, Side.REQUESTOR, observer, reactor.fake_clock), there


def test_bytes_go_both_ways(ends: tuple[BlockingStream, BlockingStream]) -> None:
    here, there = ends
    here.send(b"hello", LONG)
    assert b"hello" == there.receive(LONG)
    there.send(b"you", LONG)
    assert b"you" == here.receive(LONG)


def test_an_end_is_empty_and_a_reset_an_error(ends: tuple[BlockingStream, BlockingStream]) -> None:
    here, there = ends
    here.half_close()
    assert b"" == there.receive(LONG)
    there.close(reset=True)
    with pytest.raises(ConnectionResetError):
        here.receive(LONG)


def test_everything_is_observed_in_order(ends: tuple[BlockingStream, BlockingStream], events: list[Event]) -> None:
    here, there = ends
    here.send(b"hello", LONG)
    assert b"hello" == there.receive(LONG)
    there.send(b"you", LONG)
    here.receive(LONG)
    there.close()
    here.receive(LONG)
    here.close()
    assert [ConnectionOpened, BytesOut, BytesIn, ConnectionClosed] == [type(event) for event in events]
    opened, *_, closed = events
    assert isinstance(opened, ConnectionOpened) and opened.side is Side.REQUESTOR and opened.remote == there.local
    assert isinstance(closed, ConnectionClosed) and (closed.by, closed.how) == (Side.ACCEPTOR, CloseHow.FIN)


@pytest.mark.parametrize("reset", [False, True])
def test_who_closes_first_is_said_to_have_closed(reset: bool) -> None:
    events: list[Event] = []
    here, there = in_memory(events)
    here.close(reset)
    here.close()
    closed = events[-1]
    assert isinstance(closed, ConnectionClosed)
    assert (Side.REQUESTOR, CloseHow.RESET if reset else CloseHow.FIN) == (closed.by, closed.how)
    assert 2 == len(events)
    assert reset == there.was_reset


def test_silence_ends_in_the_named_timeout() -> None:
    here, _ = in_memory()
    with pytest.raises(TimeLimitError, match="nothing received within receive timeout of 3 s"):
        here.receive(3)


def test_a_peer_that_takes_nothing_ends_in_the_named_timeout() -> None:
    events: list[Event] = []
    here, there = in_memory(events)
    there.window = 4
    with pytest.raises(TimeLimitError, match="the peer took no bytes within send timeout of 3 s"):
        here.send(b"hello", 3)
    assert b"hell" == b"".join(event.data for event in events if isinstance(event, BytesOut))


def test_large_data_goes_in_parts() -> None:
    here, there = in_memory()
    here._transport.most_written = 3  # type: ignore[attr-defined]
    here.send(b"hello world", LONG)
    assert b"hello world" == there.read()


def test_a_peer_that_is_gone_is_noted(events: list[Event]) -> None:
    here, there = in_memory(events)
    there.close(reset=True)
    with pytest.raises(ConnectionError):
        here.send(b"x", LONG)
    closed = events[-1]
    assert isinstance(closed, ConnectionClosed) and (closed.by, closed.how) == (Side.ACCEPTOR, CloseHow.RESET)


def test_nobody_listening_is_told_and_raised(events: list[Event]) -> None:
    with StreamListener() as listener:
        address = listener.address
    with pytest.raises(ConnectError):
        connect_stream(*address, LONG, events.append)
    (refused,) = events
    assert isinstance(refused, ConnectionRefused) and refused.remote == address


@pytest.mark.parametrize("timeout", [0, 0.001])
def test_no_connection_ends_in_the_named_timeout(timeout: float) -> None:
    with StreamListener() as listener, pytest.raises(TimeLimitError, match=f"accept timeout of {timeout:g} s"):
        listener.accept(timeout)


def test_a_closed_listener_accepts_nothing() -> None:
    listener = StreamListener()
    listener.close()
    listener.close()
    with pytest.raises(ConnectError, match="not listening"):
        listener.accept(LONG)


def test_a_closed_listener_is_named_with_its_ipv6_address_in_brackets() -> None:
    with StreamListener("::1") as listener:
        named = rf"^\[::1\]:{listener.address[1]}: not listening"
    with pytest.raises(ConnectError, match=named):
        listener.accept(LONG)


def test_a_peer_that_has_gone_before_it_is_accepted_leaves_no_socket_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    accepted: list[socket.socket] = []

    def gone(connected: socket.socket, _: object) -> None:
        accepted.append(connected)
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    monkeypatch.setattr(stream, "TcpTransport", gone)
    with StreamListener() as listener, socket.create_connection(listener.address) as peer:
        with pytest.raises(ConnectError, match=f":{peer.getsockname()[1]}: gone"):
            listener.accept(LONG)
        assert -1 == accepted[0].fileno()


def test_an_observer_that_interrupts_leaves_no_socket_behind() -> None:
    def interrupt(_: Event) -> None:
        raise KeyboardInterrupt

    reactor = ManualReactor()
    here, _ = memory_pair(reactor)
    with pytest.raises(KeyboardInterrupt):
        BlockingStream(here, Side.REQUESTOR, interrupt)
    assert -1 == here.fileno()


def test_each_connection_has_a_number_of_its_own(ends: tuple[BlockingStream, BlockingStream]) -> None:
    here, there = ends
    assert here.association != there.association


def test_two_threads_may_use_the_two_directions(ends: tuple[BlockingStream, BlockingStream]) -> None:
    here, there = ends
    got: list[bytes] = []

    def read_all() -> None:
        while data := there.receive(LONG):
            got.append(data)

    thread = threading.Thread(target=read_all)
    thread.start()
    here.send(bytes(1 << 20), LONG)
    here.half_close()
    thread.join(LONG)
    assert 1 << 20 == sum(map(len, got))
