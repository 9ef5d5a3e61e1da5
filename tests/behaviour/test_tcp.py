"""Actions on the connection and the flow of bytes, at every hop where they make sense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.dimse.builders import c_echo_rq, c_echo_rsp
from dicomsim.engine.hops import (
    Close,
    HalfClose,
    Pass,
    PassMessage,
    Raw,
    Reply,
    Reset,
    Stall,
    Step,
    StopReading,
    Wait,
)
from tests.behaviour.sessions import RELEASE_RQ, FakeSession, Peer, passed

ECHO = c_echo_rq(1, 1)
ANSWER = c_echo_rsp(ECHO)
THING = Pass(RELEASE_RQ)


def at_every_hop(action: str) -> list[list[Step]]:
    """The steps at pdu in and out, bytes in and out, message in and out, connected, and a transition."""
    return [
        Peer(f"on pdu in: {action}").pdu_in(RELEASE_RQ),
        Peer(f"on pdu out: {action}").pdu_out(RELEASE_RQ),
        Peer(f"on bytes in: {action}").bytes_in(RELEASE_RQ),
        Peer(f"on bytes out: {action}").bytes_out(RELEASE_RQ),
        Peer(f"on message in: {action}").message_in(ECHO),
        Peer(f"on message out: {action}").message_out(ECHO),
        Peer(f"on connected: {action}").connected(),
        Peer(f"on Sta8: {action}").moved("Evt12", "Sta6", "AR-2", "Sta8"),
    ]


def expected(*added: Step, place: str) -> list[list[Step]]:
    """Those steps before, after or instead of what passes."""
    things: list[Step | None] = [THING, THING, THING, THING, PassMessage(ECHO), PassMessage(ECHO), None, None]
    before, after = (added if place == wanted else () for wanted in ("before", "after"))
    if place == "instead":
        return [[*added] for _ in things]
    return [[*before, *([] if thing is None else [thing]), *after] for thing in things]


@pytest.mark.parametrize("place", ["before", "after", "instead"])
@pytest.mark.parametrize(
    ("action", "step"),
    [("close", Close()), ("reset", Reset()), ("half-close", HalfClose()), ("stop-reading", StopReading())],
)
def test_the_connection_can_end_before_after_or_instead(action: str, step: Step, place: str) -> None:
    assert expected(step, place=place) == at_every_hop(f"{action} {place}")


@pytest.mark.parametrize(
    ("action", "usual"),
    [("close", "instead"), ("reset", "instead"), ("half-close", "after"), ("stop-reading", "after")],
)
def test_the_usual_place_of_an_end(action: str, usual: str) -> None:
    assert at_every_hop(f"{action} {usual}") == at_every_hop(action)


def test_a_stall_ends_what_is_sent_and_lets_in_what_comes() -> None:
    steps = at_every_hop("stall")

    assert [Stall(), THING] == steps[0] == steps[2]
    assert [Stall()] == steps[1] == steps[3] == steps[5] == steps[6] == steps[7]
    assert [Stall(), PassMessage(ECHO)] == steps[4]
    assert [THING, Stall()] == at_every_hop("stall after")[0]


def test_to_vanish_is_neither_to_send_nor_to_read() -> None:
    assert expected(StopReading(), Stall(), place="instead") == at_every_hop("vanish")


def test_a_delay_comes_before_what_it_holds() -> None:
    assert expected(Wait(2), place="before") == at_every_hop("delay 2")
    assert expected(Wait(0.5), place="after") == at_every_hop("delay 500ms place=after")


def test_a_list_of_delays_is_used_in_turn_by_each_session() -> None:
    peer = Peer("on pdu in: delay [1, 2, 5]")
    seconds = [step.seconds for _ in range(4) for step in peer.pdu_in(RELEASE_RQ) if isinstance(step, Wait)]
    other = Peer(session=FakeSession(number=2))
    other.behaviour = peer.behaviour

    assert [1, 2, 5, 1] == seconds
    assert [Wait(1), THING] == other.pdu_in(RELEASE_RQ)


@pytest.mark.parametrize("delay", ["uniform(1,3)", "normal(2,1)", "exponential(1)", "pareto(2,0.1)"])
def test_drawn_delays_are_the_same_in_the_next_run(delay: str) -> None:
    def draws(seed: int, number: int = 1) -> list[list[Step]]:
        peer = Peer(f"on pdu in: delay {delay}", session=FakeSession(number=number), seed=seed)
        return [peer.pdu_in(RELEASE_RQ) for _ in range(5)]

    assert draws(1) == draws(1)
    assert draws(1) != draws(2)
    assert draws(1) != draws(1, number=2)


def test_nothing_passes_a_drop() -> None:
    assert [[], [], [], []] == [
        Peer("on pdu in: drop").pdu_in(RELEASE_RQ),
        Peer("on bytes out: drop").bytes_out(RELEASE_RQ),
        Peer("on message in: drop").message_in(ECHO),
        Peer("on message out: drop").message_out(ECHO),
    ]


def test_a_duplicate_passes_again() -> None:
    assert [THING, THING] == Peer("on pdu in: duplicate").pdu_in(RELEASE_RQ)
    assert [THING, Wait(1), THING, Wait(1), THING] == Peer("on out: duplicate 2 pause=1").pdu_out(RELEASE_RQ)
    assert [PassMessage(ANSWER)] * 2 == Peer("on message out: duplicate").message_out(ANSWER)


def test_an_answer_of_the_rule_is_duplicated_too() -> None:
    steps = Peer("on C-ECHO-RQ in: answer 0122; duplicate 2").message_in(ECHO)

    assert [True] * 3 == [isinstance(step, Reply) and step.message.status == 0x0122 for step in steps]


def numbered(*numbers: int) -> list[bytes]:
    """Things that can be told apart."""
    return [bytes((number,)) * number for number in numbers]


def test_two_are_exchanged() -> None:
    peer = Peer("on in nth=2 at=pdu: reorder")
    one, two, three, four = numbered(1, 2, 3, 4)

    assert [[Pass(one)], [], [Pass(three), Pass(two)], [Pass(four)]] == [*map(peer.pdu_in, (one, two, three, four))]


def test_one_waits_for_several_others() -> None:
    peer = Peer("on in nth=1 at=pdu: reorder 2")
    one, two, three, four = numbered(1, 2, 3, 4)

    assert [[], [Pass(two)], [Pass(three), Pass(one)], [Pass(four)]] == [*map(peer.pdu_in, (one, two, three, four))]


def test_a_rule_that_reorders_all_exchanges_pairs() -> None:
    peer = Peer("on in at=pdu: reorder")
    one, two, three, four = numbered(1, 2, 3, 4)

    assert [[], [Pass(two), Pass(one)], [], [Pass(four), Pass(three)]] == [*map(peer.pdu_in, (one, two, three, four))]


def test_what_is_dropped_does_not_release_what_is_held() -> None:
    peer = Peer("on in nth=1 at=pdu: reorder", "on in nth=2 at=pdu: drop")
    one, two, three = numbered(1, 2, 3)

    assert [[], [], [Pass(three), Pass(one)]] == [*map(peer.pdu_in, (one, two, three))]


def test_what_is_held_is_released_even_when_the_rule_has_gone() -> None:
    peer = Peer("on message out nth=1: reorder")
    peer.message_out(ECHO)
    peer.behaviour.clear()

    assert [PassMessage(ANSWER), PassMessage(ECHO)] == peer.message_out(ANSWER)


def test_directions_and_hops_hold_back_by_themselves() -> None:
    peer = Peer("on in nth=1 at=pdu: reorder")
    peer.pdu_in(b"1")

    assert [[Pass(b"2")], [Pass(b"3")], [Pass(b"4"), Pass(b"1")]] == [
        peer.pdu_out(b"2"),
        peer.bytes_in(b"3"),
        peer.pdu_in(b"4"),
    ]


def test_several_go_in_one_write() -> None:
    peer = Peer("on out at=pdu: coalesce 2")
    one, two, three, four = numbered(1, 2, 3, 4)

    assert [[], [], [Pass(one + two + three)], []] == [*map(peer.pdu_out, (one, two, three, four))]


def test_what_waits_for_company_goes_with_the_next_that_does_not() -> None:
    peer = Peer("on out nth=1 at=pdu: coalesce 9")
    one, two = numbered(1, 2)

    assert [[], [Pass(one + two)]] == [*map(peer.pdu_out, (one, two))]


@pytest.mark.parametrize(
    ("action", "pieces"),
    [
        ("slice 4", ["0123", "4567", "89"]),
        ("slice 10", ["0123456789"]),
        ("slice at=3", ["012", "3456789"]),
        ("slice at=[1, -2, 6, 99, -99, 0]", ["0", "12345", "67", "89"]),
        ("slice 5 at=1", ["0", "1234", "56789"]),
        ("slice", ["0123456789"]),
    ],
)
def test_bytes_go_in_several_writes(action: str, pieces: list[str]) -> None:
    steps = Peer(f"on pdu out: {action} pause=0.1").pdu_out(b"0123456789")

    assert pieces == [step.data.decode() for step in steps if isinstance(step, Pass)]
    assert [Wait(0.1)] * (len(pieces) - 1) == [step for step in steps if isinstance(step, Wait)]
    assert steps == Peer(f"on bytes out: {action} pause=0.1").bytes_out(b"0123456789")


@given(st.binary(max_size=300), st.integers(1, 400), st.lists(st.integers(-400, 400), min_size=1, max_size=6))
def test_slices_are_together_what_was_there(data: bytes, size: int, at: list[int]) -> None:
    places = ", ".join(map(str, at))

    assert data == passed(Peer(f"on pdu out: slice {size} at=[{places}]").pdu_out(data))


def test_a_throttled_stream_takes_as_long_as_its_rate_says() -> None:
    steps = Peer("on bytes in: throttle 1000").bytes_in(bytes(2500))

    assert bytes(2500) == passed(steps)
    assert 2.5 == pytest.approx(sum(step.seconds for step in steps if isinstance(step, Wait)))
    assert 50 == max(len(step.data) for step in steps if isinstance(step, Pass))
    assert isinstance(steps[0], Pass)


def test_a_large_pdu_is_not_cut_into_more_pieces_than_anyone_needs() -> None:
    steps = Peer("on pdu out: slice 1").pdu_out(bytes(200_000))
    throttled = Peer("on pdu out: throttle 1").pdu_out(bytes(200_000))

    assert [10_000, 200_000] == [sum(isinstance(step, Pass) for step in steps), len(passed(steps))]
    assert [10_000, 200_000] == [sum(isinstance(step, Pass) for step in throttled), len(passed(throttled))]


@pytest.mark.parametrize("place", ["before", "after", "instead"])
def test_bytes_are_sent_whatever_passes(place: str) -> None:
    assert expected(Raw(b"\1\2"), place=place) == at_every_hop(f"raw 0102 place={place}")


def test_bytes_are_put_into_the_stream_that_passes() -> None:
    assert [Pass(b"\1\2"), THING] == Peer("on pdu in: insert 0102").pdu_in(RELEASE_RQ)
    assert [THING, Pass(b"\1\2")] == Peer("on pdu out: insert hex=0102 place=after").pdu_out(RELEASE_RQ)
    assert [Pass(b"x")] == Peer("on bytes in: insert text:x place=instead").bytes_in(RELEASE_RQ)


def test_actions_compose_in_their_order() -> None:
    cut = Peer("on pdu out: truncate 4; slice 2 pause=1; close after").pdu_out(RELEASE_RQ)
    twice = Peer("on pdu out: duplicate; delay 1; raw 00 place=before").pdu_out(RELEASE_RQ)

    assert [Pass(RELEASE_RQ[:2]), Wait(1), Pass(RELEASE_RQ[2:4]), Close()] == cut
    assert [Raw(b"\0"), Wait(1), THING, THING] == twice


def test_what_comes_before_a_byte_of_the_stream_goes_on() -> None:
    peer = Peer("on in offset=12: drop; close")

    assert [[Pass(b"0123456789")], [Pass(b"ab"), Close()]] == [peer.bytes_in(b"0123456789"), peer.bytes_in(b"abcdef")]
    assert [Close()] == Peer("on in offset=0: close").bytes_in(b"x")


def test_a_byte_of_the_stream_is_found_behind_what_other_rules_have_cut() -> None:
    peer = Peer("on bytes in: slice 3 pause=1", "on in offset=4: close")

    assert [Pass(b"012"), Wait(1), Pass(b"3"), Close()] != peer.bytes_in(b"0123456789")[:3]
    peer = Peer("on bytes in: slice 3 pause=1", "on in offset=4: close after")
    assert [Pass(b"012"), Wait(1), Pass(b"3"), Pass(b"45"), Wait(1), Pass(b"678"), Wait(1), Pass(b"9"), Close()] == (
        peer.bytes_in(b"0123456789")
    )
