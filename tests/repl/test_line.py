from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.repl.line import quoted, read_line


def words(line: str) -> list[list[str]]:
    return [[word.text for word in part.words] for part in read_line(line)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", [[]]),
        ("  \t ", [[]]),
        ("echo", [["echo"]]),
        ("open  A@h:1\tX ", [["open", "A@h:1", "X"]]),
        ("open x; echo;release", [["open", "x"], ["echo"], ["release"]]),
        (";;echo;", [[], [], ["echo"], []]),
        ("store 'my file' \"a;b\"", [["store", "my file", "a;b"]]),
        (r"store my\ file a\;b", [["store", "my file", "a;b"]]),
        (r"""a"b c"'d'e""", [["ab cde"]]),
        (r"""x "a\"b\\c\n" 'd\e' """, [["x", r'a"b\c\n', r"d\e"]]),
        ("echo # the peer; it's", [["echo"]]),
        ("# nothing", [[]]),
        ("open x\necho # it's\r\nrelease\n", [["open", "x"], ["echo"], [], [], ["release"], []]),
        ("send 'two\nlines'", [["send", "two\nlines"]]),
        ("rule off a#b", [["rule", "off", "a#b"]]),
        ("trailing\\", [["trailing\\"]]),
        ("x ''", [["x", ""]]),
    ],
)
def test_a_line_is_cut_into_commands_and_words(line: str, expected: list[list[str]]) -> None:
    assert expected == words(line)


def test_words_know_their_places() -> None:
    line = "a; store 'x y'  b"
    places = [line[word.start : word.end] for part in read_line(line) for word in part.words]
    assert ["a", "store", "'x y'", "b"] == places


@pytest.mark.parametrize(("line", "quote"), [("store 'my fi", "'"), ('store "my fi', '"'), ("store 'x'", "")])
def test_a_quote_that_is_not_closed_is_told(line: str, quote: str) -> None:
    assert quote == read_line(line)[-1].words[-1].open_quote


@pytest.mark.parametrize(
    ("word", "key", "value"),
    [
        ("source=2", "source", "2"),
        ("contexts.3.result=1=2", "contexts.3.result", "1=2"),
        ("calling='MY AE'", "calling", "MY AE"),
        ("'a=b'", "", "a=b"),
        ("=x", "", "=x"),
        ("1=x", "", "1=x"),
        ("x", "", "x"),
        ("A@h=", "", "A@h="),
    ],
)
def test_a_word_may_have_a_key(word: str, key: str, value: str) -> None:
    found = read_line(word)[0].words[0]
    assert (key, value) == (found.key, found.value)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rule on on A-ABORT in: drop", "on A-ABORT in: drop"),
        ("rule on 'on A in: drop; reset'", "on A in: drop; reset"),
        ('rule on on A in: set {ErrorComment: "x y"}; echo', 'on A in: set {ErrorComment: "x y"}'),
        ("rule on on A in: drop   # why", "on A in: drop"),
        ("rule on", ""),
        ("rule on 'on A in", "'on A in"),
    ],
)
def test_the_rest_of_a_command_stays_as_it_is_written(line: str, expected: str) -> None:
    assert expected == read_line(line)[0].rest(line, 2)


@given(st.text())
def test_any_text_can_be_read(line: str) -> None:
    parts = read_line(line)
    assert parts[-1].end <= len(line)
    assert all(0 <= word.start < word.end <= len(line) for part in parts for word in part.words)


@given(st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_what_is_quoted_reads_back(text: str) -> None:
    assert [[text]] == words(quoted(text))


def test_a_quote_is_left_open_for_more() -> None:
    assert ["'my dir/", "dir/", '"it\'s a dir/'] == [
        quoted("my dir/", whole=False), quoted("dir/", whole=False), quoted("it's a dir/", whole=False)
    ]  # fmt: skip
