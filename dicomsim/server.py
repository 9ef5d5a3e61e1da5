"""`Server`: an AE's listening socket, closed by its owner."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from dicomsim.engine.listener import Listener
from dicomsim.engine.transport import Address

if TYPE_CHECKING:
    from dicomsim.ae import ApplicationEntity


class Server:
    """Accepts associations for an AE until it is closed; a context manager."""

    def __init__(self, listener: Listener, ae: ApplicationEntity) -> None:
        self._listener = listener
        self._closed = threading.Event()
        self.ae = ae
        self.address: Address = listener.address
        """Host and port that it listens on."""

    def wait(self) -> None:
        """Return when it has been closed."""
        self._closed.wait()

    def close(self) -> None:
        """Accept no more; associations that are open stay. Does nothing the second time."""
        self._listener.close()
        self._closed.set()

    def shutdown(self) -> None:
        """Accept no more and abort what is open."""
        self.close()
        for association in self.ae.active_associations:
            if association.is_acceptor:
                association.abort()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def __repr__(self) -> str:
        return f"<Server {self.address[0]}:{self.address[1]}>"
