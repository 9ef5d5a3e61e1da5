"""Replays from the file to the verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomsim import resources
from dicomsim.capture.compare import Difference, Verdict
from dicomsim.capture.conversation import conversations
from dicomsim.capture.player import PlayOptions
from dicomsim.capture.replay import ReplayReport, replay, replay_file
from dicomsim.capture.transcript import Utterance
from dicomsim.errors import ConnectError, FileError, TimeLimitError
from dicomsim.events import Side
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.pdu import AssociateRQ
from tests.capture.associations import IMPLICIT, answer
from tests.capture.live_events import ABORT
from tests.capture.scripted_peer import ScriptedPeer, refusing, script

LIVE = resources.captures() / "live"
NAMES = sorted(path.stem for path in LIVE.glob("*.pcapng") if path.stem != "refused")


def run(name: str, peer: ScriptedPeer, **options: object) -> ReplayReport:
    conversation = conversations(LIVE / f"{name}.pcapng")[0]
    return replay(conversation, lambda: peer, PlayOptions(**options), clock=peer.clock)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_a_peer_that_answers_as_captured_is_the_same(name: str) -> None:
    said = script(LIVE / f"{name}.pcapng")
    report = run(name, ScriptedPeer(said))
    assert (report.verdict, report.differences, report.error) == (Verdict.SAME, (), None)
    assert list(report.lines())[-1] == "association 1: SAME"


def test_a_report_has_a_line_a_step_and_says_what_differs() -> None:
    said = script(LIVE / "find_study.pcapng")
    success, failure = bytes.fromhex("00000009 02000000 0000"), bytes.fromhex("00000009 02000000 2201")
    peer = ScriptedPeer([(sender, data.replace(success, failure)) for sender, data in said])
    report = run("find_study", peer)
    assert report.verdict is Verdict.CHANGED
    expected = """\
    1 frame 4       -> A-ASSOCIATE-RQ TESTSCU -> ARCH, 1 context, maximum length 16384
    2 frame 6       <- A-ASSOCIATE-AC 1 of 1 context accepted, maximum length 16384
    3 frame 10      -> C-FIND-RQ, message 1, Study Root Query/Retrieve Information Model - FIND
    4 frame 14      <- C-FIND-RSP FF00 Pending, to message 1
    5 frame 14      <- C-FIND-RSP FF00 Pending, to message 1
    6 frame 14      <- C-FIND-RSP 0000 Success, to message 1
      ! C-FIND-RSP/status: captured 0x0000 Success: Matching is complete - No final Identifier is supplied, \
now 0x0122 Failure: Refused: SOP Class not supported
    7 frame 16      -> A-RELEASE-RQ
    8 frame 17      <- A-RELEASE-RP
    9 frame 19      x  connection end: fin
association 1: CHANGED"""
    assert list(report.lines()) == expected.splitlines()


def test_contexts_that_differ_alike_have_one_line() -> None:
    alike = [Difference(1, 4, f"A-ASSOCIATE-AC/context {number}", "a", "b") for number in (1, 3, 5, 7, 9, 11)]
    others = [
        Difference(1, 4, "A-ASSOCIATE-AC/context 13", "a", "c"),
        *[Difference(1, 4, "C-FIND-RSP/match", "x", "y")] * 2,
    ]
    step = Utterance(1, 4, 0, Side.ACCEPTOR, "A-ASSOCIATE-AC")
    report = ReplayReport(1, Verdict.CHANGED, (*alike, *others), (step,), ())
    assert [
        "      ! A-ASSOCIATE-AC/context 1, 3, 5, 7 and 2 more: captured a, now b",
        "      ! A-ASSOCIATE-AC/context 13: captured a, now c",
        "      ! C-FIND-RSP/match: captured x, now y",
        "      ! C-FIND-RSP/match: captured x, now y",
    ] == list(report.lines())[1:-1]


def test_an_early_end_is_told_with_its_step_and_frame() -> None:
    said = script(LIVE / "echo_dcmtk_dcmqrscp.pcapng")
    report = run("echo_dcmtk_dcmqrscp", ScriptedPeer([*said[:3], (said[3][0], ABORT)]))
    assert report.verdict is Verdict.CHANGED
    last = report.differences[-1]
    assert (last.step, last.frame, last.path, last.captured) == (5, 16, "association", "goes on")
    assert last.live == "A-ABORT service-provider: reason-not-specified (2/0)"


def test_what_could_not_be_found_out_is_an_error() -> None:
    silent = ScriptedPeer([])
    report = run("abort", silent, timeout=3)
    assert report.verdict is Verdict.ERROR
    assert isinstance(report.error, TimeLimitError)
    assert "within replay timeout of 3 s" in list(report.lines())[-2]
    report = replay(conversations(LIVE / "abort.pcapng")[0], refusing)
    assert isinstance(report.error, ConnectError)


def test_contexts_are_proposed_as_they_were_accepted_where_the_peer_prefers_others() -> None:
    said = script(LIVE / "store_dcmsend.pcapng")
    preferring_implicit = [said[0], answer((1, 0, IMPLICIT), (3, 0, IMPLICIT))]
    peers = [ScriptedPeer(preferring_implicit), ScriptedPeer(said)]
    first, second = peers
    report = replay(conversations(LIVE / "store_dcmsend.pcapng")[0], lambda: peers.pop(0), clock=first.clock)
    assert (report.verdict, report.error) == (Verdict.SAME, None)
    assert report.notes[0].startswith("contexts were proposed only as they had been accepted")
    assert [pdu[0] for pdu in first.sent] == [1, 7]
    request = decode_pdu(second.sent[0])
    assert isinstance(request, AssociateRQ)
    assert [context.transfer_syntaxes for context in request.presentation_contexts] == [("1.2.840.10008.1.2.1",)] * 2


def test_a_refusal_is_replayed() -> None:
    conversation = conversations(LIVE / "refused.pcapng")[0]
    assert replay(conversation, refusing).verdict is Verdict.SAME
    peer = ScriptedPeer([])
    assert replay(conversation, lambda: peer, clock=peer.clock).verdict is Verdict.CHANGED


def test_of_a_file_the_associations_with_the_first_acceptor_are_played() -> None:
    move = LIVE / "move_patient.pcapng"
    peer = ScriptedPeer(script(move))
    assert [r.association for r in replay_file(move, lambda: peer, clock=peer.clock)] == [1]
    peer = ScriptedPeer([])
    (report,) = replay_file(move, lambda: peer, PlayOptions(timeout=1), association=2, clock=peer.clock)
    assert (report.association, peer.sent[0][26:30]) == (2, b"ARCH")


def test_a_file_without_such_an_association_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"abort\.pcapng: no association 7 in this capture$"):
        list(replay_file(LIVE / "abort.pcapng", refusing, association=7))
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(bytes.fromhex("d4c3b2a1 02000400 00000000 00000000 00000400 01000000"))
    with pytest.raises(FileError, match=r"empty\.pcap: no DICOM association in this capture$"):
        list(replay_file(empty, refusing))


def test_titles_are_fitted_and_secrets_left_out() -> None:
    peer = ScriptedPeer(script(LIVE / "abort.pcapng"))
    run("abort", peer, called="PACS", calling="ME")
    assert peer.sent[0][10:42] == b"PACS".ljust(16) + b"ME".ljust(16)
