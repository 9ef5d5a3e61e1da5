"""Forms of arguments: how one is written, read and completed. Commands name them in their signatures.

Reading raises `ValueError` with what is wrong. Completing is a pure function of what is typed and of `Knowledge`: what
the prompt knows at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dicomsim.behaviour.values import suggest


@dataclass(frozen=True, slots=True)
class Offer:
    """One way in which a word may go on."""

    text: str
    """What to write in the place of what is typed."""
    help: str = ""
    """What it is, in a few words."""
    back: int = -1
    """How many characters before the cursor it replaces; -1 for all that is typed of the argument."""


def _nothing_there(folder: str) -> Iterable[tuple[str, bool]]:
    return ()


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the prompt knows that may be wanted as a word."""

    commands: Mapping[str, str] = field(default_factory=dict)
    """Every command's summary, by name."""
    peers: tuple[str, ...] = ()
    """Peers that were called, in this session or an earlier one, latest first."""
    acceptor: str = ""
    """The embedded acceptor's address as a peer, if it runs."""
    rules: tuple[tuple[str, str, bool], ...] = ()
    """Name, one-line form, and whether it is on, of each rule."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Each setting's present value, by name."""
    folder: Callable[[str], Iterable[tuple[str, bool]]] = _nothing_there
    """The names in a folder, each with whether it is a folder; nothing if it cannot be read."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands before the cursor."""

    prefix: str
    """The part of the present word, or all of it that is to be completed."""
    before: tuple[str, ...] = ()
    """The arguments before it."""
    key: str = ""
    """The key of `key=` before the prefix, where a command takes any key."""


def _offers_nothing(knowledge: Knowledge, typed: Typed) -> Iterable[Offer]:
    return ()


@dataclass(frozen=True, slots=True)
class Form:
    """One form of argument."""

    name: str
    """What stands for it in a usage line: `SECONDS`."""
    read: Callable[[str], Any]
    """From text to the value; raises ValueError."""
    offers: Callable[[Knowledge, Typed], Iterable[Offer]] = _offers_nothing
    """What may be meant; whoever asks keeps those that fit what is typed."""
    rest: bool = False
    """Whether it takes everything up to the end of the command, blanks and quotes as they stand."""


def choice(name: str, words: Mapping[str, str]) -> Form:
    """One of a few words, each with its help."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text!r} is none of {', '.join(words)}{suggest(text, words)}")
        return text

    return Form(name, read, lambda knowledge, typed: (Offer(word, says) for word, says in words.items()))


def number(name: str, low: int, high: int) -> Form:
    """A whole number in a range, decimal or with 0x."""

    def read(text: str) -> int:
        try:
            value = int(text, 0)
        except ValueError:
            raise ValueError(f"{text!r} is no whole number") from None
        if not low <= value <= high:
            raise ValueError(f"{text} is out of range: {low} to {high}")
        return value

    return Form(name, read)
