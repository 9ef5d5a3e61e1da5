"""The machine's clock."""

from __future__ import annotations

from dicomsim.engine.clock import Clock, SystemClock


def test_the_system_clock_does_not_go_back() -> None:
    clock: Clock = SystemClock()
    first, second = clock.monotonic(), clock.monotonic()
    assert first <= second


def test_wall_time_is_in_nanoseconds_since_1970() -> None:
    year = 365.25 * 86400 * 1e9
    assert 50 < SystemClock().wall() / year < 200
