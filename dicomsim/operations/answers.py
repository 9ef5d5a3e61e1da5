"""`Answers`: the responses to a C-FIND, C-GET or C-MOVE, read one by one while they come."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from dicomsim.dimse.messages import Message
from dicomsim.errors import DicomsimError, StateError
from dicomsim.operations.requesting import Request, Requesting, note_status

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from dicomsim.dimse.exchange import Operation

LOGGER = logging.getLogger("dicomsim")


class Answers(Iterator[Message]):
    """Iterates over responses, the final one included; a context manager that closes itself.

    Nothing is read from the association between two steps, so that a peer that is faster than its reader waits, and
    memory stays bounded. Answers that are not read to the end are dropped as they come once this is closed, or gone.
    """

    def __init__(self, association: Requesting, request: Request, message_id: int | None = None) -> None:
        """Send the request."""
        self._reading = False
        self._association = association
        self._session = association.session
        self._operation: Operation = association.start(request, message_id, hold=True)
        self._reading = True

    @property
    def request(self) -> Message:
        """What was asked."""
        return self._operation.request

    @property
    def message_id(self) -> int:
        """The Message ID of the request."""
        return self._operation.message_id

    def __next__(self) -> Message:
        replies = self._operation.replies
        if not replies:
            if not self._reading:
                raise StopIteration
            try:
                self._session.await_more(lambda: bool(replies))
            except BaseException:
                self.close()
                raise
            if not replies:
                self._let_go()
                raise self._association.ended_early()
        response = replies.popleft()
        if not response.is_pending:
            note_status(self.request.name, self.request.sop_class_uid or "", response)
            self._let_go()
        return response

    def cancel(self) -> bool:
        """Send a C-CANCEL; the answers go on until the final one. False when the final one has come already.

        Raises what ended the association.
        """
        return cancel(self._association, self._operation)

    def close(self, cancel: bool = False) -> None:
        """Read no more; the answers still to come are dropped, after a C-CANCEL if asked to. Idempotent."""
        if not self._reading:
            return
        self._operation.notify = _drop
        self._operation.replies.clear()
        if cancel:
            try:
                self.cancel()
            except DicomsimError as error:
                LOGGER.info("%s %d: not cancelled: %s", self.request.name, self.message_id, error)
        self._let_go()

    def _let_go(self) -> None:
        if self._reading:
            self._reading = False
            self._operation.user = None
            self._session.unhold()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def _drop(response: Message) -> None:
    pass


def cancel(association: Requesting, operation: Operation) -> bool:
    """Send a C-CANCEL for an operation; False when it is not outstanding any more."""
    session = association.session
    session.take(quiet=False)
    try:
        try:
            message = session.exchange.cancel(operation)
        except StateError:
            return False
        session.send(message)
        return True
    finally:
        session.give_back()


class StatusAnswers(Iterator["tuple[Dataset, Dataset | None]"]):
    """The same in the form of the 1.x API: pairs of status and identifier.

    An identifier is None where there is none; a status is empty where there was no valid answer, and nothing follows.
    """

    def __init__(self, association: Requesting, request: Request, transfer_syntax: str, message_id: int) -> None:
        """Send the request."""
        self._transfer_syntax = transfer_syntax
        self._answers: Answers | None
        self._failed = False
        try:
            self._answers = Answers(association, request, message_id)
        except StateError:
            raise
        except DicomsimError as error:
            self._fail(error)

    def __next__(self) -> tuple[Dataset, Dataset | None]:
        from dicomsim.datasets import status_dataset

        if self._answers is None:
            if not self._failed:
                raise StopIteration
            self._failed = False
            return status_dataset(None), None
        try:
            response = next(self._answers)
        except DicomsimError as error:
            self._answers = None
            LOGGER.error("%s", error)
            return status_dataset(None), None
        return status_dataset(response), self._identifier(response)

    def _fail(self, error: DicomsimError) -> None:
        LOGGER.error("%s", error)
        self._answers, self._failed = None, True

    def _identifier(self, response: Message) -> Dataset | None:
        if response.data is None:
            return None
        from dicomsim.datasets import DatasetError, decode_bare

        try:
            return decode_bare(response.data_bytes(), self._transfer_syntax)
        except DatasetError as error:
            LOGGER.error("%s: %s", response.name, error)
            return None

    def cancel(self) -> bool:
        """As `Answers.cancel`."""
        return self._answers is not None and self._answers.cancel()

    def close(self, cancel: bool = False) -> None:
        """As `Answers.close`."""
        if self._answers is not None:
            self._answers.close(cancel)
            self._answers = None
