"""TLS for the engine: an encrypted transport, set up by the caller that connects or, once accepted, in the reactor.

Nothing here blocks but `connect_tls`, which has its time limit. What goes wrong is said in words: TLS meets plain DICOM
on the wrong port more often than anything else, and neither side understands the other then.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Callable, Sequence

from dicomsim.engine.clock import SystemClock
from dicomsim.engine.poller import READ, WRITE
from dicomsim.engine.reactor import Appointment, Reactor
from dicomsim.engine.transport import Address, Buffer, TcpTransport, TlsInfo, connect
from dicomsim.errors import ConnectError, TimeLimitError
from dicomsim.peer_address import host_and_port

WRITE_SIZE = 1 << 16
"""Bytes encrypted in one call: four records, after which OpenSSL has to be offered the same bytes again."""

JOIN_LIMIT = 1 << 14
"""Buffers smaller than a record are joined up to this many bytes, or each would become a record of its own."""

REASONS = {
    "WRONG_VERSION_NUMBER": "what came is no TLS, so the other side seems to speak plain DICOM here",
    "HTTP_REQUEST": "what came is no TLS but HTTP",
    "UNEXPECTED_EOF_WHILE_READING": "the connection was closed in the middle of it",
    "NO_SHARED_CIPHER": "no cipher suite is known to both sides",
    "UNSUPPORTED_PROTOCOL": "no TLS version is known to both sides",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the client showed no certificate",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the peer found no cipher suite or certificate to its liking",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the peer takes no TLS version that is allowed here",
    "TLSV1_ALERT_UNKNOWN_CA": "the peer does not trust the certificate that it was shown",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the peer wants a client certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the peer does not take the certificate that it was shown",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the peer says that the certificate that it was shown has expired",
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": "a record came damaged",
}
"""What OpenSSL's reasons mean here; others are told as they are."""


class TlsError(ConnectionError):
    """The encrypted connection is of no more use; `cause` says why."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = f"TLS: {cause}"


def explain(error: OSError) -> str:
    """What went wrong, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "UNEXPECTED_EOF_WHILE_READING"
        return REASONS.get(reason, reason.replace("_", " ").lower())
    return f"the connection was lost in the middle of it ({(error.strerror or str(error)).lower()})"


class TlsTransport(TcpTransport):
    """A connected socket on which TLS has been set up; owns it and closes it."""

    __slots__ = ("_end", "_secure", "tls")

    def __init__(self, secure: ssl.SSLSocket, remote: Address) -> None:
        super().__init__(secure, remote)
        self._secure = secure
        self._end: Exception | bool = False
        cipher = secure.cipher()
        self.tls = TlsInfo(secure.version() or "", cipher[0] if cipher else "", secure.getpeercert(True))

    def receive_into(self, view: memoryview) -> int | None:
        """Read as many records as there are; otherwise as `TcpTransport.receive_into`."""
        count = 0
        while count < len(view) and self._end is False:
            try:
                got = self._secure.recv_into(view[count:])
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except ssl.SSLEOFError:
                self._end = ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
            except OSError as error:
                self._end = TlsError(explain(error)) if isinstance(error, ssl.SSLError) else _reset(error)
            else:
                count += got
                self._end = got == 0
        if count or self._end is False:
            return count or None
        if isinstance(self._end, Exception):
            raise self._end
        return 0

    def send(self, buffers: Sequence[Buffer]) -> int:
        """Write; what was refused has to come again first, as it does from a queue."""
        try:
            return self._secure.send(_next_piece(buffers))
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from error
        except ssl.SSLError as error:
            raise TlsError(explain(error)) from error
        except OSError as error:
            raise _reset(error) from error

    def pending(self) -> bool:
        """Whether something was decrypted, or the end was seen, that has not been taken."""
        return self._end is not False or (self.fileno() >= 0 and self._secure.pending() > 0)

    def half_close(self) -> None:
        """Send a close_notify and a FIN, and go on reading."""
        self._notify()
        try:
            socket.socket.shutdown(self._secure, socket.SHUT_WR)  # that of SSLSocket ends the encryption, too
        except OSError:
            pass

    def close(self, *, reset: bool = False) -> None:
        """Close with a close_notify and a FIN, or with a RST; does nothing the second time."""
        if not reset and self.fileno() >= 0:
            self._notify()
        super().close(reset=reset)

    def _notify(self) -> None:
        try:
            self._secure.unwrap()
        except (OSError, ValueError):
            pass  # the peer's own close_notify is not waited for, and to one that has gone nothing can be said


def _reset(error: OSError) -> ConnectionError:
    return error if isinstance(error, ConnectionError) else ConnectionResetError(error.errno, error.strerror)


def _next_piece(buffers: Sequence[Buffer]) -> Buffer:
    """The beginning of what is to be sent; the same for the same buffers, however many follow."""
    first = buffers[0]
    if len(first) >= JOIN_LIMIT or len(buffers) == 1:
        return memoryview(first)[:WRITE_SIZE]
    pieces: list[Buffer] = []
    room = JOIN_LIMIT
    for buffer in buffers:
        pieces.append(memoryview(buffer)[:room])
        room -= len(pieces[-1])
        if not room:
            break
    return b"".join(pieces)


def encrypted(
    context: ssl.SSLContext, plain: socket.socket, *, server_side: bool = False, server_hostname: str | None = None
) -> ssl.SSLSocket:
    """A socket on which TLS is to be set up, and which owns the plain one from here on.

    Many peers close without a close_notify; the context is told to take that for an end, or it would look like a reset.
    """
    context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)  # since OpenSSL 3
    return context.wrap_socket(
        plain,
        server_side=server_side,
        server_hostname=server_hostname,
        do_handshake_on_connect=False,
        suppress_ragged_eofs=False,
    )


def connect_tls(
    host: str,
    port: int,
    seconds: float | None,
    bind: Address | None,
    context: ssl.SSLContext,
    server_hostname: str | None = None,
) -> TlsTransport:
    """Open a connection and set up TLS on it, both within `seconds` but for the look-up of the host's name.

    The certificate is checked against `server_hostname`, or the host itself, if the context checks names. Raises
    `ConnectError` or `TimeLimitError`.
    """
    deadline = None if seconds is None else SystemClock.monotonic() + seconds
    target = host_and_port(host, port)
    plain = connect(host, port, seconds, bind)
    name = server_hostname or (host if context.check_hostname else None)
    try:
        secure = encrypted(context, plain.socket, server_hostname=name)
    except (OSError, ValueError) as error:
        plain.close()
        raise ConnectError(f"{target}: no TLS: {error}") from error
    try:
        _shake_hands(secure, plain, deadline)
        return TlsTransport(secure, plain.remote)
    except TimeoutError as error:
        secure.close()
        limit = f"connect timeout of {seconds:g} s"
        raise TimeLimitError(f"{target}: no TLS within {limit}; does the peer speak TLS there?") from error
    except OSError as error:
        secure.close()
        raise ConnectError(f"{target}: TLS handshake failed: {explain(error)}") from error
    except BaseException:  # Ctrl-C, for one
        secure.close()
        raise


def _shake_hands(secure: ssl.SSLSocket, plain: TcpTransport, deadline: float | None) -> None:
    waiter = TcpTransport(secure, plain.remote)
    while True:
        try:
            secure.do_handshake()
            return
        except ssl.SSLWantReadError:
            write = False
        except ssl.SSLWantWriteError:
            write = True
        left = None if deadline is None else deadline - SystemClock.monotonic()
        if (left is not None and left <= 0) or not waiter.wait(left, write=write, read=not write):
            raise TimeoutError


class Handshake:
    """An accepted connection on which TLS is being set up; the reactor's until it is, or has failed."""

    __slots__ = ("_done", "_given_up", "_reactor", "_seconds", "_socket", "appointment", "remote")

    def __init__(
        self, reactor: Reactor, context: ssl.SSLContext, connected: socket.socket, remote: Address, seconds: float
    ) -> None:
        """Take the socket over; raises `OSError` if the peer has gone already."""
        connected.setblocking(False)
        self._socket: ssl.SSLSocket | None = encrypted(context, connected, server_side=True)
        self._reactor = reactor
        self._seconds = seconds
        self._done: Callable[[TlsTransport | str], None] | None = None
        self._given_up = False
        self.appointment: Appointment | None = None
        self.remote = remote

    def begin(self, done: Callable[[TlsTransport | str], None]) -> None:
        """Leave it to the reactor, which calls `done` with the transport, or with what went wrong in words."""
        self._done = done
        self._reactor.schedule(self, self._reactor.clock.monotonic() + self._seconds)
        self._reactor.add(self, READ)

    def give_up(self) -> None:
        """Have the reactor close it, unless it is done by then; for any thread."""
        self._given_up = True
        self._reactor.schedule(self, self._reactor.clock.monotonic())

    def fileno(self) -> int:
        """The descriptor to wait on, -1 when closed or given to the session."""
        secure = self._socket
        return -1 if secure is None else secure.fileno()

    def ready(self) -> None:
        """Go on with the handshake."""
        secure = self._socket
        if secure is None:
            return
        if self._given_up:
            self._fail("given up")
            return
        try:
            secure.do_handshake()
        except ssl.SSLWantReadError:
            self._reactor.arm(self, READ)
        except ssl.SSLWantWriteError:
            self._reactor.arm(self, WRITE)
        except OSError as error:
            self._fail(f"TLS handshake failed: {explain(error)}")
        else:
            self._finish()

    def due(self, now: float) -> None:
        """The time is over."""
        self._fail("given up" if self._given_up else f"no TLS within artim timeout of {self._seconds:g} s")

    def _finish(self) -> None:
        secure = self._let_go()
        if secure is None:
            return
        try:
            transport = TlsTransport(secure, self.remote)
        except OSError as error:
            secure.close()
            self._tell(explain(error))
        else:
            self._tell(transport)

    def _fail(self, reason: str) -> None:
        secure = self._let_go()
        if secure is not None:
            secure.close()
            self._tell(reason)

    def _let_go(self) -> ssl.SSLSocket | None:
        """Have the reactor forget the socket, which is somebody else's from here on; None if it is already."""
        self._reactor.forget(self)
        secure, self._socket = self._socket, None
        return secure

    def _tell(self, result: TlsTransport | str) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(result)

    def __repr__(self) -> str:
        return f"<Handshake {host_and_port(*self.remote)}>"
