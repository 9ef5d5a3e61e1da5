"""Actions on the answer to an association request: contexts accepted otherwise, and the answers to what was negotiated.

All work on the A-ASSOCIATE-AC that the conforming acceptor would send, as a value. `accept` makes one of a rejection,
the others leave a rejection alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from dicomsim.behaviour.action import Action, Parameter
from dicomsim.behaviour.kinds import ONE_SOP_CLASS, SOP_CLASS_UID, TRANSFER_SYNTAX_UID, codes
from dicomsim.behaviour.occasion import Layer, Occasion, Steps
from dicomsim.behaviour.payload import PAYLOAD
from dicomsim.behaviour.values import BYTE, Kind, RuleError, integer, list_of, read_text, shown, suggest, word
from dicomsim.upper_layer.negotiation import IMPLEMENTATION_CLASS_UID
from dicomsim.wire.items import (
    ApplicationContext,
    AsynchronousOperationsWindow,
    ImplementationClassUid,
    Item,
    MaximumLength,
    PresentationContextAC,
    RoleSelection,
    SopClassExtendedNegotiation,
    TransferSyntax,
    UserIdentityAC,
    UserInformation,
    UserItem,
)
from dicomsim.wire.pdu import AssociateAC, AssociateRQ

_ANSWER = (Layer.ANSWER,)

Selector = Callable[[int, str], bool]
"""Whether a context (by its ID) or a SOP class (by its UID; the ID is 0) is meant."""


def _read_selector(value: Any) -> str:
    text = read_text(value)
    return text if text == "*" or text.isdecimal() else str(ONE_SOP_CLASS.read(text))


def _within(read: Callable[[Any], Any], written: Any, key: Any, *, value: bool) -> Any:
    try:
        return read(written)
    except RuleError as fault:
        raise RuleError(fault.reason, str(key), *fault.where, value=value) from None


def _make_selector(text: str) -> Selector:
    if text == "*":
        return lambda context_id, uid: True
    if text.isdecimal():
        return lambda context_id, uid: context_id == int(text)
    test = ONE_SOP_CLASS.make(text)
    return lambda context_id, uid: bool(test(uid))


SELECTORS = list_of(Kind("context ID, SOP class, or *", _read_selector, _make_selector))


def _each(kind: Kind) -> Kind:
    """One value for all, or a mapping from selectors to values, of which the first that fits counts."""

    def read(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return kind.read(value)
        result = {}
        for key, item in value.items():
            selector = _within(_read_selector, key, key, value=False)
            result[selector] = _within(kind.read, item, key, value=True)
        return result

    def make(value: Any) -> dict[str, tuple[Selector, Any]]:
        values = value if isinstance(value, dict) else {"*": value}
        return {key: (_make_selector(key), kind.make(item)) for key, item in values.items()}

    return Kind(f"{kind.form}; or {{1: …, CTImageStorage: …, '*': …}}", read, make, words=kind.words, mapping=True)


def _chosen(values: Mapping[str, tuple[Selector, Any]], context_id: int, uid: str) -> Any:
    return next((value for selects, value in values.values() if selects(context_id, uid)), None)


def _unless(words: tuple[str, ...], kind: Kind) -> Kind:
    """One of a few words, which stay text, or a value of the kind."""

    def read(value: Any) -> Any:
        if isinstance(value, str) and value.casefold() in words:
            return value.casefold()
        try:
            return kind.read(value)
        except RuleError as fault:
            hint = suggest(value, words) if isinstance(value, str) else ""
            raise RuleError(f"{fault.reason}; or {', '.join(words)}{hint}", *fault.where) from None

    def make(value: Any) -> Any:
        return value if value in words else kind.make(value)

    return Kind(
        f"{', '.join(words)}, or {kind.form}", read, make, words=lambda: (*words, *kind.words()), mapping=kind.mapping
    )


SMALL = 1 << 14
"""Bytes that may be put into one item, so that the items around it can still say their length."""


def _read_small(value: Any) -> str:
    text = str(PAYLOAD.read(value))
    prefix, _, rest = text.partition(":")
    size = int(rest) if prefix in ("random", "zeros") else len(rest)
    if size > SMALL:
        raise RuleError(f"{shown(text)} is too long for an item: {SMALL} bytes at the most")
    return text


_INFORMATION = replace(PAYLOAD, read=_read_small)


_TRANSFER_SYNTAXES = _each(_unless(("none",), list_of(TRANSFER_SYNTAX_UID)))


def _abstract_syntaxes(request: AssociateRQ) -> dict[int, str]:
    return {
        context.context_id: (context.abstract_syntax or "").rstrip("\0 ") for context in request.presentation_contexts
    }


def _acceptance(request: AssociateRQ) -> AssociateAC:
    """An answer that accepts every context with the first transfer syntax proposed."""
    contexts = tuple(
        PresentationContextAC(context.context_id, 0, tuple(map(TransferSyntax, context.transfer_syntaxes[:1])))
        for context in request.presentation_contexts
    )
    user = UserInformation((MaximumLength(16382), ImplementationClassUid(IMPLEMENTATION_CLASS_UID)))
    name = request.application_context
    context_name = ApplicationContext() if name is None else ApplicationContext(name)
    titles = request.called_ae_title, request.calling_ae_title
    return AssociateAC(*titles, (context_name, *contexts, user), reserved=(0, bytes(2), request.reserved[2]))


def _accept(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
    request, answer = occasion.request, occasion.answer
    if request is None:
        return steps
    accept = answer if isinstance(answer, AssociateAC) else _acceptance(request)
    syntaxes = _abstract_syntaxes(request)
    offered = {context.context_id: context.transfer_syntaxes for context in request.presentation_contexts}
    alone = all(
        given[name] is None for name in ("result", "transfer_syntax", "only", "missing", "extra", "twice", "order")
    )
    results = {"*": (_make_selector("*"), 0)} if alone else given["result"] or {}
    contexts: list[PresentationContextAC] = []
    for context in accept.presentation_contexts:
        uid = syntaxes.get(context.context_id, "")
        if not _selected(given["missing"], context.context_id, uid):
            if given["only"] is not None:
                context = _limited(context, offered.get(context.context_id, ()), given["only"])  # noqa: PLW2901
            changed = _changed(context, uid, results, given["transfer_syntax"] or {})
            contexts += [changed] * (2 if _selected(given["twice"], context.context_id, uid) else 1)
    implicit = (TransferSyntax("1.2.840.10008.1.2"),)
    contexts += [PresentationContextAC(number, 0, implicit) for number in given["extra"] or ()]
    occasion.answer = _with_contexts(accept, _ordered(contexts, given["order"], occasion))
    return steps


def _selected(selectors: tuple[Selector, ...] | None, context_id: int, uid: str) -> bool:
    return any(selects(context_id, uid) for selects in selectors or ())


def _changed(
    context: PresentationContextAC,
    uid: str,
    results: Mapping[str, tuple[Selector, Any]],
    transfer_syntaxes: Mapping[str, tuple[Selector, Any]],
) -> PresentationContextAC:
    result = _chosen(results, context.context_id, uid)
    chosen = _chosen(transfer_syntaxes, context.context_id, uid)
    if result is not None:
        context = replace(context, result=result)
    if chosen is not None:
        context = replace(context, items=() if chosen == "none" else tuple(map(TransferSyntax, chosen)))
    return context


def _limited(context: PresentationContextAC, offered: Iterable[str], only: Iterable[str]) -> PresentationContextAC:
    """A context that would be accepted, as by a peer that can no other transfer syntaxes."""
    uids = [uid.rstrip("\0 ") for uid in offered]
    found = next((uid for uid in only if uid in uids), None)
    if found is not None:
        return replace(context, items=(TransferSyntax(found),))
    return replace(context, result=4) if context.result == 0 else context


def _ordered(
    contexts: list[PresentationContextAC], order: str | None, occasion: Occasion
) -> list[PresentationContextAC]:
    if order == "reversed":
        return contexts[::-1]
    if order == "shuffled":
        return occasion.random.sample(contexts, len(contexts))
    return contexts


def _with_contexts(answer: AssociateAC, contexts: list[PresentationContextAC]) -> AssociateAC:
    """The contexts where the first of them stood, or before the user information."""
    kinds = [type(item) for item in answer.items]
    place = next((index for index, kind in enumerate(kinds) if kind in (PresentationContextAC, UserInformation)), 0)
    others: list[Item] = [item for item in answer.items if not isinstance(item, PresentationContextAC)]
    return replace(answer, items=(*others[:place], *contexts, *others[place:]))


def _with_user_items(answer: AssociateAC, kind: type[Any], items: Iterable[UserItem]) -> AssociateAC:
    """User information with other items of one kind, in the place that the order of types gives them."""
    changed: list[Item] = []
    for item in answer.items:
        if isinstance(item, UserInformation):
            others = [part for part in item.items if not isinstance(part, kind)]
            place = sum(1 for part in others if getattr(part, "TYPE", 0xFF) < kind.TYPE)
            item = replace(item, items=(*others[:place], *items, *others[place:]))  # noqa: PLW2901
        changed.append(item)
    return replace(answer, items=tuple(changed))


def _on_acceptance(
    kind: type[Any], make: Callable[[Occasion, AssociateRQ, AssociateAC, Mapping[str, Any]], list[Any]]
) -> Callable[[Occasion, Steps, Mapping[str, Any]], Steps]:
    """An action that gives the user information other items of one kind."""

    def run(occasion: Occasion, steps: Steps, given: Mapping[str, Any]) -> Steps:
        if occasion.request is not None and isinstance(occasion.answer, AssociateAC):
            items = make(occasion, occasion.request, occasion.answer, given)
            occasion.answer = _with_user_items(occasion.answer, kind, items)
        return steps

    return run


def _of_kind(pdu: AssociateRQ | AssociateAC, kind: type[Any]) -> list[Any]:
    return [item for item in pdu.user_information if isinstance(item, kind)]


def _by_class(
    kind: type[Any], make: Callable[[Occasion, str, Any, Any], Any]
) -> Callable[[Occasion, AssociateRQ, AssociateAC, Mapping[str, Any]], list[Any]]:
    """Answers by SOP class: for what was offered, and unasked for SOP classes that the rule names."""

    def items(occasion: Occasion, request: AssociateRQ, answer: AssociateAC, given: Mapping[str, Any]) -> list[Any]:
        values = given["answer"]
        present = {item.sop_class_uid: item for item in _of_kind(answer, kind)}
        offered = {item.sop_class_uid: item for item in _of_kind(request, kind)}
        found = []
        for uid, offer in offered.items():
            value = _chosen(values, 0, uid.rstrip("\0 "))
            item = present.get(uid) if value is None else make(occasion, uid, offer, value)
            found.append(item)
        for key, (_, value) in values.items():
            uid = SOP_CLASS_UID.make(key) if key[0] != "*" and "*" not in key else None
            if uid is not None and not key.isdecimal() and uid not in offered:
                found.append(make(occasion, uid, None, value))
        return [item for item in found if item is not None]

    return items


def _role(occasion: Occasion, uid: str, offer: RoleSelection | None, value: Any) -> RoleSelection | None:
    if value == "absent":
        return None
    if value == "same":
        return offer
    return RoleSelection(uid, *value)


def _extended(
    occasion: Occasion, uid: str, offer: SopClassExtendedNegotiation | None, value: Any
) -> SopClassExtendedNegotiation | None:
    if value == "absent":
        return None
    if not isinstance(value, str):
        return SopClassExtendedNegotiation(uid, value(occasion))
    information = offer.information if offer is not None else b""
    changed = {"same": information, "longer": information + b"\1", "shorter": information[:-1]}
    return SopClassExtendedNegotiation(uid, changed[value])


def _window(occasion: Occasion, request: AssociateRQ, answer: AssociateAC, given: Mapping[str, Any]) -> list[Any]:
    value = given["answer"]
    if value == "same":
        return _of_kind(request, AsynchronousOperationsWindow)[:1]
    return [] if value == "absent" else [AsynchronousOperationsWindow(*value)]


def _identity(occasion: Occasion, request: AssociateRQ, answer: AssociateAC, given: Mapping[str, Any]) -> list[Any]:
    value = given["answer"]
    if value == "absent":
        return []
    return [UserIdentityAC(b"" if value == "empty" else value(occasion))]


def _maximum_length(
    occasion: Occasion, request: AssociateRQ, answer: AssociateAC, given: Mapping[str, Any]
) -> list[Any]:
    value = given["answer"]
    if value == "twice":
        return _of_kind(answer, MaximumLength)[:1] * 2
    return [] if value == "absent" else [MaximumLength(value)]


def _answered(name: str, says: str, kind: Kind, run: Any, default: Any = None) -> Action:
    return Action(name, says, _ANSWER, run, (Parameter("answer", kind, "the answer", default, default is None),))


_ROLES = _each(_unless(("absent", "same"), codes(("scu", "scp"), {})))
_INFORMATIONS = _each(_unless(("absent", "same", "longer", "shorter"), _INFORMATION))

ACTIONS = (
    Action(
        "accept",
        "answer the presentation contexts otherwise; alone, accept all, even if the association would be rejected",
        _ANSWER,
        _accept,
        (
            Parameter("result", _each(BYTE), "result of the contexts"),
            Parameter("transfer_syntax", _TRANSFER_SYNTAXES, "transfer syntax of the contexts; two, or none"),
            Parameter(
                "only",
                list_of(TRANSFER_SYNTAX_UID),
                "transfer syntaxes we can, best first; result 4 where none is offered",
            ),
            Parameter("missing", SELECTORS, "contexts that get no answer"),
            Parameter("extra", list_of(BYTE), "IDs that were not proposed, and are accepted"),
            Parameter("twice", SELECTORS, "contexts that are answered twice"),
            Parameter("order", word("reversed", "shuffled"), "order of the answers"),
        ),
    ),
    _answered(
        "roles",
        "answer the role selections; unasked, where a SOP class is named",
        _ROLES,
        _on_acceptance(RoleSelection, _by_class(RoleSelection, _role)),
    ),
    _answered(
        "async",
        "answer the asynchronous operations window",
        _unless(("absent", "same"), codes(("invoked", "performed"), {}, 0xFFFF)),
        _on_acceptance(AsynchronousOperationsWindow, _window),
    ),
    _answered(
        "identity",
        "answer the user identity",
        _unless(("absent", "empty"), _INFORMATION),
        _on_acceptance(UserIdentityAC, _identity),
    ),
    _answered(
        "extended",
        "answer the SOP class extended negotiation; unasked, where a SOP class is named",
        _INFORMATIONS,
        _on_acceptance(SopClassExtendedNegotiation, _by_class(SopClassExtendedNegotiation, _extended)),
    ),
    _answered(
        "maximum-length",
        "answer with this maximum length",
        _unless(("absent", "twice"), integer(0, 0xFFFFFFFF)),
        _on_acceptance(MaximumLength, _maximum_length),
    ),
)
"""The words of this module."""
