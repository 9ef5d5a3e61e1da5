"""The text that `str(ae)` gives: what the AE is, what it waits for, what it proposes and supports, who is connected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dicomsim.engine.timeouts import NAMES
from dicomsim.peer_address import host_and_port
from dicomsim.presentation import ROLES, PresentationContext
from dicomsim.transfer_syntax import TransferSyntaxUID

if TYPE_CHECKING:
    from dicomsim.ae import ApplicationEntity

WIDTH = 24
"""Columns of the names on the left."""


def text(ae: ApplicationEntity) -> str:
    """Some lines of text, without one at the end."""
    return "\n".join(line.rstrip() for line in (*_settings(ae), *_contexts(ae), *_associations(ae)))


def _line(name: str, value: object) -> str:
    return f"  {name:<{WIDTH}}{value}"


def _title(title: bytes) -> str:
    return title.decode("ascii", "backslashreplace").strip() or "any"


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"{value:g} s"


def _settings(ae: ApplicationEntity) -> Iterator[str]:
    listening = ", ".join(host_and_port(host or "*", port) for host, port in ae.listening())
    yield f"Application Entity {_title(ae.ae_title)}"
    yield _line("address", f"{ae.bind_addr or '*'}:{ae.port or 'any free port'}")
    yield _line("listening on", listening or "nothing")
    yield _line("called title required", _title(ae.require_called_aet))
    yield _line("calling title required", _title(ae.require_calling_aet))
    yield _line("maximum PDU size", ae.maximum_pdu_size or "no limit")
    name = ae.implementation_version_name
    yield _line("implementation", f"{ae.implementation_class_uid} {'' if name is None else name.decode('ascii')}")
    for timeout in NAMES:
        yield _line(f"{timeout} timeout", _seconds(getattr(ae.timeouts, timeout)))


def _contexts(ae: ApplicationEntity) -> Iterator[str]:
    for name, contexts in (("requested", ae.requested_contexts), ("supported", ae.supported_contexts)):
        yield f"{name.capitalize()} presentation contexts: {len(contexts)}"
        for context in contexts:
            yield f"  {'?' if context.abstract_syntax is None else context.abstract_syntax.name}{_roles(context)}"
            for syntax in context.transfer_syntax:
                yield f"    {TransferSyntaxUID(syntax).name}"


def _roles(context: PresentationContext) -> str:
    if context.scu_role is None and context.scp_role is None:
        return ""
    return f" (role of the requestor: {ROLES[bool(context.scu_role), bool(context.scp_role)]})"


def _associations(ae: ApplicationEntity) -> Iterator[str]:
    associations = ae.active_associations
    accepted = sum(one.is_acceptor for one in associations)
    yield f"Associations: {len(associations)} open, {accepted} of at most {ae.maximum_associations} as acceptor"
    for association in associations:
        yield f"  {association!r}"
