"""The DIMSE messages as one table: PS3.7 §9.3, §10.3.

Everything that builds, pairs or judges a message looks here. Group Length, Command Field and Command Data Set Type are
in every message and not listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from dicomsim.wire.command import TAGS

RESPONSE: Final = 0x8000
"""Bit of the Command Field that makes a response of a request."""
C_CANCEL_RQ: Final = 0x0FFF
"""Command Field of all three C-CANCEL requests."""
PENDING: Final = frozenset((0xFF00, 0xFF01))
"""Statuses after which more responses follow, PS3.7 §C.2."""


class Usage(Enum):
    """How an element is used; conditional ones are told apart by their condition."""

    MANDATORY = "M"
    OPTIONAL = "U"
    WITH_PENDING = "C pending"
    """Required while the status is Pending."""
    WITH_DATA = "C data"
    """Required if there is a data set."""
    ASSIGNED = "C assigned"
    """Required with success if the request left the instance to the performer."""


class DataSet(Enum):
    """When a message has a data set."""

    ALWAYS = "always"
    NEVER = "never"
    OPTIONAL = "optional"
    WITH_PENDING = "with Pending, and only then"
    WITH_SUCCESS = "with Success"
    ONLY_WITH_SUCCESS = "only with Success"


@dataclass(frozen=True, slots=True)
class MessageType:
    """What one message consists of."""

    name: str
    """`C-STORE-RQ`."""
    command_field: int
    """Its Command Field."""
    section: str
    """Where PS3.7 says so."""
    elements: dict[int, Usage]
    """Tag to usage, in the order of the standard's table."""
    data_set: DataSet
    """When it has a data set."""
    echoed: frozenset[int] = frozenset()
    """Tags whose values have to equal those of the request, where they are present."""


@dataclass(frozen=True, slots=True)
class Service:
    """One DIMSE service: a request and its response."""

    name: str
    """`C-STORE`."""
    request: MessageType
    """Its request."""
    response: MessageType
    """Its response."""
    multiple_responses: bool = False
    """Whether Pending responses may come before the final one."""
    cancellable: bool = False
    """Whether C-CANCEL applies."""


def _elements(mandatory: str, optional: str = "", conditional: dict[str, Usage] | None = None) -> dict[int, Usage]:
    rows = dict.fromkeys(mandatory.split(), Usage.MANDATORY)
    rows |= dict.fromkeys(optional.split(), Usage.OPTIONAL)
    return {TAGS[keyword]: usage for keyword, usage in (rows | (conditional or {})).items()}


def _tags(keywords: str) -> frozenset[int]:
    return frozenset(TAGS[keyword] for keyword in keywords.split())


_ANSWER = "MessageIDBeingRespondedTo Status"
_CLASS = "AffectedSOPClassUID"
_AFFECTED = "AffectedSOPClassUID AffectedSOPInstanceUID"
_REQUESTED = "RequestedSOPClassUID MessageID RequestedSOPInstanceUID"
_COUNTERS = {
    f"NumberOf{kind}Suboperations": Usage.WITH_PENDING for kind in ("Remaining", "Completed", "Failed", "Warning")
}

SERVICES: Final = (
    Service(
        "C-STORE",
        MessageType(
            "C-STORE-RQ",
            0x0001,
            "PS3.7 §9.3.1.1",
            _elements(
                "AffectedSOPClassUID MessageID Priority AffectedSOPInstanceUID",
                "MoveOriginatorApplicationEntityTitle MoveOriginatorMessageID",
            ),
            DataSet.ALWAYS,
        ),
        MessageType(
            "C-STORE-RSP", 0x8001, "PS3.7 §9.3.1.2", _elements(_ANSWER, _AFFECTED), DataSet.NEVER, _tags(_AFFECTED)
        ),
    ),
    Service(
        "C-FIND",
        MessageType(
            "C-FIND-RQ", 0x0020, "PS3.7 §9.3.2.1", _elements("AffectedSOPClassUID MessageID Priority"), DataSet.ALWAYS
        ),
        MessageType(
            "C-FIND-RSP", 0x8020, "PS3.7 §9.3.2.2", _elements(_ANSWER, _CLASS), DataSet.WITH_PENDING, _tags(_CLASS)
        ),
        multiple_responses=True,
        cancellable=True,
    ),
    Service(
        "C-GET",
        MessageType(
            "C-GET-RQ", 0x0010, "PS3.7 §9.3.3.1", _elements("AffectedSOPClassUID MessageID Priority"), DataSet.ALWAYS
        ),
        MessageType(
            "C-GET-RSP",
            0x8010,
            "PS3.7 §9.3.3.2",
            _elements(_ANSWER, _CLASS, _COUNTERS),
            DataSet.OPTIONAL,
            _tags(_CLASS),
        ),
        multiple_responses=True,
        cancellable=True,
    ),
    Service(
        "C-MOVE",
        MessageType(
            "C-MOVE-RQ",
            0x0021,
            "PS3.7 §9.3.4.1",
            _elements("AffectedSOPClassUID MessageID Priority MoveDestination"),
            DataSet.ALWAYS,
        ),
        MessageType(
            "C-MOVE-RSP",
            0x8021,
            "PS3.7 §9.3.4.2",
            _elements(_ANSWER, _CLASS, _COUNTERS),
            DataSet.OPTIONAL,
            _tags(_CLASS),
        ),
        multiple_responses=True,
        cancellable=True,
    ),
    Service(
        "C-ECHO",
        MessageType("C-ECHO-RQ", 0x0030, "PS3.7 §9.3.5.1", _elements("AffectedSOPClassUID MessageID"), DataSet.NEVER),
        MessageType("C-ECHO-RSP", 0x8030, "PS3.7 §9.3.5.2", _elements(_ANSWER, _CLASS), DataSet.NEVER, _tags(_CLASS)),
    ),
    Service(
        "N-EVENT-REPORT",
        MessageType(
            "N-EVENT-REPORT-RQ",
            0x0100,
            "PS3.7 §10.3.1.1",
            _elements("AffectedSOPClassUID MessageID AffectedSOPInstanceUID EventTypeID"),
            DataSet.OPTIONAL,
        ),
        MessageType(
            "N-EVENT-REPORT-RSP",
            0x8100,
            "PS3.7 §10.3.1.2",
            _elements(_ANSWER, _AFFECTED, {"EventTypeID": Usage.WITH_DATA}),
            DataSet.ONLY_WITH_SUCCESS,
            _tags(f"{_AFFECTED} EventTypeID"),
        ),
    ),
    Service(
        "N-GET",
        MessageType(
            "N-GET-RQ", 0x0110, "PS3.7 §10.3.2.1", _elements(_REQUESTED, "AttributeIdentifierList"), DataSet.NEVER
        ),
        MessageType("N-GET-RSP", 0x8110, "PS3.7 §10.3.2.2", _elements(_ANSWER, _AFFECTED), DataSet.WITH_SUCCESS),
    ),
    Service(
        "N-SET",
        MessageType("N-SET-RQ", 0x0120, "PS3.7 §10.3.3.1", _elements(_REQUESTED), DataSet.ALWAYS),
        MessageType("N-SET-RSP", 0x8120, "PS3.7 §10.3.3.2", _elements(_ANSWER, _AFFECTED), DataSet.OPTIONAL),
    ),
    Service(
        "N-ACTION",
        MessageType(
            "N-ACTION-RQ", 0x0130, "PS3.7 §10.3.4.1", _elements(f"{_REQUESTED} ActionTypeID"), DataSet.OPTIONAL
        ),
        MessageType(
            "N-ACTION-RSP",
            0x8130,
            "PS3.7 §10.3.4.2",
            _elements(_ANSWER, _AFFECTED, {"ActionTypeID": Usage.WITH_DATA}),
            DataSet.ONLY_WITH_SUCCESS,
            _tags("ActionTypeID"),
        ),
    ),
    Service(
        "N-CREATE",
        MessageType(
            "N-CREATE-RQ",
            0x0140,
            "PS3.7 §10.3.5.1",
            _elements("AffectedSOPClassUID MessageID", "AffectedSOPInstanceUID"),
            DataSet.OPTIONAL,
        ),
        MessageType(
            "N-CREATE-RSP",
            0x8140,
            "PS3.7 §10.3.5.2",
            _elements(_ANSWER, _CLASS, {"AffectedSOPInstanceUID": Usage.ASSIGNED}),
            DataSet.OPTIONAL,
            _tags(_CLASS),
        ),
    ),
    Service(
        "N-DELETE",
        MessageType("N-DELETE-RQ", 0x0150, "PS3.7 §10.3.6.1", _elements(_REQUESTED), DataSet.NEVER),
        MessageType("N-DELETE-RSP", 0x8150, "PS3.7 §10.3.6.2", _elements(_ANSWER, _AFFECTED), DataSet.NEVER),
    ),
)
"""The eleven services, in the standard's order."""

CANCEL: Final = MessageType(
    "C-CANCEL-RQ", C_CANCEL_RQ, "PS3.7 §9.3.2.3", _elements("MessageIDBeingRespondedTo"), DataSet.NEVER
)
"""C-CANCEL-FIND, -GET and -MOVE requests are one message."""

MESSAGE_TYPES: Final[dict[int, MessageType]] = {
    message.command_field: message
    for message in (*(one for service in SERVICES for one in (service.request, service.response)), CANCEL)
}
"""Every message by its Command Field."""

SERVICE_OF: Final[dict[int, Service]] = {service.request.command_field: service for service in SERVICES}
"""Every service by the Command Field of its request."""

COMMAND_FIELDS: Final[dict[str, int]] = {message.name: number for number, message in MESSAGE_TYPES.items()}
"""Every Command Field by the message's name."""

STATUS_ELEMENTS: Final = _tags("OffendingElement ErrorComment ErrorID AttributeIdentifierList")
"""What a response may carry to explain its status, PS3.7 Annex C, beside its own elements."""
