"""Verification, PS3.4 Annex A."""

from __future__ import annotations

from dicomsim.services.call import SOP_CLASS_NOT_SUPPORTED, Call, Refused

VERIFICATION = "1.2.840.10008.1.1"


def c_echo(call: Call) -> None:
    """Answer with the handler's status; success if there is no handler."""
    if call.message.affected_sop_class_uid != VERIFICATION:
        raise Refused(SOP_CLASS_NOT_SUPPORTED, "SOP class is not Verification")  # PS3.7 §9.1.5.1.4
    if call.handlers.handler("on_c_echo") is None:
        call.respond(0x0000)
    else:
        call.respond_with(call.run("on_c_echo", call.context, call.info))
