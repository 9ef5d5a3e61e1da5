from __future__ import annotations

import logging
from pathlib import Path

import pytest

from dicomsim.errors import AssociationError
from dicomsim.repl.command import CommandError
from dicomsim.repl.status import Status
from dicomsim.server import Server
from tests.repl.conftest import LIMIT, Desk


def test_an_idle_workbench_has_an_idle_status(desk: Desk) -> None:
    assert Status() == desk.bench.status()


def test_the_status_follows_what_goes_on(desk: Desk, peer: str, tmp_path: Path) -> None:
    desk.type(f"open {peer}; record start {tmp_path / 'x.pcapng'}; trace on message; rule on on A-ABORT out: pad 1")
    status = desk.bench.status()
    expected = Status(
        "Sta6", peer, 2, 128, recording=str(tmp_path / "x.pcapng"), traced=("message",), rules=1, rules_on=1
    )
    assert expected == status
    desk.type("release; record stop; trace off; rule clear")
    assert Status() == desk.bench.status()


def test_who_shows_the_status_is_told_when_it_changes(desk: Desk, peer: str) -> None:
    states: list[str] = []
    desk.bench.on_change = lambda: states.append(desk.bench.status().state)
    desk.type(f"open {peer}; release")
    assert ["Sta6", "Sta7", "Sta1"] == [state for state in dict.fromkeys(states) if state != "Sta1"] + states[-1:]


def test_an_end_while_nobody_is_busy_is_told_at_once(desk: Desk, peer: str, acceptor: Server) -> None:
    desk.type(f"open {peer}")
    acceptor.shutdown()
    told = desk.lines.await_line("aborted by acceptor in Sta6")
    assert told.startswith(f"#{desk.bench.require_last().session.association_number} to {peer}: ")


def test_an_end_during_a_command_that_says_nothing_is_told_afterwards(
    desk: Desk, peer: str, acceptor: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.type(f"open {peer}")
    with desk.bench.busy():
        acceptor.shutdown()
        assert desk.bench.await_end(LIMIT)
        assert not any("aborted" in line for line in desk.lines.texts)
    assert "aborted by acceptor" in desk.lines.texts[-1]


def test_what_a_command_has_said_is_not_told_again(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}")
    with desk.bench.busy():
        desk.bench.require_association().abort()
        desk.bench.say(f"it is {desk.bench.require_last().outcome}")
    assert 1 == sum("aborted by requestor" in line for line in desk.lines.texts)


def test_without_an_association_it_says_how_the_last_one_ended(desk: Desk, peer: str) -> None:
    with pytest.raises(AssociationError, match=r"^no association is open: open \[AET@\]HOST:PORT makes one$"):
        desk.bench.require_last()
    desk.type(f"open {peer}; release")
    with pytest.raises(AssociationError, match="; the last one: released by requestor"):
        desk.bench.require_association()


def test_peers_are_remembered_latest_first(desk: Desk, peer: str) -> None:
    desk.type(f"-open A@127.0.0.1:1; -open B@127.0.0.1:1; -open A@127.0.0.1:1; open {peer}")
    assert [peer, "A@127.0.0.1:1", "B@127.0.0.1:1"] == list(map(str, desk.bench.peers))


def test_log_records_are_lines_while_it_lasts(desk: Desk) -> None:
    logging.getLogger("dicomsim").warning("something %s", "odd")
    assert ["error: something odd"] == desk.lines.texts
    desk.bench.close()
    assert 0 == len([one for one in logging.getLogger("dicomsim").handlers if type(one).__name__ == "LogLines"])


def test_closing_says_what_could_not_be_written(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.type(f"record start {tmp_path / 'x.pcapng'}")

    def fail() -> str:
        raise CommandError("disk full")

    monkeypatch.setattr(desk.bench, "stop_recording", fail)
    assert 2 == desk.bench.close()
    assert "error: disk full" == desk.lines.texts[-1]
    monkeypatch.undo()


def test_closing_twice_is_no_harm(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}; serve start 0")
    assert [0, 0] == [desk.bench.close(), desk.bench.close()]


def test_a_rule_that_fires_all_the_time_is_told_now_and_then(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}; rule on on P-DATA-TF out: slice 1000; echo 12")
    told = [line for line in desk.lines.texts if "rule fired" in line]
    assert [False, False, False, True] == [", 10 times now: " in line for line in told]
