"""Sizes and counts read well."""

from __future__ import annotations

import pytest

from dicomsim.cli.quantities import count, quantity


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (524_678, "524.7 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (10_000_000_000, "10.0 GB"),
        (2e18, "2000.0 PB"),
    ],
)
def test_a_size_has_the_unit_that_keeps_it_short(size: float, expected: str) -> None:
    assert expected == quantity(size)


def test_one_is_singular_and_all_else_plural() -> None:
    assert ["0 files", "1 file", "2 files"] == [count(number, "file") for number in range(3)]
