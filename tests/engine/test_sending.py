"""Sending: what waits for the transport, what does not, and what cannot be sent."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from dicomsim.dimse.builders import respond
from dicomsim.dimse.messages import Message
from dicomsim.engine.hops import PassMessage, Raw, Step
from dicomsim.engine.session import Session
from dicomsim.errors import AssociationError, WireError
from dicomsim.events import Event, MessageOut, Side
from dicomsim.upper_layer.table import State
from dicomsim.wire.pdu import PDataTF
from tests.engine.doubles import ABORT, Reached, Rules, Stage, echo, echo_rq, kinds, messages, said, sent, store_rq


@pytest.mark.parametrize(
    ("state", "side"),
    [(State.STA2, Side.ACCEPTOR), (State.STA3, Side.ACCEPTOR), (State.STA5, Side.REQUESTOR),
     (State.STA7, Side.REQUESTOR), (State.STA9, Side.REQUESTOR), (State.STA10, Side.ACCEPTOR),
     (State.STA11, Side.REQUESTOR), (State.STA12, Side.ACCEPTOR)],
)  # fmt: skip
def test_where_nothing_can_be_sent_it_is_said_and_nothing_else_happens(state: State, side: Side) -> None:
    there = Reached(state, side)
    with pytest.raises(AssociationError, match=f"nothing can be sent in {state.value}"):
        there.session.send(echo_rq())
    assert state is there.session.state
    assert b"" == there.end.read()


def test_when_it_is_over_the_outcome_is_raised() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    there.hear(ABORT)
    for _ in range(2):
        with pytest.raises(AssociationError, match="aborted by acceptor in Sta6") as caught:
            there.session.send(echo_rq())
        assert 4 == caught.value.exit_code


def test_after_the_peers_release_request_answers_may_still_be_sent() -> None:
    there = Reached(State.STA8, Side.ACCEPTOR)
    there.session.send(echo_rq(77))
    assert ["PDataTF"] == kinds(there.end)


def test_a_message_that_has_no_bytes_costs_only_itself() -> None:
    stage = Stage()
    here, _ = stage.join()
    broken = echo_rq()
    broken.command[0x00000110] = 70000
    with pytest.raises(WireError):
        here.send(broken)
    assert 0 == echo(here)


def test_sending_waits_until_the_transport_has_taken_everything() -> None:
    stage = Stage()
    here, there = stage.join()
    there.transport.window = 1000  # type: ignore[union-attr]
    here.send(store_rq(bytes(100_000)))
    assert here.all_sent()
    stage.reactor.run()
    assert 100_000 == stage.acceptor.operations[0].request.data_length


def test_messages_of_several_senders_are_not_mixed() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    there.end.window = 100
    session = there.session
    session.take()
    for number in (1, 2, 3):
        session.post(store_rq(bytes(40_000), number))
        session.flush()
    session.give_back()
    there.end.window = None
    there.run()
    assert [1, 2, 3] == [message.message_id for message in messages(there.end.read())]


def test_an_answer_from_the_reactor_does_not_wait_for_the_transport() -> None:
    there = Reached(State.STA6, Side.ACCEPTOR)
    there.end.window = 10
    there.hear(sent(echo_rq()))
    assert 10 == len(there.end.read())
    there.end.window = None
    there.run()
    assert there.session.all_sent()


def test_what_is_sent_is_told_before_it_is_written() -> None:
    events: list[Event] = []
    stage = Stage()
    there = Reached(State.STA6, Side.REQUESTOR, stage, stage.setup(observer=events.append))
    events.clear()
    message = echo_rq()
    there.session.send(message)
    assert "MessageOut" in [type(event).__name__ for event in events]
    (told,) = [event.message for event in events if isinstance(event, MessageOut)]
    assert told is message


def test_raw_bytes_go_behind_what_waits_to_be_sent() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    session = there.session
    session.take()
    session.post(echo_rq())
    session.send_raw(b"!")
    session.give_back()
    data = there.end.read()
    assert b"!" == data[-1:]
    assert 1 == len(messages(data[:-1]))


def test_rules_may_add_change_and_drop_messages_without_changing_their_order() -> None:
    def hop(session: Session, message: Message) -> Iterable[Step]:
        if message.message_id == 2:
            return ()
        return (PassMessage(message), Raw(sent(respond(message))), PassMessage(message))

    stage = Stage()
    there = Reached(State.STA6, Side.REQUESTOR, stage, stage.setup(Rules(message_out=hop)))
    for number in (1, 2, 3):
        there.session.send(echo_rq(number))
    data = messages(there.end.read())
    assert [1, 1, 1, 3, 3, 3] == [one.message_id or one.message_id_being_responded_to for one in data]
    assert [False, True, False] * 2 == [one.is_response for one in data]


def test_every_message_fits_into_what_the_peer_takes() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    there.session.send(store_rq(bytes(50_000)))
    lengths = [sum(6 + len(pdv.data) for pdv in pdu.pdvs) for pdu in said(there.end) if isinstance(pdu, PDataTF)]
    assert max(lengths) <= 16382
    assert len(lengths) > 3
