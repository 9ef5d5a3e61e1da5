"""Whatever happens to a machine, in whatever order: it refuses what it must and never breaks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dicomsim.errors import StateError, WireError
from dicomsim.events import Side
from dicomsim.upper_layer.machine import (
    AbortRequest,
    AssociateRequest,
    AssociateResponse,
    CloseTransport,
    Effect,
    OpenTransport,
    Primitive,
    ReleaseRequest,
    ReleaseResponse,
)
from dicomsim.upper_layer.table import TRANSITIONS, Event, State
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import Abort
from tests.upper_layer.driving import (
    ANSWER,
    ARTIM,
    DATA,
    NOW,
    PLACES,
    REJECTION,
    RELEASE_RP,
    RELEASE_RQ,
    REQUEST,
    REQUEST_BYTES,
    Driven,
    reach,
)
from tests.wire.vectors import MALFORMED

REQUESTS: list[Primitive] = [
    AssociateRequest(REQUEST),
    AssociateResponse(ANSWER),
    AssociateResponse(REJECTION),
    ReleaseRequest(),
    ReleaseResponse(),
    AbortRequest(),
    AbortRequest(1, 7),
]

GOOD = [
    REQUEST_BYTES,
    RELEASE_RQ,
    RELEASE_RP,
    *(encode_pdu(pdu) for pdu in (ANSWER, REJECTION, DATA, Abort(), Abort(2, 6))),
]
BAD = [bytes.fromhex(vector["hex"]) for vector in MALFORMED.values() if len(vector["hex"]) < 1000]
ANY = st.sampled_from(GOOD + BAD)
PARTS = st.builds(lambda data, start, stop: data[start:stop], ANY, st.integers(0, 90), st.integers(0, 200))
STREAMS = st.sampled_from(GOOD) | ANY | PARTS | st.binary(max_size=30)

LEGAL = {
    (event, before, action, after)
    for event, cells in TRANSITIONS.items()
    for before, (action, states) in cells.items()
    for after in (states if isinstance(states, tuple) else (states,))
}


def connect(driven: Driven) -> None:
    driven.machine.connected(NOW)


def lose(driven: Driven) -> None:
    driven.machine.closed(NOW)


def expire(driven: Driven) -> None:
    driven.machine.handle_timer(NOW + ARTIM)


def take(driven: Driven) -> None:
    driven.machine.data_to_send(40)


def send(driven: Driven) -> None:
    driven.machine.send_p_data(iter((encode_pdu(DATA)[:12], encode_pdu(DATA)[12:])), NOW)


def ask(primitive: Primitive) -> Callable[[Driven], None]:
    return lambda driven: driven.machine.request(primitive, NOW)


def give(data: bytes) -> Callable[[Driven], None]:
    return lambda driven: driven.machine.receive(data, NOW)


DEEDS = st.one_of(
    st.sampled_from((connect, lose, expire, take, send)),
    st.sampled_from(REQUESTS).map(ask),
    STREAMS.map(give),
)


def refuse_some(_context_id: int, control: int, _chunk: memoryview, _complete: bool) -> None:
    if control & 4:
        raise WireError(0, "P-DATA-TF", "bit 2 is set")


@pytest.mark.slow
@settings(max_examples=300)
@given(st.sampled_from(PLACES), st.lists(DEEDS, max_size=12))
def test_nothing_breaks_a_machine(place: tuple[State, Side], deeds: list[Callable[[Driven], None]]) -> None:
    driven = reach(*place, on_pdv=refuse_some)
    for deed in deeds:
        before = (driven.state, driven.machine.deadline(), len(driven.steps))
        try:
            deed(driven)
        except StateError:
            assert (driven.state, driven.machine.deadline(), len(driven.steps)) == before
    assert LEGAL.issuperset(driven.steps)
    assert [after for _, _, _, after in driven.steps[:-1]] == [before for _, before, _, _ in driven.steps[1:]]
    assert driven.state is (driven.steps[-1][3] if driven.steps else place[0])
    assert (driven.machine.deadline() is not None) is (driven.state in (State.STA2, State.STA13))


@given(
    st.sampled_from(PLACES),
    st.lists(ANY, max_size=4),
    st.lists(st.integers(0, 600), max_size=6),
)
def test_where_the_stream_is_cut_does_not_matter(
    place: tuple[State, Side], pdus: list[bytes], places: list[int]
) -> None:
    data = b"".join(pdus)
    whole, cut = reach(*place, on_pdv=refuse_some), reach(*place, on_pdv=refuse_some)
    whole.machine.receive(data, NOW)
    for start, stop in pairwise([0, *sorted(min(place, len(data)) for place in places), len(data)]):
        cut.machine.receive(data[start:stop], NOW)
    assert cut.steps == whole.steps
    assert [type(effect) for effect in cut.effects()] == [type(effect) for effect in whole.effects()]
    assert cut.sent() == whole.sent()


COUNTS = st.sampled_from((1, 6, 10, 300, 1000))


class Joined(RuleBasedStateMachine):
    """Two conforming machines back to back, with users that do what they may, at any time, over a slow connection."""

    def __init__(self) -> None:
        super().__init__()
        self.sides = {side: Driven(side) for side in Side}
        self.wire: dict[Side, bytearray] = {side: bytearray() for side in Side}  # on the way from that side
        self.open: set[Side] = set()  # who holds the connection
        self.ask(Side.REQUESTOR, AssociateRequest(REQUEST))

    def ask(self, side: Side, primitive: Primitive) -> None:
        """A primitive that the state allows."""
        self.sides[side].machine.request(primitive, NOW)
        self.follow(side)

    def may(self, side: Side, event: Event) -> bool:
        return side in self.open and self.sides[side].state in TRANSITIONS[event]

    def follow(self, side: Side) -> None:
        """Do what the machine says."""
        for effect in self.sides[side].effects():
            self.carry_out(side, effect)

    def carry_out(self, side: Side, effect: Effect) -> None:
        driven = self.sides[side]
        driven.told.append(effect)
        if isinstance(effect, OpenTransport):
            self.open = set(Side)
            for other in Side:
                self.sides[other].machine.connected(NOW)
        elif isinstance(effect, CloseTransport):
            self.push(side, 1 << 20)
            self.open.discard(side)
            driven.machine.closed(NOW)

    def push(self, side: Side, limit: int) -> None:
        """Put bytes on the way."""
        for buffer in self.sides[side].machine.data_to_send(limit):
            self.wire[side] += buffer

    @initialize(established=st.booleans())
    def begin(self, established: bool) -> None:
        """Half of the time the beginning is behind them."""
        if established:
            self.write(Side.REQUESTOR, 1000)
            self.read(Side.ACCEPTOR, 1000)
            self.answer(Side.ACCEPTOR)
            self.write(Side.ACCEPTOR, 1000)
            self.read(Side.REQUESTOR, 1000)

    @rule(side=st.sampled_from(Side), limit=COUNTS)
    def write(self, side: Side, limit: int) -> None:
        """Bytes go on the way."""
        if side in self.open:
            self.push(side, limit)

    @rule(side=st.sampled_from(Side), count=COUNTS)
    def read(self, side: Side, count: int) -> None:
        """The other side's bytes arrive, or the end of them."""
        wire = self.wire[side.other]
        if side not in self.open:
            return
        if wire:
            data = bytes(wire[:count])
            del wire[:count]
            self.sides[side].machine.receive(data, NOW)
        elif side.other not in self.open:
            self.open.discard(side)
            self.sides[side].machine.closed(NOW)
        self.follow(side)

    @rule(side=st.sampled_from(Side))
    def release(self, side: Side) -> None:
        if self.may(side, Event.EVT11):
            self.ask(side, ReleaseRequest())

    @rule(side=st.sampled_from(Side))
    def answer(self, side: Side) -> None:
        if self.may(side, Event.EVT14):
            self.ask(side, ReleaseResponse())
        elif self.may(side, Event.EVT7):
            self.ask(side, AssociateResponse(ANSWER))

    @rule(side=st.sampled_from(Side))
    def transfer(self, side: Side) -> None:
        if self.may(side, Event.EVT9):
            self.sides[side].machine.send_p_data([encode_pdu(DATA)], NOW)

    @rule(side=st.sampled_from(Side), luck=st.integers(0, 9))
    def abort(self, side: Side, luck: int) -> None:
        if luck == 7 and self.may(side, Event.EVT15):
            self.ask(side, AbortRequest())

    @invariant()
    def nobody_finds_fault(self) -> None:
        """Conforming peers meet no cell that aborts for the provider, nor invalid PDUs."""
        for driven in self.sides.values():
            assert driven.machine.error is None
            assert not {step[2].value for step in driven.steps} & {"AA-7", "AA-8"}

    def settle(self) -> None:
        """Everything is read and answered."""
        for _ in range(12):
            for side in Side:
                self.write(side, 1 << 20)
                self.read(side, 1 << 20)
                self.answer(side)

    def teardown(self) -> None:
        """Left alone, both sides come to the end, with the timers' help if need be."""
        self.settle()
        for side in Side:
            self.release(side)
            self.settle()
        for side in Side:
            self.sides[side].machine.handle_timer(NOW + ARTIM)
            self.follow(side)
            self.read(side, 1)
        assert [driven.state for driven in self.sides.values()] == [State.STA1, State.STA1]
        self.nobody_finds_fault()


TestJoined = pytest.mark.slow(Joined.TestCase)
TestJoined.settings = settings(max_examples=80, stateful_step_count=40)
