from __future__ import annotations

from pathlib import Path

import pytest

from tests.repl.conftest import Desk


def test_a_rule_works_in_the_association_that_is_open(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}; echo")
    assert ["rule-1: on C-ECHO-RSP in: set Status=0xA700"] == desk.type("rule on on C-ECHO-RSP in: set Status=A700")
    code, shown = desk.run("echo")
    assert 1 == code
    assert "rule fired at message in: on C-ECHO-RSP in: set Status=0xA700" in shown[0]


def test_a_rule_works_in_the_acceptor_that_runs(desk: Desk) -> None:
    desk.type("serve start 0")
    desk.type(f"open {desk.bench.serving}; echo; rule on 'on C-ECHO-RQ in: answer status=0122; delay 0'")
    assert 1 == desk.run("echo")[0]


def test_a_rule_is_switched_off_and_on(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}; rule on on C-ECHO-RQ out name=mute: drop")
    assert ["mute is off"] == desk.type("rule off mute")
    desk.type("echo")
    assert ["off mute: on C-ECHO-RQ out name=mute: drop (fired 0 times)"] == desk.type("rule")
    assert ["mute: on C-ECHO-RQ out name=mute: drop"] == desk.type("rule on mute")


def test_all_rules_are_switched_off_or_taken_away(desk: Desk) -> None:
    assert ["no rule was on"] == desk.type("rule off")
    desk.type("rule on on A-ABORT in: drop; rule on on A-ABORT out: drop")
    assert ["2 rules switched off"] == desk.type("rule off")
    assert ["rule-1 is taken away"] == desk.type("rule clear rule-1")
    assert ["1 rule taken away"] == desk.type("rule clear")
    assert ["there was no rule"] == desk.type("rule clear")
    assert ["there are no rules: rule on C-ECHO-RQ in: delay 2 makes one"] == desk.type("rule list")


def test_rules_come_from_profiles_and_files(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text("- on A-ABORT in name=quiet: drop\n- profile:store-hang\n")
    shown = desk.type(f"rule on {tmp_path / 'rules.yaml'}")
    assert ["quiet: on A-ABORT in name=quiet: drop", "store-hang: on C-STORE-RQ in name=store-hang: drop"] == shown


@pytest.mark.parametrize(
    ("line", "code", "expected"),
    [
        ("rule on on C-ECHO in: drop", 2, '"C-ECHO" is no PDU, message, state, direction or hop'),
        ("rule on on A-ABORT in: drp", 2, 'no action is called "drp", did you mean drop? (column 16 of the rule)'),
        ("rule on A-ABORT in: drp", 2, 'no action is called "drp", did you mean drop? (column 13 of the rule)'),
        ("rule on profile:none", 2, 'no profile is called "none"'),
        ("rule on muet", 3, '"muet" is no file, no profile (profile:…), and no rule (on …: …)'),
        ("rule off nosuch", 2, 'no rule is called "nosuch"'),
        ("rule clear nosuch", 2, 'no rule is called "nosuch"'),
        ("rule", 0, ""),
    ],
)
def test_what_is_no_rule_is_one_line(desk: Desk, line: str, code: int, expected: str) -> None:
    got, shown = desk.run(line)
    assert code == got
    assert 1 == len(shown)
    assert expected in shown[0]
