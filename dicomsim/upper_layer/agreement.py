"""What request and answer of an association come to, seen from one of its sides. PS3.8 §7.1, PS3.7 Annex D.3.3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dicomsim.events import Side
from dicomsim.upper_layer.roles import Roles, requestor_roles
from dicomsim.upper_layer.validity import bare_uid, first_by_uid
from dicomsim.wire.codes import ContextResult
from dicomsim.wire.items import (
    AsynchronousOperationsWindow,
    ImplementationClassUid,
    ImplementationVersionName,
    MaximumLength,
    PresentationContextAC,
    PresentationContextRQ,
    RoleSelection,
    SopClassCommonExtendedNegotiation,
    SopClassExtendedNegotiation,
    UserIdentityAC,
    UserIdentityRQ,
)
from dicomsim.wire.pdu import AssociateAC, AssociateRQ

SYNCHRONOUS: Final = 1
"""Operations at once, each way, without an asynchronous operations window. PS3.7 §D.3.3.3."""


@dataclass(frozen=True, slots=True)
class AcceptedContext:
    """A presentation context that can be used."""

    context_id: int
    """1 to 255, odd."""
    abstract_syntax: str
    """SOP class UID or meta SOP class UID."""
    transfer_syntax: str
    """The one in which data sets are encoded."""
    as_scu: bool
    """Whether this side may be SCU."""
    as_scp: bool
    """Whether this side may be SCP; with neither role nothing can be done in the context."""


@dataclass(frozen=True, slots=True)
class RejectedContext:
    """A presentation context that cannot be used."""

    context_id: int
    """As proposed."""
    abstract_syntax: str
    """As proposed."""
    result: int | None
    """As answered, PS3.8 Table 9-18; None if there was no answer, 0 if what was accepted had not been proposed."""


@dataclass(frozen=True, slots=True)
class Implementation:
    """Who one side says it is."""

    class_uid: str | None
    """Implementation class UID; required, yet not always there."""
    version_name: str | None
    """Implementation version name."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What is in force on an association."""

    side: Side
    """Which side sees it so."""
    called_ae_title: str
    """The acceptor's title, without padding."""
    calling_ae_title: str
    """The requestor's title, without padding."""
    application_context: str | None
    """As answered; if it is not the one proposed, a requestor that does not know it aborts. PS3.8 §7.1.1.2."""
    accepted: Mapping[int, AcceptedContext]
    """By context ID, in the order proposed."""
    rejected: Mapping[int, RejectedContext]
    """By context ID, in the order proposed."""
    requestor_maximum_length: int
    """Largest PDU-length that the requestor takes; 0 is no limit."""
    acceptor_maximum_length: int
    """Largest PDU-length that the acceptor takes; 0 is no limit."""
    operations_invoked: int
    """Operations the requestor may have outstanding; 0 is no limit."""
    operations_performed: int
    """Operations the acceptor may have outstanding; 0 is no limit."""
    requestor_implementation: Implementation
    """As the request says."""
    acceptor_implementation: Implementation
    """As the answer says."""
    extended_negotiation: Mapping[str, bytes]
    """Service class application information that was offered and answered, as answered, by SOP class."""
    common_extended_negotiation: Mapping[str, SopClassCommonExtendedNegotiation]
    """As offered, by SOP class; it is never answered."""
    user_identity: UserIdentityRQ | None
    """As the requestor gave it."""
    user_identity_answer: UserIdentityAC | None
    """The answer to a user identity that asked for one."""

    @property
    def peer_maximum_length(self) -> int:
        """Largest PDU-length of a P-DATA-TF that may be sent; 0 is no limit."""
        return self.acceptor_maximum_length if self.side is Side.REQUESTOR else self.requestor_maximum_length

    @property
    def own_maximum_length(self) -> int:
        """Largest PDU-length of a P-DATA-TF that the peer may send; 0 is no limit."""
        return self.requestor_maximum_length if self.side is Side.REQUESTOR else self.acceptor_maximum_length

    @property
    def peer_implementation(self) -> Implementation:
        """Who the peer says it is."""
        return self.acceptor_implementation if self.side is Side.REQUESTOR else self.requestor_implementation

    @property
    def may_invoke(self) -> int:
        """Operations this side may have outstanding; 0 is no limit."""
        return self.operations_invoked if self.side is Side.REQUESTOR else self.operations_performed

    @property
    def may_perform(self) -> int:
        """Operations the peer may have outstanding with this side; 0 is no limit."""
        return self.operations_performed if self.side is Side.REQUESTOR else self.operations_invoked


def conclude(request: AssociateRQ, answer: AssociateAC, side: Side) -> Agreement:
    """Put request and answer together; never raises, whatever they hold, for a capture may hold anything."""
    accepted: dict[int, AcceptedContext] = {}
    rejected: dict[int, RejectedContext] = {}
    answers: dict[int, PresentationContextAC] = {}
    for context in answer.presentation_contexts:
        answers.setdefault(context.context_id, context)
    roles = _roles(request, answer)
    for proposal in request.presentation_contexts:
        if proposal.context_id not in accepted and proposal.context_id not in rejected:
            outcome = _outcome(proposal, answers.get(proposal.context_id), roles, side)
            if isinstance(outcome, AcceptedContext):
                accepted[proposal.context_id] = outcome
            else:
                rejected[proposal.context_id] = outcome
    invoked, performed = _window(request, answer)
    identity = request.user_item(UserIdentityRQ)
    asked = identity is not None and identity.positive_response_requested == 1
    return Agreement(
        side=side,
        called_ae_title=request.called,
        calling_ae_title=request.calling,
        application_context=answer.application_context,
        accepted=accepted,
        rejected=rejected,
        requestor_maximum_length=_maximum_length(request),
        acceptor_maximum_length=_maximum_length(answer),
        operations_invoked=invoked,
        operations_performed=performed,
        requestor_implementation=_implementation(request),
        acceptor_implementation=_implementation(answer),
        extended_negotiation=_extended(request, answer),
        common_extended_negotiation=first_by_uid(request, SopClassCommonExtendedNegotiation),
        user_identity=identity,
        user_identity_answer=answer.user_item(UserIdentityAC) if asked else None,
    )


def narrow(offered: int, ours: int) -> int:
    """The smaller of two numbers of operations, of which 0 is no limit. PS3.7 §D.3.3.3."""
    return min(offered, ours) if offered and ours else offered or ours


def _roles(request: AssociateRQ, answer: AssociateAC) -> dict[str, Roles]:
    answered = first_by_uid(answer, RoleSelection)
    proposed = first_by_uid(request, RoleSelection)
    return {uid: requestor_roles(item, answered.get(uid)) for uid, item in proposed.items()}


def _outcome(
    proposal: PresentationContextRQ,
    answer: PresentationContextAC | None,
    roles: Mapping[str, Roles],
    side: Side,
) -> AcceptedContext | RejectedContext:
    abstract_syntax = bare_uid(proposal.abstract_syntax or "")
    if answer is None:
        return RejectedContext(proposal.context_id, abstract_syntax, None)
    transfer_syntax = bare_uid(answer.transfer_syntax or "")
    if answer.result != ContextResult.ACCEPTANCE or transfer_syntax not in map(bare_uid, proposal.transfer_syntaxes):
        return RejectedContext(proposal.context_id, abstract_syntax, answer.result)
    requestor = roles.get(abstract_syntax) or requestor_roles(None, None)
    own = requestor if side is Side.REQUESTOR else requestor.complement
    return AcceptedContext(proposal.context_id, abstract_syntax, transfer_syntax, own.scu, own.scp)


def _window(request: AssociateRQ, answer: AssociateAC) -> tuple[int, int]:
    """Never more than was offered, whatever was answered."""
    offered = request.user_item(AsynchronousOperationsWindow)
    answered = answer.user_item(AsynchronousOperationsWindow)
    if offered is None or answered is None:
        return SYNCHRONOUS, SYNCHRONOUS
    return narrow(offered.invoked, answered.invoked), narrow(offered.performed, answered.performed)


def _maximum_length(pdu: AssociateRQ | AssociateAC) -> int:
    item = pdu.user_item(MaximumLength)
    return 0 if item is None else item.value


def _implementation(pdu: AssociateRQ | AssociateAC) -> Implementation:
    uid, name = pdu.user_item(ImplementationClassUid), pdu.user_item(ImplementationVersionName)
    return Implementation(None if uid is None else uid.uid, None if name is None else name.name)


def _extended(request: AssociateRQ, answer: AssociateAC) -> dict[str, bytes]:
    offered = first_by_uid(request, SopClassExtendedNegotiation)
    answered = first_by_uid(answer, SopClassExtendedNegotiation)
    return {uid: item.information for uid, item in answered.items() if uid in offered}
