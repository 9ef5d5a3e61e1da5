"""Service users for tests of the engine, and the shortest ways to sessions that have one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self

from dicomsim.dimse.assembler import Assembler
from dicomsim.dimse.builders import build, respond
from dicomsim.dimse.data import MemorySink, Sink
from dicomsim.dimse.exchange import Operation
from dicomsim.dimse.fragmenter import fragment
from dicomsim.dimse.messages import Message
from dicomsim.engine.handler import Job
from dicomsim.engine.hops import Hops, Pass, PassMessage, Step
from dicomsim.engine.opening import SessionListener, Setup, begin_accepted, open_association
from dicomsim.engine.reactor import Reactor
from dicomsim.engine.session import Session
from dicomsim.engine.timeouts import Timeouts
from dicomsim.engine.transport import Address, connect
from dicomsim.engine.witness import Observer
from dicomsim.events import Side
from dicomsim.outcome import Outcome
from dicomsim.testing import ManualReactor, MemoryTransport, join, memory_pair
from dicomsim.upper_layer.negotiation import AcceptorPolicy, SupportedContext, build_request, negotiate
from dicomsim.upper_layer.primitives import AssociateRequest, Primitive, ReleaseRequest
from dicomsim.upper_layer.table import State
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.items import AsynchronousOperationsWindow, PresentationContextRQ
from dicomsim.wire.pdu import Abort, AssociateAC, AssociateRJ, AssociateRQ, PDataTF, Pdu, ReleaseRP, ReleaseRQ

VERIFICATION = "1.2.840.10008.1.1"
CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
IMPLICIT = "1.2.840.10008.1.2"
ECHO, STORE, FIND = 1, 3, 5
MAXIMUM_LENGTH = 16382
LONG = 20.0
"""Seconds after which a test with threads gives up."""

_CLASSES = {ECHO: VERIFICATION, STORE: CT_IMAGE_STORAGE, FIND: STUDY_ROOT_FIND}
POLICY = AcceptorPolicy(
    {sop_class: SupportedContext((IMPLICIT,), scu_role=True, scp_role=True) for sop_class in _CLASSES.values()},
    maximum_length=MAXIMUM_LENGTH,
    window=(0, 0),
)


def request_pdu(window: tuple[int, int] | None = None) -> AssociateRQ:
    """A request for everything that `POLICY` knows."""
    contexts = [PresentationContextRQ.of(number, sop_class, IMPLICIT) for number, sop_class in _CLASSES.items()]
    items = [] if window is None else [AsynchronousOperationsWindow(*window)]
    return build_request("ACCEPTOR", "REQUESTOR", contexts, maximum_length=MAXIMUM_LENGTH, items=items)


REQUEST = request_pdu()
RQ = encode_pdu(REQUEST)


class User:
    """A handler that says yes to everything, at once, and remembers what it was asked."""

    def __init__(self) -> None:
        self.log: list[str] = []
        """The names of what was called, in order."""
        self.outcomes: list[Outcome] = []
        self.operations: list[Operation] = []
        self.on: dict[str, Callable[..., Any]] = {}
        """What to do instead, by name of the call; gets its arguments."""

    def _called(self, name: str, *arguments: Any) -> Any:
        self.log.append(name)
        return self.on[name](*arguments) if name in self.on else None

    def connected(self, session: Session) -> None:
        self._called("connected", session)

    def associate(self, session: Session, request: AssociateRQ) -> AssociateAC | AssociateRJ | Job:
        answer: AssociateAC | AssociateRJ | Job | None = self._called("associate", session, request)
        return answer or negotiate(request, POLICY)

    def established(self, session: Session) -> None:
        self._called("established", session)

    def request(self, session: Session, operation: Operation) -> Job | None:
        self.operations.append(operation)
        if "request" in self.on:
            job: Job | None = self._called("request", session, operation)
            return job
        self.log.append("request")
        session.reply(operation, respond(operation.request))
        return None

    def cancelled(self, session: Session, operation: Operation) -> None:
        self._called("cancelled", session, operation)

    def overdue(self, session: Session, operation: Operation, seconds: float) -> Job | None:
        job: Job | None = self._called("overdue", session, operation, seconds)
        return job

    def sink(self, session: Session, message: Message) -> Sink | None:
        sink: Sink | None = self._called("sink", session, message)
        return sink or MemorySink()

    def ended(self, session: Session, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._called("ended", session, outcome)

    @property
    def outcome(self) -> str:
        """How the one association ended."""
        (outcome,) = self.outcomes
        return str(outcome.how)


def at_work(session: Session, operation: Operation) -> Job:
    """For `User.on["request"]`: a job that answers with success."""
    return lambda: session.send_reply(operation, respond(operation.request))


class Rules:
    """Hops that pass everything on, except where told otherwise."""

    def __init__(self, **hops: Callable[..., Any]) -> None:
        self.on = hops

    def _ask(self, name: str, session: Session, value: Any, default: Any) -> Any:
        return self.on[name](session, value) if name in self.on else default

    def connected(self, session: Session) -> Iterable[Step]:
        steps: Iterable[Step] = self._ask("connected", session, None, ())
        return steps

    def pdu_in(self, session: Session, data: bytes) -> Iterable[Step]:
        steps: Iterable[Step] = self._ask("pdu_in", session, data, (Pass(data),))
        return steps

    def pdu_out(self, session: Session, data: bytes) -> Iterable[Step]:
        steps: Iterable[Step] = self._ask("pdu_out", session, data, (Pass(data),))
        return steps

    def bytes_in(self, session: Session, data: bytes) -> Iterable[Step]:
        steps: Iterable[Step] = self._ask("bytes_in", session, data, (Pass(data),))
        return steps

    def bytes_out(self, session: Session, data: bytes) -> Iterable[Step]:
        steps: Iterable[Step] = self._ask("bytes_out", session, data, (Pass(data),))
        return steps

    def message_in(self, session: Session, message: Message) -> Iterable[Step]:
        steps: Iterable[Step] = self._ask("message_in", session, message, (PassMessage(message),))
        return steps

    def message_out(self, session: Session, message: Message) -> Iterable[Step]:
        steps: Iterable[Step] = self._ask("message_out", session, message, (PassMessage(message),))
        return steps

    def answer(
        self, session: Session, request: AssociateRQ, answer: AssociateAC | AssociateRJ
    ) -> AssociateAC | AssociateRJ:
        changed: AssociateAC | AssociateRJ = self._ask("answer", session, answer, answer)
        return changed

    def transition(self, session: Session, event: str, before: str, action: str, after: str) -> Iterable[Step]:
        steps: Iterable[Step] = self._ask("transition", session, (event, before, action, after), ())
        return steps


class Stage:
    """A reactor without a thread, an acceptor's user and a requestor's, and what their sessions are made with."""

    def __init__(self) -> None:
        self.reactor = ManualReactor()
        self.requestor, self.acceptor = User(), User()

    def setup(self, hops: Hops | None = None, observer: Observer | None = None, **timeouts: float | None) -> Setup:
        """What sessions are made with."""
        limits = replace(Timeouts(), **timeouts)  # type: ignore[arg-type]
        return Setup(self.reactor, limits, MAXIMUM_LENGTH, observer, hops)

    def join(
        self, requestor: Setup | None = None, acceptor: Setup | None = None, request: AssociateRQ = REQUEST
    ) -> tuple[Session, Session]:
        """Two sessions that have an association."""
        ends = join((requestor or self.setup(), self.requestor), (acceptor or self.setup(), self.acceptor), request)
        self.reactor.run()
        return ends

    def accept(self, setup: Setup | None = None, *, established: bool = True) -> tuple[MemoryTransport, Session]:
        """An acceptor's session, and the other end of its connection."""
        here, there = memory_pair(self.reactor)
        session = begin_accepted(setup or self.setup(), self.acceptor, there)
        if established:
            here.write(RQ)
            self.reactor.run()
            assert isinstance(decode_pdu(here.read()), AssociateAC)
        return here, session

    def open(self, setup: Setup | None = None, answer: bytes | None = None) -> tuple[Session, MemoryTransport]:
        """A requestor's session, and the other end of its connection, which has said this (by default: yes)."""
        here, there = memory_pair(self.reactor)
        there.write(encode_pdu(negotiate(REQUEST, POLICY)) if answer is None else answer)
        session = open_association(setup or self.setup(), self.requestor, REQUEST, there.local, lambda: here)
        assert decode_pdu(there.read(len(RQ))) == REQUEST
        return session, there


class Live:
    """A reactor with its thread, a listening acceptor, and requestors' sessions with it, over loopback."""

    def __init__(self, acceptor: User | None = None, **timeouts: float | None) -> None:
        self.acceptor, self.requestor = acceptor or User(), User()
        self.accepted: list[Session] = []
        self._reactor = Reactor()
        self._timeouts: Any = timeouts
        self.acceptor.on.setdefault("connected", self.accepted.append)
        self._listener = SessionListener(self.setup, self.acceptor, ("127.0.0.1", 0))
        self._opened: list[Session] = []

    @property
    def address(self) -> Address:
        """Where the acceptor listens."""
        return self._listener.address

    def setup(self) -> Setup:
        """What sessions are made with."""
        return Setup(self._reactor, replace(Timeouts(), **self._timeouts), MAXIMUM_LENGTH)

    def open(self, request: AssociateRQ = REQUEST) -> Session:
        """Another association."""
        session = open_association(
            self.setup(), self.requestor, request, self.address, lambda: connect(*self.address, LONG)
        )
        self._opened.append(session)
        return session

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        for session in (*self._opened, *self.accepted):
            session.take()
            session.hang_up(reset=True)
            session.give_back()
        self._reactor.stop()


def echo_rq(message_id: int = 1) -> Message:
    return build("C-ECHO-RQ", ECHO, message_id=message_id, affected_sop_class_uid=VERIFICATION)


def store_rq(data: Any, message_id: int = 1) -> Message:
    return build(
        "C-STORE-RQ", STORE, data, message_id=message_id, affected_sop_class_uid=CT_IMAGE_STORAGE,
        affected_sop_instance_uid="1.2.3", priority=0,
    )  # fmt: skip


def find_rq(message_id: int = 1) -> Message:
    return build(
        "C-FIND-RQ", FIND, b"\x08\x00\x05\x00\0\0\0\0", message_id=message_id, affected_sop_class_uid=STUDY_ROOT_FIND,
        priority=0,
    )  # fmt: skip


def sent(message: Message) -> bytes:
    """A message as it goes over the wire."""
    return b"".join(fragment(message, MAXIMUM_LENGTH))


def ask(session: Session, message: Message) -> Operation:
    """Send a request and wait for its final response, or the end."""
    session.take()
    try:
        operation = session.exchange.invoke(message, session.clock.monotonic())
        session.call(message, lambda: operation.final)
        return operation
    finally:
        session.give_back()


def echo(session: Session) -> int | None:
    """The status of a C-ECHO; None if there was no answer."""
    operation = ask(session, echo_rq(session.exchange.next_message_id()))
    return operation.replies[0].status if operation.replies else None


def release(session: Session) -> str:
    """How the association ended that this side has released."""
    session.take()
    try:
        session.request(ReleaseRequest())
        session.pump_until(lambda: session.outcome is not None, "acse", session.timeouts.acse)
    finally:
        session.give_back()
    assert session.outcome is not None
    return str(session.outcome.how)


def pdus(data: bytes) -> list[bytes]:
    """PDUs one behind the other."""
    found = []
    while data:
        length = 6 + int.from_bytes(data[2:6])
        found.append(data[:length])
        data = data[length:]
    return found


def messages(data: bytes) -> list[Message]:
    """The messages in some P-DATA-TF."""
    assembler = Assembler(None, range(256))
    for raw in pdus(data):
        pdu = decode_pdu(raw)
        assert isinstance(pdu, PDataTF)
        for pdv in pdu.pdvs:
            assembler.pdv(pdv.context_id, pdv.control, memoryview(pdv.data), True)
        assembler.end_of_pdu()
    return list(assembler.messages)


def said(end: MemoryTransport) -> list[Pdu]:
    """The PDUs that the other side has said."""
    return [decode_pdu(pdu) for pdu in pdus(end.read())]


def kinds(end: MemoryTransport) -> list[str]:
    """What kinds of PDUs the other side has said."""
    return [type(pdu).__name__ for pdu in said(end)]


AC, RELEASE_RQ, RELEASE_RP, ABORT = (
    encode_pdu(pdu) for pdu in (negotiate(REQUEST, POLICY), ReleaseRQ(), ReleaseRP(), Abort())
)


class Reached:
    """A session in some state, with the other end of its connection in the hands of the test."""

    def __init__(self, state: State, side: Side, stage: Stage | None = None, setup: Setup | None = None) -> None:
        self.stage = stage or Stage()
        self.user = self.stage.requestor if side is Side.REQUESTOR else self.stage.acceptor
        here, self.end = memory_pair(self.stage.reactor)
        if side is Side.ACCEPTOR:
            here, self.end = self.end, here
        self.session = (setup or self.stage.setup()).session(side, self.user)
        with self._owned():
            if side is Side.REQUESTOR:
                self.session.request_pdu = REQUEST
                self.session.upper.request(AssociateRequest(REQUEST), self.session.clock.monotonic())
            self.session.attach(here)
        for step in _WAYS[state, side]:
            step(self)
            self.run()
        assert state is self.session.state
        self.end.read()

    @contextmanager
    def _owned(self) -> Iterator[None]:
        self.session.take()
        try:
            yield
        finally:
            self.session.give_back()

    def run(self) -> None:
        """Have everything done that can be."""
        self.stage.reactor.run()

    def hear(self, data: bytes) -> None:
        """The peer says this."""
        self.end.write(data)
        self.run()

    def ask(self, primitive: Primitive) -> None:
        """The local user asks for this."""
        with self._owned():
            self.session.request(primitive)

    def later(self, name: str) -> None:
        """The user will answer, but not now."""
        self.user.on[name] = at_work if name == "request" else lambda *_: lambda: None
        self.stage.reactor.manual_workers.busy = True


def _hear(data: bytes) -> Callable[[Reached], None]:
    return lambda reached: reached.hear(data)


_RELEASE: Callable[[Reached], None] = lambda reached: reached.ask(ReleaseRequest())  # noqa: E731
_BUSY: Callable[[Reached], None] = lambda reached: reached.later("request")  # noqa: E731
_OPEN = {Side.REQUESTOR: (_hear(AC),), Side.ACCEPTOR: (_hear(RQ),)}
_WAYS: dict[tuple[State, Side], tuple[Callable[[Reached], None], ...]] = {
    (State.STA2, Side.ACCEPTOR): (),
    (State.STA3, Side.ACCEPTOR): (lambda reached: reached.later("associate"), _hear(RQ)),
    (State.STA5, Side.REQUESTOR): (),
    (State.STA9, Side.REQUESTOR): (*_OPEN[Side.REQUESTOR], _BUSY, _RELEASE, _hear(sent(echo_rq()) + RELEASE_RQ)),
    (State.STA10, Side.ACCEPTOR): (*_OPEN[Side.ACCEPTOR], _BUSY, _RELEASE, _hear(sent(echo_rq()) + RELEASE_RQ)),
    (State.STA11, Side.REQUESTOR): (*_OPEN[Side.REQUESTOR], _RELEASE, _hear(RELEASE_RQ)),
    (State.STA12, Side.ACCEPTOR): (
        *_OPEN[Side.ACCEPTOR], _BUSY, _RELEASE, _hear(sent(echo_rq()) + RELEASE_RQ + RELEASE_RP),
    ),
}  # fmt: skip
for _side, _way in _OPEN.items():
    _WAYS[State.STA6, _side] = _way
    _WAYS[State.STA7, _side] = (*_way, _RELEASE)
    _WAYS[State.STA8, _side] = (*_way, _BUSY, _hear(sent(echo_rq()) + RELEASE_RQ))
    _WAYS[State.STA13, _side] = (*_way, _hear(RELEASE_RQ))

PLACES = sorted(_WAYS, key=lambda place: (int(place[0].value[3:]), place[1].value))
"""All states that a connection can be in, each from every side."""
