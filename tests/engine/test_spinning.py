"""Looking before sleeping: how long, and how often it is tried again after it was in vain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dicomsim.engine.spinning import MOST_RESTS, SPIN_SECONDS, Spinning
from dicomsim.testing import FakeClock


class Eyes:
    """What is seen at each look; each takes a tenth of the time there is."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.sights: Iterator[list[int]] = iter(())
        self.looks = 0

    def __call__(self, seconds: float) -> list[int]:
        assert 0 == seconds
        self.looks += 1
        self.clock.advance(SPIN_SECONDS / 10)
        return next(self.sights, [])


@pytest.fixture
def eyes() -> Eyes:
    return Eyes(FakeClock())


def spinning(eyes: Eyes) -> Spinning[list[int]]:
    return Spinning(eyes, spins=True, clock=eyes.clock)


def test_what_comes_while_it_looks_is_given(eyes: Eyes) -> None:
    eyes.sights = iter(([], [], [7]))
    assert [7] == spinning(eyes).glance()
    assert 3 == eyes.looks


def test_it_looks_no_longer_than_it_may(eyes: Eyes) -> None:
    assert spinning(eyes).glance() is None
    assert eyes.looks in (10, 11)  # as sums of tenths go


def test_looking_in_vain_is_done_more_and_more_rarely(eyes: Eyes) -> None:
    one = spinning(eyes)
    pauses = []
    for _ in range(10):
        looks, pause = eyes.looks, -1
        while eyes.looks == looks:
            assert one.glance() is None
            pause += 1
        pauses.append(pause)
    assert [0, 2, 4, 8, 16, 32, 64, 128, 256, MOST_RESTS] == pauses


def test_seeing_something_makes_it_look_as_often_as_before(eyes: Eyes) -> None:
    one = spinning(eyes)
    assert [None] * 3 == [one.glance() for _ in range(3)]
    eyes.sights = iter(([1], [2]))
    assert ([1], [2]) == (one.glance(), one.glance())
    assert [None] * 3 == [one.glance() for _ in range(3)]
    eyes.sights = iter(([3],))
    assert [3] == one.glance()


def test_where_it_is_worth_nothing_it_never_looks(eyes: Eyes) -> None:
    one = Spinning(eyes, spins=False, clock=eyes.clock)
    assert [None] * 9 == [one.glance() for _ in range(9)]
    assert 0 == eyes.looks
