"""The player: what is sent, when, and what ends it."""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim import resources
from dicomsim.capture.captured import CapturedEnd, CapturedLoss, CapturedOpen, CapturedPdu, Item
from dicomsim.capture.fitting import FittingError
from dicomsim.capture.player import PeerEndedError, Player, PlayOptions
from dicomsim.capture.transcript import Transcript
from dicomsim.errors import ConnectError, TimeLimitError
from dicomsim.events import CloseHow
from tests.capture.associations import (
    ACCEPTOR,
    CT,
    FIND,
    IMPLICIT,
    RELEASE,
    REQUESTOR,
    Said,
    answer,
    ask,
    items,
    message,
    request,
    respond,
)
from tests.capture.live_events import ABORT, RELEASE_RQ, TIME
from tests.capture.scripted_peer import ScriptedPeer, refusing, script

LIVE = resources.captures() / "live"
OPENED = (request((1, CT, (IMPLICIT,)), (3, FIND, (IMPLICIT,))), answer((1, 0, IMPLICIT), (3, 0, IMPLICIT)))
ECHO: tuple[Said, Said] = (ask("C-ECHO-RQ", affected_sop_class_uid=CT), respond("C-ECHO-RSP"))
FIND_RQ = ask("C-FIND-RQ", data=b"", affected_sop_class_uid=FIND, priority=0)
PENDING = respond("C-FIND-RSP", 0xFF00, data=b"")
DONE = respond("C-FIND-RSP")


def play(captured: list[Item], peer: ScriptedPeer, **options: Any) -> Player:
    with Transcript() as before, Transcript() as live:
        player = Player(lambda: peer, before, live, PlayOptions(**options), peer.clock)
        try:
            player.run(captured)
        finally:
            player.close()
    return player


def types(peer: ScriptedPeer) -> list[int]:
    return [pdu[0] for pdu in peer.sent]


def test_everything_is_sent_as_it_was_captured() -> None:
    said = script(LIVE / "store_dcmsend.pcapng")
    peer = ScriptedPeer(said)
    play(items(*said), peer)
    assert peer.sent == [data for sender, data in said if sender is REQUESTOR]
    assert peer.log[-2:] == ["close", "close"]


def test_a_step_waits_for_what_had_been_said_before_it() -> None:
    peer = ScriptedPeer([*OPENED, *ECHO, *RELEASE])
    peer._answers[1] = (
        3,
        peer._answers[1][1],
    )  # the answer to the echo comes only after one more PDU, which never goes
    with pytest.raises(TimeLimitError) as caught:
        play(items(*OPENED, *ECHO, *RELEASE), peer, timeout=4)
    assert str(caught.value) == (
        "step 4, frame 5: nothing like 'C-ECHO-RSP 0000 Success, to message 1' came within replay timeout of 4 s"
    )
    assert types(peer) == [1, 4, 7]  # it cannot go on, and says so
    assert peer.clock.now == 104


def test_more_pending_responses_than_captured_are_waited_out() -> None:
    captured = items(*OPENED, FIND_RQ, PENDING, DONE, *RELEASE)
    peer = ScriptedPeer([*OPENED, FIND_RQ, *[PENDING] * 5, DONE, *RELEASE])
    play(captured, peer)
    assert types(peer) == [1, 4, 4, 5]
    assert peer._answers == []


def test_fewer_pending_responses_than_captured_are_enough_if_they_are_the_last() -> None:
    captured = items(*OPENED, FIND_RQ, *[PENDING] * 5, DONE, *RELEASE)
    peer = ScriptedPeer([*OPENED, FIND_RQ, DONE, *RELEASE])
    play(captured, peer)
    assert types(peer) == [1, 4, 4, 5]


def test_what_was_sent_before_the_answer_is_sent_before_the_answer() -> None:
    peer = ScriptedPeer([*OPENED])
    peer._answers.clear()
    captured = items(OPENED[0], ECHO[0], RELEASE[0], OPENED[1], how=CloseHow.RESET)
    with pytest.raises(TimeLimitError):
        play(captured, peer)
    assert types(peer) == [1, 4, 5, 7]


def test_the_acceptors_own_requests_are_answered_with_their_ids() -> None:
    def store(number: int) -> Said:
        elements: dict[str, Any] = {"affected_sop_class_uid": CT, "affected_sop_instance_uid": "1.2", "priority": 0}
        return message(ACCEPTOR, "C-STORE-RQ", 1, b"", message_id=number, **elements)

    stored = message(REQUESTOR, "C-STORE-RSP", message_id_being_responded_to=1, status=0)
    captured = items(*OPENED, store(1), stored, *RELEASE)
    peer = ScriptedPeer([*OPENED, store(77), stored, *RELEASE])
    play(captured, peer)
    assert peer.sent[1] == message(REQUESTOR, "C-STORE-RSP", message_id_being_responded_to=77, status=0)[1]


@pytest.mark.parametrize("how", ["abort", "close", "break"])
def test_it_stops_when_the_peer_ends_early(how: str) -> None:
    peer = ScriptedPeer([*OPENED, ECHO[0], *([(ACCEPTOR, ABORT)] if how == "abort" else [])])
    peer.ends_after = 2 if how == "close" else None
    peer.break_after = 2 if how == "break" else None
    with pytest.raises(PeerEndedError) as caught:
        play(items(*OPENED, *ECHO, *RELEASE), peer)
    assert caught.value.frame == 6
    assert types(peer) == [1, 4]


@pytest.mark.parametrize(
    ("how", "ends"), [(CloseHow.FIN, "close"), (CloseHow.RESET, "reset"), (CloseHow.HALF, "half-close")]
)
def test_the_connection_is_ended_as_it_was(how: CloseHow, ends: str) -> None:
    peer = ScriptedPeer([*OPENED])
    peer.ends_after = 1 if how is CloseHow.HALF else None
    play(items(*OPENED, how=how), peer)
    assert peer.log[1] == ends


def test_a_peer_that_had_closed_is_given_time_to_close() -> None:
    peer = ScriptedPeer([*OPENED])
    play(items(*OPENED, by=ACCEPTOR), peer, timeout=7)
    assert peer.clock.now == 107
    assert peer.log[1:] == ["close", "close"]


def test_a_refused_connection_is_tried() -> None:
    refused: list[Item] = [
        CapturedOpen(1, TIME, 1, ("10.0.0.1", 5), ("10.0.0.2", 104)),
        CapturedEnd(2, TIME, 1, ACCEPTOR, CloseHow.REFUSED),
    ]
    for connect in (refusing, lambda: ScriptedPeer([])):
        with Transcript() as before, Transcript() as live:
            player = Player(connect, before, live, PlayOptions(), ScriptedPeer([]).clock)
            player.run(refused)
            player.close()
            assert live.utterances[0].how is (CloseHow.REFUSED if connect is refusing else CloseHow.FIN)
    with pytest.raises(ConnectError), Transcript() as before, Transcript() as live:
        Player(refusing, before, live, PlayOptions(), ScriptedPeer([]).clock).run(items(*OPENED))


def test_steps_may_keep_their_distance() -> None:
    said = [*OPENED, *ECHO, *RELEASE]
    peer = ScriptedPeer(said)
    play(items(*said), peer, timing=1000.0)
    # A millisecond between two events: the request one after the connection, the echo three, the release five.
    assert peer.log[:3] == ["send 1 at 1", "send 4 at 3", "send 5 at 5"]


def followed_by(item: Item) -> list[Item]:
    """An association in which the item comes behind the negotiation."""
    captured = items(*OPENED)
    return [*captured[:-1], item, captured[-1]]


def test_damaged_pdus_are_sent_only_where_that_is_asked_for() -> None:
    pdu = CapturedPdu(9, TIME, 1, REQUESTOR, RELEASE_RQ, 10, damage="3 of 10 bytes are missing")
    peer = ScriptedPeer([*OPENED, *ECHO, *RELEASE])
    with pytest.raises(FittingError, match=r"^frame 9: a PDU to be sent is damaged: 3 of 10 bytes are missing$"):
        play(followed_by(pdu), peer)
    peer = ScriptedPeer(OPENED)
    play(followed_by(pdu), peer, damaged=True)
    assert types(peer) == [1, 5]


def test_bytes_that_lack_before_a_step_are_a_reason_to_stop() -> None:
    loss = CapturedLoss(9, TIME, 1, REQUESTOR, 300)
    with pytest.raises(FittingError, match=r"^frame 9: 300 bytes before it that were to be sent are missing$"):
        play(followed_by(loss), ScriptedPeer([*OPENED, *ECHO, *RELEASE]))


def test_an_association_without_its_beginning_is_not_played() -> None:
    opened = CapturedOpen(1, TIME, 1, ("10.0.0.1", 5), ("10.0.0.2", 104), False)
    rest = items(*OPENED, *ECHO, *RELEASE)[1:]
    peer = ScriptedPeer([*OPENED, *ECHO, *RELEASE])
    play([opened, *rest], peer)
    assert types(peer) == [1, 4, 5]
    with pytest.raises(FittingError, match=r"^frame 4: the beginning of the association was not captured$"):
        play([opened, *rest[2:]], ScriptedPeer([]))
