"""Values of rules: what may be written, and what is said about what may not."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.behaviour.values import (
    BYTE,
    COUNT,
    DELAY,
    ELAPSED,
    PROBABILITY,
    RANGES,
    SECONDS,
    TEXT,
    Kind,
    RuleError,
    list_of,
    number_text,
    read_integer,
    suggest,
    word,
)


@pytest.mark.parametrize(
    ("written", "read"),
    [("16", 16), ("0x10", 16), (" 0X1f ", 31), ("-3", -3), (7, 7), ("0122", 122)],
)
def test_whole_numbers_are_decimal_or_hexadecimal(written: Any, read: int) -> None:
    assert read == read_integer(written)


@pytest.mark.parametrize("written", ["", "1.5", "ten", "0xG", True, None, [1], 1.0])
def test_what_is_no_whole_number_is_an_error(written: Any) -> None:
    with pytest.raises(RuleError, match="is no whole number"):
        read_integer(written)


def test_a_number_out_of_range_names_the_range() -> None:
    with pytest.raises(RuleError, match="256 is out of range: 0 to 255"):
        BYTE.read("256")
    with pytest.raises(RuleError, match="0 is out of range: 1 or more"):
        COUNT.read(0)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("2", 2), (0.5, 0.5), ("500ms", 0.5), ("1.5 s", 1.5), ("2min", 120), ("1h", 3600), ("1e-3", 0.001)],
)
def test_times_are_in_seconds_or_have_a_unit(written: Any, seconds: float) -> None:
    assert seconds == SECONDS.read(written)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("-1", "a time before now"),
        ("5 years", "no unit of time"),
        ("soon", "is no number"),
        ("nan", "is no number"),
        ("inf", "is no number"),
        (10**400, "is no number"),
        (None, "is no number"),
        (True, "is no number"),
    ],
)
def test_what_is_no_time_is_an_error(written: Any, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        SECONDS.read(written)


def test_a_probability_is_at_most_one() -> None:
    assert 0.25 == PROBABILITY.read("0.25")
    with pytest.raises(RuleError, match="is no probability: 0 to 1"):
        PROBABILITY.read(1.5)


@pytest.mark.parametrize(
    ("written", "canonical", "inside", "outside"),
    [
        (3, "3", [3], [2, 4]),
        ("2..5", "2..5", [2, 3, 5], [1, 6]),
        ("3..", "3..", [3, 10**9], [2]),
        ("..3", "..3", [-1, 0, 3], [4]),
        ("1, 3..5", ["1", "3..5"], [1, 4], [2, 6]),
        ([1, "0x10"], ["1", "16"], [1, 16], [2]),
    ],
)
def test_ranges_hold_both_ends(written: Any, canonical: Any, inside: list[int], outside: list[int]) -> None:
    ranges = RANGES.make(RANGES.read(written))

    assert canonical == RANGES.read(written)
    assert [True] * len(inside) == [number in ranges for number in inside]
    assert [False] * len(outside) == [number in ranges for number in outside]


@pytest.mark.parametrize(("written", "said"), [("..", "neither end"), ("5..2", "is empty"), ("a..b", "no number")])
def test_what_is_no_range_is_an_error(written: str, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        RANGES.read(written)


def test_a_single_elapsed_time_means_that_or_later() -> None:
    assert "60.." == ELAPSED.read("1min")
    assert "2..5" == ELAPSED.read("2..5")


def test_a_word_is_read_in_any_case_and_a_misspelt_one_gets_a_suggestion() -> None:
    kind = word("before", "after", "instead")

    assert "instead" == kind.read("INSTEAD")
    with pytest.raises(RuleError, match="none of before, after, instead, did you mean instead"):
        kind.read("insted")


def test_a_list_of_one_is_that_one() -> None:
    assert (5, [5, 6]) == (list_of(BYTE).read(["5"]), list_of(BYTE).read([5, "6"]))
    with pytest.raises(RuleError, match="the list is empty"):
        list_of(BYTE).read([])


def test_text_takes_numbers_as_they_print() -> None:
    assert ["5", "0.5", "x"] == [TEXT.read(5), TEXT.read(0.5), TEXT.read("x")]
    with pytest.raises(RuleError, match="is no text"):
        TEXT.read(None)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        (2, 2),
        ("2s", 2),
        (["1", 2, "500ms"], [1, 2, 0.5]),
        ("uniform(1, 3)", "uniform(1,3)"),
        ({"uniform": [1, 3]}, "uniform(1,3)"),
        ({"exponential": 2}, "exponential(2)"),
        ("pareto(2,100ms)", "pareto(2,0.1)"),
    ],
)
def test_delays_are_constant_in_turn_or_drawn(written: Any, canonical: Any) -> None:
    assert canonical == DELAY.read(written)
    assert canonical == DELAY.read(DELAY.read(written))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("unifrom(1,2)", "is no distribution, did you mean uniform?"),
        ("uniform(1)", "takes 2 numbers, not 1"),
        ("pareto(0,1)", "above 0"),
        ({"uniform": [1, 2], "normal": [1, 2]}, "one name"),
        ("later", "is no number"),
    ],
)
def test_what_is_no_delay_is_an_error(written: Any, said: str) -> None:
    with pytest.raises(RuleError, match=said.replace("?", r"\?")):
        DELAY.read(written)


def test_a_list_of_delays_is_used_in_turn() -> None:
    delay = DELAY.make([1, 2, 5])

    assert [1, 2, 5, 1, 2] == [delay.seconds(turn, Random(0)) for turn in range(5)]


@pytest.mark.parametrize("name", ["uniform(1,3)", "normal(2,0.5)", "exponential(1)", "pareto(2,0.1)"])
def test_draws_follow_the_seed(name: str) -> None:
    delay = DELAY.make(name)
    first, second, other = ([delay.seconds(0, random) for _ in range(5)] for random in map(Random, (1, 1, 2)))

    assert first == second
    assert first != other


@given(
    st.sampled_from(["uniform", "normal", "exponential", "pareto"]),
    st.floats(0, 1e300, allow_nan=False),
    st.floats(0, 1e300, allow_nan=False),
    st.integers(),
)
def test_a_drawn_delay_is_never_negative_and_never_longer_than_a_day(
    name: str, first: float, second: float, seed: int
) -> None:
    parameters = [first] if name == "exponential" else [first or 1, second]
    delay = DELAY.make(DELAY.read({name: parameters}))

    assert 0 <= delay.seconds(0, Random(seed)) <= 86400


@given(st.one_of(st.integers(-(10**30), 10**30), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_reads_back_from_its_text(number: float) -> None:
    assert float(number) == float(number_text(float(number)))


def test_suggestions_need_some_likeness() -> None:
    assert ", did you mean reject?" == suggest("rejct", ["abort", "reject"])
    assert "" == suggest("banana", ["abort", "reject"])


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text(), max_size=3)))
def test_reading_raises_nothing_but_rule_errors_and_is_stable(written: Any) -> None:
    kinds: list[Kind] = [BYTE, COUNT, DELAY, ELAPSED, PROBABILITY, RANGES, SECONDS, TEXT, word("a", "b")]
    for kind in kinds:
        try:
            canonical = kind.read(written)
        except RuleError:
            continue
        assert canonical == kind.read(canonical)
        kind.make(canonical)


def test_an_error_seen_from_further_out_says_the_whole_way() -> None:
    fault = RuleError("no good", "status", column=3).within("do", 0)

    assert (("do", 0, "status"), "no good", 3, 2) == (fault.where, fault.reason, fault.column, fault.exit_code)
