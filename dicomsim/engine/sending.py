"""Sending messages: by way of the rules to the upper layer, now, or once the transport has taken what is before."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from dicomsim.dimse.exchange import Exchange, Operation
from dicomsim.dimse.fragmenter import fragment, fragment_in_place, joined
from dicomsim.dimse.messages import Message
from dicomsim.engine import dispatch
from dicomsim.engine.detour import Run
from dicomsim.engine.hops import PassMessage, Raw
from dicomsim.engine.poller import WRITE
from dicomsim.engine.reactor import Reactor
from dicomsim.engine.timeouts import Timeouts
from dicomsim.engine.transport import SENDS_FILES, Buffer, TcpTransport
from dicomsim.engine.waiting import Waiting
from dicomsim.engine.witness import Observer
from dicomsim.errors import AssociationError
from dicomsim.events import MessageOut, Side
from dicomsim.upper_layer.agreement import Agreement

GATHER_SECONDS = 0.005
"""How long a Pending response may wait for others, so that a fast handler does not wake the peer for each of them."""

GATHER_BYTES = 1 << 14
"""Bytes of their data sets after which they go out at once."""


class Sending(Waiting):
    """A pump that messages are sent with; every method that does not say otherwise is for the owner."""

    __slots__ = ("_gathered", "_gathered_until", "agreement", "exchange")

    agreement: Agreement | None
    """What was agreed on; None before there is an association."""
    exchange: Exchange
    """The outstanding operations of both sides."""

    def __init__(
        self, side: Side, reactor: Reactor, timeouts: Timeouts, association_number: int, observer: Observer | None
    ) -> None:
        super().__init__(side, reactor, timeouts, association_number, observer)
        self._gathered = 0  # bytes of responses that wait for others
        self._gathered_until: float | None = None

    def transmit(self, message: Message) -> None:
        """Hand a message to the upper layer, past the rules."""
        small = None
        waits = bool(self._unsent) and self._gathered_until is None
        if self.detour is None and not waits and self.upper.sends_at_once():
            small = joined(message, self.agreement.peer_maximum_length if self.agreement else 0)
        if small is not None:
            self._unsent.append(small)
        else:
            self.upper.send_p_data(self._encoded(message), self.clock.monotonic())
        if MessageOut in self.observed:
            self.emit(MessageOut, message)

    def post(self, message: Message) -> None:
        """Hand a message to the upper layer by way of the rules; what raises has sent nothing.

        What rules raise passes through; of a response, after the association was aborted.
        """
        if self.detour is None:
            self.transmit(message)
            return
        try:
            steps = self.detour.message_out(message)
        except BaseException as error:
            if not message.is_request:  # it counts as answered, and whoever has asked would wait for ever
                self.break_off(error)
            raise
        held = not all(isinstance(step, PassMessage) for step in steps)
        for step in steps:
            if not isinstance(step, PassMessage):
                self.detour.add((step,))
            elif held:
                self._hold_back(step.message)
            else:
                self.transmit(step.message)

    def _hold_back(self, message: Message) -> None:
        """Have a message wait among the steps that are around it."""
        assert self.detour is not None
        buffers = self._encoded(message)
        self.upper.send_p_data((), self.clock.monotonic())
        self.detour.add((Run(buffers),))
        self.emit(MessageOut, message)

    def _encoded(self, message: Message) -> Iterator[Buffer]:
        """The PDUs of a message; what cannot be had from the start is found out before anything is sent."""
        plain = SENDS_FILES and type(self.transport) is TcpTransport and self.detour is None
        cut = fragment_in_place if plain else fragment
        try:
            buffers = cut(message, self.agreement.peer_maximum_length if self.agreement else 0)
        except AssociationError as error:
            if not message.is_request:  # nothing fits, and whoever has asked would wait for ever
                self.abort(str(error))
            raise
        return chain((next(buffers),), buffers)

    def reply(self, operation: Operation, response: Message) -> None:
        """Answer a request of the peer; raises `AssociationError` when there is nobody left to hear it."""
        self.require_sending()
        self.exchange.answered(operation, response)
        self.post(response)

    def send_reply(self, operation: Operation, response: Message) -> None:
        """Answer a request of the peer; for jobs, which do not own the session; raises as `send` does.

        A Pending response that is not the first one goes out with the next ones, or in a moment.
        """
        waits_until = None
        self.take(quiet=False)
        try:
            self.exchange.answered(operation, response)
            if operation.final or operation.responses == 1 or self.detour is not None:
                self.send(response)
            else:
                waits_until = self._gather(response)
        finally:
            if waits_until is None:
                self.give_back()
            else:
                self.give_back_as_it_was(waits_until)

    def _gather(self, response: Message) -> float | None:
        """Post a response; until when it waits, if others did so before it."""
        self.require_sending()
        self.post(response)
        now, until = self.clock.monotonic(), self._gathered_until
        self._gathered += response.data_length
        if self._gathered < GATHER_BYTES:
            if until is None:
                self._gathered_until = now + GATHER_SECONDS
                return None
            if now < until:
                return until
        self._stop_gathering()
        if not (self.flush() and self.all_sent()):
            self.pump_until(self.all_sent)
            self.require_life()
        return None

    def _stop_gathering(self) -> None:
        self._gathered, self._gathered_until = 0, None

    def _wanted(self) -> int:
        wanted = super()._wanted()
        if self._gathered_until is not None and self._blocked_since is None:
            wanted &= ~WRITE
        return wanted

    def _deadline(self) -> float | None:
        deadline, gathered = super()._deadline(), self._gathered_until
        if gathered is None or not self.is_open:
            return deadline
        return gathered if deadline is None else min(deadline, gathered)

    def _check_time(self, now: float) -> None:
        if self._gathered_until is not None and now >= self._gathered_until:
            self._stop_gathering()  # what comes next writes
        super()._check_time(now)

    def send(self, message: Message) -> None:
        """Send a message and wait until the transport has taken it; for jobs and callers, owning it or not.

        In the reactor's thread, which cannot wait, the rest is sent later. Raises the error of the outcome when the
        association is over, and what a file to be sent raises: before anything of the message is sent the association
        goes on, after that it is aborted.
        """
        self.take(quiet=False)
        try:
            self._post(message)
            if not (self.reactor.is_here or self.all_sent()):
                self.pump_until(self.all_sent)
            self.require_life()
        finally:
            self.give_back()

    def send_raw(self, data: bytes) -> None:
        """Send bytes past the state machine and the rules, behind what waits to be sent; for callers, owning it or not.

        Raises `AssociationError` when there is no connection, or none is left before all of them are taken.
        """
        self.take()
        try:
            if not self.is_open:
                self.require_life()
            if not data:
                return  # a transport that takes none of it would count as one that takes nothing
            if self.detour is not None:
                self.detour.add((Raw(data),))
            else:
                while self.upper.wants_to_send:
                    self._unsent += self.upper.data_to_send()
                self._unsent.append(data)
            self.pump_until(self.all_sent)
            if not self.is_open and self.outcome is not None:
                raise self.outcome.error()
        finally:
            self.give_back()

    def _post(self, message: Message) -> None:
        self.require_sending()
        self.post(message)
        self.flush()

    def require_sending(self) -> None:
        """Raise the error of the outcome if there is one, and `AssociationError` where nothing can be sent."""
        if self.outcome is not None or not self.is_open:
            self.require_life()
        if self.state not in dispatch.SENDING:
            raise AssociationError(f"nothing can be sent in {self.state.value}")

    def require_life(self) -> None:
        """Raise the error of the outcome if there is one already."""
        if self.outcome is not None:
            raise self.outcome.error()
        if not self.is_open:
            raise AssociationError("there is no association")
