"""What may be meant by the end of a line: a pure function of the text, the commands, and what the prompt knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from dicomsim.repl.command import IGNORE, Command, Parameter, Place, Registry
from dicomsim.repl.form import Knowledge, Offer, Typed
from dicomsim.repl.line import Part, Word, quoted, read_line

MAX_OFFERS = 200
"""Offers that are listed; who sees that many types on."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One completion: the line from `start` to its end becomes `text`."""

    text: str
    """What to write, quoted if it must be."""
    start: int
    """Offset in the line from which it replaces."""
    shown: str
    """What to list."""
    help: str
    """What it is, in a few words."""


@dataclass(frozen=True, slots=True)
class _Gap:
    """What an offer fills: part of the end of the line."""

    typed: str
    """What is typed of it, without quotes."""
    start: int
    """Offset in the line where it begins, the quote included."""
    offers: Iterable[Offer]
    """What may be meant."""
    raw: bool = False
    """Whether offers are written as they stand, and may replace less."""


def complete(line: str, registry: Registry, knowledge: Knowledge) -> list[Suggestion]:
    """How a line may go on: what begins with what is typed, or if there is nothing, what has it in it."""
    part = read_line(line)[-1]
    if part.commented:
        return []
    gaps = list(_gaps(line, part, registry, knowledge))
    found = [one for gap in gaps for one in _fitting(line, gap, _begins)]
    return (found or [one for gap in gaps for one in _fitting(line, gap, _contains)])[:MAX_OFFERS]


def _begins(text: str, typed: str) -> bool:
    return text.startswith(typed)


def _contains(text: str, typed: str) -> bool:
    return len(typed) > 1 and typed in text


def _fitting(line: str, gap: _Gap, fits: Callable[[str, str], bool]) -> Iterator[Suggestion]:
    for offer in gap.offers:
        whole = offer.back < 0
        typed = gap.typed if whole else gap.typed[len(gap.typed) - offer.back :]
        if fits(offer.text.casefold(), typed.casefold()):
            text = offer.text if gap.raw else quoted(offer.text, whole=not offer.text.endswith("/"))
            yield Suggestion(text, gap.start if whole else len(line) - offer.back, offer.text, offer.help)


def _gaps(line: str, part: Part, registry: Registry, knowledge: Knowledge) -> Iterator[_Gap]:
    words, word = part.words, Word("", len(line), len(line))
    if words and words[-1].end == len(line):
        words, word = words[:-1], words[-1]
    names = [one.text for one in words]
    if not names:
        dash = word.text.startswith(IGNORE)
        offers = [Offer(name, says) for name, says in registry.first_words().items()]
        yield _Gap(word.text[dash:], word.start + dash, offers)
        return
    names[0] = names[0].removeprefix(IGNORE)
    if len(names) == 1:
        members = registry.members(names[0])
        yield _Gap(word.text, word.start, [Offer(name, one.summary) for name, one in members.items()])
    found = registry.find(names)
    if found is not None:
        command, skip = found
        if command.parameters and command.parameters[0].form.rest:
            yield from _rest(line, part, skip, command.parameters[0], knowledge)
        else:
            yield from _argument(words[skip:], word, command, knowledge)


def _rest(line: str, part: Part, skip: int, parameter: Parameter, knowledge: Knowledge) -> Iterator[_Gap]:
    """An argument that takes the rest of the command, in quotes or not."""
    text, start = "", len(line)
    if len(part.words) > skip:
        first = part.words[skip]
        quotes = line[first.start] in "'\""
        if quotes and not first.open_quote:
            return  # it is complete
        start = first.start + quotes
        text = line[start:]
    yield _Gap(text, start, tuple(parameter.form.offers(knowledge, Typed(text))), raw=True)


def _argument(words: tuple[Word, ...], word: Word, command: Command, knowledge: Knowledge) -> Iterator[_Gap]:
    before = tuple(one.text for one in words)
    by_name = command.parameter(word.key) if word.key else None
    if word.key and (by_name is not None or command.keys is not None):
        form = (by_name or command.keys).form  # type: ignore[union-attr]  # one of them is there
        typed = Typed(word.value, before, word.key)
        yield _Gap(word.value, word.start + word.equals + 1, tuple(form.offers(knowledge, typed)))
        return
    named = [found.name for one in words if one.key and (found := command.parameter(one.key))]
    given = sum(not one.key or (command.parameter(one.key) is None and command.keys is None) for one in words)
    typed = Typed(word.text, before)
    parameter = command.by_place(given, named)
    if parameter is not None:
        yield _Gap(word.text, word.start, tuple(parameter.form.offers(knowledge, typed)))
    if command.keys is not None:
        yield _Gap(word.text, word.start, tuple(command.keys.form.offers(knowledge, typed)))
    names = [Offer(f"{one.name}=", one.help) for one in command.parameters if one.place is Place.NAME]
    yield _Gap(word.text, word.start, [offer for offer in names if offer.text[:-1] not in named])
