"""`Session`: one association, from its connection to its outcome, with the messages that go over it.

`ownership` says who may touch it, `pump` moves its bytes, `dispatch` sees to what they mean. Requests beyond the
negotiated window wait in `backlog`, and when too many do, nothing more is read.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dicomsim import events
from dicomsim.dimse.assembler import Assembler
from dicomsim.dimse.exchange import Exchange, Operation
from dicomsim.dimse.fragmenter import fragment
from dicomsim.engine import dispatch
from dicomsim.engine.detour import Detour
from dicomsim.engine.hops import Hops, PassMessage
from dicomsim.engine.poller import READ, WRITE
from dicomsim.engine.pump import Observer, Pump, wants
from dicomsim.engine.reactor import Reactor
from dicomsim.engine.timeouts import Timeouts
from dicomsim.engine.transport import Buffer, Transport
from dicomsim.errors import AssociationError, DicomsimError, StateError
from dicomsim.events import Side
from dicomsim.outcome import Outcome, aborted
from dicomsim.upper_layer.machine import UpperLayer
from dicomsim.upper_layer.primitives import AbortRequest, Primitive
from dicomsim.upper_layer.table import Action, State
from dicomsim.upper_layer.table import Event as TableEvent

if TYPE_CHECKING:
    from dicomsim.dimse.data import Sink
    from dicomsim.dimse.messages import Message
    from dicomsim.engine.handler import Handler
    from dicomsim.upper_layer.negotiation import Agreement
    from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ

BACKLOG_LIMIT = 8
"""Requests that may wait behind the negotiated window before the peer is no longer read."""

ABORTABLE = frozenset(set(State) - {State.STA1, State.STA2, State.STA4, State.STA13})
"""States in which an A-ABORT request sends an A-ABORT. PS3.8 Table 9-10, Evt15."""

association_numbers = itertools.count(1)
"""Numbers the associations of this process, those of scripts included."""


class Session(Pump):
    """One association; every method that does not say otherwise is for the owner."""

    __slots__ = (
        "_behaviour_state", "agreement", "answer_pdu", "assembler", "backlog", "calls", "exchange", "handler", "held",
        "release_wanted", "request_pdu", "serving", "target", "user",
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
        observed = hops is not None or wants(observer, events.Transition)
        self.upper = UpperLayer(
            side,
            artim=timeouts.artim,
            maximum_length=maximum_length,
            on_pdv=self._first_pdv,
            on_transition=self._transition if observed else None,
        )
        self.upper.on_p_data_end = self.assembler.end_of_pdu
        self.detour = Detour(self, hops) if hops is not None else None
        self.agreement: Agreement | None = None
        self.request_pdu: AssociateRQ | None = None
        self.answer_pdu: AssociateAC | AssociateRJ | None = None
        self.target: tuple[str, int] = ("", 0)
        """The address that was asked for, of a requestor."""
        self.user: Any = None
        """Whatever the handler keeps with the session."""
        self.serving = 0
        """Requests of the peer that are being answered."""
        self.backlog: deque[Operation] = deque()
        """Requests of the peer that wait for their turn."""
        self.calls = 0
        """Callers that wait for an answer: they do the peer's requests meanwhile."""
        self.held = 0
        """Callers with an answer in hand: until they ask for the next one, nothing is read."""
        self.release_wanted = False
        """Whether the peer's release request waits for answers to go first."""
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
        self._activity = self.clock.monotonic()
        self.emit(events.ConnectionOpened, transport.local, transport.remote, self.side, transport.tls is not None)
        self.handler.connected(self)
        self.reactor.add(self, 0)
        if self.detour is not None:
            self.detour.add(self.detour.hops.connected(self))
        self.upper.connected(self._activity)
        dispatch.effects(self)
        if self.is_open:
            self.flush()

    def request(self, primitive: Primitive) -> None:
        """Make a local primitive and see to what follows; raises `StateError` where Table 9-10 has no cell."""
        self.upper.request(primitive, self.clock.monotonic())
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
            self.handler.ended(self, outcome)

    def give_up(self) -> None:
        """Abort, if there is an association to abort."""
        if self.state in ABORTABLE:
            self.request(AbortRequest())

    def abort(self, cause: str = "") -> None:
        """Abort as the local user, for this cause."""
        self.finish(aborted(self.side, 0, 0, cause=cause, **self.circumstances()))
        self.give_up()

    # -- messages ----------------------------------------------------------------------------------------------------

    def transmit(self, message: Message) -> None:
        """Hand a message to the upper layer, past the rules."""
        limit = self.agreement.peer_maximum_length if self.agreement else 0
        self.upper.send_p_data(fragment(message, limit), self.clock.monotonic())
        if self.observer is not None:
            self.emit(events.MessageOut, message)

    def post(self, message: Message) -> None:
        """Hand a message to the upper layer by way of the rules."""
        if self.detour is None:
            self.transmit(message)
            return
        steps = list(self.detour.hops.message_out(self, message))
        held = not all(isinstance(step, PassMessage) for step in steps)
        if held:  # then what came before, and what is not held, must stay in order
            self._divert()
        for step in steps:
            if isinstance(step, PassMessage):
                self.transmit(step.message)
                if held:
                    self._divert()
            else:
                self.detour.add((step,))

    def _divert(self) -> None:
        assert self.detour is not None
        while self.upper.wants_to_send:
            self.detour.outgoing(self.upper.data_to_send())

    def reply(self, operation: Operation, response: Message) -> None:
        """Answer a request of the peer."""
        self.exchange.answered(operation, response)
        self.post(response)

    def send_reply(self, operation: Operation, response: Message) -> None:
        """Answer a request of the peer; for jobs, which do not own the session; raises as `send` does."""
        self.take(quiet=False)
        try:
            self.exchange.answered(operation, response)
            self.send(response)
        finally:
            self.give_back()

    def send(self, message: Message) -> None:
        """Send a message and wait until the transport has taken it; for jobs and callers, owning it or not.

        Raises `AssociationError` when the association is over, and what a file to be sent raises.
        """
        self.take(quiet=False)
        try:
            self._post(message)
            if not self.all_sent():
                self.pump_until(self.all_sent)
            self.require_life()
        finally:
            self.give_back()

    def call(self, message: Message, ready: Callable[[], bool]) -> None:
        """Send a request and pump until `ready`; comes back early when the association ends. For callers."""
        self.take()
        self.calls += 1
        try:
            self._post(message)
            self.pump_until(ready, "dimse", self.timeouts.dimse)
        finally:
            self.calls -= 1
            self.give_back()

    def await_more(self, ready: Callable[[], bool]) -> None:
        """Pump until `ready`: for further answers to a request that `call` has sent. For callers."""
        self.take()
        self.calls += 1
        try:
            self.pump_until(ready, "dimse", self.timeouts.dimse)
        finally:
            self.calls -= 1
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

    def _post(self, message: Message) -> None:
        self.require_life()
        try:
            self.post(message)
            self.flush()
        except StateError as error:
            raise AssociationError(f"nothing can be sent in {self.state.value}: {error}") from error
        except DicomsimError:  # what was to be sent cannot be had, and part of it may be on its way
            self.give_up()
            raise

    def require_life(self) -> None:
        """Raise the error of the outcome if there is one already."""
        if self.outcome is not None:
            raise self.outcome.error()
        if not self.is_open:
            raise AssociationError("there is no association")

    # -- what the upper layer calls ----------------------------------------------------------------------------------

    def deliver(self, data: Buffer, now: float) -> None:
        """Give bytes to the state machine and see to what follows."""
        if self._framers is not None:
            for pdu in self._framers[0].pdus(data):
                self.emit(events.PduIn, pdu)
        self.upper.receive(data, now)
        dispatch.messages(self)
        dispatch.effects(self)

    def settle(self) -> None:
        """See to the effects of the state machine."""
        dispatch.effects(self)

    def _first_pdv(self, context_id: int, control: int, chunk: memoryview, complete: bool) -> None:
        """P-DATA may come right behind the A-ASSOCIATE-AC: see to that first, then stand aside."""
        dispatch.effects(self)
        self.upper.on_pdv = self.assembler.pdv
        if self.outcome is None:
            self.assembler.pdv(context_id, control, chunk, complete)

    def _sink(self, message: Message) -> Sink | None:
        return self.handler.sink(self, message)

    def _transition(self, event: TableEvent, before: State, action: Action, after: State) -> None:
        self.emit(events.Transition, event.value, action.value, before.value, after.value)
        if self.detour is not None:
            self.detour.add(self.detour.hops.transition(self, event.value, before.value, action.value, after.value))

    def _wanted(self) -> int:
        wanted = super()._wanted()
        if self.held or len(self.backlog) >= BACKLOG_LIMIT:
            return wanted & ~READ
        if wanted & READ and self.transport is not None and self.transport.pending():
            return wanted | WRITE  # what has been decrypted is not seen from outside, and writing is possible at once
        return wanted

    def _network_limit(self) -> float | None:
        return None if self.held and not self.calls else super()._network_limit()

    def __repr__(self) -> str:
        host, port = self.remote
        return f"<Session {self.association_number} {self.side.value} {self.state.value} {host}:{port}>"
