"""Mistakes as sentences: one for each, whatever a library has to say about it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dicomsim.scenario.mistakes import mistakes_of
from dicomsim.scenario.model import Scenario, Steps
from dicomsim.scenario.source import Place


def sentences(data: Any, model: Any = Steps) -> list[str]:
    with pytest.raises(ValidationError) as error:
        model.model_validate(data)
    return [mistake.text for mistake in mistakes_of(error.value, data, model, lambda path: Place(1, len(path) + 1))]


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ({"expect": [{"pdu": "A-ABORT", "sorce": 2}]}, "unknown key sorce, did you mean source?"),
        ({"expect": [{"pdu": "A-ASSOCIATE-AC", "contexts": {1: {"reslt": 0}}}]}, "unknown key reslt, did you mean"),
        ({"send": "A-ASSOCIATE-RQ", "roles": [{"sop_class": "1.2", "scu": 1}]}, "scp is missing"),
        ({"send": "A-ASSOCIATE-RQ", "roles": [{"sop_clas": "1.2", "scu": 1, "scp": 1}]}, "unknown key sop_clas"),
        ({"send": "A-ASSOCIATE-RQ", "async_window": 3}, "async_window should be a mapping of keys to values"),
        ({"half-close": 3}, "half-close takes no value"),
        ({"use": "associate", "wiht": {}}, "unknown key wiht, did you mean with?"),
        ({"listen": "perhaps"}, "listen: input should be a valid boolean"),
    ],
)
def test_a_mistake_names_the_key_that_is_in_the_file(step: object, text: str) -> None:
    assert text in " | ".join(sentences({"steps": [step]}))


def test_a_value_that_fits_no_form_is_said_once() -> None:
    step = {"send": "C-ECHO-RQ", "message_id": "x", "data": "zz"}
    assert 2 == len(sentences({"steps": [step]}))


def test_a_list_is_not_said_to_be_empty_because_what_is_in_it_is_wrong() -> None:
    assert ["clos is nothing to wait for, did you mean close?"] == sentences({"steps": [{"expect": ["clos"]}]})


def test_what_is_no_mapping_is_said_to_be_none() -> None:
    assert ["a scenario should be a mapping of keys to values"] == sentences([], Scenario)


def test_the_place_is_that_of_the_data_and_not_of_the_model() -> None:
    data = {"steps": ["connect", {"expect": [{"pdu": "A-ABORT", "source": {}}]}]}
    paths: list[object] = []

    def place(path: object) -> Place:
        paths.append(path)
        return Place(1, 1)

    with pytest.raises(ValidationError) as error:
        Steps.model_validate(data)
    mistakes_of(error.value, data, Steps, place)
    assert [("steps", 1, "expect", 0, "source")] == paths
