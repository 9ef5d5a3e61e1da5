"""Rules from files and texts, and where an error is said to be."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.behaviour import RuleError, load_rules, parse_rule
from dicomsim.errors import FileError

FILE = """\
# What one PACS does.
- on A-ASSOCIATE-RQ in: reject 1/1/7
- name: slow
  when:
    command: C-STORE-RQ
    direction: in
    nth: 2..5
  do:
    - delay: uniform(1, 3)
    - answer: {status: [0122, A700], ErrorComment: "disk: full"}
  times: 3
- {when: {pdu: A-RELEASE-RQ, direction: in}, do: {abort: 2/1, close: null}}
- "on C-ECHO-RQ in: drop"
- profile:store-hang
- when: C-ECHO-RSP out
  do: delay 2; set Status=0110
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_has_rules_in_all_forms(tmp_path: Path) -> None:
    path = written(tmp_path, FILE)

    assert [
        "on A-ASSOCIATE-RQ in: reject 1/1/7",
        (
            "on C-STORE-RQ in nth=2..5 times=3 name=slow: "
            'delay uniform(1,3); answer [0x0122, 0xA700] ErrorComment="disk: full"'
        ),
        "on A-RELEASE-RQ in: abort 2/1; close",
        "on C-ECHO-RQ in: drop",
        "on C-STORE-RQ in name=store-hang: drop",
        "on C-ECHO-RSP out: delay 2; set Status=0x0110",
    ] == [str(rule) for rule in load_rules(path)]
    assert load_rules(path) == load_rules(str(path)) == load_rules(FILE.partition("\n")[2])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("on A-ABORT in: drop", 1),
        ("  on A-ABORT in: drop\n", 1),
        ("{when: {pdu: A-ABORT}, do: drop}", 1),
        ("on A-ABORT in: drop\non A-ABORT out: drop", 2),
        ("[{when: {pdu: A-ABORT}, do: drop}]", 1),
        ("- on A-ABORT in: drop", 1),
        ("profile:old-1993", 3),
    ],
)
def test_a_text_may_be_one_rule_or_several(text: str, count: int) -> None:
    assert count == len(load_rules(text))


@pytest.mark.parametrize(
    "text", ["when: {pdu: A-ABORT}\ndo: drop\n", "on A-ABORT in: drop\non A-ABORT out: drop\n", "on A-ABORT in: drop\n"]
)
def test_a_file_may_do_without_the_list(tmp_path: Path, text: str) -> None:
    assert parse_rule("on A-ABORT: drop").do == load_rules(written(tmp_path, text))[0].do


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("- on A-ABORT in: drpo\n", "1:18", 'no action is called "drpo", did you mean drop?'),
        ("- on A-ABROT in: drop\n", "1:6", "did you mean A-ABORT?"),
        ("- on A-ABORT in:     drpo\n", "1:22", "did you mean drop?"),
        ('- "on A-ABORT in: drpo"\n', "1:19", "did you mean drop?"),
        ("- when: {pdu: A-ABORT}\n  doo: drop\n", "2:3", 'a rule has no "doo", did you mean do?'),
        ("- when: {pdu: A-ABORT, nht: 3}\n  do: drop\n", "1:24", 'no trigger is called "nht", did you mean nth?'),
        ("- when:\n    pdu: A-ABROT\n  do: drop\n", "2:10", "did you mean A-ABORT?"),
        ("- when: {pdu: A-ABORT}\n  do:\n    - drop\n    - delay: {secnds: 3}\n", "4:15", "did you mean seconds?"),
        ("- when: {pdu: A-ABORT}\n  do: {delay: soon}\n", "2:15", "is no number"),
        ("- when: {pdu: A-ABORT}\n  do: delay soon\n", "2:7", "is no number"),
        ("- when: {pdu: A-ABORT}\n", "1:3", "a rule needs do"),
        ("- when: {pdu: A-ABORT}\n  when: {pdu: A-ABORT}\n  do: drop\n", "2:3", '"when" is there twice'),
        ("- 3\n", "1:3", 'a rule begins with "on"'),
        ("- [on in]\n", "1:3", "is no rule"),
        ("- on A-ABORT in: [drop]\n", "1:18", "behind the colon of a rule stand actions"),
        ("- profile:store-hnag\n", "1:3", "did you mean store-hang?"),
        ("- {on in: drop, do: drop}\n", "1:4", 'a rule has no "on in"'),
        ("- ? [a]\n  : b\n", "1:5", "a key is text"),
        (
            "- name: a\n  when: in\n  do: drop\n- on out name=a: drop\n",
            "4:3",
            'line 1 has a rule of that name, "a", already',
        ),
        ("- on A-ABORT: {\n", "2:1", ""),
        ("- &a [*a]\n", "1:3", "nested too deep"),
        ("", "1:1", "there is no rule in it"),
        ("- a: b: c\n", "1:7", ""),
        ("# x\n- \x07\n", "2:3", "has no place in text"),
        ("- {when: {field: {result: x}}, do: drop}\n", "1:27", 'field: result: "x" is no number'),
        ("- {when: {pdu: A-ASSOCIATE-RQ}, do: {accept: {result: {1: 256}}}}\n", "1:59", "out of range"),
        ("- {when: {pdu: A-ASSOCIATE-RQ}, do: {roles: {CTImage: 1/1}}}\n", "1:46", "no SOP class"),
        ("- {when: in, do: {set: {Statsu: 1}}}\n", "1:25", "did you mean Status?"),
        ("- {when: in, do: {set: {Status: x}}}\n", "1:33", "is no whole number"),
    ],
)
def test_an_error_in_a_file_says_line_and_column(tmp_path: Path, text: str, place: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(FileError) as caught:
        load_rules(path)
    assert f"{path}:{place}: " == str(caught.value)[: len(str(path)) + len(place) + 3]
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_text_is_an_error(tmp_path: Path) -> None:
    binary = tmp_path / "image.dcm"
    binary.write_bytes(bytes(128) + b"DICM\xff\xfe")
    large = tmp_path / "large.yaml"
    large.write_bytes(b"# \n" * (1 << 19))

    for path, said in (
        (tmp_path / "none.yaml", "No such file"),
        (binary, "is not text in UTF-8 (byte 132)"),
        (large, "is larger than"),
        (tmp_path, "directory"),
    ):
        with pytest.raises(FileError) as caught:
            load_rules(path)
        assert f"{path}: " == str(caught.value)[: len(str(path)) + 2]
        assert said in str(caught.value)


def test_what_is_neither_file_nor_profile_nor_rule_is_an_error() -> None:
    with pytest.raises(FileError, match=r"is no file, no profile .* and no rule"):
        load_rules("reject everything")
    with pytest.raises(FileError, match="did you mean profile:store-hang"):
        load_rules("profle:store-hang")
    with pytest.raises(RuleError, match="did you mean store-hang"):
        load_rules("profile:storehang")


def test_an_error_in_a_text_is_a_rule_error() -> None:
    with pytest.raises(RuleError, match="did you mean drop"):
        load_rules("on A-ABORT in: drpo")


@given(
    st.text(max_size=60).filter(lambda text: "\0" not in text),
    st.sampled_from(["- on ", "- {when: ", "- ", "[", "on "]),
)
def test_any_text_is_rules_or_an_error(text: str, start: str) -> None:
    try:
        load_rules(start + text)
    except (RuleError, FileError) as fault:
        message = str(fault)
    else:
        message = ""
    assert "Traceback" not in message


@pytest.mark.parametrize("place", ["- when: *a9\n  do: drop\n", "- {when: A-ABORT, do: {answer: *a9}}\n"])
def test_aliases_of_aliases_are_not_written_out_without_end(tmp_path: Path, place: str) -> None:
    bomb = "- &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"- &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 10)
    )
    with pytest.raises(FileError, match="has more than 100000 values when its aliases are written out"):
        load_rules(written(tmp_path, bomb + place))


@pytest.mark.parametrize("text", ["", "x" * 5000, "a\0b"])
def test_text_that_no_file_is_named_is_no_rule(text: str) -> None:
    with pytest.raises(FileError, match="is no file, no profile"):
        load_rules(text)
