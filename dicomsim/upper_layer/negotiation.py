"""What an association is to be: one side's request and, by the other's policy, the answer. PS3.8 §7.1, PS3.7 Annex D.

`build_request` and `negotiate` make conforming PDUs from conforming arguments, and pass on whatever else they are
given: refusing to say something wrong is not their business. What both sides make of request and answer is in
`agreement.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from dicomsim import __version__
from dicomsim.events import Side
from dicomsim.upper_layer import rejections
from dicomsim.upper_layer.agreement import narrow
from dicomsim.upper_layer.roles import answer_roles
from dicomsim.upper_layer.validity import bare_uid, first_by_uid
from dicomsim.wire.codes import ContextResult, IdentityType
from dicomsim.wire.items import (
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
    UnknownItem,
    UserIdentityAC,
    UserIdentityRQ,
    UserInformation,
    UserItem,
)
from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ, pad_ae_title

DICOM_APPLICATION_CONTEXT: Final = "1.2.840.10008.3.1.1.1"
"""The only application context there is. PS3.7 Annex A.2.1."""

IMPLEMENTATION_CLASS_UID: Final = "2.25.206376687245363361177913543020829368903"
"""dicomsim's own, derived from a UUID. PS3.7 §D.3.3.2, PS3.5 Annex B.2."""

IMPLEMENTATION_VERSION_NAME: Final = f"DICOMSIM_{__version__.replace('.', '')}"[:16]
"""At most 16 characters. PS3.7 §D.3.3.2.3."""

DEFAULT_MAXIMUM_LENGTH: Final = 16382
"""Announced unless told otherwise; in common use since the first toolkits: a PDU and a few headers in 16 kB."""

_IDENTITY_TYPES = frozenset(map(int, IdentityType))


@dataclass(frozen=True, slots=True)
class SupportedContext:
    """What an acceptor takes for one abstract syntax."""

    transfer_syntaxes: Sequence[str]
    """In order of preference."""
    scu_role: bool | None = None
    """Whether the requestor may be SCU if it proposes roles; None (for either role) leaves the defaults."""
    scp_role: bool | None = None
    """Whether the requestor may be SCP if it proposes roles."""


@dataclass(frozen=True, slots=True)
class IdentityVerdict:
    """What an acceptor makes of a user identity."""

    accepted: bool
    """False rejects the association."""
    response: bytes = b""
    """Kerberos server ticket or SAML response; empty for the other types. Sent only if the requestor has asked."""


Window: TypeAlias = tuple[int, int]
"""Operations the requestor may have outstanding, and operations it performs at once; 0 is no limit."""


@dataclass(frozen=True, slots=True)
class AcceptorPolicy:
    """How an acceptor answers."""

    contexts: Mapping[str, SupportedContext]
    """By abstract syntax."""
    maximum_length: int = DEFAULT_MAXIMUM_LENGTH
    """Largest PDU-length of a P-DATA-TF that we take, 0 for no limit."""
    implementation_class_uid: str = IMPLEMENTATION_CLASS_UID
    """Ours."""
    implementation_version_name: str | None = IMPLEMENTATION_VERSION_NAME
    """Ours, or None to keep it to ourselves."""
    called_ae_titles: Container[str] | None = None
    """Titles by which we may be called; None for any but a blank one."""
    calling_ae_titles: Container[str] | None = None
    """Who may call; None for anyone with a title."""
    application_contexts: Container[str] = (DICOM_APPLICATION_CONTEXT,)
    """Application context names that we know."""
    prefer: Side = Side.ACCEPTOR
    """Whose order of transfer syntaxes decides."""
    window: Window | Callable[[int, int], Window | None] | None = None
    """Largest asynchronous operations window, or what decides on one offered; None leaves an offer unanswered."""
    user_identity: Callable[[UserIdentityRQ], IdentityVerdict | None] | None = None
    """Judges an identity of types 1 to 5; None, from it or instead of it, is "not supported" and gets no answer."""
    extended_negotiation: Callable[[Mapping[str, bytes]], Mapping[str, bytes]] | None = None
    """From the information offered to that answered, by SOP class; what is left out gets no answer."""
    common_extended_negotiation: (
        Callable[
            [Mapping[str, SopClassCommonExtendedNegotiation]],
            Mapping[str, SopClassCommonExtendedNegotiation],
        ]
        | None
    ) = None
    """Picks those that may stand in for an abstract syntax that is not in `contexts`."""
    service_classes: Mapping[str, SupportedContext] = field(default_factory=dict)
    """By service class UID: what to take for a SOP class known only through a picked common extended negotiation."""


def negotiate(request: AssociateRQ, policy: AcceptorPolicy) -> AssociateAC | AssociateRJ:
    """Answer a valid request as the service user would. Every proposed context gets one answer, in the same order."""
    refusal = _refusal(request, policy)
    if refusal is not None:
        return refusal
    verdict = _identity_verdict(request, policy)
    if verdict is not None and not verdict.accepted:
        return rejections.USER_IDENTITY
    supported = _supported_contexts(request, policy)
    roles = _role_answers(request, supported)
    contexts = (_answer(context, supported, roles, policy.prefer) for context in request.presentation_contexts)
    items: list[UserItem] = [
        MaximumLength(policy.maximum_length),
        ImplementationClassUid(policy.implementation_class_uid),
        *_window_answer(request, policy),
        *roles.values(),
        *_version_name(policy.implementation_version_name),
        *_extended_answers(request, policy),
        *_identity_answer(request, verdict),
    ]
    name = request.application_context or DICOM_APPLICATION_CONTEXT
    return AssociateAC(
        request.called_ae_title,
        request.calling_ae_title,
        (ApplicationContext(name), *contexts, UserInformation(tuple(items))),
        reserved=(0, bytes(2), request.reserved[2]),
    )


def _refusal(request: AssociateRQ, policy: AcceptorPolicy) -> AssociateRJ | None:
    if bare_uid(request.application_context or "") not in policy.application_contexts:
        return rejections.APPLICATION_CONTEXT
    if not _recognized(request.called, policy.called_ae_titles):
        return rejections.CALLED_AE_TITLE
    if not _recognized(request.calling, policy.calling_ae_titles):
        return rejections.CALLING_AE_TITLE
    return None


def _recognized(title: str, titles: Container[str] | None) -> bool:
    return bool(title) and (titles is None or title in titles)


def _supported_contexts(request: AssociateRQ, policy: AcceptorPolicy) -> dict[str, SupportedContext]:
    """By abstract syntax, for those proposed that we know, by themselves or through common extended negotiation."""
    proposed = {bare_uid(context.abstract_syntax or "") for context in request.presentation_contexts}
    supported = {uid: policy.contexts[uid] for uid in proposed if uid in policy.contexts}
    offered = first_by_uid(request, SopClassCommonExtendedNegotiation)
    if policy.common_extended_negotiation is None or not offered:
        return supported
    for uid, item in policy.common_extended_negotiation(offered).items():
        stand_ins = [policy.contexts.get(bare_uid(general)) for general in item.related_general]
        stand_ins.append(policy.service_classes.get(bare_uid(item.service_class_uid)))
        known = next((context for context in stand_ins if context is not None), None)
        if known is not None and uid in proposed:
            supported.setdefault(uid, known)
    return supported


def _role_answers(request: AssociateRQ, supported: Mapping[str, SupportedContext]) -> dict[str, RoleSelection]:
    answers: dict[str, RoleSelection] = {}
    for uid, proposed in first_by_uid(request, RoleSelection).items():
        if uid in supported:
            answer = answer_roles(proposed, supported[uid].scu_role, supported[uid].scp_role)
            if answer is not None:
                answers[uid] = answer
    return answers


def _answer(
    context: PresentationContextRQ,
    supported: Mapping[str, SupportedContext],
    roles: Mapping[str, RoleSelection],
    prefer: Side,
) -> PresentationContextAC:
    """A rejected context carries a transfer syntax too, as the item has a place for it: the first proposed."""
    abstract_syntax = bare_uid(context.abstract_syntax or "")
    proposed = tuple(map(bare_uid, context.transfer_syntaxes))
    ours = supported.get(abstract_syntax)
    role = roles.get(abstract_syntax)
    chosen = None if ours is None else _choose(proposed, ours.transfer_syntaxes, prefer)
    if ours is None:
        result = ContextResult.ABSTRACT_SYNTAX_NOT_SUPPORTED
    elif chosen is None:
        result = ContextResult.TRANSFER_SYNTAXES_NOT_SUPPORTED
    elif role is not None and not (role.scu_role or role.scp_role):
        result = ContextResult.USER_REJECTION
    else:
        result = ContextResult.ACCEPTANCE
    shown = (chosen,) if chosen is not None else proposed[:1]
    return PresentationContextAC(context.context_id, int(result), tuple(map(TransferSyntax, shown)))


def _choose(proposed: Sequence[str], ours: Sequence[str], prefer: Side) -> str | None:
    first, second = (ours, proposed) if prefer is Side.ACCEPTOR else (proposed, ours)
    return next((uid for uid in first if uid in second), None)


def _window_answer(request: AssociateRQ, policy: AcceptorPolicy) -> tuple[AsynchronousOperationsWindow, ...]:
    offered = request.user_item(AsynchronousOperationsWindow)
    if offered is None:
        return ()
    ours = policy.window(offered.invoked, offered.performed) if callable(policy.window) else policy.window
    if ours is None:
        return ()
    return (AsynchronousOperationsWindow(narrow(offered.invoked, ours[0]), narrow(offered.performed, ours[1])),)


def _extended_answers(request: AssociateRQ, policy: AcceptorPolicy) -> list[SopClassExtendedNegotiation]:
    """Only for SOP classes that are proposed, and only where something was offered."""
    if policy.extended_negotiation is None:
        return []
    proposed = {bare_uid(context.abstract_syntax or "") for context in request.presentation_contexts}
    items = first_by_uid(request, SopClassExtendedNegotiation).items()
    offered = {uid: item.information for uid, item in items if uid in proposed}
    if not offered:
        return []
    answers = policy.extended_negotiation(offered)
    return [SopClassExtendedNegotiation(uid, answers[uid]) for uid in offered if uid in answers]


def _identity_verdict(request: AssociateRQ, policy: AcceptorPolicy) -> IdentityVerdict | None:
    identity = request.user_item(UserIdentityRQ)
    if identity is None or policy.user_identity is None or identity.identity_type not in _IDENTITY_TYPES:
        return None
    return policy.user_identity(identity)


def _identity_answer(request: AssociateRQ, verdict: IdentityVerdict | None) -> tuple[UserIdentityAC, ...]:
    identity = request.user_item(UserIdentityRQ)
    if identity is None or verdict is None or identity.positive_response_requested != 1:
        return ()
    return (UserIdentityAC(verdict.response),)


def _version_name(name: str | None) -> tuple[ImplementationVersionName, ...]:
    return () if name is None else (ImplementationVersionName(name),)


def propose(contexts: Iterable[tuple[str, Sequence[str]]]) -> tuple[PresentationContextRQ, ...]:
    """Number pairs of abstract syntax and transfer syntaxes 1, 3, 5 …; beyond 128 the numbers no longer fit a byte."""
    return tuple(
        PresentationContextRQ.of(2 * position + 1, abstract_syntax, *transfer_syntaxes)
        for position, (abstract_syntax, transfer_syntaxes) in enumerate(contexts)
    )


def build_request(
    called: str | bytes,
    calling: str | bytes,
    contexts: Iterable[PresentationContextRQ],
    *,
    maximum_length: int = DEFAULT_MAXIMUM_LENGTH,
    implementation_class_uid: str = IMPLEMENTATION_CLASS_UID,
    implementation_version_name: str | None = IMPLEMENTATION_VERSION_NAME,
    items: Iterable[UserItem] = (),
) -> AssociateRQ:
    """Make a request; `items` are further user information sub-items, sent in ascending order of type."""
    user_items: list[UserItem] = [
        MaximumLength(maximum_length),
        ImplementationClassUid(implementation_class_uid),
        *_version_name(implementation_version_name),
        *items,
    ]
    user_items.sort(key=_item_type)
    return AssociateRQ(
        _title(called),
        _title(calling),
        (ApplicationContext(DICOM_APPLICATION_CONTEXT), *contexts, UserInformation(tuple(user_items))),
    )


def _title(title: str | bytes) -> bytes:
    return pad_ae_title(title) if isinstance(title, str) else title.ljust(16)


def _item_type(item: UserItem) -> int:
    return item.item_type if isinstance(item, UnknownItem) else item.TYPE
