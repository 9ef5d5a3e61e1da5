"""The events of an AE as streams, so that what its peers do is observed in the same way as on a script's connection."""

from __future__ import annotations

import queue
from collections.abc import Callable

from dicomsim import events
from dicomsim.engine.clock import Clock, SystemClock
from dicomsim.errors import TimeLimitError, WireError
from dicomsim.events import CloseHow, Event, Side
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.pdu import Pdu

HEARD = (events.ConnectionOpened, events.BytesIn, events.PduOut, events.ConnectionClosed)
"""Kinds of events that matter here."""


class HeardStream:
    """What one association of an AE receives; a `link.Stream` that sends nothing."""

    def __init__(self, side: Side, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._side = side
        self._end: events.ConnectionClosed | None = None
        self.on_sent: Callable[[Pdu], None] | None = None
        """Called for each PDU that the AE has sent, in order with what is received."""

    def put(self, event: Event) -> None:
        """Take an event; called by whoever owns the session."""
        self._events.put(event)

    @property
    def closed_by_us(self) -> CloseHow | None:
        """How our side has closed, if it was the first and that was read."""
        return self._end.how if self._end is not None and self._end.by is self._side else None

    def receive(self, timeout: float) -> bytes:
        """What came next; `b""` when the peer has closed, `TimeLimitError` when nothing comes or we have closed."""
        deadline = self._clock.monotonic() + timeout
        while self._end is None:
            try:
                event = self._events.get(timeout=max(deadline - self._clock.monotonic(), 0))
            except queue.Empty:
                raise TimeLimitError(f"nothing received within receive timeout of {timeout:g} s") from None
            if isinstance(event, events.BytesIn):
                return event.data
            if isinstance(event, events.ConnectionClosed):
                self._end = event
            elif isinstance(event, events.PduOut) and self.on_sent is not None:
                self._tell(event)
        if self.closed_by_us is not None:
            raise TimeLimitError("nothing more comes: the connection was closed by dicomsim")
        if self._end.how is CloseHow.RESET:
            raise ConnectionResetError("the peer has reset the connection")
        return b""

    def _tell(self, event: events.PduOut) -> None:
        try:
            pdu = decode_pdu(event.data)
        except WireError:
            return  # a rule has made it so
        if self.on_sent is not None:
            self.on_sent(pdu)

    def send(self, data: bytes, timeout: float) -> None:
        """The AE sends by itself."""

    def half_close(self) -> None:
        """The AE closes by itself."""

    def close(self, reset: bool = False) -> None:
        """The AE closes by itself."""


class Hearing:
    """An observer of an AE that makes a stream of each of its associations."""

    def __init__(self, note: Callable[[int], None] | None = None) -> None:
        self._streams: dict[int, HeardStream] = {}
        self._opened: queue.SimpleQueue[HeardStream] = queue.SimpleQueue()
        self._note = note

    def __call__(self, event: Event) -> None:
        """Take an event of any association."""
        if isinstance(event, events.ConnectionOpened):
            stream = self._streams[event.association] = HeardStream(event.side)
            if self._note is not None:
                self._note(event.association)
            self._opened.put(stream)
        elif event.association in self._streams:
            self._streams[event.association].put(event)

    def next(self, timeout: float) -> HeardStream:
        """The stream of the next association; raises `TimeLimitError` when none begins."""
        try:
            return self._opened.get(timeout=max(timeout, 0))
        except queue.Empty:
            raise TimeLimitError(f"no connection within accept timeout of {timeout:g} s") from None
