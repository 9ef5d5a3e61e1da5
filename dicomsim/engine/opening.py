"""How sessions begin: a caller opens one as requestor, a listener makes one of each connection it accepts."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dicomsim import events
from dicomsim.engine.clock import SystemClock
from dicomsim.engine.handler import Handler
from dicomsim.engine.hops import Hops
from dicomsim.engine.listener import Listener
from dicomsim.engine.reactor import Reactor
from dicomsim.engine.session import Session, association_numbers
from dicomsim.engine.timeouts import Timeouts
from dicomsim.engine.tls import Handshake, TlsTransport
from dicomsim.engine.transport import Address, TcpTransport, Transport
from dicomsim.engine.witness import Observer
from dicomsim.errors import ConnectError, TimeLimitError
from dicomsim.events import CloseHow, Side
from dicomsim.outcome import refused, timed_out
from dicomsim.peer_address import host_and_port
from dicomsim.upper_layer.primitives import AssociateRequest
from dicomsim.upper_layer.table import State
from dicomsim.wire.pdu import AssociateRQ

LOGGER = logging.getLogger("dicomsim")


@dataclass(frozen=True, slots=True)
class Setup:
    """What sessions are made with."""

    reactor: Reactor
    """Who watches over them."""
    timeouts: Timeouts
    """Named timeouts; shared by all sessions made with this."""
    maximum_length: int
    """Largest PDU-length of a P-DATA-TF that is taken, 0 for any."""
    observer: Observer | None = None
    """Who is told of every event."""
    hops: Hops | None = None
    """The rules around them."""

    def session(self, side: Side, handler: Handler) -> Session:
        """A session that has no connection yet."""
        return Session(
            side,
            handler,
            self.reactor,
            timeouts=self.timeouts,
            maximum_length=self.maximum_length,
            observer=self.observer,
            hops=self.hops,
        )


def open_association(
    setup: Setup, handler: Handler, request: AssociateRQ, target: Address, connect: Callable[[], Transport]
) -> Session:
    """Connect, ask for an association and wait for the answer, all in the calling thread.

    `session.outcome` is None when the association is open and says why otherwise. Raises nothing for what the peer
    or the network does.
    """
    session = setup.session(Side.REQUESTOR, handler)
    session.request_pdu = request
    session.target = target
    session.take()
    try:
        session.upper.request(AssociateRequest(request), session.clock.monotonic())
        try:
            transport = connect()
        except (ConnectError, TimeLimitError) as error:
            _not_connected(session, target, error)
            return session
        session.attach(transport)
        session.pump_until(lambda: session.state is not State.STA5, "acse", session.timeouts.acse)
        return session
    except BaseException:  # Ctrl-C, for one: nobody else will ever know of the connection
        session.abort("interrupted while it was opened")
        raise
    finally:
        session.give_back()


def _not_connected(session: Session, target: Address, error: ConnectError | TimeLimitError) -> None:
    session.upper.connect_failed(session.clock.monotonic())
    session.upper.effects()
    session.emit(events.ConnectionRefused, target, str(error))
    circumstances = session.circumstances(State.STA4)
    if isinstance(error, TimeLimitError):
        limit = session.timeouts.connect or 0.0
        session.emit(events.TimerExpired, "connect", limit)
        session.finish(timed_out("connect", limit, **circumstances))
    else:
        cause = str(error).removeprefix(f"{host_and_port(*target)}: ")
        how = CloseHow.REFUSED if isinstance(error.__cause__, ConnectionRefusedError) else CloseHow.FAILED
        session.finish(refused(target, cause, seconds_open=circumstances["seconds_open"], how=how))


class SessionListener:
    """Listens, makes a session of every connection that comes, and leaves it to the reactor.

    With a context, TLS is set up first, within the ARTIM timeout; what has not got so far when it closes, never will.
    """

    def __init__(
        self, make_setup: Callable[[], Setup], handler: Handler, address: Address, context: ssl.SSLContext | None = None
    ) -> None:
        """Begin at once; raises `ConnectError` when the address cannot be had."""
        self._make_setup = make_setup
        self._handler = handler
        self._context = context
        self._handshakes: set[Handshake] = set()
        self._listener = Listener(make_setup().reactor, *address, self._accepted)
        self.address: Address = self._listener.address

    def close(self) -> None:
        """Stop listening; does nothing the second time."""
        self._listener.close()
        for handshake in tuple(self._handshakes):
            handshake.give_up()

    def _accepted(self, connected: socket.socket, remote: Address) -> None:
        setup = self._make_setup()
        if self._context is None:
            accepted_session(setup, self._handler, connected, remote)
            return
        try:
            handshake = Handshake(setup.reactor, self._context, connected, remote, setup.timeouts.artim)
        except OSError:  # gone already
            connected.close()
            return
        self._handshakes.add(handshake)
        handshake.begin(partial(self._shaken, setup, handshake))

    def _shaken(self, setup: Setup, handshake: Handshake, result: TlsTransport | str) -> None:
        self._handshakes.discard(handshake)
        if isinstance(result, TlsTransport):
            begin_accepted(setup, self._handler, result)
            return
        LOGGER.warning("%s: %s", host_and_port(*handshake.remote), result)
        if setup.observer is not None:
            number = next(association_numbers)
            setup.observer(events.ConnectionRefused(SystemClock.wall(), number, handshake.remote, result))


def accepted_session(setup: Setup, handler: Handler, connected: socket.socket, remote: Address) -> Session | None:
    """Make a session of an accepted connection and leave it to the reactor; None if the peer has gone already."""
    try:
        transport = TcpTransport(connected, remote)
    except OSError:
        connected.close()
        return None
    return begin_accepted(setup, handler, transport)


def begin_accepted(setup: Setup, handler: Handler, transport: Transport) -> Session:
    """Make a session of the acceptor's end of any transport, and leave it to the reactor."""
    session = setup.session(Side.ACCEPTOR, handler)
    session.take()
    try:
        session.attach(transport)
    finally:
        session.give_back()
    return session

