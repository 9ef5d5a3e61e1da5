"""YAML with the place of every value: what a scenario file says, and on which line and column it says so.

The file is composed to nodes and read from there, so that numbers are what they look like: YAML 1.2's core schema,
except that a decimal number with leading zeros (a status that should be quoted) is a mistake, and so is a key that is
there twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dicomsim.errors import FileError

Key = str | int
Path_ = tuple[Key, ...]

TEXT_KEYS = frozenset(("rules", "mutate"))
"""Below these keys every scalar is text as it stands: rules read numbers and statuses by themselves."""
MAX_DEPTH = 30
"""Levels of nesting; a scenario has ten, and an alias may stand inside what it stands for."""
MAX_SIZE = 1 << 20
"""Bytes of a file; a scenario has a few thousand."""
MAX_VALUES = 100_000
"""Values of a file with its aliases written out, which a few lines can make billions of."""

_LEADING_ZERO = re.compile(r"[-+]?0[0-9]{1,20}")
_SCALARS: Sequence[tuple[re.Pattern[str], Callable[[str], Any]]] = (
    (re.compile(r"|~|null|Null|NULL"), lambda text: None),
    (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    (re.compile(r"0x[0-9a-fA-F]{1,16}"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?[0-9]{1,20}"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)
"""What a plain scalar is, in this order; else it is text. YAML 1.2 §10.3.2, whole numbers up to 64 bits."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands, counted from 1."""

    line: int
    """Line of the file."""
    column: int
    """Column of the line."""


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """Something wrong in a file."""

    place: Place
    """Where."""
    text: str
    """What, and what to write instead."""


class ScenarioError(FileError):
    """A scenario file with mistakes; the message is one line for each, `file:line:column: what`."""

    def __init__(self, path: Path, mistakes: Sequence[Mistake]) -> None:
        self.path = path
        self.mistakes = tuple(sorted(set(mistakes)))
        lines = (f"{path}:{each.place.line}:{each.place.column}: {each.text}" for each in self.mistakes)
        super().__init__("\n".join(lines))


@dataclass(slots=True)
class Source:
    """A file as it was read."""

    path: Path
    """Where it is."""
    text: str
    """All of it."""
    data: Any = None
    """What it says, as plain lists and dicts."""
    places: dict[Path_, Place] = field(default_factory=dict)
    """Where each value begins; a value in a mapping begins with its key."""
    ends: dict[Path_, int] = field(default_factory=dict)
    """The line on which each value ends."""
    mistakes: list[Mistake] = field(default_factory=list)
    """What is wrong with the YAML itself."""

    def place(self, path: Path_) -> Place:
        """Where the value at a path is, or the nearest thing around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(1, 1))

    def lines(self, path: Path_) -> list[tuple[int, str]]:
        """Number and text of the lines of the value at a path."""
        first = self.place(path).line
        last = max(self.ends.get(path, first), first)
        lines = list(enumerate(self.text.splitlines(), 1))[first - 1 : last]
        while len(lines) > 1 and lines[-1][1].lstrip()[:1] in ("", "#"):
            lines.pop()
        return lines


def read_source(path: Path) -> Source:
    """Read a file.

    Raises:
        FileError: it cannot be read.
        ScenarioError: it is no YAML.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SIZE + 1)
        text = data.decode("utf-8")
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: not UTF-8 text (byte {error.start})") from error
    if len(data) > MAX_SIZE:
        raise FileError(f"{path}: is larger than {MAX_SIZE} bytes, which no scenario is")
    return parse_source(path, text)


def parse_source(path: Path, text: str) -> Source:
    """The same for a text that is there already; `path` is only named in mistakes.

    Raises:
        ScenarioError: it is no YAML.
    """
    from ruamel.yaml import YAML  # heavy, and only needed where scenarios are read
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    source = Source(path, text)
    try:
        node = YAML(pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)
        what = " ".join(filter(None, (error.context, error.problem)))
        raise ScenarioError(path, [Mistake(place, f"not YAML: {what}")]) from error
    except YAMLError as error:
        what = " ".join(str(error).split())
        raise ScenarioError(path, [Mistake(Place(1, 1), f"not YAML: {what}")]) from error
    except RecursionError as error:
        raise ScenarioError(path, [Mistake(Place(1, 1), "nested too deeply")]) from error
    if node is not None:
        source.data = _read(node, (), source)
    return source


def _read(node: Any, path: Path_, source: Source) -> Any:
    place = Place(node.start_mark.line + 1, node.start_mark.column + 1)
    source.places.setdefault(path, place)
    if len(source.places) > MAX_VALUES:
        raise ScenarioError(source.path, [Mistake(place, f"more than {MAX_VALUES} values up to here")])
    if len(path) > MAX_DEPTH:  # an alias of something around it, most likely
        source.mistakes.append(Mistake(place, "nested too deeply"))
        return None
    data = _value(node, path, place, source)
    keys: Iterable[Key] = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    inside = [source.ends[(*path, key)] for key in keys if (*path, key) in source.ends]
    # A block collection ends where the next thing begins, which is further than it looks.
    block = node.id != "scalar" and not node.flow_style
    source.ends[path] = max(inside, default=place.line) if block else _end(node)
    return data


def _end(node: Any) -> int:
    mark = node.end_mark
    return int(mark.line + 1 if mark.column or mark.line == node.start_mark.line else mark.line)


def _value(node: Any, path: Path_, place: Place, source: Source) -> Any:
    if node.id == "scalar":
        if TEXT_KEYS.isdisjoint(path):
            return _scalar(node, place, source)
        return _text(node) if node.value or node.style else None
    if node.id == "sequence":
        return [_read(item, (*path, index), source) for index, item in enumerate(node.value)]
    return _mapping(node, path, source)


def _mapping(node: Any, path: Path_, source: Source) -> dict[Key, Any]:
    result: dict[Key, Any] = {}
    for key_node, value_node in node.value:
        place = Place(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        key = _scalar(key_node, place, source) if key_node.id == "scalar" else None
        if isinstance(key, bool) or not isinstance(key, str | int):
            source.mistakes.append(Mistake(place, "a key is a word or a number"))
            continue
        if key in result:
            source.mistakes.append(Mistake(place, f"{key} is there twice"))
            continue
        source.places[(*path, key)] = place
        result[key] = _read(value_node, (*path, key), source)
    return result


def _text(node: Any) -> str:
    text = str(node.value)
    return text.replace("\a", "") if node.style == ">" else text  # ruamel marks with BEL where lines were folded


def _scalar(node: Any, place: Place, source: Source) -> Any:
    text = _text(node)
    if node.style in ("'", '"', "|", ">"):
        return text
    if _LEADING_ZERO.fullmatch(text):
        source.mistakes.append(
            Mistake(place, f"{text} is read as the decimal number {int(text)}; write 0x{text} or, for text, '{text}'")
        )
        return int(text)
    return next((convert(text) for pattern, convert in _SCALARS if pattern.fullmatch(text)), text)
