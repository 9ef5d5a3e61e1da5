"""`--trace`: which events get a line, and what it says."""

from __future__ import annotations

import re

import pytest

from dicomsim import events, outcome
from dicomsim.cli.trace import KINDS, Trace, describe
from dicomsim.dimse.builders import build
from dicomsim.events import CloseHow, Event, Side
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import PDataTF, Pdv, ReleaseRQ

ECHO = build("C-ECHO-RQ", 1, message_id=1, affected_sop_class_uid="1.2.840.10008.1.1")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (events.PduOut(0, 3, encode_pdu(ReleaseRQ())), "#3 -> A-RELEASE-RQ"),
        (events.MessageIn(0, 3, ECHO), "#3 <- C-ECHO-RQ, message 1, 1.2.840.10008.1.1 (Verification SOP Class)"),
        (events.RuleFired(0, 3, "on A-RELEASE-RQ in: abort", "pdu"), "#3 -- rule fired: on A-RELEASE-RQ in: abort"),
        (events.TimerExpired(0, 3, "acse", 5.0), "#3 -- acse timeout of 5 s ran out"),
        (events.ConnectionClosed(0, 3, Side.ACCEPTOR, CloseHow.RESET), "#3 -- connection closed by acceptor (reset)"),
        (
            events.Ended(0, 3, outcome.released(Side.REQUESTOR, state="Sta7", seconds_open=1)),
            "#3 -- released by requestor in Sta7 after 1.000 s (PS3.8 7.2)",
        ),
    ],
)
def test_an_event_is_one_line_with_its_time_and_association(event: Event, expected: str) -> None:
    written: list[str] = []
    Trace(written.append)(event)
    (line,) = written
    time, _, rest = line.partition(" ")
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d\d\d", time)
    assert expected == rest
    assert type(event) in KINDS


@pytest.mark.parametrize(
    "event",
    [
        events.PduIn(0, 1, encode_pdu(PDataTF((Pdv(1, 3, b""),)))),
        events.Transition(0, 1, "Evt1", "AE-1", "Sta1", "Sta4"),
        events.BytesIn(0, 1, b"\x05"),
    ],
)
def test_messages_stand_for_what_carries_them(event: Event) -> None:
    assert describe(event) is None
