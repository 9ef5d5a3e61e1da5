"""Bytes between a transport and the state machine: ends in every state, windows that are full, observers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomsim.dimse.builders import c_find_rsp
from dicomsim.dimse.data import FileSlice
from dicomsim.engine.pump import READS_A_TURN
from dicomsim.engine.read_buffer import READ_BUFFER
from dicomsim.errors import FileError
from dicomsim.events import BytesOut, CloseHow, ConnectionClosed, Event, PduIn, PduOut, Side, Transition
from dicomsim.upper_layer.primitives import AbortRequest
from dicomsim.upper_layer.table import State
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.pdu import Abort, PDataTF
from tests.engine.doubles import (
    ABORT,
    AC,
    PLACES,
    RELEASE_RQ,
    RQ,
    Reached,
    Stage,
    ask,
    echo,
    echo_rq,
    find_rq,
    kinds,
    pdus,
    release,
    said,
    sent,
    store_rq,
)

HALF_A_PDU = sent(store_rq(bytes(1000)))[:500]


def places(*without: State) -> pytest.MarkDecorator:
    """All places but those in some states."""
    chosen = [place for place in PLACES if place[0] not in without]
    return pytest.mark.parametrize(("state", "side"), chosen, ids=[f"{s.value} {w.value}" for s, w in chosen])


# -- reading -----------------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 40))
def test_reads_and_writes_may_be_of_any_size(read: int, written: int) -> None:
    stage = Stage()
    here, there = stage.join()
    for end in (here.transport, there.transport):
        end.most_read, end.most_written = read, written  # type: ignore[union-attr]
    assert 0 == echo(here)
    ask(here, store_rq(bytes(range(200))))
    assert bytes(range(200)) == stage.acceptor.operations[-1].request.data_bytes()
    assert "released" == release(here)


def test_a_peer_that_never_stops_does_not_keep_the_others_waiting() -> None:
    stage = Stage()
    greedy, served = stage.accept()
    modest, _ = stage.accept()
    flood = sent(store_rq(bytes(READ_BUFFER)))
    greedy.write(flood * (READS_A_TURN * 3))
    modest.write(sent(echo_rq()))
    stage.reactor.turn(0)
    assert ["PDataTF"] == kinds(modest)
    assert served.transport is not None
    assert served.transport.is_ready(1)  # type: ignore[attr-defined]
    stage.reactor.run()
    assert READS_A_TURN * 3 + 1 == len(stage.acceptor.operations)


def test_the_rest_of_a_message_that_has_begun_is_read_in_the_same_turn() -> None:
    stage = Stage()
    end, session = stage.accept()
    session.transport.most_read = 30  # type: ignore[union-attr]
    end.write(sent(echo_rq()))
    stage.reactor.turn(0)
    assert ["PDataTF"] == kinds(end)


def test_what_is_wrong_with_a_pdu_is_said_before_the_end_behind_it_is_seen() -> None:
    stage = Stage()
    end, _ = stage.accept()
    end.write(b"\x05\0\0\0\0\x05" + bytes(5))
    end.half_close()
    stage.reactor.turn(0)
    assert ["Abort"] == kinds(end)


def test_a_request_behind_the_answer_to_the_association_request_is_not_lost() -> None:
    stage = Stage()
    session, end = stage.open(answer=AC + sent(echo_rq(7)))
    assert ["established", "request"] == stage.requestor.log[-2:]
    assert ["PDataTF"] == kinds(end)
    assert State.STA6 is session.state


def test_an_abort_behind_the_answer_is_the_end() -> None:
    stage = Stage()
    session, end = stage.open(answer=AC + ABORT)
    assert "aborted" == stage.requestor.outcome
    assert not session.is_open and end.is_over


# -- writing -----------------------------------------------------------------------------------------------------------


def test_a_peer_that_does_not_read_stalls_nobody_else() -> None:
    stage = Stage()
    deaf, stalled = stage.accept()
    other, _ = stage.accept()
    deaf.window = 10
    deaf.write(sent(echo_rq(1)))
    stage.reactor.run()
    assert not stalled.all_sent()
    other.write(sent(echo_rq(1)))
    stage.reactor.run()
    assert ["PDataTF"] == kinds(other)
    deaf.window = None
    stage.reactor.run()
    assert stalled.all_sent()
    assert ["PDataTF"] == kinds(deaf)


def test_a_large_message_is_sent_in_turns_with_others() -> None:
    stage = Stage()
    here, _ = stage.join()
    data = bytes(5_000_000)
    operation = ask(here, store_rq(data))
    assert [0] == [reply.status for reply in operation.replies]
    assert len(data) == stage.acceptor.operations[-1].request.data_length


def test_writing_nothing_is_done_at_once() -> None:
    there = Reached(State.STA6, Side.ACCEPTOR)
    there.session.take()
    there.session._unsent.append(b"")
    assert there.session.flush()
    assert there.session.all_sent()
    there.session.give_back()


# -- data sources that fail --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [100, 20_000, 2_000_000])
def test_a_file_that_is_gone_before_it_is_sent_costs_only_the_message(tmp_path: Path, length: int) -> None:
    stage = Stage()
    here, _ = stage.join()
    path = tmp_path / "a.dcm"
    path.write_bytes(bytes(length))
    message = store_rq(FileSlice(path))
    path.unlink()
    with pytest.raises(FileError, match=r"a\.dcm"):
        here.send(message)
    assert 0 == echo(here)


def test_a_file_that_shrinks_while_it_is_sent_ends_the_association_with_an_abort(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(bytes(3_000_000))
    message = store_rq(FileSlice(path))

    def shrink(event: Event) -> None:
        if isinstance(event, BytesOut) and len(event.data) > 100_000:
            path.write_bytes(b"")

    stage = Stage()
    here, there = stage.join(stage.setup(observer=shrink))
    with pytest.raises(FileError, match="ends at byte"):
        ask(here, message)
    (outcome,) = stage.requestor.outcomes
    assert ("aborted", Side.REQUESTOR) == (str(outcome.how), outcome.by)
    assert "ends at byte" in outcome.cause
    stage.reactor.run()
    assert "aborted" == stage.acceptor.outcome
    assert not here.is_open and not there.is_open


def test_a_source_that_fails_amid_a_pdu_ends_with_a_reset_for_nothing_else_can_be_said() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)

    def broken() -> Iterator[bytes]:
        yield b"\4\0\0\0\3\xe8" + bytes(10)
        raise OSError("the disk is gone")

    session = there.session
    session.take()
    session.upper.send_p_data(broken(), session.clock.monotonic())
    with pytest.raises(OSError, match="the disk is gone"):
        session.flush()
    session.give_back()
    assert there.end.was_reset
    assert "aborted" == there.user.outcome
    assert not session.is_open


def test_nothing_is_sent_twice_when_a_file_is_cut_while_the_system_sends_it() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    transport: Any = there.session.transport
    send, calls = transport.send, list[int]()

    def fail_amid(buffers: list[bytes]) -> int:
        calls.append(len(buffers))
        send([b"\4\0\0\0\3\xe8"])
        raise FileError("a.dcm: ends at byte 7")

    transport.send = fail_amid
    with pytest.raises(FileError):
        there.session.send(echo_rq())
    assert [1] == calls
    assert b"\4\0\0\0\3\xe8" == there.end.read()
    assert there.end.was_reset
    (outcome,) = there.user.outcomes
    assert ("aborted", "a.dcm: ends at byte 7") == (str(outcome.how), outcome.cause)


def test_a_reply_whose_file_is_lost_does_not_leave_the_peer_waiting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "identifier"
    path.write_bytes(bytes(3_000_000))
    there = Reached(State.STA6, Side.ACCEPTOR)

    def answer(session: Any, operation: Any) -> None:
        session.reply(operation, c_find_rsp(operation.request, 0xFF00, FileSlice(path)))
        path.write_bytes(b"")

    there.user.on["request"] = answer
    with caplog.at_level(logging.WARNING, "dicomsim"):
        there.hear(sent(find_rq()))
    assert "ends at byte" in caplog.text
    assert ABORT == there.end.read()[-len(ABORT) :]
    assert "aborted" == there.user.outcome


# -- observers ---------------------------------------------------------------------------------------------------------


def test_events_come_in_the_order_of_what_happens() -> None:
    stage, events = Stage(), list[Event]()
    here, _ = stage.join(stage.setup(observer=events.append))
    release(here)
    names = [
        f"{event.event}" if isinstance(event, Transition) else type(event).__name__
        for event in events
        if not isinstance(event, BytesOut)
    ]
    assert [
        "Evt1", "ConnectionOpened", "Evt2", "PduOut", "BytesIn", "PduIn", "Evt3", "Negotiated",
        "Evt11", "PduOut", "BytesIn", "PduIn", "Evt13", "Ended", "ConnectionClosed",
    ] == names  # fmt: skip


def test_several_pdus_of_one_read_are_each_told_before_what_they_lead_to() -> None:
    events: list[Event] = []
    stage = Stage()
    there = Reached(State.STA6, Side.ACCEPTOR, stage, stage.setup(observer=events.append))
    events.clear()
    there.hear(sent(echo_rq(1)) + RELEASE_RQ)
    seen = [event for event in events if isinstance(event, PduIn | Transition)]
    assert [PduIn, Transition, PduIn, Transition] == [type(event) for event in seen[:4]]


def test_an_observer_sees_garbage_without_harm() -> None:
    events: list[Event] = []
    stage = Stage()
    there = Reached(State.STA2, Side.ACCEPTOR, stage, stage.setup(observer=events.append))
    there.hear(b"GET / HTTP/1.1\r\n\r\n")
    assert [Abort(0, 0)] == said(there.end)
    assert [] == [event for event in events if isinstance(event, PduIn)]


def test_an_observer_that_fails_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: Event) -> None:
        raise ZeroDivisionError

    stage = Stage()
    with caplog.at_level(logging.CRITICAL, "dicomsim"):
        here, _ = stage.join(stage.setup(observer=broken), stage.setup(observer=broken))
        assert 0 == echo(here)
        assert "released" == release(here)


@pytest.mark.parametrize("kind", ["PduIn", "PduOut", "BytesIn", "BytesOut", "MessageIn", "MessageOut", "Transition"])
def test_an_observer_that_aborts_aborts_once_and_nothing_is_sent_twice(kind: str) -> None:
    stage = Stage()
    sessions: list[Any] = []
    aborted: list[str] = []

    def abort(event: Event) -> None:
        (session,) = sessions
        if type(event).__name__ == kind and session.state is State.STA6 and not aborted:
            aborted.append(kind)
            session.request(AbortRequest())

    stage.acceptor.on["connected"] = sessions.append
    end, session = stage.accept(stage.setup(observer=abort), established=False)
    end.write(RQ)
    stage.reactor.run()
    end.write(sent(echo_rq(1)) + sent(echo_rq(2)))
    stage.reactor.run()
    heard = [type(decode_pdu(pdu)).__name__ for pdu in pdus(end.read())]
    assert [kind] == aborted
    assert "Abort" == heard[-1]
    assert ["AssociateAC"] == [name for name in heard if name not in ("Abort", "PDataTF")]
    assert State.STA13 is session.state
    assert "aborted" == stage.acceptor.outcome


@pytest.mark.parametrize("kind", ["PduIn", "PduOut", "BytesIn", "BytesOut", "MessageIn", "MessageOut", "Transition"])
def test_an_observer_that_hangs_up_does_no_harm(kind: str) -> None:
    stage = Stage()
    sessions: list[Any] = []

    def hang_up(event: Event) -> None:
        (session,) = sessions
        if type(event).__name__ == kind and session.state is State.STA6:
            session.hang_up(reset=True)

    stage.acceptor.on["connected"] = sessions.append
    end, session = stage.accept(stage.setup(observer=hang_up), established=False)
    end.write(RQ + b"")
    stage.reactor.run()
    end.write(sent(echo_rq(1)) + sent(echo_rq(2)))
    stage.reactor.run()
    assert end.was_reset and not session.is_open
    assert "connection reset" == stage.acceptor.outcome


def test_what_is_written_is_told_as_pdus_whatever_the_peer_takes_at_once() -> None:
    events: list[Event] = []
    stage = Stage()
    there = Reached(State.STA6, Side.ACCEPTOR, stage, stage.setup(observer=events.append))
    assert there.session.transport is not None
    there.session.transport.most_written = 7  # type: ignore[attr-defined]
    events.clear()
    there.hear(sent(echo_rq(1)))
    told = [event.data for event in events if isinstance(event, PduOut)]
    assert [there.end.read()] == told
    assert isinstance(decode_pdu(told[0]), PDataTF)


def test_the_close_is_told_with_who_did_it_and_how() -> None:
    events: list[Event] = []
    stage = Stage()
    there = Reached(State.STA6, Side.ACCEPTOR, stage, stage.setup(observer=events.append))
    there.session.take()
    there.session.hang_up(reset=True)
    there.session.hang_up(reset=False)
    there.session.close()
    there.session.give_back()
    (closed,) = [event for event in events if isinstance(event, ConnectionClosed)]
    assert (Side.ACCEPTOR, CloseHow.RESET) == (closed.by, closed.how)
