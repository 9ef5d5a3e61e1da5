"""The kinds of values in scenario files."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from dicomsim.scenario import fields
from dicomsim.scenario.fields import is_placeholder, placeholders, suggest


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (fields.Byte, 255),
        (fields.Byte, "{reason}"),
        (fields.Long, 0xFFFFFFFF),
        (fields.Hex, "07 00\n00000004"),
        (fields.Hex, "04 {length:08x}"),
        (fields.HexOrSample, "sample"),
        (fields.Seconds, 0.5),
        (fields.Text, ""),
        (fields.Uid, "1.2.abc"),
        (fields.Name, "most_2"),
        (fields.ValueMatcher, [1, {"from": 3}]),
    ],
)
def test_what_is_right_stays_as_it_is(kind: Any, value: object) -> None:
    assert value == read(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (fields.Byte, 256),
        (fields.Byte, -1),
        (fields.Byte, True),
        (fields.Byte, 1.0),
        (fields.Short, "1"),
        (fields.Hex, "0"),
        (fields.Hex, "0x07"),
        (fields.Hex, 7),
        (fields.Seconds, -1),
        (fields.Seconds, 3601),
        (fields.Seconds, "1"),
        (fields.Text, 3),
        (fields.Uid, 3),
        (fields.Uid, "Verificaton"),
        (fields.Name, "Most"),
        (fields.ValueMatcher, {"form": 3}),
        (fields.StatusMatcher, "A7"),
    ],
)
def test_what_is_wrong_is_refused(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        read(kind, value)


@pytest.mark.parametrize(
    ("keyword", "uid"),
    [
        ("Verification", "1.2.840.10008.1.1"),
        ("CTImageStorage", "1.2.840.10008.5.1.4.1.1.2"),
        ("ExplicitVRLittleEndian", "1.2.840.10008.1.2.1"),
    ],
)
def test_keywords_stand_for_uids(keyword: str, uid: str) -> None:
    assert (uid, (uid,), [uid, "any"], {"not": uid}) == (
        read(fields.Uid, keyword),
        read(fields.UidList, keyword),
        read(fields.UidMatcher, [keyword, "any"]),
        read(fields.UidMatcher, {"not": keyword}),
    )


def test_a_single_value_stands_for_a_list_of_one() -> None:
    assert (("1.2",), ("1.2", "1.3"), ()) == tuple(read(fields.UidList, value) for value in ("1.2", ["1.2", "1.3"], []))


def test_placeholders_are_found_in_whatever_they_stand() -> None:
    written = {"a": "{one}", "b": [{"c": "x {two:02x}"}, 3], "{three}": None}
    assert (["three", "one", "two"], True, False) == (
        list(placeholders(written)),
        is_placeholder("{one}"),
        is_placeholder("x {one}"),
    )


def test_a_suggestion_is_the_nearest_word_or_the_beginning_of_the_list() -> None:
    words = [f"word{letter}" for letter in "abcdefghijklmnop"]
    assert (", did you mean close?", "; known: close, reset", True) == (
        suggest("clsoe", ["close", "reset"]),
        suggest("xyz", ["close", "reset"]),
        suggest("xyz", words).endswith("wordl, …"),
    )
