"""The association request of an AE: what `associate` was given, checked, as an A-ASSOCIATE-RQ. PS3.8 §7.1.1."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dicomsim.ae_contexts import checked_context
from dicomsim.ae_settings import number, title
from dicomsim.engine.timeouts import Timeouts
from dicomsim.negotiation_items import NegotiationItem
from dicomsim.presentation import MAX_CONTEXTS
from dicomsim.upper_layer.negotiation import build_request
from dicomsim.wire.items import (
    ImplementationClassUid,
    ImplementationVersionName,
    MaximumLength,
    PresentationContextRQ,
    RoleSelection,
    UnknownItem,
    UserItem,
)
from dicomsim.wire.pdu import AssociateRQ

if TYPE_CHECKING:
    from dicomsim.ae_settings import Settings
    from dicomsim.presentation import PresentationContext


def request(
    ae: Settings,
    called: bytes | str,
    contexts: Sequence[PresentationContext],
    max_pdu: int | None,
    ext_neg: Iterable[NegotiationItem | UserItem] | None,
) -> tuple[AssociateRQ, int]:
    """The request, and the maximum length that it announces.

    Raises `RuntimeError` if there is nothing to propose, `TypeError` or `ValueError` for what cannot be.
    """
    if not contexts:
        raise RuntimeError("no presentation contexts to propose: set requested_contexts, or pass contexts")
    proposed = _numbered([checked_context(one) for one in contexts])
    items = [_item(one) for one in listed("ext_neg", ext_neg or ())]
    items += _roles(contexts, items)
    given = {type(one): one for one in reversed(items)}
    length = ae.maximum_pdu_size if max_pdu is None else number("max_pdu", max_pdu, 0, 0xFFFFFFFF)
    announced = given.get(MaximumLength, MaximumLength(length))
    uid = given.get(ImplementationClassUid, ImplementationClassUid(ae.implementation_class_uid))
    name = ae.implementation_version_name
    version = given.get(ImplementationVersionName, name and ImplementationVersionName(name.decode("ascii")))
    assert isinstance(announced, MaximumLength) and isinstance(uid, ImplementationClassUid)
    pdu = build_request(
        title("ae_title", called),
        ae.ae_title,
        proposed,
        maximum_length=announced.value,
        implementation_class_uid=uid.uid,
        implementation_version_name=version.name if isinstance(version, ImplementationVersionName) else None,
        items=[one for one in items if not isinstance(one, _STANDING)],
    )
    return pdu, announced.value


_STANDING = (MaximumLength, ImplementationClassUid, ImplementationVersionName)
"""Items that are in every request; given ones take their place."""


def _numbered(contexts: Sequence[PresentationContext]) -> list[PresentationContextRQ]:
    """With the IDs that are set, and for the others the lowest odd ones that are free. PS3.8 §9.3.2.2."""
    taken = {one.context_id for one in contexts}
    free = iter([number for number in range(1, 2 * MAX_CONTEXTS, 2) if number not in taken])
    if len(contexts) > MAX_CONTEXTS:
        raise ValueError(f"{len(contexts)} contexts do not fit in one request: at most {MAX_CONTEXTS} do")
    return [
        PresentationContextRQ.of(
            next(free) if one.context_id is None else one.context_id,
            str(one.abstract_syntax or ""),
            *map(str, one.transfer_syntax),
        )
        for one in contexts
    ]


def _item(item: Any) -> UserItem:
    if isinstance(item, NegotiationItem):
        return item.to_item()
    if isinstance(item, UserItem | UnknownItem):
        return item
    raise TypeError(f"ext_neg must hold items of dicomsim.negotiation_items, not {item!r}")


def _roles(contexts: Sequence[PresentationContext], items: Sequence[UserItem]) -> list[RoleSelection]:
    """One item for each abstract syntax whose contexts have a role set, unless an item was given for it."""
    given = {one.sop_class_uid for one in items if isinstance(one, RoleSelection)}
    roles: dict[str, tuple[bool, bool]] = {}
    for one in contexts:
        uid = str(one.abstract_syntax)
        if uid not in given and (one.scu_role is not None or one.scp_role is not None):
            scu, scp = roles.get(uid, (False, False))
            roles[uid] = scu or bool(one.scu_role), scp or bool(one.scp_role)
    return [RoleSelection(uid, int(scu), int(scp)) for uid, (scu, scp) in roles.items()]


def listed(name: str, value: Any) -> list[Any]:
    """What an iterable holds; raises `TypeError` for what is none, such as one thing without its list."""
    if not isinstance(value, Iterable):
        raise TypeError(f"{name} must be a list, not {value!r}")
    return list(value)


def check_timeouts(timeouts: Any) -> Timeouts:
    """The value, if it is a `Timeouts`; raises `TypeError` otherwise."""
    if not isinstance(timeouts, Timeouts):
        raise TypeError(f"timeouts must be a Timeouts, not {timeouts!r}")
    return timeouts


def check_target(addr: Any, port: Any) -> None:
    """Raise `TypeError` or `ValueError` for what is no address of a peer."""
    if not isinstance(addr, str):
        raise TypeError(f"addr must be a str, not {addr!r}")
    if not addr:
        raise ValueError("addr must not be empty")
    number("port", port, 1, 65535)


def check_bind(address: Any) -> tuple[str, int]:
    """A (host, port) of our own; raises `TypeError` or `ValueError` for what is none."""
    if not (isinstance(address, tuple | list) and len(address) >= 2 and isinstance(address[0], str)):
        raise TypeError(f"an address must be (host, port), not {address!r}")
    return address[0], number("port", address[1], 0, 65535)


def check_server_tls(context: Any) -> ssl.SSLContext | None:
    """A context for accepted connections, or None; raises `TypeError` or `ValueError` for what is none."""
    if not isinstance(context, ssl.SSLContext | None):
        raise TypeError(f"ssl_context must be an ssl.SSLContext or None, not {context!r}")
    if context is not None and context.protocol is ssl.PROTOCOL_TLS_CLIENT:
        raise ValueError(f"ssl_context must be one for a server (see dicomsim.tls.server_context), unlike {context!r}")
    return context


def check_tls(tls_args: Any) -> tuple[ssl.SSLContext, str | None]:
    """A context and a host name; raises `TypeError` or `ValueError` for what is none."""
    arguments = (tls_args, None) if isinstance(tls_args, ssl.SSLContext) else tls_args
    if not (
        isinstance(arguments, tuple | list)
        and len(arguments) == 2
        and isinstance(arguments[0], ssl.SSLContext)
        and isinstance(arguments[1], str | None)
    ):
        raise TypeError(f"tls_args must be (ssl.SSLContext, host name or None), not {tls_args!r}")
    context, name = arguments
    try:
        (name or "").encode("idna")
    except UnicodeError as error:
        raise ValueError(f"tls_args must have a host name that can be one, unlike {name!r}") from error
    return context, name
