"""TCP as the engine uses it: a non-blocking socket whose every call says would-block, end or reset in one way.

`Transport` is the whole I/O boundary of a session (`dicomsim.engine.tls` has the encrypted one, `dicomsim.testing` one
without a socket).
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from dicomsim.dimse.data import FilePart
from dicomsim.engine.clock import SystemClock
from dicomsim.engine.fetching import IOV_MAX, SCRATCH, fetched
from dicomsim.engine.waiter import thread_waiter
from dicomsim.errors import ConnectError, TimeLimitError
from dicomsim.peer_address import host_and_port

Socket = socket.socket
Address = tuple[str, int]
Buffer = bytes | bytearray | memoryview

LISTEN_BACKLOG = 1024
"""Connections the kernel holds for us; above what a burst of associations brings between two turns of the reactor."""

LONGEST_WAIT = 86_400.0
"""Seconds of one wait; a system call takes no more than some weeks, and whoever waits longer waits again."""

MOST_DISCARDS = 256
"""Reads of 64 kB before a connection is closed: more than the system holds, and an end with a peer that goes on."""

LEAST_FETCHED = 1 << 16
"""Bytes of a file that are read to be sent, however little the peer took the last time."""

_DISCARDED = bytearray(1 << 16)
SENDS_FILES = hasattr(os, "preadv")
"""Whether a TCP transport here takes `FilePart`s."""

_ACKNOWLEDGE: int | None = getattr(socket, "TCP_QUICKACK", None)
_WOULD_BLOCK = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR)
_NO_ADDRESS = (OSError, OverflowError, TypeError)
"""What `bind` raises; the last for a name that cannot be encoded."""
_LINGER_ZERO = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class TlsInfo:
    """What was agreed upon for an encrypted connection."""

    version: str
    """`TLSv1.2`, `TLSv1.3`."""
    cipher: str
    """The cipher suite."""
    peer_certificate: bytes | None
    """The peer's certificate in DER; None if it showed none."""


class Transport(Protocol):
    """A connected byte stream; no call blocks but `wait`."""

    local: Address
    remote: Address
    tls: TlsInfo | None
    """How the bytes are encrypted; None if they are not."""

    def fileno(self) -> int:
        """The descriptor to wait on, -1 when closed."""
        ...

    def receive_into(self, view: memoryview) -> int | None:
        """Read; None when nothing is there, 0 at the end of the stream; raises `ConnectionError` on a reset."""
        ...

    def send(self, buffers: Sequence[Buffer]) -> int:
        """Write; the bytes taken, 0 when the peer's window is full; raises `ConnectionError`."""
        ...

    def wait(self, seconds: float | None, *, write: bool = False, read: bool = True) -> bool:
        """Wait until it can be read (or written, where asked for); False when the time is over.

        Also False when another thread wakes this one's `thread_waiter()`, or closes the transport.
        """
        ...

    def pending(self) -> bool:
        """Whether bytes are held that the descriptor does not show (TLS)."""
        ...

    def acknowledge(self) -> None:
        """Have the peer know at once what has arrived.

        One that sends in small pieces and waits for that before the next (RFC 896) would wait for some 40 ms.
        """
        ...

    def half_close(self) -> None:
        """Send a FIN and go on reading."""
        ...

    def close(self, *, reset: bool = False) -> None:
        """Close with a FIN, or with a RST; does nothing the second time."""
        ...


class TcpTransport:
    """A connected TCP socket; owns it and closes it."""

    __slots__ = ("_fetch_limit", "_socket", "local", "remote")

    tls: TlsInfo | None = None

    def __init__(self, connected: socket.socket, remote: Address | None = None) -> None:
        connected.setblocking(False)
        with _ignoring_socket_errors():
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connected
        self._fetch_limit = SCRATCH  # bytes of files to read for one write; less once the peer did not take all
        self.local: Address = connected.getsockname()[:2]
        self.remote: Address = remote or connected.getpeername()[:2]

    @property
    def socket(self) -> socket.socket:
        """The socket itself; it stays the transport's."""
        return self._socket

    def fileno(self) -> int:
        """The socket's descriptor, -1 when closed."""
        return self._socket.fileno()

    def receive_into(self, view: memoryview) -> int | None:
        """Read; None when nothing is there, 0 at the end of the stream; raises `ConnectionError` on a reset."""
        try:
            return self._socket.recv_into(view)
        except OSError as error:
            if error.errno in _WOULD_BLOCK:
                return None
            raise _as_connection_error(error) from error

    def send(self, buffers: Sequence[Buffer]) -> int:
        """Write; the bytes taken, 0 when the peer's window is full; raises `ConnectionError`."""
        try:
            if FilePart in map(type, buffers):
                return self._send_fetching(buffers)
            if len(buffers) == 1:
                return self._socket.send(buffers[0])
            return self._socket.sendmsg(buffers[:IOV_MAX])
        except OSError as error:
            if error.errno in _WOULD_BLOCK:
                return 0
            raise _as_connection_error(error) from error

    def _send_fetching(self, buffers: Sequence[Buffer]) -> int:
        """Send parts of files; what would not be taken is not read, as far as the time before tells."""
        if self._fetch_limit < SCRATCH and not self._is_writable():
            return 0
        vector = fetched(buffers, self._fetch_limit)
        self._fetch_limit = LEAST_FETCHED  # if nothing is taken
        count = self._socket.sendmsg(vector)
        self._fetch_limit = SCRATCH if count == sum(map(len, vector)) else max(2 * count, LEAST_FETCHED)
        return count

    def _is_writable(self) -> bool:
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        return bool(poll.poll(0))

    def wait(self, seconds: float | None, *, write: bool = False, read: bool = True) -> bool:
        """Wait until it can be read (or written, where asked for); False when the time is over."""
        mask = (select.POLLIN if read else 0) | (select.POLLOUT if write else 0)
        limit = None if seconds is None else min(seconds, LONGEST_WAIT)
        return thread_waiter().wait(self._socket.fileno(), mask, limit)

    def pending(self) -> bool:
        """Never: the descriptor shows everything."""
        return False

    def acknowledge(self) -> None:
        """Have the peer know at once what has arrived, where the system can be told so."""
        if _ACKNOWLEDGE is not None and self._socket.fileno() >= 0:
            with _ignoring_socket_errors():
                self._socket.setsockopt(socket.IPPROTO_TCP, _ACKNOWLEDGE, 1)

    def half_close(self) -> None:
        """Send a FIN and go on reading."""
        with _ignoring_socket_errors():
            self._socket.shutdown(socket.SHUT_WR)

    def close(self, *, reset: bool = False) -> None:
        """Close with a FIN, or with a RST; does nothing the second time."""
        if self._socket.fileno() >= 0:
            with _ignoring_socket_errors():
                if reset:
                    self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
                else:
                    self._discard()
        self._socket.close()

    def _discard(self) -> None:
        """Read what nobody wants: unread bytes would make the system send a RST instead of the FIN."""
        for _ in range(MOST_DISCARDS):
            if not socket.socket.recv_into(self._socket, _DISCARDED, 0, socket.MSG_DONTWAIT):  # encrypted or not
                break


def connect(
    host: str, port: int, seconds: float | None, bind: Address | None = None, *, name: str = "connect"
) -> TcpTransport:
    """Open a connection, trying each address of the host in turn.

    `seconds` bounds all tries together, but not the look-up of the host's name before them, which takes as long as the
    system lets it. Raises `ConnectError` or, naming the timeout, `TimeLimitError`.
    """
    target = host_and_port(host, port)
    try:
        candidates = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = f"unknown host ({_reason(error)}); is the name spelled as it should be?"
        raise ConnectError(f"{target}: {reason}") from error
    failure = ConnectError(f"{target}: no address")
    deadline = None if seconds is None else SystemClock.monotonic() + seconds
    for family, kind, protocol, _, address in candidates:
        left = None if deadline is None else deadline - SystemClock.monotonic()
        try:
            return _connect_one(family, kind, protocol, address, left, bind)
        except BindError as error:
            failure = ConnectError(f"{target}: {error}")
        except OSError as error:
            if isinstance(error, TimeoutError) and seconds is not None:
                limit = f"{name} timeout of {seconds:g} s"
                raise TimeLimitError(f"{target}: no connection within {limit}") from error
            failure = ConnectError(f"{target}: {_reason(error)}; is the peer running and listening there?")
            failure.__cause__ = error
    raise failure


class BindError(OSError):
    """Our own address cannot be had."""


def _connect_one(
    family: int, kind: int, protocol: int, address: tuple[object, ...], seconds: float | None, bind: Address | None
) -> TcpTransport:
    if seconds is not None and seconds <= 0:
        raise TimeoutError
    opening = socket.socket(family, kind, protocol)
    try:
        if bind is not None and bind != ("", 0):
            opening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _bind(opening, bind)
        opening.settimeout(seconds)
        opening.connect(address)
        if opening.getsockname() == opening.getpeername():
            # Nobody listens, but the system chose that very port for us, and TCP joins a socket to itself.
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        return TcpTransport(opening)
    except BaseException:  # Ctrl-C, for one: nobody else will ever know of it
        opening.close()
        raise


def _bind(opening: socket.socket, address: Address) -> None:
    try:
        opening.bind(address)
    except _NO_ADDRESS as error:
        raise BindError(f"cannot connect from {host_and_port(*address[:2])}: {_reason(error)}") from error


def listen(host: str, port: int, *, backlog: int = LISTEN_BACKLOG) -> socket.socket:
    """A listening, non-blocking socket; port 0 takes a free one; raises `ConnectError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
        listener.setblocking(False)
        return listener
    except _NO_ADDRESS as error:
        listener.close()
        raise ConnectError(f"cannot listen on {host_and_port(host or '*', port)}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What is wrong with an address, in the system's words where it has some."""
    if isinstance(error, UnicodeError | TypeError):
        return "no name that a host can have"
    return (getattr(error, "strerror", None) or str(error)).lower()


def outward_address() -> str:
    """The address of the interface towards the network, or the loopback one; nothing is sent to find out."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: nobody's
            return str(probe.getsockname()[0])
    except OSError:  # no network at all
        return "127.0.0.1"


def _as_connection_error(error: OSError) -> ConnectionError:
    if isinstance(error, ConnectionError):
        return error
    return ConnectionResetError(error.errno, error.strerror)


@contextmanager
def _ignoring_socket_errors() -> Iterator[None]:
    # What the peer has already torn down cannot be set, shut down or closed more gently.
    try:
        yield
    except OSError:
        pass
