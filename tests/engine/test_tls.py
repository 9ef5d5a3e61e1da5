"""The encrypted transport by itself: reads and writes that stop anywhere, both ways to end, and damage."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator

import pytest

from dicomsim import tls
from dicomsim.engine.reactor import Reactor
from dicomsim.engine.tls import (
    JOIN_LIMIT,
    REASONS,
    Handshake,
    TlsError,
    TlsTransport,
    connect_tls,
    encrypted,
    explain,
)
from dicomsim.engine.transport import TcpTransport, listen
from dicomsim.errors import TimeLimitError
from tests.certificates import Certificate, make
from tests.meeting import LIMIT

pytestmark = pytest.mark.slow  # the key takes its time


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def contexts(request: pytest.FixtureRequest, certificate: Certificate) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A client's and a server's."""
    client = tls.client_context(trust=certificate.certificate)
    client.maximum_version = request.param
    return client, tls.server_context(certificate.certificate, certificate.key)


@pytest.fixture
def pair(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[tuple[TlsTransport, TlsTransport]]:
    """Both ends of a connection, the handshake done."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ends = socket.create_connection(listener.getsockname()), listener.accept()[0]
    for end in ends:
        end.setblocking(False)
    client = encrypted(contexts[0], ends[0], server_hostname="localhost")
    server = encrypted(contexts[1], ends[1], server_side=True)
    waiting = [client, server]
    while waiting:
        for end in tuple(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                pass
    transports = (
        TlsTransport(client, client.getpeername()[:2]),
        TlsTransport(server, server.getpeername()[:2]),
    )
    yield transports
    for transport in transports:
        transport.close()


Pair = tuple[TlsTransport, TlsTransport]


def receive(transport: TcpTransport, count: int) -> bytes:
    """So many bytes, waiting for each."""
    data = bytearray()
    buffer = memoryview(bytearray(50_000))
    while len(data) < count:
        if not transport.pending():
            assert transport.wait(LIMIT)
        data += buffer[: transport.receive_into(buffer) or 0]
    return bytes(data)


def end_of(transport: TcpTransport) -> int:
    """What a read says when the end has come."""
    buffer = memoryview(bytearray(10))
    while (count := transport.receive_into(buffer)) is None:
        assert transport.wait(LIMIT)
    return count


def test_what_was_agreed_upon_is_shown(pair: Pair, certificate: Certificate) -> None:
    client, server = pair
    assert client.tls is not None and server.tls is not None
    assert client.tls.version == server.tls.version and client.tls.cipher == server.tls.cipher
    assert ssl.PEM_cert_to_DER_cert(certificate.certificate.read_text()) == client.tls.peer_certificate
    assert server.tls.peer_certificate is None


def test_nothing_to_read_is_none(pair: Pair) -> None:
    assert pair[0].receive_into(memoryview(bytearray(10))) is None


@pytest.mark.parametrize("sizes", [[1], [1] * 50, [12, 100_000, 12, 5], [JOIN_LIMIT - 1, JOIN_LIMIT, JOIN_LIMIT + 1]])
def test_buffers_of_any_size_arrive_in_order(pair: Pair, sizes: list[int]) -> None:
    buffers: list[bytes] = [bytes([number % 256]) * size for number, size in enumerate(sizes)]
    expected = b"".join(buffers)
    sent = 0
    while sent < len(expected):
        sent += pair[0].send([memoryview(expected)[sent:]] if sent else buffers)
    assert expected == receive(pair[1], len(expected))


def test_small_buffers_go_in_one_piece_and_big_ones_are_not_joined(pair: Pair) -> None:
    assert 24 == pair[0].send([b"header" * 2, b"data" * 3])
    assert 1 << 16 == pair[0].send([bytes(1 << 20), b"more"])


@pytest.mark.parametrize("grows", [False, True])
def test_what_was_refused_is_taken_when_it_is_offered_again(pair: Pair, grows: bool) -> None:
    client, server = pair
    buffers: list[bytes] = [b"header", bytes(range(256)) * 100]
    sent = 0
    while count := client.send(buffers):
        sent += count
        assert len(b"".join(buffers)[:JOIN_LIMIT]) == count
    if grows:
        buffers.append(b"that came meanwhile")
    received = len(receive(server, sent))
    assert sent == received
    while not (count := client.send(buffers)):
        receive(server, 1)
        assert client.wait(LIMIT, write=True, read=False)
    assert b"".join(buffers)[:count] == receive(server, count)


def test_a_read_takes_several_records_and_says_that_there_are_more(pair: Pair) -> None:
    client, server = pair
    for _ in range(3):
        client.send([bytes(10_000)])
    assert server.wait(LIMIT)
    small = memoryview(bytearray(15_000))
    total = server.receive_into(small) or 0
    while total < 30_000:
        if not server.pending():
            assert server.wait(LIMIT)
        total += server.receive_into(small) or 0
    assert 30_000 == total and not server.pending()


def test_a_close_says_so_inside_the_encryption(pair: Pair) -> None:
    pair[0].send([b"last words"])
    pair[0].close()
    pair[0].close()
    assert -1 == pair[0].fileno() and not pair[0].pending()
    assert b"last words" == receive(pair[1], 10)
    assert 0 == end_of(pair[1]) == end_of(pair[1])
    assert pair[1].pending()


def test_the_end_behind_data_is_not_lost(pair: Pair) -> None:
    pair[0].send([b"last words"])
    pair[0].half_close()
    buffer = memoryview(bytearray(100))
    data = b""
    while len(data) < 10:
        assert pair[1].wait(LIMIT)
        data += bytes(buffer[: pair[1].receive_into(buffer) or 0])
    assert b"last words" == data and 0 == end_of(pair[1])


def test_a_half_closed_connection_can_still_be_read(pair: Pair) -> None:
    pair[0].half_close()
    assert 0 == end_of(pair[1])
    assert 6 == pair[1].send([b"answer"])
    assert b"answer" == receive(pair[0], 6)


def test_a_connection_that_is_cut_without_a_word_is_an_end(pair: Pair) -> None:
    pair[0].receive_into(memoryview(bytearray(10)))  # or what is unread would make it a reset
    socket.socket.close(pair[0].socket)  # past the encryption
    assert 0 == end_of(pair[1])


def test_a_reset_is_a_reset(pair: Pair) -> None:
    pair[0].close(reset=True)
    with pytest.raises(ConnectionResetError):
        end_of(pair[1])
    with pytest.raises(ConnectionError):
        pair[1].send([b"nobody hears this"])


def test_a_damaged_record_is_an_error_that_says_so(pair: Pair) -> None:
    raw = socket.socket(fileno=socket.dup(pair[0].fileno()))
    raw.send(b"\x17\x03\x03\x00\x20" + bytes(32))
    raw.close()
    with pytest.raises(TlsError, match="damaged") as raised:
        end_of(pair[1])
    assert raised.value.cause.startswith("TLS: ")
    with pytest.raises(TlsError):
        pair[1].receive_into(memoryview(bytearray(1)))


def test_data_before_the_damage_is_read_first(pair: Pair) -> None:
    pair[0].send([b"good"])
    raw = socket.socket(fileno=socket.dup(pair[0].fileno()))
    raw.send(b"\x17\x03\x03\x00\x20" + bytes(32))
    raw.close()
    assert b"good" == receive(pair[1], 4)
    with pytest.raises(TlsError):
        end_of(pair[1])


@pytest.mark.parametrize("reason", REASONS)
def test_reasons_are_told_in_words(reason: str) -> None:
    error = ssl.SSLError(1, "text")
    error.reason = reason
    assert REASONS[reason] == explain(error)


def test_other_reasons_are_told_as_they_are() -> None:
    error = ssl.SSLError(1, "text")
    error.reason = "SOMETHING_ELSE"
    assert "something else" == explain(error)
    assert "connection reset by peer" in explain(ConnectionResetError(104, "Connection reset by peer"))


@pytest.fixture
def nobody() -> Iterator[Callable[[], tuple[str, int]]]:
    """A port at which connections are taken, and nothing is said."""
    listener = listen("127.0.0.1", 0)
    yield lambda: listener.getsockname()[:2]
    listener.close()


def test_a_handshake_has_its_limit(nobody: Callable[[], tuple[str, int]]) -> None:
    with pytest.raises(TimeLimitError, match=r"connect timeout of 0\.02 s; does the peer speak TLS there"):
        connect_tls(*nobody(), 0.02, None, tls.client_context())


def test_an_ipv6_address_stands_in_brackets() -> None:
    with listen("::1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(TimeLimitError, match=rf"^\[::1\]:{port}: no TLS within"):
            connect_tls("::1", port, 0.02, None, tls.client_context())


def test_a_handshake_that_is_interrupted_leaves_no_socket_behind(
    nobody: Callable[[], tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[TcpTransport] = []

    def interrupt(transport: TcpTransport, *_: object, **__: object) -> bool:
        waiting.append(transport)
        raise KeyboardInterrupt

    monkeypatch.setattr(TcpTransport, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        connect_tls(*nobody(), LIMIT, None, tls.client_context())
    assert -1 == waiting[0].fileno()


class ReactorByHand(Reactor):
    """One without a thread, for real sockets."""

    def _start(self) -> None:
        """Nobody but `go` does anything."""

    def go(self) -> None:
        """See to what is there."""
        self.turn(0)


@pytest.fixture
def reactor() -> Iterator[ReactorByHand]:
    reactor = ReactorByHand()
    yield reactor
    reactor.stop()


def test_a_handshake_that_is_given_up_when_it_is_done_leaves_the_connection_alone(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], reactor: ReactorByHand
) -> None:
    results: list[TlsTransport | str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        plain = socket.create_connection(listener.getsockname())
        connected, remote = listener.accept()
    plain.setblocking(False)
    client = encrypted(contexts[0], plain, server_hostname="localhost")
    handshake = Handshake(reactor, contexts[1], connected, remote, LIMIT)
    handshake.begin(results.append)
    assert connected.fileno() == -1 and handshake.fileno() >= 0
    while not results:
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            pass
        reactor.go()
    handshake.give_up()
    reactor.go()
    handshake.ready()
    (server,) = results
    assert isinstance(server, TlsTransport)
    assert handshake.fileno() == -1 < server.fileno()
    client.do_handshake()
    server.send([b"alive"])
    end = TlsTransport(client, remote)
    assert b"alive" == receive(end, 5)
    end.close()
    server.close()


def test_a_handshake_that_is_given_up_says_so_once(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], reactor: ReactorByHand
) -> None:
    results: list[TlsTransport | str] = []
    here, there = socket.socketpair()
    with here:
        handshake = Handshake(reactor, contexts[1], there, ("::1", 1), LIMIT)
        handshake.begin(results.append)
        for _ in range(2):
            handshake.give_up()
            reactor.go()
        assert "<Handshake [::1]:1>" == repr(handshake)
        assert ["given up"] == results and handshake.fileno() == -1
        assert b"" == here.recv(1)
