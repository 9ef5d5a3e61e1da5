"""DIMSE status codes: their class, what they mean in which service, the codes a service knows. PS3.7 Annex C, PS3.4.

A code means the same everywhere when PS3.7 defines it (01xx, 02xx and a few more), and what its service class says
otherwise. Codes that nobody defines still have a class by their digits, so a receiver always knows if it succeeded.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache

from dicomsim.data import items, rows
from dicomsim.sop_class import ServiceClass, SOPClass


class StatusClass(StrEnum):
    """What a status says about the operation, PS3.7 Annex C."""

    SUCCESS = "Success"
    WARNING = "Warning"
    FAILURE = "Failure"
    CANCEL = "Cancel"
    PENDING = "Pending"
    UNKNOWN = "Unknown"

    @property
    def is_final(self) -> bool:
        """Whether no further response follows."""
        return self is not StatusClass.PENDING


class Status(IntEnum):
    """Codes under a name: those of PS3.7 Annex C, then the ones that several services of PS3.4 share."""

    SUCCESS = 0x0000
    CANCEL = 0xFE00
    ATTRIBUTE_LIST_ERROR = 0x0107
    ATTRIBUTE_VALUE_OUT_OF_RANGE = 0x0116
    SOP_CLASS_NOT_SUPPORTED = 0x0122
    CLASS_INSTANCE_CONFLICT = 0x0119
    DUPLICATE_SOP_INSTANCE = 0x0111
    DUPLICATE_INVOCATION = 0x0210
    INVALID_ARGUMENT_VALUE = 0x0115
    INVALID_ATTRIBUTE_VALUE = 0x0106
    INVALID_SOP_INSTANCE = 0x0117
    MISSING_ATTRIBUTE = 0x0120
    MISSING_ATTRIBUTE_VALUE = 0x0121
    MISTYPED_ARGUMENT = 0x0212
    NO_SUCH_ARGUMENT = 0x0114
    NO_SUCH_ATTRIBUTE = 0x0105
    NO_SUCH_EVENT_TYPE = 0x0113
    NO_SUCH_SOP_INSTANCE = 0x0112
    NO_SUCH_SOP_CLASS = 0x0118
    PROCESSING_FAILURE = 0x0110
    RESOURCE_LIMITATION = 0x0213
    UNRECOGNIZED_OPERATION = 0x0211
    NO_SUCH_ACTION_TYPE = 0x0123
    NOT_AUTHORIZED = 0x0124

    PENDING = 0xFF00
    PENDING_OPTIONAL_KEYS_NOT_SUPPORTED = 0xFF01
    OPTIONAL_ATTRIBUTES_NOT_SUPPORTED = 0x0001
    OUT_OF_RESOURCES = 0xA700
    UNABLE_TO_CALCULATE_NUMBER_OF_MATCHES = 0xA701
    UNABLE_TO_PERFORM_SUB_OPERATIONS = 0xA702
    MOVE_DESTINATION_UNKNOWN = 0xA801
    DATA_SET_DOES_NOT_MATCH_SOP_CLASS = 0xA900
    SUB_OPERATIONS_COMPLETE_WITH_FAILURES = 0xB000
    ELEMENTS_DISCARDED = 0xB006
    DATA_SET_DOES_NOT_MATCH_SOP_CLASS_WARNING = 0xB007
    UNABLE_TO_PROCESS = 0xC000


# PS3.7 Annex C in its order; the first row that fits counts.
_CLASS_RULES = (
    (0x0000, 0x0000, StatusClass.SUCCESS),
    (0x0001, 0x0001, StatusClass.WARNING),
    (0x0107, 0x0107, StatusClass.WARNING),
    (0x0116, 0x0116, StatusClass.WARNING),
    (0xB000, 0xBFFF, StatusClass.WARNING),
    (0xA000, 0xAFFF, StatusClass.FAILURE),
    (0xC000, 0xCFFF, StatusClass.FAILURE),
    (0x0100, 0x02FF, StatusClass.FAILURE),
    (0xFE00, 0xFE00, StatusClass.CANCEL),
    (0xFF00, 0xFF01, StatusClass.PENDING),
)


@cache
def status_class(code: int) -> StatusClass:
    """The class of a code, defined or not; UNKNOWN for those that PS3.7 Annex C forbids."""
    return next((kind for first, last, kind in _CLASS_RULES if first <= code <= last), StatusClass.UNKNOWN)


def code_to_category(code: int) -> str:
    """The class of a code as text, `Success` and so on."""
    return status_class(code).value


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """One row of a status table."""

    service: ServiceClass | None
    """The service class that defines it; None for PS3.7's own."""
    sop_classes: tuple[str, ...]
    """Keywords of the SOP classes it is for; empty for all of the service class."""
    dimse_services: tuple[str, ...]
    """`C-FIND`, `N-SET` … in whose responses it may stand."""
    operation: str
    """Which action of an N-ACTION, where that matters; else empty."""
    first: int
    """First code."""
    last: int
    """Last code: PS3.4 reserves ranges such as A7xx, whose digits an implementation chooses."""
    meaning: str
    """In the standard's words."""
    elements: tuple[int, ...]
    """Tags of the command elements that may go with it."""
    table: str
    """Where the standard has it."""

    @property
    def status_class(self) -> StatusClass:
        """Its class."""
        return status_class(self.first)

    def covers(self, code: int) -> bool:
        """Whether the row is about that code."""
        return self.first <= code <= self.last


_QUERIES = (
    ServiceClass.HANGING_PROTOCOL_QUERY_RETRIEVE,
    ServiceClass.COLOR_PALETTE_QUERY_RETRIEVE,
    ServiceClass.IMPLANT_TEMPLATE_QUERY_RETRIEVE,
    ServiceClass.DEFINED_PROCEDURE_PROTOCOL_QUERY_RETRIEVE,
    ServiceClass.PROTOCOL_APPROVAL_QUERY_RETRIEVE,
    ServiceClass.INVENTORY_QUERY_RETRIEVE,
)
# (service, DIMSE service) -> the service class whose table PS3.4 refers to.
_SAME_AS = {
    **{(service, "C-FIND"): ServiceClass.BASIC_WORKLIST_MANAGEMENT for service in _QUERIES},
    **{(service, dimse): ServiceClass.QUERY_RETRIEVE for service in _QUERIES for dimse in ("C-MOVE", "C-GET")},
    (ServiceClass.INVENTORY_QUERY_RETRIEVE, "C-FIND"): ServiceClass.QUERY_RETRIEVE,
}


def _entry(row: list[str]) -> StatusEntry:
    service, sop_classes, dimse, operation, first, last, meaning, elements, table = row
    return StatusEntry(
        ServiceClass(service) if service else None,
        items(sop_classes),
        items(dimse),
        operation,
        int(first, 16),
        int(last, 16),
        meaning,
        tuple(int(tag, 16) for tag in items(elements)),
        table,
    )


@cache
def entries() -> tuple[StatusEntry, ...]:
    """Every row: PS3.7 Annex C first, then the tables of PS3.4 by annex."""
    return tuple(map(_entry, rows("statuses")))


def _subject(service: str | None) -> tuple[ServiceClass | None, str]:
    """The service class meant by its own name or by a SOP class UID, and the keyword of the SOP class."""
    if service is None:
        return None, ""
    if not service[:1].isdigit():
        return ServiceClass(service), ""
    sop_class = SOPClass(service)
    return sop_class.service_class, sop_class.keyword


def _of_service(service: ServiceClass, keyword: str, dimse: str | None) -> list[StatusEntry]:
    own = [
        entry
        for entry in entries()
        if entry.service is service and (not keyword or not entry.sop_classes or keyword in entry.sop_classes)
    ]
    borrowed = [
        entry
        for (borrower, name), owner in _SAME_AS.items()
        if borrower is service
        for entry in entries()
        if entry.service is owner and name in entry.dimse_services and not entry.sop_classes
    ]
    return [entry for entry in own + borrowed if dimse is None or dimse in entry.dimse_services]


def _general(dimse: str | None) -> list[StatusEntry]:
    return [entry for entry in entries() if entry.service is None and (dimse is None or dimse in entry.dimse_services)]


def statuses_of(service: str | None, dimse: str | None = None) -> tuple[StatusEntry, ...]:
    """What a service may answer: the rows of its own tables, then those of PS3.7 for the DIMSE service.

    `service` is a `ServiceClass` (or its name) or the UID of a SOP class, which narrows the rows to that class; `dimse`
    is a DIMSE service such as `C-MOVE`, None for all. Raises `ValueError` for a name that no service class has.
    """
    subject, keyword = _subject(service)
    return (*(_of_service(subject, keyword, dimse) if subject else ()), *_general(dimse))


def find_status(code: int, service: str | None = None, dimse: str | None = None) -> StatusEntry | None:
    """The row that a service has for a code, narrow ranges before wide ones; None when it does not know the code."""
    covering = [entry for entry in statuses_of(service, dimse) if entry.covers(code)]
    return min(covering, key=lambda entry: entry.last - entry.first, default=None)


def _without_service(code: int) -> StatusEntry | None:
    """The row for a code whose service is not known: PS3.7's, or what all services agree on."""
    if entry := find_status(code):
        return entry
    covering = [entry for entry in entries() if entry.covers(code)]
    return covering[0] if len({entry.meaning for entry in covering}) == 1 else None


def _remark(code: int, kind: StatusClass, subject: ServiceClass | None) -> str:
    """Why a code has no meaning to go with its class."""
    if kind is StatusClass.UNKNOWN:
        return " (a code that PS3.7 Annex C does not allow)"
    if code < 0x0300:
        return " (not assigned in PS3.7)"
    if subject:
        return f" (not a status of {subject})"
    return "" if kind is StatusClass.PENDING else " (the meaning depends on the service)"


def describe_status(code: int, service: str | None = None, dimse: str | None = None) -> str:
    """A status in one line, such as `0xA700 Failure: Refused: Out of resources`.

    `service` and `dimse` are as for `statuses_of`, but the service need not exist: peers give any text for a SOP class.
    A code the service does not know is still described by its class, with a remark that says so.
    """
    kind = status_class(code)
    try:
        subject, _ = _subject(service)
    except ValueError:
        subject = service = None
    # Codes of PS3.7 keep their meaning in responses where they have no place.
    entry = find_status(code, service, dimse) or (find_status(code, service) if subject else _without_service(code))
    text = f"0x{code:04X} {kind}"
    if entry:
        return text if entry.meaning == kind else f"{text}: {entry.meaning}"
    return text + _remark(code, kind, subject)


FAILURE_REASONS = {
    0x0110: "Processing failure",
    0x0112: "No such object instance",
    0x0213: "Resource limitation",
    0x0122: "Referenced SOP Class not supported",
    0x0119: "Class / Instance conflict",
    0x0131: "Duplicate transaction UID",
}
"""Failure Reason (0008,1197) of a storage commitment result, PS3.3 §C.14.1.1."""


def describe_failure_reason(code: int) -> str:
    """A Failure Reason in one line, such as `0x0112 No such object instance`."""
    return f"0x{code:04X} {FAILURE_REASONS.get(code, '(not a reason of PS3.3)')}"
