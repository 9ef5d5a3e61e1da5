"""Rules together: their order, their counts, and switching them while sessions live."""

from __future__ import annotations

import threading
from typing import cast

import pytest

from dicomsim.behaviour import Behaviour, Rule, RuleError
from dicomsim.behaviour.occasion import Layer
from dicomsim.dimse.builders import c_echo_rq, c_echo_rsp
from dicomsim.engine.hops import Close, Hops, Pass, PassMessage, Reply, Wait
from dicomsim.engine.session import Session
from dicomsim.events import RuleFired
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.pdu import AssociateRJ, AssociateRQ
from tests.behaviour.sessions import AC, RELEASE_RP, RELEASE_RQ, RQ, FakeSession, Peer

ECHO = c_echo_rq(1, 1)


def test_a_behaviour_is_what_a_session_asks_at_its_hops() -> None:
    hops: Hops = Behaviour()

    assert isinstance(hops, Behaviour)


def test_without_a_rule_everything_passes() -> None:
    peer = Peer()
    request = decode_pdu(RQ)
    assert isinstance(request, AssociateRQ)
    rejection = AssociateRJ(1, 1, 1)

    assert [[Pass(RQ)]] * 4 == [peer.pdu_in(RQ), peer.pdu_out(RQ), peer.bytes_in(RQ), peer.bytes_out(RQ)]
    assert [[PassMessage(ECHO)]] * 2 == [peer.message_in(ECHO), peer.message_out(ECHO)]
    assert [[], []] == [peer.connected(), peer.moved("Evt5", "Sta1", "AE-5", "Sta2")]
    assert rejection is peer.answer(request, rejection)
    assert [] == peer.fake.events


def test_a_rule_at_another_hop_lets_everything_pass() -> None:
    peer = Peer("on connected: close", "on C-ECHO-RQ in: drop")

    assert [[Pass(RQ)], [PassMessage(ECHO)]] == [peer.pdu_in(RQ), peer.message_out(ECHO)]
    assert {Layer.CONNECTION, Layer.MESSAGE} == peer.behaviour.layers


def test_rules_that_match_work_one_after_the_other() -> None:
    peer = Peer("on at=pdu in: truncate 4", "on at=pdu in: pad 2", "on at=pdu in: slice 3 pause=1")

    assert [Pass(RQ[:3]), Wait(1), Pass(RQ[3:4] + b"\0\0")] == peer.pdu_in(RQ)
    assert ["pdu in"] * 3 == peer.fake.fired


def test_rules_are_judged_on_what_came_to_the_hop() -> None:
    peer = Peer("on A-RELEASE-RQ in: substitute pdu_type=6", "on A-RELEASE-RP in: close", "on A-RELEASE-RQ in: delay 1")

    assert [Wait(1), Pass(RELEASE_RP)] == peer.pdu_in(RELEASE_RQ)


def test_each_firing_is_an_event_with_the_rule_and_the_hop() -> None:
    peer = Peer("on A-RELEASE-RQ in: close")
    peer.pdu_in(RELEASE_RQ)
    peer.pdu_in(AC)

    assert [RuleFired(100 * 10**9, 1, "on A-RELEASE-RQ in: close", "pdu in")] == peer.fake.events


def test_without_an_observer_rules_work_in_silence() -> None:
    peer = Peer("on A-RELEASE-RQ in: close")
    peer.fake.observed = frozenset()

    assert [Close()] == peer.pdu_in(RELEASE_RQ)
    assert not peer.fake.events


def fired(peer: Peer, count: int) -> list[int]:
    """Which of so many C-ECHO requests were taken away, from 1."""
    return [number for number in range(1, count + 1) if not peer.message_in(ECHO)]


@pytest.mark.parametrize(
    ("rest", "numbers"),
    [
        ("times=2", [1, 2]),
        ("after=3", [4, 5, 6]),
        ("after=1 times=2", [2, 3]),
        ("every=2 times=2", [2, 4]),
        ("every=2 after=1", [4, 6]),
        ("probability=0", []),
        ("probability=1", [1, 2, 3, 4, 5, 6]),
    ],
)
def test_how_often_a_rule_fires(rest: str, numbers: list[int]) -> None:
    assert numbers == fired(Peer(f"on C-ECHO-RQ in {rest}: drop"), 6)


def test_times_and_after_count_in_all_sessions_together() -> None:
    peer = Peer("on C-ECHO-RQ in after=2 times=2: drop")
    found = []
    for number in range(1, 4):
        other = Peer(session=FakeSession(number=number))
        other.behaviour = peer.behaviour
        found.append(fired(other, 2))

    assert [[], [1, 2], []] == found


def test_chance_follows_the_seed_of_the_rule_or_of_the_behaviour_and_the_association() -> None:
    def draws(line: str, seed: int = 0, number: int = 1) -> list[int]:
        return fired(Peer(line, session=FakeSession(number=number), seed=seed), 200)

    half, seeded = "on C-ECHO-RQ in probability=0.5: drop", "on C-ECHO-RQ in probability=0.5 seed=9: drop"

    assert draws(half) == draws(half)
    assert 60 < len(draws(half)) < 140
    assert draws(half) != draws(half, seed=1)
    assert draws(half) != draws(half, number=2)
    assert draws(seeded) == draws(seeded, seed=1) != draws(half)


def test_two_rules_have_chances_of_their_own() -> None:
    peer = Peer("on C-ECHO-RQ in probability=0.5: delay 1", "on C-ECHO-RQ in probability=0.5: delay 2")
    found = {tuple(step.seconds for step in peer.message_in(ECHO) if isinstance(step, Wait)) for _ in range(50)}

    assert {(), (1,), (2,), (2, 1)} == found


def test_rules_have_names_and_are_numbered_without() -> None:
    behaviour = Behaviour(["on in: drop", "on out name=mine: drop", Rule({"direction": "in"}, "close")])

    assert ["rule-1", "mine", "rule-3"] == [installed.name for installed in behaviour.rules]
    assert "rule-4" == behaviour.add({"when": {"pdu": "A-ABORT"}, "do": "drop"})
    assert "<Behaviour 4 rules, 4 on>" == repr(behaviour)


def test_a_rule_of_the_same_name_takes_the_place_of_the_first() -> None:
    peer = Peer("on at=pdu in name=a: close", "on at=pdu in name=b: delay 1")
    peer.behaviour.add("on at=pdu in name=a: drop")

    assert ["a", "b"] == [installed.name for installed in peer.behaviour.rules]
    assert [Wait(1)] == peer.pdu_in(RQ)


def test_rules_are_switched_off_and_on_and_taken_away() -> None:
    peer = Peer("on C-ECHO-RQ in name=lost: drop")
    behaviour = peer.behaviour

    assert [] == peer.message_in(ECHO)
    behaviour.disable("lost")
    assert [PassMessage(ECHO)] == peer.message_in(ECHO)
    assert "lost: on C-ECHO-RQ in name=lost: drop (fired 1 times, off)" == str(behaviour.rules[0])
    assert frozenset() == behaviour.layers
    behaviour.enable("lost")
    assert [] == peer.message_in(ECHO)
    behaviour.remove("lost")
    assert [PassMessage(ECHO)] == peer.message_in(ECHO)
    behaviour.add("on C-ECHO-RQ in: drop")
    behaviour.clear()
    assert [[PassMessage(ECHO)], ()] == [peer.message_in(ECHO), behaviour.rules]


def test_a_name_that_there_is_not_is_an_error_with_a_suggestion() -> None:
    behaviour = Behaviour(["on in name=lost-echo: drop"])
    for switch in (behaviour.enable, behaviour.disable, behaviour.remove):
        with pytest.raises(RuleError, match='no rule is called "lost-ehco", did you mean lost-echo'):
            switch("lost-ehco")


def test_a_rule_that_cannot_be_read_is_not_installed() -> None:
    behaviour = Behaviour()
    with pytest.raises(RuleError):
        behaviour.add("on in: banana")

    assert () == behaviour.rules


def test_a_rule_added_while_a_session_lives_works_from_the_next_hop_on() -> None:
    peer = Peer()
    first = peer.pdu_in(RQ)
    peer.behaviour.add("on at=pdu in nth=1: close")

    assert [[Pass(RQ)], [Close()], [Pass(RQ)]] == [first, peer.pdu_in(RQ), peer.pdu_in(RQ)]


def test_a_rule_that_comes_back_begins_its_counts_anew() -> None:
    peer = Peer("on C-ECHO-RQ in nth=2 name=second: drop")
    first = fired(peer, 2)
    peer.behaviour.add("on C-ECHO-RQ in nth=2 name=second: drop")

    assert [[2], [2]] == [first, fired(peer, 2)]


def test_rules_are_added_and_removed_by_other_threads_while_sessions_run() -> None:
    behaviour = Behaviour(["on C-ECHO-RQ in times=500 name=counted: answer"])
    stop = threading.Event()

    def switch() -> None:
        while not stop.is_set():
            behaviour.add("on C-ECHO-RQ out name=other: delay 1")
            behaviour.disable("other")
            behaviour.remove("other")

    def run(number: int, answers: list[int]) -> None:
        session = cast("Session", FakeSession(number=number))
        for _ in range(200):
            steps = behaviour.message_in(session, ECHO)
            answers.append(sum(isinstance(step, Reply) for step in steps))
            behaviour.message_out(session, c_echo_rsp(ECHO))

    answers: list[int] = []
    switcher = threading.Thread(target=switch)
    runners = [threading.Thread(target=run, args=(number, answers)) for number in range(1, 5)]
    for thread in (switcher, *runners):
        thread.start()
    for runner in runners:
        runner.join()
    stop.set()
    switcher.join()

    assert (800, 500) == (len(answers), sum(answers))
    assert [("counted", 500, 800)] == [(item.name, item.fired, item.matched) for item in behaviour.rules]


def test_two_behaviours_of_one_session_do_not_meet() -> None:
    session = FakeSession()
    first, second = (
        Peer("on C-ECHO-RQ in nth=2: drop", session=session),
        Peer("on C-ECHO-RQ in nth=2: drop", session=session),
    )

    assert [PassMessage(ECHO)] == first.message_in(ECHO) == second.message_in(ECHO)
    assert [] == first.message_in(ECHO) == second.message_in(ECHO)
