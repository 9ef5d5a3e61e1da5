"""AEs of dicomsim as actors and as the peers of a run without others."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomsim.engine.stream import StreamListener
from dicomsim.scenario.actors import EmbeddedAcceptor, EmbeddedRequestor
from dicomsim.scenario.loader import Case, load
from dicomsim.scenario.result import CaseResult
from dicomsim.scenario.runner import Runner, Settings
from dicomsim.scenario.sample import Sample
from dicomsim.scenario.stage import Address, Titles
from dicomsim.scenario.verdict import Verdict
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import AssociateRJ
from tests.scenario.doubles import HEAD, LIMIT, read_pdu, write_scenario


def ae_case(root: Path, role: str, steps: str, *rules: str, more: str = "") -> Case:
    """A case whose actor is an AE with these rules."""
    text = HEAD.format(role=role) + more + "kind: ae\n"
    if rules:
        text += "rules:\n" + "".join(f"  - {rule}\n" for rule in rules)
    return load(write_scenario(root, "field/case", f"{text}steps:\n{steps}"))


def run(case: Case, timeout: float = LIMIT) -> CaseResult:
    with Runner(Settings(timeout=timeout, sanity="none")) as runner:
        return runner.run(case)


STORES = """\
  - associate
  - store
  - expect: {message: C-STORE-RSP, status: success}
  - echo
  - expect: {message: C-ECHO-RSP, status: success}
  - release
  - expect: A-RELEASE-RP
"""


def test_an_ae_does_what_its_steps_ask_for(tmp_path: Path) -> None:
    result = run(ae_case(tmp_path, "requestor", STORES))
    assert (Verdict.PASS, "released") == (result.verdict, result.actual)
    came = [line.split()[2].rstrip(",") for line in result.log if line.split()[1] == "<-"]
    assert ["A-ASSOCIATE-AC", "C-STORE-RSP", "C-ECHO-RSP", "A-RELEASE-RP"] == came
    assert ["A-ASSOCIATE-RQ", "P-DATA-TF", "A-RELEASE-RQ"] == list(
        dict.fromkeys(line.split()[2] for line in result.log if line.split()[1] == "->" and "FIN" not in line)
    )


@pytest.mark.parametrize(
    ("rule", "verdict", "actual"),
    [
        ("on P-DATA-TF out: substitute reserved=0xFF", Verdict.PASS, "released"),
        ("on P-DATA-TF out: slice 10 pause=0", Verdict.PASS, "released"),
        ("on P-DATA-TF out: substitute pdv.context_id=99", Verdict.FAIL, "tcp-fin"),
    ],
)
def test_rules_are_put_around_a_requestor(tmp_path: Path, rule: str, verdict: Verdict, actual: str) -> None:
    result = run(ae_case(tmp_path, "requestor", STORES, rule))
    assert verdict is result.verdict, result
    assert actual == result.actual or verdict is Verdict.FAIL


def test_what_an_ae_observes_need_not_come_at_once(tmp_path: Path) -> None:
    steps = "  - associate\n  - echo\n  - echo\n  - release\n  - expect: A-RELEASE-RP\n"
    assert Verdict.PASS is run(ae_case(tmp_path, "requestor", steps)).verdict


def test_a_rejection_of_the_ae_is_a_precondition_that_is_not_met(tmp_path: Path) -> None:
    case = ae_case(
        tmp_path, "requestor", "  - associate\n  - echo\n", "on A-ASSOCIATE-RQ out: substitute protocol_version=0"
    )
    result = run(case)
    assert (Verdict.INCONCLUSIVE, "rejected(1,2,2)") == (result.verdict, result.actual)


def test_a_peer_that_is_not_there_was_not_tested(tmp_path: Path) -> None:
    with StreamListener() as listener:
        address = Address(*listener.address)
    with Runner(Settings(peer=address, sanity="none", timeout=LIMIT)) as runner:
        result = runner.run(ae_case(tmp_path, "requestor", "  - associate\n"))
    assert (Verdict.INCONCLUSIVE, "refused-connection", "none") == (result.verdict, result.actual, result.close)


def test_an_operation_without_an_association_is_an_error_of_the_scenario(tmp_path: Path) -> None:
    result = run(ae_case(tmp_path, "requestor", "  - echo\n"))
    assert (Verdict.ERROR, True) == (result.verdict, "needs an associate before it" in result.detail)


def test_contexts_may_be_chosen(tmp_path: Path) -> None:
    steps = """\
  - {associate: , contexts: [{abstract_syntax: CTImageStorage, transfer_syntaxes: [ExplicitVRLittleEndian]}]}
  - echo
  - expect: {message: C-ECHO-RSP}
    within: 0.1
"""
    result = run(ae_case(tmp_path, "requestor", steps))
    assert (Verdict.FAIL, "silent(0.1 s)", True) == (
        result.verdict, result.actual, any("no accepted presentation context" in line for line in result.log),
    )  # fmt: skip


def test_several_instances_are_stored_each_with_its_uid(tmp_path: Path) -> None:
    steps = (
        "  - associate\n  - {store: , times: 3}\n"
        + "  - expect: {message: C-STORE-RSP, keep: {uid: affected_sop_instance_uid}}\n" * 3
    )
    result = run(ae_case(tmp_path, "requestor", steps))
    uids = {line.rpartition(", ")[2] for line in result.log if "C-STORE-RSP" in line}
    assert (Verdict.PASS, 3) == (result.verdict, len(uids))


def test_an_abort_is_an_operation_too(tmp_path: Path) -> None:
    result = run(ae_case(tmp_path, "requestor", "  - associate\n  - abort\n  - expect: close\n"))
    assert (Verdict.PASS, "tcp-fin", "peer fin") == (result.verdict, result.actual, result.close)


def test_what_an_ae_has_closed_itself_is_not_the_peers_doing(tmp_path: Path) -> None:
    result = run(ae_case(tmp_path, "requestor", "  - associate\n  - release\n  - expect: close\n"))
    assert (Verdict.FAIL, "closed-by-dicomsim") == (result.verdict, result.actual)


@pytest.mark.parametrize(
    ("rule", "expect", "actual"),
    [
        ("on A-ASSOCIATE-RQ in: reject 1/1/7", "close", "tcp-fin"),
        ("on command=C-STORE-RQ in: answer 0xA700", "A-RELEASE-RQ", "asked(A-RELEASE-RQ)"),
        ("on command=C-STORE-RQ in: answer 0xB000", "A-RELEASE-RQ", "asked(A-RELEASE-RQ)"),
        ("on A-ASSOCIATE-AC out: close", "A-ASSOCIATE-RQ", "asked(A-ASSOCIATE-RQ)"),
    ],
)
def test_rules_are_put_around_an_acceptor(tmp_path: Path, rule: str, expect: str, actual: str) -> None:
    result = run(ae_case(tmp_path, "acceptor", f"  - expect: {expect}\n", rule))
    assert (Verdict.PASS, actual) == (result.verdict, result.actual)


def test_an_acceptor_waits_for_the_next_association_if_told_to(tmp_path: Path) -> None:
    result = run(ae_case(tmp_path, "acceptor", "  - accept\n  - expect: A-RELEASE-RQ\n  - {accept: , within: 0.1}\n"))
    assert (Verdict.INCONCLUSIVE, "silent(0.1 s)") == (result.verdict, result.actual)


def test_the_process_of_an_embedded_requestor_ends_well(tmp_path: Path) -> None:
    result = run(ae_case(tmp_path, "acceptor", "  - expect: A-RELEASE-RQ\n"))
    assert (Verdict.PASS, 0, "dicomsim fin") == (
        result.verdict,
        result.peer_exit,
        result.close.replace("peer", "dicomsim"),
    )


def test_an_embedded_requestor_says_by_its_exit_code_that_it_was_rejected() -> None:
    with (
        StreamListener() as listener,
        EmbeddedRequestor(Address(*listener.address), Titles(), Sample()) as peer,
        listener.accept(LIMIT) as stream,
    ):
        read_pdu(stream)
        stream.send(encode_pdu(AssociateRJ(1, 1, 1)), LIMIT)
        assert (b"", 1) == (stream.receive(LIMIT), peer.wait(LIMIT))


def test_an_embedded_acceptor_takes_a_requestor_and_knows_it_afterwards() -> None:
    with EmbeddedAcceptor() as acceptor:
        with EmbeddedRequestor(acceptor.address, Titles(), Sample()) as peer:
            code = peer.wait(LIMIT)
        result = acceptor.judge_requestor(code, LIMIT, "")
    assert (0, Verdict.PASS, True) == (
        code, result.findings[0].verdict, result.implementation[0].startswith("DICOMSIM"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "actual", "detail"),
    [
        (None, "silent(3 s)", "it was still running after the time limit of 3 s"),
        (7, "exited(7)", "it exited with 7 without an association, saying: last words"),
    ],
)
def test_an_embedded_acceptor_says_what_was_wrong_with_a_requestor(code: int | None, actual: str, detail: str) -> None:
    with EmbeddedAcceptor() as acceptor:
        (finding,) = acceptor.judge_requestor(code, 3, "first\nlast words\n").findings
    assert (Verdict.INCONCLUSIVE, actual, detail) == (finding.verdict, finding.actual, finding.detail)
