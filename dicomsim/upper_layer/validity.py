"""Which A-ASSOCIATE-RQ and -AC are invalid though every byte of them decodes: counts, identifiers, versions.

What the standard requires or forbids in so many words makes a PDU invalid here, and Evt19 follows; where it is silent,
or says that something is not tested, the receiver is lenient: a missing maximum length is no limit, a missing
implementation class UID is nobody's loss, of two items for one SOP class the first counts, unknown items do not exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from dicomsim.errors import WireError, WireFault
from dicomsim.wire.codes import ContextResult
from dicomsim.wire.item_codec import ITEMS, encode_item
from dicomsim.wire.items import (
    AbstractSyntax,
    ApplicationContext,
    AsynchronousOperationsWindow,
    ImplementationClassUid,
    ImplementationVersionName,
    MaximumLength,
    PresentationContextAC,
    PresentationContextRQ,
    RoleSelection,
    SopClassCommonExtendedNegotiation,
    SopClassExtendedNegotiation,
    TransferSyntax,
    UserIdentityAC,
    UserIdentityRQ,
    UserInformation,
)
from dicomsim.wire.pdu import AssociateAC, AssociateRQ

_ONCE = (ApplicationContext, UserInformation)
"""Items of which there is exactly one in an A-ASSOCIATE-RQ or -AC. PS3.8 §9.3.2, §9.3.3."""

_AT_MOST_ONCE = (
    MaximumLength,
    ImplementationClassUid,
    AsynchronousOperationsWindow,
    ImplementationVersionName,
    UserIdentityRQ,
    UserIdentityAC,
)
"""User information sub-items that have no second. PS3.8 Annex D.1, PS3.7 Annex D.3.3."""

_FIRST_ITEM = 74
_CONTEXT_HEADER = 8
_ITEM_HEADER = 4


def check_request(request: AssociateRQ) -> None:
    """Raise `WireError` if the request is invalid. PS3.8 §9.3.2."""
    _check_counts(request, PresentationContextRQ)
    _check_user_information(request)
    seen: set[int] = set()
    for context in request.presentation_contexts:
        context_id = context.context_id
        if not context_id & 1:
            raise _fault(request, f"context ID {context_id} is not odd", WireFault.INVALID_VALUE, context)
        if context_id in seen:
            raise _fault(request, f"a second context {context_id}", WireFault.INVALID_VALUE, context)
        seen.add(context_id)
        abstract = [item for item in context.items if isinstance(item, AbstractSyntax)]
        if len(abstract) > 1:
            raise _fault(request, "a second abstract syntax", WireFault.UNEXPECTED_PARAMETER, context, abstract[1])
        if not abstract:
            raise _fault(request, "no abstract syntax", WireFault.INVALID_VALUE, context)
        if not context.transfer_syntaxes:
            raise _fault(request, "no transfer syntax", WireFault.INVALID_VALUE, context)


def check_answer(request: AssociateRQ, answer: AssociateAC) -> None:
    """Raise `WireError` if the answer is invalid, or accepts what was not proposed. PS3.8 §9.3.3, §7.1.1.14.

    Answers may be missing, may be for contexts that nobody has proposed and may hold anything where they reject:
    none of that makes a context usable, and none is worth the association.
    """
    if not answer.protocol_version & 1:
        raise WireError(6, "A-ASSOCIATE-AC", f"bit 0 of protocol version {answer.protocol_version:04X}H is not set")
    _check_counts(answer, PresentationContextAC)
    _check_user_information(answer)
    proposed = {context.context_id: context.transfer_syntaxes for context in request.presentation_contexts}
    seen: set[int] = set()
    for context in answer.presentation_contexts:
        if context.context_id in seen:
            raise _fault(answer, f"a second answer for context {context.context_id}", WireFault.INVALID_VALUE, context)
        seen.add(context.context_id)
        if context.result == ContextResult.ACCEPTANCE and context.context_id in proposed:
            _check_transfer_syntax(answer, context, proposed[context.context_id])


def _check_transfer_syntax(answer: AssociateAC, context: PresentationContextAC, proposed: Sequence[str]) -> None:
    chosen = [item for item in context.items if isinstance(item, TransferSyntax)]
    if not chosen:
        raise _fault(answer, "accepted without a transfer syntax", WireFault.INVALID_VALUE, context)
    if len(chosen) > 1:
        raise _fault(answer, "a second transfer syntax", WireFault.UNEXPECTED_PARAMETER, context, chosen[1])
    if bare_uid(chosen[0].uid) not in map(bare_uid, proposed):
        raise _fault(answer, f"{chosen[0].uid!r} was not proposed", WireFault.INVALID_VALUE, context, chosen[0])


def bare_uid(uid: str) -> str:
    """Without the padding that some old peers send, though PS3.8 Annex F.1 knows none."""
    return uid.rstrip("\0 ")


_ByUid = TypeVar("_ByUid", RoleSelection, SopClassExtendedNegotiation, SopClassCommonExtendedNegotiation)


def first_by_uid(pdu: AssociateRQ | AssociateAC, kind: type[_ByUid]) -> dict[str, _ByUid]:
    """The user information sub-items of a class by SOP class UID; of two for one SOP class the first counts."""
    found: dict[str, _ByUid] = {}
    for item in pdu.user_information:
        if isinstance(item, kind):
            found.setdefault(bare_uid(item.sop_class_uid), item)
    return found


def _check_counts(pdu: AssociateRQ | AssociateAC, context_kind: type[Any]) -> None:
    counts = Counter(map(type, pdu.items))
    for kind in (*_ONCE, context_kind):
        if not counts[kind]:
            raise _fault(pdu, f"no {ITEMS[kind.TYPE].name}", WireFault.INVALID_VALUE)
    _check_single(pdu, pdu.items, _ONCE)


def _check_user_information(pdu: AssociateRQ | AssociateAC) -> None:
    information = next(item for item in pdu.items if isinstance(item, UserInformation))
    _check_single(pdu, information.items, _AT_MOST_ONCE, information)


def _check_single(
    pdu: AssociateRQ | AssociateAC, items: Iterable[Any], kinds: tuple[type[Any], ...], *parents: Any
) -> None:
    seen: set[type[Any]] = set()
    for item in items:
        kind = type(item)
        if kind in seen:
            raise _fault(pdu, f"a second {ITEMS[kind.TYPE].name}", WireFault.UNEXPECTED_PARAMETER, *parents, item)
        if kind in kinds:
            seen.add(kind)


def _fault(pdu: AssociateRQ | AssociateAC, reason: str, kind: WireFault, *chain: Any) -> WireError:
    """An error at the item that `chain` leads to from the outside in, or at the end of the PDU if it is empty."""
    path = pdu.TYPE.standard_name
    items: Iterable[Any] = pdu.items
    offset = _FIRST_ITEM
    if not chain:
        offset += sum(len(encode_item(item)) for item in items)
    for wanted in chain:
        for item in items:
            if item is wanted:
                break
            offset += len(encode_item(item))
        path += f"/{ITEMS[wanted.TYPE].name}"
        if isinstance(wanted, PresentationContextRQ | PresentationContextAC):
            path += f" {wanted.context_id}"
        if wanted is not chain[-1]:
            offset += _ITEM_HEADER if isinstance(wanted, UserInformation) else _CONTEXT_HEADER
            items = wanted.items
    return WireError(offset, path, reason, kind)
