"""What of a captured requestor is fitted to a live acceptor: titles, secrets, contexts, message ids, PDU sizes.

What needs no fitting is sent as it was captured, byte for byte; so is what cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dicomsim.capture.contexts import Contexts
from dicomsim.dimse.messages import MESSAGE_ID_BEING_RESPONDED_TO, Message
from dicomsim.errors import DicomsimError, WireError
from dicomsim.sop_class import uid_name
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.command import decode_command, encode_command
from dicomsim.wire.items import (
    AbstractSyntax,
    MaximumLength,
    PresentationContextRQ,
    TransferSyntax,
    UserIdentityRQ,
    UserInformation,
)
from dicomsim.wire.pdu import AssociateRQ, PDataTF, Pdv, pad_ae_title
from dicomsim.wire.render import printable

CALLED, CALLING = slice(10, 26), slice(26, 42)
"""Where the titles stand in an A-ASSOCIATE-RQ, PS3.8 Table 9-11."""
SMALLEST = 8
"""Least maximum length that lets two bytes of a message through."""


class FittingError(DicomsimError):
    """A captured step cannot be played to the live peer."""


class ContextError(FittingError):
    """The live peer has accepted no context with the abstract and transfer syntax of a captured step."""


def fit_request(
    data: bytes, *, called: str | None, calling: str | None, secrets: bool, narrow: Contexts | None
) -> tuple[bytes, list[str]]:
    """An A-ASSOCIATE-RQ for the live peer, and what was changed in it beside the titles.

    Without `secrets` a user identity is left out. With `narrow`, contexts that were accepted there are proposed with
    the transfer syntax accepted alone.
    """
    notes: list[str] = []
    try:
        pdu = decode_pdu(data)
    except WireError:
        pdu = None
    if isinstance(pdu, AssociateRQ):
        fitted = pdu
        if not secrets and pdu.user_item(UserIdentityRQ) is not None:
            fitted = _without_identity(fitted)
            notes.append("the user identity was left out")
        if narrow is not None:
            fitted = _narrowed(fitted, narrow)
        if fitted != pdu:
            data = encode_pdu(fitted)
    patched = bytearray(data)
    for place, title in ((CALLED, called), (CALLING, calling)):
        if title is not None and len(patched) >= place.stop:
            patched[place] = pad_ae_title(title)[:16]
    return bytes(patched), notes


def _without_identity(pdu: AssociateRQ) -> AssociateRQ:
    items = tuple(
        replace(item, items=tuple(part for part in item.items if not isinstance(part, UserIdentityRQ)))
        if isinstance(item, UserInformation)
        else item
        for item in pdu.items
    )
    return replace(pdu, items=items)


def _narrowed(pdu: AssociateRQ, accepted: Contexts) -> AssociateRQ:
    items = []
    for item in pdu.items:
        if isinstance(item, PresentationContextRQ):
            syntax = accepted.transfer_syntax(item.context_id)
            if accepted.answer is not None and syntax in item.transfer_syntaxes:
                kept = tuple(part for part in item.items if isinstance(part, AbstractSyntax))
                item = replace(item, items=(*kept, TransferSyntax(syntax or "")))  # noqa: PLW2901
        items.append(item)
    return replace(pdu, items=tuple(items))


class PDataFitter:
    """Fits the P-DATA-TF of the requestor, in their order."""

    def __init__(
        self, captured: Contexts, live: Contexts, captured_requests: Sequence[int], live_requests: Sequence[int]
    ) -> None:
        """The requests are the message ids of the acceptor's own, in their order; all four may grow."""
        self._captured = captured
        self._live = live
        self._requests = captured_requests, live_requests
        self._command: list[bytes] = []
        self._context = 0  # that of the message under way, for the live peer
        self._skipping = False
        self._left_out: list[str] = []

    def fit(self, data: bytes) -> tuple[list[bytes], list[str]]:
        """The PDUs to send for a captured one, and what was left out; none while a command set is not complete.

        Raises `ContextError`, or `FittingError` if the peer takes nothing at all.
        """
        self._left_out = []
        try:
            pdu = decode_pdu(data)
        except WireError:
            return [data], []
        if not isinstance(pdu, PDataTF):
            return [data], []
        fitted = [part for pdv in pdu.pdvs for part in self._fragment(pdv)]
        if tuple(fitted) == pdu.pdvs and self._fits(len(data) - 6):
            return [data], []
        return [encode_pdu(PDataTF(group)) for group in self._groups(fitted)], self._left_out

    def _fragment(self, pdv: Pdv) -> Iterator[Pdv]:
        if not pdv.is_command:
            if not self._skipping:
                yield replace(pdv, context_id=self._context or pdv.context_id)
            return
        self._command.append(pdv.data)
        if not pdv.is_last:
            return
        command, whole = b"".join(self._command), len(self._command) == 1
        self._command.clear()
        self._skipping = False
        try:
            message = Message(pdv.context_id, decode_command(command))
        except WireError:
            self._context = pdv.context_id
            yield replace(pdv, data=command)
            return
        answered = self._answered(message)
        if answered is None:
            self._skipping = True
            self._left_out.append(f"{message.name} was left out: the live peer did not ask for it")
            return
        self._context = self._fitting_context(pdv.context_id, message)
        if message.is_response and answered != message.message_id_being_responded_to:
            command, whole = encode_command({**message.command, MESSAGE_ID_BEING_RESPONDED_TO: answered}), False
        yield replace(pdv, context_id=self._context, data=pdv.data if whole else command)

    def _answered(self, message: Message) -> int | None:
        """The live id of the request that a captured response answers; None if there is no such request."""
        number = message.message_id_being_responded_to
        captured, live = self._requests
        if not message.is_response or number is None or number not in captured:
            return number or 0
        ordinal = len(captured) - 1 - captured[::-1].index(number)
        return live[ordinal] if ordinal < len(live) else None

    def _fitting_context(self, context_id: int, message: Message) -> int:
        """The live context with the abstract and transfer syntax of a captured one."""
        wanted = self._captured.transfer_syntax(context_id)
        if self._live.answer is None or self._live.request is None or wanted is None:
            return context_id
        if self._live.transfer_syntax(context_id) == wanted:
            return context_id
        abstract = self._captured.abstract_syntax(context_id)
        offered = [
            context for context in self._live.request.presentation_contexts if context.abstract_syntax == abstract
        ]
        accepted = {c.context_id: self._live.transfer_syntax(c.context_id) for c in offered}
        for candidate, syntax in accepted.items():
            if syntax == wanted or (syntax is not None and not message.has_data_set):
                return candidate
        now = ", ".join(printable(uid_name(syntax)) for syntax in accepted.values() if syntax) or "nothing"
        raise ContextError(
            f"{message.name} needs {printable(uid_name(abstract or '?'))} with {printable(uid_name(wanted))}, "
            f"the peer accepted {now}"
        )

    @property
    def _limit(self) -> int:
        answer = self._live.answer
        item = answer.user_item(MaximumLength) if answer is not None else None
        return item.value if item is not None else 0

    def _fits(self, length: int) -> bool:
        return not self._limit or length <= self._limit

    def _groups(self, pdvs: list[Pdv]) -> Iterator[tuple[Pdv, ...]]:
        """PDVs put together to PDUs that the peer takes."""
        limit = self._limit
        if limit and limit < SMALLEST:
            raise FittingError(f"the peer's maximum length is {limit}: nothing can be sent to it")
        room = (limit - 6) & ~1 if limit else 0
        group: list[Pdv] = []
        size = 0
        for pdv in pdvs:
            for part in _split(pdv, room):
                length = len(part.data) + 6
                if limit and size + length > limit and group:
                    yield tuple(group)
                    group, size = [], 0
                group.append(part)
                size += length
        if group:
            yield tuple(group)


def _split(pdv: Pdv, room: int) -> Iterator[Pdv]:
    if not room or len(pdv.data) <= room:
        yield pdv
        return
    for start in range(0, len(pdv.data), room):
        ends = start + room >= len(pdv.data)
        yield replace(pdv, data=pdv.data[start : start + room], control=pdv.control if ends else pdv.control & ~2)
