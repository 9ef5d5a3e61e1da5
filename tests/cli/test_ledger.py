"""The books of `dicomsim serve`: what is entered for which event."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomsim import events, outcome
from dicomsim.cli.ledger import Ended, Entry, Fired, Ledger, Stored
from dicomsim.dimse.builders import build, respond
from dicomsim.dimse.data import FileSlice
from dicomsim.dimse.messages import Message
from dicomsim.events import Event, Side
from dicomsim.upper_layer.agreement import conclude
from dicomsim.upper_layer.negotiation import AcceptorPolicy, SupportedContext, build_request, negotiate
from dicomsim.wire.items import PresentationContextRQ
from dicomsim.wire.pdu import AssociateAC
from tests.cli.dicom_files import CT, EXPLICIT, MR

VERIFICATION = "1.2.840.10008.1.1"
REQUEST = build_request(
    "DICOMSIM", "MODALITY", [PresentationContextRQ.of(1, CT, EXPLICIT), PresentationContextRQ.of(3, MR, EXPLICIT)]
)


def _negotiated(*supported: str) -> events.Negotiated:
    answer = negotiate(REQUEST, AcceptorPolicy({uid: SupportedContext((EXPLICIT,)) for uid in supported}))
    assert isinstance(answer, AssociateAC)
    return events.Negotiated(2, 7, REQUEST, answer, conclude(REQUEST, answer, Side.ACCEPTOR))


OPENED = events.ConnectionOpened(1, 7, ("127.0.0.1", 104), ("10.0.0.9", 5000), Side.ACCEPTOR)
RELEASED = events.Ended(9, 7, outcome.released(Side.REQUESTOR, state="Sta8", seconds_open=1.5))


def _enter(ledger: Ledger, *happened: Event) -> list[Entry]:
    return [entry for event in happened for entry in ledger(event)]


def _store(path: Path | None, status: int, comment: str | None = None) -> tuple[events.MessageIn, events.MessageOut]:
    request: Message = build(
        "C-STORE-RQ", 1, message_id=4, affected_sop_class_uid=CT, priority=2, affected_sop_instance_uid="1.2.3"
    )
    if path is not None:
        path.write_bytes(bytes(2000))
        request.data = FileSlice(path, 500)
    answer = respond(request, status) if comment is None else respond(request, status, error_comment=comment)
    return events.MessageIn(3, 7, request), events.MessageOut(4, 7, answer)


def test_an_object_is_entered_when_it_is_answered(tmp_path: Path) -> None:
    ledger = Ledger()
    (entry,) = _enter(ledger, OPENED, _negotiated(CT), *_store(tmp_path / "1.2.3.dcm", 0))
    assert isinstance(entry, Stored)
    assert "#7  stored  CT Image Storage, Explicit VR Little Endian, 1.2.3, 1.5 kB" == str(entry)
    expected = {
        "event": "object",
        "association": 7,
        "sop_class_uid": CT,
        "sop_instance_uid": "1.2.3",
        "transfer_syntax_uid": EXPLICIT,
        "bytes": 1500,
        "path": str(tmp_path / "1.2.3.dcm"),
        "result": "stored",
        "status": 0,
        "text": "0x0000 Success",
    }
    assert expected == entry.as_dict()
    assert (1, 0, 1500) == (ledger.stored, ledger.failed, ledger.size)


def test_an_object_that_is_not_kept_has_no_size() -> None:
    (entry,) = _enter(Ledger(), OPENED, _negotiated(CT), *_store(None, 0))
    assert "#7  stored  CT Image Storage, Explicit VR Little Endian, 1.2.3" == str(entry)


def test_a_failure_has_its_status_and_comment_in_words() -> None:
    ledger = Ledger()
    (entry,) = _enter(ledger, OPENED, _negotiated(CT), *_store(None, 0xA700, "no space left"))
    expected = '1.2.3: 0xA700 Failure: Refused: Out of resources ("no space left")'
    assert f"#7  failed  CT Image Storage, Explicit VR Little Endian, {expected}" == str(entry)
    assert (0, 1) == (ledger.stored, ledger.failed)


def test_a_warning_counts_as_stored() -> None:
    (entry,) = _enter(Ledger(), OPENED, _negotiated(CT), *_store(None, 0xB000))
    assert str(entry).startswith("#7  stored  CT Image Storage")
    assert "0xB000 Warning" in str(entry)


def test_an_association_is_entered_when_it_is_over(tmp_path: Path) -> None:
    ledger = Ledger()
    echo = events.MessageIn(5, 7, build("C-ECHO-RQ", 1, message_id=5, affected_sop_class_uid=VERIFICATION))
    stored, ended = _enter(ledger, OPENED, _negotiated(CT), *_store(tmp_path / "a", 0), echo, echo, RELEASED)
    assert isinstance(stored, Stored)
    expected = "1 of 2 contexts, 2 C-ECHO, 1 C-STORE; released by requestor in Sta8 after 1.500 s (PS3.8 7.2)"
    assert f"#7  MODALITY@10.0.0.9:5000 -> DICOMSIM: {expected}" == str(ended)
    assert {
        "event": "association",
        "association": 7,
        "calling": "MODALITY",
        "called": "DICOMSIM",
        "remote": {"host": "10.0.0.9", "port": 5000},
        "contexts": {"proposed": 2, "accepted": 1},
        "requests": {"C-ECHO": 2, "C-STORE": 1},
        "stored": 1,
        "failed": 0,
        "outcome": RELEASED.outcome.as_dict(),
    } == ended.as_dict()


def test_a_connection_without_a_request_is_no_association() -> None:
    ledger = Ledger()
    ended = events.Ended(2, 7, outcome.timed_out("artim", 30, state="Sta2", seconds_open=30))
    (entry,) = _enter(ledger, OPENED, ended)
    assert str(entry).startswith("#7  10.0.0.9:5000: no association: timed out in Sta2 after 30.000 s: artim timeout")
    assert 0 == ledger.associations


def test_a_rejection_is_told_and_counted() -> None:
    ledger = Ledger()
    rejection = negotiate(REQUEST, AcceptorPolicy({}, calling_ae_titles=("FRIEND",)))
    assert not isinstance(rejection, AssociateAC)
    ended = events.Ended(3, 7, outcome.rejected(rejection, state="Sta3", seconds_open=0.5))
    (entry,) = _enter(ledger, OPENED, events.Negotiated(2, 7, REQUEST, rejection), ended)
    assert str(entry).startswith("#7  MODALITY@10.0.0.9:5000 -> DICOMSIM: rejected by acceptor in Sta3 after 0.500 s")
    assert (1, 1) == (ledger.associations, ledger.rejected)


def test_a_rule_that_fires_is_told() -> None:
    (entry,) = _enter(Ledger(), events.RuleFired(2, 7, "on A-RELEASE-RQ in: abort", "pdu"))
    assert Fired(7, "on A-RELEASE-RQ in: abort") == entry
    assert "#7  rule fired: on A-RELEASE-RQ in: abort" == str(entry)
    assert {"event": "rule", "association": 7, "rule": "on A-RELEASE-RQ in: abort"} == entry.as_dict()


@pytest.mark.parametrize("late", [RELEASED, _negotiated(CT), *_store(None, 0)])
def test_what_comes_after_the_end_is_not_entered(late: Event) -> None:
    ledger = Ledger()
    assert [Ended] == [type(entry) for entry in _enter(ledger, OPENED, RELEASED)]
    assert [] == _enter(ledger, late)


def test_answers_to_what_was_not_asked_are_not_entered() -> None:
    answer = _store(None, 0)[1]
    assert [] == _enter(Ledger(), OPENED, _negotiated(CT), answer)


def test_what_the_peer_writes_is_made_printable() -> None:
    ledger = Ledger()
    request, answer = _store(None, 0)
    request.message.command[0x00001000] = "1.2\x1b[31m"
    (entry,) = _enter(ledger, OPENED, _negotiated(CT), request, answer)
    assert str(entry).endswith("1.2\\x1b[31m")


def test_the_summary_counts_everything(tmp_path: Path) -> None:
    ledger = Ledger()
    happened = [OPENED, _negotiated(CT), *_store(tmp_path / "a", 0), *_store(None, 0xA700), RELEASED]
    _enter(ledger, *happened)
    assert "1 association, 1 object stored (1.5 kB), 1 failed, in 2.0 s" == ledger.summary(2)
    assert "0 associations, 0 objects stored, in 0.5 s" == Ledger().summary(0.5)
    assert {
        "event": "summary", "associations": 1, "rejected": 0, "stored": 1, "failed": 1, "bytes": 1500, "seconds": 2,
    } == ledger.as_dict(2)  # fmt: skip
