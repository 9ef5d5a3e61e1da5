"""TCP as the engine uses it, over loopback."""

from __future__ import annotations

import errno
import re
import socket
import threading
from collections.abc import Iterator

import pytest

from dicomsim.engine import transport
from dicomsim.engine.fetching import IOV_MAX
from dicomsim.engine.transport import Address, TcpTransport, connect, listen
from dicomsim.errors import ConnectError, TimeLimitError

LONG = 20.0
Pair = tuple[TcpTransport, TcpTransport]


def reach(listener: socket.socket, seconds: float = LONG, bind: Address | None = None) -> TcpTransport:
    """Connect to a listening socket."""
    host, port = listener.getsockname()[:2]
    return connect(host, port, seconds, bind)


@pytest.fixture
def pair() -> Iterator[Pair]:
    with listen("127.0.0.1", 0) as listener:
        here = reach(listener)
        listener.setblocking(True)
        there = TcpTransport(listener.accept()[0])
    yield here, there
    here.close()
    there.close()


def received(end: TcpTransport, size: int = 100) -> bytes:
    """What comes next; empty at the end."""
    assert end.wait(LONG)
    view = memoryview(bytearray(size))
    count = end.receive_into(view)
    assert count is not None
    return bytes(view[:count])


def fill(end: TcpTransport) -> int:
    """Write until the other end takes no more; how much that was."""
    total = 0
    while count := end.send([bytes(1 << 20)]):
        total += count
    return total


def test_both_ends_know_both_addresses(pair: Pair) -> None:
    here, there = pair
    assert (here.local, here.remote) == (there.remote, there.local)
    assert here.tls is None


def test_what_one_end_writes_the_other_reads(pair: Pair) -> None:
    here, there = pair
    assert 6 == here.send([b"abc", memoryview(b"xdefx")[1:4]])
    assert b"abcdef" == received(there)
    assert 1 == there.send([b"!"])
    assert b"!" == received(here)


def test_nothing_to_read_is_no_end(pair: Pair) -> None:
    assert pair[0].receive_into(memoryview(bytearray(1))) is None
    assert not pair[0].wait(0)
    assert not pair[0].pending()


def test_more_buffers_than_the_system_takes_at_once_are_sent_in_part(pair: Pair) -> None:
    assert IOV_MAX == pair[0].send([b"x"] * (IOV_MAX + 1))


def test_a_peer_that_reads_nothing_takes_no_more_at_some_point_and_then_again(pair: Pair) -> None:
    here, there = pair
    left = fill(here)
    assert 0 == here.send([b"x"])
    assert not here.wait(0, write=True, read=False)
    while left:
        left -= len(received(there, 1 << 20))
    assert here.wait(LONG, write=True, read=False)
    assert 1 == here.send([b"x"])


def test_waiting_for_writing_does_not_wait_for_reading(pair: Pair) -> None:
    here, there = pair
    there.send([b"x"])
    assert here.wait(LONG)
    fill(here)
    assert not here.wait(0, write=True, read=False)
    assert here.wait(0, write=True)


def test_a_fin_is_an_end_behind_what_came_before_it(pair: Pair) -> None:
    here, there = pair
    there.send([b"last"])
    there.close()
    assert b"last" == received(here)
    assert b"" == received(here)


def test_a_close_is_a_fin_although_not_everything_was_read(pair: Pair) -> None:
    here, there = pair
    fill(here)
    there.send([b"my last word"])
    there.close()
    assert b"my last word" == received(here)
    assert b"" == received(here)


def test_after_a_half_close_the_other_way_stays_open(pair: Pair) -> None:
    here, there = pair
    here.half_close()
    assert b"" == received(there)
    there.send([b"still here"])
    assert b"still here" == received(here)
    with pytest.raises(ConnectionError):
        here.send([b"x"])


def test_a_reset_is_an_error_at_the_other_end_and_ends_every_wait(pair: Pair) -> None:
    here, there = pair
    there.close(reset=True)
    assert here.wait(LONG, read=False)
    with pytest.raises(ConnectionResetError):
        here.receive_into(memoryview(bytearray(1)))


def test_writing_to_one_who_has_gone_raises(pair: Pair) -> None:
    here, there = pair
    there.close(reset=True)
    assert here.wait(LONG, read=False)
    with pytest.raises(ConnectionError):
        here.send([b"x", b"y"])


def test_closing_twice_does_nothing_the_second_time(pair: Pair) -> None:
    here, _ = pair
    here.close()
    here.close(reset=True)
    here.half_close()
    assert -1 == here.fileno()
    assert not here.wait(0)
    with pytest.raises(ConnectionError):
        here.receive_into(memoryview(bytearray(1)))
    with pytest.raises(ConnectionError):
        here.send([b"x"])


def test_waiting_for_longer_than_the_system_knows_is_possible(pair: Pair) -> None:
    pair[1].send([b"x"])
    assert pair[0].wait(1e9)


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_port_where_nobody_listens_refuses() -> None:
    port = free_port()
    with pytest.raises(ConnectError, match=f"^127.0.0.1:{port}: connection refused; ") as caught:
        connect("127.0.0.1", port, LONG)
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


def test_a_connection_to_itself_is_no_connection() -> None:
    # TCP joins a socket to itself when the system happens to choose the port for it that it is to connect to.
    port = free_port()
    with pytest.raises(ConnectError, match="refused"):
        connect("127.0.0.1", port, LONG, ("127.0.0.1", port))


def test_a_host_that_has_no_address_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    with pytest.raises(ConnectError, match="nowhere:104: unknown host"):
        connect("nowhere", 104, LONG)


@pytest.mark.parametrize("host", ["a" * 64, "a..b", "a\0b"])
def test_a_name_that_is_none_is_an_unknown_host(host: str) -> None:
    with pytest.raises(ConnectError, match="unknown host"):
        connect(host, 104, LONG)


@pytest.mark.parametrize("port", [-1, 65536, 99999])
def test_a_port_that_is_none_is_said_to_be_none(port: int) -> None:
    with pytest.raises(ConnectError, match=str(port)):
        connect("127.0.0.1", port, LONG)
    with pytest.raises(ConnectError, match=str(port)):
        listen("127.0.0.1", port)


def test_without_time_there_is_no_connection_and_the_timeout_is_named() -> None:
    with listen("127.0.0.1", 0) as listener, pytest.raises(TimeLimitError, match="within connect timeout of 0 s"):
        reach(listener, 0)


def test_a_full_backlog_ends_in_the_named_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(socket.socket):
        def connect(self, _: object) -> None:
            raise TimeoutError("timed out")

    monkeypatch.setattr(transport.socket, "socket", Silent)  # type: ignore[attr-defined]
    with pytest.raises(TimeLimitError, match="no connection within test timeout of 3 s"):
        connect("127.0.0.1", 104, 3, name="test")


def test_when_the_system_gives_up_by_itself_no_timeout_of_ours_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(socket.socket):
        def connect(self, _: object) -> None:
            raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")

    monkeypatch.setattr(transport.socket, "socket", Silent)  # type: ignore[attr-defined]
    with pytest.raises(ConnectError, match="connection timed out"):
        connect("127.0.0.1", 104, None)


def test_every_address_of_a_host_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with listen("127.0.0.1", 0) as listener:
        good = listener.getsockname()
        addresses = [("127.0.0.1", free_port()), good]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        opened = connect("peer", good[1], LONG)
    assert good == opened.remote
    opened.close()


def test_the_local_address_can_be_chosen() -> None:
    port = free_port()
    with listen("127.0.0.1", 0) as listener:
        opened = reach(listener, bind=("127.0.0.1", port))
    assert ("127.0.0.1", port) == opened.local
    opened.close(reset=True)


def test_a_local_address_that_cannot_be_had_is_not_blamed_on_the_peer() -> None:
    with (
        listen("127.0.0.1", 0) as taken,
        listen("127.0.0.1", 0) as listener,
        pytest.raises(ConnectError, match=r"cannot connect from 127\.0\.0\.1:") as caught,
    ):
        reach(listener, bind=taken.getsockname())
    assert "is the peer running" not in str(caught.value)


def test_a_local_port_that_is_none_is_not_blamed_on_the_peer_either() -> None:
    nowhere = ("127.0.0.1", 65536)
    with listen("127.0.0.1", 0) as listener, pytest.raises(ConnectError, match=r"cannot connect from .*:65536"):
        reach(listener, bind=nowhere)


@pytest.mark.parametrize("name", ["ä..b", "a\0b"])
def test_a_name_that_is_none_is_no_local_address(name: str) -> None:
    wrong = f"{re.escape(name)}:0: no name that a host can have"
    with listen("127.0.0.1", 0) as listener, pytest.raises(ConnectError, match=f"cannot connect from {wrong}"):
        reach(listener, bind=(name, 0))
    with pytest.raises(ConnectError, match=f"cannot listen on {wrong}"):
        listen(name, 0)


def test_an_address_in_use_cannot_be_listened_on() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(ConnectError, match=r"cannot listen on 127\.0\.0\.1:.*in use"):
        listen(*taken.getsockname())


def test_ipv6_is_listened_on_and_connected_to() -> None:
    with listen("::1", 0) as listener:
        opened = connect("::1", listener.getsockname()[1], LONG)
    assert "::1" == opened.remote[0]
    opened.close()


def test_an_interrupted_connect_leaves_no_socket_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[socket.socket] = []

    class Interrupted(socket.socket):
        def connect(self, _: object) -> None:
            opened.append(self)
            raise KeyboardInterrupt

    monkeypatch.setattr(transport.socket, "socket", Interrupted)  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        connect("127.0.0.1", 104, LONG)
    assert -1 == opened[0].fileno()


def test_an_ipv6_address_stands_in_brackets_wherever_it_is_named() -> None:
    with listen("::1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConnectError, match=rf"^cannot listen on \[::1\]:{port}: "):
            listen("::1", port)
        with pytest.raises(ConnectError, match=rf"^\[::1\]:{port}: cannot connect from \[::1\]:{port}: "):
            connect("::1", port, LONG, ("::1", port))
        with pytest.raises(TimeLimitError, match=rf"^\[::1\]:{port}: no connection"):
            connect("::1", port, 0)
    with pytest.raises(ConnectError, match=rf"^\[::1\]:{port}: connection refused"):
        connect("::1", port, LONG)


def test_a_descriptor_is_given_back_for_every_way_to_fail(pair: Pair) -> None:
    before = pair[0].fileno()
    with pytest.raises(ConnectError):
        connect("127.0.0.1", free_port(), LONG)
    with pytest.raises(ConnectError):
        listen(*pair[0].local)
    with socket.socket() as probe:
        assert probe.fileno() <= max(before, pair[1].fileno()) + 2


def test_a_thread_that_waits_is_woken_when_another_one_closes(pair: Pair) -> None:
    from dicomsim.engine.waiter import Waiter, thread_waiter

    waiters: list[Waiter] = []
    ready, results = threading.Event(), []

    def wait() -> None:
        waiters.append(thread_waiter())
        ready.set()
        results.append(pair[0].wait(LONG))

    thread = threading.Thread(target=wait)
    thread.start()
    assert ready.wait(LONG)
    pair[0].close()
    waiters[0].wake()
    thread.join(LONG)
    assert not thread.is_alive()
    assert 1 == len(results)
