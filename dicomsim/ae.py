"""`AE`: a DICOM Application Entity, requestor and acceptor at once.

What the AE is (titles, contexts, timeouts, handlers) is set on it; `associate` opens associations, `start_server`
accepts them. Handlers are attributes (`ae.on_c_store = function`) or methods of a class derived from it.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable
from functools import partial

from dicomsim import ae_proposal, ae_status
from dicomsim.ae_contexts import ContextLists
from dicomsim.ae_handlers import HANDLERS, Handlers
from dicomsim.ae_settings import DEFAULT_AE_TITLE, Settings
from dicomsim.association import Association
from dicomsim.engine.hops import Hops
from dicomsim.engine.observers import Observers
from dicomsim.engine.opening import Setup, open_association
from dicomsim.engine.reactor import Reactor, shared_reactor
from dicomsim.engine.session import Session
from dicomsim.engine.timeouts import Timeouts
from dicomsim.engine.tls import connect_tls
from dicomsim.engine.transport import Address, Socket, TcpTransport, Transport, connect
from dicomsim.events import Side
from dicomsim.negotiation_items import NegotiationItem
from dicomsim.presentation import PresentationContext
from dicomsim.provider import Provider
from dicomsim.server import Server, end
from dicomsim.wire.items import UserItem

TlsArgs = tuple[ssl.SSLContext, str | None]
"""A context, and the name that the peer's certificate must have (None: the address, if the context checks names)."""


class ApplicationEntity(Settings, ContextLists, Handlers):
    """A DICOM Application Entity."""

    def __init__(
        self, ae_title: bytes | str = DEFAULT_AE_TITLE, port: int = 0, *, reactor: Reactor | None = None
    ) -> None:
        """An AE with the default settings; `reactor` is for tests.

        Raises `TypeError` or `ValueError` for a title or a port that cannot be.
        """
        Settings.__init__(self, ae_title, port)
        ContextLists.__init__(self)
        self.events = Observers()
        """Who is told of events: `ae.events.add(callback, events.PduIn, …)`."""
        self.behaviour: Hops | None = None
        """The rules around associations that begin from now on, a `dicomsim.behaviour.Behaviour`."""
        self._reactor = reactor
        self._provider = Provider(self)
        self._lock = threading.Lock()
        self._sessions: dict[Session, None] = {}
        self._admitted: set[Session] = set()
        self._servers: list[Server] = []
        self.timeouts.on_change = self._timeout_changed

    # -- requestor ---------------------------------------------------------------------------------------------------

    def associate(
        self,
        addr: str,
        port: int,
        contexts: Iterable[PresentationContext] | None = None,
        ae_title: bytes | str = b"ANY-SCP",
        max_pdu: int | None = None,
        ext_neg: Iterable[NegotiationItem | UserItem] | None = None,
        *,
        bind_address: Address | None = None,
        tls_args: TlsArgs | None = None,
        timeouts: Timeouts | None = None,
    ) -> Association:
        """Ask a peer for an association; look at `is_established`, or `outcome`, of what comes back.

        `contexts` are proposed instead of `requested_contexts`; a role that is set on one is proposed as well, and
        an ID that is set on one is kept. `max_pdu` is announced instead of `maximum_pdu_size`. `ext_neg` holds items of
        `dicomsim.negotiation_items`, which take the place of those the AE would send by itself. `bind_address` is the
        (host, port) to connect from instead of `bind_addr` and `port`; `tls_args` encrypts the connection; `timeouts`
        are this association's instead of the AE's.

        Raises `RuntimeError` when there is no context to propose, `TypeError` or `ValueError` for what cannot be.
        """
        ae_proposal.check_target(addr, port)
        proposed = self.requested_contexts if contexts is None else ae_proposal.listed("contexts", contexts)
        request, maximum_length = ae_proposal.request(self, ae_title, proposed, max_pdu, ext_neg)
        setup = self.setup(maximum_length, None if timeouts is None else ae_proposal.check_timeouts(timeouts))
        bind = self._bind_address() if bind_address is None else ae_proposal.check_bind(bind_address)
        connecting: Callable[[], Transport]
        if tls_args is None:
            connecting = partial(connect, addr, port, setup.timeouts.connect, bind)
        else:
            context, name = ae_proposal.check_tls(tls_args)
            connecting = partial(connect_tls, addr, port, setup.timeouts.connect, bind, context, name)
        session = open_association(setup, self._provider, request, (addr, port), connecting)
        association: Association = session.user or Association(session, self)
        return association

    def _bind_address(self) -> Address | None:
        """`bind_addr` and `port`, where they are set and the port is not the one that we listen on."""
        port = 0 if any(port == self.port for _, port in self.listening()) else self.port
        return (self.bind_addr, port) if self.bind_addr or port else None

    @property
    def client_socket(self) -> Socket | None:
        """The socket of the newest open association that this AE asked for, or None; to look at, not to read from."""
        for session in reversed(self.sessions()):
            transport = session.transport
            if session.side is Side.REQUESTOR and session.is_open and isinstance(transport, TcpTransport):
                return transport.socket
        return None

    # -- acceptor ----------------------------------------------------------------------------------------------------

    def start_server(
        self, address: Address | None = None, block: bool = False, ssl_context: ssl.SSLContext | None = None
    ) -> Server:
        """Accept associations at (host, port), by default `bind_addr` and `port`; a `Server` that is closed to stop.

        With `block`, returns when the server has been closed; with `ssl_context` (see `dicomsim.tls`) connections are
        encrypted. Raises `ConnectError` when the address cannot be had.
        """
        where = (self.bind_addr, self.port) if address is None else ae_proposal.check_bind(address)
        server = Server(self, self._provider, where, ae_proposal.check_server_tls(ssl_context))
        with self._lock:
            self._servers.append(server)
        if block:
            try:
                server.wait()
            except KeyboardInterrupt:
                server.shutdown()
                raise
        return server

    def start(self) -> None:
        """Accept associations at `bind_addr` and `port` until `stop` is called, or Ctrl-C."""
        try:
            self.start_server(block=True)
        except KeyboardInterrupt:
            self.stop()

    def stop(self) -> None:
        """Stop accepting, abort all associations, in either role, and close connections that are none yet."""
        with self._lock:
            servers = list(self._servers)
        for server in servers:
            server.close()
        for session in self.sessions():
            end(session)

    def quit(self) -> None:
        """As `stop`."""
        self.stop()

    @property
    def active_associations(self) -> list[Association]:
        """The associations that are open, in either role, oldest first."""
        return [session.user for session in self.sessions() if session.user.is_established]

    def cleanup_associations(self) -> None:
        """Forget associations that are over; they are forgotten by themselves, too."""
        for session in self.sessions():
            if session.outcome is not None:
                self.dismiss(session)

    # -- for the server and the provider -----------------------------------------------------------------------------

    @property
    def reactor(self) -> Reactor:
        """Who watches over the associations; one for the whole process unless the AE was given another."""
        if self._reactor is None:
            self._reactor = shared_reactor()
        return self._reactor

    def setup(self, maximum_length: int | None = None, timeouts: Timeouts | None = None) -> Setup:
        """What an association that begins now is made with."""
        return Setup(
            self.reactor,
            (self.timeouts if timeouts is None else timeouts).copy(),
            self.maximum_pdu_size if maximum_length is None else maximum_length,
            self.events.audience(),
            self.behaviour,
        )

    def sessions(self) -> list[Session]:
        """The connections that are open, whether there is an association on them or not, oldest first."""
        with self._lock:
            return list(self._sessions)

    def opened(self, session: Session) -> None:
        """A connection has come about."""
        with self._lock:
            self._sessions[session] = None

    def admit(self, session: Session) -> bool:
        """Count a session that asks for an association; False when there are as many as are allowed."""
        with self._lock:
            if len(self._admitted) >= self.maximum_associations:
                return False
            self._admitted.add(session)
            return True

    def dismiss(self, session: Session) -> None:
        """Stop counting a session."""
        with self._lock:
            self._sessions.pop(session, None)
            self._admitted.discard(session)

    def listening(self) -> list[Address]:
        """The addresses at which associations are accepted."""
        with self._lock:
            return [server.address for server in self._servers]

    def forget(self, server: Server) -> None:
        """A server was closed."""
        with self._lock:
            if server in self._servers:
                self._servers.remove(server)

    def _timeout_changed(self, name: str, seconds: float | None) -> None:
        for session in self.sessions():
            timeouts = session.timeouts
            setattr(timeouts, name, seconds)
            if timeouts.on_change is None:
                session.timeout_changed(name, seconds)

    # -- how it shows itself -----------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return ae_status.text(self)

    def __repr__(self) -> str:
        return f"<AE {self.ae_title.decode('ascii', 'backslashreplace').strip()}>"


AE = ApplicationEntity

__all__ = ["AE", "DEFAULT_AE_TITLE", "HANDLERS", "ApplicationEntity", "TlsArgs"]
