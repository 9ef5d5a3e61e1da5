"""Bytes between a transport and the upper layer: reading, writing, waiting, and what is due meanwhile.

What is read is dispatched before anything else is read, in the order of the wire. Sending is lazy: buffers are taken
from the upper layer only when the transport has taken those before.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from dicomsim import events
from dicomsim.engine.detour import Detour
from dicomsim.engine.ownership import Owned
from dicomsim.engine.poller import READ, WRITE
from dicomsim.engine.reactor import READ_BUFFER, Reactor
from dicomsim.engine.timeouts import Timeouts
from dicomsim.engine.transport import Buffer, Transport
from dicomsim.events import CloseHow, Event, Side
from dicomsim.outcome import Outcome, closed, timed_out
from dicomsim.upper_layer.machine import UpperLayer
from dicomsim.upper_layer.table import State
from dicomsim.wire.framer import Framer

Observer = Callable[[Event], None]

_buffers = threading.local()


class Pump(Owned):
    """A connection, the upper layer on it, and the timeouts of both; every method is for the owner."""

    __slots__ = (
        "_activity", "_framers", "_progress", "_tells_bytes", "_unsent", "association_number", "detour", "observer", "opened",
        "outcome", "side", "timeouts", "transport", "upper",
    )  # fmt: skip

    detour: Detour | None
    """The way around by the rules, if there are any."""
    upper: UpperLayer
    """The state machine."""
    transport: Transport | None
    """The connection; None before it is there."""

    def __init__(
        self, side: Side, reactor: Reactor, timeouts: Timeouts, association_number: int, observer: Observer | None
    ) -> None:
        super().__init__(reactor)
        self.side = side
        self.timeouts = timeouts
        self.association_number = association_number
        self.observer = observer
        self.outcome: Outcome | None = None
        self.transport = None
        self.opened = self._activity = self._progress = self.clock.monotonic()
        self._unsent: list[Buffer] = []
        self._tells_bytes = wants(observer, events.BytesIn, events.BytesOut)
        tells_pdus = wants(observer, events.PduIn, events.PduOut)
        self._framers = (Framer(whole=True), Framer(whole=True)) if tells_pdus else None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self.transport is not None and self.transport.fileno() >= 0

    @property
    def state(self) -> State:
        """PS3.8 §9.2."""
        return self.upper.state

    def fileno(self) -> int:
        """The descriptor to wait on, -1 when there is none."""
        return -1 if self.transport is None else self.transport.fileno()

    def emit(self, kind: Callable[..., Event], *values: Any) -> None:
        """Tell the observer, if there is one."""
        if self.observer is not None:
            self.observer(kind(self.clock.wall(), self.association_number, *values))

    def circumstances(self, state: State | None = None) -> dict[str, Any]:
        """What every `Outcome` says: the state it happened in and how long the association had lasted."""
        return {"state": state or self.state, "seconds_open": self.clock.monotonic() - self.opened}

    @abstractmethod
    def finish(self, outcome: Outcome) -> None:
        """It is over, for this reason; the first one counts."""

    @abstractmethod
    def give_up(self) -> None:
        """Abort, if there is an association to abort."""

    @abstractmethod
    def settle(self) -> None:
        """See to the effects of the state machine."""

    @abstractmethod
    def deliver(self, data: Buffer, now: float) -> None:
        """Give bytes to the state machine and see to what follows."""

    # -- waiting -----------------------------------------------------------------------------------------------------

    def pump_until(self, ready: Callable[[], bool], name: str = "", seconds: float | None = None) -> None:
        """Send, read and wait in the calling thread until `ready`, the end, or the timeout of that name.

        The timeout counts anew from whatever the peer takes and from each message that comes.
        """
        clock = self.clock.monotonic
        self._progress = clock()
        while not ready() and self.is_open and self.outcome is None:
            sent = self.flush()
            if not self.is_open or ready():
                return
            limit = None if seconds is None else self._progress + seconds
            deadline = _earliest(limit, self._deadline())
            if self._wait(None if deadline is None else deadline - clock(), write=not sent):
                self._pump(_thread_buffer(), ready)
                self.wake_waiters()
            elif limit is not None and seconds is not None and clock() >= limit:
                self.time_out(name, seconds)
            else:
                self._check_time(clock())

    def _wait(self, seconds: float | None, *, write: bool) -> bool:
        assert self.transport is not None
        if self.transport.pending():
            return True
        return self.wait_lent(self.transport, seconds, write, self.detour is None or self.detour.reading)

    def progressed(self) -> None:
        """Something awaited has come: the timeout of `pump_until` begins anew."""
        self._progress = self.clock.monotonic()

    def all_sent(self) -> bool:
        """Whether the transport has taken everything, or never will."""
        if not self.is_open:
            return True
        return not (self._unsent or self.upper.wants_to_send) and (self.detour is None or self.detour.sent)

    def _blocked(self) -> bool:
        return bool(self._unsent) or (self.detour is not None and bool(self.detour.unsent))

    def _wanted(self) -> int:
        reading = self.detour is None or self.detour.reading
        return (READ if reading else 0) | (WRITE if self._blocked() else 0)

    def _network_limit(self) -> float | None:
        """The network timeout, while it counts."""
        return self.timeouts.network if self.outcome is None else None

    # -- reading -----------------------------------------------------------------------------------------------------

    def _pump(self, buffer: memoryview, enough: Callable[[], bool] | None = None) -> None:
        """Read what is there, or only until there is `enough`, and write."""
        if self.detour is not None and not self.detour.reading:
            if not self.detour.unsent:  # nothing was waited for but the end
                self._lost(CloseHow.RESET)
        else:
            while self.is_open and self._read(buffer) and (enough is None or not enough()):
                pass
        if self.is_open:
            self.flush()

    def _read(self, buffer: memoryview) -> bool:
        """One read; whether there may be more."""
        assert self.transport is not None
        try:
            count = self.transport.receive_into(buffer)
        except ConnectionError as error:
            self._lost(CloseHow.RESET, getattr(error, "cause", ""))
            return False
        if count is None:
            return False
        if count == 0:
            self._lost(CloseHow.FIN)
            return False
        now = self._activity = self.clock.monotonic()
        data = buffer[:count]
        if self._tells_bytes:
            self.emit(events.BytesIn, bytes(data))
        if self.detour is None:
            self.deliver(data, now)
        else:
            self.detour.incoming(bytes(data))
            self.detour.pump(now)
        return count == len(buffer) or self.transport.pending()

    def _lost(self, how: CloseHow, cause: str = "") -> None:
        """The peer has closed, or the connection was reset."""
        state = self.state
        self.emit(events.ConnectionClosed, self.side.other, how)
        self._drop(reset=False)
        self.upper.closed(self.clock.monotonic())
        if state is State.STA5 and not cause:
            cause = "there was no answer to the association request; does the peer speak another protocol there, or TLS?"
        if state is not State.STA13:
            self.finish(closed(self.side.other, how, cause=cause, **self.circumstances(state)))
        self.settle()

    # -- writing -----------------------------------------------------------------------------------------------------

    def flush(self) -> bool:
        """Write until all is written that may be by now (True) or the peer takes no more."""
        if self.detour is not None:
            return self._flush_detour(self.detour)
        while self.is_open:
            if not self._unsent:
                if not self.upper.wants_to_send:
                    return True
                self._unsent = self.upper.data_to_send()
            elif not self._write(self._unsent):
                return False
        return True

    def _flush_detour(self, detour: Detour) -> bool:
        while self.is_open:
            detour.pump(self.clock.monotonic())
            if detour.unsent and self.is_open:
                if not self._write(detour.unsent):
                    return False
            elif detour.lanes_empty and self.upper.wants_to_send:
                detour.outgoing(self.upper.data_to_send())
            else:
                break
        return True

    def _write(self, buffers: list[Buffer]) -> bool:
        """Write once, dropping from the list what was taken; False when the peer takes no more."""
        assert self.transport is not None
        try:
            count = self.transport.send(buffers)
        except ConnectionError:
            return self._cannot_write()
        if not count:
            return False
        self._activity = self._progress = self.clock.monotonic()
        if self._tells_bytes or self._framers is not None:
            self._observe_written(buffers, count)
        done = 0
        for buffer in buffers:
            if count < len(buffer):
                break
            count -= len(buffer)
            done += 1
        del buffers[:done]
        if count:
            buffers[0] = memoryview(buffers[0])[count:]
        return True

    def _cannot_write(self) -> bool:
        """The peer has closed; what it said before, an A-ABORT perhaps, may still be there to be read."""
        self._unsent.clear()
        if self.detour is not None:
            self.detour.unsent.clear()
        buffer = _thread_buffer()
        while self.is_open and self._read(buffer):
            pass
        if self.is_open:
            self._lost(CloseHow.RESET)
        return False

    def _observe_written(self, buffers: Iterable[Buffer], count: int) -> None:
        data = b"".join(buffers)[:count]
        if self._tells_bytes:
            self.emit(events.BytesOut, data)
        if self._framers is not None:
            for pdu in self._framers[1].pdus(data):
                self.emit(events.PduOut, pdu)

    # -- closing -----------------------------------------------------------------------------------------------------

    def hang_up(self, *, reset: bool) -> None:
        """Close the connection without a word to the peer."""
        if self.is_open:
            state = self.state
            self.close(reset=reset)
            self.upper.closed(self.clock.monotonic())
            how = CloseHow.RESET if reset else CloseHow.FIN
            self.finish(closed(self.side, how, **self.circumstances(state)))
            self.settle()

    def half_close(self) -> None:
        """Send a FIN and go on reading."""
        if self.transport is not None:
            self.transport.half_close()

    def close(self, *, reset: bool = False) -> None:
        """Give the connection back to the system; does nothing the second time."""
        if self.is_open:
            self._drop(reset=reset)
            self.emit(events.ConnectionClosed, self.side, CloseHow.RESET if reset else CloseHow.FIN)

    def _drop(self, *, reset: bool) -> None:
        assert self.transport is not None
        self.reactor.forget(self)
        self.transport.close(reset=reset)
        self._unsent.clear()

    # -- time --------------------------------------------------------------------------------------------------------

    def time_out(self, name: str, seconds: float) -> None:
        """A named timeout ran out: tell the peer if it can be told."""
        self.emit(events.TimerExpired, name, seconds)
        self.finish(timed_out(name, seconds, **self.circumstances()))
        if name == "send":
            self.hang_up(reset=True)
        else:
            self.give_up()

    def _deadline(self) -> float | None:
        if not self.is_open:
            return None
        deadline = self.upper.deadline()
        if (network := self._network_limit()) is not None:
            deadline = _earliest(deadline, self._activity + network)
        if self.timeouts.send is not None and self._blocked():
            deadline = _earliest(deadline, self._activity + self.timeouts.send)
        if self.detour is not None:
            deadline = _earliest(deadline, self.detour.resume_at)
        return deadline

    def _check_time(self, now: float) -> None:
        artim = self.upper.deadline()
        if artim is not None and now >= artim:
            self.emit(events.TimerExpired, "artim", self.upper.artim)
            self.finish(timed_out("artim", self.upper.artim, **self.circumstances()))
            self.upper.handle_timer(now)
            self.settle()
        limits = self.timeouts
        if limits.send is not None and self._blocked() and now >= self._activity + limits.send:
            self.time_out("send", limits.send)
        elif (network := self._network_limit()) is not None and now >= self._activity + network:
            self.time_out("network", network)
        if self.is_open:
            self.flush()


def wants(observer: Observer | None, *kinds: type[Event]) -> bool:
    """Whether an observer is to be told of one of these kinds; one that does not say (`wants`) is told of all."""
    if observer is None:
        return False
    asked: Callable[..., bool] | None = getattr(observer, "wants", None)
    return asked is None or asked(*kinds)


def _earliest(first: float | None, second: float | None) -> float | None:
    if first is None or second is None:
        return second if first is None else first
    return min(first, second)


def _thread_buffer() -> memoryview:
    """A buffer for each thread that pumps, made when it first reads."""
    buffer: memoryview | None = getattr(_buffers, "view", None)
    if buffer is None:
        buffer = _buffers.view = memoryview(bytearray(READ_BUFFER))
    return buffer
