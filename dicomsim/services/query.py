"""Queries: C-FIND of Query/Retrieve, worklists and whatever else is searched. PS3.4 §C.4.1, Annexes K, Q, U, V …"""

from __future__ import annotations

from contextlib import closing

from dicomsim.dimse.builders import respond
from dicomsim.dimse.messages import STATUS, Message
from dicomsim.dimse.table import PENDING
from dicomsim.services.call import Call, RefusedError
from dicomsim.services.judge import judge
from dicomsim.status import Status


def c_find(call: Call) -> None:
    """Send each match that the handler yields as it is yielded; end with its final status, success or cancel."""
    judge(call)
    match = respond(call.message, Status.PENDING, b"")  # what all of them begin with
    with closing(call.steps("on_c_find", call.identifier(), call.context, call.info)) as steps:
        for step in steps:
            if call.stops():
                break
            status, identifier = call.pair(step)
            code, further = call.status(status)
            if code not in PENDING:
                call.respond(code, further=further)
                return
            if identifier is None:
                raise RefusedError(call.failure, "handler gave no match with Pending")
            call.send(Message(match.context_id, match.command | {STATUS: code, **further}, call.encoded(identifier)))
    call.respond(Status.CANCEL if call.stops() else Status.SUCCESS)
