from __future__ import annotations

import re
from typing import Any

import pytest

from dicomsim import events
from dicomsim.dimse.builders import c_echo_rq
from dicomsim.events import CloseHow, Event, Side
from dicomsim.repl.trace import KINDS, NAMES, USUAL, pdu_text, trace_line
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import Abort, PDataTF, Pdv, ReleaseRQ

TIME = 1_700_000_000_123_456_789
RELEASE = encode_pdu(ReleaseRQ())
P_DATA = encode_pdu(PDataTF((Pdv(1, 3, b"12"),)))
ECHO = c_echo_rq(7, 1)


def made(kind: type[Event], *values: Any) -> Event:
    return kind(TIME, 3, *values)


SAID: list[tuple[str, Event, str]] = [
    (
        "connection",
        made(events.ConnectionOpened, ("127.0.0.1", 5), ("::1", 104), Side.REQUESTOR),
        "-> connected to [::1]:104, here 127.0.0.1:5",
    ),
    (
        "connection",
        made(events.ConnectionOpened, ("127.0.0.1", 104), ("10.0.0.1", 5), Side.ACCEPTOR, True),
        "<- connected from 10.0.0.1:5, here 127.0.0.1:104, TLS",
    ),
    ("connection", made(events.ConnectionRefused, ("h", 1), "nobody\x1b there"), r"-- no connection: nobody\x1b there"),
    (
        "connection",
        made(events.ConnectionClosed, Side.ACCEPTOR, CloseHow.RESET),
        "-- connection closed by acceptor (reset)",
    ),
    ("pdu", made(events.PduIn, RELEASE), "<- A-RELEASE-RQ"),
    ("pdu", made(events.PduOut, P_DATA), "-> P-DATA-TF context 1 command last, 2 bytes"),
    ("association", made(events.PduOut, encode_pdu(Abort())), "-> A-ABORT service-user (0/0)"),
    ("message", made(events.MessageOut, ECHO), "-> C-ECHO-RQ, message 7, 1.2.840.10008.1.1 (Verification SOP Class)"),
    ("message", made(events.MessageIn, ECHO), "<- C-ECHO-RQ, message 7, 1.2.840.10008.1.1 (Verification SOP Class)"),
    ("transition", made(events.Transition, "Evt3", "AE-3", "Sta5", "Sta6"), "-- Evt3 AE-3 Sta5 -> Sta6"),
    ("bytes", made(events.BytesIn, b"\x05\0"), "<- 2 bytes: 05 00"),
    ("bytes", made(events.BytesOut, b"\x05"), "-> 1 bytes: 05"),
    ("timer", made(events.TimerExpired, "dimse", 2.5), "-- dimse timeout of 2.5 s ran out"),
]


@pytest.mark.parametrize(("kind", "event", "expected"), SAID)
def test_an_event_of_a_chosen_kind_is_one_line_with_time_and_association(
    kind: str, event: Event, expected: str
) -> None:
    line = trace_line(event, {kind})
    assert line is not None
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.123 #3 .*", line)
    assert expected == line.partition("#3 ")[2]


@pytest.mark.parametrize(("kind", "event", "expected"), SAID)
def test_an_event_of_another_kind_is_none(kind: str, event: Event, expected: str) -> None:
    related = {"association", "pdu"} if kind in ("association", "pdu") else {kind}
    assert trace_line(event, KINDS.keys() - related) is None


def test_every_kind_has_an_event() -> None:
    assert set(KINDS) == {kind for kind, _, _ in SAID}


def test_association_pdus_are_all_but_p_data() -> None:
    assert trace_line(made(events.PduIn, P_DATA), USUAL) is None
    assert trace_line(made(events.PduIn, RELEASE), USUAL) is not None


def test_rules_and_ends_are_no_matter_of_tracing() -> None:
    assert trace_line(made(events.RuleFired, "on x: drop", "pdu in"), KINDS) is None


def test_bytes_that_are_no_pdu_are_shown_with_what_is_wrong() -> None:
    assert "1 bytes that are no PDU" in pdu_text(b"\x05")
    assert pdu_text(b"\x05").endswith(": 05")


def test_names_are_those_of_registered_uids() -> None:
    assert "Verification SOP Class" == NAMES["1.2.840.10008.1.1"]
    assert "1.2.3" not in NAMES
    assert len(NAMES) == len(list(NAMES)) > 100
