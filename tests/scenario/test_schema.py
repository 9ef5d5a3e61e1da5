"""The published schema is the one that the model makes."""

from __future__ import annotations

import json

from dicomsim import resources
from dicomsim.scenario.schema import schema, schema_text


def test_the_published_schema_is_current() -> None:
    published = (resources.scenarios() / "schema.json").read_text("utf-8")
    assert published == schema_text(), "dicomsim list --schema > scenarios/schema.json"


def test_the_schema_describes_keys_and_allows_words() -> None:
    made = schema()
    step = made["properties"]["steps"]["items"]
    words = [each for each in step["oneOf"] if "enum" in each]
    assert (["connect", "accept"], False, True) == (
        words[0]["enum"][:2],
        made["additionalProperties"],
        made["$defs"]["SendAbort"]["properties"]["source"]["description"].startswith("0 user"),
    )


def test_a_property_that_is_called_title_would_stay() -> None:
    assert "title" not in json.dumps(schema()["$defs"]["SendAbort"])
