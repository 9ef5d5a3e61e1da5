"""One rule in its three forms."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.behaviour.kinds import COMMANDS, PDU_TYPES
from dicomsim.behaviour.rule import Rule, parse_rule, rule_of
from dicomsim.behaviour.values import RuleError
from dicomsim.behaviour.vocabulary import ACTIONS
from dicomsim.upper_layer.table import State
from dicomsim.wire.command import TAGS

LINE = "on A-ASSOCIATE-RQ in: reject 1/1/7"


@pytest.mark.parametrize(
    "form",
    [
        LINE,
        "on pdu=A-ASSOCIATE-RQ direction=in: reject codes=called",
        "{when: {pdu: A-ASSOCIATE-RQ, direction: in}, do: {reject: 1/1/7}}",
        "{when: {pdu: 1, direction: in}, do: [reject 1/1/7]}",
        {"when": {"pdu": "A-ASSOCIATE-RQ", "direction": "in"}, "do": {"reject": "1/1/7"}},
        {"when": {"direction": "in", "pdu": 1}, "do": [{"reject": {"codes": [1, 1, 7]}}]},
        {"when": "A-ASSOCIATE-RQ in", "do": "reject 1/1/7"},
        {
            "when": {"pdu": "A-ASSOCIATE-RQ", "direction": "in"},
            "do": {"reject": {"result": 1, "source": 1, "reason": 7}},
        },
        {"on A-ASSOCIATE-RQ in": "reject 1/1/7"},
        {
            "when": {"pdu": 1, "direction": "in"},
            "do": {"reject": {"codes": "1/1/7", "place": "instead"}},
            "times": None,
        },
    ],
)
def test_a_rule_is_the_same_however_it_is_written(form: Any) -> None:
    rule = rule_of(form)

    assert Rule(when={"pdu": "A-ASSOCIATE-RQ", "direction": "in"}, do={"reject": "1/1/7"}) == rule
    assert LINE == str(rule)
    assert f"<Rule {LINE}>" == repr(rule)
    assert hash(parse_rule(LINE)) == hash(rule)


def test_what_stands_beside_when_may_also_stand_in_it() -> None:
    beside = Rule({"command": "C-STORE-RQ"}, "drop", times=2, after=1, probability=0.5, seed=7, name="half")
    inside = Rule(
        {"command": "C-STORE-RQ", "times": 2, "after": 1, "probability": "0.5", "seed": 7, "name": "half"}, "drop"
    )

    assert beside == inside == parse_rule(str(beside))
    assert "on C-STORE-RQ times=2 after=1 probability=0.5 seed=7 name=half: drop" == str(beside)


def test_the_mapping_form_has_only_what_is_not_as_usual() -> None:
    rule = Rule({"pdu": "A-ABORT"}, ["close", {"delay": 2}], after=0, probability=1.0)

    assert {"when": {"pdu": "A-ABORT"}, "do": [{"close": {}}, {"delay": {"seconds": 2}}]} == rule.as_mapping()
    assert rule == rule_of(rule.as_mapping())
    assert rule == rule_of(rule)


def test_several_actions_may_stand_in_one_mapping_or_one_text() -> None:
    in_text = parse_rule("on A-ABORT in: delay 2; drop")

    assert in_text == Rule({"pdu": "A-ABORT", "direction": "in"}, {"delay": 2, "drop": None})
    assert in_text == Rule({"pdu": "A-ABORT", "direction": "in"}, ["delay 2; drop"])


def test_different_rules_differ() -> None:
    assert parse_rule("on A-ABORT: drop") != parse_rule("on A-ABORT nth=1: drop")
    assert parse_rule("on A-ABORT: drop") != "on A-ABORT: drop"


@pytest.mark.parametrize(
    ("rule", "said", "column"),
    [
        ("on A-ABORT nht=3: drop", 'no trigger is called "nht", did you mean nth?', 12),
        ("on A-ABORT: rejct 1/1/7", 'no action is called "rejct", did you mean reject?', 13),
        ("on A-ABORT: stop_reading; dealy 2", 'no action is called "dealy", did you mean delay?', 27),
        ("on A-ABORT: delay secnds=3", 'delay has no parameter "secnds", did you mean seconds?', 19),
        ("on A-ABORT: delay", "delay needs seconds: how long", 13),
        ("on A-ABORT: drop 3", "drop takes no value", 18),
        ("on A-ABORT: substitute", "substitute needs a field or offset", 13),
        ("on A-ABORT: substitute reslt=3", 'no field is called "reslt", did you mean result?', 24),
        ("on A-ABORT: substitute lenghts=fix", "did you mean lengths?", 24),
        ("on C-ECHO-RSP: set Statsu=0", "did you mean Status?", 20),
        ("on C-STORE-RQ: answer A70", "is no whole number", 16),
        ("on C-STORE-RQ probability=2: drop", 'probability: "2" is no probability', 15),
        ("on C-STORE-RQ Priority=high: drop", 'Priority: "high" is no whole number', 15),
        ("on C-STORE-RQ prioritty=1: drop", "did you mean Priority?", 15),
        ("on A-ABORT: raw hex=00 text=x", "data is there twice", 24),
        ("on A-ABORT: close insted", "did you mean instead?", 13),
        ("{when: {pdu: A-ABORT}, doo: close}", 'a rule has no "doo", did you mean do?', 0),
        ("{when: {pdu: A-ABORT}}", "a rule needs do", 0),
        ("{do: close}", "a rule needs when", 0),
        ("{when: {}, do: close}", "a rule needs a condition", 0),
        ("{when: {pdu: A-ABORT}, do: []}", "a rule needs an action", 0),
        ("{when: [a], do: close}", "a condition is a mapping", 0),
        ("{when: {pdu: A-ABORT}, do: [[close]]}", "an action is a name, or a mapping", 0),
        ("{when: {pdu: A-ABORT}, do: {delay: {secnds: 3}}}", "did you mean seconds?", 0),
        ("{when: {pdu: A-ABORT}, do: {reject: {reslt: 3}}}", "did you mean result?", 0),
    ],
)
def test_an_error_says_which_word_and_what_may_have_been_meant(rule: str, said: str, column: int) -> None:
    with pytest.raises(RuleError) as caught:
        parse_rule(rule)
    assert said in str(caught.value)
    if column:
        assert column == caught.value.column


def test_an_error_in_a_mapping_says_the_keys_that_lead_to_it() -> None:
    for do, where in (
        ([{"drop": None}, {"delay": {"secnds": 3}}], ("do", 1, "delay", "secnds")),
        ({"answer": {"status": "x"}}, ("do", "answer", "status")),
        ({"accept": {"result": {"1": 999}}}, ("do", "accept", "result", "1")),
    ):
        with pytest.raises(RuleError) as caught:
            Rule({"pdu": "A-ASSOCIATE-RQ"}, do)
        assert where == caught.value.where


@pytest.mark.parametrize("given", [None, 3, ["on A-ABORT: drop"]])
def test_what_is_no_rule_at_all_is_an_error(given: Any) -> None:
    with pytest.raises(RuleError, match="is no rule"):
        rule_of(given)


whens = st.fixed_dictionaries(
    {},
    optional={
        "direction": st.sampled_from(["in", "out"]),
        "calling": st.text(min_size=1, max_size=8),
        "peer": st.sampled_from(["10.0.0.*", "::1", "10.0.0.0/8"]),
        "nth": st.sampled_from(["1", "2..5", "3..", ["1", "4"]]),
        "every": st.integers(1, 9),
        "elapsed": st.sampled_from(["5..", "1..2"]),
        "side": st.sampled_from(["requestor", "acceptor"]),
        "size": st.integers(0, 10**9),
    },
)
subjects = st.one_of(
    st.fixed_dictionaries({"pdu": st.sampled_from([*PDU_TYPES, "0x42", ["A-ABORT", "A-RELEASE-RQ"]])}),
    st.fixed_dictionaries({"command": st.sampled_from([*COMMANDS, "*-RSP", "0x0099"])}),
)
states = st.fixed_dictionaries({}, optional={"state": st.sampled_from([state.value for state in State])})
anywhere = st.one_of(
    st.just({"close": {}}),
    st.builds(lambda codes: {"abort": {"codes": codes}}, st.tuples(st.integers(0, 255), st.integers(0, 255)).map(list)),
    st.builds(
        lambda data, place: {"raw": {"text": data, "place": place}},
        st.text(max_size=12),
        st.sampled_from(["before", "after", "instead"]),
    ),
    st.builds(lambda data: {"raw": data.hex()}, st.binary(min_size=1, max_size=9)),
    st.builds(
        lambda seconds: {"delay": seconds}, st.floats(0, 1e6) | st.lists(st.integers(0, 9), min_size=1, max_size=3)
    ),
    st.just({"delay": {"uniform": [1, 2.5]}}),
    st.just("drop"),
    st.builds(lambda count, pause: {"duplicate": {"count": count, "pause": pause}}, st.integers(1, 9), st.floats(0, 9)),
)
rests = st.fixed_dictionaries(
    {},
    optional={
        "times": st.integers(1, 99),
        "after": st.integers(0, 99),
        "probability": st.floats(0, 1),
        "seed": st.integers(0, 2**40),
        "name": st.text(min_size=1, max_size=10),
    },
)


@given(whens, subjects, states, st.lists(anywhere, min_size=1, max_size=3), rests)
def test_a_rule_reads_back_from_its_line_and_from_its_mapping(
    when: dict[str, Any], subject: dict[str, Any], state: dict[str, Any], do: list[Any], rest: dict[str, Any]
) -> None:
    rule = Rule(when | subject | state, do, **rest)

    assert rule == parse_rule(str(rule))
    assert str(rule) == str(parse_rule(str(rule)))
    assert rule == rule_of(rule.as_mapping())
    assert "\n" not in str(rule)


@given(st.text(max_size=30), st.sampled_from([*ACTIONS, *TAGS, "drop"]), st.text(max_size=12))
def test_reading_any_rule_raises_nothing_but_rule_errors(when: str, action: str, value: str) -> None:
    for text in (
        f"on {when}: {action} {value}",
        f"on A-ASSOCIATE-RQ {when}: {action}",
        f"on in: {action} {value}",
        when,
    ):
        try:
            rule = parse_rule(text)
        except RuleError:
            continue
        assert rule == parse_rule(str(rule))
