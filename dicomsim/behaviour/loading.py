"""Rules from files, from text, and by the name of a profile.

A file is a YAML list whose items are rules in the mapping form, rules as one line, or `profile:…`. Its faults are
`FileError`s that begin with `file:line:column`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dicomsim.behaviour.profiles import PROFILES
from dicomsim.behaviour.rule import Rule, parse_rule, rule_of
from dicomsim.behaviour.values import RuleError, shown, suggest
from dicomsim.errors import FileError

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node

PROFILE = "profile:"
"""What stands before the name of a profile."""

LARGEST_FILE = 1 << 20
"""Bytes of a rule file; a capture or an image that is given by mistake is not read as YAML."""
MOST_VALUES = 100_000
"""Values of a rule file with its aliases written out, which a few lines can make billions of."""
_DEEPEST = 20


def load_rules(source: str | os.PathLike[str]) -> list[Rule]:
    """Read rules from a file, from text (one line, or a mapping or list as in a file), or from `profile:name`.

    Raises:
        RuleError: text that cannot be understood.
        FileError: a file that cannot be read, or what is in it.
    """
    if isinstance(source, str):
        text = source.strip()
        if text.startswith(PROFILE):
            return profile_rules(text[len(PROFILE) :])
        if text.startswith(("on ", "{", "[", "- ")):
            return [parse_rule(text)] if "\n" not in text and text[0] in "o{" else _read_yaml(source, "rules")
        if not os.path.exists(text):
            raise FileError(f"{shown(text)} is no file, no profile (profile:…), and no rule (on …: …){_hint(text)}")
    path = os.fspath(source)
    return _read_yaml(_text_of(path), path)


def _hint(text: str) -> str:
    return suggest(text, (PROFILE + name for name in PROFILES))


def profile_rules(name: str) -> list[Rule]:
    """The rules of a profile, named after it; raises RuleError if there is none of that name."""
    if name not in PROFILES:
        raise RuleError(f"no profile is called {shown(name)}{suggest(name, PROFILES)}")
    rules = [parse_rule(text) for text in PROFILES[name].rules]
    names = [name] if len(rules) == 1 else [f"{name}-{number}" for number in range(1, len(rules) + 1)]
    return [rule_of(rule.as_mapping() | {"name": given}) for rule, given in zip(rules, names, strict=True)]


def _text_of(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from error
    if len(data) > LARGEST_FILE:
        raise FileError(f"{path}: is larger than {LARGEST_FILE} bytes, which no list of rules is")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: is not text in UTF-8 (byte {error.start})") from None


def _read_yaml(text: str, path: str) -> list[Rule]:
    from ruamel.yaml import YAML  # takes longer to import than most commands run
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except ReaderError as error:
        before = text[: error.position]
        where = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
        raise FileError(f"{path}:{where}: this character has no place in text: {error.character!r}") from None
    except RecursionError:
        raise FileError(f"{path}: is nested too deep") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise FileError(f"{path}{where}: {error.problem or error.context}") from None
    if node is None:
        raise FileError(f"{path}:1:1: there is no rule in it")
    return rules_of_node(node, path)


def rules_of_node(node: Node, path: str) -> list[Rule]:
    """The rules of a YAML node: a list, or a single one; `FileError`s say where in the file of that path."""
    from ruamel.yaml.nodes import SequenceNode

    if _values_in(node, {}) > MOST_VALUES:
        raise _fault(path, node, f"has more than {MOST_VALUES} values when its aliases are written out")
    rules: list[Rule] = []
    names: dict[str, int] = {}
    items: Sequence[Node] = node.value if isinstance(node, SequenceNode) else _single(node)
    for item in items:
        for rule in _rules_of_item(item, path):
            if (
                rule.name is not None
                and names.setdefault(rule.name, item.start_mark.line + 1) != item.start_mark.line + 1
            ):
                raise _fault(
                    path, item, f"line {names[rule.name]} has a rule of that name, {shown(rule.name)}, already"
                )
            rules.append(rule)
    return rules


def _values_in(node: Node, known: dict[int, int]) -> int:
    """How many values a node has, those of its aliases included; one in itself, which has no end, counts as one."""
    from ruamel.yaml.nodes import MappingNode, ScalarNode

    if isinstance(node, ScalarNode) or id(node) in known:
        return known.get(id(node), 1)
    known[id(node)] = 1
    inside = [part for pair in node.value for part in pair] if isinstance(node, MappingNode) else node.value
    known[id(node)] = total = 1 + sum(_values_in(each, known) for each in inside)
    return total


def _single(node: Node) -> Sequence[Node]:
    """A mapping is one rule, or lines of the one-line form, which YAML takes for keys and values."""
    from ruamel.yaml.nodes import MappingNode

    if (
        isinstance(node, MappingNode)
        and len(node.value) > 1
        and all(key.value.startswith("on ") for key, _ in node.value)
    ):
        return [_pair(node, key, value) for key, value in node.value]
    return [node]


def _pair(node: MappingNode, key: Node, value: Node) -> Node:
    from ruamel.yaml.nodes import MappingNode

    return MappingNode(node.tag, [(key, value)], key.start_mark, value.end_mark)


def _rules_of_item(node: Node, path: str) -> list[Rule]:
    from ruamel.yaml.nodes import MappingNode, ScalarNode

    try:
        if isinstance(node, ScalarNode) and node.value.startswith(PROFILE):
            return profile_rules(node.value[len(PROFILE) :])
        if isinstance(node, MappingNode) and len(node.value) == 1 and str(node.value[0][0].value).startswith("on "):
            key, value = node.value[0]
            if not isinstance(value, ScalarNode):
                raise _fault(path, value, "behind the colon of a rule stand actions")
            return [_line_rule(f"{key.value}: {value.value}", key, value)]
        return [rule_of(plain(node, path))]
    except RuleError as fault:
        raise _fault(path, _node_at(node, fault.where, fault.value), fault.reason, fault.column) from None


def _line_rule(text: str, key: Node, value: Node) -> Rule:
    """A rule that YAML has split at its colon; the columns are those of the line if it was written in one."""
    try:
        return parse_rule(text)
    except RuleError as fault:
        length = len(key.value)
        if fault.column > length + 1:
            shift = value.start_mark.column - key.start_mark.column - (length + 2)
            raise RuleError(fault.reason, column=fault.column + shift) from None
        raise


def _fault(path: str, node: Node, reason: str, column: int = 0) -> FileError:
    mark = node.start_mark
    quoted = getattr(node, "style", None) in ("'", '"')
    return FileError(f"{path}:{mark.line + 1}:{mark.column + max(column, 1) + (quoted and column > 0)}: {reason}")


def _node_at(node: Node, where: Sequence[str | int], value: bool) -> Node:
    """The node that keys and indices lead to, or the last on the way; of a last key, the key itself or its value."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    for place, step in enumerate(where):
        if isinstance(node, MappingNode):
            found = next((pair for pair in node.value if pair[0].value == step), None)
            if found is None:
                continue
            node = found[0] if place == len(where) - 1 and not value else found[1]
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
    return node


def plain(node: Node, path: str, depth: int = 0) -> Any:
    """A YAML node as plain data in which every scalar is text, so that `0122` stays what was written."""
    from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

    if depth > _DEEPEST:
        raise _fault(path, node, "is nested too deep")
    if isinstance(node, ScalarNode):
        return None if str(node.tag).endswith(":null") and node.style is None else node.value
    if isinstance(node, SequenceNode):
        return [plain(item, path, depth + 1) for item in node.value]
    assert isinstance(node, MappingNode)  # there are three kinds of nodes
    result: dict[str, Any] = {}
    for key, value in node.value:
        name = plain(key, path, depth + 1)
        if not isinstance(name, str):
            raise _fault(path, key, "a key is text")
        if name in result:
            raise _fault(path, key, f"{shown(name)} is there twice")
        result[name] = plain(value, path, depth + 1)
    return result
