"""`dicomsim replay` against our own AE: same, changed, refused; nothing is sent for a file that is no capture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicomsim import AE, VerificationPresentationContexts
from dicomsim.cli import main
from dicomsim.engine.stream import StreamListener
from dicomsim.resources import captures

ECHO = captures() / "live" / "echo_dcmtk_dcmqrscp.pcapng"


@pytest.fixture
def peer() -> Iterator[AE]:
    ae = AE(b"PEER")
    ae.supported_contexts = VerificationPresentationContexts
    yield ae
    ae.stop()


def replay(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as end:
        main(["replay", *map(str, arguments)])
    assert isinstance(end.value.code, int)
    return end.value.code


def address(ae: AE) -> str:
    host, port = ae.start_server(("127.0.0.1", 0)).address
    return f"{host}:{port}"


def test_the_capture_that_is_replayed_is_not_recorded_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = tmp_path / "one.pcapng"
    capture.write_bytes(ECHO.read_bytes())
    (tmp_path / "other.pcapng").symlink_to(capture)
    assert 2 == replay(capture, "--to", "127.0.0.1:1", "--record", tmp_path / "other.pcapng")
    assert "would be overwritten" in capsys.readouterr().err
    assert ECHO.read_bytes() == capture.read_bytes()


def test_a_peer_that_answers_as_captured_is_the_same(peer: AE, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == replay(ECHO, "--to", address(peer))
    assert capsys.readouterr().out.endswith("association 1: SAME\n")


def test_another_status_is_a_difference(peer: AE, capsys: pytest.CaptureFixture[str]) -> None:
    peer.on_c_echo = lambda context, info: 0x0211
    assert 1 == replay(ECHO, "--to", address(peer), "--json")
    report = json.loads(capsys.readouterr().out)
    assert "CHANGED" == report["verdict"]
    assert any(one["path"].endswith("status") for one in report["differences"])


def test_the_live_conversation_is_recorded_on_request(
    peer: AE, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = tmp_path / "again.pcapng"
    assert 0 == replay(ECHO, "--to", address(peer), "--record", again)
    with pytest.raises(SystemExit):
        main(["decode", str(again)])
    assert "C-ECHO-RSP 0000 Success" in capsys.readouterr().out


def test_no_connection_has_an_exit_code_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert 4 == replay(ECHO, "--to", "127.0.0.1:1")
    assert "connection refused" in capsys.readouterr().out


def test_what_went_wrong_with_every_association_is_said_once_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "two.pcapng").write_bytes(ECHO.read_bytes() * 2)
    assert 4 == replay(tmp_path / "two.pcapng", "--to", "127.0.0.1:1")
    output, errors = capsys.readouterr()
    refused = "dicomsim: 127.0.0.1:1: connection refused; is the peer running and listening there?\n"
    assert (2, refused) == (output.count(": ERROR\n"), errors)


def test_a_silent_peer_ends_by_a_timeout_that_is_named_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with StreamListener() as silent:
        assert 5 == replay(ECHO, "--to", f"127.0.0.1:{silent.address[1]}", "--timeout", "0.1")
    errors = capsys.readouterr().err
    assert (1, True) == (errors.count("\n"), errors.endswith("came within replay timeout of 0.1 s\n"))


def test_a_file_that_is_no_capture_does_not_parse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    again = tmp_path / "again.pcapng"
    assert 3 == replay(Path(__file__), "--to", "127.0.0.1:1", "--record", again)
    assert "not a capture" in capsys.readouterr().err
    assert not again.exists()


def test_a_capture_without_that_association_has_nothing_to_play(capsys: pytest.CaptureFixture[str]) -> None:
    assert 6 == replay(ECHO, "--to", "127.0.0.1:1", "--association", "2")
    assert f"dicomsim: {ECHO}: no association 2 in this capture\n" == capsys.readouterr().err


def test_a_timing_that_is_none_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == replay(ECHO, "--to", "127.0.0.1:1", "--timing", "slowly")
    assert "neither fast nor captured" in capsys.readouterr().err
