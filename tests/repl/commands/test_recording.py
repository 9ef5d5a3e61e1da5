from __future__ import annotations

from pathlib import Path

import pytest

from dicomsim.capture.captured import CapturedPdu
from dicomsim.capture.conversation import read
from tests.repl.conftest import Desk


def pdu_types(path: Path) -> list[int]:
    return [item.data[0] for item in read(path) if isinstance(item, CapturedPdu)]


def test_a_recording_has_all_that_went_over_the_wire(desk: Desk, peer: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    assert [f"recording to {path}"] == desk.type(f"record start {path}")
    desk.type(f"open {peer}; echo; release")
    shown = desk.type("record stop")
    assert [f"{path} is complete"] == shown
    assert [1, 2, 4, 4, 5, 6] == pdu_types(path)


def test_a_recording_may_begin_in_the_middle(desk: Desk, peer: str, tmp_path: Path) -> None:
    desk.type(f"open {peer}; echo; record start {tmp_path / 'x.pcap'}; echo; release; record stop")
    assert [4, 4, 5, 6] == pdu_types(tmp_path / "x.pcap")


def test_a_recording_is_closed_at_the_end(desk: Desk, peer: str, tmp_path: Path) -> None:
    desk.type(f"record start {tmp_path / 'x.pcapng'}; open {peer}")
    desk.bench.close()
    assert [1, 2, 5, 6] == pdu_types(tmp_path / "x.pcapng")


def test_a_recording_that_cannot_be_is_one_line(desk: Desk, tmp_path: Path) -> None:
    code, error = desk.fail(f"record start {tmp_path / 'no' / 'x.pcapng'}")
    assert 3 == code
    assert error.endswith("x.pcapng: cannot be written: No such file or directory")
    assert (2, "error: nothing is being recorded: record start FILE begins it") == desk.fail("record stop")
    desk.type(f"record start {tmp_path / 'x.pcapng'}")
    assert 2 == desk.fail(f"record start {tmp_path / 'y.pcapng'}")[0]
    assert not (tmp_path / "y.pcapng").exists()
    assert [f"recording to {tmp_path / 'x.pcapng'}"] == desk.type("record")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("trace on", "tracing association, message, connection, timer"),
        ("trace on pdu transition", "tracing pdu, transition"),
        ("trace on all", "tracing pdu, message, transition, bytes, connection, timer"),
        ("trace off", "tracing nothing"),
        ("trace", "tracing nothing: trace on begins it"),
        ("trace on message; trace", "tracing message"),
    ],
)
def test_what_is_traced_is_told(desk: Desk, line: str, expected: str) -> None:
    assert expected == desk.type(line)[-1]


def test_what_is_traced_is_shown(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}; trace on pdu message")
    shown = [line.partition(" ")[2] for line in desk.type("echo")[:-1]]
    number = shown[0].partition(" ")[0]
    assert [
        f"{number} -> C-ECHO-RQ, message 1, 1.2.840.10008.1.1 (Verification SOP Class)",
        f"{number} -> P-DATA-TF context 1 command last, 68 bytes",
        f"{number} <- P-DATA-TF context 1 command last, 78 bytes",
        f"{number} <- C-ECHO-RSP, to message 1, status 0000H, 1.2.840.10008.1.1 (Verification SOP Class)",
    ] == shown
    desk.type("trace off")
    assert 1 == len(desk.type("echo"))
