"""`AE`: a DICOM Application Entity, requestor and acceptor at once.

What the AE is (titles, contexts, timeouts, handlers) is set on it; `associate` opens associations, `start_server` accepts
them. Handlers are attributes (`ae.on_c_store = function`) or methods of a class derived from it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from dicomsim.ae_contexts import ContextLists
from dicomsim.association import Association
from dicomsim.engine.hops import Hops
from dicomsim.engine.listener import Listener
from dicomsim.engine.observers import Observers
from dicomsim.engine.opening import Setup, accepted_session, open_association
from dicomsim.engine.reactor import Reactor, shared_reactor
from dicomsim.engine.session import Session
from dicomsim.engine.timeouts import Timeouts
from dicomsim.engine.transport import Address, connect
from dicomsim.events import Side
from dicomsim.negotiation_items import NegotiationItem
from dicomsim.presentation import PresentationContext
from dicomsim.provider import Provider
from dicomsim.server import Server
from dicomsim.services.storage import StoreTo
from dicomsim.upper_layer.negotiation import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    AcceptorPolicy,
    SupportedContext,
    build_request,
)
from dicomsim.wire.items import PresentationContextRQ, UserItem
from dicomsim.wire.pdu import pad_ae_title

DEFAULT_AE_TITLE = b"DICOMSIM"
DEFAULT_MAXIMUM_LENGTH = 16382
"""Announced unless told otherwise: the value in common use."""

HANDLERS = frozenset(
    f"on_{name}"
    for name in (
        "c_echo c_store c_find c_find_cancel c_get c_get_cancel c_move c_move_cancel n_action n_create n_delete "
        "n_event_report n_get n_set user_identity sop_class_extended sop_class_common_extended async_ops_window "
        "make_connection receive_connection association_requested association_accepted association_rejected "
        "association_released association_aborted"
    ).split()
)
"""The names of all handlers."""

NEGOTIATION_HANDLERS = (
    "on_association_requested", "on_user_identity", "on_sop_class_extended", "on_sop_class_common_extended",
    "on_async_ops_window",
)  # fmt: skip
"""Handlers that have a say in the answer to an association request."""


class ApplicationEntity(ContextLists):
    """A DICOM Application Entity."""

    def __init__(
        self, ae_title: bytes | str = DEFAULT_AE_TITLE, port: int = 0, *, reactor: Reactor | None = None
    ) -> None:
        super().__init__()
        self.ae_title = ae_title
        self.port = port
        self.bind_addr = ""
        self.timeouts = Timeouts()
        """Every timeout by name; shared with the associations that are open."""
        self.maximum_pdu_size = DEFAULT_MAXIMUM_LENGTH
        self.maximum_associations = 2
        self.require_called_aet = b""
        self.require_calling_aet = b""
        self.implementation_class_uid: str = IMPLEMENTATION_CLASS_UID
        self.implementation_version_name: str | None = IMPLEMENTATION_VERSION_NAME
        self.store_to = StoreTo.DATASET
        """In which form `on_c_store` gets data sets."""
        self.store_folder = Path()
        """Where files go with `StoreTo.FILE`."""
        self.events = Observers()
        """Who is told of events: `ae.events.add(callback, events.PduIn, …)`."""
        self.behaviour: Hops | None = None
        """The rules around associations that begin from now on, a `dicomsim.behaviour.Behaviour`."""
        self._reactor = reactor
        self._provider = Provider(self)
        self._sessions: set[Session] = set()
        self._lock = threading.Lock()
        self._servers: list[Server] = []

    # -- settings ----------------------------------------------------------------------------------------------------

    @property
    def ae_title(self) -> bytes:
        """The AE title, padded to 16 bytes."""
        return self._ae_title

    @ae_title.setter
    def ae_title(self, value: bytes | str) -> None:
        self._ae_title = _title("ae_title", value)
        if not self._ae_title.strip():
            raise ValueError(f"ae_title must have a character that is no space, unlike {value!r}")

    @property
    def require_called_aet(self) -> bytes:
        """The title by which requestors must call, padded to 16 bytes; empty for any."""
        return self._require_called_aet

    @require_called_aet.setter
    def require_called_aet(self, value: bytes | str) -> None:
        self._require_called_aet = _required_title("require_called_aet", value)

    @property
    def require_calling_aet(self) -> bytes:
        """The title that requestors must have, padded to 16 bytes; empty for any."""
        return self._require_calling_aet

    @require_calling_aet.setter
    def require_calling_aet(self, value: bytes | str) -> None:
        self._require_calling_aet = _required_title("require_calling_aet", value)

    @property
    def maximum_associations(self) -> int:
        """Associations that may be open at once as acceptor; the next one is rejected with 2/3/2."""
        return self._maximum_associations

    @maximum_associations.setter
    def maximum_associations(self, value: int) -> None:
        self._maximum_associations = _number("maximum_associations", value, 1)

    @property
    def maximum_pdu_size(self) -> int:
        """Largest PDU-length of a P-DATA-TF that is taken, 0 for any."""
        return self._maximum_pdu_size

    @maximum_pdu_size.setter
    def maximum_pdu_size(self, value: int) -> None:
        self._maximum_pdu_size = _number("maximum_pdu_size", value, 0)

    @property
    def port(self) -> int:
        """The port to listen on; 0 takes a free one."""
        return self._port

    @port.setter
    def port(self, value: int) -> None:
        self._port = _number("port", value, 0)

    @property
    def address(self) -> str:
        """The address of this machine that listening uses, or the loopback one."""
        return self.bind_addr or "127.0.0.1"

    @property
    def acse_timeout(self) -> float | None:
        """Seconds for the answer to an association or release request; None for no limit."""
        return self.timeouts.acse

    @acse_timeout.setter
    def acse_timeout(self, value: float | None) -> None:
        self.timeouts.acse = _seconds("acse_timeout", value)

    @property
    def dimse_timeout(self) -> float | None:
        """Seconds for each awaited DIMSE message; None for no limit."""
        return self.timeouts.dimse

    @dimse_timeout.setter
    def dimse_timeout(self, value: float | None) -> None:
        self.timeouts.dimse = _seconds("dimse_timeout", value)

    @property
    def network_timeout(self) -> float | None:
        """Seconds without a byte in either direction; None for no limit."""
        return self.timeouts.network

    @network_timeout.setter
    def network_timeout(self, value: float | None) -> None:
        self.timeouts.network = _seconds("network_timeout", value)

    # -- requestor ---------------------------------------------------------------------------------------------------

    def associate(
        self,
        addr: str,
        port: int,
        contexts: Iterable[PresentationContext] | None = None,
        ae_title: bytes | str = b"ANY-SCP",
        max_pdu: int | None = None,
        ext_neg: Iterable[NegotiationItem | UserItem] | None = None,
    ) -> Association:
        """Ask a peer for an association; look at `is_established`, or `outcome`, of what comes back.

        Raises `RuntimeError` when there is no context to propose.
        """
        proposed = list(self.requested_contexts if contexts is None else contexts)
        if not proposed:
            raise RuntimeError("no presentation contexts to propose: set requested_contexts, or pass contexts")
        maximum_length = self.maximum_pdu_size if max_pdu is None else _number("max_pdu", max_pdu, 0)
        request = build_request(
            _title("ae_title", ae_title),
            self.ae_title,
            [
                PresentationContextRQ.of(2 * index + 1, str(one.abstract_syntax), *map(str, one.transfer_syntax))
                for index, one in enumerate(proposed)
            ],
            maximum_length=maximum_length,
            implementation_class_uid=self.implementation_class_uid,
            implementation_version_name=self.implementation_version_name,
            items=[one.to_item() if isinstance(one, NegotiationItem) else one for one in ext_neg or ()],
        )
        bind = (self.bind_addr, self.port) if self.bind_addr or self.port else None
        session = open_association(
            self.setup(maximum_length), self._provider, request, (addr, port),
            partial(connect, addr, port, self.timeouts.connect, bind),
        )  # fmt: skip
        with self._lock:
            if session.outcome is None:
                self._sessions.add(session)
        return session.user or Association(session, self)

    # -- acceptor ----------------------------------------------------------------------------------------------------

    def start_server(self, address: Address | None = None, block: bool = False) -> Server:
        """Accept associations at (host, port), by default `bind_addr` and `port`; a `Server` that is closed to stop.

        With `block`, returns when the server has been closed. Raises `ConnectError` when the address cannot be had.
        """
        host, port = (self.bind_addr, self.port) if address is None else address
        setup = self.setup(self.maximum_pdu_size)
        listener = Listener(self._get_reactor(), host, port, partial(self._accept, setup))
        server = Server(listener, self)
        self._servers.append(server)
        if block:
            server.wait()
        return server

    def _accept(self, setup: Setup, connected: socket.socket, remote: Address) -> None:
        setup = self.setup(setup.maximum_length)  # for observers and rules that came since
        accepted_session(setup, self._provider, connected, remote)

    def start(self) -> None:
        """Accept associations at `bind_addr` and `port` until `stop` is called."""
        self.start_server(block=True)

    def stop(self) -> None:
        """Stop accepting and abort all associations."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        for association in self.active_associations:
            association.abort()

    def quit(self) -> None:
        """As `stop`."""
        self.stop()

    @property
    def active_associations(self) -> list[Association]:
        """The associations that are open, in either role."""
        with self._lock:
            sessions = list(self._sessions)
        return [session.user for session in sessions if session.user is not None and session.user.is_established]

    def cleanup_associations(self) -> None:
        """Forget associations that are over; they are forgotten by themselves, too."""
        with self._lock:
            self._sessions = {session for session in self._sessions if session.outcome is None}

    # -- for the provider --------------------------------------------------------------------------------------------

    def setup(self, maximum_length: int) -> Setup:
        """What associations that begin now are made with."""
        observer = self.events if self.events else None
        return Setup(self._get_reactor(), self.timeouts.copy(), maximum_length, observer, self.behaviour)

    def handler(self, name: str) -> Callable[..., Any] | None:
        """The user's function of that name, or None."""
        return getattr(self, name, None)

    @property
    def negotiates_by_user_code(self) -> bool:
        """Whether a handler has a say in the answer to an association request."""
        return any(self.handler(name) is not None for name in NEGOTIATION_HANDLERS)

    def policy(self, session: Session) -> AcceptorPolicy:
        """How the request of that session is answered."""
        return AcceptorPolicy(
            {
                str(one.abstract_syntax): SupportedContext(
                    tuple(map(str, one.transfer_syntax)), one.scu_role, one.scp_role
                )
                for one in self.supported_contexts
            },
            maximum_length=self.maximum_pdu_size,
            implementation_class_uid=self.implementation_class_uid,
            implementation_version_name=self.implementation_version_name,
            called_ae_titles=_titles(self.require_called_aet),
            calling_ae_titles=_titles(self.require_calling_aet),
        )

    def admit(self, session: Session) -> bool:
        """Count a session that asks for an association; False when there are as many as are allowed."""
        with self._lock:
            accepted = sum(one.side is Side.ACCEPTOR for one in self._sessions)
            if accepted >= self.maximum_associations:
                return False
            self._sessions.add(session)
            return True

    def dismiss(self, session: Session) -> None:
        """Stop counting a session."""
        with self._lock:
            self._sessions.discard(session)

    def _get_reactor(self) -> Reactor:
        if self._reactor is None:
            self._reactor = shared_reactor()
        return self._reactor

    def __repr__(self) -> str:
        return f"<AE {self.ae_title.decode('ascii', 'backslashreplace').strip()}>"


AE = ApplicationEntity


def _title(name: str, value: Any) -> bytes:
    if isinstance(value, bytes):
        value = value.decode("ascii", "surrogateescape")
    if not isinstance(value, str):
        raise TypeError(f"{name} must be bytes or str, not {value!r}")
    if len(value.strip()) > 16 or not value.isascii() or "\\" in value:
        raise ValueError(f"{name} must have at most 16 ASCII characters and no backslash, unlike {value!r}")
    return pad_ae_title(value.strip())


def _required_title(name: str, value: Any) -> bytes:
    title = _title(name, value)
    return title if title.strip() else b""


def _titles(required: bytes) -> tuple[str, ...] | None:
    return (required.decode("ascii", "surrogateescape").strip(),) if required else None


def _number(name: str, value: Any, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")
    return value


def _seconds(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number of seconds or None, not {value!r}")
    if value < 0:
        raise ValueError(f"{name} must not be negative, unlike {value}")
    return value
