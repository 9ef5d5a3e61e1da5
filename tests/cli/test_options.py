"""Options mean the same in every command, and say what is wrong with their values."""

from __future__ import annotations

import pytest

from dicomsim.cli.options import NAMES, example, parse_timeout, parse_transfer_syntax
from tests.cli.conftest import Call


def test_a_timeout_without_a_name_is_for_all() -> None:
    assert dict.fromkeys(NAMES, 2.5) == parse_timeout("2.5")


def test_a_timeout_with_a_name_is_for_that_one() -> None:
    assert {"acse": 5.0} == parse_timeout("acse=5")


def test_none_is_no_limit_for_all_but_the_one_of_the_standard() -> None:
    assert {name: None for name in NAMES if name != "artim"} == parse_timeout("none")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("asce=5", "no timeout is called 'asce'"),
        ("acse=soon", "'soon' is no number of seconds"),
        ("0", "more than 0 seconds"),
        ("nan", "more than 0 seconds"),
        ("inf", "at most a million"),
        ("artim=none", "artim cannot be none"),
    ],
)
def test_a_timeout_that_is_none_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_timeout(text)


@pytest.mark.parametrize("text", ["1.2.840.10008.1.2.4.90", "JPEG2000Lossless", "jpeg2000lossless"])
def test_a_transfer_syntax_has_a_uid_and_a_keyword(text: str) -> None:
    assert "1.2.840.10008.1.2.4.90" == parse_transfer_syntax(text)


def test_a_mistyped_transfer_syntax_is_answered_with_what_was_meant() -> None:
    with pytest.raises(ValueError, match="did you mean JPEG2000Lossless"):
        parse_transfer_syntax("JPEG2000Losless")


def test_a_transfer_syntax_like_none_there_is_gets_no_guess() -> None:
    with pytest.raises(ValueError, match=r"no transfer syntax's keyword$"):
        parse_transfer_syntax("xyzzy")


def test_an_example_keeps_its_lines() -> None:
    assert "\b\nExamples:\n  one\n  two" == example("one", "two")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["echo", "localhost"], "has no port"),
        (["echo", "host:0"], "is no port"),
        (["echo", "::1:104"], "stands in brackets"),
        (["echo", "A" * 17 + "@host:104"], "has 17 characters"),
        (["echo", "host:104", "--calling", "  "], "needs a character"),
        (["echo", "host:104", "--timeout", "x"], "is no number of seconds"),
        (["echo", "host:104", "-n", "0"], "0 is not in the range"),
        (["store", "host:104"], "Missing argument 'PATH...'"),
        (["store", "host:104", "/nowhere/a.dcm"], "does not exist"),
        (["serve", "--port", "70000"], "not in the range"),
        (["serve", "--host", ""], "is empty; 0.0.0.0 and :: are all"),
        (["echo", "host:104", "--transfer-syntax", "1.2.é"], "no transfer syntax's keyword"),
        (["replay", "a.pcap", "--to", "host:104", "--timeout", "inf"], "at most a million"),
        (["run", "--timeout", "nan"], "more than 0 seconds"),
        (["decode", "a.pcap", "--width", "100000000"], "not in the range"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(call: Call, words: list[str], message: str) -> None:
    called = call(*words)
    assert (2, "") == (called.exit_code, called.out)
    assert message in called.err
