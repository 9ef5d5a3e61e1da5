"""The model of a scenario: which steps there are, and what goes with what."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dicomsim.scenario.model import BARE_STEPS, STEPS, Scenario, Steps, step_mistake, step_tag

WHOLE: dict[str, object] = {
    "id": "a/b",
    "requirement": "It works.",
    "clause": "PS3.8",
    "level": "shall",
    "role": "requestor",
    "steps": ["connect"],
}


def test_a_scenario_has_these_keys_at_least() -> None:
    missing = [key for key in WHOLE if _is_valid({name: value for name, value in WHOLE.items() if name != key})]
    assert ([], True) == (missing, _is_valid(WHOLE))


def _is_valid(written: dict[str, object]) -> bool:
    try:
        Scenario.model_validate(written)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("word", BARE_STEPS)
def test_a_word_stands_for_a_step(word: str) -> None:
    (step,) = Steps.model_validate({"steps": [word]}).steps
    assert STEPS[word] is type(step)


@pytest.mark.parametrize("verb", list(STEPS))
def test_every_verb_has_its_model(verb: str) -> None:
    assert STEPS[verb].__name__ == step_tag({verb: None})


@pytest.mark.parametrize(
    ("written", "mistake"),
    [
        ("conect", "conect is no step, did you mean connect?"),
        ("send", "send is no step; send needs a value"),
        ("A-RELEASE-RQ", "A-RELEASE-RQ is no step; write `send: A-RELEASE-RQ`"),
        ({"send": "nothing"}, "nothing to send is called nothing"),
        ({"halfclose": None}, "halfclose is no step, did you mean half-close?"),
        ([], "a step has one of send, connect"),
    ],
)
def test_what_is_no_step_is_explained(written: object, mistake: str) -> None:
    assert step_mistake(written).startswith(mistake)


@pytest.mark.parametrize(
    "change",
    [
        {"actors": {"one": {"steps": ["connect"]}}},
        {"steps": []},
        {"level": "must"},
        {"peers": {"OFFIS_*": {}}},
        {"actors": {"one": {"count": 0}}, "steps": []},
        {"actors": {"one": {"count": 1001}}, "steps": []},
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    assert not _is_valid(WHOLE | change)


def test_several_actors_go_without_steps_of_their_own() -> None:
    written = {key: value for key, value in WHOLE.items() if key != "steps"}
    scenario = Scenario.model_validate(written | {"actors": {"one": {"count": 3, "steps": ["connect"]}}})
    assert (3, "script") == (scenario.actors["one"].count, scenario.actors["one"].kind)


def test_a_peer_may_be_known_to_fail() -> None:
    fault = {"reason": "closes", "actual": "tcp-*"}
    scenario = Scenario.model_validate(WHOLE | {"peers": {"OFFIS_*": {"xfail": fault}}})
    assert ("closes", "tcp-*") == (scenario.peers["OFFIS_*"].xfail.reason, scenario.peers["OFFIS_*"].xfail.actual)
