"""A server: where it listens, and what goes with it when it closes."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from dicomsim import tls
from dicomsim.association import Association
from dicomsim.engine.stream import connect_stream
from dicomsim.errors import AssociationError, ConnectError
from dicomsim.events import MessageOut, Side
from dicomsim.outcome import Ending
from tests.meeting import LIMIT, LOOPBACK, Calls, SilentPeer, acceptor, requestor, serving


def test_a_server_tells_its_address_and_shows_it() -> None:
    with serving(acceptor()) as server:
        host, port = server.address
        assert "127.0.0.1" == host and port
        assert f"<Server 127.0.0.1:{port}>" == repr(server)
        assert server.ssl_context is None and not server.is_closed


def test_a_server_listens_where_the_ae_says_unless_it_is_told() -> None:
    ae = acceptor(bind_addr="127.0.0.2")
    with ae.start_server() as server:
        assert "127.0.0.2" == server.address[0]
        assert [server.address] == ae.listening()
    assert [] == ae.listening()


@pytest.mark.parametrize(
    ("context", "error"),
    [(5, TypeError), ((tls.client_context(), None), TypeError), (tls.client_context(), ValueError)],
)
def test_a_server_is_encrypted_by_a_context_that_can_be_one_of_a_server(context: Any, error: type[Exception]) -> None:
    ae = acceptor()
    with pytest.raises(error, match="ssl_context") as raised:
        ae.start_server(LOOPBACK, ssl_context=context)
    assert repr(context) in str(raised.value)
    assert [] == ae.listening()


def test_closing_leaves_associations_and_takes_no_more() -> None:
    ae = acceptor()
    server = ae.start_server(LOOPBACK)
    association = requestor().associate(*server.address)
    server.close()
    server.close()
    assert server.is_closed and server.wait()
    assert 0 == association.c_echo().status
    with pytest.raises(ConnectError):
        connect_stream(*server.address, LIMIT)
    association.release()
    assert association.is_released


def test_shutting_down_aborts_associations_and_closes_connections_without_one() -> None:
    ae = acceptor()
    connected = ae.on_receive_connection = Calls()
    aborted = Calls()
    with serving(ae) as server, connect_stream(*server.address, LIMIT) as stream:
        connected.next()
        association = requestor(on_association_aborted=aborted).associate(*server.address)
        server.shutdown()
        assert b"" == stream.receive(LIMIT)
        outcome = aborted.next().outcome
        assert (Ending.ABORTED, Side.ACCEPTOR) == (outcome.how, outcome.by)
        assert association.is_aborted


def test_shutting_down_does_not_wait_for_a_peer_that_reads_nothing() -> None:
    ae = requestor()
    with SilentPeer() as peer, serving(acceptor()) as server:
        association = ae.associate(*peer.address)
        server.shutdown()
        assert association.is_established
        ae.stop()
        assert association.is_aborted


def test_a_server_that_is_not_closed_is_waited_for() -> None:
    with serving(acceptor()) as server:
        assert not server.wait(0)


def test_a_server_knows_what_came_in_there() -> None:
    ae = acceptor()
    with serving(ae) as one, serving(ae) as other, ae.start_server(("", 0)) as everywhere:
        for server in (one, other, everywhere):
            connected = ae.on_receive_connection = Calls()
            with requestor().associate("127.0.0.1", server.address[1]):
                session = connected.next().session
                assert [server] == [each for each in (one, other, everywhere) if each.has_accepted(session)]


def test_stopping_ends_what_a_caller_waits_for() -> None:
    ae, sent = requestor(), Calls()
    ae.events.add(sent, MessageOut)
    raised = Calls()

    def wait(association: Association) -> None:
        try:
            association.c_echo()
        except AssociationError as error:
            raised(error)

    with SilentPeer() as peer:
        waiting = threading.Thread(target=wait, args=(ae.associate(*peer.address),))
        waiting.start()
        sent.next()
        ae.stop()
        assert "stopped" in str(raised.next())
        waiting.join(LIMIT)
