"""The slow way through a session that has rules: every PDU is shown to the `Hops`, and their steps are carried out.

Each hop has a lane of its own, so that a delay on the way out holds back what follows it there and nothing else.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dicomsim.engine import dispatch
from dicomsim.engine.hops import (
    Close,
    HalfClose,
    Hops,
    Pass,
    PassMessage,
    Raw,
    Reply,
    Request,
    Reset,
    Stall,
    Step,
    StopReading,
    Wait,
)
from dicomsim.engine.pdu_cutter import LONGEST_HELD, PduCutter
from dicomsim.engine.transport import Buffer
from dicomsim.errors import StateError
from dicomsim.events import CloseHow

if TYPE_CHECKING:
    from dicomsim.dimse.messages import Message
    from dicomsim.engine.session import Session

LOGGER = logging.getLogger("dicomsim")

HELD_LIMIT = 1 << 20
"""Bytes that rules may hold back of what was read before nothing more is read, so that the peer's window fills; the
last read may go beyond it."""

STEP_WEIGHT = 100
"""What a step counts against that limit besides its bytes."""

_LAST = Close | Reset | HalfClose | Stall
"""Steps behind which nothing is sent: what is before them is written first."""


@dataclass(slots=True)
class Run:
    """A message on its way out that rules hold back: its PDUs are made when their turn has come."""

    buffers: Iterator[Buffer]
    """Pieces of encoded P-DATA-TF."""
    cutter: PduCutter = field(default_factory=lambda: PduCutter((1 << 32) - 1))
    """Puts the pieces together."""

    def pdus(self) -> list[bytes]:
        """The next ones; none when the message is over. What a data source raises passes through."""
        for buffer in self.buffers:
            if pdus := [pdu for _, pdu in self.cutter.cut(buffer)]:
                return pdus
        return []


class Lane:
    """The steps that wait their turn at one hop."""

    __slots__ = ("resume_at", "steps", "weight")

    def __init__(self) -> None:
        self.steps: deque[Step | Run] = deque()
        self.resume_at: float | None = None
        self.weight = 0
        """Bytes that wait, more or less."""

    def add(self, steps: Iterable[Step | Run]) -> None:
        """Queue steps."""
        for step in steps:
            self.steps.append(step)
            self.weight += _weight(step)

    def head(self, now: float) -> Step | Run | None:
        """The first step, if its time has come; it stays until `take`."""
        if self.resume_at is not None:
            if now < self.resume_at:
                return None
            self.resume_at = None
        while self.steps:
            step = self.steps[0]
            if not isinstance(step, Wait):
                return step
            self.take()
            if step.seconds > 0:
                self.resume_at = now + step.seconds
                return None
        return None

    def take(self) -> None:
        """Drop the first step."""
        self.weight -= _weight(self.steps.popleft())

    def clear(self) -> None:
        """Drop everything."""
        self.steps.clear()
        self.resume_at, self.weight = None, 0

    @property
    def empty(self) -> bool:
        """Whether nothing waits here, not even for time to pass."""
        return not self.steps and self.resume_at is None


class Detour:
    """One session's lanes: bytes and PDUs on the way in, PDUs and bytes on the way out; used by the owner only."""

    __slots__ = (
        "_bytes_in", "_bytes_out", "_deaf", "_end", "_incoming", "_messages_in", "_outgoing", "_pdus_in", "_pdus_out",
        "_session", "hops", "stalled", "unsent",
    )  # fmt: skip

    def __init__(self, session: Session, hops: Hops, maximum_length: int = 0) -> None:
        """Show PDUs of up to `maximum_length` (0: any that can be held) whole; what is longer is only seen as bytes."""
        self._session = session
        self.hops = hops
        self._bytes_in, self._pdus_in, self._messages_in = Lane(), Lane(), Lane()
        self._pdus_out, self._bytes_out = Lane(), Lane()
        self._incoming = PduCutter(min(maximum_length or LONGEST_HELD, LONGEST_HELD))
        self._outgoing = PduCutter((1 << 32) - 1)
        self._deaf = False
        self._end = False
        self.unsent: list[Buffer] = []
        """What the transport is to take next."""
        self.stalled = False
        """Whether nothing is sent any more."""

    @property
    def reading(self) -> bool:
        """Whether the peer's bytes are taken at present."""
        held = self._bytes_in.weight + self._pdus_in.weight + self._messages_in.weight
        return not (self._deaf or self._end) and held < HELD_LIMIT

    @property
    def resume_at(self) -> float | None:
        """When the next held step is due."""
        times = [lane.resume_at for lane in self._lanes if lane.resume_at is not None]
        return min(times, default=None)

    @property
    def _lanes(self) -> tuple[Lane, ...]:
        return self._bytes_in, self._pdus_in, self._messages_in, self._pdus_out, self._bytes_out

    @property
    def lanes_empty(self) -> bool:
        """Whether everything that was given out has gone to `unsent`, or nowhere."""
        return self.stalled or (self._pdus_out.empty and self._bytes_out.empty)

    @property
    def has_output(self) -> bool:
        """Whether something could be written now if the peer took it."""
        lane = self._pdus_out if self._bytes_out.empty else self._bytes_out
        return bool(self.unsent) or (not self.stalled and bool(lane.steps) and lane.resume_at is None)

    @property
    def sent(self) -> bool:
        """Whether nothing waits to be sent."""
        return not self.unsent and self.lanes_empty

    def outgoing(self, buffers: Iterable[Buffer]) -> None:
        """Take what the upper layer wants to send."""
        if self.stalled:
            return
        for buffer in buffers:
            for _, pdu in self._outgoing.cut(buffer):
                self._pdus_out.add(self.hops.pdu_out(self._session, pdu))

    def incoming(self, data: bytes) -> None:
        """Take what was read from the transport."""
        self._bytes_in.add(self.hops.bytes_in(self._session, data))

    def hold_end(self) -> bool:
        """The peer has closed: whether that has to wait for what is held back of its last bytes."""
        self._end = not (self._bytes_in.empty and self._pdus_in.empty and self._messages_in.empty)
        return self._end

    def message_in(self, message: Message) -> None:
        """Take a message that is complete."""
        self._messages_in.add(self.hops.message_in(self._session, message))
        self._pump_messages(self._session.clock.monotonic())

    def message_out(self, message: Message) -> list[Step]:
        """What is to be done about a message that is to be sent."""
        return list(self.hops.message_out(self._session, message))

    def add(self, steps: Iterable[Step | Run]) -> None:
        """Queue steps behind what is being sent, and behind what the upper layer has got to send by now."""
        steps = tuple(steps)
        if steps:
            self.divert()
            self._pdus_out.add(steps)

    def divert(self) -> None:
        """Take what the upper layer has got to send by now, before it is wanted: what is added next comes behind it."""
        upper = self._session.upper
        while upper.wants_to_send:
            self.outgoing(upper.data_to_send())

    def cut(self) -> None:
        """An A-ABORT is next: drop the messages that are held back."""
        kept = [step for step in self._pdus_out.steps if not isinstance(step, Run)]
        self._pdus_out.steps = deque(kept)

    def clear(self) -> None:
        """The connection is gone."""
        self._end = False
        self.unsent.clear()
        for lane in self._lanes:
            lane.clear()

    # -- carrying out ------------------------------------------------------------------------------------------------

    def pump(self, now: float) -> None:
        """Carry out the steps whose time has come, up to one that must wait for `unsent` to be written."""
        if not self._session.is_receiving:
            self._pump_bytes(now)
            self._pump_pdus(now)
            self._pump_messages(now)
            if self._end and self._bytes_in.empty and self._pdus_in.empty and self._messages_in.empty:
                self._session.lost(CloseHow.FIN)
        while not self.stalled and self._pump_out(now):
            pass

    def _pump_bytes(self, now: float) -> None:
        while (step := self._bytes_in.head(now)) is not None:
            self._bytes_in.take()
            if not isinstance(step, Pass):
                self._carry_out_incoming(step)
                continue
            for whole, piece in self._incoming.cut(step.data):
                self._pdus_in.add(self.hops.pdu_in(self._session, piece) if whole else (Pass(piece),))

    def _pump_pdus(self, now: float) -> None:
        while (step := self._pdus_in.head(now)) is not None:
            self._pdus_in.take()
            if isinstance(step, Pass):
                self._session.deliver(step.data, now)
            else:
                self._carry_out_incoming(step)

    def _pump_messages(self, now: float) -> None:
        while (step := self._messages_in.head(now)) is not None:
            self._messages_in.take()
            if isinstance(step, PassMessage):
                dispatch.arrived(self._session, step.message)
            else:
                self._carry_out_incoming(step)

    def _pump_out(self, now: float) -> bool:
        """Carry out one outgoing step; False when there is none, or it must wait."""
        lane = self._pdus_out if self._bytes_out.empty else self._bytes_out
        step = lane.head(now)
        if step is None or (isinstance(step, _LAST | Run) and self.unsent):
            return False
        if isinstance(step, Run):
            self._advance(step)
            return True
        lane.take()
        if not isinstance(step, Pass):
            self._carry_out(step)
        elif lane is self._bytes_out:
            self.unsent.append(step.data)
        else:
            self._bytes_out.add(self.hops.bytes_out(self._session, step.data))
        return True

    def _advance(self, run: Run) -> None:
        """Put the next PDUs of a held message in front of the rest of it."""
        self._pdus_out.take()
        steps: list[Step | Run] = []
        pdus = run.pdus()
        for pdu in pdus:
            steps += self.hops.pdu_out(self._session, pdu)
        if pdus:
            steps.append(run)
        behind, self._pdus_out.steps = self._pdus_out.steps, deque()
        self._pdus_out.add(steps)
        self._pdus_out.steps += behind

    def _carry_out_incoming(self, step: Step | Run) -> None:
        """As for outgoing steps; what concerns the peer takes its turn there, behind what has been said before."""
        if isinstance(step, Close | Reset | StopReading):  # nothing behind it may reach a service any more
            self._deaf = True
            for lane in (self._bytes_in, self._pdus_in, self._messages_in):
                lane.clear()
        if isinstance(step, Raw | _LAST) and not self.stalled:
            self.add((step,))
        elif not isinstance(step, Raw):
            self._carry_out(step)

    def _carry_out(self, step: Step | Run) -> None:
        session = self._session
        match step:
            case Raw(data):
                self.unsent.append(data)
            case Reply(message):
                self._attempt(lambda: session.transmit(message))
            case Request(primitive):
                self._attempt(lambda: session.request(primitive))
            case Close():
                session.hang_up(reset=False)
            case Reset():
                session.hang_up(reset=True)
            case HalfClose():
                session.half_close()
                self.stalled = True  # nothing can be written behind a FIN
            case Stall():
                self.stalled = True
                self.unsent.clear()
            case StopReading():
                self._deaf = True
            case Pass() | PassMessage() | Wait() | Run():
                raise AssertionError(f"{step} is taken by the lane itself")

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except StateError as error:
            LOGGER.warning("%r: a rule asked for what cannot be: %s", self._session, error)


def _weight(step: Step | Run) -> int:
    match step:
        case Pass(data):
            return STEP_WEIGHT + len(data)
        case PassMessage(message):
            return STEP_WEIGHT + message.data_length
    return STEP_WEIGHT
