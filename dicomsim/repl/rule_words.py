"""What may come next in a rule of the one-line form: a pure function of the text before the cursor.

The words are those of `dicomsim.behaviour`: triggers, actions and their parameters are completed from the tables from
which rules are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dicomsim.behaviour import ACTIONS, PROFILES, TRIGGERS
from dicomsim.behaviour.action import Action, Parameter
from dicomsim.behaviour.loading import PROFILE
from dicomsim.behaviour.vocabulary import REST
from dicomsim.repl.form import Offer
from dicomsim.wire.command import TAGS

BEGIN = "on"
_BARE = ("pdu", "command", "direction", "state", "event", "action", "at")
"""Triggers whose values may stand without the key."""
_BEGUN = re.compile(rf"\s*{BEGIN}\s")
_LAST = re.compile(r"[^\s;]*$")
_LAST_VALUE = re.compile(r"[^\s;\[\]{},]*$")
_COLON = re.compile(r":(?=\s|$)")


def whole_rule(text: str) -> str:
    """What is typed as a rule, with the `on` at its beginning that may be left out."""
    if _BEGUN.match(text) or text.startswith(("{", "[", PROFILE)) or not _split(text)[1]:
        return text
    return f"{BEGIN} {text}"


def rule_offers(text: str) -> list[Offer]:
    """How a rule may go on; each offer says how much of the text it replaces."""
    condition, colon, actions = _split(text)
    if colon:
        return list(_action_offers(actions))
    offers = list(_condition_offers(condition))
    return offers if _BEGUN.match(text) or " " in text else [*_beginnings(text), *offers]


def _beginnings(text: str) -> list[Offer]:
    profiles = [Offer(PROFILE + name, profile.help, len(text)) for name, profile in PROFILES.items()]
    return [Offer(BEGIN, "a rule: on WHEN: DO", len(text)), *profiles]


def _split(text: str) -> tuple[str, str, str]:
    """What stands before the colon that no bracket holds, the colon, and what stands behind it."""
    depth, quote = 0, ""
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "[{(":
            depth += 1
        elif sign in "]})":
            depth -= 1
        elif depth <= 0 and _COLON.match(text, place):
            return text[:place], ":", text[place + 1 :]
    return text, "", ""


def _words(words: Iterable[str], back: int, says: str = "") -> Iterator[Offer]:
    return (Offer(word, says, back) for word in words)


def _condition_offers(text: str) -> Iterator[Offer]:
    last = _LAST.search(text)
    word = last[0] if last else ""
    key, equals, value = word.partition("=")
    if equals:
        trigger = TRIGGERS.get(key)
        if trigger is not None:
            yield from _words(trigger.kind.words(), _value_length(value), trigger.kind.form)
        return
    for name in _BARE:
        yield from _words(TRIGGERS[name].kind.words(), len(word), TRIGGERS[name].help)
    for trigger in TRIGGERS.values():
        yield Offer(f"{trigger.name}=", f"{trigger.help}: {trigger.kind.form}", len(word))
    for name, (kind, _, says) in REST.items():
        yield Offer(f"{name}=", f"{says}: {kind.form}", len(word))
    if word:
        yield from (Offer(f"{keyword}=", "command element", len(word)) for keyword in TAGS)


def _value_length(value: str) -> int:
    last = _LAST_VALUE.search(value)
    return len(last[0]) if last else 0


def _action_offers(text: str) -> Iterator[Offer]:
    words = text.rpartition(";")[2].split(" ")
    while len(words) > 1 and not words[0]:
        del words[0]
    word = words[-1]
    if len(words) == 1:
        yield from (Offer(action.name, action.help, len(word)) for action in ACTIONS.values())
        return
    found = ACTIONS.get(words[0].casefold())
    if found is not None:
        yield from _parameter_offers(found, words[1:-1], word)


def _parameter_offers(action: Action, before: list[str], word: str) -> Iterator[Offer]:
    key, equals, value = word.partition("=")
    if equals:
        for parameter in action.parameters:
            if parameter.name == key:
                yield from _words(parameter.kind.words(), _value_length(value), parameter.kind.form)
        return
    if action.main is not None and not any(one for one in before if "=" not in one):
        yield from _main_offers(action.main, word)
    given = {one.partition("=")[0] for one in before}
    for parameter in action.parameters:
        if parameter is not action.main and parameter.name not in given:
            yield Offer(f"{parameter.name}=", f"{parameter.help}: {parameter.kind.form}", len(word))
    if action.free is not None:
        yield from (Offer(f"{name}=", action.free.help, len(word)) for name in action.free.words())


def _main_offers(parameter: Parameter, word: str) -> Iterator[Offer]:
    yield from _words(parameter.kind.words(), len(word), parameter.kind.form)
