"""The one-line form: what it reads, and that it reads what it writes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.behaviour.text import read_actions, read_flow, read_line, write_main, write_value, write_words
from dicomsim.behaviour.values import RuleError


@pytest.mark.parametrize(
    ("line", "when"),
    [
        ("on A-ASSOCIATE-RQ in: drop", {"pdu": "A-ASSOCIATE-RQ", "direction": "in"}),
        ("  on c-store-rq OUT nth=3 :drop", {"command": "C-STORE-RQ", "direction": "out", "nth": "3"}),
        ("on A-ABORT A-RELEASE-RQ A-RELEASE-RP: drop", {"pdu": ["A-ABORT", "A-RELEASE-RQ", "A-RELEASE-RP"]}),
        ("on *-RSP out: drop", {"command": "*-RSP", "direction": "out"}),
        ("on Sta6 Evt9: drop", {"state": "Sta6", "event": "Evt9"}),
        ("on AA-8: drop", {"action": "AA-8"}),
        ("on connected: drop", {"at": "connected"}),
        ("on transition Sta6: drop", {"at": "state", "state": "Sta6"}),
        ("on peer=::1 in: drop", {"peer": "::1", "direction": "in"}),
        ("on calling='it''s' called=\"a b\": drop", {"calling": "it's", "called": "a b"}),
        ("on nth=[1, 3..5]: drop", {"nth": ["1", "3..5"]}),
        (
            "on field={user.async: present, pdv.2: {a: b}}: drop",
            {"field": {"user.async": "present", "pdv.2": {"a": "b"}}},
        ),
    ],
)
def test_the_words_before_the_colon_are_triggers(line: str, when: dict[str, Any]) -> None:
    assert when == read_line(line).mapping["when"]


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("close", [{"close": {}}]),
        ("delay 2; close after", [{"delay": {"": "2"}}, {"close": {"": "after"}}]),
        ("raw A-ABORT 2/1 place=before", [{"raw": {"": "A-ABORT 2/1", "place": "before"}}]),
        ("delay uniform(1, 3)", [{"delay": {"": "uniform(1, 3)"}}]),
        ('answer [A700, 0000] ErrorComment="a; b"', [{"answer": {"": ["A700", "0000"], "ErrorComment": "a; b"}}]),
        ("substitute pdv.1.length=3 -4=0xFF", [{"substitute": {"pdv.1.length": "3", "-4": "0xFF"}}]),
        ("accept {1: 3, '*': 0}", [{"accept": {"": {"1": "3", "*": "0"}}}]),
        ('raw "text:a: b\\r\\n"', [{"raw": {"": "text:a: b\r\n"}}]),
        ("roles {a: , b: c}", [{"roles": {"": {"a": "", "b": "c"}}}]),
    ],
)
def test_the_words_behind_the_colon_are_actions(text: str, actions: list[dict[str, Any]]) -> None:
    assert actions == read_actions(text)


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        ("reject", 1, 'a rule begins with "on"'),
        ("once: drop", 1, 'a rule begins with "on"'),
        ("on A-ABORT", 11, "a colon and an action are missing"),
        ("on A-ABORT; drop", 11, "a colon and an action are missing"),
        ("on A-ABORT drop", 12, "a colon is missing before the action drop"),
        ("on C-STORE-RQ in nth=2 answer A700", 31, "a colon is missing before the actions"),
        ("on A-ABORT:", 12, "an action is missing"),
        ("on A-ABORT: drop;", 18, "an action is missing"),
        ("on A-ABORT nth=: drop", 16, "a value is missing"),
        ("on A-ABROT: drop", 4, "did you mean A-ABORT?"),
        ("on nth=1 nth=2: drop", 10, "nth is there twice"),
        ("on in out: drop", 7, "direction is there twice"),
        ('on calling="x: drop', 12, "a quote is not closed"),
        ("on nth=[1, 2: drop", 13, 'a comma or a "]" is missing'),
        ("on nth=[1, 2", 13, 'a "]" is missing'),
        ("on field={a b}: drop", 14, "a colon and a value are missing"),
        ("on field={a: 1, a: 2}: drop", 17, '"a" is there twice'),
        ("on field={[a]: 1}: drop", 11, "a key is text"),
        ("on A-ABORT: close place=after place=before", 31, "place is there twice"),
        ("on A-ABORT: accept [1] [2]", 24, "the value is there twice"),
        ('on calling="\\q": drop', 12, "is no quoted text"),
        ("on [a]: drop", 4, "is no PDU"),
    ],
)
def test_an_error_says_in_which_column_it_is(line: str, column: int, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        read_line(line)
    assert said in str(caught.value)
    assert column == caught.value.column


def test_a_column_is_found_by_the_keys_that_lead_to_it() -> None:
    line = read_line("on A-ABORT nth=3: delay 2; close place=after")

    assert [4, 12, 19, 28, 34, 0] == [
        line.column(("when", "pdu")),
        line.column(("when", "nth")),
        line.column(("do", 0, "delay", "seconds")),
        line.column(("do", 1, "close")),
        line.column(("do", 1, "close", "place")),
        line.column(("name",)),
    ]


def test_a_mapping_in_braces_may_stand_alone() -> None:
    text = "{when: {pdu: A-ABORT, nth: [1, 2]}, do: {close: , delay: 'x: y'}, times: 3}"

    assert {
        "when": {"pdu": "A-ABORT", "nth": ["1", "2"]},
        "do": {"close": "", "delay": "x: y"},
        "times": "3",
    } == read_flow(text)


def test_what_stands_behind_a_mapping_is_too_much() -> None:
    with pytest.raises(RuleError, match="is too much"):
        read_flow("{a: b} c")


plain = st.recursive(
    st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(plain)
def test_a_value_reads_back_from_what_is_written(value: Any) -> None:
    text = write_value(value, in_flow=True)

    assert value == read_flow(text)
    assert "\n" not in text
    assert [{"raw": {"data": value}}] == read_actions(f"raw data={write_value(value)}")
    assert {"key": value} == read_line(f"on key={write_value(value)}: drop").mapping["when"]


@given(plain)
def test_a_first_parameter_reads_back_from_what_is_written(value: Any) -> None:
    assert [{"raw": {"": value}}, {"close": {}}] == read_actions(f"raw {write_main(value)}; close")


@given(st.text(max_size=40))
def test_reading_any_text_raises_nothing_but_rule_errors(text: str) -> None:
    for read in (read_line, read_actions, read_flow, lambda text: read_line("on " + text)):
        with suppress(RuleError):
            read(text)


def test_a_condition_is_written_in_bare_words_where_that_reads_back() -> None:
    when = {"pdu": ["A-ABORT", "0x42"], "command": ["C-ECHO-RQ", "C-ECHO-RSP"], "direction": "in", "nth": "1..3"}

    assert ["pdu=[A-ABORT, 0x42]", "C-ECHO-RQ", "C-ECHO-RSP", "in", "nth=1..3"] == write_words(when)
