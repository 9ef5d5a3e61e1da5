"""`Server`: an AE's listening socket, closed by its owner."""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING, Self

from dicomsim.engine.opening import SessionListener
from dicomsim.engine.session import ABORTABLE, Session
from dicomsim.engine.transport import Address
from dicomsim.events import Side
from dicomsim.peer_address import host_and_port

if TYPE_CHECKING:
    from dicomsim.ae import ApplicationEntity
    from dicomsim.provider import Provider

EVERYWHERE = frozenset(("0.0.0.0", "::"))
"""Addresses that stand for all interfaces."""


class Server:
    """Accepts associations for an AE until it is closed; a context manager that ends them, too."""

    def __init__(
        self, ae: ApplicationEntity, provider: Provider, address: Address, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        self.ae = ae
        self.ssl_context = ssl_context
        """With it every connection is encrypted; None for none."""
        self._closed = threading.Event()
        self._listener = SessionListener(ae.setup, provider, address, ssl_context)
        self.address: Address = self._listener.address
        """Host and port that it listens on."""

    @property
    def is_closed(self) -> bool:
        """Whether it accepts no more."""
        return self._closed.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Return when it has been closed, or when the time is over; whether it is closed."""
        return self._closed.wait(seconds)

    def close(self) -> None:
        """Accept no more; associations that are open stay. Does nothing the second time."""
        self._listener.close()
        self._closed.set()
        self.ae.forget(self)

    def shutdown(self) -> None:
        """Accept no more, abort the associations that came in here, and close connections that are none yet."""
        self.close()
        for session in self.ae.sessions():
            if self.has_accepted(session):
                end(session)

    def has_accepted(self, session: Session) -> bool:
        """Whether a session came in here."""
        host, port = session.local
        return session.side is Side.ACCEPTOR and port == self.address[1] and self.address[0] in (host, *EVERYWHERE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def __repr__(self) -> str:
        return f"<Server {host_and_port(*self.address)}>"


def end(session: Session) -> None:
    """Abort an association, or close a connection that is none (yet); does nothing when it is over."""
    session.take()
    try:
        if session.outcome is None and session.state in ABORTABLE:
            session.abort("the application entity was stopped")
        elif session.outcome is None:
            session.hang_up(reset=False)
    finally:
        session.give_back()
