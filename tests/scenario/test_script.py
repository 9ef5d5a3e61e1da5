"""The actor that says only what its steps say, on streams that play their part."""

from __future__ import annotations

import pytest

from dicomsim.dimse.builders import build, respond
from dicomsim.dimse.fragmenter import fragment
from dicomsim.errors import ConnectError, TimeLimitError
from dicomsim.scenario.script import Script
from dicomsim.scenario.stage import ActorResult, Finding
from dicomsim.scenario.verdict import Verdict
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import Abort, AssociateRJ, ReleaseRQ
from tests.scenario.doubles import AC, PAUSE, RQ, VERIFICATION, FakeClock, FakeStage, FakeStream, actor_with

ECHO = build("C-ECHO-RQ", 1, message_id=1, affected_sop_class_uid=VERIFICATION)
ANSWER = b"".join(map(bytes, fragment(respond(ECHO), 0)))
ABORT = encode_pdu(Abort(2, 0))


def played(stage: FakeStage, *steps: object) -> ActorResult:
    """The result of a script; all streams share one clock."""
    clock = FakeClock()
    for stream in stage.streams:
        if isinstance(stream, FakeStream):
            stream.clock = clock
    return Script(actor_with(*steps), stage, clock=clock)()


def verdicts(result: ActorResult) -> list[tuple[Verdict, str]]:
    return [(finding.verdict, finding.actual) for finding in result.findings]


def test_steps_are_done_in_turn() -> None:
    stream = FakeStream(encode_pdu(AC), ANSWER)
    result = played(
        FakeStage(stream),
        "connect",
        {"send": "A-ASSOCIATE-RQ"},
        {"expect": "A-ASSOCIATE-AC"},
        {"send": "C-ECHO-RQ"},
        {"expect": {"message": "C-ECHO-RSP", "status": "success"}},
    )
    assert ([(Verdict.PASS, "accepted(1:0)"), (Verdict.PASS, "answered-ok")], ("FAKE_PEER_1", "2.25.1")) == (
        verdicts(result),
        result.implementation,
    )


def test_what_was_not_expected_fails_and_ends_the_script() -> None:
    stream = FakeStream(ABORT)
    result = played(FakeStage(stream), "connect", {"expect": "A-ASSOCIATE-AC"}, {"raw": "00"})
    assert ([(Verdict.FAIL, "aborted(2,0)")], []) == (verdicts(result), stream.sent)


@pytest.mark.parametrize(
    ("source", "verdict"), [(2, Verdict.PASS), (0, Verdict.NON_STRICT), (1, Verdict.INCONCLUSIVE), (3, Verdict.FAIL)]
)
def test_each_alternative_has_its_verdict(source: int, verdict: Verdict) -> None:
    expect = [
        {"pdu": "A-ABORT", "source": 2},
        {"pdu": "A-ABORT", "source": 0, "verdict": "non-strict"},
        {"pdu": "A-ABORT", "source": 1, "verdict": "inconclusive", "note": "reserved"},
    ]
    result = played(FakeStage(FakeStream(encode_pdu(Abort(source, 0)))), "connect", {"expect": expect})
    assert [(verdict, f"aborted({source},0)")] == verdicts(result)
    assert ["reserved" if source == 1 else ""] == [finding.note for finding in result.findings]


def test_a_precondition_that_is_not_met_is_no_failure() -> None:
    rejected = FakeStream(encode_pdu(AssociateRJ(1, 1, 7)))
    result = played(FakeStage(rejected), "connect", {"expect": "A-ASSOCIATE-AC", "otherwise": "inconclusive"})
    assert [(Verdict.INCONCLUSIVE, "rejected(1,1,7)")] == verdicts(result)


def test_an_alternative_may_end_the_script() -> None:
    stream = FakeStream(ABORT)
    result = played(FakeStage(stream), "connect", {"expect": {"pdu": "A-ABORT", "then": "end"}}, {"expect": "close"})
    assert [(Verdict.PASS, "aborted(2,0)")] == verdicts(result)


def test_what_is_to_be_skipped_is_not_looked_at() -> None:
    stream = FakeStream(ANSWER + ANSWER + ABORT)
    result = played(FakeStage(stream), "connect", {"expect": "A-ABORT", "skip": [{"message": "*"}]})
    assert [(Verdict.PASS, "aborted(2,0)")] == verdicts(result)


def test_skipping_does_not_lengthen_the_time_window() -> None:
    result = played(
        FakeStage(FakeStream(ANSWER, PAUSE)), "connect", {"expect": "A-ABORT", "skip": ["C-ECHO-RSP"], "within": 3}
    )
    assert [(Verdict.FAIL, "silent(3 s)")] == verdicts(result)


def test_silence_can_be_what_is_expected() -> None:
    result = played(FakeStage(FakeStream(PAUSE)), "connect", {"expect": "silence", "within": 2})
    assert [(Verdict.PASS, "silent(2 s)")] == verdicts(result)


def test_silence_in_a_window_that_the_run_has_cut_short_says_nothing() -> None:
    stage = FakeStage(FakeStream(PAUSE), timeout=1)
    stage.capped = True
    result = played(stage, "connect", {"expect": ["close", {"silence": True, "verdict": "fail"}], "within": 75})
    assert [(Verdict.INCONCLUSIVE, "silent(1 s)")] == verdicts(result)
    assert "the time limit of the run is shorter than the time window of 75 s" == result.findings[0].note


def test_a_reaction_may_be_given_a_name_of_its_own() -> None:
    result = played(
        FakeStage(FakeStream(ANSWER)), "connect", {"expect": {"message": "*", "reaction": "ignored-and-continued"}}
    )
    assert [(Verdict.PASS, "ignored-and-continued")] == verdicts(result)


def test_kept_values_are_used_later() -> None:
    stream = FakeStream(encode_pdu(AC), ANSWER)
    played(
        FakeStage(stream),
        "connect",
        {"expect": {"pdu": "A-ASSOCIATE-AC", "keep": {"most": "maximum_length", "who": "called"}}},
        {"raw": "{most:08x}"},
        {"send": "A-ASSOCIATE-RQ", "called": "{who}", "calling": "{calling}"},
        {"expect": {"message": "*", "keep": {"id": "message_id_being_responded_to"}}},
        {"send": "C-ECHO-RQ", "message_id": "{id}"},
    )
    raw, request, _ = stream.sent[:3]
    assert ("00004000", b"SCP".ljust(16), b"SCU".ljust(16)) == (raw.hex(), request[10:26], request[26:42])


@pytest.mark.parametrize(
    ("step", "detail"),
    [
        ({"send": "C-ECHO-RQ", "message_id": "{never}"}, "nothing was kept as never"),
        ({"send": "A-ABORT", "source": "{called}"}, "should be a whole number, or {name}, not 'SCP'"),
        ({"send": "response"}, "no request has been received that could be answered"),
        ({"send": "A-ASSOCIATE-AC"}, "no A-ASSOCIATE-RQ has been received that could be answered"),
    ],
)
def test_a_step_that_cannot_be_done_is_an_error_of_the_scenario(step: object, detail: str) -> None:
    (finding,) = played(FakeStage(FakeStream()), "connect", step).findings
    assert (Verdict.ERROR, True) == (finding.verdict, detail in finding.detail)


def test_a_value_that_did_not_come_cannot_be_kept() -> None:
    result = played(
        FakeStage(FakeStream(ANSWER)), "connect", {"expect": {"message": "*", "keep": {"x": "error_comment"}}}
    )
    assert [(Verdict.ERROR, "error")] == verdicts(result)


def test_a_step_without_a_connection_is_an_error_of_the_scenario() -> None:
    (finding,) = played(FakeStage(), {"raw": "00"}).findings
    assert (Verdict.ERROR, "there is no connection: the step needs a connect or accept before it") == (
        finding.verdict, finding.detail,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("failure", "actual"),
    [
        (ConnectError("127.0.0.1:104: refused"), "refused-connection"),
        (TimeLimitError("connect timeout"), "silent(5 s)"),
    ],
)
def test_a_peer_that_cannot_be_connected_to_was_not_tested(failure: Exception, actual: str) -> None:
    result = played(FakeStage(failure), "connect", {"raw": "00"})
    assert ([(Verdict.INCONCLUSIVE, actual)], "none") == (verdicts(result), result.close)


def test_a_peer_that_does_not_come_may_fail() -> None:
    result = played(FakeStage(TimeLimitError("accept")), {"accept": None, "otherwise": "fail", "within": 2})
    assert [(Verdict.FAIL, "silent(2 s)")] == verdicts(result)


def test_what_is_held_back_goes_with_what_follows() -> None:
    stream = FakeStream()
    played(FakeStage(stream), "connect", {"raw": "01", "hold": True}, {"raw": "02", "hold": True}, {"raw": "03"})
    assert [b"\1\2\3"] == stream.sent


def test_a_step_may_be_done_several_times() -> None:
    stream = FakeStream()
    played(FakeStage(stream), "connect", {"raw": "01", "times": 3})
    assert [b"\1"] * 3 == stream.sent


@pytest.mark.parametrize(("step", "how"), [("close", "fin"), ("reset", "reset")])
def test_the_connection_is_closed_when_the_script_says_so(step: str, how: str) -> None:
    stream = FakeStream(PAUSE)
    result = played(FakeStage(stream), "connect", step)
    assert (how, f"dicomsim {how}") == (stream.closed, result.close)


def test_the_connection_is_closed_at_the_end_whatever_happens() -> None:
    stream = FakeStream(PAUSE)
    played(FakeStage(stream), "connect", {"expect": "A-ABORT"})
    assert "fin" == stream.closed


def test_a_second_connection_follows_the_first() -> None:
    first, second = FakeStream(PAUSE), FakeStream(ABORT)
    result = played(FakeStage(first, second), "connect", {"raw": "01"}, "connect", {"expect": "A-ABORT"})
    assert ([b"\1"], "fin", [(Verdict.PASS, "aborted(2,0)")]) == (first.sent, first.closed, verdicts(result))


def test_a_half_close_leaves_the_other_half() -> None:
    stream = FakeStream(ABORT)
    result = played(FakeStage(stream), "connect", {"half-close": None}, {"expect": "A-ABORT"})
    assert ("half", [(Verdict.PASS, "aborted(2,0)")]) == (stream.closed, verdicts(result))


def test_time_can_be_measured() -> None:
    stream = FakeStream(PAUSE, ABORT)
    result = played(FakeStage(stream), "connect", {"wait": 3}, {"expect": "A-ABORT", "measure": "reaction"})
    assert {"reaction": 0.0} == result.measured
    stream = FakeStream(encode_pdu(AC)[:50], PAUSE)
    result = played(FakeStage(stream), "connect", {"expect": ["close", "silence"], "within": 3, "measure": "ARTIM"})
    assert {} == result.measured


def test_an_actor_waits_for_another_ones_signal() -> None:
    stage = FakeStage(FakeStream())
    played(stage, {"give": "ready"})
    result = played(stage, {"signal": "ready"}, "connect", {"expect": "close"})
    assert [(Verdict.PASS, "tcp-fin")] == verdicts(result)


def test_a_signal_that_is_not_given_is_noticed_within_the_time_limit() -> None:
    (finding,) = played(FakeStage(), {"signal": "ready", "within": 0.01}).findings
    assert (Verdict.INCONCLUSIVE, "the signal ready was not given within the time limit of 0.01 s") == (
        finding.verdict, finding.detail,
    )  # fmt: skip


def test_the_end_of_the_peers_process_is_expected_where_there_is_no_connection() -> None:
    class Process:
        def wait(self, seconds: float) -> int | None:
            return 3

    stage = FakeStage(FakeStream())
    stage.process = Process()
    result = played(stage, {"expect": {"exit": {"not": 0}}})
    assert [(Verdict.PASS, "exited(3)")] == verdicts(result)


def test_a_process_that_does_not_end_is_silent() -> None:
    class Process:
        def wait(self, seconds: float) -> int | None:
            return None

    stage = FakeStage()
    stage.process = Process()
    assert [(Verdict.FAIL, "silent(5 s)")] == verdicts(played(stage, {"expect": {"exit": "any"}}))


def test_a_scripted_acceptor_answers_what_it_has_received() -> None:
    stream = FakeStream(encode_pdu(RQ), b"".join(map(bytes, fragment(ECHO, 0))), encode_pdu(ReleaseRQ()))
    result = played(
        FakeStage(stream),
        "accept",
        {"expect": "A-ASSOCIATE-RQ"},
        {"send": "A-ASSOCIATE-AC"},
        {"expect": {"message": "*-RQ"}},
        {"send": "response", "status": 0x0110},
        {"expect": "A-RELEASE-RQ"},
    )
    assert ([2, 4], Verdict.PASS) == ([data[0] for data in stream.sent[:2]], result.findings[-1].verdict)


def test_findings_know_their_step() -> None:
    result = played(FakeStage(FakeStream(ABORT)), "connect", {"expect": "A-ABORT"})
    finding: Finding = result.findings[0]
    assert finding.placed is not None
    assert (("steps", 1), ("A-ABORT",)) == (finding.placed.path, finding.expected)


def test_a_kept_value_that_cannot_be_written_as_wanted_is_our_error() -> None:
    stage = FakeStage(FakeStream(encode_pdu(AC)))
    result = played(stage, "connect", {"raw": "{called:02x}"})
    assert [Verdict.ERROR] == [finding.verdict for finding in result.findings]
