"""The shipped scenarios against real peers: the verdicts are true to what these are known to do.

The tables are what DCMTK 3.6.7, Orthanc 1.10.1 and pynetdicom 3.0.4 were seen to do, by hand and before there were
scenarios. A deviation that a later release has mended shows here as a verdict that is better than expected.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dicomsim import resources
from dicomsim.cli import main
from dicomsim.scenario.finding import find_scenarios
from dicomsim.scenario.loader import load
from dicomsim.scenario.matchers import matches_pattern
from dicomsim.scenario.result import CaseResult
from dicomsim.scenario.runner import Runner, Settings
from dicomsim.scenario.stage import Address, Titles
from tests.interop.peers import HOST, Peer
from tests.interop.tools import TOOL_LIMIT, pynetdicom, require

pytestmark = pytest.mark.slow
SILENCE = 2.0
"""Seconds after which a peer that should have answered counts as silent, where it is known that it will not."""

SECOND_REQUEST = "ps3.8/9.2/second-request"
UNKNOWN_FIRST = "ps3.8/9.2/unknown-pdu-first"
UNKNOWN_LATER = "ps3.8/9.2/unknown-pdu-in-association"
CONTEXT_NAME = "ps3.8/9.3.2/application-context-unknown"
NO_CONTEXT = "ps3.8/9.3.5/context-never-negotiated"
TOO_LONG = "ps3.8/d.1/longer-than-announced"
VERSION_3 = "ps3.8/9.3.2/protocol-version-3"
UNKNOWN_ITEM = "ps3.8/9.3.1/unknown-item"
EVEN_ID = "ps3.8/9.3.2.2/even-context-id"
HUGE = "field/length-of-4-gigabytes"

CONFORMING: Mapping[str, str] = {
    "ps3.7/9.1.5/echo": "pass answered-ok",
    "ps3.4/b.2/store": "pass answered-ok",
    "ps3.8/9.2/release-first": "pass aborted(0,0)",
    "ps3.8/9.3.1/one-byte-at-a-time": "pass answered-ok",
    "ps3.8/9.3.1/several-in-one-segment": "pass released",
    "ps3.8/9.3.2/protocol-version-0": "pass rejected(1,2,2)",
    "ps3.8/9.3.3.2/abstract-syntax-unknown": "pass accepted(1:0 3:3)",
    "ps3.8/d.1/announced-64": "pass answered-ok",
    "ps3.8/e.2/control-bits-set": "pass answered-ok",
    "field/reset-in-store": "pass released",
}
"""What all of them do right."""
DCMTK: Mapping[str, str] = {
    **CONFORMING,
    UNKNOWN_FIRST: "fail tcp-*",
    UNKNOWN_LATER: "non-strict aborted(0,0)",
    CONTEXT_NAME: "pass rejected(1,1,2)",
    SECOND_REQUEST: "pass aborted(2,2)",
    NO_CONTEXT: "non-strict aborted(0,0)",
    TOO_LONG: "non-strict aborted(0,0)",
    VERSION_3: "pass accepted(1:0)",
    UNKNOWN_ITEM: "pass accepted(1:0)",
    EVEN_ID: "fail accepted(2:0)",
    HUGE: "pass tcp-*",
    "field/http-request": "pass tcp-*",
}
ACCEPTORS: Mapping[str, Mapping[str, str]] = {
    "storescp": DCMTK,
    "dcmqrscp": {**DCMTK, CONTEXT_NAME: "non-strict rejected(2,1,2)"},
    "orthanc": DCMTK,
    "pynetdicom_storescp": {
        **CONFORMING,
        UNKNOWN_LATER: "pass aborted(2,0)",
        CONTEXT_NAME: "pass accepted(1:0)",
        SECOND_REQUEST: "pass aborted(2,0)",
        NO_CONTEXT: "non-strict aborted(0,0)",
        VERSION_3: "fail rejected(1,2,2)",
        UNKNOWN_ITEM: "fail aborted(0,0)",
        UNKNOWN_FIRST: f"fail silent({SILENCE:g} s)",
        TOO_LONG: f"fail silent({SILENCE:g} s)",
        HUGE: f"pass silent({SILENCE:g} s)",
    },
}
"""Verdict and reaction of each case, by the fixture of the peer."""

RELEASE = "field/abort-for-release"
FOREIGN_ID = "ps3.7/9.3/response-to-another-message"
ITEM_IN_ANSWER = "ps3.8/9.3.3/unknown-item"
FOREIGN_SYNTAX = "ps3.8/9.3.3.2/foreign-transfer-syntax"
SHORT_PDUS = "ps3.8/d.1/acceptor-announced-64"
ENDS_WELL: Mapping[str, str] = {
    "ps3.8/9.2/rejected": "pass tcp-fin",
    "ps3.8/9.2/abort-instead-of-answer": "pass tcp-fin",
    "ps3.8/9.2/closed-at-once": "pass exited(1)",
    "ps3.8/9.2/refused": "pass exited(1)",
    RELEASE: "pass tcp-fin",
}
DCMTK_REQUESTOR: Mapping[str, str] = {
    **ENDS_WELL,
    "ps3.8/9.2/data-instead-of-answer": "pass aborted(2,2)",
    "ps3.8/9.2/request-instead-of-answer": "pass aborted(2,2)",
    ITEM_IN_ANSWER: "pass asked(C-*-RQ)",
    FOREIGN_ID: "pass aborted(0,0)",
    FOREIGN_SYNTAX: "pass aborted(0,0)",
    SHORT_PDUS: "pass asked(C-*-RQ)",
}
REQUESTORS: Mapping[str, Mapping[str, str]] = {
    "echoscu {host} {port}": {**DCMTK_REQUESTOR, "ps3.4/b.2/store-refused": "inconclusive asked(C-ECHO-RQ)"},
    "storescu {host} {port} {file}": {**DCMTK_REQUESTOR, "ps3.4/b.2/store-refused": "pass asked(A-RELEASE-RQ)"},
    "pynetdicom echoscu {host} {port}": {
        **ENDS_WELL,
        "ps3.8/9.2/data-instead-of-answer": "pass aborted(2,0)",
        "ps3.8/9.2/request-instead-of-answer": "pass aborted(2,0)",
        ITEM_IN_ANSWER: "fail aborted(2,0)",
        FOREIGN_ID: "fail asked(A-RELEASE-RQ)",
        FOREIGN_SYNTAX: "fail asked(C-ECHO-RQ)",
        SHORT_PDUS: "pass asked(C-ECHO-RQ)",
    },
}
"""Verdict and reaction of each case, by the command of the peer."""


def results(runner: Runner, ids: Mapping[str, str]) -> Iterator[CaseResult]:
    for each in ids:
        yield runner.run(load(resources.scenarios() / f"{each}.yaml"))


def unlike(found: Iterator[CaseResult], expected: Mapping[str, str]) -> list[str]:
    """What is not as expected, with all that was seen."""
    said = [(f"{one.verdict.value} {one.actual}", one) for one in found]
    return [
        f"{one.id}: {text}\n{chr(10).join(one.log)}"
        for text, one in said
        if not matches_pattern(expected[one.id], text)
    ]


@pytest.mark.parametrize("fixture", list(ACCEPTORS))
def test_verdicts_on_an_acceptor_are_true_to_what_it_does(fixture: str, request: pytest.FixtureRequest) -> None:
    peer: Peer = request.getfixturevalue(fixture)
    expected = ACCEPTORS[fixture]
    silent = {each: text for each, text in expected.items() if "silent" in text}
    others = {each: text for each, text in expected.items() if each not in silent}
    settings = Settings(peer=Address(HOST, peer.port), titles=Titles(peer.aet), timeout=TOOL_LIMIT)
    with Runner(settings) as runner:
        wrong = unlike(results(runner, others), expected)
    with Runner(Settings(peer=settings.peer, titles=settings.titles, timeout=SILENCE)) as runner:
        wrong += unlike(results(runner, silent), expected)
    assert [] == wrong


@pytest.mark.parametrize("command", list(REQUESTORS))
def test_verdicts_on_a_requestor_are_true_to_what_it_does(command: str) -> None:
    name, _, arguments = command.partition(" ")
    words = " ".join(map(str, pynetdicom(arguments))) if name == "pynetdicom" else f"{require(name)} {arguments}"
    with Runner(Settings(command=words, timeout=TOOL_LIMIT)) as runner:
        runner.check("acceptor")
        assert [] == unlike(results(runner, REQUESTORS[command]), REQUESTORS[command])


def test_a_whole_run_has_a_verdict_for_every_case(dcmqrscp: Peer, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with pytest.raises(SystemExit) as end:
        main(["run", "--peer", dcmqrscp.address, "--timeout", "5", "--json", str(report)])
    cases = {case["id"]: case["verdict"] for case in json.loads(report.read_text())["cases"]}
    ids = {load(path).id for path in find_scenarios([])}
    roles = {load(path).id: load(path).scenario.role for path in find_scenarios([])}
    assert (1, ids, set(), {"skip"}) == (
        end.value.code,
        set(cases),
        {each for each, verdict in cases.items() if verdict in ("error", "inconclusive")},
        {verdict for each, verdict in cases.items() if roles[each] == "acceptor"},
    )


def test_a_peer_that_dies_is_found_out_at_the_case_it_dies_of(simple_storage: Peer) -> None:
    ids = ("ps3.7/9.1.5/echo", "field/http-request", "ps3.7/9.1.5/echo-many")
    with Runner(
        Settings(peer=Address(HOST, simple_storage.port), titles=Titles(simple_storage.aet), timeout=5)
    ) as runner:
        echo, http, again = results(runner, dict.fromkeys(ids, ""))
    assert ("pass", "fail", "inconclusive", True, False) == (
        echo.verdict.value,
        http.verdict.value,
        again.verdict.value,
        "crashed" in http.actual,
        simple_storage.is_running(),
    )
