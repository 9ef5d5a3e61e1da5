"""`Session`: one association with its connection, pumped by exactly one owner at a time.

Who owns it:

- the **caller's thread**, from `take` to `give_back`, while it sends a request and reads up to the answer: no hand-over;
- the **reactor**, for the length of one report, when nobody else does: idle associations, accepted ones, timers;
- a **worker**, for the length of one answer: user code runs without owning the session, so that the reactor sees an
  A-ABORT or a C-CANCEL while a handler is at work.

Guarantees: the lock is held by the owner and by nobody else; a report that comes while it is held is dropped, and the
owner arms the descriptor again after letting go (`_armed` says whether that is needed); what is read is dispatched
before the lock is let go, in the order of the wire; requests beyond the negotiated window wait, and when too many do,
nothing more is read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from dicomsim import events
from dicomsim.dimse.assembler import Assembler
from dicomsim.dimse.exchange import Exchange
from dicomsim.dimse.fragmenter import fragment
from dicomsim.engine import dispatch
from dicomsim.engine.detour import Detour
from dicomsim.engine.hops import Hops, PassMessage, Step
from dicomsim.engine.poller import READ, WRITE
from dicomsim.engine.reactor import READ_BUFFER, Appointment, Reactor
from dicomsim.engine.stream import association_numbers
from dicomsim.engine.timeouts import Timeouts
from dicomsim.engine.transport import Buffer, Transport
from dicomsim.errors import AssociationError, DicomsimError, StateError
from dicomsim.events import CloseHow, Event, Side
from dicomsim.outcome import Outcome, closed, timed_out
from dicomsim.upper_layer.machine import UpperLayer
from dicomsim.upper_layer.primitives import AbortRequest, Primitive
from dicomsim.upper_layer.table import Action, State
from dicomsim.upper_layer.table import Event as TableEvent
from dicomsim.wire.framer import Framer

if TYPE_CHECKING:
    from dicomsim.dimse.exchange import Operation
    from dicomsim.dimse.messages import Message
    from dicomsim.engine.handler import Handler, Job
    from dicomsim.upper_layer.negotiation import Agreement
    from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ

Observer = Callable[[Event], None]

BACKLOG_LIMIT = 8
"""Requests that may wait behind the negotiated window before the peer is no longer read."""

_ABORTABLE = frozenset(set(State) - {State.STA1, State.STA2, State.STA13})
_buffers = threading.local()


class Session:
    """Transport, upper layer and DIMSE exchange of one association; owned as the module says."""

    __slots__ = (
        "_activity", "_armed", "_depth", "detour", "_framers", "_lock", "_progress", "_unsent", "agreement",
        "appointment", "assembler", "association_number", "backlog", "behaviour_state", "calls", "clock", "exchange",
        "handler", "maximum_length", "observer", "opened", "outcome", "reactor", "release_wanted", "request_pdu",
        "serving", "side", "timeouts", "transport", "upper", "user",
    )  # fmt: skip

    def __init__(
        self,
        side: Side,
        handler: Handler,
        reactor: Reactor,
        *,
        timeouts: Timeouts,
        maximum_length: int,
        observer: Observer | None = None,
        hops: Hops | None = None,
    ) -> None:
        self.side = side
        self.handler = handler
        self.reactor = reactor
        self.clock = reactor.clock
        self.timeouts = timeouts
        self.observer = observer
        self.association_number = next(association_numbers)
        self.assembler = Assembler(self._sink, frozenset())
        self.exchange = Exchange()
        self.upper = UpperLayer(
            side,
            artim=timeouts.artim,
            maximum_length=maximum_length,
            on_pdv=self._first_pdv,
            on_transition=self._transition if observer is not None or hops is not None else None,
        )
        self.upper.on_p_data_end = self.assembler.end_of_pdu
        self.transport: Transport = None  # type: ignore[assignment]  # set by `attach`, before anything reads it
        self.opened = self.clock.monotonic()
        self.agreement: Agreement | None = None
        self.request_pdu: AssociateRQ | None = None
        self.outcome: Outcome | None = None
        self.behaviour_state: dict[Any, Any] = {}
        self.user: Any = None
        self.serving = 0
        self.backlog: list[Message] = []
        self.calls = 0
        self.release_wanted = False
        self.appointment: Appointment | None = None
        self._lock = threading.RLock()
        self._depth = 0
        self._armed = 0
        self._unsent: list[Buffer] = []
        self._activity = self._progress = self.opened
        self.detour = Detour(self, hops) if hops is not None else None
        self._framers = (Framer(whole=True), Framer(whole=True)) if observer is not None else None

    # -- ownership ---------------------------------------------------------------------------------------------------

    def take(self, *, quiet: bool = True) -> None:
        """Become the owner, once the present one lets go; with `quiet` the reactor is not woken by what arrives."""
        self._lock.acquire()
        self._depth += 1
        if quiet and self._depth == 1 and self._armed:
            self._armed = 0
            self.reactor.arm(self, 0)

    def give_back(self) -> None:
        """Let go; the reactor watches from here."""
        self._depth -= 1
        if self._depth:
            self._lock.release()
            return
        deadline = self._deadline() if self.transport is not None else None
        wanted = self._wanted()
        self._lock.release()
        if deadline is not None and (self.appointment is None or deadline < self.appointment.when):
            self.reactor.schedule(self, deadline)
        if self._armed != wanted:
            self._armed = wanted
            self.reactor.arm(self, wanted)

    def _wanted(self) -> int:
        """What the reactor is to wait for."""
        reading = len(self.backlog) < BACKLOG_LIMIT and (self.detour is None or self.detour.reading)
        return (READ if reading else 0) | (WRITE if self._blocked() else 0)

    def _blocked(self) -> bool:
        return bool(self._unsent) or (self.detour is not None and bool(self.detour.unsent))

    # -- what the reactor calls --------------------------------------------------------------------------------------

    def fileno(self) -> int:
        """The descriptor to wait on, -1 when closed."""
        return self.transport.fileno()

    def ready(self, buffer: memoryview) -> None:
        """Something can be read or written."""
        self._armed = 0
        if not self._lock.acquire(blocking=False):
            return  # the owner will see that it is not armed
        self._depth += 1
        try:
            self._pump(buffer)
        finally:
            self.give_back()

    def due(self, now: float) -> None:
        """A deadline may have passed."""
        if not self._lock.acquire(blocking=False):
            return  # the owner makes a new appointment when it lets go
        self._depth += 1
        try:
            self._check_time(now)
            if self.is_open:
                self.flush()
        finally:
            self.give_back()

    # -- life --------------------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self.transport is not None and self.transport.fileno() >= 0

    @property
    def state(self) -> State:
        """PS3.8 §9.2."""
        return self.upper.state

    @property
    def local(self) -> tuple[str, int]:
        """Our address and port."""
        return self.transport.local

    @property
    def remote(self) -> tuple[str, int]:
        """The peer's address and port."""
        return self.transport.remote

    @property
    def calling(self) -> str:
        """The calling AE title, empty before there is a request."""
        return self.request_pdu.calling if self.request_pdu is not None else ""

    @property
    def called(self) -> str:
        """The called AE title, empty before there is a request."""
        return self.request_pdu.called if self.request_pdu is not None else ""

    def attach(self, transport: Transport) -> None:
        """The connection is there; the owner calls this once."""
        self.transport = transport
        now = self.clock.monotonic()
        self._activity = now
        if self.observer is not None:
            self.emit(events.ConnectionOpened, transport.local, transport.remote, self.side)
        self.upper.connected(now)
        if self.detour is not None:
            self.detour.add(self.detour.hops.connected(self))
        self._armed = 0
        self.reactor.add(self, 0)

    def request(self, primitive: Primitive) -> None:
        """Make a local primitive and see to what follows; raises `StateError` where Table 9-10 has no cell."""
        self.upper.request(primitive, self.clock.monotonic())
        dispatch.effects(self)
        if self.is_open:
            self.flush()

    def answer(self, answer: AssociateAC | AssociateRJ) -> None:
        """Answer the association request, from a job."""
        self.take(quiet=False)
        try:
            if self.state is State.STA3:
                dispatch.answer(self, answer)
                self.flush()
        finally:
            self.give_back()

    def finish(self, outcome: Outcome) -> None:
        """It is over, for this reason; the first one counts."""
        if self.outcome is None:
            self.outcome = outcome
            self.assembler.close()
            if self.observer is not None:
                self.emit(events.Ended, outcome)
            self.handler.ended(self, outcome)

    def time_out(self, name: str, seconds: float) -> None:
        """A named timeout ran out: tell the peer if it can be told."""
        if self.observer is not None:
            self.emit(events.TimerExpired, name, seconds)
        self.finish(timed_out(name, seconds, **self.circumstances()))
        if name == "send":
            self.hang_up(reset=True)
        elif self.state in _ABORTABLE:
            self.request(AbortRequest())

    def circumstances(self, state: State | None = None) -> dict[str, Any]:
        """What every `Outcome` says: the state it happened in and how long the association had lasted."""
        return {"state": state or self.state, "seconds_open": self.clock.monotonic() - self.opened}

    def diverted_answer(self, request: AssociateRQ, answer: AssociateAC | AssociateRJ) -> AssociateAC | AssociateRJ:
        """The acceptor's answer as the rules have it."""
        return answer if self.detour is None else self.detour.hops.answer(self, request, answer)

    def hang_up(self, *, reset: bool) -> None:
        """Close the connection without a word to the peer."""
        if self.is_open:
            state = self.state
            self.close(reset=reset)
            self.upper.closed(self.clock.monotonic())
            self.finish(closed(self.side, CloseHow.RESET if reset else CloseHow.FIN, **self.circumstances(state)))
            dispatch.effects(self)

    def close(self, *, reset: bool = False) -> None:
        """Give the connection back to the system; does nothing the second time."""
        if self.is_open:
            self.reactor.forget(self)
            self.transport.close(reset=reset)
            self._unsent.clear()
            if self.observer is not None:
                self.emit(events.ConnectionClosed, self.side, CloseHow.RESET if reset else CloseHow.FIN)

    # -- messages ----------------------------------------------------------------------------------------------------

    def transmit(self, message: Message) -> None:
        """Hand a message to the upper layer, past the rules; the owner calls, and flushes."""
        agreement = self.agreement
        self.upper.send_p_data(fragment(message, agreement.peer_maximum_length if agreement else 0), self.clock.monotonic())
        if self.observer is not None:
            self.emit(events.MessageOut, message)

    def post(self, message: Message) -> None:
        """Hand a message to the upper layer by way of the rules; the owner calls, and flushes."""
        if self.detour is None:
            self.transmit(message)
            return
        steps = list(self.detour.hops.message_out(self, message))
        if all(isinstance(step, PassMessage) for step in steps):
            for step in steps:
                self.transmit(step.message)
            return
        self._divert_outgoing()  # so that what is held, and what is not, stays in order
        for step in steps:
            if isinstance(step, PassMessage):
                self.transmit(step.message)
                self._divert_outgoing()
            else:
                self.detour.add((step,))

    def reply(self, operation: Operation, response: Message) -> None:
        """Answer a request of the peer; the owner calls, and flushes."""
        self.exchange.answered(operation, response)
        self.post(response)

    def send_reply(self, operation: Operation, response: Message) -> None:
        """Answer a request of the peer from a job; raises as `send` does."""
        self.exchange.answered(operation, response)
        self.send(response)

    def send(self, message: Message) -> None:
        """Send a message and wait until the transport has taken it; for workers and callers that do not own it.

        Raises `AssociationError` when the association is over, and what a file to be sent raises.
        """
        self.take(quiet=False)
        try:
            self._require_life()
            self._post_or_fail(message)
            self.pump_until(self._all_sent, None, None)
            self._require_life()
        finally:
            self.give_back()

    def call(self, message: Message, ready: Callable[[], bool]) -> None:
        """Send a request and pump until `ready`; returns early when the association ends."""
        self.take()
        self.calls += 1
        try:
            self._require_life()
            self._post_or_fail(message)
            self.pump_until(ready, "dimse", self.timeouts.dimse)
        finally:
            self.calls -= 1
            self.give_back()

    def await_more(self, ready: Callable[[], bool]) -> None:
        """Pump until `ready`; for further answers to a request that was sent by `call`."""
        self.take()
        self.calls += 1
        try:
            self.pump_until(ready, "dimse", self.timeouts.dimse)
        finally:
            self.calls -= 1
            self.give_back()

    def _post_or_fail(self, message: Message) -> None:
        try:
            self.post(message)
            self.flush()
        except StateError as error:
            raise AssociationError(f"nothing can be sent in {self.state.value}: {error}") from error
        except DicomsimError:
            self._give_up_sending()
            raise

    def _give_up_sending(self) -> None:
        """What was to be sent cannot be had: the message has begun, so only an abort is left."""
        if self.state in _ABORTABLE:
            self.request(AbortRequest())

    def _require_life(self) -> None:
        if self.outcome is not None or not self.is_open:
            raise AssociationError(str(self.outcome or "there is no association"))

    def _sink(self, message: Message) -> Any:
        return self.handler.sink(self, message)

    # -- the pump ----------------------------------------------------------------------------------------------------

    def pump_until(self, ready: Callable[[], bool], name: str | None, seconds: float | None) -> None:
        """Send, read and wait in the calling thread until `ready`, the end, or the timeout of that name."""
        clock = self.clock.monotonic
        self._progress = clock()
        buffer: memoryview | None = None
        while not ready() and self.is_open:
            sent = self.flush()
            if not self.is_open or ready():
                return
            now = clock()
            limit = None if name is None or seconds is None or not sent else self._progress + seconds
            deadline = _earliest(limit, self._deadline())
            reading = self.detour is None or self.detour.reading
            if self.transport.wait(None if deadline is None else deadline - now, write=not sent, read=reading):
                if buffer is None:
                    buffer = _thread_buffer()
                self._pump(buffer)
            else:
                now = clock()
                if limit is not None and now >= self._progress + (seconds or 0):
                    assert name is not None and seconds is not None
                    self.time_out(name, seconds)
                    return
                self._check_time(now)

    def progressed(self) -> None:
        """Something awaited has come: the DIMSE timeout begins anew."""
        self._progress = self.clock.monotonic()

    def _all_sent(self) -> bool:
        return not self.is_open or not (self._unsent or self.upper.wants_to_send or (self.detour and not self.detour.sent))

    def _pump(self, buffer: memoryview) -> None:
        """Read what is there, write what can be written."""
        if self.detour is not None and not self.detour.reading:
            if not self.detour.unsent:  # nothing was waited for but the end
                self._lost(CloseHow.RESET)
        else:
            while self.is_open and self._read(buffer):
                pass
        if self.is_open:
            self.flush()

    def _read(self, buffer: memoryview) -> bool:
        """One read; whether there may be more."""
        try:
            count = self.transport.receive_into(buffer)
        except ConnectionError:
            self._lost(CloseHow.RESET)
            return False
        if count is None:
            return False
        if count == 0:
            self._lost(CloseHow.FIN)
            return False
        now = self._activity = self.clock.monotonic()
        data = buffer[:count]
        if self.observer is not None:
            self.emit(events.BytesIn, bytes(data))
        if self.detour is None:
            self.deliver(data, now)
        else:
            self.detour.incoming(bytes(data))
            self.detour.pump(now)
        return count == len(buffer) or self.transport.pending()

    def deliver(self, data: Buffer, now: float) -> None:
        """Give bytes to the state machine and see to what follows."""
        if self._framers is not None:
            for piece in self._framers[0].receive(data):
                self.emit(events.PduIn, piece[2])
        self.upper.receive(data, now)
        dispatch.messages(self)
        dispatch.effects(self)

    def _first_pdv(self, context_id: int, control: int, chunk: memoryview, complete: bool) -> None:
        """P-DATA may come right behind the A-ASSOCIATE-AC: see to that first, then stand aside."""
        dispatch.effects(self)
        self.upper.on_pdv = self.assembler.pdv
        self.assembler.pdv(context_id, control, chunk, complete)

    def _lost(self, how: CloseHow) -> None:
        """The peer has closed, or the connection was reset."""
        state = self.state
        if self.observer is not None:
            self.emit(events.ConnectionClosed, self.side.other, how)
        self.reactor.forget(self)
        self.transport.close()
        self._unsent.clear()
        self.upper.closed(self.clock.monotonic())
        if state is not State.STA13:
            self.finish(closed(self.side.other, how, **self.circumstances(state)))
        dispatch.effects(self)

    def flush(self) -> bool:
        """Write until all is written (True) or the peer takes no more."""
        if self.detour is not None:
            return self._flush_detour(self.detour)
        while self.is_open:
            if not self._unsent:
                if not self.upper.wants_to_send:
                    return True
                self._unsent = self.upper.data_to_send()
                continue
            if not self._write(self._unsent):
                return False
        return True

    def _flush_detour(self, detour: Detour) -> bool:
        while self.is_open:
            detour.pump(self.clock.monotonic())
            if detour.unsent and self.is_open:
                if not self._write(detour.unsent):
                    return False
            elif detour.lanes_empty and self.upper.wants_to_send:
                self._divert_batch(detour)
            else:
                break
        return True

    def _divert_outgoing(self) -> None:
        assert self.detour is not None
        while self.upper.wants_to_send:
            self._divert_batch(self.detour)

    def _divert_batch(self, detour: Detour) -> None:
        for buffer in self.upper.data_to_send():
            detour.outgoing(buffer)

    def _write(self, buffers: list[Any]) -> bool:
        """Write once, dropping from the list what was taken; False when the peer takes no more."""
        try:
            count = self.transport.send(buffers)
        except ConnectionError:
            self._lost(CloseHow.RESET)
            return False
        now = self.clock.monotonic()
        if not count:
            return False
        self._activity = self._progress = now
        if self.observer is not None:
            self._observe_written(buffers, count)
        index = 0
        for buffer in buffers:
            size = len(buffer)
            if count < size:
                break
            count -= size
            index += 1
        del buffers[:index]
        if count:
            buffers[0] = memoryview(buffers[0])[count:]
        return True

    # -- time --------------------------------------------------------------------------------------------------------

    def _deadline(self) -> float | None:
        """When the next thing happens by itself."""
        deadline = self.upper.deadline()
        if self.timeouts.network is not None and self.outcome is None:
            deadline = _earliest(deadline, self._activity + self.timeouts.network)
        if self.timeouts.send is not None and self._blocked():
            deadline = _earliest(deadline, self._activity + self.timeouts.send)
        if self.detour is not None:
            deadline = _earliest(deadline, self.detour.resume_at)
        return deadline

    def _check_time(self, now: float) -> None:
        if not self.is_open:
            return
        artim = self.upper.deadline()
        if artim is not None and now >= artim:
            if self.observer is not None:
                self.emit(events.TimerExpired, "artim", self.upper.artim)
            if self.outcome is None:
                self.finish(timed_out("artim", self.upper.artim, **self.circumstances()))
            self.upper.handle_timer(now)
            dispatch.effects(self)
        timeouts = self.timeouts
        if timeouts.send is not None and self._blocked() and now >= self._activity + timeouts.send:
            self.time_out("send", timeouts.send)
        elif timeouts.network is not None and self.outcome is None and now >= self._activity + timeouts.network:
            self.time_out("network", timeouts.network)

    # -- observers ---------------------------------------------------------------------------------------------------

    def emit(self, kind: Callable[..., Event], *values: Any) -> None:
        """Tell the observer, if there is one."""
        if self.observer is not None:
            self.observer(kind(self.clock.wall(), self.association_number, *values))

    def _observe_written(self, buffers: Iterable[Buffer], count: int) -> None:
        data = b"".join(buffers)[:count]
        self.emit(events.BytesOut, data)
        if self._framers is not None:
            for piece in self._framers[1].receive(data):
                self.emit(events.PduOut, piece[2])

    def _transition(self, event: TableEvent, before: State, action: Action, after: State) -> None:
        names = event.value, before.value, action.value, after.value
        if self.observer is not None:
            self.emit(events.Transition, names[0], names[2], names[1], names[3])
        if self.detour is not None:
            steps: Iterable[Step] = self.detour.hops.transition(self, *names)
            self.detour.add(steps)

    def __repr__(self) -> str:
        peer = f"{self.remote[0]}:{self.remote[1]}" if self.transport is not None else "not connected"
        return f"<Session {self.association_number} {self.side.value} {self.state.value} {peer}>"


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
