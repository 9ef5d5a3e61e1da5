"""The AE as a whole: associations asked for and accepted, started, stopped, counted, and found again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import dicomsim
from dicomsim import events
from dicomsim.ae import AE, ApplicationEntity
from dicomsim.association import Association
from dicomsim.engine.stream import connect_stream
from dicomsim.engine.timeouts import Timeouts
from dicomsim.errors import ConnectError
from dicomsim.negotiation_items import UserIdentityNegotiation
from dicomsim.outcome import Ending
from dicomsim.presentation import build_context
from tests.meeting import (
    CT_IMAGE_STORAGE,
    LIMIT,
    LOOPBACK,
    VERIFICATION,
    Calls,
    acceptor,
    meeting,
    requestor,
    serving,
)

ROOT = Path(__file__).parents[1]


def test_the_names_of_the_1x_api_are_importable_from_the_package() -> None:
    assert dicomsim.AE is AE is ApplicationEntity is dicomsim.ApplicationEntity
    assert dicomsim.VerificationPresentationContexts[0].abstract_syntax == VERIFICATION
    assert "StoragePresentationContexts" in dir(dicomsim) and "AE" in dir(dicomsim)
    namespace: dict[str, object] = {}
    exec("from dicomsim import *", namespace)  # noqa: S102  # no function may import all by itself
    assert {"AE", "Association", "build_context", "StoragePresentationContexts"} <= namespace.keys()
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        dicomsim.nothing_of_that_name  # noqa: B018


@pytest.mark.parametrize(
    ("arguments", "error"),
    [((b"",), ValueError), ((5,), TypeError), ((b"A", -1), ValueError), ((b"A", "104"), TypeError)],
)
def test_an_ae_with_an_impossible_title_or_port_is_refused(arguments: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        AE(*arguments)


# -- associate -------------------------------------------------------------------------------------------------------


def test_an_association_is_asked_for_used_and_released() -> None:
    with meeting(requestor(), acceptor()) as association:
        assert isinstance(association, Association) and association.is_established
        assert (True, False) == (association.is_requestor, association.is_acceptor)
        assert 0x0000 == association.send_c_echo().Status
        association.release()
        assert association.is_released and not association.is_established


def test_an_association_comes_back_whether_it_was_accepted_or_not() -> None:
    with meeting(requestor(), acceptor(require_called_aet="OTHER")) as association:
        assert association.is_rejected and not association.is_established
        assert association.outcome is not None and (1, 1, 7) == association.outcome.codes
        with pytest.raises(RuntimeError, match="C-ECHO"):
            association.send_c_echo()


def test_a_peer_that_is_not_there_is_an_outcome_and_no_exception() -> None:
    with serving(acceptor()) as server:
        address = server.address
    association = requestor().associate(*address)
    assert association.is_aborted and not association.is_rejected
    outcome = association.outcome
    assert outcome is not None and Ending.REFUSED is outcome.how and f"127.0.0.1:{address[1]}" in str(outcome)


def test_a_host_that_is_not_there_is_a_failed_connection() -> None:
    outcome = requestor().associate("256.256.256.256", 104).outcome
    assert outcome is not None and Ending.FAILED is outcome.how and "unknown host" in str(outcome)


def test_contexts_may_be_given_instead_of_the_requested_ones() -> None:
    with meeting(
        requestor(), acceptor(CT_IMAGE_STORAGE), contexts=[build_context(CT_IMAGE_STORAGE)]
    ) as association:
        assert [CT_IMAGE_STORAGE] == [one.abstract_syntax for one in association.accepted_contexts]


def test_without_contexts_there_is_nothing_to_ask_for() -> None:
    with pytest.raises(RuntimeError, match="presentation contexts"):
        AE().associate("127.0.0.1", 104)
    with pytest.raises(RuntimeError, match="presentation contexts"):
        requestor().associate("127.0.0.1", 104, contexts=[])


@pytest.mark.parametrize(
    ("arguments", "keywords", "error"),
    [
        ((5, 104), {}, TypeError),
        (("h", "104"), {}, TypeError),
        (("h", 0), {}, ValueError),
        (("h", 104), {"ae_title": "x" * 17}, ValueError),
        (("h", 104), {"max_pdu": -1}, ValueError),
        (("h", 104), {"contexts": ["1.2.3"]}, TypeError),
        (("h", 104), {"ext_neg": ["item"]}, TypeError),
        (("h", 104), {"bind_address": "127.0.0.1"}, TypeError),
        (("h", 104), {"tls_args": "context"}, TypeError),
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(arguments: Any, keywords: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        requestor().associate(*arguments, **keywords)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("contexts", 5),
        ("contexts", build_context(VERIFICATION)),
        ("ext_neg", 5),
        ("ext_neg", UserIdentityNegotiation(1, False, b"user")),
        ("timeouts", 5),
    ],
)
def test_an_argument_of_another_kind_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"^{name} ") as raised:
        requestor().associate("h", 104, **{name: value})
    assert repr(value) in str(raised.value)


def test_the_called_title_is_any_scp_unless_it_is_given() -> None:
    with meeting(requestor(), acceptor()) as association:
        assert b"ANY-SCP         " == association.acceptor.ae_title
    with meeting(requestor(), acceptor(), ae_title=b"ARCHIVE") as association:
        assert b"ARCHIVE         " == association.acceptor.ae_title


def test_a_connection_may_be_bound_to_an_address() -> None:
    with meeting(requestor(), acceptor(), bind_address=("127.0.0.2", 0)) as association:
        assert "127.0.0.2" == association.requestor.address
    with meeting(requestor(bind_addr="127.0.0.3"), acceptor()) as association:
        assert "127.0.0.3" == association.requestor.address


def test_the_port_of_the_ae_is_the_one_it_connects_from() -> None:
    with socket.socket() as probe:
        probe.bind(LOOPBACK)
        port = probe.getsockname()[1]
    with meeting(requestor(port=port), acceptor()) as association:
        assert port == association.requestor.port


def test_an_ae_that_listens_on_its_port_connects_from_another() -> None:
    ae = acceptor()
    ae.add_requested_context(VERIFICATION)
    with serving(ae) as server:
        ae.port = server.address[1]
        with ae.associate(*server.address) as association:
            assert association.is_established and ae.port != association.requestor.port


def test_an_address_that_is_not_ours_cannot_be_connected_from() -> None:
    with meeting(requestor(bind_addr="192.0.2.1"), acceptor()) as association:
        assert association.outcome is not None and Ending.FAILED is association.outcome.how


def test_an_association_goes_over_ipv6() -> None:
    answering = acceptor()
    with answering.start_server(("::1", 0)) as server:
        assert "::1" == server.address[0] and f"[::1]:{server.address[1]}" in repr(server)
        with requestor().associate(*server.address) as association:
            assert 0 == association.c_echo().status
            assert "::1" == association.requestor.address and "@[::1]:" in repr(association.requestor)
        refused = requestor(bind_addr="127.0.0.1").associate(*server.address)
        assert refused.is_aborted


def test_all_interfaces_may_be_listened_to_at_once() -> None:
    with acceptor().start_server(("::", 0)) as server:
        for host in ("127.0.0.1", "::1"):
            with requestor().associate(host, server.address[1]) as association:
                assert 0 == association.c_echo().status


# -- start and stop --------------------------------------------------------------------------------------------------


def test_start_blocks_until_stop() -> None:
    ae = acceptor(bind_addr="127.0.0.1")
    with socket.socket() as probe:
        probe.bind(LOOPBACK)
        ae.port = probe.getsockname()[1]
    starting = threading.Thread(target=ae.start)
    starting.start()
    asking = requestor()
    while not (association := asking.associate("127.0.0.1", ae.port)).is_established:
        assert starting.is_alive()
    assert 0 == association.c_echo().status and starting.is_alive()
    ae.stop()
    starting.join(LIMIT)
    assert not starting.is_alive() and [] == ae.active_associations and [] == ae.listening()


@pytest.mark.parametrize("name", ["stop", "quit"])
def test_stopping_aborts_associations_in_either_role_and_closes_what_is_none_yet(name: str) -> None:
    first, second = acceptor(), acceptor()
    for ae in (first, second):
        ae.add_requested_context(VERIFICATION)
    with serving(first) as server, serving(second) as other:
        asked = second.associate(*server.address)
        asking = first.associate(*other.address)
        connected = Calls()
        first.on_receive_connection = connected
        with connect_stream(*server.address, LIMIT) as stream:
            connected.next()
            getattr(first, name)()
            assert server.is_closed and not other.is_closed
            assert asking.is_aborted and [] == first.active_associations
            assert b"" == stream.receive(LIMIT)
        assert asked.outcome is None or asked.is_aborted
        with pytest.raises((RuntimeError, dicomsim.errors.DicomsimError)):
            asked.c_echo()
        assert "stopped" in str(asking.outcome)
        assert requestor().associate(*server.address).is_aborted


def test_stopping_twice_or_without_a_start_does_nothing() -> None:
    ae = acceptor()
    ae.stop()
    with serving(ae):
        ae.stop()
        ae.quit()


INTERRUPTED = """
import os, signal, threading
from dicomsim import AE
ae = AE()
ae.bind_addr = "127.0.0.1"
over = threading.Event()
def interrupt():
    while not ae.listening():
        pass
    os.kill(os.getpid(), signal.SIGINT)
    while not over.wait(1):  # one that comes the very moment the main thread goes to sleep does not wake it
        os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
ae.start()
over.set()
print("over", ae.listening())
"""


@pytest.mark.slow
def test_ctrl_c_ends_start_without_a_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, cwd=ROOT, timeout=LIMIT
    )
    assert ("over []\n", "", 0) == (done.stdout, done.stderr, done.returncode)


def test_a_server_blocks_if_it_is_told_to() -> None:
    ae = acceptor()
    started = threading.Thread(target=ae.start_server, args=(LOOPBACK,), kwargs={"block": True})
    started.start()
    while not ae.listening():
        assert started.is_alive()
    with requestor().associate(*ae.listening()[0]) as association:
        assert 0 == association.c_echo().status
    ae.stop()
    started.join(LIMIT)
    assert not started.is_alive()


def test_an_address_that_cannot_be_had_is_an_error() -> None:
    with serving(acceptor()) as server, pytest.raises(ConnectError, match=str(server.address[1])):
        acceptor().start_server(server.address)
    with pytest.raises(ConnectError, match=r"192\.0\.2\.1"):
        acceptor().start_server(("192.0.2.1", 0))


# -- what is open ----------------------------------------------------------------------------------------------------


def test_active_associations_are_those_that_are_open_in_either_role_oldest_first() -> None:
    asking, answering = requestor(), acceptor()
    with serving(answering) as server:
        first, second = (asking.associate(*server.address) for _ in range(2))
        assert [first, second] == asking.active_associations
        assert [True, True] == [one.is_acceptor for one in answering.active_associations]
        first.release()
        assert [second] == asking.active_associations
        second.abort()
        assert [] == asking.active_associations


def test_cleaning_up_forgets_what_is_over_and_keeps_what_is_open() -> None:
    asking = requestor()
    with meeting(asking, acceptor()) as association:
        asking.cleanup_associations()
        assert [association] == asking.active_associations
        association.release()
        assert ([], []) == (asking.active_associations, asking.sessions())
        asking.opened(association.session)  # as if it had not been forgotten by itself
        asking.cleanup_associations()
        assert [] == asking.sessions()


def test_the_client_socket_is_that_of_the_newest_open_association_asked_for() -> None:
    asking, answering = requestor(), acceptor()
    assert asking.client_socket is None
    with serving(answering) as server:
        first, second = (asking.associate(*server.address) for _ in range(2))
        for association in (second, first):
            client = asking.client_socket
            assert client is not None and association.requestor.port == client.getsockname()[1]
            association.release()
        assert asking.client_socket is None and answering.client_socket is None


def test_an_associations_number_and_address_are_told_in_one_line() -> None:
    with meeting(requestor(), acceptor(), ae_title="THEM") as association:
        number = association.session.association_number
        ports = association.requestor.port, association.acceptor.port
        expected = f"<Association {number} REQUESTOR@127.0.0.1:{ports[0]} -> THEM@127.0.0.1:{ports[1]}: Sta6>"
        assert expected == repr(association) == str(association)


def test_timeouts_may_be_set_as_a_whole() -> None:
    asking = requestor()
    with meeting(asking, acceptor()) as association:
        asking.timeouts = Timeouts(acse=3, dimse=4)
        assert (3, 4, 3) == (asking.acse_timeout, asking.dimse_timeout, association.timeouts.acse)
    with pytest.raises(TypeError, match="Timeouts"):
        asking.timeouts = 5  # type: ignore[assignment]


def test_several_servers_of_an_ae_end_only_what_came_in_there() -> None:
    ae = acceptor()
    with serving(ae) as kept:
        with serving(ae) as closed:
            staying = requestor().associate(*kept.address)
            going = Calls()
            asking = requestor(on_association_aborted=going)
            asking.associate(*closed.address)
        assert going.next().outcome.how is Ending.ABORTED
        assert 0 == staying.c_echo().status
        staying.release()


def test_nothing_is_left_open_when_an_ae_is_done() -> None:
    closed = Calls()
    answering = acceptor()
    answering.events.add(closed, events.ConnectionClosed)
    before = _sockets()
    for _ in range(5):
        with meeting(requestor(), answering) as association:
            association.c_echo()
            association.release()
        closed.next()
    deadline = time.monotonic() + LIMIT
    while not _sockets() <= before:  # that the peer has closed is told before our end is
        assert time.monotonic() < deadline


def _sockets() -> set[str]:
    """Those of this process; what threads keep to wait with, and may only now make, is not among them."""
    links = set()
    for path in Path("/proc/self/fd").iterdir():
        try:
            links.add(os.readlink(path))
        except FileNotFoundError:  # the descriptor of the listing itself
            pass
    return {link for link in links if link.startswith("socket:")}
