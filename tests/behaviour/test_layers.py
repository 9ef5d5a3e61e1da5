"""At which hop a rule is judged."""

from __future__ import annotations

import pytest

from dicomsim.behaviour.rule import parse_rule
from dicomsim.behaviour.values import RuleError


@pytest.mark.parametrize(
    ("rule", "hop"),
    [
        ("on A-ASSOCIATE-RQ in: reject 1/1/7", "answer"),
        ("on A-ASSOCIATE-RQ: accept result=3", "answer"),
        ("on calling=X: reject", "answer"),
        ("on sop_class=CTImageStorage: accept result=3", "answer"),
        ("on A-ASSOCIATE-RQ out: reject 1/1/7", "pdu"),
        ("on A-ASSOCIATE-AC out: reject 1/1/7", "pdu"),
        ("on A-ASSOCIATE-RQ in: delay 2; reject 1/1/7", "pdu"),
        ("on A-ASSOCIATE-RQ in: delay 2", "pdu"),
        ("on P-DATA-TF out nth=2: truncate 20", "pdu"),
        ("on C-STORE-RQ in: drop", "message"),
        ("on C-STORE-RQ in at=pdu: drop", "pdu"),
        ("on C-STORE-RQ out: truncate 20", "pdu"),
        ("on C-STORE-RQ part=data: drop", "pdu"),
        ("on C-STORE-RQ in: answer A700", "message"),
        ("on Status=0000 out: set Status=B000", "message"),
        ("on context=3 in: drop", "message"),
        ("on in: answer A700", "message"),
        ("on in: drop", "pdu"),
        ("on out: delay 1", "pdu"),
        ("on message out: delay 1", "message"),
        ("on out: throttle 100", "bytes"),
        ("on bytes out: delay 1", "bytes"),
        ("on offset=100 out: close", "bytes"),
        ("on idle=60: vanish", "bytes"),
        ("on connected: close", "connected"),
        ("on Sta6: abort", "state"),
        ("on Sta6 side=acceptor: raw A-ABORT", "state"),
        ("on Sta6 out: drop", "pdu"),
        ("on Sta6 in: abort", "pdu"),
        ("on Sta6: drop", "pdu"),
        ("on Evt10 nth=3: close", "state"),
        ("on elapsed=5: close", "pdu"),
        ("on seen=1000..: close", "pdu"),
    ],
)
def test_a_rule_is_judged_where_its_words_work(rule: str, hop: str) -> None:
    assert hop == parse_rule(rule).layer.value


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("on C-STORE-RQ: accept", "command (message or pdu), accept (answer)"),
        ("on A-ABORT C-ECHO-RQ: answer 0000", "pdu (pdu), command (message or pdu), answer (message)"),
        ("on connected: drop", "at (connected), drop (message or pdu or bytes)"),
        ("on A-RELEASE-RQ: accept", "pdu (pdu), accept (answer)"),
        ("on out: accept", "direction (message or pdu or bytes), accept (answer)"),
        ("on connected in: close", "direction (answer or message or pdu or bytes), at (connected), close"),
        ("on calling=X: delay 2; accept", "delay (message or pdu or bytes or connected or state), accept (answer)"),
        ("on bytes in: set Status=0", "at (bytes), set (message)"),
    ],
)
def test_words_without_a_common_hop_are_an_error(rule: str, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(rule)
    assert said in str(caught.value)


def test_what_changes_the_answer_waits_for_it() -> None:
    rule = parse_rule("on A-ASSOCIATE-RQ in: delay 2; accept result=3; maximum-length 7")

    assert ["delay"] == [step.action.name for step in rule.steps]
    assert ["accept", "maximum-length"] == [step.action.name for step in rule.answers]
