"""Whether a request may be served at all: roles, SOP class, service, and what every request must have."""

from __future__ import annotations

import re
from functools import lru_cache

from dicomsim.dimse.messages import Message
from dicomsim.dimse.table import MESSAGE_TYPES, DataSet
from dicomsim.presentation import PresentationContextTuple
from dicomsim.services.call import Call, RefusedError, failure_of
from dicomsim.sop_class import ServiceClass, SOPClass, service_of
from dicomsim.status import Status

UPS_PUSH = "1.2.840.10008.5.1.4.34.6.1"
"""The SOP class that N-services name on the contexts of all UPS SOP classes, PS3.4 §CC.3.1.1."""

_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")
UID_LIMIT = 64


@lru_cache(maxsize=64)  # asked twice for an instance: before its data set, and behind it
def is_valid_uid(uid: str) -> bool:
    """Whether a UID is as PS3.5 §9.1 has it."""
    return len(uid) <= UID_LIMIT and _UID.fullmatch(uid) is not None


def judge(call: Call) -> None:
    """Raise `RefusedError` for a request that is not to be served."""
    refusal = refusal_of(call.message, call.context, call.may_perform)
    if refusal is not None:
        raise refusal


def refusal_of(message: Message, context: PresentationContextTuple, may_perform: bool) -> RefusedError | None:
    """Why a request is not to be served; None if it is. Its data set need not be there yet."""
    kind = MESSAGE_TYPES[message.command_field]
    refusal = _refusal_of_kind(kind.name, message.sop_class_uid, context.abstract_syntax, may_perform)
    if refusal is not None:
        return RefusedError(*refusal)
    affected, requested = message.affected_sop_instance_uid, message.requested_sop_instance_uid
    if (affected is not None and not is_valid_uid(affected)) or (requested is not None and not is_valid_uid(requested)):
        return RefusedError(Status.INVALID_SOP_INSTANCE, "SOP instance UID is invalid")
    if affected is None and kind.name == "C-STORE-RQ":
        return RefusedError(Status.INVALID_SOP_INSTANCE, "no SOP instance UID")
    if kind.data_set is DataSet.ALWAYS and not message.has_data_set:
        return RefusedError(failure_of(message), "data set is missing")
    return None


@lru_cache(maxsize=1024)  # the same for all requests of a kind on a context
def _refusal_of_kind(
    name: str, sop_class: str | None, abstract_syntax: SOPClass | None, may_perform: bool
) -> tuple[Status, str] | None:
    """Status and comment for requests that are not to be served whatever instance they are about."""
    service = name.removesuffix("-RQ")
    normalized = service.startswith("N-")
    if not may_perform:
        refusal = Status.UNRECOGNIZED_OPERATION if normalized else Status.SOP_CLASS_NOT_SUPPORTED
        return refusal, "not the role that was negotiated"
    if sop_class is None:
        missing = Status.UNABLE_TO_PROCESS if service == "C-FIND" else Status.MISTYPED_ARGUMENT
        return missing, "no SOP class UID"
    if sop_class != abstract_syntax and not belongs(sop_class, abstract_syntax or "", normalized):
        refusal = Status.NO_SUCH_SOP_CLASS if normalized else Status.SOP_CLASS_NOT_SUPPORTED
        return refusal, "SOP class is not that of the presentation context"
    services = abstract_syntax.dimse_services if abstract_syntax is not None else ()
    services = services or SOPClass(sop_class).dimse_services
    if services and service not in services:
        refusal = Status.UNABLE_TO_PROCESS if service == "C-FIND" else Status.UNRECOGNIZED_OPERATION
        return refusal, f"SOP class has no {service}"
    return None


def belongs(sop_class: str, abstract_syntax: str, normalized: bool) -> bool:
    """Whether messages that name a SOP class may go on contexts of another abstract syntax."""
    if sop_class in SOPClass(abstract_syntax).members:
        return True
    return normalized and sop_class == UPS_PUSH and service_of(abstract_syntax) is ServiceClass.UNIFIED_PROCEDURE_STEP
