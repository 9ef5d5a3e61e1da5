"""Matchers: how a value in an `expect` is compared with what came.

    reason: 2                       equality; text too
    reason: [0, 2]                  one of these, each a matcher
    maximum_length: {from: 1, to: 16384}      a range, either end may be missing
    implementation_version_name: {regex: "^OFFIS"}
    reason: {not: 3}                anything but
    called: any                     anything at all, as long as it is there
    role: null                      not there

A status is also written as in the standard (`"A7xx"`, `"0122"`) or by its class (`success`, `warning`, `failure`,
`pending`, `cancel`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from dicomsim.status import StatusClass as Class
from dicomsim.status import status_class

Scalar = str | int | float | bool | None


class Matcher(Protocol):
    """Says whether a value fits, and what would."""

    def matches(self, value: object) -> bool:
        """Whether the value fits."""
        ...

    def __str__(self) -> str:
        """What fits, in words."""
        ...


@dataclass(frozen=True, slots=True)
class Equal:
    """The value itself."""

    value: Scalar
    """What it has to be; None means that it must not be there."""

    def matches(self, value: object) -> bool:
        """Equality; a bool is not the number that it counts as."""
        return value == self.value and isinstance(value, bool) == isinstance(self.value, bool)

    def __str__(self) -> str:
        return "nothing" if self.value is None else str(self.value)


@dataclass(frozen=True, slots=True)
class AnyValue:
    """Anything that is there."""

    def matches(self, value: object) -> bool:
        """Whether there is a value."""
        return value is not None

    def __str__(self) -> str:
        return "any"


@dataclass(frozen=True, slots=True)
class OneOf:
    """Any of several."""

    matchers: tuple[Matcher, ...]
    """The alternatives, best first."""

    def matches(self, value: object) -> bool:
        """Whether one of them fits."""
        return any(matcher.matches(value) for matcher in self.matchers)

    def __str__(self) -> str:
        return " or ".join(map(str, self.matchers))


@dataclass(frozen=True, slots=True)
class Not:
    """Anything but."""

    matcher: Matcher
    """What it must not be."""

    def matches(self, value: object) -> bool:
        """Whether there is a value that does not fit."""
        return value is not None and not self.matcher.matches(value)

    def __str__(self) -> str:
        return f"not {self.matcher}"


@dataclass(frozen=True, slots=True)
class Range:
    """A number between two others, both included."""

    low: float | None
    """Lower end."""
    high: float | None
    """Upper end."""

    def matches(self, value: object) -> bool:
        """Whether the number lies between."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        if self.low is None:
            return f"at most {self.high:g}"
        return f"at least {self.low:g}" if self.high is None else f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Regex:
    """Text in which a regular expression is found."""

    pattern: re.Pattern[str]
    """The expression."""

    def matches(self, value: object) -> bool:
        """Whether it is found."""
        return isinstance(value, str) and self.pattern.search(value) is not None

    def __str__(self) -> str:
        return f"/{self.pattern.pattern}/"


@dataclass(frozen=True, slots=True)
class StatusPattern:
    """Statuses as the standard writes them: `A7xx`."""

    pattern: str
    """Four digits or x."""

    def matches(self, value: object) -> bool:
        """Whether each digit that is not x is the same."""
        if not isinstance(value, int):
            return False
        return all(wanted in ("x", digit) for wanted, digit in zip(self.pattern, f"{value:04X}", strict=False))

    def __str__(self) -> str:
        return self.pattern


@dataclass(frozen=True, slots=True)
class StatusClass:
    """All statuses of a class, PS3.7 Annex C."""

    name: str
    """success, warning, failure, cancel or pending."""

    def matches(self, value: object) -> bool:
        """Whether the status is of that class."""
        return isinstance(value, int) and status_class(value).lower() == self.name

    def __str__(self) -> str:
        return self.name


STATUS_CLASSES = tuple(kind.value.lower() for kind in Class if kind is not Class.UNKNOWN)
"""How a scenario names the classes. PS3.7 Annex C."""

KINDS: dict[frozenset[str], str] = {
    frozenset(("from",)): "range",
    frozenset(("to",)): "range",
    frozenset(("from", "to")): "range",
    frozenset(("regex",)): "regex",
    frozenset(("not",)): "not",
}
"""The keys of a matcher that is written as a mapping."""


class MatcherError(ValueError):
    """A matcher that makes no sense; says why."""


def matcher(written: object, scalar: Callable[[Scalar], Matcher] = Equal) -> Matcher:
    """The matcher that a scenario has written down; `scalar` makes those of single values.

    Raises:
        MatcherError: it is not one.
    """
    if isinstance(written, dict):
        return _from_mapping(written, scalar)
    if isinstance(written, list | tuple):
        if not written:
            raise MatcherError("an empty list fits nothing")
        return OneOf(tuple(matcher(item, scalar) for item in written))
    if written == "any":
        return AnyValue()
    if written is None or isinstance(written, str | int | float | bool):
        return Equal(None) if written is None else scalar(written)
    raise MatcherError(f"a value of type {type(written).__name__} cannot be compared")


def status_matcher(written: object) -> Matcher:
    """A matcher for a status, which may also be `A7xx` or a class.

    Raises:
        MatcherError: it is not one.
    """
    return matcher(written, _status)


def _status(written: Scalar) -> Matcher:
    if isinstance(written, str):
        if written in STATUS_CLASSES:
            return StatusClass(written)
        if re.fullmatch("[0-9A-Fx]{4}", written):
            return StatusPattern(written)
        raise MatcherError(f"{written!r} is no status: four hexadecimal digits or x, or {', '.join(STATUS_CLASSES)}")
    if isinstance(written, bool) or not isinstance(written, int):
        raise MatcherError(f"{written!r} is no status")
    return StatusPattern(f"{written:04X}")


def _from_mapping(written: dict[object, object], scalar: Callable[[Scalar], Matcher]) -> Matcher:
    kind = KINDS.get(frozenset(map(str, written)))
    if kind == "range":
        return Range(_number(written.get("from")), _number(written.get("to")))
    if kind == "regex":
        try:
            return Regex(re.compile(str(written["regex"])))
        except re.error as error:
            raise MatcherError(f"{written['regex']!r} is no regular expression: {error}") from error
    if kind == "not":
        return Not(matcher(written["not"], scalar))
    known = ", ".join(sorted({key for keys in KINDS for key in keys}))
    raise MatcherError(f"a matcher has {known}; this one has {', '.join(map(str, written))}")


def _number(written: object) -> float | None:
    if written is None:
        return None
    if isinstance(written, bool) or not isinstance(written, int | float):
        raise MatcherError(f"the end of a range is a number, not {written!r}")
    return written


def matches_pattern(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern with `*` and `?`, without regard to case."""
    return fnmatchcase(text.lower(), pattern.lower())
