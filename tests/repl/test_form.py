from __future__ import annotations

import pytest

from dicomsim.repl.form import Knowledge, Offer, Typed, choice, number


def test_a_choice_reads_its_words_and_no_others() -> None:
    form = choice("X", {"one": "the first", "two": "the second"})
    assert "one" == form.read("one")
    with pytest.raises(ValueError, match="'three' is none of one, two"):
        form.read("three")


def test_a_choice_offers_its_words_with_their_help() -> None:
    form = choice("X", {"one": "the first"})
    assert [Offer("one", "the first")] == list(form.offers(Knowledge(), Typed("")))


def test_a_number_is_read_in_any_base_and_has_limits() -> None:
    form = number("N", 0, 255)
    assert [7, 255] == [form.read("7"), form.read("0xff")]
    with pytest.raises(ValueError, match="256 is out of range: 0 to 255"):
        form.read("256")
    with pytest.raises(ValueError, match="'x' is no whole number"):
        form.read("x")


def test_the_prompt_knows_no_folder_unless_it_is_told_how() -> None:
    assert () == Knowledge().folder("")
