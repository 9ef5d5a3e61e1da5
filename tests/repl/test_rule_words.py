from __future__ import annotations

import pytest

from dicomsim.behaviour import ACTIONS, PROFILES, TRIGGERS
from dicomsim.repl.rule_words import rule_offers, whole_rule
from dicomsim.wire.command import TAGS


def texts(rule: str) -> list[str]:
    """What fits, as whole rules."""
    found = []
    for offer in rule_offers(rule):
        typed = rule[len(rule) - offer.back :]
        if offer.text.startswith(typed):
            found.append(rule[: len(rule) - offer.back] + offer.text)
    return found


def test_a_rule_begins_with_on_or_is_a_profile() -> None:
    beginnings = ["on", *(f"profile:{name}" for name in PROFILES)]
    assert beginnings == texts("")[: len(beginnings)]
    assert ["profile:store-hang"] == texts("profile:store")


def test_the_word_at_the_beginning_may_be_left_out() -> None:
    assert ["C-ECHO-RQ", "C-ECHO-RSP"] == texts("C-EC")
    assert ["C-ECHO-RQ in: drop"] == texts("C-ECHO-RQ in: dro")
    assert "on C-ECHO-RQ in: drop" == whole_rule("C-ECHO-RQ in: drop")


@pytest.mark.parametrize(
    "text", ["on A-ABORT in: drop", "profile:x", "a-name", "file.yaml", "{when: {}, do: drop}", ""]
)
def test_what_is_whole_stays(text: str) -> None:
    assert text == whole_rule(text)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("on C-FIND", ["on C-FIND-RQ", "on C-FIND-RSP"]),
        ("on C-ECHO-RQ ou", ["on C-ECHO-RQ out"]),
        ("on Sta1", ["on Sta1", "on Sta10", "on Sta11", "on Sta12", "on Sta13"]),
        ("on direction=", ["on direction=in", "on direction=out"]),
        ("on command=[C-ECHO-RQ,C-STORE-RS", ["on command=[C-ECHO-RQ,C-STORE-RSP"]),
        ("on nth=", []),
        ("on nosuch=", []),
        ("on tim", ["on times="]),
        ("on Affected", ["on AffectedSOPClassUID=", "on AffectedSOPInstanceUID="]),
        ("on A-ABORT in: sta", ["on A-ABORT in: stall"]),
        ("on A-ABORT in: delay 2; res", ["on A-ABORT in: delay 2; reset"]),
        ("on A-ABORT in:", [f"on A-ABORT in:{name}" for name in ACTIONS]),
        ("on A-ABORT in: reject cal", ["on A-ABORT in: reject calling", "on A-ABORT in: reject called"]),
        ("on A-ASSOCIATE-RQ in: reject 1/1/1 cal", []),
        ("on A-ASSOCIATE-RQ in: reject 1/1/1 pl", ["on A-ASSOCIATE-RQ in: reject 1/1/1 place="]),
        ("on A-ASSOCIATE-RQ in: reject place=be", ["on A-ASSOCIATE-RQ in: reject place=before"]),
        ("on A-ASSOCIATE-RQ in: reject place=before pl", []),
        ("on C-ECHO-RQ in: answer ErrorCo", ["on C-ECHO-RQ in: answer ErrorComment="]),
        ("on P-DATA-TF field={pdv.2: present}: dro", ["on P-DATA-TF field={pdv.2: present}: drop"]),
        ('on calling="a: b": dro', ['on calling="a: b": drop']),
        ("on A-ABORT in: nosuch ", []),
    ],
)  # fmt: skip
def test_a_rule_goes_on_with_the_words_of_its_tables(rule: str, expected: list[str]) -> None:
    assert expected == texts(rule)


def test_all_triggers_are_offered_in_a_condition() -> None:
    offered = {offer.text for offer in rule_offers("on ")}
    assert {f"{name}=" for name in TRIGGERS} <= offered


def test_command_elements_are_offered_once_something_is_typed() -> None:
    elements = {f"{keyword}=" for keyword in TAGS}
    assert not elements & {offer.text for offer in rule_offers("on ")}
    assert elements <= {offer.text for offer in rule_offers("on E")}
