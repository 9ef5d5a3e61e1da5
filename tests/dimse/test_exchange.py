"""The books of an association: ids, windows, pairing, deadlines, cancellation."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from dicomsim.dimse.builders import (
    build,
    c_cancel_rq,
    c_echo_rq,
    c_echo_rsp,
    c_find_rq,
    c_find_rsp,
    c_store_rq,
    c_store_rsp,
    respond,
)
from dicomsim.dimse.exchange import MAX_MESSAGE_ID, Arrival, Exchange, Operation
from dicomsim.dimse.messages import Message
from dicomsim.errors import StateError

PENDING = 0xFF00


def echo(message_id: int) -> Message:
    return c_echo_rq(message_id, 1)


def find(message_id: int) -> Message:
    return c_find_rq(message_id, 5, "1.2.3", b"")


def test_message_ids_count_from_one() -> None:
    exchange = Exchange()

    assert [1, 2, 3] == [exchange.next_message_id() for _ in range(3)]


def test_message_ids_go_round_and_leave_out_those_in_use() -> None:
    exchange = Exchange(invoked_window=0)
    for message_id in (1, 2, MAX_MESSAGE_ID):
        exchange.invoke(echo(message_id), 0.0)
    for expected in range(3, MAX_MESSAGE_ID):
        assert expected == exchange.next_message_id()

    assert 3 == exchange.next_message_id()


@pytest.mark.slow
def test_there_is_an_end_of_message_ids() -> None:
    exchange = Exchange(invoked_window=0)
    waiting = Operation(echo(1), 1)
    for message_id in range(1, MAX_MESSAGE_ID + 1):
        exchange.invoked[message_id] = waiting

    with pytest.raises(StateError, match="all message ids"):
        exchange.next_message_id()
    exchange.invoked[0] = exchange.invoked.pop(500)
    assert 500 == exchange.next_message_id()


def test_a_request_is_outstanding_until_its_final_response() -> None:
    exchange = Exchange()
    operation = exchange.invoke(find(9), 0.0)
    request = operation.request

    arrivals = [
        exchange.received(c_find_rsp(request, PENDING, b""), 0.0),
        exchange.received(c_find_rsp(request, 0xFF01, b""), 0.0),
        exchange.received(c_find_rsp(request), 0.0),
        exchange.received(c_find_rsp(request), 0.0),
    ]

    assert [
        (Arrival.PENDING, operation),
        (Arrival.PENDING, operation),
        (Arrival.FINAL, operation),
        (Arrival.STRAY_RESPONSE, None),
    ] == arrivals
    assert (3, True) == (operation.responses, operation.final)
    assert exchange.is_idle


def test_pending_ends_an_operation_that_knows_no_pending() -> None:
    exchange = Exchange()
    operation = exchange.invoke(c_store_rq(1, 1, "1.2", "1.2.3", b""), 0.0)

    assert (Arrival.FINAL, operation) == exchange.received(c_store_rsp(operation.request, PENDING), 0.0)


def test_a_response_without_status_is_final() -> None:
    exchange = Exchange()
    operation = exchange.invoke(find(1), 0.0)
    response = c_find_rsp(operation.request)
    del response.command[0x900]

    assert (Arrival.FINAL, operation) == exchange.received(response, 0.0)


def test_responses_are_paired_by_id_in_any_order() -> None:
    exchange = Exchange(invoked_window=3)
    operations = [exchange.invoke(echo(message_id), 0.0) for message_id in (1, 2, 3)]

    paired = [exchange.received(c_echo_rsp(operations[index].request), 0.0)[1] for index in (2, 0, 1)]

    assert [operations[2], operations[0], operations[1]] == paired


def test_a_response_that_does_not_fit_leaves_its_operation_outstanding() -> None:
    exchange = Exchange()
    operation = exchange.invoke(find(1), 0.0)
    other_service = c_echo_rsp(operation.request)
    other_context = c_find_rsp(operation.request)
    other_context.context_id = 7

    assert (Arrival.OTHER_SERVICE, operation) == exchange.received(other_service, 0.0)
    assert (Arrival.OTHER_CONTEXT, operation) == exchange.received(other_context, 0.0)
    assert (Arrival.STRAY_RESPONSE, None) == exchange.received(
        c_find_rsp(operation.request, message_id_being_responded_to=2), 0.0
    )
    assert {1: operation} == exchange.invoked
    assert 0 == operation.responses


@pytest.mark.parametrize(("window", "fits"), [(1, 1), (3, 3), (0, 50)])
def test_no_more_is_invoked_than_the_window_allows(window: int, fits: int) -> None:
    exchange = Exchange(invoked_window=window)
    for message_id in range(1, fits + 1):
        assert exchange.may_invoke
        exchange.invoke(echo(message_id), 0.0)

    assert (window == 0) is exchange.may_invoke
    if window:
        with pytest.raises(StateError, match=f"the window of {window} outstanding operations is full"):
            exchange.invoke(echo(99), 0.0)


def test_a_message_id_in_use_cannot_be_invoked_again() -> None:
    exchange = Exchange(invoked_window=0)
    exchange.invoke(echo(5), 0.0)

    with pytest.raises(StateError, match="the message id 5 belongs to an outstanding operation"):
        exchange.invoke(find(5), 0.0)


@pytest.mark.parametrize("message", [build("C-ECHO-RQ", 1), c_echo_rsp(echo(1)), c_cancel_rq(1, 1)])
def test_only_a_request_with_an_id_can_be_invoked(message: Message) -> None:
    with pytest.raises(StateError, match="cannot be invoked"):
        Exchange().invoke(message, 0.0)


def test_each_response_has_its_time() -> None:
    exchange = Exchange()
    operation = exchange.invoke(find(1), 100.0, timeout=30.0)
    assert 130.0 == exchange.deadline()

    exchange.received(c_find_rsp(operation.request, PENDING, b""), 120.0)

    assert 150.0 == exchange.deadline()
    assert [] == exchange.expired(149.9)
    assert [operation] == exchange.expired(150.0)
    exchange.received(c_find_rsp(operation.request), 151.0)
    assert exchange.deadline() is None


def test_all_responses_together_have_a_time_too() -> None:
    exchange = Exchange()
    operation = exchange.invoke(find(1), 100.0, timeout=30.0, total=40.0)
    assert 130.0 == exchange.deadline()

    exchange.received(c_find_rsp(operation.request, PENDING, b""), 125.0)

    assert 140.0 == exchange.deadline()


def test_the_next_deadline_is_the_first_of_all() -> None:
    exchange = Exchange(invoked_window=0)
    operations = [
        exchange.invoke(echo(message_id), 0.0, timeout) for message_id, timeout in ((1, 20.0), (2, None), (3, 10.0))
    ]

    assert 10.0 == exchange.deadline()
    assert [operations[0], operations[2]] == exchange.expired(20.0)


def test_without_a_timeout_an_operation_waits_for_ever() -> None:
    exchange = Exchange()
    exchange.invoke(find(1), 0.0)

    assert exchange.deadline() is None
    assert [] == exchange.expired(1e9)


def test_a_late_response_to_an_abandoned_operation_is_a_stray() -> None:
    exchange = Exchange()
    operation = exchange.invoke(echo(1), 0.0)
    exchange.abandon(operation)
    exchange.abandon(operation)
    following = exchange.invoke(echo(2), 0.0)

    assert (Arrival.STRAY_RESPONSE, None) == exchange.received(c_echo_rsp(operation.request), 0.0)
    assert {2: following} == exchange.invoked


def test_abandoning_does_not_touch_a_later_operation_with_the_same_id() -> None:
    exchange = Exchange()
    operation = exchange.invoke(echo(1), 0.0)
    exchange.abandon(operation)
    later = exchange.invoke(echo(1), 0.0)
    exchange.abandon(operation)

    assert {1: later} == exchange.invoked


def test_an_operation_of_ours_can_be_cancelled_and_then_ends_by_itself() -> None:
    exchange = Exchange()
    operation = exchange.invoke(find(9), 0.0)

    cancel = exchange.cancel(operation)

    assert c_cancel_rq(9, 5) == cancel
    assert operation.cancelled
    assert (Arrival.PENDING, operation) == exchange.received(c_find_rsp(operation.request, PENDING, b""), 0.0)
    assert (Arrival.FINAL, operation) == exchange.received(c_find_rsp(operation.request, 0xFE00), 0.0)
    with pytest.raises(StateError, match="C-FIND-RQ 9 is not outstanding"):
        exchange.cancel(operation)


def test_what_knows_no_cancel_cannot_be_cancelled() -> None:
    exchange = Exchange()
    operation = exchange.invoke(echo(1), 0.0)

    with pytest.raises(StateError, match="C-ECHO-RQ cannot be cancelled"):
        exchange.cancel(operation)


def test_the_peers_request_is_outstanding_until_it_is_answered() -> None:
    exchange = Exchange()
    arrival, operation = exchange.received(find(0), 0.0)
    assert operation is not None
    assert (Arrival.REQUEST, 0, False) == (arrival, operation.message_id, exchange.is_idle)

    exchange.answered(operation, c_find_rsp(operation.request, PENDING, b""))
    assert (False, False) == (exchange.is_idle, operation.final)
    exchange.answered(operation, c_find_rsp(operation.request))

    assert exchange.is_idle
    assert (2, True) == (operation.responses, operation.final)


def test_a_request_with_the_id_of_an_outstanding_one_is_a_duplicate() -> None:
    exchange = Exchange(performed_window=0)
    first = exchange.received(find(5), 0.0)[1]

    arrival, duplicate = exchange.received(echo(5), 0.0)

    assert Arrival.DUPLICATE_REQUEST is arrival
    assert duplicate is not None
    exchange.answered(duplicate, respond(duplicate.request, 0x0210))
    assert {5: first} == exchange.performed


def test_an_id_may_be_used_again_when_its_operation_is_over() -> None:
    exchange = Exchange()
    _, operation = exchange.received(echo(5), 0.0)
    assert operation is not None
    exchange.answered(operation, c_echo_rsp(operation.request))

    assert Arrival.REQUEST is exchange.received(echo(5), 0.0)[0]


@pytest.mark.parametrize("window", [1, 2])
def test_a_request_beyond_the_window_is_entered_and_told(window: int) -> None:
    exchange = Exchange(performed_window=window)
    arrivals = [exchange.received(echo(message_id), 0.0)[0] for message_id in range(window + 1)]

    assert [Arrival.REQUEST] * window + [Arrival.EXCESS_REQUEST] == arrivals
    assert window + 1 == len(exchange.performed)


def test_both_sides_may_have_one_operation_with_the_same_id() -> None:
    exchange = Exchange()
    ours = exchange.invoke(find(1), 0.0)

    arrival, theirs = exchange.received(c_store_rq(1, 3, "1.2", "1.2.3", b""), 0.0)

    assert Arrival.REQUEST is arrival
    assert (ours, theirs) == (exchange.invoked[1], exchange.performed[1])


def test_a_cancel_marks_the_operation() -> None:
    exchange = Exchange()
    _, operation = exchange.received(find(9), 0.0)
    assert operation is not None

    assert (Arrival.CANCEL, operation) == exchange.received(c_cancel_rq(9, 5), 0.0)
    assert (Arrival.CANCEL, operation) == exchange.received(c_cancel_rq(9, 5), 0.0)
    assert operation.cancelled


def test_a_cancel_without_an_operation_to_cancel_is_a_stray() -> None:
    exchange = Exchange(performed_window=0)
    _, operation = exchange.received(echo(1), 0.0)

    assert (Arrival.STRAY_CANCEL, operation) == exchange.received(c_cancel_rq(1, 1), 0.0)
    assert (Arrival.STRAY_CANCEL, None) == exchange.received(c_cancel_rq(2, 1), 0.0)
    assert operation is not None
    assert not operation.cancelled


class Books(RuleBasedStateMachine):
    """One side's books, kept once by `Exchange` and once in the plainest way there is."""

    ours = Bundle("ours")
    theirs = Bundle("theirs")

    @initialize(invoked=st.integers(0, 4), performed=st.integers(0, 4))
    def begin(self, invoked: int, performed: int) -> None:
        self.exchange = Exchange(invoked, performed)
        self.now = 0.0
        self.open: dict[int, float | None] = {}
        self.serving: set[int] = set()

    @rule(seconds=st.integers(0, 40))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @precondition(lambda self: self.exchange.may_invoke)
    @rule(target=ours, make=st.sampled_from([echo, find]), timeout=st.sampled_from([None, 5.0, 30.0]))
    def invoke(self, make: type, timeout: float | None) -> Operation:
        message_id = self.exchange.next_message_id()
        assert 1 <= message_id <= MAX_MESSAGE_ID
        assert message_id not in self.open
        self.open[message_id] = None if timeout is None else self.now + timeout
        return self.exchange.invoke(make(message_id), self.now, timeout)

    @precondition(lambda self: not self.exchange.may_invoke)
    @rule()
    def invoke_too_much(self) -> None:
        assert len(self.open) >= self.exchange.invoked_window > 0
        with pytest.raises(StateError):
            self.exchange.invoke(echo(self.exchange.next_message_id()), self.now)

    @rule(operation=ours, status=st.sampled_from([0, PENDING, 0xFE00, 0xA700]))
    def peer_responds(self, operation: Operation, status: int) -> None:
        outstanding = operation.message_id in self.open
        pending = status == PENDING and operation.request.name == "C-FIND-RQ"

        arrival, found = self.exchange.received(respond(operation.request, status), self.now)

        if not outstanding:
            assert (Arrival.STRAY_RESPONSE, None) == (arrival, found)
        elif pending:
            assert (Arrival.PENDING, operation) == (arrival, found)
            self.open[operation.message_id] = None if operation.timeout is None else self.now + operation.timeout
        else:
            assert (Arrival.FINAL, operation) == (arrival, found)
            del self.open[operation.message_id]

    @rule(operation=ours)
    def cancel(self, operation: Operation) -> None:
        if operation.message_id in self.open and operation.request.name == "C-FIND-RQ":
            assert operation.message_id == self.exchange.cancel(operation).message_id_being_responded_to
        else:
            with pytest.raises(StateError):
                self.exchange.cancel(operation)

    @rule(operation=consumes(ours))
    def abandon(self, operation: Operation) -> None:
        self.exchange.abandon(operation)
        self.open.pop(operation.message_id, None)

    @rule(target=theirs, make=st.sampled_from([echo, find]), message_id=st.integers(0, 5))
    def peer_requests(self, make: type, message_id: int) -> Operation:
        window = self.exchange.performed_window
        expected = (
            Arrival.DUPLICATE_REQUEST
            if message_id in self.serving
            else Arrival.EXCESS_REQUEST
            if 0 < window <= len(self.serving)
            else Arrival.REQUEST
        )

        arrival, operation = self.exchange.received(make(message_id), self.now)

        assert expected is arrival
        assert operation is not None
        self.serving.add(message_id)
        return operation

    @rule(operation=theirs, status=st.sampled_from([0, PENDING, 0x0210]))
    def answer(self, operation: Operation, status: int) -> None:
        current = self.exchange.performed.get(operation.message_id) is operation
        response = respond(operation.request, status)
        self.exchange.answered(operation, response)
        if current and not response.is_pending:
            self.serving.remove(operation.message_id)

    @rule(message_id=st.integers(0, 5))
    def peer_cancels(self, message_id: int) -> None:
        arrival, operation = self.exchange.received(c_cancel_rq(message_id, 5), self.now)

        known = operation is not None and operation.request.name == "C-FIND-RQ"
        assert (Arrival.CANCEL if known else Arrival.STRAY_CANCEL) is arrival
        assert (message_id in self.serving) is (operation is not None)

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "exchange"):
            return
        deadlines = [deadline for deadline in self.open.values() if deadline is not None]
        assert self.open.keys() == self.exchange.invoked.keys()
        assert self.serving == self.exchange.performed.keys()
        assert min(deadlines, default=None) == self.exchange.deadline()
        assert sum(deadline <= self.now for deadline in deadlines) == len(self.exchange.expired(self.now))
        assert (not self.open and not self.serving) is self.exchange.is_idle


TestBooks = pytest.mark.slow(Books.TestCase)
