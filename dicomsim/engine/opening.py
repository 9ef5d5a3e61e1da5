"""How sessions begin: a caller opens one as requestor, a listener makes one of each connection it accepts."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from dicomsim import events
from dicomsim.engine.handler import Handler
from dicomsim.engine.hops import Hops
from dicomsim.engine.pump import Observer
from dicomsim.engine.reactor import Reactor
from dicomsim.engine.session import Session
from dicomsim.engine.timeouts import Timeouts
from dicomsim.engine.transport import Address, TcpTransport, Transport
from dicomsim.errors import ConnectError, TimeLimitError
from dicomsim.events import Side
from dicomsim.outcome import refused, timed_out
from dicomsim.upper_layer.primitives import AssociateRequest
from dicomsim.upper_layer.table import State
from dicomsim.wire.pdu import AssociateRQ


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
        session.pump_until(lambda: session.state is not State.STA5, "acse", setup.timeouts.acse)
        return session
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
        cause = str(error).removeprefix(f"{target[0]}:{target[1]}: ")
        session.finish(refused(target, cause, seconds_open=circumstances["seconds_open"]))


def accepted_session(setup: Setup, handler: Handler, connected: socket.socket, remote: Address) -> Session | None:
    """Make a session of an accepted connection and leave it to the reactor; None if the peer has gone already."""
    try:
        transport = TcpTransport(connected, remote)
    except OSError:
        connected.close()
        return None
    session = setup.session(Side.ACCEPTOR, handler)
    session.take()
    try:
        session.attach(transport)
    finally:
        session.give_back()
    return session
