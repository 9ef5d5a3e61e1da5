"""`dicomsim run`: what it writes, and how it ends."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicomsim.cli import main
from dicomsim.engine.stream import BlockingStream, StreamListener
from dicomsim.wire.codec import encode_pdu
from tests.attack.commands import started
from tests.scenario.doubles import AC, HEAD, LIMIT, Peer, accept_and_answer, read_pdu, write_scenario

ECHO = HEAD.format(role="requestor") + "steps:\n  - use: associate\n  - use: echo\n  - use: release\n"
FAILS = HEAD.format(role="requestor") + "steps:\n  - use: associate\n  - expect: A-ABORT\n    within: 0.05\n"


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer(accept_and_answer) as running:
        yield running


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["run", *map(str, arguments)])
    output = capsys.readouterr()
    return int(end.value.code or 0), output.out, output.err


def test_cases_that_pass_end_with_0(tmp_path: Path, peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    write_scenario(tmp_path, "field/one", ECHO)
    code, output, errors = run(capsys, tmp_path, "--peer", f"SCP@{peer.address}")
    assert (0, "", True, True) == (code, errors, "pass          field/one  released" in output, "1 case in" in output)


def test_a_case_that_fails_ends_with_1_and_is_explained(
    tmp_path: Path, peer: Peer, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scenario(tmp_path, "field/one", FAILS)
    code, output, errors = run(capsys, tmp_path, "--peer", f"SCP@{peer.address}")
    assert (1, "", True) == (code, errors, "    actual       silent(0.05 s): nothing within the time window" in output)


def test_reports_are_written_where_they_are_wanted(
    tmp_path: Path, peer: Peer, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scenario(tmp_path, "field/good", ECHO)
    write_scenario(tmp_path, "field/bad", FAILS)
    files = {name: tmp_path / name for name in ("r.json", "r.xml", "r.pcapng")}
    options = ("--json", files["r.json"], "--junit", files["r.xml"], "--record", files["r.pcapng"])
    code, _, _ = run(capsys, tmp_path, "--peer", f"SCP@{peer.address}", *options)
    report = json.loads(files["r.json"].read_text())
    assert (1, {"fail": 1, "pass": 1}, ["field/bad", "field/good"], True, b"\n\r\r\n") == (
        code, report["summary"], [case["id"] for case in report["cases"]],
        "<testsuite " in files["r.xml"].read_text(), files["r.pcapng"].read_bytes()[:4],
    )  # fmt: skip


def test_the_recording_has_every_association_with_the_case_it_belongs_to(
    tmp_path: Path, peer: Peer, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scenario(tmp_path, "field/one", ECHO)
    record = tmp_path / "r.pcapng"
    run(capsys, tmp_path, "--peer", f"SCP@{peer.address}", "--record", record)
    data = record.read_bytes()
    assert (1, 2) == (data.count(b"field/one"), data.count(b"sanity"))


def test_an_unreachable_peer_is_one_line_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scenario(tmp_path, "field/one", ECHO)
    with StreamListener() as listener:
        address = f"{listener.address[0]}:{listener.address[1]}"
    code, output, errors = run(capsys, tmp_path, "--peer", address, "--json", tmp_path / "r.json")
    assert (4, "", 1, True, False) == (
        code, output, errors.count("\n"), errors.startswith(f"dicomsim: {address}: connection refused"),
        (tmp_path / "r.json").exists(),
    )  # fmt: skip


def test_a_silent_peer_ends_by_the_time_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_scenario(tmp_path, "field/one", ECHO)
    with Peer(lambda stream: stream.receive(LIMIT) and stream.receive(LIMIT)) as peer:
        code, _, errors = run(capsys, tmp_path, "--peer", peer.address, "--timeout", "0.2")
    assert (5, True, 1) == (code, "time window of 0.2 s" in errors, errors.count("\n"))


def test_a_file_with_mistakes_ends_with_3_and_nothing_is_run(
    tmp_path: Path, peer: Peer, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scenario(tmp_path, "field/good", ECHO)
    bad = write_scenario(tmp_path, "field/bad", ECHO.replace("use: echo", "use: ecko"))
    code, output, errors = run(capsys, tmp_path, "--peer", f"SCP@{peer.address}")
    assert (3, "", f"{bad}:8:5: no sub-scenario is called ecko, did you mean echo?\n") == (code, output, errors)


def test_nothing_to_run_ends_with_6(tmp_path: Path, peer: Peer, capsys: pytest.CaptureFixture[str]) -> None:
    write_scenario(tmp_path, "field/one", ECHO)
    result = run(capsys, tmp_path, "--peer", f"SCP@{peer.address}", "-k", "two")
    assert (6, "", "dicomsim: no case fits -k 'two'; `dicomsim list` shows them\n") == result


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--peer", "nowhere"], "has no port"),
        (["--listen", "nowhere"], "has no port"),
        (["--timeout", "0"], "more than 0 seconds"),
        (["--sanity", "often"], "is not one of"),
        (["-n", "2", "--record", "x.pcapng"], "--record and -n do not go together"),
        (["--payload-limit", "9"], "--payload-limit is for a capture"),
        (["no-such-scenario"], "neither a file or folder nor the id of a scenario"),
        (["--exec", "tool 'x"], "No closing quotation"),
        (["--exec", ""], "the command is empty"),
        (["-n", "1000"], "not in the range"),
    ],
)
def test_a_mistake_of_use_ends_with_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, output, errors = run(capsys, *arguments)
    assert (2, "", True) == (code, output, message in errors)


@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_report_that_cannot_be_written_is_known_before_anything_is_run(
    tmp_path: Path, peer: Peer, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    write_scenario(tmp_path, "field/one", ECHO)
    report = tmp_path / "nowhere" / "report"
    result = run(capsys, tmp_path, "--peer", f"SCP@{peer.address}", option, str(report))
    assert (3, "", f"dicomsim: {report}: cannot be written: there is no such folder\n") == result
    assert not report.parent.exists()


@pytest.mark.parametrize("option", ["--json", "--junit", "--record"])
def test_a_disk_that_is_full_ends_with_3_after_all_else_was_said_and_written(
    tmp_path: Path, peer: Peer, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    write_scenario(tmp_path, "field/one", ECHO)
    files = {"--json": tmp_path / "r.json", "--junit": tmp_path / "r.xml", "--record": tmp_path / "r.pcapng"}
    del files[option]
    others = [str(word) for pair in files.items() for word in pair]
    code, output, errors = run(capsys, tmp_path, "--peer", f"SCP@{peer.address}", option, "/dev/full", *others)
    assert (3, "dicomsim: /dev/full: cannot be written: No space left on device\n") == (code, errors)
    assert (True, [True, True]) == ("1 case in" in output, [file.stat().st_size > 0 for file in files.values()])


def test_a_command_that_cannot_be_started_ends_with_4(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, errors = run(capsys, "--exec", "no-such-tool {host} {port}")
    assert (4, "dicomsim: --exec: no-such-tool cannot be started: No such file or directory\n") == (code, errors)


def test_an_address_that_cannot_be_listened_on_ends_with_4(capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, "--listen", "192.0.2.1:104")
    assert (4, "", "dicomsim: cannot listen on 192.0.2.1:104: cannot assign requested address\n") == result


def test_without_a_peer_those_of_dicomsim_are_under_test(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_scenario(tmp_path, "field/acceptor", ECHO)
    steps = "steps:\n  - use: receive-request\n  - send: response\n  - expect: A-RELEASE-RQ\n"
    write_scenario(tmp_path, "field/requestor", HEAD.format(role="acceptor") + steps)
    code, output, _ = run(capsys, tmp_path)
    lines = [line.split()[:2] for line in output.splitlines() if line.startswith("pass") and "field" in line]
    assert (0, [["pass", "field/acceptor"], ["pass", "field/requestor"]]) == (code, lines)
    assert "the peers were dicomsim's own: --peer, --exec and --listen name others" == output.splitlines()[-1]


def test_where_and_when_to_start_a_peer_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = "steps:\n  - accept\n  - expect: {silence: true}\n"
    write_scenario(tmp_path, "field/one", HEAD.format(role="acceptor") + steps)
    code, output, _ = run(capsys, tmp_path, "--listen", "127.0.0.1:1", "--timeout", "0.1", "-k", "not one")
    assert (6, "waiting for the peer at 127.0.0.1:1: start it each time a case is named\n") == (code, output)


def test_strictness_takes_what_is_inconclusive_for_a_failure(
    tmp_path: Path, peer: Peer, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scenario(tmp_path, "field/one", ECHO)
    needs = "steps:\n  - use: associate\n    with: {needed: {3: {result: 0}}}\n"
    write_scenario(tmp_path, "field/two", HEAD.format(role="requestor") + needs)
    arguments = (tmp_path, "--peer", f"SCP@{peer.address}")
    assert [0, 1] == [run(capsys, *arguments, *more)[0] for more in ((), ("--strict",))]


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_no_traceback(tmp_path: Path) -> None:
    write_scenario(tmp_path, "field/one", FAILS.replace("within: 0.05", f"within: {LIMIT * 5}"))
    report, accepted = tmp_path / "r.json", threading.Event()

    def accept_and_wait(stream: BlockingStream) -> None:
        if b"CTRL-C" in read_pdu(stream):  # and not whoever takes this for the port of another peer
            stream.send(encode_pdu(AC), LIMIT)
            accepted.set()
            stream.receive(LIMIT)

    with Peer(accept_and_wait) as peer:
        options = ("--peer", f"SCP@{peer.address}", "--calling", "CTRL-C", "--sanity", "none", "--json", report)
        with started("run", tmp_path, *options, folder=tmp_path) as process:
            assert accepted.wait(LIMIT)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=LIMIT)
    assert (130, False, False) == (process.returncode, "Traceback" in output + errors, report.exists())
