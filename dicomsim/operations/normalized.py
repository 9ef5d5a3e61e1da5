"""`Normalizing`: the N-services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomsim.dimse.messages import Message
from dicomsim.operations.requesting import LOGGER, Request, Requesting, check_number

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    Answer = tuple[Dataset, Dataset | None]


class Normalizing(Requesting):
    """The N-services of an `Association`.

    `class_uid` may belong to a meta SOP class that was negotiated; with `meta_uid`, only a context of that one is used.
    A `dataset` of None goes without a data set.
    """

    __slots__ = ()

    def _normalized(
        self,
        service: str,
        class_uid: str,
        instance_uid: str | None,
        dataset: Dataset | None = None,
        meta_uid: str | None = None,
        **elements: Any,
    ) -> Request:
        context = self.context_for(str(meta_uid or class_uid), service=service)
        kind = "affected" if service in ("N-CREATE", "N-EVENT-REPORT") else "requested"
        elements |= {
            f"{kind}_sop_class_uid": str(class_uid),
            f"{kind}_sop_instance_uid": None if instance_uid is None else str(instance_uid),
        }
        data = None
        if dataset is not None:
            from dicomsim.datasets import encode

            data = encode(dataset, context.transfer_syntax)
        return Request(f"{service}-RQ", context.context_id, data, elements)

    def prepare_n_event_report(
        self, dataset: Dataset | None, event_type: int, class_uid: str, instance_uid: str, meta_uid: str | None = None
    ) -> Request:
        """The request of `n_event_report`."""
        check_number("an event type", event_type)
        return self._normalized(
            "N-EVENT-REPORT", class_uid, instance_uid, dataset, meta_uid, event_type_id=event_type
        )

    def prepare_n_get(
        self, identifier_list: Any, class_uid: str, instance_uid: str, meta_uid: str | None = None
    ) -> Request:
        """The request of `n_get`."""
        from dicomsim.datasets import tag_numbers

        tags = tag_numbers(identifier_list or ()) or None
        return self._normalized(
            "N-GET", class_uid, instance_uid, None, meta_uid, attribute_identifier_list=tags
        )

    def prepare_n_set(
        self, dataset: Dataset, class_uid: str, instance_uid: str, meta_uid: str | None = None
    ) -> Request:
        """The request of `n_set`."""
        return self._normalized("N-SET", class_uid, instance_uid, dataset, meta_uid)

    def prepare_n_action(
        self, dataset: Dataset | None, action_type: int, class_uid: str, instance_uid: str, meta_uid: str | None = None
    ) -> Request:
        """The request of `n_action`."""
        check_number("an action type", action_type)
        return self._normalized("N-ACTION", class_uid, instance_uid, dataset, meta_uid, action_type_id=action_type)

    def prepare_n_create(
        self, dataset: Dataset | None, class_uid: str, instance_uid: str | None = None, meta_uid: str | None = None
    ) -> Request:
        """The request of `n_create`."""
        return self._normalized("N-CREATE", class_uid, instance_uid, dataset, meta_uid)

    def prepare_n_delete(self, class_uid: str, instance_uid: str, meta_uid: str | None = None) -> Request:
        """The request of `n_delete`."""
        return self._normalized("N-DELETE", class_uid, instance_uid, None, meta_uid)

    def n_event_report(
        self, dataset: Dataset | None, event_type: int, class_uid: str, instance_uid: str,
        message_id: int | None = None, meta_uid: str | None = None,
    ) -> Message:
        """Tell of an event, as SCP of the SOP class. Raises what ended the association instead of an answer."""
        return self.ask(self.prepare_n_event_report(dataset, event_type, class_uid, instance_uid, meta_uid), message_id)

    def n_get(
        self, identifier_list: Any, class_uid: str, instance_uid: str,
        message_id: int | None = None, meta_uid: str | None = None,
    ) -> Message:
        """Ask for attributes, by tag or keyword; for all with an empty list. Raises as `n_event_report` does."""
        return self.ask(self.prepare_n_get(identifier_list, class_uid, instance_uid, meta_uid), message_id)

    def n_set(
        self, dataset: Dataset, class_uid: str, instance_uid: str,
        message_id: int | None = None, meta_uid: str | None = None,
    ) -> Message:
        """Change attributes. Raises as `n_event_report` does."""
        return self.ask(self.prepare_n_set(dataset, class_uid, instance_uid, meta_uid), message_id)

    def n_action(
        self, dataset: Dataset | None, action_type: int, class_uid: str, instance_uid: str,
        message_id: int | None = None, meta_uid: str | None = None,
    ) -> Message:
        """Have something done. Raises as `n_event_report` does."""
        return self.ask(self.prepare_n_action(dataset, action_type, class_uid, instance_uid, meta_uid), message_id)

    def n_create(
        self, dataset: Dataset | None, class_uid: str, instance_uid: str | None = None,
        message_id: int | None = None, meta_uid: str | None = None,
    ) -> Message:
        """Make an instance; without a UID the peer assigns one. Raises as `n_event_report` does."""
        return self.ask(self.prepare_n_create(dataset, class_uid, instance_uid, meta_uid), message_id)

    def n_delete(
        self, class_uid: str, instance_uid: str, message_id: int | None = None, meta_uid: str | None = None
    ) -> Message:
        """Delete an instance. Raises as `n_event_report` does."""
        return self.ask(self.prepare_n_delete(class_uid, instance_uid, meta_uid), message_id)

    def send_n_event_report(
        self, dataset: Dataset | None, event_type: int, class_uid: str, instance_uid: str,
        msg_id: int = 1, meta_uid: str | None = None,
    ) -> Answer:
        """As `n_event_report`, in the form of the 1.x API: (status, event reply or None).

        Raises `RuntimeError` when the association is not open, `ValueError` when no accepted context fits.
        """
        self.require_established("N-EVENT-REPORT")
        request = self.prepare_n_event_report(dataset, event_type, class_uid, instance_uid, meta_uid)
        return self._answer(request, msg_id)

    def send_n_get(
        self, identifier_list: Any, class_uid: str, instance_uid: str, msg_id: int = 1, meta_uid: str | None = None
    ) -> Answer:
        """As `n_get`: (status, attributes or None). Raises as `send_n_event_report` does."""
        self.require_established("N-GET")
        return self._answer(self.prepare_n_get(identifier_list, class_uid, instance_uid, meta_uid), msg_id)

    def send_n_set(
        self, dataset: Dataset, class_uid: str, instance_uid: str, msg_id: int = 1, meta_uid: str | None = None
    ) -> Answer:
        """As `n_set`: (status, attributes or None). Raises as `send_n_event_report` does."""
        self.require_established("N-SET")
        return self._answer(self.prepare_n_set(dataset, class_uid, instance_uid, meta_uid), msg_id)

    def send_n_action(
        self, dataset: Dataset | None, action_type: int, class_uid: str, instance_uid: str,
        msg_id: int = 1, meta_uid: str | None = None,
    ) -> Answer:
        """As `n_action`: (status, action reply or None). Raises as `send_n_event_report` does."""
        self.require_established("N-ACTION")
        return self._answer(self.prepare_n_action(dataset, action_type, class_uid, instance_uid, meta_uid), msg_id)

    def send_n_create(
        self, dataset: Dataset | None, class_uid: str, instance_uid: str | None = None,
        msg_id: int = 1, meta_uid: str | None = None,
    ) -> Answer:
        """As `n_create`: (status, attributes or None). Raises as `send_n_event_report` does."""
        self.require_established("N-CREATE")
        return self._answer(self.prepare_n_create(dataset, class_uid, instance_uid, meta_uid), msg_id)

    def send_n_delete(
        self, class_uid: str, instance_uid: str, msg_id: int = 1, meta_uid: str | None = None
    ) -> Dataset:
        """As `n_delete`: the status. Raises as `send_n_event_report` does."""
        self.require_established("N-DELETE")
        request = self.prepare_n_delete(class_uid, instance_uid, meta_uid)
        return self.status_of(lambda: self.ask(request, msg_id))

    def _answer(self, request: Request, msg_id: int) -> Answer:
        from dicomsim.datasets import DatasetError, decode_bare, status_dataset

        response = self.answered(lambda: self.ask(request, msg_id))
        if response is None or response.data is None:
            return status_dataset(response), None
        agreement = self.session.agreement
        assert agreement is not None  # there was an answer
        try:
            transfer_syntax = agreement.accepted[request.context_id].transfer_syntax
            return status_dataset(response), decode_bare(response.data_bytes(), transfer_syntax)
        except DatasetError as error:
            LOGGER.error("%s: %s", response.name, error)
            return status_dataset(response), None
