"""A session as rules see it, without a connection, and one hop of it at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from dicomsim.behaviour import Behaviour
from dicomsim.dimse.messages import Message
from dicomsim.engine.hops import Pass, PassMessage, Raw, Step
from dicomsim.engine.session import Session
from dicomsim.events import KINDS, Event, RuleFired, Side
from dicomsim.upper_layer.table import State
from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ
from tests.wire.vectors import PDU_BYTES

RQ, AC, RJ = PDU_BYTES["RQ-001"], PDU_BYTES["AC-001"], PDU_BYTES["RJ-117"]
ECHO_RQ, ECHO_RSP = PDU_BYTES["message-0"], PDU_BYTES["message-1"]
RELEASE_RQ = bytes.fromhex("05000000000400000000")
RELEASE_RP = bytes.fromhex("06000000000400000000")


class StillClock:
    """Time that goes on when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> int:
        return int(self.now * 1e9)


class FakeSession:
    """What `Behaviour` may use of a session."""

    def __init__(self, side: Side = Side.ACCEPTOR, number: int = 1, state: State = State.STA6) -> None:
        self.side = side
        self.state = state
        self.association_number = number
        self.local = ("127.0.0.1", 104)
        self.remote = ("10.1.2.3", 4711)
        self.calling = "MODALITY"
        self.called = "ARCHIVE"
        self.clock = StillClock()
        self.opened = self.clock.now
        self.behaviour_state: dict[Any, Any] = {}
        self.agreement = None
        self.events: list[Event] = []
        self.observer: Callable[[Event], None] = self.events.append
        self.observed = KINDS

    def emit(self, kind: type[Event], *values: Any) -> None:
        if kind in self.observed:
            self.observer(kind(self.clock.wall(), self.association_number, *values))

    @property
    def fired(self) -> list[str]:
        """Where rules have fired."""
        return [event.hop for event in self.events if isinstance(event, RuleFired)]


class Peer:
    """A behaviour with one session, and its hops without the session."""

    def __init__(self, *rules: str, session: FakeSession | None = None, seed: int = 0) -> None:
        self.fake = session or FakeSession()
        self.session = cast("Session", self.fake)
        self.behaviour = Behaviour(rules, seed=seed)

    def connected(self) -> list[Step]:
        return list(self.behaviour.connected(self.session))

    def pdu_in(self, data: bytes) -> list[Step]:
        return list(self.behaviour.pdu_in(self.session, data))

    def pdu_out(self, data: bytes) -> list[Step]:
        return list(self.behaviour.pdu_out(self.session, data))

    def bytes_in(self, data: bytes) -> list[Step]:
        return list(self.behaviour.bytes_in(self.session, data))

    def bytes_out(self, data: bytes) -> list[Step]:
        return list(self.behaviour.bytes_out(self.session, data))

    def message_in(self, message: Message) -> list[Step]:
        return list(self.behaviour.message_in(self.session, message))

    def message_out(self, message: Message) -> list[Step]:
        return list(self.behaviour.message_out(self.session, message))

    def answer(self, request: AssociateRQ, answer: AssociateAC | AssociateRJ) -> AssociateAC | AssociateRJ:
        return self.behaviour.answer(self.session, request, answer)

    def moved(self, event: str, before: str, action: str, after: str) -> list[Step]:
        return list(self.behaviour.transition(self.session, event, before, action, after))


def passed(steps: Iterable[Step]) -> bytes:
    """The bytes that steps let pass, in one."""
    return b"".join(step.data for step in steps if isinstance(step, Pass))


def message_of(steps: Iterable[Step]) -> Message:
    """The only message that passes."""
    (message,) = (step.message for step in steps if isinstance(step, PassMessage))
    return message


def sent(steps: Iterable[Step]) -> list[bytes]:
    """What goes to the peer out of the blue."""
    return [step.data for step in steps if isinstance(step, Raw)]
