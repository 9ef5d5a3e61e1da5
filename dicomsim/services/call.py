"""`Call`: one request of the peer, as a service provider sees it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from dicomsim.dimse.builders import respond
from dicomsim.dimse.data import DataSource
from dicomsim.dimse.messages import Message
from dicomsim.errors import AssociationError
from dicomsim.presentation import PresentationContextTuple

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

LOGGER = logging.getLogger("dicomsim")

SOP_CLASS_NOT_SUPPORTED = 0x0122
UNRECOGNIZED_OPERATION = 0x0211
PROCESSING_FAILURE = 0x0110
CANNOT_UNDERSTAND = 0xC000

FAILURES = {
    "C-STORE-RQ": CANNOT_UNDERSTAND,
    "C-FIND-RQ": CANNOT_UNDERSTAND,
    "C-GET-RQ": CANNOT_UNDERSTAND,
    "C-MOVE-RQ": CANNOT_UNDERSTAND,
}
"""What a service answers when user code failed: its "unable to process", PS3.4; all others PS3.7 §C.5.26, processing failure."""

MAX_COMMENT = 64
"""Characters of an Error Comment (VR LO)."""


class Refused(Exception):
    """Ends a call with a failure status; raised by what stands between a provider and user code."""

    def __init__(self, status: int, comment: str) -> None:
        super().__init__(comment)
        self.status = status
        self.comment = comment


class Handlers(Protocol):
    """Where user code is found: an AE."""

    def handler(self, name: str) -> Callable[..., Any] | None:
        """The user's function of that name, or None if there is none."""
        ...


@dataclass(slots=True)
class Call:
    """One request, and what is needed to serve it."""

    message: Message
    """The request, with its data set or where that went."""
    context: PresentationContextTuple
    """The presentation context it came on."""
    handlers: Handlers
    """The user's functions."""
    make_info: Callable[[Message], dict[str, Any]]
    """Builds what handlers get as `info`."""
    send: Callable[[Message], None]
    """Sends a response; raises `AssociationError` when there is nobody left to hear it."""
    is_cancelled: Callable[[], bool]
    """Whether a C-CANCEL came for it."""
    association: Any
    """The association, for user code and sub-operations."""

    @property
    def info(self) -> dict[str, Any]:
        """What handlers get as `info`."""
        return self.make_info(self.message)

    @property
    def failure(self) -> int:
        """The status for user code that failed."""
        return FAILURES.get(self.message.name, PROCESSING_FAILURE)

    def respond(self, status: int, data: DataSource | None = None, **elements: Any) -> None:
        """Send a response."""
        self.send(respond(self.message, status, data, **elements))

    def respond_with(self, status: Any, data: DataSource | None = None) -> None:
        """Send a response with what a handler returned as status: an int, or a data set with a Status."""
        code, elements = self.status(status)
        response = respond(self.message, code, data)
        response.command.update(elements)
        self.send(response)

    def status(self, value: Any) -> tuple[int, dict[int, Any]]:
        """Read what a handler returned as status; raises `Refused` for nonsense."""
        if type(value) is int and 0 <= value <= 0xFFFF:
            return value, {}
        from dicomsim.datasets import status_of  # loads pydicom, which a plain number does not need

        try:
            return status_of(value)
        except (TypeError, ValueError) as error:
            LOGGER.error("%s: the handler returned no status: %s", self.message.name, error)
            raise Refused(self.failure, "handler returned no status") from error

    def run(self, name: str, *arguments: Any) -> Any:
        """Run a handler; raises `Refused` when there is none, or when it raises (its traceback goes to the log)."""
        function = self.handlers.handler(name)
        if function is None:
            raise Refused(self.failure, f"no {name} handler")
        try:
            return function(*arguments)
        except AssociationError:
            raise
        except Exception as error:  # user code
            LOGGER.exception("%s: the handler %s failed", self.message.name, name)
            raise Refused(self.failure, f"handler failed: {type(error).__name__}") from error

    def dataset(self) -> Dataset:
        """The data set, decoded; raises `Refused` when that cannot be done."""
        from dicomsim.datasets import DatasetError, decode

        try:
            return decode(self.message.data_bytes(), self.context.transfer_syntax)
        except DatasetError as error:
            LOGGER.error("%s: %s", self.message.name, error)
            raise Refused(self.failure, "data set cannot be read") from error


def serve(provider: Callable[[Call], None], call: Call) -> None:
    """Run a provider to its end; it never raises: what goes wrong is answered, and what cannot be is logged."""
    try:
        try:
            provider(call)
        except Refused as refusal:
            call.respond(refusal.status, error_comment=refusal.comment[:MAX_COMMENT])
    except AssociationError as error:
        LOGGER.info("%s: not answered: %s", call.message.name, error)
    except Exception:  # a defect of ours: the peer is told all the same
        LOGGER.exception("%s: the provider failed", call.message.name)
        try:
            call.respond(PROCESSING_FAILURE)
        except Exception:  # what failed may be the sending itself
            LOGGER.exception("%s: not answered", call.message.name)
