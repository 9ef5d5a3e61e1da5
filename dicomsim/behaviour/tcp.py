"""Actions on the connection and on the flow of bytes: end it, stall, delay, slice, hold back, add bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from dicomsim.behaviour.action import (
    AFTER,
    BEFORE,
    INSTEAD,
    Action,
    Parameter,
    place_parameter,
    placed,
    without_passing,
)
from dicomsim.behaviour.occasion import Held, Layer, Occasion, Steps
from dicomsim.behaviour.payload import PAYLOAD, PREFIXES
from dicomsim.behaviour.values import COUNT, DELAY, INTEGER, SECONDS, list_of
from dicomsim.engine.hops import Close, HalfClose, Pass, PassMessage, Raw, Reply, Reset, Stall, Step, StopReading, Wait

EVERYWHERE = (Layer.PDU, Layer.MESSAGE, Layer.BYTES, Layer.CONNECTION, Layer.STATE)
"""Where steps are carried out: everywhere but at the answer, which is a value."""
PASSING = (Layer.PDU, Layer.MESSAGE, Layer.BYTES)
_BYTES = (Layer.PDU, Layer.BYTES)

_GOING = (Pass, PassMessage, Reply)
"""Steps that are the thing itself, or an answer made of it."""

MOST_PIECES = 10_000
"""Pieces that one PDU or read is cut into at the most; the last is as long as it must be."""
TICKS = 20
"""Pieces a second that a throttled stream goes in."""


def _adds(*made: Callable[[], Step]) -> Callable[[Occasion, Steps, Mapping[str, Any]], Steps]:
    def run(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
        return placed(steps, [make() for make in made], given["place"])

    return run


def _stall(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    """Incoming things still pass: only what is sent stops."""
    place = given["place"]
    return placed(steps, [Stall()], BEFORE if place == INSTEAD and occasion.direction == "in" else place)


def _delay(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    seconds = given["seconds"].seconds(occasion.turn, occasion.random)
    return placed(steps, [Wait(seconds)], given["place"])


def _raw(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    return placed(steps, [Raw(given["data"](occasion))], given["place"])


def _insert(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    return placed(steps, [Pass(given["data"](occasion))], given["place"])


def _drop(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    return without_passing(steps)


def _duplicate(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    """Answers made by the rule are doubled as well."""
    pause = [Wait(given["pause"])] if given["pause"] else []
    result: Steps = []
    for step in steps:
        result.append(step)
        if isinstance(step, _GOING):
            for _ in range(given["count"]):
                result += [*pause, step]
    return result


def _hold(occasion: Occasion, steps: Steps, left: int, join: bool) -> Steps:
    held: Steps = [step for step in steps if isinstance(step, _GOING)]
    if held:
        waiting = occasion.streams.held.setdefault((occasion.layer, occasion.direction), [])
        waiting.append(Held(held, occasion.memory, left, join))
    return [step for step in steps if not isinstance(step, _GOING)]


def _held_by(occasion: Occasion) -> int:
    waiting = occasion.streams.held.get((occasion.layer, occasion.direction), ())
    return sum(1 for held in waiting if held.by is occasion.memory)


def _reorder(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    """One at a time: what comes meanwhile has to pass, or nothing ever would."""
    return steps if _held_by(occasion) else _hold(occasion, steps, given["count"], join=False)


def _coalesce(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    return steps if _held_by(occasion) >= given["count"] else _hold(occasion, steps, 1, join=True)


def _cut(data: bytes, places: list[int], pause: float) -> Steps:
    """Bytes in pieces; a wait between them, even an empty one, makes each a write of its own."""
    ends = [0, *sorted({place for place in places if 0 < place < len(data)})[: MOST_PIECES - 1], len(data)]
    result: Steps = []
    for start, end in pairwise(ends):
        result += [Wait(pause), Pass(data[start:end])]
    return result[1:]


def _slice(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    result: Steps = []
    for step in steps:
        if isinstance(step, Pass):
            length = len(step.data)
            places = [place if place >= 0 else length + place for place in given["at"] or ()]
            places += range(given["size"], length, given["size"]) if given["size"] else ()
            result += _cut(step.data, places, given["pause"])
        else:
            result.append(step)
    return result


def _throttle(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    rate = given["rate"]
    result: Steps = []
    for step in steps:
        if not isinstance(step, Pass):
            result.append(step)
            continue
        length = len(step.data)
        size = max(rate // TICKS, 1, length // MOST_PIECES)
        for start in range(0, length, size):
            piece = step.data[start : start + size]
            result += [Pass(piece), Wait(len(piece) / rate)]
    return result


_DATA = Parameter("data", PAYLOAD, "the bytes", required=True, prefixes=tuple(PREFIXES))
_PAUSE = "seconds between them"

ACTIONS = (
    Action("close", "close TCP with a FIN", EVERYWHERE, _adds(Close), (place_parameter(INSTEAD),)),
    Action("reset", "close TCP with a RST", EVERYWHERE, _adds(Reset), (place_parameter(INSTEAD),)),
    Action("half-close", "send a FIN and go on reading", EVERYWHERE, _adds(HalfClose), (place_parameter(AFTER),)),
    Action(
        "stall", "send nothing more, keep the connection open and read", EVERYWHERE, _stall, (place_parameter(INSTEAD),)
    ),
    Action(
        "stop-reading",
        "read nothing more, so that the peer's window fills",
        EVERYWHERE,
        _adds(StopReading),
        (place_parameter(AFTER),),
    ),
    Action(
        "vanish",
        "neither send nor read any more, as if the cable were pulled",
        EVERYWHERE,
        _adds(StopReading, Stall),
        (place_parameter(INSTEAD),),
    ),
    Action(
        "delay",
        "hold this and what follows it in its direction",
        EVERYWHERE,
        _delay,
        (Parameter("seconds", DELAY, "how long", required=True), place_parameter(BEFORE)),
    ),
    Action(
        "throttle",
        "let bytes pass at a rate",
        (Layer.BYTES, Layer.PDU),
        _throttle,
        (Parameter("rate", COUNT, "bytes a second", required=True),),
    ),
    Action(
        "slice",
        "let bytes pass in several writes",
        _BYTES,
        _slice,
        (
            Parameter("size", COUNT, "bytes of each write"),
            Parameter("at", list_of(INTEGER), "offsets at which a write begins, negative ones from the end"),
            Parameter("pause", SECONDS, _PAUSE, 0.02),
        ),
    ),
    Action("drop", "let nothing pass", PASSING, _drop),
    Action(
        "duplicate",
        "let it pass again",
        PASSING,
        _duplicate,
        (Parameter("count", COUNT, "how many copies more", 1), Parameter("pause", SECONDS, _PAUSE, 0)),
    ),
    Action(
        "reorder",
        "keep it back until others of its direction have passed",
        PASSING,
        _reorder,
        (Parameter("count", COUNT, "how many others pass first", 1),),
    ),
    Action(
        "coalesce",
        "keep it back and send it in one write with what comes next",
        _BYTES,
        _coalesce,
        (Parameter("count", COUNT, "how many are kept back, at the most", 1),),
    ),
    Action(
        "raw",
        "send bytes to the peer, in whatever direction this passes",
        EVERYWHERE,
        _raw,
        (_DATA, place_parameter(AFTER)),
    ),
    Action(
        "insert", "put bytes into the stream that this is part of", _BYTES, _insert, (_DATA, place_parameter(BEFORE))
    ),
)
"""The words of this module."""
