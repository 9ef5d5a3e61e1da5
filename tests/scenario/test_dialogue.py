"""What has been said so far."""

from __future__ import annotations

from dicomsim.scenario.dialogue import Dialogue
from dicomsim.wire.pdu import Abort, ReleaseRP, ReleaseRQ
from tests.scenario.doubles import AC, IMPLICIT, RQ, VERIFICATION


def agreed() -> Dialogue:
    dialogue = Dialogue("SCP", "SCU")
    dialogue.sent(RQ)
    dialogue.received(AC)
    return dialogue


def test_accepted_contexts_are_known_by_their_id() -> None:
    dialogue = agreed()
    assert ({1: (VERIFICATION, IMPLICIT)}, 1, 1, IMPLICIT, IMPLICIT) == (
        dialogue.contexts(),
        dialogue.context_for(VERIFICATION),
        dialogue.context_for("1.2.3"),
        dialogue.transfer_syntax(1),
        dialogue.transfer_syntax(99),
    )


def test_nothing_is_accepted_before_the_answer() -> None:
    dialogue = Dialogue("SCP", "SCU")
    assert ({}, 1, False, 0) == (
        dialogue.contexts(),
        dialogue.context_for(None),
        dialogue.is_open,
        dialogue.peer_maximum,
    )


def test_an_association_is_open_until_someone_ends_it() -> None:
    by_peer, by_us, releasing = agreed(), agreed(), agreed()
    by_peer.received(Abort())
    by_us.sent(Abort())
    releasing.sent(ReleaseRQ())
    assert [True, False, False, True] == [each.is_open for each in (agreed(), by_peer, by_us, releasing)]
    releasing.received(ReleaseRP())
    assert not releasing.is_open


def test_the_peer_is_known_by_what_it_says_of_itself() -> None:
    as_requestor, as_acceptor = agreed(), Dialogue("SCP", "SCU")
    as_acceptor.received(RQ)
    as_acceptor.sent(AC)
    assert [(("FAKE_PEER_1", "2.25.1"), 16384)] * 2 == [
        (each.peer_implementation, each.peer_maximum) for each in (as_requestor, as_acceptor)
    ]


def test_message_ids_go_round_and_are_never_0() -> None:
    dialogue = Dialogue("SCP", "SCU", message_id=0xFFFE)
    assert [0xFFFF, 1, 2] == [dialogue.next_message_id() for _ in range(3)]
