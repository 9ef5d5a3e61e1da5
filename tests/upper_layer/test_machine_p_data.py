from __future__ import annotations

from collections.abc import Iterator

import pytest

from dicomsim.errors import StateError, WireError, WireFault
from dicomsim.events import Side
from dicomsim.upper_layer.machine import AbortRequest, AssociateResponse, ProviderAbortIndication, ReleaseRequest
from dicomsim.upper_layer.table import Action, Event, State
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import Abort, PDataTF, Pdv
from tests.upper_layer.driving import ANSWER, MAXIMUM_LENGTH, NOW, PLACES, RELEASE_RQ, REQUEST_BYTES, Driven, reach

COMMAND = Pdv(1, 3, b"command!")
FIRST = Pdv(1, 0, b"first half, ")
SECOND = Pdv(1, 2, b"second half.")
TWO_PDUS = encode_pdu(PDataTF((COMMAND,))) + encode_pdu(PDataTF((FIRST, SECOND)))
WHOLE = [(1, 3, b"command!", True), (1, 0, b"first half, ", True), (1, 2, b"second half.", True)]
INDICATED = (State.STA6, State.STA7)


@pytest.mark.parametrize(("state", "side"), [place for place in PLACES if place[0] in INDICATED])
@pytest.mark.parametrize("quiet", [False, True])
def test_fragments_are_handed_on_where_the_table_indicates_p_data(state: State, side: Side, quiet: bool) -> None:
    driven = reach(state, side, quiet=quiet)
    driven.machine.receive(TWO_PDUS, NOW)
    assert driven.pdvs == WHOLE
    action = Action.DT_2 if state is State.STA6 else Action.AR_6
    assert driven.steps == ([] if quiet else [(Event.EVT10, state, action, state)] * 2)
    assert (driven.state, driven.effects(), driven.sent()) == (state, [], b"")


@pytest.mark.parametrize(("state", "side"), [place for place in PLACES if place[0] not in INDICATED])
def test_fragments_are_handed_on_nowhere_else(state: State, side: Side) -> None:
    driven = reach(state, side)
    driven.machine.receive(TWO_PDUS, NOW)
    assert driven.pdvs == []


def test_a_fragment_is_a_view_of_what_was_received() -> None:
    seen: list[object] = []
    data = bytearray(TWO_PDUS)
    driven = reach(State.STA6, on_pdv=lambda _id, _control, chunk, _complete: seen.append(chunk.obj is data))
    driven.machine.receive(data, NOW)
    assert seen == [True, True, True]


@pytest.mark.parametrize("quiet", [False, True])
def test_one_byte_at_a_time_gives_the_same_fragments(quiet: bool) -> None:
    driven = reach(State.STA6, quiet=quiet)
    for position in range(len(TWO_PDUS)):
        driven.machine.receive(TWO_PDUS[position : position + 1], NOW)
    parts: list[tuple[int, int, bytes]] = []
    data = b""
    for context_id, control, chunk, complete in driven.pdvs:
        data += chunk
        if complete:
            parts.append((context_id, control, data))
            data = b""
    assert (parts, data) == ([part[:3] for part in WHOLE], b"")
    assert [step[0] for step in driven.steps] == ([] if quiet else [Event.EVT10, Event.EVT10])


def test_the_end_of_each_p_data_tf_is_told() -> None:
    driven = reach(State.STA6)
    ends: list[int] = []
    driven.machine.on_p_data_end = lambda: ends.append(len(driven.pdvs))
    driven.machine.receive(TWO_PDUS, NOW)
    assert ends == [1, 3]


def test_the_receiver_of_fragments_may_be_set_again_between_two_of_them() -> None:
    second: list[bytes] = []

    def first(_id: int, _control: int, chunk: memoryview, _complete: bool) -> None:
        assert bytes(chunk) == COMMAND.data
        driven.machine.on_pdv = lambda _id, _control, chunk, _complete: second.append(bytes(chunk))

    driven = reach(State.STA6, on_pdv=first)
    driven.machine.receive(TWO_PDUS, NOW)
    assert second == [FIRST.data, SECOND.data]


def refuse(_context_id: int, control: int, _chunk: memoryview, _complete: bool) -> None:
    """Take commands only."""
    if not control & 1:
        raise WireError(6, "P-DATA-TF", "no data set wanted", WireFault.UNEXPECTED_PARAMETER)


@pytest.mark.parametrize("quiet", [False, True])
def test_a_fragment_that_is_refused_makes_its_pdu_invalid(quiet: bool) -> None:
    driven = reach(State.STA6, on_pdv=refuse, quiet=quiet)
    driven.machine.receive(TWO_PDUS + encode_pdu(Abort()), NOW)
    if not quiet:
        assert [(step[0], step[2]) for step in driven.steps] == [
            (Event.EVT10, Action.DT_2),
            (Event.EVT19, Action.AA_8),
            (Event.EVT16, Action.AA_2),
        ]
    error = driven.machine.error
    assert error is not None
    assert driven.effects()[0] == ProviderAbortIndication(5, str(error), error, local=True)
    assert driven.sent_pdus() == [Abort(2, 5)]
    assert driven.state is State.STA1


def test_nothing_more_is_handed_on_after_a_refusal() -> None:
    calls: list[int] = []

    def count_and_refuse(_id: int, _control: int, _chunk: memoryview, _complete: bool) -> None:
        calls.append(1)
        raise WireError(6, "P-DATA-TF", "not this one")

    driven = reach(State.STA6, on_pdv=count_and_refuse)
    driven.machine.receive(TWO_PDUS, NOW)
    assert len(calls) == 1
    assert [step[2] for step in driven.steps] == [Action.AA_8, Action.AA_6]


def test_a_fault_of_ours_passes_through_and_ends_the_reading() -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    driven = reach(State.STA6, on_pdv=fail)
    with pytest.raises(ZeroDivisionError):
        driven.machine.receive(TWO_PDUS + RELEASE_RQ, NOW)
    driven.machine.receive(RELEASE_RQ, NOW)
    assert driven.state is State.STA6
    driven.machine.request(AbortRequest(), NOW)
    assert driven.sent_pdus() == [Abort(0, 0)]


def test_p_data_that_begins_too_early_is_not_joined_half_way() -> None:
    driven = reach(State.STA3)
    driven.machine.receive(TWO_PDUS[:15], NOW)
    assert driven.steps == [(Event.EVT10, State.STA3, Action.AA_8, State.STA13)]
    assert driven.sent_pdus() == [Abort(2, 2)]
    driven.machine.receive(TWO_PDUS[15:], NOW)
    assert [step[2] for step in driven.steps] == [Action.AA_8, Action.AA_6]
    assert driven.pdvs == []


def test_a_pdu_that_has_been_refused_once_is_not_refused_again_for_its_end() -> None:
    broken = encode_pdu(PDataTF((COMMAND, FIRST)))
    broken = broken[:20] + b"\0\0\0\1" + broken[24:]
    driven = reach(State.STA3)
    driven.machine.receive(broken, NOW)
    assert [step[2] for step in driven.steps] == [Action.AA_8]
    assert driven.sent_pdus() == [Abort(2, 2)]


def test_p_data_above_the_length_announced_is_invalid_as_soon_as_it_says_so() -> None:
    longest = encode_pdu(PDataTF((Pdv(1, 0, bytes(MAXIMUM_LENGTH - 6)),)))
    driven = reach(State.STA6)
    driven.machine.receive(longest, NOW)
    assert [step[2] for step in driven.steps] == [Action.DT_2]
    driven.machine.receive(b"\4\0" + (MAXIMUM_LENGTH + 1).to_bytes(4), NOW)
    assert [step[2] for step in driven.steps] == [Action.DT_2, Action.AA_8]
    assert driven.sent_pdus() == [Abort(2, 6)]


@pytest.mark.parametrize(("limit", "action"), [(0, Action.DT_2), (100, Action.AA_8)])
def test_the_length_that_is_taken_can_be_set(limit: int, action: Action) -> None:
    driven = reach(State.STA6, maximum_length=limit)
    driven.machine.receive(encode_pdu(PDataTF((Pdv(1, 0, bytes(20_000)),))), NOW)
    assert driven.steps[0][2] is action


def lazy(taken: list[int]) -> Iterator[bytes]:
    for number, pdu in enumerate((PDataTF((COMMAND,)), PDataTF((FIRST,)), PDataTF((SECOND,)))):
        taken.append(number)
        yield encode_pdu(pdu)


@pytest.mark.parametrize(("state", "action"), [(State.STA6, Action.DT_1), (State.STA8, Action.AR_7)])
def test_p_data_is_taken_when_it_is_wanted(state: State, action: Action) -> None:
    driven = reach(state)
    taken: list[int] = []
    driven.machine.send_p_data(lazy(taken), NOW)
    assert driven.steps == [(Event.EVT9, state, action, state)]
    assert driven.machine.wants_to_send
    assert taken == []
    assert driven.machine.data_to_send(1) == [encode_pdu(PDataTF((COMMAND,)))]
    assert taken == [0]
    assert len(driven.machine.data_to_send()) == 2
    assert not driven.machine.wants_to_send


@pytest.mark.parametrize(("state", "side"), [place for place in PLACES if place[0] not in (State.STA6, State.STA8)])
@pytest.mark.parametrize("quiet", [False, True])
def test_p_data_cannot_be_sent_elsewhere(state: State, side: Side, quiet: bool) -> None:
    driven = reach(state, side, quiet=quiet)
    with pytest.raises(StateError):
        driven.machine.send_p_data([TWO_PDUS], NOW)
    assert not driven.machine.wants_to_send


def test_what_is_sent_keeps_its_order() -> None:
    driven = reach(State.STA3, quiet=True)
    driven.machine.request(AssociateResponse(ANSWER), NOW)
    driven.machine.send_p_data([TWO_PDUS], NOW)
    driven.machine.send_p_data([TWO_PDUS[:6], TWO_PDUS[6:]], NOW)
    driven.machine.request(ReleaseRequest(), NOW)
    assert driven.sent() == encode_pdu(ANSWER) + TWO_PDUS * 2 + RELEASE_RQ


@pytest.mark.parametrize("by_us", [True, False])
def test_an_abort_does_not_wait_for_what_is_still_to_be_sent(by_us: bool) -> None:
    driven = reach(State.STA6)
    taken: list[int] = []
    driven.machine.send_p_data(lazy(taken), NOW)
    begun = driven.machine.data_to_send(1)
    if by_us:
        driven.machine.request(AbortRequest(), NOW)
    else:
        driven.machine.receive(REQUEST_BYTES, NOW)
    assert len(begun) == 1
    assert driven.sent_pdus() == [Abort(0, 0) if by_us else Abort(2, 2)]
    assert taken == [0]


def test_an_abort_comes_behind_the_pdu_that_has_begun() -> None:
    driven = reach(State.STA6)
    driven.machine.send_p_data([TWO_PDUS[:12], TWO_PDUS[12:30], TWO_PDUS[30:]], NOW)
    begun = driven.machine.data_to_send(1)
    driven.machine.request(AbortRequest(), NOW)
    assert b"".join(map(bytes, begun)) + driven.sent() == encode_pdu(PDataTF((COMMAND,))) + encode_pdu(Abort())


def test_what_a_lost_connection_leaves_unsent_is_dropped_and_closed() -> None:
    class Closing:
        closed = False

        def __iter__(self) -> Iterator[bytes]:
            try:
                yield TWO_PDUS[:6]
                yield TWO_PDUS[6:]
            finally:
                self.closed = True

    run = Closing()
    driven = reach(State.STA6)
    driven.machine.send_p_data(run, NOW)
    driven.machine.data_to_send(1)
    driven.machine.closed(NOW)
    assert run.closed
    assert not driven.machine.wants_to_send


def test_two_messages_behind_each_other_in_one_read_are_two() -> None:
    driven: Driven = reach(State.STA6, Side.ACCEPTOR)
    driven.machine.receive(TWO_PDUS * 2 + RELEASE_RQ, NOW)
    assert driven.pdvs == WHOLE * 2
    assert driven.state is State.STA8
