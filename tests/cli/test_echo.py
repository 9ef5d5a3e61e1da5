"""`dicomsim echo`: what it prints and exits with, whatever the peer does."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from dicomsim import Behaviour, events
from dicomsim.association import Association
from dicomsim.server import Server
from tests.cli.conftest import Call

LIMIT = 10.0
"""Seconds to wait for what happens in another thread, before the test fails."""


def test_an_answer_is_told_on_one_line(call: Call, address: str) -> None:
    called = call("echo", address)
    assert (0, "") == (called.exit_code, called.err)
    assert called.out.startswith(f"{address} (DICOMSIM_010) answers 0x0000 Success in ")
    assert 1 == len(called.out.splitlines())


def test_several_answers_are_summed_up(call: Call, address: str) -> None:
    called = call("echo", address, "-n", 3)
    assert 0 == called.exit_code
    assert f"{address} (DICOMSIM_010): 3 of 3 echoes answered with success, " in called.out
    assert 1 == len(called.out.splitlines())


def test_each_answer_is_told_if_asked_for(call: Call, address: str) -> None:
    lines = call("echo", address, "-n", 3, "-v").out.splitlines()
    assert ["echo 1: 0x0000 Success in", "echo 2: 0x0000 Success in"] == [line.rsplit(" ", 2)[0] for line in lines[:2]]
    assert 4 == len(lines)


def test_titles_and_transfer_syntaxes_are_those_asked_for(call: Call, acceptor: Server, address: str) -> None:
    seen: list[events.Event] = []
    acceptor.ae.events.add(seen.append, events.Negotiated)
    called = call("echo", address, "--calling", "SOMEONE", "--transfer-syntax", "ExplicitVRBigEndian", "--max-pdu", 0)
    assert 0 == called.exit_code
    (negotiated,) = seen
    assert isinstance(negotiated, events.Negotiated)
    request = negotiated.request
    assert ("SOMEONE", "ACCEPTOR") == (request.calling, request.called)
    assert [("1.2.840.10008.1.2.2",)] == [tuple(one.transfer_syntaxes) for one in request.presentation_contexts]


def test_json_is_one_object(call: Call, address: str) -> None:
    document: dict[str, Any] = json.loads(call("echo", address, "-n", 2, "--json").out)
    assert ["peer", "calling", "accepted", "echoes", "outcome", "error"] == list(document)
    assert {"ae_title": "ACCEPTOR", "host": "127.0.0.1", "port": document["peer"]["port"]} == document["peer"]
    assert [(0, "0x0000 Success")] * 2 == [(one["status"], one["meaning"]) for one in document["echoes"]]
    assert ("released", "requestor", None) == (document["outcome"]["how"], document["outcome"]["by"], document["error"])


def test_the_trace_is_on_stderr(call: Call, address: str) -> None:
    called = call("echo", address, "--trace")
    assert 1 == len(called.out.splitlines())
    for word in ("connected to", "-> A-ASSOCIATE-RQ", "<- A-ASSOCIATE-AC", "-> C-ECHO-RQ", "<- C-ECHO-RSP", "released"):
        assert word in called.err


def test_a_failure_status_is_told_and_exits_with_1(call: Call, acceptor: Server, address: str) -> None:
    answers = iter((0x0000, 0x0122, 0x0000))
    acceptor.ae.on_c_echo = lambda context, info: next(answers)
    called = call("echo", address, "-n", 3)
    assert 1 == called.exit_code
    assert "echo 2: 0x0122 Failure: Refused: SOP Class not supported in " in called.out
    assert "2 of 3 echoes answered with success" in called.out
    assert f"dicomsim: {address}: answers 0x0122 Failure: Refused: SOP Class not supported\n" == called.err


def test_a_peer_without_verification_is_told_and_exits_with_1(call: Call, acceptor: Server, address: str) -> None:
    acceptor.ae.remove_supported_context("1.2.840.10008.1.1")
    called = call("echo", address)
    assert (1, "") == (called.exit_code, called.out)
    expected = "refuses Verification: abstract-syntax-not-supported (provider rejection)"
    assert f"dicomsim: {address}: {expected}\n" == called.err


def test_nobody_listening_exits_with_4(call: Call) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        called = call("echo", f"127.0.0.1:{port}")
    assert (4, "") == (called.exit_code, called.out)
    expected = f"dicomsim: ANY-SCP@127.0.0.1:{port}: connection refused; is the peer running and listening there?\n"
    assert expected == called.err


def test_a_failed_association_is_in_the_json_too(call: Call, acceptor: Server, address: str) -> None:
    acceptor.ae.require_calling_aet = "FRIEND"
    called = call("echo", address, "--json")
    assert 4 == called.exit_code
    document = json.loads(called.out)
    assert (None, [], [1, 1, 3]) == (document["accepted"], document["echoes"], document["outcome"]["codes"])
    assert "calling AE title not recognized" in document["error"]


@pytest.mark.parametrize(
    ("setting", "codes", "advice"),
    [
        ("require_called_aet", "1/1/7", "the called title stands before the @"),
        ("require_calling_aet", "1/1/3", "the calling title is set by --calling"),
    ],
)
def test_a_rejection_exits_with_4_and_says_what_to_do(
    call: Call, acceptor: Server, address: str, setting: str, codes: str, advice: str
) -> None:
    setattr(acceptor.ae, setting, "OTHER")
    called = call("echo", address)
    assert (4, "") == (called.exit_code, called.out)
    assert called.err.startswith(f"dicomsim: {address}: rejected by acceptor in Sta5 after ")
    assert codes in called.err
    assert called.err.endswith(f"; {advice}\n")


@pytest.mark.parametrize(
    ("rule", "name", "state"),
    [
        ("on A-ASSOCIATE-RQ in: stall", "acse", "Sta5"),
        ("on C-ECHO-RQ in: drop", "dimse", "Sta6"),
        ("on A-RELEASE-RQ in: stall", "acse", "Sta7"),
    ],
)
def test_a_silent_peer_ends_by_a_named_timeout(
    call: Call, acceptor: Server, address: str, rule: str, name: str, state: str
) -> None:
    acceptor.ae.behaviour = Behaviour([rule])
    called = call("echo", address, "--timeout", f"{name}=0.05")
    assert 5 == called.exit_code
    assert f"timed out in {state} after " in called.err
    assert f"{name} timeout of 0.05 s" in called.err
    assert 1 == len(called.err.splitlines())


def test_an_abort_instead_of_an_answer_exits_with_4(call: Call, acceptor: Server, address: str) -> None:
    acceptor.ae.behaviour = Behaviour(["on C-ECHO-RQ in nth=2: abort provider"])
    called = call("echo", address, "-n", 3)
    assert 4 == called.exit_code
    assert "1 of 3 echoes answered with success" in called.out
    assert "aborted by acceptor in Sta" in called.err


def test_an_abort_instead_of_a_release_is_no_success(call: Call, acceptor: Server, address: str) -> None:
    acceptor.ae.behaviour = Behaviour(["on A-RELEASE-RQ in: abort"])
    called = call("echo", address)
    assert 4 == called.exit_code
    assert "answers 0x0000 Success" in called.out
    assert "aborted by acceptor" in called.err


def test_ctrl_c_aborts_and_tells_what_was_done(
    call: Call, acceptor: Server, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    aborted = threading.Event()
    acceptor.ae.on_association_aborted = lambda association: aborted.set()
    monkeypatch.setattr(Association, "c_echo", _interrupted_at(3, Association.c_echo))
    called = call("echo", address, "-n", 5)
    assert 130 == called.exit_code
    assert "2 of 5 echoes answered with success" in called.out
    assert "dicomsim: interrupted after 2 of 5 echoes\n" == called.err
    assert aborted.wait(LIMIT)


def _interrupted_at(turn: int, original: Callable[..., Any]) -> Callable[..., Any]:
    turns = iter(range(1, turn + 1))

    def c_echo(association: Association) -> Any:
        if next(turns) == turn:
            raise KeyboardInterrupt
        return original(association)

    return c_echo
