"""`ServiceUser`: one end of an association as it presented itself, requestor or acceptor. PS3.8 §7.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from dicomsim.events import Side
from dicomsim.negotiation_items import (
    AsynchronousOperationsWindowNegotiation,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
    NegotiationItem,
    SCP_SCU_RoleSelectionNegotiation,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityNegotiation,
    public_items,
)
from dicomsim.peer_address import host_and_port
from dicomsim.presentation import PresentationContext
from dicomsim.wire.pdu import AssociateRJ, pad_ae_title

if TYPE_CHECKING:
    from dicomsim.engine.session import Session

Item = TypeVar("Item", bound=NegotiationItem)

NOTIFICATIONS = (
    MaximumLengthNotification,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
)
"""The items that say who somebody is; all others are negotiated about."""


class ServiceUser:
    """The requestor or the acceptor of an association; what it has not said (yet) is None, empty or the default."""

    __slots__ = ("_session", "side")

    def __init__(self, session: Session, side: Side) -> None:
        self._session = session
        self.side = side
        """Which end it is."""

    @property
    def is_requestor(self) -> bool:
        """Whether it asked for the association."""
        return self.side is Side.REQUESTOR

    @property
    def is_acceptor(self) -> bool:
        """Whether it was asked."""
        return self.side is Side.ACCEPTOR

    @property
    def ae_title(self) -> bytes:
        """Its title, padded to 16 bytes: for the requestor the calling one, for the acceptor the called one."""
        return pad_ae_title(self._session.calling if self.is_requestor else self._session.called)

    @property
    def _endpoint(self) -> tuple[str, int]:
        return self._session.local if self._session.side is self.side else self._session.remote

    @property
    def address(self) -> str:
        """Its IP address; for a peer to which no connection came about, the address that was asked for."""
        return self._endpoint[0]

    @property
    def port(self) -> int:
        """Its TCP port."""
        return self._endpoint[1]

    @property
    def user_information(self) -> list[NegotiationItem]:
        """Every user information item that it sent, in wire order."""
        pdu = self._session.request_pdu if self.is_requestor else self._session.answer_pdu
        return [] if pdu is None or isinstance(pdu, AssociateRJ) else public_items(pdu.user_information)

    @property
    def extended_negotiation(self) -> list[NegotiationItem]:
        """Its `user_information` without what every association has: maximum length and implementation."""
        return [item for item in self.user_information if not isinstance(item, NOTIFICATIONS)]

    def _items(self, kind: type[Item]) -> list[Item]:
        return [item for item in self.user_information if isinstance(item, kind)]

    @property
    def maximum_length(self) -> int | None:
        """The largest PDU-length of a P-DATA-TF that it takes, 0 for any; None if it did not say."""
        return next((item.maximum_length_received for item in self._items(MaximumLengthNotification)), None)

    @property
    def implementation_class_uid(self) -> str | None:
        """Its implementation class UID."""
        return next((item.implementation_class_uid for item in self._items(ImplementationClassUIDNotification)), None)

    @property
    def implementation_version_name(self) -> bytes | None:
        """Its implementation version name."""
        names = self._items(ImplementationVersionNameNotification)
        return next((item.implementation_version_name for item in names), None)

    @property
    def asynchronous_operations(self) -> tuple[int, int]:
        """Operations invoked and performed, as it proposed or answered; 1 and 1 if it did not."""
        for item in self._items(AsynchronousOperationsWindowNegotiation):
            return item.maximum_number_operations_invoked, item.maximum_number_operations_performed
        return 1, 1

    @property
    def role_selection(self) -> dict[str, SCP_SCU_RoleSelectionNegotiation]:
        """The roles that it proposed or answered, by SOP class; of several for one class the first."""
        return _by_class(self._items(SCP_SCU_RoleSelectionNegotiation))

    @property
    def sop_class_extended(self) -> dict[str, bytes]:
        """Service class application information, by SOP class."""
        items = _by_class(self._items(SOPClassExtendedNegotiation))
        return {uid: item.service_class_application_information or b"" for uid, item in items.items()}

    @property
    def sop_class_common_extended(self) -> dict[str, SOPClassCommonExtendedNegotiation]:
        """Common extended negotiation, by SOP class."""
        return _by_class(self._items(SOPClassCommonExtendedNegotiation))

    @property
    def user_identity(self) -> UserIdentityNegotiation | None:
        """Who the user is, of the requestor; the answer to that, of the acceptor."""
        return next(iter(self._items(UserIdentityNegotiation)), None)

    @property
    def requested_contexts(self) -> list[PresentationContext]:
        """The presentation contexts that the requestor proposed; none of the acceptor."""
        request = self._session.request_pdu
        if request is None or self.is_acceptor:
            return []
        return [
            PresentationContext(one.abstract_syntax, one.transfer_syntaxes, one.context_id)
            for one in request.presentation_contexts
        ]

    @property
    def info(self) -> dict[str, Any]:
        """As handlers find it in their `info`."""
        return {"ae_title": self.ae_title, "address": self.address, "port": self.port}

    def __repr__(self) -> str:
        title = self.ae_title.decode("ascii", "backslashreplace").strip()
        return f"{title}@{host_and_port(self.address, self.port)}"


def _by_class(items: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        found.setdefault(str(item.sop_class_uid), item)
    return found
