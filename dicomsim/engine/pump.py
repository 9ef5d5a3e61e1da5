"""Bytes between a transport and the upper layer: reading, writing and closing, none of which blocks.

What is read is dispatched before anything else is read, in the order of the wire. Sending is lazy: buffers are taken
from the upper layer only when the transport has taken those before.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dicomsim.dimse.data import FilePart
from dicomsim.engine.ownership import Owned
from dicomsim.engine.poller import READ, WRITE
from dicomsim.engine.reactor import Reactor
from dicomsim.engine.read_buffer import borrow, give_back
from dicomsim.engine.timeouts import Timeouts
from dicomsim.engine.transport import Buffer, Transport
from dicomsim.engine.witness import Observer, Witness, payload_limit, wanted
from dicomsim.errors import DicomsimError, FileError
from dicomsim.events import CloseHow, ConnectionClosed, Event, Side
from dicomsim.outcome import Outcome, aborted, closed
from dicomsim.upper_layer.machine import UpperLayer
from dicomsim.upper_layer.table import State

if TYPE_CHECKING:
    from dicomsim.engine.detour import Detour

LOGGER = logging.getLogger("dicomsim")

READS_A_TURN = 8
"""Reads from one connection, of one buffer of bytes in all, before others and timers have their turn."""

WRITES_A_TURN = 16
"""Writes to one connection before the same."""


class Pump(Owned):
    """A connection and the upper layer on it; every method is for the owner."""

    __slots__ = (
        "_activity", "_asked", "_blocked_since", "_observer", "_progress", "_receiving", "_unsent", "_witness",
        "_written", "association_number", "detour", "is_open", "observed", "opened", "outcome", "serving", "side",
        "timeouts", "transport", "upper",
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
        self._observer = observer
        self.observed = wanted(observer)
        """Of which kinds of event somebody is to be told; what it takes to make others is saved."""
        self.outcome: Outcome | None = None
        self.transport = None
        self.is_open = False
        """Whether there is a connection."""
        self.serving = 0
        """Requests of the peer that are being answered."""
        self.opened = self._activity = self._progress = self._asked = self._written = self.clock.monotonic()
        self._blocked_since: float | None = None  # when the peer took nothing more
        self._receiving = False  # the state machine is at work on received bytes
        self._unsent: list[Buffer] = []
        self._witness = Witness.of(self.observed, payload_limit(observer), self.emit)

    @property
    def state(self) -> State:
        """PS3.8 §9.2."""
        return self.upper.state

    @property
    def is_receiving(self) -> bool:
        """Whether received bytes are on their way through the state machine, so that no others can be."""
        return self._receiving

    def fileno(self) -> int:
        """The descriptor to wait on, -1 when there is none."""
        return -1 if self.transport is None else self.transport.fileno()

    def emit(self, kind: type[Event], *values: Any) -> None:
        """Tell the observer of an event of this kind, if it is to be told."""
        if kind in self.observed and self._observer is not None:
            try:
                self._observer(kind(self.clock.wall(), self.association_number, *values))
            except KeyboardInterrupt:  # Ctrl-C is the caller's
                raise
            except BaseException:  # user code
                LOGGER.exception("%r: the observer failed", self)

    def circumstances(self, state: State | None = None) -> dict[str, Any]:
        """What every `Outcome` says: the state it happened in and how long the association had lasted."""
        return {"state": state or self.state, "seconds_open": self.clock.monotonic() - self.opened}

    @abstractmethod
    def finish(self, outcome: Outcome) -> None:
        """It is over, for this reason; the first one counts."""

    @abstractmethod
    def abort(self, cause: str = "") -> None:
        """Abort as the local user, for this cause."""

    @abstractmethod
    def give_up(self) -> None:
        """Abort, if there is an association to abort."""

    @abstractmethod
    def settle(self) -> None:
        """See to the effects of the state machine."""

    @abstractmethod
    def _goes_on(self) -> bool:
        """Whether the peer is amid a PDU or a message, the rest of which may have come meanwhile."""

    @abstractmethod
    def deliver(self, data: Buffer, now: float) -> None:
        """Give bytes to the state machine and see to what follows."""

    # -- what there is to do -----------------------------------------------------------------------------------------

    def progressed(self) -> None:
        """Something awaited has come: the timeout of `pump_until` begins anew."""
        self._progress = self.clock.monotonic()

    def all_sent(self) -> bool:
        """Whether the transport has taken everything, or never will."""
        if not self.is_open:
            return True
        return not (self._unsent or self.upper.wants_to_send) and (self.detour is None or self.detour.sent)

    def _has_output(self) -> bool:
        """Whether something could be written if the peer took it."""
        if self.detour is not None:
            return self.detour.has_output or (self.detour.lanes_empty and self.upper.wants_to_send)
        return bool(self._unsent) or self.upper.wants_to_send

    def _reads(self) -> bool:
        """Whether what the peer sends is taken at present."""
        return self.detour is None or self.detour.reading

    def _wanted(self) -> int:
        """What the reactor is to wait for."""
        if not self.is_open:
            return 0
        return (READ if self._reads() else 0) | (WRITE if self._has_output() else 0)

    def _network_limit(self) -> float | None:
        """The network timeout, while it counts."""
        return self.timeouts.network if self.outcome is None else None

    # -- reading -----------------------------------------------------------------------------------------------------

    def _pump(self, enough: Callable[[], bool] | None = None) -> None:
        """Read what is there, or only until there is `enough`, and write."""
        if self.is_open and not self._reads():
            assert self.transport is not None
            if self.transport.wait(0, read=False):  # nothing is waited for but the end
                self.lost(CloseHow.RESET)
        buffer = borrow()
        try:
            room = buffer
            for _ in range(READS_A_TURN):
                count = self._read(room) if self.is_open and self._reads() else 0
                if count in (0, len(room)) or (enough is not None and enough()):
                    break
                room = room[: len(room) - count]
        finally:
            give_back(buffer)
        if self.is_open:
            self.flush()

    def _read(self, buffer: memoryview) -> int:
        """One read: how many bytes, or 0 if nothing more is to be had now."""
        assert self.transport is not None
        try:
            count = self.transport.receive_into(buffer)
        except ConnectionError as error:
            self.lost(CloseHow.RESET, getattr(error, "cause", ""))
            return 0
        if count is None:
            if self._goes_on():
                self.transport.acknowledge()
            return 0
        if count == 0:
            if self.detour is None or not self.detour.hold_end():
                self.lost(CloseHow.FIN)
            return 0
        now = self._activity = self.clock.monotonic()
        data = buffer[:count]
        if self._witness is not None:
            self._witness.read(data)
        if self.detour is None:
            self.deliver(data, now)
        else:
            self.detour.incoming(bytes(data))
            self.detour.pump(now)
        if not self.is_open:
            return 0
        if self._goes_on() and not self._has_output():  # what is to be said goes before the peer's end is seen
            return count
        return count if count == len(buffer) or self.transport.pending() else 0

    def lost(self, how: CloseHow, cause: str = "") -> None:
        """The peer has closed, or the connection was reset."""
        state = self.state
        self.emit(ConnectionClosed, self.side.other, how)
        self._drop(reset=False)
        self.upper.closed(self.clock.monotonic())
        if state is State.STA5 and not cause:
            cause = "there was no answer to the association request; does the peer speak something else there, or TLS?"
        if state is not State.STA13:
            self.finish(closed(self.side.other, how, cause=cause, **self.circumstances(state)))
        self.settle()

    # -- writing -----------------------------------------------------------------------------------------------------

    def flush(self) -> bool:
        """Write what may be written by now; False when the peer takes no more, or it is others' turn.

        What rules and data sources raise passes through, after the association was aborted.
        """
        try:
            return self._flush() if self.detour is None else self._flush_detour(self.detour)
        except KeyboardInterrupt:  # Ctrl-C is the caller's
            raise
        except BaseException as error:  # it is the caller's affair, but the peer must not wait for the rest
            self.break_off(error)
            raise

    def _flush(self) -> bool:
        for _ in range(WRITES_A_TURN):
            while not self._unsent:
                if not self.is_open or not self.upper.wants_to_send:
                    return True
                self._unsent = self.upper.data_to_send()
            if not self.is_open or not self._write(self._unsent):
                return not self.is_open
        return self.all_sent()

    def _flush_detour(self, detour: Detour) -> bool:
        for _ in range(WRITES_A_TURN):
            while self.is_open:
                detour.pump(self.clock.monotonic())
                if detour.unsent or not (detour.lanes_empty and self.upper.wants_to_send):
                    break
                detour.outgoing(self.upper.data_to_send())
            if not self.is_open or not detour.unsent:
                return True
            if not self._write(detour.unsent):
                return not self.is_open
        return not self._has_output()

    def _write(self, buffers: list[Buffer]) -> bool:
        """Write once, dropping from the list what was taken; False when the peer takes no more."""
        assert self.transport is not None
        try:
            count = self.transport.send(buffers)
        except ConnectionError:
            self._cannot_write()
            return False
        except FileError as error:  # amid a PDU, whose rest anything would be that is sent now
            buffers.clear()
            self.finish(aborted(self.side, 0, 0, cause=str(error), **self.circumstances()))
            self.hang_up(reset=True)
            raise
        now = self.clock.monotonic()
        if not count and any(map(len, buffers)):
            if self._blocked_since is None:
                self._blocked_since = now
            return False
        self._activity = self._progress = self._written = now
        self._blocked_since = None
        taken = [buffers.pop()] if len(buffers) == 1 and count == len(buffers[0]) else _cut_front(buffers, count)
        if self._witness is not None:
            self._witness.written([one.fetched if isinstance(one, FilePart) else one for one in taken])
        return True

    def _cannot_write(self) -> None:
        """The peer has closed; what it said before, an A-ABORT perhaps, may still be there to be read."""
        self._unsent.clear()
        if self.detour is not None:
            self.detour.unsent.clear()
        buffer = borrow()
        try:
            for _ in range(2):  # the end comes behind a read that was not full
                while self.is_open and not self._receiving and self._reads() and self._read(buffer):
                    pass
        finally:
            give_back(buffer)
        if self.is_open:
            self.lost(CloseHow.RESET)

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
            self.emit(ConnectionClosed, self.side, CloseHow.RESET if reset else CloseHow.FIN)

    def _drop(self, *, reset: bool) -> None:
        assert self.transport is not None
        self.is_open = False
        self.reactor.forget(self)
        self.transport.close(reset=reset)
        self._blocked_since = None
        self._unsent.clear()
        if self.detour is not None:
            self.detour.clear()

    def fail(self, error: BaseException) -> None:
        """Something went wrong, and nobody is there to be told: log it, and abort."""
        if isinstance(error, DicomsimError):
            LOGGER.warning("%r: %s", self, error)
        else:
            LOGGER.error("%r: aborted for a failure", self, exc_info=error)
        self.break_off(error)

    def break_off(self, error: BaseException) -> None:
        """Abort for a failure of ours, however little works now."""
        try:
            self.abort(str(error) or type(error).__name__)
        except KeyboardInterrupt:  # Ctrl-C is the caller's
            raise
        except BaseException:  # the rule that failed is asked about the A-ABORT, too
            LOGGER.debug("%r: no A-ABORT could be sent", self, exc_info=True)
            self.close(reset=True)


def _cut_front(buffers: list[Buffer], count: int) -> list[Buffer]:
    """Take that many bytes off a list of buffers."""
    whole = 0
    while whole < len(buffers) and count >= len(buffers[whole]):
        count -= len(buffers[whole])
        whole += 1
    taken = buffers[:whole]
    del buffers[:whole]
    if count:
        front = buffers[0] if isinstance(buffers[0], FilePart) else memoryview(buffers[0])
        taken.append(front[:count])
        buffers[0] = front[count:]
    return taken
