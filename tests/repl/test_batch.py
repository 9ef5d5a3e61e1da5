from __future__ import annotations

import io

import pytest

from dicomsim.repl.batch import lines_of, run_batch
from dicomsim.server import Server
from tests.repl.conftest import Desk


def run(desk: Desk, *lines: str) -> int:
    return run_batch(desk.interpreter, [("", line) for line in lines])


def test_commands_run_and_the_association_is_released(desk: Desk, peer: str) -> None:
    assert 0 == run(desk, f"open {peer}; echo", "echo")
    assert desk.bench.association is not None
    assert desk.bench.association.is_released
    assert "released by requestor" in desk.lines.texts[-1]


def test_the_first_failure_ends_it_with_its_code(desk: Desk, peer: str) -> None:
    assert 2 == run(desk, f"open {peer}", "nonsense", "echo")
    assert not any("C-ECHO" in line for line in desk.lines.texts)
    assert desk.bench.open_association is None


def test_no_command_is_a_code_of_its_own(desk: Desk) -> None:
    assert 6 == run(desk, "", "# nothing")


def test_quit_ends_it_well(desk: Desk) -> None:
    assert 0 == run(desk, "state; quit; nonsense")


def test_a_release_that_fails_at_the_end_is_a_failure(desk: Desk, peer: str) -> None:
    assert 5 == run(desk, f"open {peer}; rule on on A-RELEASE-RQ out: drop", "set acse 0.01")
    assert "acse timeout" in desk.lines.texts[-1]


def test_ctrl_c_while_it_clears_away_aborts(desk: Desk, peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    desk.type(f"open {peer}")
    monkeypatch.setattr(type(desk.bench.require_association()), "release", lambda self: interrupted())
    assert 130 == run(desk, "state")
    assert "aborted by requestor" in desk.lines.texts[-1]


def test_the_acceptor_is_stopped_and_its_associations_are_aborted(desk: Desk, acceptor: Server) -> None:
    assert 0 == run(desk, "serve start 0")
    assert desk.bench.server is None


def test_nothing_more_is_run_when_nobody_reads_on(desk: Desk) -> None:
    desk.lines.is_read = False
    assert 0 == run(desk, "trace off", "nonsense")


def test_lines_of_a_stream_are_numbered() -> None:
    assert [("line 1: ", "a"), ("line 2: ", ""), ("line 3: ", "b")] == list(lines_of(io.StringIO("a\n\nb")))
