"""Actions in the place of a service: answer a request with a status, without the service having seen it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dicomsim.behaviour.action import Action, Parameter
from dicomsim.behaviour.dimse import ELEMENTS
from dicomsim.behaviour.kinds import COMMANDS, STATUS
from dicomsim.behaviour.occasion import Layer, Occasion, Steps
from dicomsim.behaviour.payload import PAYLOAD, PREFIXES
from dicomsim.behaviour.values import word
from dicomsim.dimse.builders import respond
from dicomsim.engine.hops import PassMessage, Reply

_RESPONSES = tuple(name for name in COMMANDS if name.endswith("-RSP"))


def _answer(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    """Every request that would have passed gets an answer; what is no request passes."""
    statuses = given["status"]
    result: Steps = []
    for step in steps:
        if not isinstance(step, PassMessage) or not step.message.is_request:
            result.append(step)
            continue
        status = statuses[occasion.turn % len(statuses)]
        data = given["data"](occasion) if given["data"] else None
        answer = respond(step.message, status, data, name=given["as"])
        result.append(Reply(replace(answer, command=answer.command | dict(given["*"]))))
    return result


ACTIONS = (
    Action(
        "answer",
        "answer the request with a status; the service does not see it",
        (Layer.MESSAGE,),
        _answer,
        (
            Parameter("status", STATUS, "what to answer", "0x0000"),
            Parameter("data", PAYLOAD, "data set of the answer", prefixes=tuple(PREFIXES)),
            Parameter("as", word(*_RESPONSES), "a response of another service"),
        ),
        ELEMENTS,
    ),
)
"""The words of this module."""
