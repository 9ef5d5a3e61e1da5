"""`ae.events`: every kind of event of a conversation, for those who want it, and nothing for nobody."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest

from dicomsim import events
from dicomsim.ae import AE
from dicomsim.behaviour import Behaviour
from dicomsim.behaviour.rule import parse_rule
from dicomsim.events import CloseHow, Event, Side
from dicomsim.outcome import Ending
from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ, PduType
from tests.meeting import Calls, acceptor, meeting, requestor, serving


def conversation(asking: AE, *kinds: type[Event]) -> list[Any]:
    """What the requestor is told during a C-ECHO and a release."""
    told: list[Any] = []
    asking.events.add(told.append, *kinds)
    with meeting(asking, acceptor()) as association:
        association.c_echo()
        association.release()
    return told


def test_a_conversation_is_told_whole_and_in_order() -> None:
    before = time.time_ns()
    told = conversation(requestor())
    kinds = [type(event).__name__ for event in told if not isinstance(event, events.BytesIn | events.BytesOut)]
    kinds = [kind for kind in kinds if kind != "Transition"]
    assert [
        "ConnectionOpened",
        "PduOut",
        "PduIn",
        "Negotiated",
        "MessageOut",
        "PduOut",
        "PduIn",
        "MessageIn",
        "PduOut",
        "PduIn",
        "Ended",
        "ConnectionClosed",
    ] == kinds
    assert 1 == len({event.association for event in told})
    times = [event.time for event in told]
    assert sorted(times) == times and before <= times[0] and times[-1] <= time.time_ns()


def test_the_acceptor_is_told_the_same_from_its_side() -> None:
    answering, told = acceptor(), Calls()
    answering.events.add(told, events.ConnectionOpened, events.Negotiated, events.MessageIn, events.Ended)
    with meeting(requestor(), answering) as association:
        association.c_echo()
        opened = told.next()
        assert (Side.ACCEPTOR, association.acceptor.port) == (opened.side, opened.local[1])
        assert isinstance(told.next(), events.Negotiated)
        assert "C-ECHO-RQ" == told.next().message.name
        association.release()
        assert Ending.RELEASED is told.next().outcome.how


def test_transitions_are_those_of_the_table() -> None:
    told = conversation(requestor(), events.Transition)
    assert [
        ("Evt1", "AE-1", "Sta1", "Sta4"),
        ("Evt2", "AE-2", "Sta4", "Sta5"),
        ("Evt3", "AE-3", "Sta5", "Sta6"),
        ("Evt9", "DT-1", "Sta6", "Sta6"),
        ("Evt10", "DT-2", "Sta6", "Sta6"),
        ("Evt11", "AR-1", "Sta6", "Sta7"),
        ("Evt13", "AR-3", "Sta7", "Sta1"),
    ] == [(event.event, event.action, event.before, event.after) for event in told]


def test_pdus_are_told_whole() -> None:
    told = conversation(requestor(), events.PduIn, events.PduOut)
    types = [(type(event).__name__, PduType(event.data[0]).standard_name) for event in told]
    assert [
        ("PduOut", "A-ASSOCIATE-RQ"),
        ("PduIn", "A-ASSOCIATE-AC"),
        ("PduOut", "P-DATA-TF"),
        ("PduIn", "P-DATA-TF"),
        ("PduOut", "A-RELEASE-RQ"),
        ("PduIn", "A-RELEASE-RP"),
    ] == types


def test_the_bytes_of_both_directions_are_those_of_the_pdus() -> None:
    told = conversation(requestor())
    for pdus, pieces in ((events.PduIn, events.BytesIn), (events.PduOut, events.BytesOut)):
        assert b"".join(event.data for event in told if type(event) is pdus) == b"".join(
            event.data for event in told if type(event) is pieces
        )


def test_negotiation_has_request_answer_and_agreement() -> None:
    (negotiated,) = conversation(requestor(), events.Negotiated)
    assert isinstance(negotiated.request, AssociateRQ) and isinstance(negotiated.answer, AssociateAC)
    assert [1] == list(negotiated.agreement.accepted)


@pytest.mark.parametrize("of_acceptor", [False, True])
def test_a_rejection_is_a_negotiation_without_agreement(of_acceptor: bool) -> None:
    asking, answering, told = requestor(), acceptor(require_called_aet="OTHER"), Calls()
    (answering if of_acceptor else asking).events.add(told, events.Negotiated, events.Ended)
    with meeting(asking, answering):
        negotiated, ended = told.next(), told.next()
    assert isinstance(negotiated.answer, AssociateRJ) and negotiated.agreement is None
    assert (1, 1, 7) == ended.outcome.codes


def test_the_end_tells_the_outcome_and_the_connection_who_closed_it() -> None:
    ended, closed = conversation(requestor(), events.Ended, events.ConnectionClosed)
    assert Ending.RELEASED is ended.outcome.how
    assert (Side.REQUESTOR, CloseHow.FIN) == (closed.by, closed.how)


def test_a_connection_that_does_not_come_about_is_told() -> None:
    with serving(acceptor()) as server:
        address = server.address
    asking, told = requestor(), Calls()
    asking.events.add(told)
    association = asking.associate(*address)
    refused = told.until(events.ConnectionRefused)
    assert address == refused.remote and "refused" in refused.reason
    assert association.outcome is told.until(events.Ended).outcome
    assert association.outcome is not None and Ending.REFUSED is association.outcome.how


def test_a_timer_is_told_by_name() -> None:
    asking, told = requestor(network_timeout=0.02), Calls()
    asking.events.add(told, events.TimerExpired)
    with meeting(asking, acceptor()):
        expired = told.next()
    assert ("network", 0.02) == (expired.name, expired.seconds)


def test_a_rule_that_fires_is_told() -> None:
    asking, told = requestor(), Calls()
    asking.behaviour = Behaviour([parse_rule("on P-DATA-TF out: delay 0")])
    asking.events.add(told, events.RuleFired)
    with meeting(asking, acceptor()) as association:
        association.c_echo()
        assert "delay" in told.next().rule


def test_several_observers_are_told_what_each_wants() -> None:
    asking = requestor()
    ends, everything = Calls(), Calls()
    asking.events.add(ends, events.Ended)
    asking.events.add(everything)
    with meeting(asking, acceptor()) as association:
        association.release()
    assert isinstance(ends.next(), events.Ended) and ends.is_empty
    assert isinstance(everything.until(events.ConnectionClosed), events.ConnectionClosed)


def test_an_observer_that_raises_is_logged_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    asking, told = requestor(), Calls()

    def mistaken(event: Event) -> None:
        raise RuntimeError("a mistake")

    asking.events.add(mistaken)
    asking.events.add(told, events.Ended)
    with caplog.at_level(logging.ERROR, "dicomsim"), meeting(asking, acceptor()) as association:
        assert 0 == association.c_echo().status
        association.release()
    assert Ending.RELEASED is told.next().outcome.how
    assert "a mistake" in caplog.text


def test_an_observer_that_was_removed_hears_nothing_more() -> None:
    asking, told = requestor(), Calls()
    asking.events.add(told, events.MessageIn)
    with meeting(asking, acceptor()) as association:
        association.c_echo()
        asking.events.remove(told)
        association.c_echo()
    told.next()
    assert told.is_empty


def test_an_observer_that_comes_later_hears_of_later_associations() -> None:
    asking, told = requestor(), Calls()
    with meeting(asking, acceptor()) as association:
        asking.events.add(told)
        association.c_echo()
        assert told.is_empty
    assert conversation(asking, events.Ended)


def test_nothing_is_framed_or_copied_for_those_who_do_not_want_it() -> None:
    asking = requestor()
    asking.events.add(Calls(), events.Ended, events.MessageIn)
    with meeting(asking, acceptor()) as association:
        assert association.session._witness is None
        assert {events.Ended, events.MessageIn} == association.session.observed
    with meeting(requestor(), acceptor()) as association:
        assert not association.session.observed


@pytest.mark.parametrize("kind", [events.BytesIn, events.PduIn, events.BytesOut, events.PduOut])
def test_an_observer_may_use_another_association_while_bytes_are_under_way(kind: type[events.Event]) -> None:
    asking, statuses = requestor(), []
    with meeting(requestor(), acceptor()) as other:
        asking.events.add(lambda event: statuses.append(other.c_echo().status), kind)
        with meeting(asking, acceptor()) as association:
            assert 0 == association.c_echo().status
    assert {0} == set(statuses)
