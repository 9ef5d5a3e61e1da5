"""From what a person writes to conditions and actions in their canonical form."""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim.behaviour.reading import known_trigger, made_of, read_do, read_when, within
from dicomsim.behaviour.values import BYTE, RuleError
from dicomsim.behaviour.vocabulary import ACTIONS


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("close", [{"close": {}}]),
        ("CLOSE after", [{"close": {"place": "after"}}]),
        ({"stop_reading": None}, [{"stop-reading": {}}]),
        ({"close": ""}, [{"close": {}}]),
        ({"close": {"place": "instead"}}, [{"close": {}}]),
        ({"delay": {"uniform": [1, 2]}}, [{"delay": {"seconds": "uniform(1,2)"}}]),
        ({"delay": {"uniform": [1, 2], "place": "after"}}, [{"delay": {"seconds": "uniform(1,2)", "place": "after"}}]),
        ({"abort": {"source": 2, "reason": 1}}, [{"abort": {"codes": "2/1"}}]),
        ({"abort": {"source": 2, "as": "raw"}}, [{"abort": {"codes": "2/0", "as": "raw"}}]),
        ({"accept": {1: 3, "order": "reversed"}}, [{"accept": {"result": {"1": 3}, "order": "reversed"}}]),
        ({"raw": {"hex": "01 02"}}, [{"raw": {"data": "hex:0102"}}]),
        ({"raw": {"zeros": 3, "place": "before"}}, [{"raw": {"data": "zeros:3", "place": "before"}}]),
        ({"substitute": {10: 255, "result": "0x3"}}, [{"substitute": {"10": 255, "result": 3}}]),
        ({"set": {"Status": 0xA700}}, [{"set": {"Status": "0xA700"}}]),
        (["drop", {"close": None, "delay": 1}], [{"drop": {}}, {"close": {}}, {"delay": {"seconds": 1}}]),
    ],
)
def test_actions_are_read_into_one_form(written: Any, read: Any) -> None:
    assert read == read_do(written)
    assert read == read_do(read)


def test_conditions_are_read_into_one_form() -> None:
    written = {"pdu": 1, "nth": 3, "Priority": "1", "times": 2, "field": {"pdv.2": "present"}}

    assert {"pdu": "A-ASSOCIATE-RQ", "nth": "3", "Priority": 1, "times": 2, "field": {"pdv.2": "present"}} == read_when(
        written
    )
    assert {"command": "C-ECHO-RQ", "direction": "in"} == read_when("C-ECHO-RQ in")


@pytest.mark.parametrize("written", ["", "   ", {}])
def test_a_condition_must_say_something(written: Any) -> None:
    with pytest.raises(RuleError, match="a rule needs a condition"):
        read_when(written)


def test_an_action_gets_all_its_parameters() -> None:
    given = made_of(ACTIONS["slice"], {"size": 3})

    assert {"size": 3, "at": None, "pause": 0.02} == given


def test_free_keys_are_given_as_pairs() -> None:
    given = made_of(ACTIONS["set"], {"Status": "0xA700", "context": 3})

    assert (3, ((0x900, 0xA700),)) == (given["context"], given["*"])


def test_an_error_in_a_value_is_told_from_one_in_a_key() -> None:
    with pytest.raises(RuleError) as of_value:
        within(BYTE, "x", "result")
    with pytest.raises(RuleError) as of_key:
        known_trigger("nht")

    assert ('result: "x" is no whole number', ("result",), True) == (
        str(of_value.value),
        of_value.value.where,
        of_value.value.value,
    )
    assert (("when", "nht"), False) == (of_key.value.where, of_key.value.value)
