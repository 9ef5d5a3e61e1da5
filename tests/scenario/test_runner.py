"""Runs of cases against peers on loopback: verdicts, sanity around them, and who is to blame."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from dicomsim import events
from dicomsim.engine.stream import BlockingStream, StreamListener, connect_stream
from dicomsim.errors import AssociationError, ConnectError, TimeLimitError
from dicomsim.scenario import runner as runner_module
from dicomsim.scenario.actors import EmbeddedAcceptor
from dicomsim.scenario.loader import Case, load
from dicomsim.scenario.result import CaseResult
from dicomsim.scenario.runner import OneAtATimeError, Runner, Settings
from dicomsim.scenario.stage import Address, Stage, Titles
from dicomsim.scenario.verdict import Verdict
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import Abort, AssociateRJ
from tests.scenario.doubles import AC, LIMIT, Peer, accept_and_answer, case_of, read_pdu, write_scenario

UNKNOWN_FIRST = """\
  - connect
  - raw: 08 00 00000004 00000000
  - expect:
      - {pdu: A-ABORT, source: 0}
      - {pdu: A-ABORT, verdict: non-strict}
"""
Answer = Callable[[BlockingStream], object]


def conforming_but(first_byte: int, answer: Answer) -> Answer:
    """A peer in good order but for what begins with that byte."""

    def converse(stream: BlockingStream) -> None:
        data = stream.receive(LIMIT)
        if data[:1] == bytes((first_byte,)):
            answer(stream)
            return
        stream.send(encode_pdu(AC), LIMIT)
        accept_and_answer(stream)

    return converse


def sends(pdu: Abort | AssociateRJ) -> Answer:
    def answer(stream: BlockingStream) -> None:
        stream.send(encode_pdu(pdu), LIMIT)
        stream.receive(LIMIT)

    return answer


def run(case: Case, peer: Peer, **more: object) -> CaseResult:
    settings = replace(Settings(peer=peer.address, titles=Titles("SCP", "SCU"), timeout=LIMIT), **more)  # type: ignore[arg-type]
    with Runner(settings) as runner:
        return runner.run(case)


@pytest.mark.parametrize(
    ("answer", "verdict", "actual", "close"),
    [
        (sends(Abort(0, 0)), Verdict.PASS, "aborted(0,0)", "dicomsim fin"),
        (sends(Abort(2, 1)), Verdict.NON_STRICT, "aborted(2,1)", "dicomsim fin"),
        (sends(AssociateRJ(1, 1, 1)), Verdict.FAIL, "rejected(1,1,1)", "dicomsim fin"),
        (lambda stream: stream.close(reset=True), Verdict.FAIL, "tcp-rst", "peer reset"),
        (lambda stream: stream.close(), Verdict.FAIL, "tcp-fin", "peer fin"),
    ],
)
def test_a_case_is_judged_by_what_the_peer_does(
    tmp_path: Path, answer: Answer, verdict: Verdict, actual: str, close: str
) -> None:
    with Peer(conforming_but(8, answer)) as peer:
        result = run(case_of(tmp_path, UNKNOWN_FIRST), peer)
    assert (verdict, actual, close) == (result.verdict, result.actual, result.close)


def test_silence_is_told_with_the_time_limit_by_name(tmp_path: Path) -> None:
    with Peer(conforming_but(8, lambda stream: stream.receive(LIMIT))) as peer:
        result = run(case_of(tmp_path, UNKNOWN_FIRST), peer, timeout=0.2)
    assert (Verdict.FAIL, "silent(0.2 s)", "nothing within the time window of 0.2 s") == (
        result.verdict, result.actual, result.detail,
    )  # fmt: skip


def test_the_sanity_exchange_runs_before_the_first_case_and_after_each(tmp_path: Path) -> None:
    with Peer(conforming_but(8, sends(Abort()))) as peer:
        settings = Settings(peer=peer.address, timeout=LIMIT)
        counts = []
        for sanity in ("each", "ends", "none"):
            before = peer.connections
            with Runner(replace(settings, sanity=sanity)) as runner:
                for _ in range(2):
                    runner.run(case_of(tmp_path, UNKNOWN_FIRST))
                runner.check_last()
            counts.append(peer.connections - before)
    assert [1 + 2 * 2, 1 + 2 + 1, 2] == counts


def test_a_peer_that_dies_of_a_case_fails_it_and_the_others_are_inconclusive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = case_of(tmp_path, UNKNOWN_FIRST)
    with Peer(conforming_but(8, sends(Abort()))) as peer, Runner(Settings(peer=peer.address, timeout=LIMIT)) as runner:
        recovered = runner._recovered

        def after(case: Case, result: CaseResult) -> CaseResult:
            peer.stop()
            return recovered(case, result)

        monkeypatch.setattr(runner, "_recovered", after)
        first, second = runner.run(case), runner.run(case)
    assert (Verdict.FAIL, "aborted(0,0), then crashed (no longer accepts)") == (first.verdict, first.actual)
    assert (Verdict.INCONCLUSIVE, "the peer was not in good order before: refused-connection") == (
        second.verdict, second.note,
    )  # fmt: skip


def test_a_peer_that_rejects_for_a_while_after_a_case_is_given_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "RECOVERY_PAUSE", 0.0)
    left = [3]

    def converse(stream: BlockingStream) -> None:
        data = stream.receive(LIMIT)
        if data[:1] == b"\x08":
            left[0] = 0
            sends(Abort())(stream)
        elif left[0] < 3:
            left[0] += 1
            sends(AssociateRJ(2, 3, 2))(stream)
        else:
            stream.send(encode_pdu(AC), LIMIT)
            accept_and_answer(stream)

    with Peer(converse) as peer:
        result = run(case_of(tmp_path, UNKNOWN_FIRST), peer)
    assert (Verdict.PASS, "aborted(0,0)", 3) == (result.verdict, result.actual, left[0])


def test_a_peer_that_rejects_for_ever_after_a_case_is_told_apart_from_a_dead_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "RECOVERY_LIMIT", 0.0)
    spoilt = []

    def converse(stream: BlockingStream) -> None:
        data = stream.receive(LIMIT)
        if data[:1] == b"\x08":
            spoilt.append(1)
            sends(Abort())(stream)
        elif spoilt:
            sends(AssociateRJ(2, 3, 2))(stream)
        else:
            stream.send(encode_pdu(AC), LIMIT)
            accept_and_answer(stream)

    with Peer(converse) as peer:
        result = run(case_of(tmp_path, UNKNOWN_FIRST), peer)
    assert (Verdict.FAIL, "aborted(0,0), then rejected(2,3,2) to a plain association") == (
        result.verdict,
        result.actual,
    )


def test_a_peer_that_is_not_there_stops_the_run_before_any_case() -> None:
    with StreamListener() as listener:
        address = Address(*listener.address)
    with Runner(Settings(peer=address)) as runner, pytest.raises(ConnectError, match=f"{address}: connection refused"):
        runner.check("requestor")


def test_a_peer_that_rejects_stops_the_run_and_says_what_to_look_at() -> None:
    with (
        Peer(conforming_but(1, sends(AssociateRJ(1, 1, 7)))) as peer,
        Runner(Settings(peer=peer.address, timeout=LIMIT)) as runner,
        pytest.raises(AssociationError, match=r"called-AE-title-not-recognized.*check the AE titles"),
    ):
        runner.check("requestor")


def test_a_peer_that_is_silent_stops_the_run_with_the_time_limit() -> None:
    with (
        Peer(lambda stream: stream.receive(LIMIT) and stream.receive(LIMIT)) as peer,
        Runner(Settings(peer=peer.address, timeout=0.2)) as runner,
        pytest.raises(TimeLimitError, match=r"time window of 0\.2 s; --timeout sets it"),
    ):
        runner.check("requestor")


@pytest.mark.parametrize(
    ("settings", "role", "reason"),
    [
        (Settings(peer=Address("h", 1)), "acceptor", "needs a peer that connects: --exec or --listen"),
        (Settings(command="x"), "requestor", "needs a peer that listens: --peer"),
        (Settings(peer=Address("h", 1)), "requestor", None),
        (Settings(command="x"), "acceptor", None),
        (Settings(listen=Address("h", 1)), "acceptor", None),
        (Settings(), "acceptor", None),
        (Settings(), "requestor", None),
    ],
)
def test_a_case_needs_the_peer_of_its_role(tmp_path: Path, settings: Settings, role: str, reason: str | None) -> None:
    step = "connect" if role == "requestor" else "accept"
    assert reason == Runner(settings).why_not(case_of(tmp_path, f"  - {step}\n", role=role))


@pytest.mark.parametrize(
    ("step", "reason"),
    [("expect: {exit: any}", "needs a peer that can be seen to end: --exec"), ("expect: [fin, {exit: any}]", None)],
)
def test_a_case_that_awaits_an_exit_needs_a_process(tmp_path: Path, step: str, reason: str | None) -> None:
    case = case_of(tmp_path, f"  - accept\n  - {step}\n", role="acceptor")
    assert [reason, None] == [
        Runner(settings).why_not(case) for settings in (Settings(listen=Address("h", 1)), Settings(command="x"))
    ]


def test_a_peer_that_serves_one_association_at_a_time_is_not_given_several() -> None:
    with (
        Peer(accept_and_answer) as peer,
        Runner(Settings(peer=peer.address, titles=Titles("SCP"), timeout=0.2)) as runner,
        pytest.raises(OneAtATimeError, match=rf"SCP@{peer.address} .*\(silent\(0\.2 s\) while .*: run without -n"),
    ):
        runner.check_together()


def test_a_peer_that_serves_several_is() -> None:
    with EmbeddedAcceptor() as peer, Runner(Settings(peer=peer.address, timeout=LIMIT)) as runner:
        runner.check_together()
    Runner(Settings(command="x")).check_together()


def test_slow_cases_run_when_asked_for(tmp_path: Path) -> None:
    case = case_of(tmp_path, "  - connect\n", more="tags: [slow]\n")
    assert ["slow: run it with --slow", None] == [Runner(Settings(slow=slow)).why_not(case) for slow in (False, True)]


def test_a_skipped_case_says_why(tmp_path: Path) -> None:
    result = Runner(Settings(command="x")).run(case_of(tmp_path, "  - connect\n"))
    assert (Verdict.SKIP, "needs a peer that listens: --peer") == (result.verdict, result.note)


@pytest.mark.parametrize(
    ("pattern", "name", "verdict"),
    [
        ("FAKE_PEER_*", None, Verdict.XFAIL),
        ("2.25.1", None, Verdict.XFAIL),
        ("fake_peer_1", None, Verdict.XFAIL),
        ("ours", "ours", Verdict.XFAIL),
        ("ours", None, Verdict.FAIL),
        ("OTHER_*", None, Verdict.FAIL),
    ],
)
def test_a_known_fault_of_a_peer_is_expected_of_it_alone(
    tmp_path: Path, pattern: str, name: str | None, verdict: Verdict
) -> None:
    more = f'peers: {{"{pattern}": {{xfail: {{reason: closes without a word}}}}}}\n'
    with Peer(conforming_but(8, lambda stream: stream.close())) as peer:
        result = run(case_of(tmp_path, UNKNOWN_FIRST, more=more), peer, name=name)
    assert verdict is result.verdict


def test_a_known_fault_that_is_gone_fails_the_run(tmp_path: Path) -> None:
    more = 'peers: {"FAKE_*": {xfail: {reason: closes without a word}}}\n'
    with Peer(conforming_but(8, sends(Abort()))) as peer:
        result = run(case_of(tmp_path, UNKNOWN_FIRST, more=more), peer)
    assert (Verdict.XPASS, "closes without a word") == (result.verdict, result.note)


SEVERAL = """\
requirement: Several associations are open at once.
clause: PS3.8 §9.1
level: practice
role: requestor
actors:
  early: {count: 3, steps: [connect, {give: ready}]}
  late:
    steps:
      - {signal: ready}
      - connect
      - raw: 08 00 00000004 00000000
      - expect: A-ABORT
"""


def test_several_actors_act_at_once(tmp_path: Path) -> None:
    case = load(write_scenario(tmp_path, "field/several", SEVERAL))
    with Peer(conforming_but(8, sends(Abort()))) as peer:
        result = run(case, peer)
        assert (Verdict.PASS, "aborted(0,0)", 6) == (result.verdict, result.actual, peer.connections)


def test_an_observer_sees_every_byte_and_each_association_is_noted(tmp_path: Path) -> None:
    seen: list[events.Event] = []
    notes: list[str] = []
    with Peer(conforming_but(8, sends(Abort()))) as peer:
        run(case_of(tmp_path, UNKNOWN_FIRST), peer, observer=seen.append, note=lambda number, text: notes.append(text))
    kinds = [type(event).__name__ for event in seen]
    assert (["sanity", "ps3.8/9.2/some-case", "sanity"], 3, 3, True) == (
        notes, kinds.count("ConnectionOpened"), kinds.count("ConnectionClosed"), "BytesOut" in kinds,
    )  # fmt: skip


# -- requestors under test ---------------------------------------------------------------------------------------------

REJECT = """\
  - accept
  - expect: A-ASSOCIATE-RQ
  - send: A-ASSOCIATE-RJ
  - expect: close
  - expect: {exit: {not: 0}}
"""
CONNECTS = """\
import sys
from tests.scenario.doubles import *
from dicomsim.engine.stream import connect_stream
print("connecting")
with connect_stream(sys.argv[1], int(sys.argv[2]), LIMIT) as stream:
    stream.send(encode_pdu(RQ), LIMIT)
    answer = read_pdu(stream)
print("answer", answer[0], open(sys.argv[3], "rb").read()[128:132].decode())
sys.exit(answer[0] - 2)
"""


def requestor(code: str = CONNECTS) -> str:
    return f"{sys.executable} -c '{code}' {{host}} {{port}} {{file}}"


@pytest.mark.slow
def test_a_requestor_under_test_is_started_and_its_end_is_kept(tmp_path: Path) -> None:
    with Runner(Settings(command=requestor(), timeout=LIMIT)) as runner:
        result = runner.run(case_of(tmp_path, REJECT, role="acceptor"))
    assert (Verdict.PASS, "exited(1)", 1, "connecting\nanswer 3 DICM\n", "peer fin") == (
        result.verdict, result.actual, result.peer_exit, result.peer_output, result.close,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        ("print(3)", AssociationError, "it exited with 0 without an association, saying: 3"),
        (
            "import threading; threading.Event().wait()",
            TimeLimitError,
            r"it was still running after the time limit of 0\.5 s",
        ),
    ],
)
def test_a_requestor_that_does_not_connect_stops_the_run(code: str, error: type[Exception], message: str) -> None:
    timeout = 0.5 if error is TimeLimitError else LIMIT
    with Runner(Settings(command=requestor(code), timeout=timeout)) as runner, pytest.raises(error, match=message):
        runner.check("acceptor")


def test_a_requestor_that_cannot_be_started_stops_the_run() -> None:
    with (
        Runner(Settings(command="no-such-tool {port}")) as runner,
        pytest.raises(ConnectError, match="cannot be started"),
    ):
        runner.check("acceptor")


class ListeningRunner(Runner):
    """A runner whose peer is a function, which is called in a thread as soon as somebody listens."""

    def __init__(self, connect: Callable[[Address], object]) -> None:
        super().__init__(Settings(listen=Address("127.0.0.1", 0), timeout=LIMIT))
        self._connect = connect
        self._thread = Thread()

    def _receive_peer(self, stage: Stage, exits: ExitStack, case: Case) -> None:
        super()._receive_peer(stage, exits, case)
        self._thread = Thread(target=self._connect, args=(stage.address,), daemon=True)
        self._thread.start()
        exits.callback(self._thread.join, LIMIT)


def test_a_requestor_that_somebody_else_starts_is_waited_for(tmp_path: Path) -> None:
    def connect(address: Address) -> None:
        with connect_stream(address.host, address.port, LIMIT) as stream:
            read_pdu(stream)

    steps = "  - accept\n  - send: A-ABORT\n  - expect: close\n"
    with ListeningRunner(connect) as runner:
        result = runner.run(case_of(tmp_path, steps, role="acceptor"))
    assert (Verdict.PASS, "tcp-fin") == (result.verdict, result.actual)


def test_a_requestor_that_tries_again_is_noticed(tmp_path: Path) -> None:
    def connect(address: Address) -> None:
        with ExitStack() as streams:
            first, *_ = [streams.enter_context(connect_stream(address.host, address.port, LIMIT)) for _ in range(3)]
            read_pdu(first)

    with ListeningRunner(connect) as runner:
        steps = "  - accept\n  - send: A-ABORT\n  - expect: close\n"
        result = runner.run(case_of(tmp_path, steps, role="acceptor"))
    assert (Verdict.PASS, "tcp-fin, retried(2)") == (result.verdict, result.actual)


def test_what_an_actor_raises_is_raised_by_the_run(tmp_path: Path) -> None:
    case = case_of(tmp_path, "  - connect\n  - raw: '08'\n")

    def interrupt(event: events.Event) -> None:
        if isinstance(event, events.BytesOut):
            raise KeyboardInterrupt

    settings = Settings(timeout=LIMIT, observer=interrupt, sanity="none")
    with (
        Peer(accept_and_answer) as peer,
        Runner(replace(settings, peer=peer.address)) as runner,
        pytest.raises(KeyboardInterrupt),
    ):
        runner.run(case)
