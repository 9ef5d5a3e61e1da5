"""The N-services, PS3.7 §10: one provider for each, for every service class that has them."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from dicomsim.dimse.data import DataSource
from dicomsim.services.call import Call, RefusedError
from dicomsim.services.judge import judge
from dicomsim.status import Status, StatusClass, status_class
from dicomsim.wire.command import TAGS

LOGGER = logging.getLogger("dicomsim")

_WITH_DATA_SET = (StatusClass.SUCCESS, StatusClass.WARNING)


def n_event_report(call: Call) -> None:
    """Hand an event to `on_n_event_report`, as SCU of the service class."""
    _require_instance(call)
    _answer(call, _run(call, "on_n_event_report", _dataset(call)))


def n_get(call: Call) -> None:
    """Ask `on_n_get` for the attributes of the list; an empty one means all."""
    _require_instance(call)
    from dicomsim.datasets import tags_of

    _answer(call, _run(call, "on_n_get", tags_of(call.message.attribute_identifier_list)))


def n_set(call: Call) -> None:
    """Hand a modification list to `on_n_set`."""
    _require_instance(call)
    _answer(call, _run(call, "on_n_set", _dataset(call)))


def n_action(call: Call) -> None:
    """Have `on_n_action` do something."""
    _require_instance(call)
    _answer(call, _run(call, "on_n_action", _dataset(call)))


def n_create(call: Call) -> None:
    """Have `on_n_create` make an instance; one without a UID gets a new one, which the response tells."""
    judge(call)
    assigned = None
    if call.message.affected_sop_instance_uid is None:
        assigned = f"2.25.{uuid.uuid4().int}"
        call.parameters["affected_sop_instance"] = assigned
    _answer(call, _run(call, "on_n_create", _dataset(call)), assigned)


def n_delete(call: Call) -> None:
    """Have `on_n_delete` delete an instance."""
    _require_instance(call)
    call.respond_with(call.pair(_run(call, "on_n_delete"))[0])


def _require_instance(call: Call) -> None:
    judge(call)
    if call.message.sop_instance_uid is None:
        raise RefusedError(Status.INVALID_SOP_INSTANCE, "no SOP instance UID")


def _run(call: Call, name: str, *arguments: Any) -> Any:
    if call.handlers.handler(name) is None:
        raise RefusedError(Status.UNRECOGNIZED_OPERATION, f"no {name} handler")
    return call.run(name, *arguments, call.context, call.info)


def _dataset(call: Call) -> Any:
    """The request's data set; None if it has none."""
    return call.identifier() if call.message.has_data_set else None


def _answer(call: Call, result: Any, assigned: str | None = None) -> None:
    status, dataset = call.pair(result)
    code, further = call.status(status)
    data: DataSource | None = None
    if dataset is not None and status_class(code) in _WITH_DATA_SET:
        data = call.encoded(dataset)
    elif dataset is not None:
        LOGGER.warning("%s: no data set goes with %s", call.message.name, call.describe(code))
    if assigned is not None and status_class(code) in _WITH_DATA_SET:
        further.setdefault(TAGS["AffectedSOPInstanceUID"], assigned)
    call.respond(code, data, further)
