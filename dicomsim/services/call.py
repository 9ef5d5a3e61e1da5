"""`Call`: one request of the peer, as a service provider sees it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from dicomsim.dimse.builders import respond
from dicomsim.dimse.data import DataSource
from dicomsim.dimse.exchange import Operation
from dicomsim.dimse.messages import Message
from dicomsim.dimse.table import PENDING
from dicomsim.errors import AssociationError, DicomsimError
from dicomsim.presentation import PresentationContextTuple
from dicomsim.services.stack import stack_of
from dicomsim.sop_class import service_of
from dicomsim.status import Status, StatusClass, describe_status, find_status, status_class

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

LOGGER = logging.getLogger("dicomsim")

FAILURES = {
    "C-STORE-RQ": Status.UNABLE_TO_PROCESS,
    "C-FIND-RQ": Status.UNABLE_TO_PROCESS,
    "C-GET-RQ": Status.UNABLE_TO_PROCESS,
    "C-MOVE-RQ": Status.UNABLE_TO_PROCESS,
}
"""What a service answers when user code failed: its "unable to process", PS3.4; all others PS3.7 §C.5.21."""

NO_ROOM = {
    "C-FIND-RQ": Status.OUT_OF_RESOURCES,
    "C-GET-RQ": Status.UNABLE_TO_CALCULATE_NUMBER_OF_MATCHES,
    "C-MOVE-RQ": Status.UNABLE_TO_CALCULATE_NUMBER_OF_MATCHES,
}
"""What a service answers when a data set would not fit into memory; all others PS3.7 §C.5.22."""

DATA_SET_LIMIT = 1 << 29
"""Bytes of a data set that is no object: an identifier, attributes, a reply. The longest are images to be printed,
of a hundred megabytes."""

MAX_COMMENT = 64
"""Characters of an Error Comment (VR LO)."""


class RefusedError(Exception):
    """Ends a call with a failure status; raised by what stands between a provider and user code."""

    def __init__(self, status: int, comment: str) -> None:
        super().__init__(comment)
        self.status = int(status)
        self.comment = comment[:MAX_COMMENT]


class OverError(Exception):
    """The call has had its final response; there is nothing left to say."""


class Handlers(Protocol):
    """Where user code is found: an AE."""

    def handler(self, name: str) -> Callable[..., Any] | None:
        """The user's function of that name, or None if there is none."""
        ...


@dataclass(slots=True, eq=False)
class Call:
    """One request, and what is needed to serve it."""

    operation: Operation
    """The request among the others that are being served."""
    context: PresentationContextTuple
    """The presentation context it came on."""
    may_perform: bool
    """Whether the roles that were negotiated make it the peer's to ask and ours to perform."""
    handlers: Handlers
    """The user's functions."""
    make_info: Callable[[Call], dict[str, Any]]
    """Builds what handlers get as `info`."""
    answer: Callable[[Message], None]
    """Sends a response; raises `AssociationError` when there is nobody left to hear it."""
    association: Any
    """The association, for user code and sub-operations."""
    renew: Callable[[], None] | None = None
    """Called whenever user code is entered: its time limit begins anew."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """What providers add to `info["parameters"]`."""
    over: bool = False
    """Whether the final response has been sent, or begun."""
    _thread: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _asking: threading.Lock = field(default_factory=threading.Lock)
    _stops: bool | None = None

    @property
    def message(self) -> Message:
        """The request, with its data set or where that went."""
        return self.operation.request

    @property
    def service(self) -> str:
        """`C-STORE`, `N-GET` …"""
        return self.message.name.removesuffix("-RQ")

    @property
    def info(self) -> dict[str, Any]:
        """What handlers get as `info`."""
        return self.make_info(self)

    @property
    def failure(self) -> int:
        """The status for user code that failed."""
        return failure_of(self.message)

    # -- answering ---------------------------------------------------------------------------------------------------

    def send(self, response: Message) -> None:
        """Send a response; raises `OverError` behind a final one, `AssociationError` when nobody hears it."""
        if not response.is_pending:
            with self._lock:
                if self.over:
                    raise OverError
                self.over = True
        elif self.over:
            raise OverError
        self.answer(response)

    def respond(
        self, status: int, data: DataSource | None = None, further: Mapping[int, Any] | None = None, **elements: Any
    ) -> None:
        """Send a response, with further elements by their tags or their names."""
        response = respond(self.message, int(status), data, **elements)
        response.command.update(further or {})
        self.send(response)

    def respond_with(self, status: Any) -> None:
        """Send a response with what a handler gave as status: an int, or a data set with a Status."""
        code, further = self.status(status)
        self.respond(code, further=further)

    def status(self, value: Any) -> tuple[int, dict[int, Any]]:
        """Read what a handler gave as status; raises `RefusedError` for nonsense."""
        further: dict[int, Any] = {}
        if type(value) is int and 0 <= value <= 0xFFFF:
            code = value
        else:
            from dicomsim.datasets import status_of  # loads pydicom, which a plain number does not need

            try:
                code, further = status_of(value)
            except (TypeError, ValueError) as error:
                LOGGER.error("%s: the handler gave no status: %s", self.message.name, error)
                raise RefusedError(self.failure, "handler gave no status") from error
        if not knows_status(code, self.message.sop_class_uid or "", self.service):
            LOGGER.warning("%s: answered with %s", self.message.name, self.describe(code))
        return code, further

    def describe(self, code: int) -> str:
        """A status of this service in words."""
        uid = self.message.sop_class_uid
        return describe_status(code, uid if uid and service_of(uid) else None, self.service)

    # -- user code ---------------------------------------------------------------------------------------------------

    def run(self, name: str, *arguments: Any) -> Any:
        """Run a handler; raises `RefusedError` when there is none, or when it raises (the log has its traceback)."""
        function = self.handlers.handler(name)
        if function is None:
            raise RefusedError(self.failure, f"no {name} handler")
        return self._guard(name, function, *arguments)

    def steps(self, name: str, *arguments: Any) -> Generator[Any, None, None]:
        """What a handler yields; to be closed, which closes the handler. Raises as `run` does."""
        result = self.run(name, *arguments)
        try:
            iterator = iter(result)
        except TypeError:
            LOGGER.error("%s: the handler %s yielded nothing, but returned %r", self.message.name, name, result)
            raise RefusedError(self.failure, "handler does not yield") from None
        try:
            while (step := self._guard(name, next, iterator, _END)) is not _END:
                yield step
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                try:
                    close()
                except BaseException:  # user code, whatever it raises
                    LOGGER.exception("%s: the handler %s failed when it was closed", self.message.name, name)

    def _guard(self, name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        if self.renew is not None:
            self.renew()
        self._thread = threading.get_ident()
        try:
            return function(*arguments)
        except BaseException as error:  # user code; sys.exit and pytest.fail raise no Exception
            if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
                raise  # Ctrl-C, while the caller of a C-GET stores what comes
            LOGGER.exception("%s: the handler %s failed", self.message.name, name)
            raise RefusedError(self.failure, f"handler failed: {type(error).__name__}") from error
        finally:
            self._thread = None

    @property
    def in_user_code(self) -> bool:
        """Whether a handler of the user's is running."""
        return self._thread is not None

    def time_out(self, seconds: float) -> None:
        """Answer in place of a handler that does not end; what it gives later is dropped.

        The log gets a traceback of where it is.
        """
        thread = self._thread
        if thread is None or self.over:
            return
        where = stack_of(thread)
        LOGGER.error("%s: its handler has not ended within %g s; it is here:\n%s", self.message.name, seconds, where)
        try:
            self.respond(self.failure, error_comment=f"handler did not end within {seconds:g} s"[:MAX_COMMENT])
        except OverError:
            LOGGER.info("%s: the handler ended this instant", self.message.name)
        except AssociationError as error:
            LOGGER.info("%s: not answered: %s", self.message.name, error)

    # -- cancel ------------------------------------------------------------------------------------------------------

    def is_cancelled(self) -> bool:
        """Whether a C-CANCEL came for it."""
        return self.operation.cancelled

    def stops(self) -> bool:
        """Whether it is to end early: a C-CANCEL came, and the user's cancel handler, if any, did not say False.

        The handler is asked once, by whoever comes first: this, or the arrival of the C-CANCEL.
        """
        if not self.operation.cancelled:
            return False
        with self._asking:
            if self._stops is None:
                handler = self.handlers.handler(f"on_{self.service.lower().replace('-', '_')}_cancel")
                self._stops = True
                if handler is not None:
                    try:
                        self._stops = handler() is not False
                    except BaseException:  # user code, whatever it raises
                        LOGGER.exception("%s: its cancel handler failed", self.message.name)
            return self._stops

    def heed_cancel(self) -> None:
        """A C-CANCEL has arrived: ask the user's cancel handler at once, for the other one may wait for that."""
        self.stops()

    # -- data sets ---------------------------------------------------------------------------------------------------

    def dataset(self) -> Dataset:
        """The data set, decoded, with file meta information; raises `RefusedError` when that cannot be done."""
        from dicomsim.datasets import decode

        return self._decoded(decode)

    def identifier(self) -> Dataset:
        """The data set, decoded, without file meta information, for it is no object; raises as `dataset` does."""
        from dicomsim.datasets import decode_bare

        return self._decoded(decode_bare)

    def _decoded(self, decode: Callable[[bytes, str], Dataset]) -> Dataset:
        from dicomsim.datasets import DatasetError

        if self.message.sink_error is not None:
            LOGGER.error("%s: %s", self.message.name, self.message.sink_error)
            refusal = NO_ROOM.get(self.message.name, Status.RESOURCE_LIMITATION)
            raise RefusedError(refusal, "data set is too long")
        try:
            return decode(self.message.data_bytes(), self.context.transfer_syntax)
        except DatasetError as error:
            LOGGER.error("%s: %s", self.message.name, error)
            raise RefusedError(self.failure, "data set cannot be read") from error

    def encoded(self, value: Any) -> DataSource:
        """A data set of a handler, to be sent on this context; bytes are taken for encoded already.

        Raises `RefusedError` for what is no data set, or cannot be encoded.
        """
        if isinstance(value, bytes | bytearray | memoryview):
            return value
        from dicomsim.datasets import Dataset, DatasetError, encode

        if not isinstance(value, Dataset):
            LOGGER.error("%s: the handler gave %r for a data set", self.message.name, value)
            raise RefusedError(self.failure, "handler gave no data set")
        try:
            return encode(value, self.context.transfer_syntax)
        except DatasetError as error:
            LOGGER.error("%s: %s", self.message.name, error)
            raise RefusedError(self.failure, "data set cannot be written") from error

    def pair(self, step: Any) -> tuple[Any, Any]:
        """What a handler gave as status and data set; a status alone has none. Raises `RefusedError`."""
        if isinstance(step, tuple | list):
            if len(step) == 2:
                return step[0], step[1]
            LOGGER.error("%s: the handler gave %r for a status and a data set", self.message.name, step)
            raise RefusedError(self.failure, "handler gave no status and data set")
        return step, None


_END = object()


def failure_of(message: Message) -> int:
    """The status for a request that our side fails at."""
    return FAILURES.get(message.name, Status.PROCESSING_FAILURE)


@lru_cache(maxsize=4096)  # asked for every answer, and there are few statuses
def knows_status(code: int, sop_class: str, service: str) -> bool:
    """Whether a status is one of the service class; of services that the standard does not know, any with a class."""
    if code == Status.SUCCESS or (code in PENDING and service in ("C-FIND", "C-GET", "C-MOVE")):
        return True
    if not sop_class or service_of(sop_class) is None:
        return status_class(code) is not StatusClass.UNKNOWN
    return find_status(code, sop_class, service) is not None


def serve(provider: Callable[[Call], None], call: Call) -> None:
    """Run a provider to its end; it never raises: what goes wrong is answered, and what cannot be is logged."""
    try:
        try:
            provider(call)
        except RefusedError as refusal:
            call.respond(refusal.status, error_comment=refusal.comment)
    except OverError:
        LOGGER.info("%s: an answer came after the final one", call.message.name)
    except AssociationError as error:
        LOGGER.info("%s: not answered: %s", call.message.name, error)
    except DicomsimError as error:  # a timeout of ours, or what is to be sent cannot be had
        LOGGER.warning("%s: not answered: %s", call.message.name, error)
    except Exception:  # a defect of ours: the peer is told all the same
        LOGGER.exception("%s: the provider failed", call.message.name)
        try:
            call.respond(Status.PROCESSING_FAILURE)
        except Exception:  # what failed may be the sending itself
            LOGGER.exception("%s: not answered", call.message.name)
