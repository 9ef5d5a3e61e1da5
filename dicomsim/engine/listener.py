"""A listening socket in the reactor: every connection becomes a session that waits for its request in Sta2."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

from dicomsim.engine.poller import READ
from dicomsim.engine.reactor import Appointment, Reactor
from dicomsim.engine.transport import Address, listen
from dicomsim.peer_address import host_and_port

LOGGER = logging.getLogger("dicomsim")

ACCEPTS_A_TURN = 64
"""Connections taken before the reactor looks at anything else."""

RETRY_SECONDS = 0.1
"""Pause after the process ran out of descriptors; a few may be free again by then."""


class Listener:
    """Owns the listening socket; `accepted` gets each connected socket and its remote address."""

    def __init__(
        self, reactor: Reactor, host: str, port: int, accepted: Callable[[socket.socket, Address], None]
    ) -> None:
        self._socket = listen(host, port)
        self._reactor = reactor
        self._accepted = accepted
        self.appointment: Appointment | None = None
        self.address: Address = self._socket.getsockname()[:2]
        reactor.add(self)

    def fileno(self) -> int:
        """The descriptor to wait on, -1 when closed."""
        return self._socket.fileno()

    def ready(self) -> None:
        """Take what is there."""
        for _ in range(ACCEPTS_A_TURN):
            try:
                connected, remote = self._socket.accept()
            except (BlockingIOError, InterruptedError):
                break
            except ConnectionError:
                continue  # gone before we looked
            except OSError:
                if self.fileno() >= 0:  # out of descriptors: what waits is still there later
                    self._reactor.schedule(self, self._reactor.clock.monotonic() + RETRY_SECONDS)
                return
            try:
                self._accepted(connected, remote[:2])
            except BaseException:  # user code, which has a say in what is accepted: the next connection may please it
                LOGGER.exception("%r: the connection from %s could not be taken", self, host_and_port(*remote[:2]))
                connected.close()
        self._reactor.arm(self, READ)

    def due(self, now: float) -> None:
        """Try again."""
        self._reactor.arm(self, READ)

    def close(self) -> None:
        """Stop listening; does nothing the second time."""
        self._reactor.forget(self)
        self._socket.close()

    def __repr__(self) -> str:
        return f"<Listener {host_and_port(*self.address)}>"
