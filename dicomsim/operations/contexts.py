"""Which of the accepted presentation contexts a request goes on."""

from __future__ import annotations

from collections.abc import Iterable

from dicomsim.engine.session import Session
from dicomsim.services.judge import UPS_PUSH, belongs
from dicomsim.sop_class import SOPClass, uid_name
from dicomsim.transfer_syntax import TransferSyntaxUID
from dicomsim.upper_layer.agreement import AcceptedContext


def find_context(
    session: Session, sop_class: str, transfer_syntax: str | None = None, reencodes: bool = False, service: str = ""
) -> AcceptedContext:
    """The first context that fits: of the SOP class itself, else of a meta SOP class it belongs to.

    The role is that of the one who invokes the `service`: SCP for N-EVENT-REPORT, SCU for all others. Raises
    `ValueError`, saying what was offered and what was accepted.
    """
    of_class = _of_class(session, sop_class)
    as_scp = service == "N-EVENT-REPORT"
    usable = [one for one in of_class if (one.as_scp if as_scp else one.as_scu)]
    if service:  # a stable sort: the order of the negotiation holds otherwise
        usable.sort(key=lambda one: service not in (SOPClass(one.abstract_syntax).dimse_services or (service,)))
    for context in usable:
        if transfer_syntax is None or context.transfer_syntax == transfer_syntax:
            return context
    if reencodes and transfer_syntax is not None and not TransferSyntaxUID(transfer_syntax).is_encapsulated:
        for context in usable:
            if not TransferSyntaxUID(context.transfer_syntax).is_encapsulated:
                return context
    session.require_life()  # without an association there are no contexts, and that is the reason to give
    reason = f", but not in the role of {'SCP' if as_scp else 'SCU'}" if of_class and not usable else ""
    raise ValueError(_nothing_fits(session, sop_class, transfer_syntax, of_class) + reason)


def _of_class(session: Session, sop_class: str) -> list[AcceptedContext]:
    accepted = list(session.agreement.accepted.values()) if session.agreement is not None else []
    own = [one for one in accepted if one.abstract_syntax == sop_class]
    if own and sop_class != UPS_PUSH:
        return own
    return own + [one for one in accepted if one not in own and belongs(sop_class, one.abstract_syntax, True)]


def _nothing_fits(
    session: Session, sop_class: str, transfer_syntax: str | None, of_class: list[AcceptedContext]
) -> str:
    wanted = "" if transfer_syntax is None else f" in {uid_name(transfer_syntax)}"
    offered = _names(_offered(session, sop_class)) or "none for it"
    accepted = _names(one.transfer_syntax for one in of_class) or "none for it"
    rejected = session.agreement.rejected.values() if session.agreement is not None else ()
    results = sorted({one.result for one in rejected if one.abstract_syntax == sop_class and one.result is not None})
    text = f"no accepted presentation context for {uid_name(sop_class)}{wanted}"
    text += f"; offered: {offered}; accepted: {accepted}"
    return text + (f" (refused with result {', '.join(map(str, results))})" if results else "")


def _offered(session: Session, sop_class: str) -> list[str]:
    contexts = session.request_pdu.presentation_contexts if session.request_pdu is not None else ()
    syntaxes = [syntax for one in contexts if one.abstract_syntax == sop_class for syntax in one.transfer_syntaxes]
    return list(dict.fromkeys(syntaxes))


def _names(syntaxes: Iterable[str]) -> str:
    return ", ".join(uid_name(syntax) for syntax in syntaxes)
