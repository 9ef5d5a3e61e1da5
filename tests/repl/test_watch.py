from __future__ import annotations

from typing import Any

import pytest

from dicomsim import events
from dicomsim.dimse.builders import c_echo_rq, respond
from dicomsim.events import CloseHow, Event, Side
from dicomsim.outcome import released
from dicomsim.repl.watch import KEPT, Watch, Watched
from dicomsim.upper_layer.negotiation import build_request
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.items import ApplicationContext, PresentationContextAC, PresentationContextRQ, TransferSyntax
from dicomsim.wire.pdu import AssociateAC

OUTCOME = released(Side.REQUESTOR, state="Sta8", seconds_open=1.5)
REQUEST = build_request(
    b"CALLED", b"CALLING", [PresentationContextRQ.of(n, "1.2", "1.2.840.10008.1.2") for n in (1, 3)]
)
ACCEPT = AssociateAC(
    b"CALLED".ljust(16),
    b"CALLING".ljust(16),
    (ApplicationContext(), *(PresentationContextAC(n, n // 2, (TransferSyntax("1.2"),)) for n in (1, 3))),
)


class Told:
    """A watch and what it tells."""

    def __init__(self) -> None:
        self.accepted: list[Watched] = []
        self.ended: list[Watched] = []
        self.changes = 0
        self.watch = Watch(accepted=self.accepted.append, ended=self.ended.append, changed=self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def see(self, kind: type[Event], *values: Any, number: int = 1) -> None:
        """One event of an association."""
        self.watch(kind(7, number, *values))


@pytest.fixture
def told() -> Told:
    return Told()


def serve(told: Told, number: int = 1) -> None:
    told.see(events.ConnectionOpened, ("127.0.0.1", 104), ("10.0.0.1", 5), Side.ACCEPTOR, number=number)
    told.see(events.Transition, "Evt5", "AE-5", "Sta1", "Sta2", number=number)
    told.see(events.PduIn, encode_pdu(REQUEST), number=number)
    told.see(events.PduOut, encode_pdu(ACCEPT), number=number)
    told.see(events.Transition, "Evt7", "AE-7", "Sta3", "Sta6", number=number)


def test_an_association_that_a_peer_opens_is_told_with_its_contexts(told: Told) -> None:
    serve(told)
    [watched] = told.accepted
    assert ("#1 from CALLING@10.0.0.1:5", 1, 2, "Sta6") == (
        watched.about, watched.accepted, watched.proposed, watched.state
    )  # fmt: skip
    assert [watched] == told.watch.served


def test_one_that_we_open_is_known_by_the_called_title(told: Told) -> None:
    told.see(events.Transition, "Evt1", "AE-1", "Sta1", "Sta4")
    told.see(events.ConnectionOpened, ("127.0.0.1", 5), ("10.0.0.1", 104), Side.REQUESTOR)
    told.see(events.PduOut, encode_pdu(REQUEST))
    told.see(events.PduIn, encode_pdu(ACCEPT))
    told.see(events.Ended, OUTCOME)
    assert ["#1 to CALLED@10.0.0.1:104"] == [one.about for one in told.ended]
    assert [] == told.accepted == told.watch.served


def test_requests_either_way_are_counted(told: Told) -> None:
    serve(told)
    request = c_echo_rq(1, 1)
    for kind, message in (
        (events.MessageIn, request),
        (events.MessageOut, respond(request)),
        (events.MessageIn, request),
    ):
        told.see(kind, message)
    assert "2 C-ECHO-RQ" == told.watch.served[0].exchanged


def test_what_is_over_is_kept_as_history(told: Told) -> None:
    serve(told)
    told.see(events.Ended, OUTCOME)
    told.see(events.ConnectionClosed, Side.REQUESTOR, CloseHow.FIN)
    told.see(events.Transition, "Evt17", "AR-5", "Sta13", "Sta1")
    assert [(OUTCOME, 7)] == [(one.outcome, one.ended) for one in told.watch.history]
    assert [] == told.watch.served
    assert {} == told.watch._open


def test_the_end_of_the_connection_may_come_first(told: Told) -> None:
    serve(told)
    told.see(events.ConnectionClosed, Side.REQUESTOR, CloseHow.RESET)
    told.see(events.Ended, OUTCOME)
    assert {} == told.watch._open
    assert 1 == len(told.ended)


def test_a_connection_that_never_was_is_told_with_its_address(told: Told) -> None:
    told.see(events.Transition, "Evt1", "AE-1", "Sta1", "Sta4")
    told.see(events.ConnectionRefused, ("10.0.0.1", 104), "refused")
    told.see(events.Ended, OUTCOME)
    assert ["#1 to 10.0.0.1:104"] == [one.about for one in told.ended]
    assert {} == told.watch._open


def test_one_that_was_given_up_before_has_no_address(told: Told) -> None:
    told.see(events.Ended, OUTCOME)
    assert ["#1 to ?"] == [one.about for one in told.ended]


def test_pdus_that_do_not_decode_are_passed_over(told: Told) -> None:
    told.see(events.ConnectionOpened, ("127.0.0.1", 104), ("10.0.0.1", 5), Side.ACCEPTOR)
    told.see(events.PduIn, b"\x01\0\0\0\0\x01\0")
    told.see(events.PduIn, encode_pdu(REQUEST), number=99)
    assert "#1 from 10.0.0.1:5" == told.watch.served[0].about


def test_what_is_seen_may_be_shown_again(told: Told) -> None:
    serve(told)
    before = told.changes
    told.see(events.BytesIn, b"x")
    assert before == told.changes
    told.see(events.Transition, "Evt9", "DT-1", "Sta6", "Sta6")
    assert before + 1 == told.changes


def test_the_history_has_an_end(told: Told) -> None:
    for number in range(KEPT + 5):
        told.see(events.Ended, OUTCOME, number=number)
    assert (KEPT, 5) == (len(told.watch.history), told.watch.history[0].number)
