"""The exception tree: everything dicomsim raises on purpose derives from `DicomsimError`.

`WireError` is the only exception a decoder lets out, `StateError` the only one the state machine raises.
Each class that ends a command carries its exit code, so that the command line needs no table of its own.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the command line exits with; every command means the same by it."""

    OK = 0
    FAILED = 1
    USAGE = 2
    DOES_NOT_PARSE = 3
    NO_CONNECTION = 4
    TIME_LIMIT = 5
    NOTHING_RUN = 6
    INTERRUPTED = 130


class DicomsimError(Exception):
    """Something dicomsim can explain in one line."""

    exit_code: int = ExitCode.FAILED
    """What the command line exits with where nothing else is known to have gone wrong."""


class WireFault(IntEnum):
    """What is wrong with bytes, numbered as the A-ABORT reason that fits best. PS3.8 Table 9-26."""

    UNRECOGNIZED_PDU = 1
    UNRECOGNIZED_PARAMETER = 4
    UNEXPECTED_PARAMETER = 5
    INVALID_VALUE = 6


class WireError(DicomsimError):
    """Bytes that are not what they claim to be, or a value that has no bytes."""

    exit_code = ExitCode.DOES_NOT_PARSE

    def __init__(self, offset: int, path: str, reason: str, kind: WireFault = WireFault.INVALID_VALUE) -> None:
        super().__init__(f"byte {offset}, {path}: {reason}")
        self.offset = offset
        """Offset of the offending byte from the start of the PDU (or of the command set)."""
        self.path = path
        """Where it stands, from the outside in: `A-ASSOCIATE-RQ/presentation context 3/transfer syntax`."""
        self.reason = reason
        """What is wrong, in words."""
        self.kind = kind
        """Which A-ABORT reason fits."""


class StateError(DicomsimError):
    """A local primitive that PS3.8 Table 9-10 does not allow in the present state."""


class FileError(DicomsimError):
    """A file that cannot be read as what it should be; the message begins with its path."""

    exit_code = ExitCode.DOES_NOT_PARSE


class ConnectError(DicomsimError):
    """No transport connection: refused, unreachable, unknown host, TLS handshake failed."""

    exit_code = ExitCode.NO_CONNECTION


class AssociationError(DicomsimError):
    """The association was rejected, or ended while an answer was awaited."""

    exit_code = ExitCode.NO_CONNECTION


class TimeLimitError(DicomsimError):
    """A named timeout ran out; the message has its name and its value in seconds."""

    exit_code = ExitCode.TIME_LIMIT
