"""`UpperLayer`: one side of one association, driven by local primitives, received bytes, the transport and the clock.

Nothing is decided here that Table 9-10 decides. Each of the four drivers is turned into an event; the event and the
state find a cell, the cell's action is a row of `ACTIONS`, and the row is carried out. What is left to this file is
what the table does not speak of: bytes into PDUs, and P-DATA as a stream.

P-DATA-TF is the exception to "a PDU, then an event", because nobody wants to hold a PDU of 100 MB before its first byte
is used. In the states in which the table has a P-DATA indication, fragments are handed on as they come, and Evt10
happens when the last has come; in the others it happens at the first. What a receiver of fragments finds wrong with one
makes the PDU an invalid one: Evt19 takes the place of its Evt10.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from dicomsim.errors import StateError, WireError
from dicomsim.events import Side
from dicomsim.upper_layer.actions import ACTIONS, CHOICES, NOTHING, OTHERWISE, PDU_EVENTS, Artim, Occasion, Step
from dicomsim.upper_layer.negotiation import DEFAULT_MAXIMUM_LENGTH
from dicomsim.upper_layer.outgoing import SEND_LIMIT, Buffer, Outgoing
from dicomsim.upper_layer.primitives import (
    AbortIndication,
    AbortRequest,
    AssociateConfirmation,
    AssociateIndication,
    AssociateRequest,
    AssociateResponse,
    CloseTransport,
    Effect,
    OpenTransport,
    Primitive,
    ProviderAbortIndication,
    ReleaseConfirmation,
    ReleaseIndication,
    ReleaseRequest,
    ReleaseResponse,
)
from dicomsim.upper_layer.table import TRANSITIONS, Action, Event, State, Table
from dicomsim.upper_layer.validity import check_answer, check_request
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.framer import P_DATA_END, PDV, Framer
from dicomsim.wire.pdu import Abort, AssociateAC, AssociateRQ, Pdu

DEFAULT_ARTIM: Final = 30.0
"""Seconds. The standard gives no value, only that it can be set (PS3.8 §9.1.5); most implementations take this."""

_DATA_INDICATIONS: Final = frozenset((Action.DT_2, Action.AR_6))

OnPdv = Callable[[int, int, memoryview, bool], None]
OnTransition = Callable[[Event, State, Action, State], None]


class UpperLayer:
    """The state machine of PS3.8 §9.2.

    `now` is monotonic seconds everywhere. `on_pdv(context_id, control, chunk, complete)` gets the fragments as they
    come, each chunk valid only during the call; a `WireError` that it raises makes the PDU invalid. `on_transition`
    is told of every step, also of those that stay in their state, after the action has been carried out.
    """

    def __init__(
        self,
        side: Side,
        *,
        artim: float = DEFAULT_ARTIM,
        maximum_length: int = DEFAULT_MAXIMUM_LENGTH,
        table: Table = TRANSITIONS,
        on_pdv: OnPdv,
        on_transition: OnTransition | None = None,
    ) -> None:
        """Start in Sta1. `artim` is seconds; `maximum_length` what we announce and then enforce, 0 for no limit."""
        self.side = side
        self.state = State.STA1
        self.error: WireError | None = None
        """The last fault that became Evt19."""
        self.artim = artim
        """Seconds that ARTIM runs when it is started next."""
        self._table = table
        self.on_pdv = on_pdv
        """Takes the fragments; may be set again between two of them."""
        self.on_p_data_end: Callable[[], None] | None = None
        """Told when a P-DATA-TF is complete: the next one may belong to another message. PS3.8 Annex E."""
        self._on_transition = on_transition
        self._framer = Framer(p_data_limit=maximum_length)
        self._outgoing = Outgoing()
        self._effects: list[Effect] = []
        self._deadline: float | None = None
        self._request: AssociateRQ | None = None
        self._request_bytes = b""
        self._judged = False  # the present P-DATA-TF has had its event
        self._enter(State.STA1)

    def __repr__(self) -> str:
        return f"<UpperLayer {self.side.value} {self.state.value}>"

    def connected(self, now: float) -> None:
        """The transport connection is up: Evt2 for the requestor, Evt5 for the acceptor; raises `StateError`."""
        event = Event.EVT2 if self.side is Side.REQUESTOR else Event.EVT5
        self._refuse_unless_defined(event)
        self._framer.reset()
        self._outgoing.clear()
        self._judged = False
        self._step(event, now, self._request)

    def connect_failed(self, now: float) -> None:
        """The transport connection that was asked for did not come about: Evt17."""
        self.closed(now)

    def closed(self, now: float) -> None:
        """The transport connection has ended: Evt17. What was still to be sent is dropped."""
        self._outgoing.clear()
        self._step(Event.EVT17, now)

    def receive(self, data: bytes | bytearray | memoryview, now: float) -> None:
        """Take bytes from the transport; what comes after the connection is over is dropped.

        Raises nothing of its own. What a callback raises besides `WireError` passes through, and the bytes behind are
        lost: the user can only abort.
        """
        try:
            for piece in self._framer.receive(data):
                if piece[0] == PDV:
                    if self._judged:
                        continue
                    if not self._takes_p_data:
                        self._judged = True
                        self._step(Event.EVT10, now)
                        continue
                    try:
                        self.on_pdv(piece[1], piece[2], piece[3], piece[4])
                    except WireError as error:
                        self._judged = True
                        self._receive_invalid(error, now)
                elif piece[0] == P_DATA_END:
                    self._end_p_data(now)
                else:
                    self._receive_pdu(piece[2], now)
                    if self.state is State.STA1:
                        break
        except WireError as error:
            if not self._judged:
                self._receive_invalid(error, now)

    def request(self, primitive: Primitive, now: float) -> None:
        """Ask for what the local user wants.

        Raises `StateError` if that cannot be asked for in this state, and `WireError` if the PDU that the primitive
        carries has a value that has no bytes; either way nothing has happened.
        """
        event = primitive.event
        self._refuse_unless_defined(event)
        if isinstance(primitive, AssociateRequest):
            self._request_bytes = encode_pdu(primitive.pdu)  # now, for when it is sent is too late to refuse it
            self._request = primitive.pdu
        self._step(event, now, primitive.pdu)

    def send_p_data(self, buffers: Iterable[Buffer], now: float) -> None:
        """Send P-DATA-TF PDUs (Evt9), which `data_to_send` takes from `buffers` only when it wants them.

        Each buffer is a piece of encoded PDUs, whose borders need not be those of the PDUs as long as no six byte
        header lies across two of them. An abort drops what has not begun. Raises `StateError`.
        """
        if not self._sends_p_data:
            self._refuse_unless_defined(Event.EVT9)
        self._outgoing.extend(buffers)
        if self._on_transition is not None:
            self._step(Event.EVT9, now)

    def sends_at_once(self) -> bool:
        """Whether the bytes of whole P-DATA-TF may go past `send_p_data`: it would only hold and count them."""
        return self._sends_p_data and self._on_transition is None and not self._outgoing

    def effects(self) -> list[Effect]:
        """Take what has happened since the last call."""
        effects, self._effects = self._effects, []
        return effects

    def data_to_send(self, limit: int = SEND_LIMIT) -> list[Buffer]:
        """Take buffers for the transport, never joined: about `limit` bytes and at most 1024 buffers, [] for nothing.

        What the iterator of `send_p_data` raises passes through; abort and close the connection then.
        """
        return self._outgoing.take(limit)

    @property
    def wants_to_send(self) -> bool:
        """Whether `data_to_send` is worth a call; it may find the last lazy run at its end and give nothing."""
        return bool(self._outgoing)

    @property
    def in_pdu(self) -> bool:
        """Whether the peer has begun a PDU and not ended it."""
        return self._framer.in_pdu

    def deadline(self) -> float | None:
        """When ARTIM runs out, or None while it does not run."""
        return self._deadline

    def handle_timer(self, now: float) -> None:
        """Evt18 if ARTIM has run out by `now`; otherwise nothing."""
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self._step(Event.EVT18, now)

    def _end_p_data(self, now: float) -> None:
        if self._judged:
            self._judged = False
            return
        if self.on_p_data_end is not None:
            self.on_p_data_end()
        if self._on_transition is not None or not self._takes_p_data:
            self._step(Event.EVT10, now)

    def _receive_pdu(self, raw: bytes, now: float) -> None:
        try:
            pdu = decode_pdu(raw)
            self._check(pdu)
        except WireError as error:
            self._receive_invalid(error, now)
        else:
            self._step(PDU_EVENTS[raw[0]], now, pdu)

    def _check(self, pdu: Pdu) -> None:
        """Judge what a decoder cannot, in the state in which it matters; raises `WireError`.

        A request of another protocol version is not looked into: AE-6 rejects it.
        """
        if self.state is State.STA2 and isinstance(pdu, AssociateRQ):
            if pdu.protocol_version & 1:
                check_request(pdu)
        elif self.state is State.STA5 and isinstance(pdu, AssociateAC):
            assert self._request is not None
            check_answer(self._request, pdu)

    def _receive_invalid(self, error: WireError, now: float) -> None:
        if self.state in self._table[Event.EVT19]:
            self.error = error
            self._step(Event.EVT19, now, None, error)

    def _refuse_unless_defined(self, event: Event) -> None:
        if self.state not in self._table[event]:
            raise StateError(f"{event.value} has no place in {self.state.value}: PS3.8 Table 9-10")

    def _step(self, event: Event, now: float, pdu: Pdu | None = None, error: WireError | None = None) -> None:
        """Find the cell, carry out its action, enter the next state; without a cell nothing happens."""
        before = self.state
        cell = self._table[event].get(before)
        if cell is None:
            return
        action, states = cell
        step = ACTIONS[action]
        if step is NOTHING and not isinstance(states, tuple):
            after = states
        else:
            after = self._carry_out(action, step, states, Occasion(event, before, pdu, error), now)
        if after is not before:
            self._enter(after)
        if self._on_transition is not None:
            self._on_transition(event, before, action, after)

    def _carry_out(
        self, action: Action, step: Step, states: State | tuple[State, State], occasion: Occasion, now: float
    ) -> State:
        """Do what the action does, and choose the next state if there are two."""
        if isinstance(states, tuple):
            first = CHOICES[action](occasion, self.side)
            step = step if first else OTHERWISE.get(action, step)
            states = states[0 if first else 1]
        if step.send is not None:
            self._send(step.send(occasion))
        if step.artim is not None:
            self._deadline = now + self.artim if step.artim is Artim.START else None
        if step.tell is not None:
            self._effects.append(step.tell(occasion))
        if step.transport is not None:
            self._effects.append(step.transport())
        return states

    def _send(self, pdu: Pdu) -> None:
        if isinstance(pdu, Abort):
            self._outgoing.cut()
        self._outgoing.append(self._request_bytes if pdu is self._request else encode_pdu(pdu))

    def _enter(self, state: State) -> None:
        """Change the state, and look up once what P-DATA would otherwise look up for every PDU."""
        self.state = state
        indicates = self._table[Event.EVT10].get(state)
        self._takes_p_data = indicates is not None and indicates[0] in _DATA_INDICATIONS
        self._sends_p_data = state in self._table[Event.EVT9]


__all__ = [
    "DEFAULT_ARTIM",
    "AbortIndication",
    "AbortRequest",
    "AssociateConfirmation",
    "AssociateIndication",
    "AssociateRequest",
    "AssociateResponse",
    "Buffer",
    "CloseTransport",
    "Effect",
    "OpenTransport",
    "Primitive",
    "ProviderAbortIndication",
    "ReleaseConfirmation",
    "ReleaseIndication",
    "ReleaseRequest",
    "ReleaseResponse",
    "UpperLayer",
]
