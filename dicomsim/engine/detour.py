"""The slow way through a session that has rules: every PDU is shown to the `Hops`, and their steps are carried out.

Each hop has a lane of its own, so that a delay on the way out holds back what follows it there and nothing else.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
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
from dicomsim.engine.transport import Buffer
from dicomsim.errors import StateError
from dicomsim.wire.framer import Framer

if TYPE_CHECKING:
    from dicomsim.dimse.messages import Message
    from dicomsim.engine.session import Session

LOGGER = logging.getLogger("dicomsim")

LARGEST_PDU = (1 << 32) - 1
"""The framers here judge nothing; a PDU of any length is gathered as its bytes come."""


_LAST = Close | Reset | HalfClose | Stall
"""Steps behind which nothing is sent: what is before them is written first."""


class Lane:
    """The steps that wait their turn at one hop."""

    __slots__ = ("resume_at", "steps")

    def __init__(self) -> None:
        self.steps: deque[Step] = deque()
        self.resume_at: float | None = None

    def head(self, now: float) -> Step | None:
        """The first step, if its time has come; it stays until `steps.popleft`."""
        if self.resume_at is not None:
            if now < self.resume_at:
                return None
            self.resume_at = None
        while self.steps:
            step = self.steps[0]
            if not isinstance(step, Wait):
                return step
            self.steps.popleft()
            if step.seconds > 0:
                self.resume_at = now + step.seconds
                return None
        return None

    @property
    def empty(self) -> bool:
        """Whether nothing waits here, not even for time to pass."""
        return not self.steps and self.resume_at is None


class Detour:
    """One session's lanes: bytes and PDUs on the way in, PDUs and bytes on the way out; used by the owner only."""

    __slots__ = (
        "_bytes_in", "_bytes_out", "_incoming", "_messages_in", "_outgoing", "_pdus_in", "_pdus_out", "_session", "hops", "reading",
        "stalled", "unsent",
    )  # fmt: skip

    def __init__(self, session: Session, hops: Hops) -> None:
        self._session = session
        self.hops = hops
        self._bytes_in, self._pdus_in, self._messages_in = Lane(), Lane(), Lane()
        self._pdus_out, self._bytes_out = Lane(), Lane()
        self._outgoing = Framer(limit=LARGEST_PDU, whole=True)
        self._incoming = Framer(limit=LARGEST_PDU, whole=True)
        self.unsent: list[Buffer] = []
        """What the transport is to take next."""
        self.stalled = False
        """Whether nothing is sent any more."""
        self.reading = True
        """Whether the peer's bytes are taken."""

    @property
    def resume_at(self) -> float | None:
        """When the next held step is due."""
        lanes = (self._bytes_in, self._pdus_in, self._messages_in, self._pdus_out, self._bytes_out)
        return min((lane.resume_at for lane in lanes if lane.resume_at is not None), default=None)

    @property
    def lanes_empty(self) -> bool:
        """Whether everything that was given out has gone to `unsent`, or nowhere."""
        return self.stalled or (self._pdus_out.empty and self._bytes_out.empty)

    @property
    def sent(self) -> bool:
        """Whether nothing waits to be sent."""
        return not self.unsent and self.lanes_empty

    def outgoing(self, buffers: Iterable[Buffer]) -> None:
        """Take what the upper layer wants to send."""
        if self.stalled:
            return
        for buffer in buffers:
            for pdu in self._outgoing.pdus(buffer):
                self._pdus_out.steps.extend(self.hops.pdu_out(self._session, pdu))

    def incoming(self, data: bytes) -> None:
        """Take what was read from the transport."""
        self._bytes_in.steps.extend(self.hops.bytes_in(self._session, data))

    def message_in(self, message: Message) -> None:
        """Take a message that is complete."""
        self._messages_in.steps.extend(self.hops.message_in(self._session, message))
        self._pump_messages(self._session.clock.monotonic())

    def add(self, steps: Iterable[Step]) -> None:
        """Queue steps behind what is being sent, and behind what the upper layer has got to send by now."""
        steps = tuple(steps)
        if steps:
            upper = self._session.upper
            while upper.wants_to_send:
                self.outgoing(upper.data_to_send())
            self._pdus_out.steps.extend(steps)

    def pump(self, now: float) -> None:
        """Carry out the steps whose time has come, up to one that must wait for `unsent` to be written."""
        while (step := self._bytes_in.head(now)) is not None:
            self._bytes_in.steps.popleft()
            if not isinstance(step, Pass):
                self._carry_out_incoming(step)
                continue
            for pdu in self._incoming.pdus(step.data):
                self._pdus_in.steps.extend(self.hops.pdu_in(self._session, pdu))
        while (step := self._pdus_in.head(now)) is not None:
            self._pdus_in.steps.popleft()
            if isinstance(step, Pass):
                self._session.deliver(step.data, now)
            else:
                self._carry_out_incoming(step)
        self._pump_messages(now)
        while not self.stalled and self._pump_out(now):
            pass

    def _pump_messages(self, now: float) -> None:
        while (step := self._messages_in.head(now)) is not None:
            self._messages_in.steps.popleft()
            if isinstance(step, PassMessage):
                dispatch.arrived(self._session, step.message)
            else:
                self._carry_out_incoming(step)

    def _pump_out(self, now: float) -> bool:
        """Carry out one outgoing step; False when there is none, or it must wait."""
        lane = self._pdus_out if self._bytes_out.empty else self._bytes_out
        step = lane.head(now)
        if step is None or (isinstance(step, _LAST) and self.unsent):
            return False
        lane.steps.popleft()
        if not isinstance(step, Pass):
            self._carry_out(step)
        elif lane is self._bytes_out:
            self.unsent.append(step.data)
        else:
            self._bytes_out.steps.extend(self.hops.bytes_out(self._session, step.data))
        return True

    def _carry_out_incoming(self, step: Step) -> None:
        """As for outgoing steps; what concerns the peer takes its turn there, behind what has been said before."""
        if isinstance(step, Raw | _LAST) and not self.stalled:
            self.add((step,))
        elif not isinstance(step, Raw):
            self._carry_out(step)

    def _carry_out(self, step: Step) -> None:
        session = self._session
        match step:
            case Raw(data):
                self.unsent.append(data)
            case Reply(message):
                session.transmit(message)
            case Request(primitive):
                try:
                    session.request(primitive)
                except StateError as error:
                    LOGGER.warning("%r: a rule asked for what cannot be: %s", session, error)
            case Close():
                session.hang_up(reset=False)
            case Reset():
                session.hang_up(reset=True)
            case HalfClose():
                session.half_close()
            case Stall():
                self.stalled = True
                self.unsent.clear()
            case StopReading():
                self.reading = False
            case Pass() | PassMessage() | Wait():
                raise AssertionError(f"{step} is taken by the lane itself")

