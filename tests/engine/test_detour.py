"""Steps of rules, carried out in order in each direction by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from dicomsim.dimse.builders import respond
from dicomsim.dimse.data import FileSlice
from dicomsim.dimse.messages import Message
from dicomsim.engine.detour import HELD_LIMIT
from dicomsim.engine.hops import (
    Close,
    HalfClose,
    Pass,
    PassMessage,
    Raw,
    Reply,
    Request,
    Reset,
    Stall,
    Step,
    Wait,
)
from dicomsim.engine.read_buffer import READ_BUFFER
from dicomsim.engine.session import Session
from dicomsim.errors import AssociationError, FileError
from dicomsim.events import Side
from dicomsim.upper_layer.primitives import AbortRequest, ReleaseRequest
from dicomsim.upper_layer.table import State
from dicomsim.wire.pdu import Abort, AssociateRJ
from tests.engine.doubles import (
    ABORT,
    RELEASE_RP,
    RELEASE_RQ,
    RQ,
    Reached,
    Rules,
    Stage,
    ask,
    echo,
    echo_rq,
    kinds,
    messages,
    release,
    said,
    sent,
    store_rq,
)

RESPONSE = sent(respond(echo_rq()))


def acceptor(**hops: Callable[..., Any]) -> Reached:
    """An acceptor's session in Sta6 that gets these rules then."""
    stage = Stage()
    rules = Rules()
    there = Reached(State.STA6, Side.ACCEPTOR, stage, stage.setup(rules))
    rules.on.update(hops)
    return there


def only(pdu_type: int, *steps: Step) -> Callable[[Session, bytes], Iterable[Step]]:
    """A hop that has these steps for PDUs of one type, and passes all others."""
    return lambda session, data: steps if data[0] == pdu_type else (Pass(data),)


def test_rules_that_leave_things_alone_change_nothing() -> None:
    stage = Stage()
    here, _ = stage.join(stage.setup(Rules()), stage.setup(Rules()))
    assert 0 == echo(here)
    ask(here, store_rq(bytes(100_000)))
    assert bytes(100_000) == stage.acceptor.operations[-1].request.data_bytes()
    assert "released" == release(here)


def test_every_hop_sees_what_passes_it_in_both_directions() -> None:
    seen: list[str] = []

    def see(name: str, default: Callable[[Any], Step]) -> Callable[[Session, Any], Iterable[Step]]:
        def hop(session: Session, value: Any) -> Iterable[Step]:
            seen.append(name)
            return (default(value),)

        return hop

    there = acceptor(
        bytes_in=see("bytes_in", Pass), pdu_in=see("pdu_in", Pass), message_in=see("message_in", PassMessage),
        message_out=see("message_out", PassMessage), pdu_out=see("pdu_out", Pass), bytes_out=see("bytes_out", Pass),
    )  # fmt: skip
    there.hear(sent(echo_rq()))
    assert ["bytes_in", "pdu_in", "message_in", "message_out", "pdu_out", "bytes_out"] == seen
    assert RESPONSE == there.end.read()


# -- delays ------------------------------------------------------------------------------------------------------------


def test_a_delay_on_the_way_out_holds_back_what_follows_there_and_nothing_else() -> None:
    there = acceptor(pdu_out=lambda session, data: (Wait(2.0), Pass(data)))
    there.hear(sent(echo_rq(1)) + sent(echo_rq(2)))
    assert 2 == len(there.user.operations)
    there.stage.reactor.advance(1.9)
    assert b"" == there.end.read()
    there.stage.reactor.advance(0.2)
    assert 1 == len(messages(there.end.read()))
    there.stage.reactor.advance(2.0)
    assert 1 == len(messages(there.end.read()))


@pytest.mark.parametrize("hop", ["bytes_in", "pdu_in"])
def test_a_delay_on_the_way_in_holds_back_what_follows_there(hop: str) -> None:
    there = acceptor(**{hop: lambda session, data: (Wait(2.0), Pass(data))})
    there.hear(sent(echo_rq(1)))
    there.hear(RELEASE_RQ)
    assert b"" == there.end.read()
    there.stage.reactor.advance(2.1)
    assert ["PDataTF"] == kinds(there.end)
    there.stage.reactor.advance(2.1)
    assert ["ReleaseRP"] == kinds(there.end)


def test_an_end_comes_behind_the_bytes_before_it_however_long_they_are_held() -> None:
    there = acceptor(pdu_in=lambda session, data: (Wait(2.0), Pass(data)))
    there.end.write(ABORT)
    there.end.close()
    there.run()
    assert [] == there.user.outcomes
    there.stage.reactor.advance(2.1)
    assert "aborted" == there.user.outcome
    assert not there.session.is_open


def test_a_peer_is_not_read_for_ever_while_its_bytes_are_held_back() -> None:
    there = acceptor(pdu_in=lambda session, data: (Wait(1.0), Pass(data)))
    pdu = sent(store_rq(bytes(16_000)))
    there.end.write(pdu * 400)
    there.run()
    transport: Any = there.session.transport
    assert transport.is_ready(1)
    assert len(transport._inbox) > len(pdu) * 400 - HELD_LIMIT - READ_BUFFER
    there.stage.reactor.advance(1000.0)
    assert 400 == len(there.user.operations)


def test_a_message_that_is_delayed_is_followed_by_the_release_and_not_overtaken() -> None:
    there = acceptor(message_out=lambda session, message: (Wait(2.0), PassMessage(message)))
    there.hear(sent(echo_rq(1)) + RELEASE_RQ)
    assert b"" == there.end.read()
    there.stage.reactor.advance(2.1)
    assert ["PDataTF", "ReleaseRP"] == kinds(there.end)


def test_a_held_file_is_read_when_its_turn_comes(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(bytes(3_000_000))
    stage = Stage()
    rules = Rules(message_out=lambda session, message: (Wait(2.0), PassMessage(message)))
    here, _ = stage.join(stage.setup(rules))
    operation = ask(here, store_rq(FileSlice(path)))
    assert [0] == [reply.status for reply in operation.replies]
    assert 3_000_000 == stage.acceptor.operations[-1].request.data_length


def test_a_held_file_that_is_lost_meanwhile_ends_with_an_abort(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(bytes(3_000_000))
    stage = Stage()

    def lose(session: Session, message: Message) -> Iterable[Step]:
        path.write_bytes(b"")
        return (Wait(2.0), PassMessage(message))

    here, _ = stage.join(stage.setup(Rules(message_out=lose)))
    message = store_rq(FileSlice(path))
    with pytest.raises(FileError):
        ask(here, message)
    assert 0 == len(stage.requestor.outcomes)  # nothing of it was sent
    there = acceptor()
    there.stage.reactor.run()


def test_an_abort_does_not_wait_behind_a_message_that_is_held() -> None:
    there = acceptor(message_out=lambda session, message: (PassMessage(message), Wait(0.0), PassMessage(message)))
    there.end.window = 100
    there.session.take()
    there.session.post(store_rq(bytes(200_000)))
    there.session.flush()
    there.session.request(AbortRequest())
    there.session.give_back()
    there.end.window = None
    there.run()
    data = there.end.read()
    assert ABORT == data[-10:]
    assert len(data) < 40_000


# -- ends --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step", "reset"), [(Close(), False), (Reset(), True)])
@pytest.mark.parametrize("hop", ["pdu_in", "bytes_in"])
def test_a_rule_that_closes_closes(step: Step, reset: bool, hop: str) -> None:
    there = acceptor(**{hop: lambda session, data: (step,)})
    there.hear(sent(echo_rq()))
    assert there.end.is_over and reset == there.end.was_reset
    (outcome,) = there.user.outcomes
    assert (f"connection {'reset' if reset else 'closed'}", Side.ACCEPTOR) == (str(outcome.how), outcome.by)


@pytest.mark.parametrize("step", [Close(), Reset(), HalfClose(), Stall()])
def test_what_is_said_before_an_end_is_written_first_whatever_the_peer_takes(step: Step) -> None:
    there = acceptor(message_in=lambda session, message: (Raw(b"last words"), Reply(respond(message)), step))
    transport: Any = there.session.transport
    transport.most_written = 3
    there.hear(sent(echo_rq()))
    assert b"last words" + RESPONSE == there.end.read() or RESPONSE + b"last words" == there.end.read()


def test_after_a_half_close_nothing_is_sent_and_everything_is_read() -> None:
    there = acceptor(pdu_out=only(4, HalfClose()))
    there.hear(sent(echo_rq(1)))
    assert there.end.is_over and not there.end.was_reset
    there.hear(sent(echo_rq(2)))
    assert 2 == len(there.user.operations)
    assert b"" == there.end.read()
    assert there.session.outcome is None
    there.end.close()
    there.run()
    (outcome,) = there.user.outcomes
    assert Side.REQUESTOR is outcome.by


def test_a_stalled_session_says_nothing_more_and_still_listens() -> None:
    there = acceptor(pdu_in=only(4, Stall()))
    there.hear(sent(echo_rq(1)))
    there.hear(RELEASE_RQ)
    assert b"" == there.end.read()
    assert State.STA13 is there.session.state


def test_bytes_may_follow_a_refused_association() -> None:
    stage = Stage()
    rules = Rules(
        answer=lambda session, answer: AssociateRJ(2, 3, 1), pdu_out=lambda session, data: (Pass(data), Raw(b"!"))
    )
    there = Reached(State.STA2, Side.ACCEPTOR, stage, stage.setup(rules))
    there.hear(RQ)
    data = there.end.read()
    assert b"\3" == data[:1] and b"!" == data[-1:]
    assert "rejected" == there.user.outcome


# -- primitives --------------------------------------------------------------------------------------------------------


def test_a_rule_may_ask_for_an_abort_with_any_codes() -> None:
    there = acceptor(message_in=lambda session, message: (Request(AbortRequest(2, 6)),))
    there.hear(sent(echo_rq()))
    assert [Abort(2, 6)] == said(there.end)
    (outcome,) = there.user.outcomes
    assert ((2, 6), Side.ACCEPTOR, "Sta6") == (outcome.codes, outcome.by, outcome.state)
    there.stage.reactor.advance(30.1)
    assert not there.session.is_open


def test_a_rule_may_ask_for_a_release() -> None:
    there = acceptor(message_in=lambda session, message: (Request(ReleaseRequest()),))
    there.hear(sent(echo_rq()))
    assert ["ReleaseRQ"] == kinds(there.end)
    there.hear(RELEASE_RP)
    assert "released" == there.user.outcome


def test_a_rule_that_asks_for_what_cannot_be_is_told_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    there = acceptor(pdu_in=only(5, Request(ReleaseRequest()), Request(ReleaseRequest()), Pass(RELEASE_RQ)))
    with caplog.at_level(logging.WARNING, "dicomsim"):
        there.hear(RELEASE_RQ)
    assert "a rule asked for what cannot be" in caplog.text


# -- bytes that are no PDUs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n", b"\x0bMSH|^~\\&|", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"])
def test_another_protocol_is_refused_at_once_with_rules_as_without(garbage: bytes) -> None:
    stage = Stage()
    there = Reached(State.STA2, Side.ACCEPTOR, stage, stage.setup(Rules()))
    there.hear(garbage)
    assert [Abort(0, 0)] == said(there.end)


def test_a_p_data_tf_above_the_maximum_length_is_refused_at_its_header_with_rules_as_without() -> None:
    there = acceptor()
    there.hear(b"\4\0\xff\xff\xff\xff")
    assert ["Abort"] == kinds(there.end)


def test_rules_may_send_what_is_no_pdu_and_an_observer_lives_with_it() -> None:
    stage = Stage()
    rules = Rules()
    there = Reached(State.STA6, Side.ACCEPTOR, stage, stage.setup(rules, observer=lambda event: None))
    rules.on["pdu_out"] = lambda session, data: (Raw(b"GET / HTTP/1.1"), Pass(data[:3]), Pass(data[3:]))
    there.hear(sent(echo_rq()))
    assert b"GET / HTTP/1.1" + RESPONSE == there.end.read()


# -- rules that fail ---------------------------------------------------------------------------------------------------


def broken(*_: object) -> Iterable[Step]:
    raise ZeroDivisionError("a rule is wrong")


@pytest.mark.parametrize("hop", ["bytes_in", "pdu_in", "message_in", "pdu_out", "bytes_out", "transition"])
def test_a_rule_that_fails_ends_the_association_and_does_not_leave_the_peer_waiting(
    hop: str, caplog: pytest.LogCaptureFixture
) -> None:
    there = acceptor(**{hop: broken})
    with caplog.at_level(logging.CRITICAL, "dicomsim"):
        there.hear(sent(echo_rq()))
    heard = there.end.read()
    assert ABORT == heard[-10:] or there.end.was_reset
    (outcome,) = there.user.outcomes
    assert ("aborted", "a rule is wrong") == (str(outcome.how), outcome.cause)
    there.stage.reactor.advance(31)
    assert not there.session.is_open


def test_a_rule_that_fails_at_the_connection_closes_it(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    with caplog.at_level(logging.CRITICAL, "dicomsim"):
        end, session = stage.accept(stage.setup(Rules(connected=broken)), established=False)
    assert end.is_over and not session.is_open


def test_a_rule_that_fails_for_a_caller_raises_there_and_the_association_ends() -> None:
    stage = Stage()
    rules = Rules()
    here, _ = stage.join(stage.setup(rules))
    rules.on["pdu_out"] = broken
    with pytest.raises(ZeroDivisionError):
        echo(here)
    assert "aborted" == stage.requestor.outcome
    stage.reactor.run()
    assert "aborted" == stage.acceptor.outcome or "connection reset" == stage.acceptor.outcome
    with pytest.raises(AssociationError, match="a rule is wrong"):
        here.send(echo_rq())


def test_a_rule_that_fails_before_anything_is_sent_costs_only_the_message() -> None:
    stage = Stage()
    rules = Rules()
    here, _ = stage.join(stage.setup(rules))
    rules.on["message_out"] = broken
    with pytest.raises(ZeroDivisionError):
        here.send(echo_rq())
    del rules.on["message_out"]
    assert 0 == echo(here)


# -- re-entrancy -------------------------------------------------------------------------------------------------------


def test_a_step_for_a_transition_is_carried_out_once_the_bytes_have_been_seen_to() -> None:
    there = acceptor(transition=lambda session, moved: (Request(AbortRequest()),) if moved[0] == "Evt12" else ())
    there.hear(sent(echo_rq(1)) + RELEASE_RQ)
    assert ["PDataTF", "ReleaseRP"] == kinds(there.end)[:2] or "Abort" == kinds(there.end)[-1]
    assert State.STA13 is there.session.state


def test_an_observer_that_sends_amid_received_bytes_loses_none_of_them() -> None:
    stage = Stage()
    there: list[Reached] = []

    def chatter(event: Any) -> None:
        if type(event).__name__ == "Transition" and event.event == "Evt10" and there:
            there[0].session.post(respond(echo_rq(99)))
            there[0].session.flush()

    there.append(Reached(State.STA6, Side.ACCEPTOR, stage, stage.setup(Rules(), observer=chatter)))
    there[0].hear(b"".join(sent(echo_rq(number)) for number in range(1, 6)))
    numbers = [one.message_id_being_responded_to for one in messages(there[0].end.read())]
    assert [1, 2, 3, 4, 5] == [number for number in numbers if number != 99]
