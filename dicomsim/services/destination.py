"""`Destination`: where a C-MOVE sends to, on associations that are opened when they are needed."""

from __future__ import annotations

import os
from typing import Any, Self

from dicomsim.dimse.messages import Message
from dicomsim.errors import AssociationError
from dicomsim.part10 import read_file_meta
from dicomsim.presentation import MAX_CONTEXTS, PresentationContext, build_context
from dicomsim.sop_class import SOPClass
from dicomsim.transfer_syntax import TransferSyntaxUID

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"


class Destination:
    """Stores at one AE; a context manager that releases what is open.

    Storage contexts among the `requested_contexts` of our AE are what is proposed, if there are any. Without them each
    SOP class is proposed when its first instance comes, in the instance's own transfer syntax and in implicit VR little
    endian; an association that has no room for it is released for one that has.
    """

    def __init__(self, ae: Any, address: tuple[str, int], title: bytes, options: dict[str, Any]) -> None:
        self._ae = ae
        self._address = address
        self._title = title
        self._options = dict(options)
        given = self._options.pop("contexts", None)
        self._fixed = list(given) if given is not None else _storage_contexts(ae.requested_contexts)
        self._proposed: dict[tuple[str, str], PresentationContext] = {}
        self._association: Any = None
        self._gone: Exception | None = None

    def store(self, item: Any, request: Message, origin: Any) -> Message:
        """Send a data set, or that of a file, on behalf of a C-MOVE that came on the association `origin`.

        Raises what `c_store` raises, and `AssociationError` for good once the destination cannot be had.
        """
        association = self._open(item)
        response: Message = association.c_store(
            item,
            priority=request.priority or 0,
            originator_aet=origin.requestor.ae_title,
            originator_id=request.message_id,
            convert=True,
        )
        return response

    def _open(self, item: Any) -> Any:
        """The association to use for an instance."""
        if self._gone is not None:
            raise self._gone
        wanted = {} if self._fixed else _contexts(item)
        missing = wanted.keys() - self._proposed.keys()
        if self._association is not None and self._association.is_established and not missing:
            return self._association
        if self._association is not None and not self._association.is_established:
            raise self._lost(self._association)
        self.close()
        kept = list(self._proposed.items())[-(MAX_CONTEXTS - len(wanted)) :]
        self._proposed = dict(kept) | wanted
        contexts = self._fixed or list(self._proposed.values())
        self._association = self._ae.associate(
            *self._address, contexts=contexts, ae_title=self._title, **self._options
        )
        if not self._association.is_established:
            raise self._lost(self._association)
        return self._association

    def _lost(self, association: Any) -> Exception:
        self._gone = AssociationError(f"the move destination {self._title.decode().strip()}: {association.outcome}")
        return self._gone

    def close(self) -> None:
        """Release the association, if there is one."""
        association, self._association = self._association, None
        if association is not None:
            association.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _storage_contexts(contexts: list[PresentationContext]) -> list[PresentationContext]:
    return [one for one in contexts if SOPClass(one.abstract_syntax or "").dimse_services == ("C-STORE",)]


def _contexts(item: Any) -> dict[tuple[str, str], PresentationContext]:
    """What an instance needs: a context for each transfer syntax, so that the acceptor cannot choose one for all."""
    if isinstance(item, str | os.PathLike):
        meta = read_file_meta(item)
        sop_class, own = meta.sop_class_uid, meta.transfer_syntax_uid
    else:
        sop_class = str(item.SOPClassUID)
        own = str(getattr(getattr(item, "file_meta", None), "TransferSyntaxUID", None) or EXPLICIT)
    syntaxes = [own] if own == IMPLICIT or TransferSyntaxUID(own).is_encapsulated else [own, IMPLICIT]
    return {(sop_class, syntax): build_context(sop_class, syntax) for syntax in syntaxes}
