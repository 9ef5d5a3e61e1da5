"""The kinds of value a field of a scenario may have, each checked in one place and described for the JSON Schema.

Any of them may also be `{name}`, a value that was kept before; what it stands for is put in when the step is done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    PlainValidator,
    Tag,
    WithJsonSchema,
)

from dicomsim import sop_class, transfer_syntax
from dicomsim.scenario import matchers

MOST_SUGGESTIONS = 12
"""Known words that are listed when none is near."""
PLACEHOLDER = re.compile(r"\{[a-z_][a-z0-9_]*\}")
"""A value that was kept: `{called}`."""
ANY_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)(?::[^{}]*)?\}")
"""The same within a text, where it may say how to write it: `{context:02x}`."""
_HEX = re.compile(r"(?:\s|[0-9a-fA-F]{2}|\{[a-z_][a-z0-9_]*(?::[^{}]*)?\})*")
_KEYWORD = re.compile(r"[A-Z][A-Za-z0-9]+")
_NAME = re.compile(r"[a-z_][a-z0-9_]*")


class Strict(BaseModel):
    """A mapping of a scenario file: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True)


def suggest(word: object, known: list[str]) -> str:
    """`, did you mean …?` if something known is near, else the list of what is known."""
    near = get_close_matches(str(word), known, 1)
    if near:
        return f", did you mean {near[0]}?"
    shown = [*known[:MOST_SUGGESTIONS], *(["…"] if len(known) > MOST_SUGGESTIONS else [])]
    return f"; known: {', '.join(shown)}" if known else ""


def is_placeholder(value: object) -> bool:
    """Whether it is `{name}`."""
    return isinstance(value, str) and PLACEHOLDER.fullmatch(value) is not None


def placeholders(written: Any) -> Iterator[str]:
    """The name in every `{name}` of what a file says."""
    if isinstance(written, dict):
        written = [*written.keys(), *written.values()]
    if isinstance(written, list | tuple):
        for item in written:
            yield from placeholders(item)
    elif isinstance(written, str):
        yield from (match[1] for match in ANY_PLACEHOLDER.finditer(written))


def _field(check: Callable[[Any], Any], schema: dict[str, Any]) -> list[Any]:
    def validate(value: Any) -> Any:
        return value if is_placeholder(value) else check(value)

    placeholder = {"type": "string", "pattern": f"^{PLACEHOLDER.pattern}$"}
    return [PlainValidator(validate), WithJsonSchema({"anyOf": [schema, placeholder]})]


def number_between(low: int, high: int) -> list[Any]:
    """Annotations of a whole number in a range."""

    def check(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"should be a whole number, or {{name}}, not {value!r}")  # noqa: TRY004 - pydantic's way
        if not low <= value <= high:
            raise ValueError(f"should be {low} to {high}, not {value}")
        return value

    return _field(check, {"type": "integer", "minimum": low, "maximum": high})


def _check_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(f"should be text; write {str(value)!r} if {value} is meant")  # noqa: TRY004
    return value


def _check_hex(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError("should be hexadecimal digits in quotes: '07 00 00000004'")  # noqa: TRY004
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ValueError("should be pairs of hexadecimal digits, with spaces as you like: '07 00 00000004'")
    return value


def _check_hex_or_sample(value: Any) -> Any:
    return value if value == "sample" else _check_hex(value)


def _check_seconds(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 3600:
        raise ValueError(f"should be seconds, from 0 to 3600, not {value!r}")
    return value


def _check_uid(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(f"should be a UID or a keyword of the standard; write {str(value)!r} if {value} is meant")  # noqa: TRY004
    if not _KEYWORD.fullmatch(value):
        return value
    if (known := sop_class.names().get(value)) is not None:
        return str(known)
    syntaxes = transfer_syntax.names()
    if value in syntaxes:
        return str(syntaxes[value])
    near = get_close_matches(value, [*sop_class.names(), *syntaxes], 1)
    raise ValueError(f"{value} is no SOP class or transfer syntax{f', did you mean {near[0]}?' if near else ''}")


def _check_name(value: Any) -> Any:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(f"a name has small letters, digits and _, unlike {value!r}")
    return value


def _check_matcher(make: Callable[[object], object]) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if not is_placeholder(value):
            make(value)
        return value

    return check


Byte = Annotated[int | str, *number_between(0, 0xFF)]
Short = Annotated[int | str, *number_between(0, 0xFFFF)]
Long = Annotated[int | str, *number_between(0, 0xFFFFFFFF)]
Size = Annotated[int | str, *number_between(0, 1 << 24)]
Count = Annotated[int, *number_between(1, 100_000)]
Text = Annotated[str, *_field(_check_text, {"type": "string"})]
Hex = Annotated[str, *_field(_check_hex, {"type": "string"})]
HexOrSample = Annotated[str, *_field(_check_hex_or_sample, {"type": "string"})]
Uid = Annotated[str, *_field(_check_uid, {"type": "string"})]
Seconds = Annotated[float | str, *_field(_check_seconds, {"type": "number", "minimum": 0, "maximum": 3600})]
Name = Annotated[str, PlainValidator(_check_name), WithJsonSchema({"type": "string", "pattern": f"^{_NAME.pattern}$"})]

_MATCHER_SCHEMA = {"type": ["string", "number", "boolean", "null", "array", "object"]}
ValueMatcher = Annotated[
    Any, PlainValidator(_check_matcher(matchers.matcher)), WithJsonSchema(_MATCHER_SCHEMA, mode="validation")
]
StatusMatcher = Annotated[
    Any, PlainValidator(_check_matcher(matchers.status_matcher)), WithJsonSchema(_MATCHER_SCHEMA, mode="validation")
]


def _uid_in_matcher(value: Any) -> Any:
    """Keywords stand for UIDs in matchers, too."""
    if isinstance(value, str) and _KEYWORD.fullmatch(value) and value != "any":
        return _check_uid(value)
    if isinstance(value, list):
        return [_uid_in_matcher(item) for item in value]
    if isinstance(value, dict) and set(value) == {"not"}:
        return {"not": _uid_in_matcher(value["not"])}
    return value


UidMatcher = Annotated[ValueMatcher, BeforeValidator(_uid_in_matcher)]


def one_or_several(value: Any) -> str:
    """Tag of a value that may stand for a list of one."""
    return "several" if isinstance(value, list | tuple) else "one"


def in_list(value: Any) -> tuple[Any, ...]:
    """The sequence that a single value stands for."""
    return (value,)


UidList = Annotated[
    Annotated[Uid, AfterValidator(in_list), Tag("one")] | Annotated[tuple[Uid, ...], Tag("several")],
    Discriminator(one_or_several),
]
LongOrList = Annotated[
    Annotated[Long, Tag("one")] | Annotated[list[Long], Tag("several")], Discriminator(one_or_several)
]
ShortOrList = Annotated[
    Annotated[Short, Tag("one")] | Annotated[list[Short], Tag("several")], Discriminator(one_or_several)
]
