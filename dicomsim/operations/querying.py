"""`Querying`: C-FIND, C-GET, C-MOVE and C-CANCEL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomsim.dimse.builders import c_cancel_rq
from dicomsim.operations.answers import Answers, StatusAnswers, cancel
from dicomsim.operations.models import model_uid
from dicomsim.operations.requesting import LOW_PRIORITY, Request, Requesting, check_number

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


class Querying(Requesting):
    """C-FIND, C-GET, C-MOVE and C-CANCEL of an `Association`.

    Identifiers are pydicom `Dataset`s; `query_model` is a UID or one of the letters of `operations.models`.
    """

    __slots__ = ()

    def _query(
        self, service: str, dataset: Dataset, priority: int, query_model: str, **elements: Any
    ) -> tuple[Request, str]:
        """The request, and the transfer syntax of its context."""
        from dicomsim.datasets import check_dataset, encode

        check_dataset(dataset)
        check_number("a priority", priority)
        sop_class = model_uid(query_model, service)
        context = self.context_for(sop_class)
        elements = {"affected_sop_class_uid": sop_class, "priority": priority, **elements}
        data = encode(dataset, context.transfer_syntax)
        return Request(f"{service}-RQ", context.context_id, data, elements), context.transfer_syntax

    def c_find(
        self, dataset: Dataset, message_id: int | None = None, priority: int = LOW_PRIORITY, query_model: str = "P"
    ) -> Answers:
        """Search; every response, read while they come. Raises `ValueError` when no accepted context fits."""
        return Answers(self, self._query("C-FIND", dataset, priority, query_model)[0], message_id)

    def c_get(
        self, dataset: Dataset, message_id: int | None = None, priority: int = LOW_PRIORITY, query_model: str = "P"
    ) -> Answers:
        """Retrieve on this association: what comes goes to `on_c_store` of our AE while the responses are read.

        For that, storage contexts have to be proposed in the role of SCP. Raises as `c_find` does.
        """
        return Answers(self, self._query("C-GET", dataset, priority, query_model)[0], message_id)

    def c_move(
        self,
        dataset: Dataset,
        move_aet: str | bytes,
        message_id: int | None = None,
        priority: int = LOW_PRIORITY,
        query_model: str = "P",
    ) -> Answers:
        """Have instances sent to the AE of that title, which the peer must know. Raises as `c_find` does."""
        title = _title(move_aet)
        request, _ = self._query("C-MOVE", dataset, priority, query_model, move_destination=title)
        return Answers(self, request, message_id)

    def send_c_find(
        self, dataset: Dataset, msg_id: int = 1, priority: int = LOW_PRIORITY, query_model: str = "P"
    ) -> StatusAnswers:
        """As `c_find`, in the form of the 1.x API: (status, identifier) pairs.

        Raises `RuntimeError` when the association is not open, `ValueError` when no accepted context fits.
        """
        return self._pairs("C-FIND", dataset, msg_id, priority, query_model)

    def send_c_get(
        self, dataset: Dataset, msg_id: int = 1, priority: int = LOW_PRIORITY, query_model: str = "P"
    ) -> StatusAnswers:
        """As `c_get`, in the form of the 1.x API; an identifier lists what failed. Raises as `send_c_find` does."""
        return self._pairs("C-GET", dataset, msg_id, priority, query_model)

    def send_c_move(
        self,
        dataset: Dataset,
        move_aet: str | bytes,
        msg_id: int = 1,
        priority: int = LOW_PRIORITY,
        query_model: str = "P",
    ) -> StatusAnswers:
        """As `c_move`, in the form of the 1.x API; an identifier lists what failed. Raises as `send_c_find` does."""
        return self._pairs("C-MOVE", dataset, msg_id, priority, query_model, move_destination=_title(move_aet))

    def _pairs(
        self, service: str, dataset: Dataset, msg_id: int, priority: int, query_model: str, **elements: Any
    ) -> StatusAnswers:
        if not isinstance(msg_id, int):
            raise TypeError(f"msg_id must be an int, not {msg_id!r}; the model goes to query_model")
        self.require_established(service)
        request, transfer_syntax = self._query(service, dataset, priority, query_model, **elements)
        return StatusAnswers(self, request, transfer_syntax, msg_id)

    def send_c_cancel(self, msg_id: int, context_id: int | None = None) -> bool:
        """Send a C-CANCEL for the operation of ours with that message id; its answers go on until the final one.

        When no such operation is outstanding, nothing is sent and False comes back, unless a `context_id` is given.
        Raises `RuntimeError` when the association is not open.
        """
        check_number("a message id", msg_id)
        self.require_established("C-CANCEL")
        session = self.session
        operation = session.exchange.invoked.get(msg_id)
        if operation is not None and context_id in (None, operation.request.context_id):
            return cancel(self, operation)
        if context_id is None:
            return False
        session.send(c_cancel_rq(msg_id, context_id))
        return True


def _title(move_aet: str | bytes) -> str:
    if isinstance(move_aet, bytes):
        move_aet = move_aet.decode("ascii", "surrogateescape")
    if not isinstance(move_aet, str):
        raise TypeError(f"move_aet must be bytes or str, not {move_aet!r}")
    return move_aet.strip()
