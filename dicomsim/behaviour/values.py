"""Kinds of values in rules: each reads what a person writes, text or number, into one plain canonical form.

Everything canonical is plain data (text, numbers, lists, dicts), and reading it again gives the same; so rules compare,
print and travel as JSON. `make` turns the canonical value into what a rule works with while it runs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from random import Random
from typing import Any

from dicomsim.errors import DicomsimError, ExitCode


class RuleError(DicomsimError):
    """A rule that cannot be understood; the message says which word, and what may have been meant."""

    exit_code = ExitCode.USAGE

    def __init__(self, reason: str, *where: str | int, column: int = 0, value: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        """What is wrong, in words."""
        self.where = where
        """Keys and indices that lead to the offending value of the mapping form."""
        self.column = column
        """Column of the offending word in the one-line form, from 1; 0 if not known."""
        self.value = value
        """Whether what stands under the last key is at fault, not the key itself."""

    def within(self, *where: str | int) -> RuleError:
        """The same fault, seen from further out."""
        return RuleError(self.reason, *where, *self.where, column=self.column, value=self.value)


def suggest(word: str, known: Iterable[str]) -> str:
    """`, did you mean …?` with the nearest known word, or nothing."""
    names = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), names, 1, 0.6)
    return f", did you mean {names[near[0]]}?" if near else ""


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value: what it looks like, and how it is read."""

    form: str
    """What to write, for help texts."""
    read: Callable[[Any], Any]
    """To the canonical form; raises RuleError."""
    make: Callable[[Any], Any] = _same
    """From the canonical form to what is used while a rule runs."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema of what may be written; any text or number if None."""
    words: Callable[[], Iterable[str]] = tuple
    """Words to offer for completion."""
    mapping: bool = False
    """Whether a mapping can be read."""


def number_text(number: float) -> str:
    """A number as short as it reads back."""
    return str(_short(number))


def shown(value: object) -> str:
    """A value in an error message, short and on one line."""
    text = value if isinstance(value, str) else repr(value)
    return f'"{text}"' if len(text) <= 60 else f'"{text[:57]}..."'


def read_integer(value: Any) -> int:
    """Read a whole number, decimal or with 0x; of any sign."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        text = value.strip()
        try:
            return int(text, 16) if text.lower().startswith("0x") else int(text)
        except ValueError:
            pass
    raise RuleError(f"{shown(value)} is no whole number")


def integer(low: int, high: int | None = None) -> Kind:
    """Whole numbers in a range."""

    def read(value: Any) -> int:
        number = read_integer(value)
        if number < low or (high is not None and number > high):
            limits = f"{low} or more" if high is None else f"{low} to {high}"
            raise RuleError(f"{number} is out of range: {limits}")
        return number

    schema = {"type": ["integer", "string"], "minimum": low} | ({} if high is None else {"maximum": high})
    return Kind(f"{low}…{'' if high is None else high}", read, schema=schema)


def read_number(value: Any) -> float:
    """Read a finite number."""
    try:
        number = value if isinstance(value, bool) else float(value)
    except (ValueError, TypeError, OverflowError):
        raise RuleError(f"{shown(value)} is no number") from None
    if isinstance(number, bool) or not math.isfinite(number):
        raise RuleError(f"{shown(value)} is no number")
    return _short(number)


def _short(number: float) -> float:
    return int(number) if abs(number) < 1e15 and number == int(number) else number


_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?P<number>[0-9.eE+-]*[0-9.])\s*(?P<unit>[a-z]*)")


def read_seconds(value: Any) -> float:
    """Read a time: seconds, or with a unit of ms, s, min or h."""
    unit = ""
    number = value
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        number, unit = match["number"], match["unit"]
        if unit not in _UNITS:
            raise RuleError(f"{shown(value)} has no unit of time; there are ms, s, min and h")
    seconds = read_number(number)
    if seconds < 0:
        raise RuleError(f"{shown(value)} is a time before now")
    return _short(seconds * _UNITS[unit]) if unit else seconds


def read_probability(value: Any) -> float:
    """Read a number from 0 to 1."""
    number = read_number(value)
    if not 0 <= number <= 1:
        raise RuleError(f"{shown(value)} is no probability: 0 to 1")
    return number


def read_text(value: Any) -> str:
    """Read text; numbers are taken as they print."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    raise RuleError(f"{shown(value)} is no text")


FEW = 6
"""Words that a help text lists; of more it names the first and the last."""


def word(*choices: str) -> Kind:
    """One of a few words, in any case."""
    known = {choice.casefold(): choice for choice in choices}

    def read(value: Any) -> str:
        text = read_text(value)
        if text.casefold() not in known:
            raise RuleError(f"{shown(value)} is none of {', '.join(choices)}{suggest(text, choices)}")
        return known[text.casefold()]

    form = " | ".join(choices) if len(choices) <= FEW else f"{choices[0]} … {choices[-1]}"
    return Kind(form, read, schema={"enum": list(choices)}, words=lambda: choices)


def read_list(value: Any, read: Callable[[Any], Any]) -> Any:
    """Read one value or a list of them; a list of one is that one."""
    if not isinstance(value, list | tuple):
        return read(value)
    if not value:
        raise RuleError("the list is empty")
    values = [read(item) for item in value]
    return values[0] if len(values) == 1 else values


def many(value: Any) -> tuple[Any, ...]:
    """The values of what `read_list` has read."""
    return tuple(value) if isinstance(value, list) else (value,)


def list_of(kind: Kind) -> Kind:
    """One value, or a list of alternatives."""
    schema = None
    if kind.schema is not None:
        schema = {"anyOf": [kind.schema, {"type": "array", "items": kind.schema, "minItems": 1}]}
    return Kind(
        f"{kind.form}, or a list",
        lambda value: read_list(value, kind.read),
        lambda value: tuple(map(kind.make, many(value))),
        schema,
        kind.words,
    )


@dataclass(frozen=True, slots=True)
class Ranges:
    """Numbers and ranges of them, ends included."""

    bounds: tuple[tuple[float, float], ...]
    """Lowest and highest value of each range."""

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and any(low <= value <= high for low, high in self.bounds)


def _read_range(value: Any) -> str:
    if not isinstance(value, str) or ".." not in value:
        return number_text(read_number(read_integer(value) if _is_hex(value) else value))
    low, _, high = value.partition("..")
    ends = [read_number(read_integer(end) if _is_hex(end) else end) if end.strip() else None for end in (low, high)]
    if ends[0] is None and ends[1] is None:
        raise RuleError(f"{shown(value)} has neither end")
    if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
        raise RuleError(f"{shown(value)} is empty: the first end is the higher one")
    return "..".join("" if end is None else number_text(end) for end in ends)


def _is_hex(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower().startswith("0x")


def _bounds(text: str) -> tuple[float, float]:
    low, dots, high = text.partition("..")
    if not dots:
        return float(low), float(low)
    return float(low) if low else -math.inf, float(high) if high else math.inf


def _read_ranges(value: Any) -> Any:
    if isinstance(value, str) and "," in value:
        value = [part.strip() for part in value.split(",")]
    return read_list(value, _read_range)


RANGES = Kind(
    "3, 2..5, 3.., or a list",
    _read_ranges,
    lambda value: Ranges(tuple(map(_bounds, many(value)))),
)


def _read_from(value: Any) -> Any:
    """A single time means that one or later: nothing happens at an exact time."""
    if isinstance(value, str) and ".." in value:
        return _read_range(value)
    return f"{number_text(read_seconds(value))}.."


ELAPSED = Kind("seconds or later, 2..5", _read_from, lambda value: Ranges((_bounds(value),)))
INTEGER = Kind("whole number", read_integer, schema={"type": ["integer", "string"]})
BYTE = integer(0, 255)
COUNT = integer(1)
SIZE = integer(0)
SECONDS = Kind("seconds, 500ms, 2min", read_seconds, schema={"type": ["number", "string"]})
PROBABILITY = Kind("0 to 1", read_probability, schema={"type": ["number", "string"]})
TEXT = Kind("text", read_text, schema={"type": ["string", "number"]})


DRAWS: Mapping[str, tuple[int, Callable[..., float]]] = {
    "uniform": (2, lambda random, low, high: random.uniform(low, high)),
    "normal": (2, lambda random, mean, deviation: random.gauss(mean, deviation)),
    "exponential": (1, lambda random, mean: random.expovariate(1 / mean) if mean else 0.0),
    "pareto": (2, lambda random, shape, least: least * random.paretovariate(shape)),
}
"""Distributions of a delay: how many parameters each has, and one draw. Parameters are seconds, but for a shape."""

_CALL = re.compile(r"(\w+)\s*\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Delay:
    """A delay: constant, a list used in turn, or drawn."""

    values: tuple[float, ...]
    """The constants, or the distribution's parameters."""
    draw: str = ""
    """Name of the distribution; empty for constants."""

    def seconds(self, turn: int, random: Random) -> float:
        """The delay of the `turn`-th time, from 0; never below 0, never beyond a day."""
        if not self.draw:
            return self.values[turn % len(self.values)]
        try:
            drawn = DRAWS[self.draw][1](random, *self.values)
        except OverflowError:  # a Pareto draw may be anything
            drawn = _LONGEST
        return min(max(drawn, 0.0), _LONGEST)


_LONGEST = 86400.0


def _read_draw(name: str, parameters: Sequence[Any]) -> str:
    if name not in DRAWS:
        raise RuleError(f"{shown(name)} is no distribution{suggest(name, DRAWS)}")
    count = DRAWS[name][0]
    if len(parameters) != count:
        raise RuleError(f"{name} takes {count} number{'s' * (count > 1)}, not {len(parameters)}")
    numbers = [read_seconds(parameter) for parameter in parameters]
    if name == "pareto" and not numbers[0]:
        raise RuleError("the shape of a pareto distribution is above 0")
    return f"{name}({','.join(map(number_text, numbers))})"


def _read_delay(value: Any) -> Any:
    if isinstance(value, Mapping):
        if len(value) != 1:
            raise RuleError("a distribution has one name and its parameters")
        name, parameters = next(iter(value.items()))
        return _read_draw(name, parameters if isinstance(parameters, list | tuple) else (parameters,))
    if isinstance(value, str) and (match := _CALL.fullmatch(value.strip())):
        return _read_draw(match[1], [part.strip() for part in match[2].split(",")])
    return read_list(value, read_seconds)


def _make_delay(value: Any) -> Delay:
    if isinstance(value, str) and (match := _CALL.fullmatch(value)):
        return Delay(tuple(map(float, match[2].split(","))), match[1])
    return Delay(many(value))


DELAY = Kind(
    "seconds, [1, 2, 5], uniform(1,3), normal(2,0.5), exponential(1), pareto(2,0.1)",
    _read_delay,
    _make_delay,
    mapping=True,
)
