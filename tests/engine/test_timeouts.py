"""Timeouts: what they may be set to, and who hears of it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dicomsim.engine.timeouts import LONGEST, NAMES, Timeouts


def with_one(name: str, value: Any) -> Timeouts:
    """Timeouts of which one is set."""
    return Timeouts(**{name: value})


@pytest.mark.parametrize("name", NAMES)
def test_a_timeout_is_a_number_of_seconds(name: str) -> None:
    timeouts = with_one(name, 5)
    for seconds in (0, 0.5, LONGEST):
        setattr(timeouts, name, seconds)
        assert seconds == getattr(timeouts, name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seconds", [-1, -0.001, math.nan, math.inf, 2 * LONGEST])
def test_a_number_that_is_no_time_is_refused_by_name(name: str, seconds: float) -> None:
    timeouts = Timeouts()
    before = getattr(timeouts, name)
    with pytest.raises(ValueError, match=f"{name} timeout.*{seconds}"):
        setattr(timeouts, name, seconds)
    assert before == getattr(timeouts, name)
    with pytest.raises(ValueError, match=name):
        with_one(name, seconds)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["5", True, [5], b""])
def test_what_is_no_number_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"{name} timeout") as raised:
        setattr(Timeouts(), name, value)
    assert repr(value) in str(raised.value)


def test_none_is_no_limit_for_all_but_the_one_that_the_standard_has() -> None:
    for name in NAMES:
        if name == "artim":
            with pytest.raises(TypeError, match="artim"):
                setattr(Timeouts(), name, None)
        else:
            assert getattr(with_one(name, None), name) is None


def test_changes_are_told_and_copies_tell_nobody() -> None:
    told: list[tuple[str, float | None]] = []
    timeouts = Timeouts(acse=1)
    timeouts.on_change = lambda name, seconds: told.append((name, seconds))
    timeouts.dimse = 2
    copy = timeouts.copy()
    copy.network = 3
    with pytest.raises(ValueError, match="acse"):
        timeouts.acse = -1
    assert [("dimse", 2)] == told
    assert (1, 2, 3) == (copy.acse, copy.dimse, copy.network) and timeouts.network is None


def test_timeouts_are_equal_by_their_values() -> None:
    one = Timeouts(dimse=2)
    one.on_change = lambda name, seconds: None
    assert Timeouts(dimse=2) == one and "on_change" not in repr(one)
