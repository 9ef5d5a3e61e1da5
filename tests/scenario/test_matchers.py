"""Matchers: what fits, and how they say what would."""

from __future__ import annotations

import pytest

from dicomsim.scenario.matchers import MatcherError, matcher, matches_pattern, status_matcher


@pytest.mark.parametrize(
    ("written", "fitting", "others"),
    [
        (2, [2, 2.0], [3, "2", None, True]),
        (1, [1], [True]),
        ("SCP", ["SCP"], ["scp", "", None]),
        (True, [True], [1, False, None]),
        ([0, 2], [0, 2], [1, None]),
        ({"from": 1, "to": 3}, [1, 2.5, 3], [0, 4, "2", None, True]),
        ({"from": 1}, [1, 10**9], [0]),
        ({"to": 3}, [-5, 3], [4]),
        ({"regex": "^OFFIS_"}, ["OFFIS_DCMTK_367"], ["dcm4che", 3, None]),
        ({"not": 3}, [1, "3"], [3, None]),
        ({"not": [1, 2]}, [3], [1, 2, None]),
        ("any", [0, "", False], [None]),
        (None, [None], [0, ""]),
        ([{"from": 8}, None], [8, None], [7]),
    ],
)
def test_a_matcher_fits_what_it_says(written: object, fitting: list[object], others: list[object]) -> None:
    made = matcher(written)
    assert ([], []) == (
        [each for each in fitting if not made.matches(each)],
        [each for each in others if made.matches(each)],
    )


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (2, "2"),
        ([0, 2], "0 or 2"),
        ({"from": 1, "to": 3}, "1 to 3"),
        ({"from": 1}, "at least 1"),
        ({"to": 16384}, "at most 16384"),
        ({"regex": "^a"}, "/^a/"),
        ({"not": [1, 2]}, "not 1 or 2"),
        ("any", "any"),
        (None, "nothing"),
    ],
)
def test_a_matcher_says_what_fits(written: object, words: str) -> None:
    assert words == str(matcher(written))


@pytest.mark.parametrize(
    ("written", "fitting", "others"),
    [
        ("A7xx", [0xA700, 0xA7FF], [0xA800, 0x0000, None, "A700"]),
        ("0122", [0x0122], [122, 0x0123]),
        (0x0122, [0x0122], [122]),
        (0, [0], [0xFF00]),
        ("success", [0x0000], [0xB000, 0x0001]),
        ("warning", [0x0001, 0x0107, 0x0116, 0xB000, 0xB007], [0x0000, 0x0106, 0xA700]),
        ("failure", [0xA700, 0xC001, 0x0110, 0x0211, 0x0122], [0x0107, 0x0116, 0x0000, 0xFE00, 0x0300]),
        ("pending", [0xFF00, 0xFF01], [0xFF02, 0x0000]),
        ("cancel", [0xFE00], [0xFF00]),
        (["success", "warning"], [0x0000, 0xB000], [0xA700]),
        ({"not": "success"}, [0xA700], [0x0000, None]),
    ],
)
def test_a_status_is_written_as_in_the_standard_or_by_its_class(
    written: object, fitting: list[object], others: list[object]
) -> None:
    made = status_matcher(written)
    assert ([], []) == (
        [each for each in fitting if not made.matches(each)],
        [each for each in others if made.matches(each)],
    )


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ([], "an empty list fits nothing"),
        ({}, "a matcher has from, not, regex, to; this one has "),
        ({"form": 1}, "a matcher has from, not, regex, to; this one has form"),
        ({"from": "1"}, "the end of a range is a number, not '1'"),
        ({"regex": "("}, "'(' is no regular expression"),
        (object(), "a value of type object cannot be compared"),
    ],
)
def test_what_is_no_matcher_is_refused_with_a_reason(written: object, reason: str) -> None:
    with pytest.raises(MatcherError) as error:
        matcher(written)
    assert reason in str(error.value)


@pytest.mark.parametrize("written", ["A7", "sucess", 1.5, True])
def test_what_is_no_status_is_refused(written: object) -> None:
    with pytest.raises(MatcherError, match="is no status"):
        status_matcher(written)


def test_patterns_know_no_case() -> None:
    assert [True, True, False] == [
        matches_pattern("offis_*", "OFFIS_DCMTK_367"),
        matches_pattern("*-RQ", "C-ECHO-RQ"),
        matches_pattern("*-RQ", "C-ECHO-RSP"),
    ]
