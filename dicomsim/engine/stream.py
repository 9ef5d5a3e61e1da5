"""Blocking byte streams for scripts: nothing is sent but what the caller says, and every wait has a limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from dicomsim import events
from dicomsim.engine.clock import Clock, SystemClock
from dicomsim.engine.session import association_numbers
from dicomsim.engine.transport import Address, TcpTransport, Transport, connect, listen
from dicomsim.engine.witness import Observer
from dicomsim.errors import ConnectError, TimeLimitError
from dicomsim.events import CloseHow, Event, Side
from dicomsim.peer_address import host_and_port

READ_SIZE = 1 << 16
"""Bytes asked for in one read; scripts deal in single PDUs."""


class BlockingStream:
    """One TCP connection, driven by its caller; a context manager that closes it."""

    def __init__(
        self, transport: Transport, side: Side, observer: Observer | None = None, clock: Clock | None = None
    ) -> None:
        self._transport = transport
        self._observer = observer
        self._clock = clock or SystemClock()
        self._ended = False
        self.side = side
        self.association = next(association_numbers)
        self.local = transport.local
        self.remote = transport.remote
        try:
            self._emit(events.ConnectionOpened, self.local, self.remote, side)
        except BaseException:  # an observer's, and nobody will have the stream
            transport.close()
            raise

    def send(self, data: bytes, timeout: float) -> None:
        """Send everything.

        Raises `TimeLimitError` when the peer does not take it, `ConnectionError` when it is gone.
        """
        deadline = self._clock.monotonic() + timeout
        view = memoryview(data)
        try:
            while view:
                count = self._transport.send([view])
                if count:
                    self._emit(events.BytesOut, bytes(view[:count]))
                view = view[count:]
                if view and not self._wait(deadline, write=True):
                    raise TimeLimitError(f"the peer took no bytes within send timeout of {timeout:g} s")
        except ConnectionError:
            self._note_end(self.side.other, CloseHow.RESET)
            raise

    def receive(self, timeout: float) -> bytes:
        """What comes next: at least one byte, or `b""` when the peer has closed.

        Raises `TimeLimitError` when nothing comes, `ConnectionResetError` on a reset.
        """
        deadline = self._clock.monotonic() + timeout
        buffer = memoryview(bytearray(READ_SIZE))
        try:
            while (count := self._transport.receive_into(buffer)) is None:
                if not self._wait(deadline):
                    raise TimeLimitError(f"nothing received within receive timeout of {timeout:g} s")
        except ConnectionError:
            self._note_end(self.side.other, CloseHow.RESET)
            raise
        if count == 0:
            self._note_end(self.side.other, CloseHow.FIN)
            return b""
        data = bytes(buffer[:count])
        self._emit(events.BytesIn, data)
        return data

    def half_close(self) -> None:
        """Send a FIN and go on reading."""
        self._transport.half_close()

    def close(self, reset: bool = False) -> None:
        """Close with a FIN or a RST; does nothing the second time."""
        if self._transport.fileno() >= 0:
            self._transport.close(reset=reset)
            self._note_end(self.side, CloseHow.RESET if reset else CloseHow.FIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait(self, deadline: float, *, write: bool = False) -> bool:
        return self._transport.wait(deadline - self._clock.monotonic(), write=write, read=not write)

    def _note_end(self, by: Side, how: CloseHow) -> None:
        if not self._ended:
            self._ended = True
            self._emit(events.ConnectionClosed, by, how)

    def _emit(self, kind: Callable[..., Event], *values: object) -> None:
        if self._observer is not None:
            self._observer(kind(self._clock.wall(), self.association, *values))


class StreamListener:
    """A listening socket that hands out `BlockingStream`s; a context manager that closes it."""

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, observer: Observer | None = None, clock: Clock | None = None
    ) -> None:
        self._socket = listen(host, port)
        self._observer = observer
        self._clock = clock
        self.address: Address = self._socket.getsockname()[:2]

    def accept(self, timeout: float) -> BlockingStream:
        """The next connection.

        Raises `TimeLimitError` when none comes, `ConnectError` when this is closed, or the peer has gone already.
        """
        try:
            self._socket.settimeout(timeout)
            accepted, remote = self._socket.accept()
        except (TimeoutError, BlockingIOError) as error:
            raise TimeLimitError(f"no connection within accept timeout of {timeout:g} s") from error
        except OSError as error:
            raise ConnectError(f"{host_and_port(*self.address)}: not listening any more") from error
        try:
            transport = TcpTransport(accepted, remote[:2])
        except OSError as error:
            accepted.close()
            raise ConnectError(f"{host_and_port(*remote[:2])}: gone before it was accepted") from error
        return BlockingStream(transport, Side.ACCEPTOR, self._observer, self._clock)

    def close(self) -> None:
        """Stop listening; does nothing the second time."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect_stream(host: str, port: int, timeout: float, observer: Observer | None = None) -> BlockingStream:
    """Connect; raises `ConnectError` or `TimeLimitError`, after telling the observer."""
    try:
        return BlockingStream(connect(host, port, timeout), Side.REQUESTOR, observer)
    except (ConnectError, TimeLimitError) as error:
        if observer is not None:
            observer(events.ConnectionRefused(SystemClock.wall(), next(association_numbers), (host, port), str(error)))
        raise
