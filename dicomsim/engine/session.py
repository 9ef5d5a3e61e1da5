"""`Session`: one association, from its connection to its outcome, with the messages that go over it.

`ownership` says who may touch it, `pump` moves its bytes, `dispatch` sees to what they mean. Requests beyond the
negotiated window wait in `backlog`, and when too many do, nothing more is read.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dicomsim import events
from dicomsim.dimse.assembler import Assembler
from dicomsim.dimse.exchange import Exchange, Operation
from dicomsim.engine import dispatch
from dicomsim.engine.detour import Detour
from dicomsim.engine.hops import Hops
from dicomsim.engine.poller import READ
from dicomsim.engine.reactor import Reactor
from dicomsim.engine.sending import Sending
from dicomsim.engine.timeouts import Timeouts
from dicomsim.engine.transport import Buffer, Transport
from dicomsim.engine.waiting import Task
from dicomsim.engine.witness import Observer
from dicomsim.events import Side
from dicomsim.outcome import Outcome, aborted
from dicomsim.peer_address import host_and_port
from dicomsim.upper_layer.agreement import conclude
from dicomsim.upper_layer.machine import UpperLayer
from dicomsim.upper_layer.primitives import AbortRequest, AssociateConfirmation, Effect, Primitive
from dicomsim.upper_layer.table import TRANSITIONS, Action, State
from dicomsim.upper_layer.table import Event as TableEvent
from dicomsim.wire.pdu import AssociateAC

if TYPE_CHECKING:
    from dicomsim.dimse.data import Sink
    from dicomsim.dimse.messages import Message
    from dicomsim.engine.handler import Handler
    from dicomsim.wire.pdu import AssociateRJ, AssociateRQ

BACKLOG_LIMIT = 8
"""Requests that may wait behind the negotiated window before the peer is no longer read."""

ABORTABLE = frozenset(TRANSITIONS[TableEvent.EVT15]) - {State.STA4}
"""States in which an A-ABORT request sends an A-ABORT. PS3.8 Table 9-10, Evt15."""

FIRST_PDU = 10
"""Bytes of the first PDU that tell how an association ended that never got beyond Sta2: an A-ABORT has no more."""

association_numbers = itertools.count(1)
"""Numbers the associations of this process, those of scripts included."""


class Session(Sending):
    """One association; every method that does not say otherwise is for the owner."""

    __slots__ = (
        "_behaviour_state", "_early", "answer_pdu", "assembler", "backlog", "calls", "collided",
        "first_bytes", "handler", "held", "release_wanted", "request_pdu", "target", "tasks",
        "user",
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
        super().__init__(side, reactor, timeouts, next(association_numbers), observer)
        self.handler = handler
        self.assembler = Assembler(self._sink, frozenset())
        self.exchange = Exchange()
        traced = hops is not None or events.Transition in self.observed
        self.upper = UpperLayer(
            side,
            artim=timeouts.artim,
            maximum_length=maximum_length,
            on_pdv=self._first_pdv,
            on_transition=self._transition if traced else None,
        )
        self.upper.on_p_data_end = self.assembler.end_of_pdu
        self.detour = Detour(self, hops, maximum_length) if hops is not None else None
        self.agreement = None
        self.request_pdu: AssociateRQ | None = None
        self.answer_pdu: AssociateAC | AssociateRJ | None = None
        self.target: tuple[str, int] = ("", 0)
        """The address that was asked for, of a requestor."""
        self.user: Any = None
        """Whatever the handler keeps with the session."""
        self.first_bytes = b""
        """What the peer has said in Sta2."""
        self.tasks: dict[Operation, Task] = {}
        """User code that is at work for requests of the peer, or will be."""
        self.backlog: list[Operation] = []
        """Requests of the peer that wait for their turn."""
        self.calls = 0
        """Callers that wait for an answer: they do the peer's requests meanwhile, a C-GET's sub-operations for one."""
        self.held = 0
        """Callers with an answer in hand: until they ask for the next one, nothing is read."""
        self.release_wanted = False
        """Whether the peer's release request waits for answers to go first."""
        self.collided = False
        """Whether both sides asked for the release."""
        self._early: list[Effect] = []  # told by the state machine before it was through with the bytes
        self._behaviour_state: dict[Any, Any] | None = None

    @property
    def behaviour_state(self) -> dict[Any, Any]:
        """What rules remember of this association; theirs alone."""
        if self._behaviour_state is None:
            self._behaviour_state = {}
        return self._behaviour_state

    @property
    def local(self) -> tuple[str, int]:
        """Our address and port; empty before there is a connection."""
        return ("", 0) if self.transport is None else self.transport.local

    @property
    def remote(self) -> tuple[str, int]:
        """The peer's address and port; the one asked for, or an empty one, before there is a connection."""
        return self.target if self.transport is None else self.transport.remote

    @property
    def calling(self) -> str:
        """The calling AE title; empty before there is a request."""
        return "" if self.request_pdu is None else self.request_pdu.calling

    @property
    def called(self) -> str:
        """The called AE title; empty before there is a request."""
        return "" if self.request_pdu is None else self.request_pdu.called

    # -- life --------------------------------------------------------------------------------------------------------

    def attach(self, transport: Transport) -> None:
        """The connection is there; called once."""
        self.transport = transport
        self.is_open = True
        self._activity = self._asked = self.clock.monotonic()
        self.emit(events.ConnectionOpened, transport.local, transport.remote, self.side, transport.tls is not None)
        self.reactor.add(self, 0)
        try:
            self.handler.connected(self)
            if self.detour is not None:
                self.detour.add(self.detour.hops.connected(self))
        except KeyboardInterrupt:  # Ctrl-C is the caller's
            raise
        except BaseException as error:  # noqa: BLE001  # user code, before which nothing was said
            self.fail(error)
        if self.is_open:
            self.upper.connected(self._activity)
            dispatch.effects(self)
        if self.is_open:
            self.flush()

    def request(self, primitive: Primitive) -> None:
        """Make a local primitive and see to what follows; raises `StateError` where Table 9-10 has no cell."""
        state, now = self.state, self.clock.monotonic()
        if self.detour is not None and isinstance(primitive, AbortRequest):
            self.detour.cut()
        self.upper.request(primitive, now)
        self._asked = now
        if isinstance(primitive, AbortRequest):
            unheard = not self.upper.wants_to_send  # a data source failed amid a PDU, whose rest anything would be
            codes = primitive.source, primitive.reason
            self.finish(aborted(self.side, *codes, **self.circumstances(state)))
            if unheard:
                self.hang_up(reset=True)
        dispatch.effects(self)
        if self.is_open:
            self.flush()

    def answer(self, answer: AssociateAC | AssociateRJ) -> None:
        """Answer the association request; for jobs, which do not own the session."""
        self.take(quiet=False)
        try:
            if self.state is State.STA3:
                dispatch.answer(self, answer)
                dispatch.effects(self)
                self.flush()
        except KeyboardInterrupt:  # Ctrl-C is the caller's
            raise
        except BaseException as error:  # an answer that has no bytes; the peer must not wait for another one
            self.break_off(error)
            raise
        finally:
            self.give_back()

    def diverted_answer(self, request: AssociateRQ, answer: AssociateAC | AssociateRJ) -> AssociateAC | AssociateRJ:
        """The acceptor's answer as the rules have it."""
        return answer if self.detour is None else self.detour.hops.answer(self, request, answer)

    def timeout_changed(self, name: str, seconds: float | None) -> None:
        """One of `timeouts` was set: the reactor looks at it anew. For any thread."""
        if name == "artim" and seconds is not None:
            self.upper.artim = seconds
        if self.is_open:
            self.reactor.schedule(self, self.clock.monotonic())

    def finish(self, outcome: Outcome) -> None:
        """It is over, for this reason; the first one counts."""
        if self.outcome is None:
            self.outcome = outcome
            self.assembler.close()
            self.emit(events.Ended, outcome)
            dispatch.tell(self, self.handler.ended, outcome)

    def give_up(self) -> None:
        """Abort, if there is an association to abort; close, if there was not even a request for one."""
        if self.state in ABORTABLE:
            self.request(AbortRequest())
        elif self.state is not State.STA13:
            self.hang_up(reset=False)

    def abort(self, cause: str = "") -> None:
        """Abort as the local user, for this cause."""
        self.finish(aborted(self.side, 0, 0, cause=cause, **self.circumstances()))
        self.give_up()

    # -- for callers -------------------------------------------------------------------------------------------------

    def call(self, message: Message, ready: Callable[[], bool], meanwhile: Callable[[], None] | None = None) -> None:
        """Send a request and pump until `ready`; comes back early when the association ends. For callers.

        `meanwhile` is done once it has been sent, while the peer is at work on it; others may own the session then.
        """
        self.take()
        try:
            self._post(message)
            if meanwhile is not None:
                if not self.all_sent():
                    self._await_answer(lambda: ready() or self.all_sent())
                if self.outcome is None:
                    self.lent(meanwhile)
                if self.outcome is not None:  # then there is nothing to wait for
                    return
            self._await_answer(ready)
        finally:
            self.give_back()

    def await_more(self, ready: Callable[[], bool]) -> None:
        """Pump until `ready`: for further answers to a request that `call` has sent. For callers."""
        self.take()
        try:
            self._await_answer(ready)
        finally:
            self.give_back()

    def hold(self) -> None:
        """Read nothing from now on unless somebody waits for an answer; for whoever takes answers one by one."""
        self.take()
        self.held += 1
        self.give_back()

    def unhold(self) -> None:
        """The opposite of `hold`."""
        self.take(quiet=False)
        self.held -= 1
        self._activity = self.clock.monotonic()  # the time since then says nothing about the peer
        self.give_back()

    def _await_answer(self, ready: Callable[[], bool]) -> None:
        self.calls += 1
        try:
            if not self.comes_at_once(ready):
                self._do_jobs(ready)
                self.pump_until(ready, "dimse", self.timeouts.dimse, self._do_jobs)
        finally:
            self.calls -= 1
            while len(self.jobs) > self.calls:
                dispatch.hand_to_worker(self, self.jobs.pop())

    def _do_jobs(self, done: Callable[[], bool]) -> None:
        """Do the peer's requests, without owning the session, as any worker does."""
        while self.jobs and not done():
            job = self.jobs.pop(0)
            self.calls -= 1
            try:
                with self.parted():
                    dispatch.run(self, job)
            finally:
                self.calls += 1
            self.progressed()

    # -- what the upper layer calls ----------------------------------------------------------------------------------

    def deliver(self, data: Buffer, now: float) -> None:
        """Give bytes to the state machine and see to what follows."""
        if self.state is State.STA2:
            self.first_bytes += bytes(data[: FIRST_PDU - len(self.first_bytes)])
        self._receiving = True
        try:
            if self._witness is None:
                self.upper.receive(data, now)
            else:
                for piece in self._witness.arriving(data):
                    self.upper.receive(piece, now)
        finally:
            self._receiving = False
        if self._early:
            early, self._early = self._early, []
            dispatch.carry_out(self, early)
        dispatch.messages(self)
        dispatch.effects(self)

    def settle(self) -> None:
        """See to the effects of the state machine."""
        dispatch.effects(self)

    def _first_pdv(self, context_id: int, control: int, chunk: memoryview, complete: bool) -> None:
        """P-DATA may come right behind the A-ASSOCIATE-AC, which then is seen to first; afterwards, stand aside."""
        self.upper.on_pdv = self.assembler.pdv
        self._early = self.upper.effects()
        for effect in self._early:
            if isinstance(effect, AssociateConfirmation) and isinstance(effect.pdu, AssociateAC):
                assert self.request_pdu is not None
                self.assembler.accepted = conclude(self.request_pdu, effect.pdu, self.side).accepted
        self.assembler.pdv(context_id, control, chunk, complete)

    def _sink(self, message: Message) -> Sink | None:
        return self.handler.sink(self, message)

    def _transition(self, event: TableEvent, before: State, action: Action, after: State) -> None:
        if events.Transition in self.observed:
            self.emit(events.Transition, event.value, action.value, before.value, after.value)
        if self.detour is not None:
            self.detour.add(self.detour.hops.transition(self, event.value, before.value, action.value, after.value))

    def _reads(self) -> bool:
        return len(self.backlog) < BACKLOG_LIMIT and (self.detour is None or self.detour.reading)

    def _goes_on(self) -> bool:
        return self.assembler.current is not None or self.upper.in_pdu

    def _wanted(self) -> int:
        return super()._wanted() & ~READ if self.held else super()._wanted()

    def is_quiet(self) -> bool:
        """Whether the association is open, and nothing is under way but the peer's next message."""
        return (
            self.upper.state is State.STA6
            and self.detour is None
            and self.is_open
            and self.transport is not None
            and self.transport.tls is None  # which may hold bytes that its descriptor does not show
            and not (self._unsent or self.upper.wants_to_send or self.tasks or self.jobs or self.backlog)
        )

    def _outlook(self) -> tuple[float | None, int]:
        if self.held or self.exchange.invoked or not self.is_quiet():
            return self._deadline(), self._wanted()
        network = self._network_limit()
        return None if network is None else self._activity + network, READ

    def _network_limit(self) -> float | None:
        return None if self.held and not self.calls else super()._network_limit()

    def renew(self, operation: Operation) -> None:
        """The time limit for user code begins anew; for any thread."""
        task = self.tasks.get(operation)
        if task is not None:
            limit = self.timeouts.handler
            task.deadline = None if limit is None else self.clock.monotonic() + limit

    def _deadline(self) -> float | None:
        deadline = super()._deadline()
        if not (self.tasks or self.exchange.invoked) or not self.is_open:
            return deadline
        others = [task.deadline for task in self.tasks.values()]
        return min((one for one in (deadline, self.exchange.deadline(), *others) if one is not None), default=None)

    def _check_time(self, now: float) -> None:
        super()._check_time(now)
        if self.tasks and self.is_open:
            dispatch.overdue(self, now)
        if self.exchange.invoked and self.outcome is None:
            for operation in self.exchange.expired(now)[:1]:
                self.time_out("dimse", operation.timeout or 0.0)

    def __repr__(self) -> str:
        return f"<Session {self.association_number} {self.side.value} {self.state.value} {host_and_port(*self.remote)}>"
