"""YAML with places: values, positions, and what is no YAML."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomsim.errors import FileError
from dicomsim.scenario.source import MAX_SIZE, Place, ScenarioError, parse_source, read_source

FILE = Path("some.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0), ("-3", -3), ("0x0122", 0x0122), ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("yes", "yes"), ("on", "on"), ("1.2.840", "1.2.840"), ("0122x", "0122x"), ("A7xx", "A7xx"),
        ("9" * 20, 10**20 - 1), ("9" * 5000, float("inf")), ("0x" + "f" * 17, "0x" + "f" * 17), ("0" * 5000, 0.0),
        ("'0122'", "0122"), ('"3"', "3"), ('"a\\0"', "a\0"), ("FF", "FF"),
    ],
)  # fmt: skip
def test_scalars_are_what_they_look_like(text: str, value: object) -> None:
    read = parse_source(FILE, f"key: {text}").data["key"]
    assert (value, type(value)) == (read, type(read))


@pytest.mark.parametrize("key", ["requirement", "rules"])
def test_folded_lines_are_one_with_nothing_between_its_words(key: str) -> None:
    source = parse_source(FILE, f"{key}: >-\n  one\n  two\n\n  three\n")
    assert {key: "one two\nthree"} == source.data


def test_every_value_has_its_place_and_a_value_in_a_mapping_that_of_its_key() -> None:
    source = parse_source(FILE, "steps:\n  - connect\n  - expect:\n      - {pdu: A-ABORT,\n         source: 2}\n")
    assert [Place(1, 1), Place(2, 5), Place(3, 5), Place(4, 10), Place(5, 10)] == [
        source.place(path)
        for path in (
            ("steps",),
            ("steps", 0),
            ("steps", 1, "expect"),
            ("steps", 1, "expect", 0, "pdu"),
            ("steps", 1, "expect", 0, "source"),
        )
    ]


def test_a_path_that_is_not_there_has_the_place_of_what_is_around_it() -> None:
    source = parse_source(FILE, "a: 1\nsteps:\n  - connect\n")
    assert [Place(3, 5), Place(1, 1)] == [source.place(("steps", 0, "within")), source.place(("nowhere",))]


def test_the_lines_of_a_step_end_before_the_next_one() -> None:
    text = "steps:\n  - expect:\n      - {pdu: A-ABORT}\n    within: 5\n  # a remark\n  - close\n"
    source = parse_source(FILE, text)
    assert [[2, 3, 4], [6]] == [[number for number, _ in source.lines(("steps", index))] for index in (0, 1)]


def test_a_key_that_is_there_twice_is_a_mistake() -> None:
    source = parse_source(FILE, "a: 1\nb: 2\na: 3\n")
    assert ([("a is there twice", Place(3, 1))], {"a": 1, "b": 2}) == (
        [(each.text, each.place) for each in source.mistakes],
        source.data,
    )


def test_a_number_with_leading_zeros_is_a_mistake_for_a_status_may_be_meant() -> None:
    (mistake,) = parse_source(FILE, "status: 0122").mistakes
    assert (Place(1, 9), "0122 is read as the decimal number 122; write 0x0122 or, for text, '0122'") == (
        mistake.place,
        mistake.text,
    )


def test_below_rules_and_mutations_scalars_stay_text() -> None:
    source = parse_source(FILE, "rules:\n  - {when: {nth: 2}, do: {answer: 0122}}\nmutate: [{truncate: -1, x: }]\n")
    assert ({"nth": "2"}, {"answer": "0122"}, [{"truncate": "-1", "x": None}], []) == (
        source.data["rules"][0]["when"],
        source.data["rules"][0]["do"],
        source.data["mutate"],
        source.mistakes,
    )


def test_an_alias_stands_for_what_it_names() -> None:
    assert {"a": [1], "b": [1]} == parse_source(FILE, "a: &x [1]\nb: *x\n").data


def test_an_alias_within_what_it_names_is_a_mistake() -> None:
    assert "nested too deeply" in {each.text for each in parse_source(FILE, "a: &x [*x]\n").mistakes}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a: [1,\nb: {", "some.yaml:2:5: not YAML"),
        ("a: b: c", "some.yaml:1:5: not YAML"),
        ("\tx: 1", "some.yaml:1:1: not YAML"),
    ],
)
def test_what_is_no_yaml_is_said_with_its_place(text: str, where: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse_source(FILE, text)
    assert str(error.value).startswith(where)


def test_nesting_beyond_all_measure_is_said_so() -> None:
    with pytest.raises(ScenarioError, match="nested too deeply"):
        parse_source(FILE, "[" * 5000)


def test_a_file_that_is_not_there_is_said_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"absent\.yaml: cannot be read: No such file"):
        read_source(tmp_path / "absent.yaml")


def test_a_file_that_is_no_text_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "image.yaml"
    path.write_bytes(b"id: \xff\xfe")
    with pytest.raises(FileError, match="not UTF-8 text \\(byte 4\\)"):
        read_source(path)


def test_mistakes_come_in_the_order_of_the_file() -> None:
    source = parse_source(FILE, "b: 007\na: 08\n")
    error = ScenarioError(FILE, source.mistakes[::-1])
    assert [1, 2] == [mistake.place.line for mistake in error.mistakes]


BOMB = "0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 10)
)
"""Ten thousand million values."""


def test_aliases_of_aliases_are_not_written_out_without_end() -> None:
    with pytest.raises(ScenarioError, match="more than 100000 values up to here"):
        parse_source(FILE, BOMB)


def test_a_file_that_is_much_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "large.yaml").write_text("x" * (MAX_SIZE + 1))
    with pytest.raises(FileError, match="is larger than 1048576 bytes, which no scenario is"):
        read_source(tmp_path / "large.yaml")


def test_a_character_that_yaml_does_not_have_is_one_mistake_on_one_line() -> None:
    with pytest.raises(ScenarioError) as raised:
        parse_source(FILE, "id: a\0b")
    assert 1 == len(str(raised.value).splitlines())
