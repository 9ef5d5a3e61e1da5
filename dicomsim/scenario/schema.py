"""The JSON Schema of scenario files, made from the model; `scenarios/schema.json` is what editors read."""

from __future__ import annotations

import json
from typing import Any

from dicomsim.scenario.model import Scenario


def schema() -> dict[str, Any]:
    """The schema as plain values."""
    made = _without_titles(Scenario.model_json_schema(by_alias=True))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "dicomsim scenario"}


def _without_titles(part: Any, names: bool = False) -> Any:
    """The same without the titles that only repeat the names of properties."""
    if isinstance(part, dict):
        kept = {key: value for key, value in part.items() if names or key != "title" or not isinstance(value, str)}
        return {key: _without_titles(value, names=key in ("properties", "$defs")) for key, value in kept.items()}
    return [_without_titles(item) for item in part] if isinstance(part, list) else part


def schema_text() -> str:
    """The schema as the file has it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"
