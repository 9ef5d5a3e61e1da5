"""Verification, PS3.4 Annex A."""

from __future__ import annotations

from dicomsim.services.call import Call
from dicomsim.services.judge import judge
from dicomsim.status import Status


def c_echo(call: Call) -> None:
    """Answer with the handler's status; success if there is no handler."""
    judge(call)
    if call.handlers.handler("on_c_echo") is None:
        call.respond(Status.SUCCESS)
    else:
        call.respond_with(call.run("on_c_echo", call.context, call.info))
