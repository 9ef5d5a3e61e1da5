"""`Storing`: C-ECHO and C-STORE."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from dicomsim.dimse.data import DataSource, source_bytes
from dicomsim.dimse.messages import Message
from dicomsim.operations.requesting import LOW_PRIORITY, MOST, Request, Requesting, check_number
from dicomsim.part10 import WHOLE, open_object
from dicomsim.upper_layer.agreement import AcceptedContext

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    Storable = Dataset | str | os.PathLike[str]

VERIFICATION = "1.2.840.10008.1.1"

AHEAD = 1 << 20
"""Bytes up to which `c_store_each` reads a file at once, of all but the first while the peer is at work; most images
are less."""


T = TypeVar("T")


class LookAhead(Iterator[T]):
    """Items of which the next one can be had before its turn comes."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self._ahead: list[T] = []

    def look(self) -> None:
        """Have the next one ready, if there is one."""
        self._ahead.extend(islice(self._items, 1 - len(self._ahead)))

    def __next__(self) -> T:
        return self._ahead.pop() if self._ahead else next(self._items)


class Storing(Requesting):
    """C-ECHO and C-STORE of an `Association`."""

    __slots__ = ()

    def prepare_c_echo(self) -> Request:
        """The request of `c_echo`."""
        context = self.context_for(VERIFICATION)
        return Request("C-ECHO-RQ", context.context_id, None, {"affected_sop_class_uid": VERIFICATION})

    def c_echo(self, message_id: int | None = None) -> Message:
        """Ask whether the peer is there; raises what ended the association instead of an answer."""
        return self.ask(self.prepare_c_echo(), message_id)

    def send_c_echo(self, msg_id: int = 1) -> Dataset:
        """As `c_echo`, in the form of the 1.x API.

        Raises `RuntimeError` when the association is not open, `ValueError` when no context for it was accepted.
        """
        self.require_established("C-ECHO")
        return self.status_of(lambda: self.c_echo(msg_id))

    def prepare_c_store(
        self,
        dataset: Storable,
        priority: int = LOW_PRIORITY,
        originator_aet: str | bytes | None = None,
        originator_id: int | None = None,
        convert: bool | None = None,
        whole: int = WHOLE,
    ) -> Request:
        """The request of `c_store`; a file of at most `whole` bytes is read at once."""
        if not (type(priority) is int and 0 <= priority <= MOST):
            check_number("a priority", priority)
        if originator_id is not None:
            check_number("originator_id", originator_id)
        sop_class, instance, context, data = self._storable(dataset, convert, whole)
        if isinstance(originator_aet, bytes):
            originator_aet = originator_aet.decode("ascii", "replace").strip()
        elements = {
            "affected_sop_class_uid": sop_class,
            "priority": priority,
            "affected_sop_instance_uid": instance,
            "move_originator_application_entity_title": originator_aet,
            "move_originator_message_id": originator_id,
        }
        return Request("C-STORE-RQ", context.context_id, data, elements)

    def c_store(
        self,
        dataset: Storable,
        message_id: int | None = None,
        priority: int = LOW_PRIORITY,
        originator_aet: str | bytes | None = None,
        originator_id: int | None = None,
        convert: bool | None = None,
    ) -> Message:
        """Send a data set, or the data set of a file as it stands, without decoding it.

        With `convert`, one with native pixel data goes in whichever such transfer syntax was accepted; without it only
        in its own; by default a `Dataset` is converted, since it has to be encoded anyway, and a file is not. A file
        that is converted passes through memory.

        Raises `FileError` for a file that cannot be sent, `ValueError` when no accepted context fits, and what ended
        the association instead of an answer.
        """
        return self.ask(self.prepare_c_store(dataset, priority, originator_aet, originator_id, convert), message_id)

    def c_store_each(
        self, datasets: Iterable[Storable], priority: int = LOW_PRIORITY, convert: bool | None = None
    ) -> Iterator[Message]:
        """Send one after the other as `c_store` does, and yield the response to each.

        Each is asked for and encoded, or its file read if that is no longer than `AHEAD`, while the peer is at work on
        the one before, which takes that time off the whole. Raises as `c_store` does, for each when its turn comes;
        what comes behind it is not sent then.
        """
        requests = LookAhead(_prepared(self, datasets, priority, convert))
        for request in requests:
            if isinstance(request, Exception):
                raise request
            yield self.ask(request, meanwhile=requests.look)

    def send_c_store(
        self,
        dataset: Storable,
        msg_id: int = 1,
        priority: int = LOW_PRIORITY,
        originator_aet: str | bytes | None = None,
        originator_id: int | None = None,
        convert: bool | None = None,
    ) -> Dataset:
        """As `c_store`, in the form of the 1.x API; raises `RuntimeError` when the association is not open."""
        self.require_established("C-STORE")
        return self.status_of(
            lambda: self.c_store(dataset, msg_id, priority, originator_aet, originator_id, convert)
        )

    def _storable(
        self, dataset: Storable, convert: bool | None, whole: int
    ) -> tuple[str, str, AcceptedContext, DataSource]:
        if isinstance(dataset, str | os.PathLike):
            meta, data = open_object(dataset, whole)
            context = self.context_for(meta.sop_class_uid, meta.transfer_syntax_uid, reencodes=bool(convert))
            converted = _converted(data, meta.transfer_syntax_uid, context.transfer_syntax)
            return meta.sop_class_uid, meta.sop_instance_uid, context, converted
        from dicomsim.datasets import encode

        sop_class, instance = str(dataset.SOPClassUID), str(dataset.SOPInstanceUID)
        encoded_as = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
        wanted = None if encoded_as is None else str(encoded_as)
        context = self.context_for(sop_class, wanted, reencodes=convert is not False)
        return sop_class, instance, context, encode(dataset, context.transfer_syntax)


def _prepared(
    storing: Storing, datasets: Iterable[Storable], priority: int, convert: bool | None
) -> Iterator[Request | Exception]:
    """The requests, and at last what one raises that cannot be had."""
    try:
        for dataset in datasets:
            yield storing.prepare_c_store(dataset, priority, convert=convert, whole=AHEAD)
    except Exception as error:  # noqa: BLE001  # raised when its turn comes
        yield error


def _converted(data: DataSource, from_syntax: str, to_syntax: str) -> DataSource:
    if from_syntax == to_syntax:
        return data
    from dicomsim.datasets import convert

    return convert(source_bytes(data), from_syntax, to_syntax)
