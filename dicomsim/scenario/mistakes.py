"""What the model finds wrong in a file, as sentences for people, each at its place."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from dicomsim.scenario.expecting import ALTERNATIVE_TAGS, alternative_mistake
from dicomsim.scenario.fields import suggest
from dicomsim.scenario.model import STEP_TAGS, step_mistake
from dicomsim.scenario.source import Mistake, Path_, Place

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MODELS: dict[str, type[BaseModel]] = {**STEP_TAGS, **ALTERNATIVE_TAGS}
"""Model by tag of a union; the tag stands in the place that pydantic gives for a mistake."""
SKIPPED = frozenset((*MODELS, "one", "several", "short", "long"))
"""Tags, which are not in the file."""
_UNIONS = {"step_tag()": step_mistake, "alternative_tag()": alternative_mistake}


def mistakes_of(
    error: ValidationError, data: Any, model: type[BaseModel], place: Callable[[Path_], Place]
) -> list[Mistake]:
    """Every mistake once; `place` says where a path of the data stands in the file."""
    found: dict[Path_, Mistake] = {}
    for detail in error.errors(include_url=False):
        if detail["type"] == "too_short" and detail["input"]:
            continue  # what is there is wrong, which is said elsewhere
        path, missing = _in_data(detail["loc"], data)
        key = (*path, *missing) if detail["type"] == "missing" else path
        found.setdefault(key, Mistake(place(path), _sentence(detail, model)))
    return list(found.values())


def _in_data(location: Iterable[Any], data: Any) -> tuple[Path_, Path_]:
    """The part of a location that is in the data, and what is not: tags of unions, and keys that are missing."""
    path: list[Any] = []
    missing: list[Any] = []
    for element in location:
        keys = data if isinstance(data, Mapping) else range(len(data)) if isinstance(data, list) else ()
        if element in keys:
            path.append(element)
            data = data[element]
        else:
            missing.append(element)
    return tuple(path), tuple(missing)


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    location, context = detail["loc"], detail.get("ctx", {})
    name = next((str(element) for element in reversed(location) if element not in SKIPPED), "")
    match detail["type"]:
        case "missing":
            return f"{name} is missing"
        case "extra_forbidden":
            return f"unknown key {name}{suggest(name, _keys(_model_at(location[:-1], model)))}"
        case "union_tag_not_found":
            return _UNIONS[context["discriminator"]](detail["input"])
        case "literal_error":
            known = re.findall("'([^']*)'", str(context["expected"]))
            return f"{name} cannot be {detail['input']!r}{suggest(detail['input'], known)}"
        case "value_error":
            return _named(location, str(context["error"]))
        case "too_short":
            return f"{name or 'a list'} is empty"
        case "none_required":
            return f"{name} takes no value"
        case "model_type" | "dict_type":
            return f"{name or 'a scenario'} should be a mapping of keys to values"
    return _named(location, detail["msg"][:1].lower() + detail["msg"][1:])


def _named(location: tuple[int | str, ...], text: str) -> str:
    """Say which value it is about, where the text does not."""
    names = [each for each in location if each not in SKIPPED and re.fullmatch("[a-z_-]+", str(each))]
    return f"{names[-1]}: {text}" if names and text.startswith(("should", "input")) else text


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(location: Iterable[Any], model: type[BaseModel]) -> type[BaseModel]:
    """The model of the mapping at a location."""
    for element in location:
        if element in MODELS:
            model = MODELS[element]
            continue
        field = next((each for name, each in model.model_fields.items() if element in (name, each.alias)), None)
        inner = [] if field is None else list(_models_in(field.annotation))
        if len(inner) == 1:
            model = inner[0]
    return model


def _models_in(annotation: Any) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for argument in typing.get_args(annotation):
        yield from _models_in(argument)
