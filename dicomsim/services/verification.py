"""Verification, PS3.4 Annex A."""

from __future__ import annotations

from dicomsim.services.call import Call


def c_echo(call: Call) -> None:
    """Answer with the handler's status; success if there is no handler."""
    if call.handlers.handler("on_c_echo") is None:
        call.respond(0x0000)
    else:
        call.respond_with(call.run("on_c_echo", call.context, call.info))
