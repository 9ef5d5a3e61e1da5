"""The numbers of the PDUs and command sets by their names in the standard.

The enums are for writing code; what comes from the wire stays an integer and is described by the functions below,
which have an answer for every number.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

NO_DATA_SET: Final = 0x0101
"""Command Data Set Type of a message without data set; any other value announces one. PS3.7 §E.1."""

COMMAND: Final = 1
"""Bit of a message control header: the fragment is of a command set, not of a data set. PS3.8 §E.2."""
LAST: Final = 2
"""Bit of a message control header: it is the last one of that. PS3.8 §E.2."""


class RejectResult(IntEnum):
    """PS3.8 Table 9-21."""

    REJECTED_PERMANENT = 1
    REJECTED_TRANSIENT = 2


class RejectSource(IntEnum):
    """PS3.8 Table 9-21."""

    SERVICE_USER = 1
    SERVICE_PROVIDER_ACSE = 2
    SERVICE_PROVIDER_PRESENTATION = 3


class AbortSource(IntEnum):
    """PS3.8 Table 9-26."""

    SERVICE_USER = 0
    SERVICE_PROVIDER = 2


class AbortReason(IntEnum):
    """PS3.8 Table 9-26, of a service-provider abort."""

    REASON_NOT_SPECIFIED = 0
    UNRECOGNIZED_PDU = 1
    UNEXPECTED_PDU = 2
    UNRECOGNIZED_PDU_PARAMETER = 4
    UNEXPECTED_PDU_PARAMETER = 5
    INVALID_PDU_PARAMETER_VALUE = 6


class ContextResult(IntEnum):
    """The answer for one presentation context, PS3.8 Table 9-18."""

    ACCEPTANCE = 0
    USER_REJECTION = 1
    NO_REASON = 2
    ABSTRACT_SYNTAX_NOT_SUPPORTED = 3
    TRANSFER_SYNTAXES_NOT_SUPPORTED = 4


class IdentityType(IntEnum):
    """User identity type, PS3.7 Table D.3-14."""

    USERNAME = 1
    USERNAME_AND_PASSCODE = 2
    KERBEROS = 3
    SAML = 4
    JSON_WEB_TOKEN = 5


class Priority(IntEnum):
    """Priority (0000,0700), PS3.7 §E.1; there is no order in the numbers."""

    MEDIUM = 0
    HIGH = 1
    LOW = 2


class CommandField(IntEnum):
    """Command Field (0000,0100), PS3.7 §E.1."""

    C_STORE_RQ = 0x0001
    C_STORE_RSP = 0x8001
    C_GET_RQ = 0x0010
    C_GET_RSP = 0x8010
    C_FIND_RQ = 0x0020
    C_FIND_RSP = 0x8020
    C_MOVE_RQ = 0x0021
    C_MOVE_RSP = 0x8021
    C_ECHO_RQ = 0x0030
    C_ECHO_RSP = 0x8030
    N_EVENT_REPORT_RQ = 0x0100
    N_EVENT_REPORT_RSP = 0x8100
    N_GET_RQ = 0x0110
    N_GET_RSP = 0x8110
    N_SET_RQ = 0x0120
    N_SET_RSP = 0x8120
    N_ACTION_RQ = 0x0130
    N_ACTION_RSP = 0x8130
    N_CREATE_RQ = 0x0140
    N_CREATE_RSP = 0x8140
    N_DELETE_RQ = 0x0150
    N_DELETE_RSP = 0x8150
    C_CANCEL_RQ = 0x0FFF

    @property
    def standard_name(self) -> str:
        """`N-EVENT-REPORT-RQ` and so on."""
        return self.name.replace("_", "-")


REJECT_RESULTS: Mapping[int, str] = {1: "rejected-permanent", 2: "rejected-transient"}
"""Result of an A-ASSOCIATE-RJ."""

REJECT_SOURCES: Mapping[int, str] = {
    1: "service-user",
    2: "service-provider (ACSE related function)",
    3: "service-provider (Presentation related function)",
}
"""Source of an A-ASSOCIATE-RJ."""

REJECT_REASONS: Mapping[int, Mapping[int, str]] = {
    1: {
        1: "no-reason-given",
        2: "application-context-name-not-supported",
        3: "calling-AE-title-not-recognized",
        7: "called-AE-title-not-recognized",
    },
    2: {1: "no-reason-given", 2: "protocol-version-not-supported"},
    3: {1: "temporary-congestion", 2: "local-limit-exceeded"},
}
"""Reason of an A-ASSOCIATE-RJ by source; the numbers that are not here are reserved."""

ABORT_SOURCES: Mapping[int, str] = {0: "service-user", 2: "service-provider"}
"""Source of an A-ABORT; the numbers that are not here are reserved."""

ABORT_REASONS: Mapping[int, str] = {
    0: "reason-not-specified",
    1: "unrecognized-PDU",
    2: "unexpected-PDU",
    4: "unrecognized-PDU parameter",
    5: "unexpected-PDU parameter",
    6: "invalid-PDU-parameter value",
}
"""Reason of an A-ABORT by the service-provider; the numbers that are not here are reserved."""

CONTEXT_RESULTS: Mapping[int, str] = {
    0: "acceptance",
    1: "user-rejection",
    2: "no-reason (provider rejection)",
    3: "abstract-syntax-not-supported (provider rejection)",
    4: "transfer-syntaxes-not-supported (provider rejection)",
}
"""Result of a presentation context."""

IDENTITY_TYPES: Mapping[int, str] = {
    1: "username",
    2: "username and passcode",
    3: "Kerberos service ticket",
    4: "SAML assertion",
    5: "JSON Web Token",
}
"""User identity types."""

PRIORITIES: Mapping[int, str] = {0: "medium", 1: "high", 2: "low"}
"""Priorities of a DIMSE operation."""

COMMAND_NAMES: Mapping[int, str] = {field: field.standard_name for field in CommandField}
"""`C-STORE-RQ` and so on by command field."""


def _name(names: Mapping[int, str], number: int, what: str) -> str:
    return names.get(number, f"reserved {what} {number}")


def describe_reject(result: int, source: int, reason: int) -> str:
    """`rejected-permanent, service-user: called-AE-title-not-recognized (1/1/7)`."""
    names = (
        _name(REJECT_RESULTS, result, "result"),
        _name(REJECT_SOURCES, source, "source"),
        _name(REJECT_REASONS.get(source, {}), reason, "reason"),
    )
    return f"{names[0]}, {names[1]}: {names[2]} ({result}/{source}/{reason})"


def describe_abort(source: int, reason: int) -> str:
    """`service-provider: unexpected-PDU (2/2)`; a user's reason has no meaning and shows as its number only."""
    meaning = f": {_name(ABORT_REASONS, reason, 'reason')}" if source == AbortSource.SERVICE_PROVIDER else ""
    return f"{_name(ABORT_SOURCES, source, 'source')}{meaning} ({source}/{reason})"


def describe_context_result(result: int) -> str:
    """`acceptance` and so on."""
    return _name(CONTEXT_RESULTS, result, "result")


def describe_identity_type(identity_type: int) -> str:
    """`username` and so on."""
    return _name(IDENTITY_TYPES, identity_type, "type")


def command_name(command_field: int) -> str:
    """`C-STORE-RQ` and so on, `command 1234H` for what the standard does not know."""
    return COMMAND_NAMES.get(command_field, f"command {command_field:04X}H")
