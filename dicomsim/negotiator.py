"""How an AE answers an association request: its settings and handlers as an `AcceptorPolicy`. PS3.7 §D.3.3.

What a negotiation handler does wrong costs its own item, no more: nothing is answered to it. A user identity that could
not be judged is refused, and a request that could not be looked at is rejected for the time being.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from dicomsim.association import Association
from dicomsim.lifecycle import AssociatePrimitive, call_with
from dicomsim.negotiation_items import SOPClassCommonExtendedNegotiation
from dicomsim.sop_class import ServiceClass, SOPClass, service_of
from dicomsim.upper_layer.negotiation import AcceptorPolicy, IdentityVerdict, SupportedContext, Window, negotiate
from dicomsim.wire.items import SopClassCommonExtendedNegotiation, UserIdentityRQ
from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ

if TYPE_CHECKING:
    from dicomsim.ae import ApplicationEntity

LOGGER = logging.getLogger("dicomsim")

NEGOTIATION_HANDLERS = (
    "on_association_requested",
    "on_user_identity",
    "on_sop_class_extended",
    "on_sop_class_common_extended",
    "on_async_ops_window",
)
"""Handlers that have a say in the answer."""

REFUSED = AssociateRJ(1, 1, 1)
"""What False from `on_association_requested` means: rejected-permanent, service user, no reason given."""

FAILED = AssociateRJ(2, 1, 1)
"""What an exception in `on_association_requested` means: the same, but transient."""

STORAGE_SERVICE_CLASS = "1.2.840.10008.4.2"
"""The service class UID that common extended negotiation has for storage. PS3.4 §B.3.1.3."""


def has_a_say(ae: ApplicationEntity) -> bool:
    """Whether user code takes part in the answer."""
    return any(ae.handler(name) is not None for name in NEGOTIATION_HANDLERS)


def answer(ae: ApplicationEntity, association: Association, request: AssociateRQ) -> AssociateAC | AssociateRJ:
    """Answer a request; runs whatever handlers there are, and raises nothing of theirs."""
    refusal = _asked(ae, association)
    return refusal if refusal is not None else negotiate(request, policy(ae, association))


class Supported(Mapping[str, SupportedContext]):
    """What an AE supports, looked up as it is asked for: a request proposes a few of what may be hundreds."""

    def __init__(self, ae: ApplicationEntity) -> None:
        self._ae = ae

    def __getitem__(self, uid: str) -> SupportedContext:
        context = self._ae.supported_context(uid)
        if context is None:
            raise KeyError(uid)
        return SupportedContext(tuple(map(str, context.transfer_syntax)), context.scu_role, context.scp_role)

    def __iter__(self) -> Iterator[str]:
        return (str(one.abstract_syntax) for one in self._ae.supported_contexts)

    def __len__(self) -> int:
        return len(self._ae.supported_contexts)


def policy(ae: ApplicationEntity, association: Association) -> AcceptorPolicy:
    """How a request to this AE is answered."""
    name = ae.implementation_version_name
    common_extended = _with(ae, "on_sop_class_common_extended", _common_extended)
    return AcceptorPolicy(
        Supported(ae),
        maximum_length=ae.maximum_pdu_size,
        implementation_class_uid=ae.implementation_class_uid,
        implementation_version_name=None if name is None else name.decode("ascii"),
        called_ae_titles=_titles(ae.require_called_aet),
        calling_ae_titles=_titles(ae.require_calling_aet),
        window=_with(ae, "on_async_ops_window", _window),
        user_identity=_with(ae, "on_user_identity", _identity, association),
        extended_negotiation=_with(ae, "on_sop_class_extended", _extended),
        common_extended_negotiation=common_extended,
        service_classes={} if common_extended is None else _service_classes(ae),
    )


def _titles(required: bytes) -> tuple[str, ...] | None:
    return (required.decode("ascii").strip(),) if required else None


def _with(ae: ApplicationEntity, name: str, asks: Callable[..., Any], *arguments: Any) -> Callable[..., Any] | None:
    handler = ae.handler(name)
    return None if handler is None else partial(asks, handler, *arguments)


def _service_classes(ae: ApplicationEntity) -> dict[str, SupportedContext]:
    """Storage, for SOP classes of the future, is done in any transfer syntax in which some storage is."""
    storage = [one for one in ae.supported_contexts if service_of(str(one.abstract_syntax)) is ServiceClass.STORAGE]
    syntaxes = dict.fromkeys(str(syntax) for one in storage for syntax in one.transfer_syntax)
    return {STORAGE_SERVICE_CLASS: SupportedContext(tuple(syntaxes))} if syntaxes else {}


def _asked(ae: ApplicationEntity, association: Association) -> AssociateRJ | None:
    """What `on_association_requested` says: None to go on."""
    handler = ae.handler("on_association_requested")
    if handler is None:
        return None
    try:
        return _rejection(call_with(handler, AssociatePrimitive(association)))
    except BaseException:  # user code, whatever it raises
        LOGGER.exception("%r: the handler on_association_requested failed", association)
        return FAILED


def _rejection(verdict: Any) -> AssociateRJ | None:
    if verdict is None or verdict is True:
        return None
    if verdict is False:
        return REFUSED
    if isinstance(verdict, AssociateRJ):
        return verdict
    if isinstance(verdict, tuple) and len(verdict) == 3 and all(_is_octet(one) for one in verdict):
        result, source, reason = map(int, verdict)
        return AssociateRJ(result, source, reason)
    raise TypeError(f"expected None, True, False, an AssociateRJ or three numbers of a byte each, not {verdict!r}")


def _is_octet(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255


def _identity(handler: Callable[..., Any], association: Association, identity: UserIdentityRQ) -> IdentityVerdict:
    secondary = identity.secondary if identity.identity_type == 2 else None
    info = {"requestor": association.requestor.info}
    try:
        verdict = handler(identity.identity_type, identity.primary, secondary, info)
        verified, response = (verdict, None) if isinstance(verdict, bool) else verdict
        if not isinstance(response, bytes | None):
            raise TypeError(f"the response must be bytes or None, not {response!r}")
    except BaseException:  # user code, whatever it raises
        LOGGER.exception("%r: the handler on_user_identity failed", association)
        return IdentityVerdict(False)
    return IdentityVerdict(bool(verified), response or b"")


def _window(handler: Callable[..., Any], invoked: int, performed: int) -> Window | None:
    try:
        answered = handler(invoked, performed)
        if answered is None:
            return None
        ours_invoked, ours_performed = answered
        for one in (ours_invoked, ours_performed):
            if not isinstance(one, int) or not 0 <= one <= 0xFFFF:
                raise ValueError(f"a number of operations must be from 0 to 65535, not {one!r}")
    except BaseException:  # user code, whatever it raises
        LOGGER.exception("the handler on_async_ops_window failed")
        return None
    return ours_invoked, ours_performed


def _extended(handler: Callable[..., Any], offered: Mapping[str, bytes]) -> dict[str, bytes]:
    try:
        answered = handler({SOPClass(uid): information for uid, information in offered.items()})
        return {str(uid): bytes(memoryview(data)) for uid, data in (answered or {}).items()}
    except BaseException:  # user code, whatever it raises
        LOGGER.exception("the handler on_sop_class_extended failed")
        return {}


def _common_extended(
    handler: Callable[..., Any], offered: Mapping[str, SopClassCommonExtendedNegotiation]
) -> dict[str, SopClassCommonExtendedNegotiation]:
    public = {SOPClass(uid): SOPClassCommonExtendedNegotiation.from_item(item) for uid, item in offered.items()}
    try:
        picked: Mapping[str, SOPClassCommonExtendedNegotiation] = handler(public) or {}
        return {str(uid): item.to_item() for uid, item in picked.items() if str(uid) in offered}
    except BaseException:  # user code, whatever it raises
        LOGGER.exception("the handler on_sop_class_common_extended failed")
        return {}
