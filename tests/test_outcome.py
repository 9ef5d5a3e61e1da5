"""How an association ended, in one line."""

from __future__ import annotations

import json

import pytest

from dicomsim.errors import AssociationError, ConnectError, TimeLimitError, WireError
from dicomsim.events import CloseHow, Side
from dicomsim.outcome import (
    Ending,
    Outcome,
    Part,
    aborted,
    closed,
    refused,
    rejected,
    released,
    timed_out,
)
from dicomsim.upper_layer.table import State
from dicomsim.wire.pdu import AssociateRJ
from tests.oracle import document

CODES = document("reject_abort")

LINES: list[tuple[Outcome, str]] = [
    (
        released(Side.REQUESTOR, state=State.STA7, seconds_open=1.5),
        "released by requestor in Sta7 after 1.500 s (PS3.8 7.2)",
    ),
    (
        rejected(AssociateRJ(1, 1, 7), state=State.STA5, seconds_open=0.0123),
        (
            "rejected by acceptor in Sta5 after 0.012 s: "
            "permanent, service user, called AE title not recognized (1/1/7; PS3.8 9.3.4)"
        ),
    ),
    (
        rejected(AssociateRJ(9, 8, 7), state="Sta5", seconds_open=0, cause="odd"),
        (
            "rejected by acceptor in Sta5 after 0.000 s: "
            "reserved result 9, reserved source 8, reserved reason 7 (9/8/7; PS3.8 9.3.4): odd"
        ),
    ),
    (
        aborted(Side.ACCEPTOR, 0, 5, state=State.STA6, seconds_open=2),
        "aborted by acceptor in Sta6 after 2.000 s: service user (0/5; PS3.8 9.3.8)",
    ),
    (
        aborted(Side.ACCEPTOR, 1, 3, state=State.STA6, seconds_open=2),
        "aborted by acceptor in Sta6 after 2.000 s: reserved source 1, reserved reason 3 (1/3; PS3.8 9.3.8)",
    ),
    (
        aborted(
            Side.REQUESTOR,
            2,
            6,
            state=State.STA6,
            seconds_open=2,
            cause=WireError(10, "P-DATA-TF/PDV 1", "ID 7 unknown"),
        ),
        (
            "aborted by requestor in Sta6 after 2.000 s: service provider, invalid PDU parameter value "
            "(2/6; PS3.8 9.3.8): byte 10, P-DATA-TF/PDV 1: ID 7 unknown"
        ),
    ),
    (
        closed(Side.ACCEPTOR, CloseHow.FIN, state=State.STA6, seconds_open=0.25),
        "connection closed by acceptor in Sta6 after 0.250 s: neither released nor aborted before (PS3.8 7.4)",
    ),
    (
        closed(Side.ACCEPTOR, CloseHow.RESET, state=State.STA5, seconds_open=0.25),
        "connection reset by acceptor in Sta5 after 0.250 s: neither released nor aborted before (PS3.8 7.4)",
    ),
    (
        timed_out("acse", 60.0, state=State.STA5, seconds_open=60.0012),
        "timed out in Sta5 after 60.001 s: acse timeout of 60 s",
    ),
    (
        timed_out("artim", 0.5, state=State.STA2, seconds_open=0.5),
        "timed out in Sta2 after 0.500 s: artim timeout of 0.5 s (PS3.8 9.1.5)",
    ),
    (
        refused(("127.0.0.1", 104), "Connection refused", seconds_open=0.001),
        "connection refused in Sta4 after 0.001 s: 127.0.0.1:104 (PS3.8 7.4): Connection refused",
    ),
    (
        refused(("::1", 104), "handshake failure", seconds_open=0.001, how=CloseHow.FAILED),
        "connection failed in Sta4 after 0.001 s: [::1]:104 (PS3.8 7.4): handshake failure",
    ),
]


@pytest.mark.parametrize(("outcome", "line"), LINES, ids=[line.split(" in Sta")[0] for _, line in LINES])
def test_an_outcome_reads_as_one_line(outcome: Outcome, line: str) -> None:
    assert str(outcome) == line


@pytest.mark.parametrize(
    "codes",
    [
        (int(result), int(source), int(reason))
        for result in CODES["a_associate_rj"]["result"]
        for source, reasons in CODES["a_associate_rj"]["reason"].items()
        for reason in reasons
    ],
)
def test_every_rejection_of_the_standard_is_told_by_its_names(codes: tuple[int, int, int]) -> None:
    table = CODES["a_associate_rj"]
    result, source, reason = map(str, codes)
    outcome = rejected(AssociateRJ(*codes), state=State.STA5, seconds_open=0)
    words = outcome.meaning.split(", ")
    assert words[0] == table["result"][result].removeprefix("rejected-")
    assert words[1] == table["source"][source].removeprefix("DICOM UL ").replace("-", " ")
    name = table["reason"][source][reason]
    assert words[2] == (f"reserved reason {reason}" if name == "reserved" else name.replace("-", " "))
    assert outcome.part is (Part.USER if source == "1" else Part.PROVIDER)
    assert outcome.codes == codes


@pytest.mark.parametrize("reason", [int(code) for code in CODES["a_abort"]["reason_if_source_2"]])
def test_every_abort_of_a_provider_is_told_by_its_name(reason: int) -> None:
    name = CODES["a_abort"]["reason_if_source_2"][str(reason)]
    outcome = aborted(Side.ACCEPTOR, 2, reason, state=State.STA6, seconds_open=0)
    expected = f"reserved reason {reason}" if name == "reserved" else name.replace("-", " ")
    assert outcome.meaning == f"service provider, {expected}"
    assert outcome.part is Part.PROVIDER


def test_only_a_release_is_orderly() -> None:
    assert [outcome.how for outcome, _ in LINES if outcome.is_orderly] == [Ending.RELEASED]


def test_each_ending_has_its_exception() -> None:
    errors = {outcome.how: type(outcome.error()) for outcome, _ in LINES}
    assert errors == {
        Ending.RELEASED: AssociationError,
        Ending.REJECTED: AssociationError,
        Ending.ABORTED: AssociationError,
        Ending.CLOSED: AssociationError,
        Ending.RESET: AssociationError,
        Ending.TIMED_OUT: TimeLimitError,
        Ending.REFUSED: ConnectError,
        Ending.FAILED: ConnectError,
    }
    assert str(LINES[0][0].error()) == LINES[0][1]


def test_a_report_gets_plain_values_and_only_those_that_say_something() -> None:
    rejection = rejected(AssociateRJ(2, 3, 1), state=State.STA5, seconds_open=0.5).as_dict()
    assert json.loads(json.dumps(rejection)) == {
        "how": "rejected",
        "by": "acceptor",
        "part": "service provider",
        "state": "Sta5",
        "seconds": 0.5,
        "meaning": "transient, service provider (Presentation related function), temporary congestion",
        "codes": [2, 3, 1],
        "clause": "PS3.8 9.3.4",
    }
    timeout = timed_out("send", 0.0, state=State.STA6, seconds_open=0.0).as_dict()
    assert (timeout["timeout"], timeout["timeout_seconds"], timeout["seconds"]) == ("send", 0.0, 0.0)
    assert "by" not in timeout
