from __future__ import annotations

import re

from dicomsim.association import VERIFICATION
from tests.repl.conftest import Desk


def table(lines: list[str]) -> dict[str, str]:
    rows = [re.split(r"  +", line, maxsplit=1) for line in lines]
    return {row[0]: row[1] for row in rows}


def test_the_state_without_an_association(desk: Desk) -> None:
    expected = {
        "state": "Sta1 idle", "calling": "DICOMSIM", "serving": "no", "recording": "no", "trace": "no", "rules": "none"
    }  # fmt: skip
    assert expected == table(desk.type("state"))


def test_the_state_with_one(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}; rule on on C-FIND-RQ in: drop; trace on message; serve start 0")
    shown = table(desk.type("state"))
    assert "Sta6 open" == shown["state"]
    assert re.fullmatch(rf"#\d+ {peer}, for [\d.]+ s", shown["peer"])
    assert "2 accepted, 126 rejected" == shown["contexts"]
    assert "16382 to the peer, 16382 to us" == shown["maximum length"]
    assert "nothing, window 1/1" == shown["outstanding"]
    assert "1 of 1 on, fired 0 times" == shown["rules"]
    assert "message" == shown["trace"]
    assert f"{desk.bench.serving}, 0 open" == shown["serving"]


def test_the_state_after_one(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}; release")
    assert "released by requestor in Sta7" in table(desk.type("state"))["last"]


def test_contexts_with_the_same_answer_share_a_line(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}")
    shown = desk.type("contexts")
    assert "126 contexts: abstract-syntax-not-supported (provider rejection); contexts all lists them" == shown[0]
    assert " 17  CT Image Storage: Explicit VR Little Endian" == shown[2]
    assert 3 == len(shown)


def test_all_contexts_are_listed_or_some(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}")
    assert 128 == len(desk.type("contexts all"))
    assert [" 17  CT Image Storage: Explicit VR Little Endian"] == desk.type("contexts '17  CT'")
    assert (2, "error: no context has 'xyz' in its line") == desk.fail("contexts xyz")


def test_without_an_association_there_are_none(desk: Desk) -> None:
    assert (2, "error: there are no contexts: no association was accepted yet") == desk.fail("contexts")


def test_the_history_tells_how_associations_ended(desk: Desk, peer: str) -> None:
    assert ["no association has ended yet"] == desk.type("history")
    desk.type(f"open {peer} {VERIFICATION}; echo 2; release; open; abort")
    shown = desk.type("history")
    assert re.fullmatch(rf"\d\d:\d\d:\d\d #\d+ to {peer}: released by .*, after 2 C-ECHO-RQ", shown[0])
    assert re.fullmatch(rf"\d\d:\d\d:\d\d #\d+ to {peer}: aborted by requestor .*", shown[1])
