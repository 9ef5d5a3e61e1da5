"""The models of what is expected, and the words that stand for them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dicomsim.scenario.expecting import (
    BARE_ALTERNATIVES,
    Expect,
    ExpectAbort,
    ExpectClose,
    ExpectMessage,
    ExpectSilence,
    alternative_mistake,
    alternative_tag,
)


def test_one_alternative_needs_no_list() -> None:
    assert (
        Expect.model_validate({"expect": [{"pdu": "A-ABORT", "source": 2}]})
        == Expect.model_validate({"expect": {"pdu": "A-ABORT", "source": 2}})
        != Expect.model_validate({"expect": "A-ABORT"})
    )


@pytest.mark.parametrize(
    ("word", "alternative"),
    [
        ("A-ABORT", ExpectAbort(pdu="A-ABORT")),
        ("C-ECHO-RSP", ExpectMessage.model_validate({"message": "C-ECHO-RSP"})),
        ("close", ExpectClose(close="any")),
        ("fin", ExpectClose(close="fin")),
        ("reset", ExpectClose(close="reset")),
        ("silence", ExpectSilence(silence=True)),
    ],
)
def test_a_word_stands_for_an_alternative(word: str, alternative: object) -> None:
    assert (alternative,) == Expect.model_validate({"expect": [word]}).expect


def test_every_word_stands_for_something() -> None:
    assert [] == [word for word in BARE_ALTERNATIVES if not Expect.model_validate({"expect": word}).expect]


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("close", "word"),
        ("clos", None),
        ({"pdu": "A-RELEASE-RP"}, "ExpectRelease"),
        ({"pdu": "A-RELEASE"}, None),
        ({"message": "x"}, "ExpectMessage"),
        ({"exit": 0}, "ExpectExit"),
        ({"verdict": "pass"}, None),
        (3, None),
        (ExpectClose(close="any"), "ExpectClose"),
    ],
)
def test_a_key_says_which_model_is_for_it(written: object, tag: str | None) -> None:
    assert tag == alternative_tag(written)


@pytest.mark.parametrize(
    ("written", "mistake"),
    [
        ({"pdu": "A-ABROT"}, "no PDU is called A-ABROT, did you mean A-ABORT?"),
        ("clos", "clos is nothing to wait for, did you mean close?"),
        ({"verdict": "pass"}, "an alternative has one of pdu, message, close, silence, exit"),
    ],
)
def test_what_is_no_alternative_is_explained(written: object, mistake: str) -> None:
    assert mistake == alternative_mistake(written)


@pytest.mark.parametrize(
    "written",
    [
        {"expect": []},
        {"expect": [{"pdu": "A-ABORT", "result": 1}]},
        {"expect": [{"message": "C-ECO-*"}]},
        {"expect": [{"close": "slowly"}]},
        {"expect": [{"silence": False}]},
        {"expect": "close", "otherwise": "pass"},
        {"expect": [{"pdu": "A-ABORT", "verdict": "error"}]},
        {"expect": [{"pdu": "A-ABORT", "keep": {"A B": "source"}}]},
        {"expect": [{"pdu": "A-ASSOCIATE-AC", "contexts": {256: {}}}]},
    ],
)
def test_what_makes_no_sense_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        Expect.model_validate(written)


@pytest.mark.parametrize("pattern", ["*", "*-RQ", "C-STORE-*", "c-echo-rsp"])
def test_messages_may_be_patterns(pattern: str) -> None:
    (alternative,) = Expect.model_validate({"expect": {"message": pattern}}).expect
    assert pattern == alternative.message
