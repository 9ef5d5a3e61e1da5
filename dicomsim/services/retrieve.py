"""Retrieval: C-GET on the association itself, C-MOVE to somebody else. PS3.4 §C.4.2, §C.4.3.

What is retrieved comes from the handler as a `Dataset` or as the path of a DICOM file, whose data set is sent without
being decoded where its transfer syntax was accepted.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

from dicomsim.dimse.messages import Message
from dicomsim.dimse.table import PENDING
from dicomsim.errors import DicomsimError, FileError
from dicomsim.part10 import read_file_meta
from dicomsim.services.call import Call, RefusedError
from dicomsim.services.destination import Destination
from dicomsim.services.judge import judge
from dicomsim.services.suboperations import SubOperations
from dicomsim.status import Status
from dicomsim.wire.command import TAGS
from dicomsim.wire.pdu import pad_ae_title

LOGGER = logging.getLogger("dicomsim")

Steps = Generator[Any, None, None]
Store = Callable[[Any], Message]


def c_get(call: Call) -> None:
    """Send what the handler yields as C-STORE requests of ours on the same association."""
    judge(call)
    with closing(call.steps("on_c_get", call.identifier(), call.context, call.info)) as steps:
        books = SubOperations(_number(call, steps))
        _retrieve(call, steps, books, lambda item: _store_here(call, item))


def _store_here(call: Call, item: Any) -> Message:
    response: Message = call.association.c_store(item, priority=call.message.priority or 0, convert=True)
    return response


def c_move(call: Call) -> None:
    """Send what the handler yields to the destination that it names, on an association of its own."""
    judge(call)
    title = pad_ae_title(call.message.move_destination or "")
    with closing(call.steps("on_c_move", call.identifier(), title, call.context, call.info)) as steps:
        address, options = _address(call, next(steps, None))
        books = SubOperations(_number(call, steps))
        with Destination(call.association.ae, address, title, options) as destination:
            _retrieve(call, steps, books, lambda item: destination.store(item, call.message, call.association))


def _address(call: Call, step: Any) -> tuple[tuple[str, int], dict[str, Any]]:
    """The first step of a C-MOVE: host, port and perhaps further arguments of `associate`."""
    options: dict[str, Any] = {}
    if isinstance(step, tuple | list) and len(step) == 3 and isinstance(step[2], dict):
        options = step[2]
        step = step[:2]
    if isinstance(step, tuple | list) and len(step) == 2:
        if step[0] is None or step[1] is None:
            raise RefusedError(Status.MOVE_DESTINATION_UNKNOWN, "move destination is unknown")
        if isinstance(step[0], str) and type(step[1]) is int:
            return (step[0], step[1]), options
    LOGGER.error("%s: the handler gave %r for the address of the destination", call.message.name, step)
    raise RefusedError(call.failure, "handler gave no address and port")


def _number(call: Call, steps: Steps) -> int:
    number = next(steps, None)
    if type(number) is not int or number < 0:
        LOGGER.error("%s: the handler gave %r for the number of sub-operations", call.message.name, number)
        raise RefusedError(call.failure, "handler gave no number of sub-operations")
    return number


def _retrieve(call: Call, steps: Steps, books: SubOperations, store: Store) -> None:
    """Send one after the other, tell how far it is, and end as the handler says or the counters call for."""
    try:
        for step in steps:
            if call.stops():
                break
            status, item = call.pair(step)
            code, further = call.status(status)
            if code not in PENDING:
                if code != Status.SUCCESS:
                    _end(call, books, code, further, item)
                    return
                break
            if item is None:
                raise RefusedError(call.failure, "handler gave nothing to send with Pending")
            _perform(call, books, item, store)
            call.respond(code, further=books.counters(code) | further)
    except RefusedError as refusal:
        _end(call, books, refusal.status, {TAGS["ErrorComment"]: refusal.comment})
        return
    if call.stops():
        _end(call, books, Status.CANCEL)
        return
    if books.done != books.announced:
        LOGGER.warning(
            "%s: the handler announced %d sub-operations and yielded %d", call.message.name, books.announced, books.done
        )
    _end(call, books, books.final_status)


def _perform(call: Call, books: SubOperations, item: Any, store: Store) -> None:
    status, instance = None, ""
    try:
        instance = _instance(item)
        status = store(item).status
    except (DicomsimError, ValueError, TypeError, AttributeError) as error:  # of what is not to be sent, or cannot be
        LOGGER.warning("%s: the sub-operation for %s failed: %s", call.message.name, instance or repr(item), error)
    books.count(status, instance)


def _instance(item: Any) -> str:
    if isinstance(item, str | os.PathLike):
        return read_file_meta(item).sop_instance_uid
    instance = getattr(item, "SOPInstanceUID", None)
    if instance is None:
        raise FileError(f"{type(item).__name__} is no data set with a SOP instance UID, and no path")
    return str(instance)


def _end(
    call: Call, books: SubOperations, status: int, further: dict[int, Any] | None = None, identifier: Any = None
) -> None:
    """Send the final response, with the failed instances in its identifier."""
    if identifier is None and books.failed_instances:
        from dicomsim.datasets import failed_instances

        identifier = failed_instances(books.failed_instances)
    data = None if identifier is None else call.encoded(identifier)
    call.respond(status, data, books.counters(status) | (further or {}))
