"""Doubles for tests: a clock that moves when told, connections in memory, and a reactor without a thread.

Two sessions joined by `memory_pair` under one `ManualReactor` talk to each other in the thread of the test: what one of
them waits for, the other is made to do, and when neither has anything to do the clock goes on to the next deadline.
Where there is none either, `NothingWillHappenError` is raised instead of waiting for ever. Nothing here is thread-safe.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from typing import ClassVar
from weakref import WeakValueDictionary

from dicomsim.engine.handler import Handler
from dicomsim.engine.opening import Setup, begin_accepted, open_association
from dicomsim.engine.poller import READ, WRITE
from dicomsim.engine.reactor import Reactor
from dicomsim.engine.session import Session
from dicomsim.engine.transport import Address, Buffer, TlsInfo
from dicomsim.engine.waiter import thread_waiter
from dicomsim.engine.workers import Workers
from dicomsim.wire.pdu import AssociateRQ

MOST_TURNS = 1000
"""Turns in which no byte moves, after which sessions that find no rest are taken to run in circles."""

_ADDRESSES = (("127.0.0.1", 40000), ("127.0.0.1", 104))
_numbers = itertools.count(1_000_000)  # no descriptor of the system gets there


class NothingWillHappenError(AssertionError):
    """A test waits for what cannot come: nobody has anything to do, and no time limit is running."""


class FakeClock:
    """Time that goes on when told; a `dicomsim.engine.clock.Clock`."""

    def __init__(self, monotonic: float = 1000.0, wall: int = 1_700_000_000_000_000_000) -> None:
        self._monotonic = monotonic
        self._wall = wall

    def monotonic(self) -> float:
        """Seconds."""
        return self._monotonic

    def wall(self) -> int:
        """Nanoseconds since the epoch."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let time go on; a negative time raises `ValueError`."""
        if seconds < 0:
            raise ValueError(f"time does not go back, not by {-seconds} s either")
        self._monotonic += seconds
        self._wall += round(seconds * 1e9)


class ManualWorkers(Workers):
    """Jobs are done when told, in the thread of the test."""

    def __init__(self) -> None:
        super().__init__(limit=0)
        self.waiting: deque[Callable[[], None]] = deque()
        """Jobs that nobody has done yet."""
        self.busy = False
        """Whether `ManualReactor.run` leaves them alone: for handlers that are still at work."""

    def submit(self, job: Callable[[], None]) -> None:
        """Keep the job."""
        self.waiting.append(job)

    def run(self) -> int:
        """Do all jobs, and those they bring; how many."""
        count = 0
        while self.waiting:
            self.waiting.popleft()()
            count += 1
        return count


class ManualPoller:
    """Reports memory transports, each once for every time it is armed; never waits."""

    def __init__(self) -> None:
        self._armed: dict[int, int] = {}

    def add(self, fd: int, mask: int) -> None:
        """Begin with a transport, armed for `mask`."""
        self._armed[fd] = mask

    def arm(self, fd: int, mask: int) -> None:
        """Report the transport once when it is ready."""
        self._armed[fd] = mask

    def remove(self, fd: int) -> None:
        """Forget a transport."""
        del self._armed[fd]

    def wait(self, seconds: float | None) -> list[int]:
        """The transports that are ready now."""
        ready = [fd for fd, mask in self._armed.items() if mask >= 0 and MemoryTransport.by_number[fd].is_ready(mask)]
        for fd in ready:
            self._armed[fd] = -1
        return ready

    def wake(self) -> None:
        """Nobody sleeps."""

    def close(self) -> None:
        """Nothing is held."""


class ManualReactor(Reactor):
    """A reactor that runs when told, with a clock that stands still meanwhile."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.fake_clock = clock or FakeClock()
        self.manual_workers = ManualWorkers()
        self.waits: list[tuple[MemoryTransport, int]] = []
        """Who waits for what, from the outside in."""
        self.moved = 0
        """Bytes that were written or read."""
        super().__init__(self.fake_clock, ManualPoller(), self.manual_workers)

    def _start(self) -> None:
        """Nobody but `run` does anything."""

    def run(self) -> int:
        """Do all that can be done at this moment; how much that was.

        Raises `AssertionError` when there is no end to it.
        """
        done = idle = 0
        while idle < MOST_TURNS:
            moved = self.moved
            turn = self.turn(0)
            if not self.manual_workers.busy:
                turn += self.manual_workers.run()
            if not turn:
                return done
            done += turn
            idle = idle + 1 if moved == self.moved else 0
        raise AssertionError("the sessions run in circles")

    def advance(self, seconds: float) -> None:
        """Let time go on, from one appointment to the next, and do what is due."""
        self.run()
        end = self.fake_clock.monotonic() + seconds
        while (when := self.next_due()) is not None and when <= end:
            self.fake_clock.advance(max(when - self.fake_clock.monotonic(), 0))
            self.run()
        self.fake_clock.advance(max(end - self.fake_clock.monotonic(), 0))
        self.run()


class MemoryTransport:
    """One end of a connection in memory; a `dicomsim.engine.transport.Transport`.

    `most_read`, `most_written` and `window` may be set at any time, to have the ends behave as TCP does on a bad day.
    """

    by_number: ClassVar[WeakValueDictionary[int, MemoryTransport]] = WeakValueDictionary()
    tls: TlsInfo | None = None

    def __init__(self, reactor: ManualReactor, local: Address, remote: Address) -> None:
        self.local = local
        self.remote = remote
        self.most_read: int | None = None
        """Bytes that one read gives at the most."""
        self.most_written: int | None = None
        """Bytes that one write takes at the most."""
        self.window: int | None = None
        """Bytes that may lie unread at this end before the other one's writes would block."""
        self.peer: MemoryTransport
        """The other end."""
        self._reactor = reactor
        self._number = next(_numbers)
        self._inbox = bytearray()
        self._ended = False  # no more will come
        self._closed = self._was_reset = self._half_closed = False
        MemoryTransport.by_number[self._number] = self

    # -- for the engine ----------------------------------------------------------------------------------------------

    def fileno(self) -> int:
        """A number of its own, -1 when closed."""
        return -1 if self._closed else self._number

    def receive_into(self, view: memoryview) -> int | None:
        """Read; None when nothing is there, 0 at the end; raises `ConnectionResetError` after what came before it."""
        if not self._inbox:
            if self._was_reset:
                raise ConnectionResetError("reset by peer")
            return 0 if self._ended else None
        count = min(len(self._inbox), len(view), self.most_read or len(view))
        view[:count] = self._inbox[:count]
        del self._inbox[:count]
        self._reactor.moved += count
        return count

    def send(self, buffers: Sequence[Buffer]) -> int:
        """Write; the bytes taken, 0 when there is no room; raises `ConnectionError` when nobody is there."""
        if self._was_reset or self._half_closed or self.peer._closed:
            raise BrokenPipeError("nobody is there to read it")
        data = b"".join(buffers)[: self.most_written]
        if self.peer.window is not None:
            data = data[: max(self.peer.window - len(self.peer._inbox), 0)]
        self.peer._inbox += data
        self._reactor.moved += len(data)
        return len(data)

    def is_ready(self, mask: int) -> bool:
        """Whether a poller would report it."""
        if self._was_reset or (self._ended and self._half_closed):
            return True
        if mask & READ and (self._inbox or self._ended):
            return True
        room = self.peer.window is None or len(self.peer._inbox) < self.peer.window
        return bool(mask & WRITE) and (room or self.peer._closed)

    def wait(self, seconds: float | None, *, write: bool = False, read: bool = True) -> bool:
        """Have everybody else do what they can, then let the time go on.

        Raises `NothingWillHappenError` instead of waiting for ever.
        """
        mask = (READ if read else 0) | (WRITE if write else 0)
        deadline = None if seconds is None else self._reactor.clock.monotonic() + max(seconds, 0)
        outer = self._reactor.waits
        outer.append((self, mask))
        try:
            while not self.is_ready(mask):
                now = self._reactor.clock.monotonic()
                if self._closed or thread_waiter().is_woken or (deadline is not None and now >= deadline):
                    return False
                if not self._reactor.run():
                    self._pass_time(deadline)
            return True
        finally:
            outer.pop()

    def _pass_time(self, deadline: float | None) -> None:
        if any(transport.is_ready(mask) for transport, mask in self._reactor.waits[:-1]):
            raise NothingWillHappenError("a wait within a wait, of which the outer one is over: that needs two threads")
        times = [when for when in (deadline, self._reactor.next_due()) if when is not None]
        if not times:
            raise NothingWillHappenError(f"{self!r} waits for what will never come")
        clock = self._reactor.fake_clock
        clock.advance(max(min(times) - clock.monotonic(), 0))

    def pending(self) -> bool:
        """Never."""
        return False

    def acknowledge(self) -> None:
        """The other end knows."""

    def half_close(self) -> None:
        """Send nothing more."""
        self._half_closed = self.peer._ended = True

    def close(self, *, reset: bool = False) -> None:
        """Close; does nothing the second time."""
        if not self._closed:
            self._closed = self.peer._ended = True
            self.peer._was_reset = reset

    # -- for tests ---------------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Say something to the other end, however much it holds unread."""
        self.peer._inbox += data

    def read(self, size: int | None = None) -> bytes:
        """What the other end has said and nobody has read, or that much of it."""
        data = bytes(self._inbox[:size])
        del self._inbox[: len(data)]
        return data

    @property
    def is_over(self) -> bool:
        """Whether the other end will say nothing more."""
        return self._ended

    @property
    def was_reset(self) -> bool:
        """Whether the other end has reset the connection."""
        return self._was_reset

    def __repr__(self) -> str:
        return f"<MemoryTransport {self._number} {'closed' if self._closed else 'open'}>"


def memory_pair(reactor: ManualReactor) -> tuple[MemoryTransport, MemoryTransport]:
    """The two ends of a connection: the requestor's and the acceptor's."""
    here, there = _ADDRESSES
    pair = MemoryTransport(reactor, here, there), MemoryTransport(reactor, there, here)
    pair[0].peer, pair[1].peer = pair[1], pair[0]
    return pair


def join(
    requestor: tuple[Setup, Handler], acceptor: tuple[Setup, Handler], request: AssociateRQ
) -> tuple[Session, Session]:
    """Two sessions in memory, whose setups have the same `ManualReactor`, with an association or an attempt at one."""
    reactor = requestor[0].reactor
    assert isinstance(reactor, ManualReactor)
    here, there = memory_pair(reactor)
    accepted = begin_accepted(*acceptor, there)
    return open_association(*requestor, request, here.remote, lambda: here), accepted
