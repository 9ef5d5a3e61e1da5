"""The one-line form of a rule: `on C-STORE-RQ in nth=3: delay 2; answer status=A700`.

Between `on` and the colon stand the triggers: a PDU, a message, a state, a direction or a hop by its bare name, all
else as `key=value`; `times`, `after`, `probability`, `seed` and `name` stand there too. Behind the colon stand actions
with semicolons between them: a name, its first parameter bare, further ones as `key=value`. A value is a bare word, a
quoted text, a list `[a, b]` or a mapping `{a: b}`, as in YAML; all is read as text, for the kinds to interpret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from dicomsim.behaviour.kinds import COMMANDS, PDU_TYPES
from dicomsim.behaviour.occasion import Layer
from dicomsim.behaviour.values import RuleError, shown, suggest
from dicomsim.behaviour.vocabulary import ACTIONS, REST
from dicomsim.upper_layer.table import Action, Event, State

MAIN = ""
"""Key of the parameter that is given without its name."""

RULE_KEYS = tuple(REST)
"""What a rule has beside its condition and its actions."""

_BARE_WORDS: Mapping[str, Mapping[str, str]] = {
    "pdu": {name.casefold(): name for name in PDU_TYPES},
    "command": {name.casefold(): name for name in COMMANDS},
    "direction": {"in": "in", "out": "out"},
    "state": {state.value.casefold(): state.value for state in State},
    "event": {event.value.casefold(): event.value for event in Event},
    "action": {action.value.casefold(): action.value for action in Action},
    "at": {layer.value: layer.value for layer in Layer if layer is not Layer.STATE} | {"transition": Layer.STATE.value},
}
"""Triggers whose values may stand alone: key, then word to value."""

_SEVERAL = ("pdu", "command", "state", "event", "action")
"""Those that may stand there more than once, for alternatives."""

_DOUBLE = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SINGLE = re.compile(r"'(?:[^']|'')*'")
_KEY = re.compile(r"([\w.*,-]+)=")
_PAREN = r"\([^()]*\)"
_WHEN_WORD = re.compile(rf"(?:{_PAREN}|:(?=[^\s])|[^\s:;])+")
_DO_WORD = re.compile(rf"(?:{_PAREN}|[^\s;])+")
_FLOW_WORD = re.compile(rf"(?:{_PAREN}|:(?![\s,\]}}]|$)|[^,\[\]{{}}:])+")
_BLANKS = re.compile(r"\s*")


@dataclass(slots=True)
class Line:
    """A rule in its mapping form, with the columns at which its words stand."""

    mapping: dict[str, Any] = field(default_factory=dict)
    """`when`, `do` and the rest."""
    columns: dict[tuple[str | int, ...], int] = field(default_factory=dict)
    """Column, from 1, of what stands under some keys."""

    def column(self, where: tuple[str | int, ...]) -> int:
        """The column of the innermost word that is known."""
        for length in range(len(where), 0, -1):
            if where[:length] in self.columns:
                return self.columns[where[:length]]
        return 0


class Reader:
    """Reads values off a text, from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def fail(self, reason: str, position: int | None = None) -> RuleError:
        """An error at a place of the text."""
        return RuleError(reason, column=(self.position if position is None else position) + 1)

    def skip_blanks(self) -> None:
        """Go to what is no blank."""
        match = _BLANKS.match(self.text, self.position)
        self.position = match.end() if match else self.position

    def at(self, sign: str) -> bool:
        """Whether a sign stands here."""
        return self.text.startswith(sign, self.position)

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.position >= len(self.text)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Read what fits a pattern, or nothing."""
        match = pattern.match(self.text, self.position)
        if match:
            self.position = match.end()
        return match

    def value(self, bare: re.Pattern[str]) -> Any:
        """Read one value."""
        start = self.position
        if self.at('"') and (match := self.take(_DOUBLE)):
            try:
                return json.loads(match[0], strict=False)
            except ValueError:
                raise self.fail(f"{match[0]} is no quoted text", start) from None
        if self.at("'") and (match := self.take(_SINGLE)):
            return match[0][1:-1].replace("''", "'")
        if self.at("["):
            return self._list()
        if self.at("{"):
            return self._mapping()
        match = self.take(bare)
        if not match or self.text[start] in "\"'":
            raise self.fail("a quote is not closed" if match else "a value is missing", start)
        return match[0].strip()

    def _list(self) -> list[Any]:
        values: list[Any] = []
        self.position += 1
        while self._more("]"):
            values.append(self.value(_FLOW_WORD))
            self._comma("]")
        return values

    def _mapping(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        self.position += 1
        while self._more("}"):
            start = self.position
            key = self.value(_FLOW_WORD)
            if not isinstance(key, str):
                raise self.fail("a key is text", start)
            if key in values:
                raise self.fail(f"{shown(key)} is there twice", start)
            self.skip_blanks()
            if not self.at(":"):
                raise self.fail(f"a colon and a value are missing behind {shown(key)}")
            self.position += 1
            self.skip_blanks()
            values[key] = "" if self.at(",") or self.at("}") else self.value(_FLOW_WORD)
            self._comma("}")
        return values

    def _more(self, end: str) -> bool:
        self.skip_blanks()
        if self.at_end:
            raise self.fail(f'a "{end}" is missing')
        if self.at(end):
            self.position += 1
            return False
        return True

    def _comma(self, end: str) -> None:
        self.skip_blanks()
        if self.at(","):
            self.position += 1
        elif not self.at(end):
            raise self.fail(f'a comma or a "{end}" is missing')


def read_flow(text: str) -> Any:
    """Read one mapping or list in braces or brackets, with nothing behind it."""
    reader = Reader(text)
    reader.skip_blanks()
    value = reader.value(_FLOW_WORD)
    reader.skip_blanks()
    if not reader.at_end:
        raise reader.fail(f"{shown(text[reader.position :])} is too much")
    return value


def read_line(text: str) -> Line:
    """Read the one-line form into the mapping form; names and values are not looked up yet."""
    reader = Reader(text)
    reader.skip_blanks()
    if not reader.take(re.compile(r"on(?=\s)")):
        raise reader.fail('a rule begins with "on", or is a mapping in braces')
    line = Line()
    when: dict[str, Any] = {}
    while True:
        reader.skip_blanks()
        if reader.at_end:
            raise reader.fail("a colon and an action are missing")
        if reader.at(":"):
            reader.position += 1
            break
        _read_condition(reader, line, when)
    line.mapping["when"] = when
    line.mapping["do"] = [{name: given} for name, given in _read_actions(reader, line.columns, ("do",))]
    return line


def _read_condition(reader: Reader, line: Line, when: dict[str, Any]) -> None:
    start = reader.position
    if reader.take(re.compile(";")):
        raise reader.fail("a colon and an action are missing", start)
    if match := reader.take(_KEY):
        key, value = match[1], reader.value(_WHEN_WORD)
    else:
        word = reader.value(_WHEN_WORD)
        key, value = _bare(reader, word, start)
        if key in when and key in _SEVERAL:
            present = when[key]
            when[key] = [*present, value] if isinstance(present, list) else [present, value]
            return
    target = line.mapping if key in RULE_KEYS else when
    if key in target:
        raise reader.fail(f"{key} is there twice", start)
    target[key] = value
    line.columns[(key,) if key in RULE_KEYS else ("when", key)] = start + 1


def _bare(reader: Reader, word: Any, start: int) -> tuple[str, str]:
    if isinstance(word, str):
        for key, words in _BARE_WORDS.items():
            if word.casefold() in words:
                return key, words[word.casefold()]
        if "*" in word and any(fnmatchcase(name, word.upper()) for name in COMMANDS):
            return "command", word.upper()
    if isinstance(word, str) and word.casefold() in ACTIONS:
        raise reader.fail(f"a colon is missing before the action {word}", start)
    if ":" not in reader.text and any(name in reader.text.casefold().split() for name in ACTIONS):
        raise reader.fail("a colon is missing before the actions", start)
    known = [name for words in _BARE_WORDS.values() for name in words.values()]
    raise reader.fail(f"{shown(word)} is no PDU, message, state, direction or hop{suggest(str(word), known)}", start)


def read_actions(text: str) -> list[dict[str, Any]]:
    """Read actions alone, as they stand behind the colon."""
    return [{name: given} for name, given in _read_actions(Reader(text), {}, ())]


def _read_actions(
    reader: Reader, columns: dict[tuple[str | int, ...], int], where: tuple[str | int, ...]
) -> list[tuple[str, dict[str, Any]]]:
    actions: list[tuple[str, dict[str, Any]]] = []
    while True:
        reader.skip_blanks()
        start = reader.position
        name = None if reader.at_end or reader.at(";") else reader.value(_DO_WORD)
        if not isinstance(name, str):
            raise reader.fail("an action is missing", start)
        place = (*where, len(actions), name)
        columns[place] = start + 1
        actions.append((name, _read_given(reader, columns, place)))
        if reader.at_end:
            return actions
        reader.position += 1


def _read_given(
    reader: Reader, columns: dict[tuple[str | int, ...], int], where: tuple[str | int, ...]
) -> dict[str, Any]:
    """The parameters of one action, up to the semicolon; bare words in a row are one value."""
    given: dict[str, Any] = {}
    reader.skip_blanks()
    while not reader.at_end and not reader.at(";"):
        start = reader.position
        match = reader.take(_KEY)
        key = match[1] if match else MAIN
        value = reader.value(_DO_WORD)
        columns.setdefault((*where, key), start + 1)
        if not match and isinstance(given.get(MAIN), str) and isinstance(value, str):
            value = f"{given.pop(MAIN)} {value}"
        if key in given:
            raise reader.fail(f"{key or 'the value'} is there twice", start)
        given[key] = value
        reader.skip_blanks()
    return given


_SAFE = re.compile(r"[\w.*/+@%-](?:[\w.*/+@%:-]*[\w.*/+@%-])?|\w+\([\w.,-]*\)")
_SAFE_IN_FLOW = re.compile(r"[\w./+-](?:[\w.*/+@%:-]*[\w.*/+@%-])?")


def write_value(value: Any, in_flow: bool = False) -> str:
    """A value as it reads back: bare if that is safe, else quoted; lists and mappings in brackets and braces."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{write_value(k, True)}: {write_value(v, True)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(write_value(item, True) for item in value) + "]"
    text = value if isinstance(value, str) else str(value)
    if (_SAFE_IN_FLOW if in_flow else _SAFE).fullmatch(text):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def write_main(value: Any) -> str:
    """The value of a first parameter: words in a row stay bare if each is safe."""
    if isinstance(value, str) and all(_SAFE.fullmatch(word) for word in value.split(" ")):
        return value
    return write_value(value)


def write_words(when: Mapping[str, Any]) -> list[str]:
    """A condition in the words of the one-line form."""
    words: list[str] = []
    for key, value in when.items():
        values = value if isinstance(value, list) else [value]
        bare = _BARE_WORDS.get(key, {})
        if all(isinstance(item, str) and bare.get(item.casefold()) == item for item in values):
            words += values
        else:
            words.append(f"{key}={write_value(value)}")
    return words
