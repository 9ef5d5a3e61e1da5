"""The lifecycle handlers: which are called, with what, and in which order."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from dicomsim.ae import AE
from dicomsim.engine.stream import connect_stream
from dicomsim.events import Ended, Side
from dicomsim.lifecycle import AbortPrimitive, AssociatePrimitive, Notices, ReleasePrimitive, call_with
from dicomsim.outcome import Ending
from tests.meeting import LIMIT, VERIFICATION, Calls, acceptor, meeting, requestor, serving

LIFECYCLE = (
    "on_make_connection",
    "on_receive_connection",
    "on_association_requested",
    "on_association_accepted",
    "on_association_rejected",
    "on_association_released",
    "on_association_aborted",
)


def watched(ae: AE) -> Calls:
    """Every lifecycle handler of the AE calls this one, with its name first."""
    calls = Calls()
    for name in LIFECYCLE:
        setattr(ae, name, lambda argument, name=name: calls(name, argument))
    return calls


def names(calls: Calls, count: int) -> list[str]:
    """The names of the next handlers called."""
    return [calls.next()[0].removeprefix("on_") for _ in range(count)]


def test_a_released_association_tells_both_sides_each_step_in_order() -> None:
    asking, answering = requestor(), acceptor()
    asked, answered = watched(asking), watched(answering)
    with meeting(asking, answering) as association:
        association.release()
    assert ["make_connection", "association_accepted", "association_released"] == names(asked, 3)
    assert [
        "receive_connection",
        "association_requested",
        "association_accepted",
        "association_released",
    ] == names(answered, 4)
    assert asked.is_empty and answered.is_empty


def test_a_rejected_association_tells_both_sides_the_codes() -> None:
    asking, answering = requestor(), acceptor(require_called_aet="OTHER")
    rejections = [Calls(), Calls()]
    asking.on_association_rejected, answering.on_association_rejected = rejections
    asking.on_association_aborted = answering.on_association_aborted = Calls()
    with meeting(asking, answering):
        for primitive in (one.next() for one in rejections):
            assert isinstance(primitive, AssociatePrimitive)
            assert (1, 1, 7) == (primitive.result, primitive.result_source, primitive.diagnostic)
    assert asking.on_association_aborted.is_empty


@pytest.mark.parametrize("by", [Side.REQUESTOR, Side.ACCEPTOR])
def test_an_aborted_association_tells_both_sides_by_whom(by: Side) -> None:
    asking, answering = requestor(), acceptor()
    aborts = [Calls(), Calls()]
    asking.on_association_aborted, answering.on_association_aborted = aborts
    with meeting(asking, answering) as association:
        one_end = association if by is Side.REQUESTOR else answering.active_associations[0]
        one_end.abort()
        for primitive in (one.next() for one in aborts):
            assert isinstance(primitive, AbortPrimitive)
            assert (0, None, by) == (primitive.abort_source, primitive.provider_reason, primitive.by)
            assert primitive.outcome is not None and Ending.ABORTED is primitive.outcome.how


def test_an_abort_by_a_provider_has_its_reason() -> None:
    asking, answering = requestor(), acceptor()
    aborts = [Calls(), Calls()]
    asking.on_association_aborted, answering.on_association_aborted = aborts
    with meeting(asking, answering) as association:
        association.session.send_raw(bytes.fromhex("080000000000"))  # a PDU type that there is not
        for primitive in (one.next() for one in aborts):
            assert (2, 1, Side.ACCEPTOR) == (primitive.abort_source, primitive.provider_reason, primitive.by)


def test_a_connection_that_is_lost_is_an_abort_without_codes() -> None:
    asking, answering = requestor(), acceptor()
    aborted = answering.on_association_aborted = Calls()
    with meeting(asking, answering) as association:
        association.kill()
        primitive = aborted.next()
    assert (None, None) == (primitive.abort_source, primitive.provider_reason)
    assert primitive.outcome.how is Ending.CLOSED and primitive.by is Side.REQUESTOR


def test_a_release_has_its_side_and_its_outcome() -> None:
    asking, answering = requestor(), acceptor()
    released = answering.on_association_released = Calls()
    with meeting(asking, answering) as association:
        association.release()
        primitive = released.next()
    assert isinstance(primitive, ReleasePrimitive) and primitive.by is Side.REQUESTOR
    assert primitive.outcome is primitive.association.outcome
    assert primitive.outcome is not None and primitive.outcome.is_orderly


def test_an_accepted_association_has_request_and_answer_in_its_primitive() -> None:
    asking, answering = requestor(VERIFICATION, "1.2.3"), acceptor(maximum_pdu_size=4096)
    accepted = asking.on_association_accepted = Calls()
    with meeting(asking, answering, ae_title="THEM") as association:
        primitive = accepted.next()
        assert (b"REQUESTOR       ", b"THEM            ") == (primitive.calling_ae_title, primitive.called_ae_title)
        assert "1.2.840.10008.3.1.1.1" == primitive.application_context_name
        assert (0, None, None) == (primitive.result, primitive.result_source, primitive.diagnostic)
        assert [1, 3] == [one.context_id for one in primitive.presentation_context_definition_list]
        assert [0, 3] == [one.result for one in primitive.presentation_context_definition_results_list]
        assert association.acceptor.user_information == primitive.user_information
        assert ("127.0.0.1", association.requestor.port) == primitive.calling_presentation_address
        assert ("127.0.0.1", association.acceptor.port) == primitive.called_presentation_address
        assert association is primitive.association


def test_a_request_has_no_answer_in_its_primitive() -> None:
    seen: list[Any] = []
    answering = acceptor()

    def look(primitive: AssociatePrimitive) -> None:
        seen.append((primitive.result, primitive.presentation_context_definition_results_list))
        seen.append(primitive.user_information == primitive.association.requestor.user_information)

    answering.on_association_requested = look
    with meeting(requestor(), answering):
        assert [(None, []), True] == seen


def test_primitives_are_one_line() -> None:
    asking, answering = requestor(), acceptor()
    accepted = asking.on_association_accepted = Calls()
    with meeting(asking, answering) as association:
        assert f"<AssociatePrimitive of {association!r}>" == repr(accepted.next())


def test_nobody_is_told_of_an_association_when_there_was_no_connection() -> None:
    with serving(acceptor()) as server:
        address = server.address
    asking = requestor()
    calls = watched(asking)
    assert asking.associate(*address).outcome is not None
    assert calls.is_empty


def test_a_connection_without_a_request_is_no_association() -> None:
    answering = acceptor()
    calls = watched(answering)
    ended = Calls()
    answering.events.add(ended)
    with serving(answering) as server:
        connect_stream(*server.address, LIMIT).close()
        assert "on_receive_connection" == calls.next()[0]
        ended.until(Ended)
    assert calls.is_empty


def test_the_order_is_kept_while_a_handler_takes_its_time() -> None:
    go_on = threading.Event()
    answering = acceptor()
    calls = Calls()

    def slow() -> None:
        go_on.wait(LIMIT)
        calls("accepted")

    answering.on_association_accepted = slow
    answering.on_association_released = lambda: calls("released")
    with meeting(requestor(), answering) as association:
        association.release()
        assert calls.is_empty
        go_on.set()
        assert ["accepted", "released"] == [calls.next(), calls.next()]


def test_one_associations_slow_handler_holds_up_no_other() -> None:
    go_on = threading.Event()
    asking, answering = requestor(), acceptor(maximum_associations=2)
    calls = Calls()

    def slow(primitive: AssociatePrimitive) -> None:
        if primitive.called_ae_title.startswith(b"SLOW"):
            go_on.wait(LIMIT)
        calls(primitive.called_ae_title.strip())

    answering.on_association_accepted = slow
    with serving(answering) as server:
        for title in ("SLOW", "FAST"):
            asking.associate(*server.address, ae_title=title)
        assert b"FAST" == calls.next()
        go_on.set()
        assert b"SLOW" == calls.next()
    asking.stop()


def test_a_handler_that_raises_is_logged_and_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    asking, answering = requestor(), acceptor()

    def mistaken() -> None:
        raise RuntimeError("a mistake")

    released = answering.on_association_released = Calls()
    answering.on_receive_connection = answering.on_association_accepted = mistaken
    with caplog.at_level(logging.ERROR, "dicomsim"), meeting(asking, answering) as association:
        assert 0 == association.c_echo().status
        association.release()
        released.next()
    assert 2 == caplog.text.count("RuntimeError: a mistake")


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (lambda: (), ()),
        (lambda one: (one,), (1,)),
        (lambda one, two: (one, two), (1, 2)),
        (lambda *all_of_them: all_of_them, (1, 2)),
        (lambda one=None: (one,), (1,)),
        (lambda *, keyword=5: (keyword,), (5,)),
    ],
)
def test_a_handler_gets_as_many_arguments_as_it_takes(handler: Any, expected: tuple[int, ...]) -> None:
    assert expected == call_with(handler, 1, 2)


def test_a_callable_that_does_not_tell_its_arguments_gets_all_of_them() -> None:
    assert (1, 2) == call_with(min, (1, 2), (3, 4))


class Inline:
    """A session whose workers run jobs when told."""

    def __init__(self) -> None:
        self.jobs: list[Any] = []
        self.reactor = self.workers = self

    def submit(self, job: Any) -> None:
        self.jobs.append(job)


def test_workers_that_overtake_each_other_keep_the_order() -> None:
    session, notices, calls = Inline(), Notices(), Calls()
    for number in range(3):
        notices.tell(session, lambda number=number: calls(number))  # type: ignore[arg-type]
    for job in reversed(session.jobs):
        job()
    assert [0, 1, 2] == [calls.next() for _ in range(3)]


def test_without_a_handler_no_worker_is_troubled() -> None:
    session = Inline()
    Notices().tell(session, None)  # type: ignore[arg-type]
    assert [] == session.jobs


def test_a_job_that_breaks_off_does_not_stop_what_comes_after() -> None:
    session, notices, calls = Inline(), Notices(), Calls()

    def breaks_off() -> None:
        raise SystemExit

    first = notices.in_turn(session, breaks_off)  # type: ignore[arg-type]
    second = notices.in_turn(session, lambda: calls("second"))  # type: ignore[arg-type]
    with pytest.raises(SystemExit):
        first()
    second()
    notices.in_turn(session, lambda: calls("third"))()  # type: ignore[arg-type]
    assert ["second", "third"] == [calls.next(), calls.next()]
