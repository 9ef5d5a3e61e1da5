"""Items of extended negotiation as programs make and read them: mutable, under the names pynetdicom 1.x gave them.

`associate(..., ext_neg=[item])` sends them, `assoc.requestor` and `assoc.acceptor` show those that came. Each has its
counterpart in `dicomsim.wire.items`; an item made here can hold anything that fits its fields on the wire, legal or
not. What cannot be meant raises: a wrong type `TypeError`, a number too large for its field `ValueError`, a misspelt
attribute `AttributeError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from dicomsim.sop_class import SOPClass
from dicomsim.wire import items
from dicomsim.wire.items import UserItem

Check = Callable[[str, Any], Any]


def _uid(name: str, value: Any) -> SOPClass | None:
    if isinstance(value, bytes):
        value = value.decode("ascii", "surrogateescape")
    if value is None or isinstance(value, str):
        return None if value is None else SOPClass(value)
    raise TypeError(f"{name} must be a UID as str or bytes, not {value!r}")


def _uids(name: str, value: Any) -> list[SOPClass]:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be a list of UIDs, not {value!r}")
    return [uid for uid in (_uid(name, one) for one in value) if uid is not None]


def _octets(name: str, value: Any) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    raise TypeError(f"{name} must be bytes, not {value!r}")


def _ascii(name: str, value: Any) -> bytes | None:
    return _octets(name, value.encode("ascii", "surrogateescape") if isinstance(value, str) else value)


def _number(bits: int, or_bool: bool = False) -> Check:
    def check(name: str, value: Any) -> int | None:
        if value is None or (isinstance(value, int) and (or_bool or not isinstance(value, bool))):
            if value is not None and not 0 <= value < 1 << bits:
                raise ValueError(f"{name} must fit in {bits} bits, which {value} does not")
            return value
        raise TypeError(f"{name} must be {'a bool or ' if or_bool else ''}an int, not {value!r}")

    return check


# What each attribute takes; names mean the same in every item.
_CHECKS: Mapping[str, Check] = {
    "maximum_length_received": _number(32),
    "implementation_class_uid": _uid,
    "implementation_version_name": _ascii,
    "maximum_number_operations_invoked": _number(16),
    "maximum_number_operations_performed": _number(16),
    "sop_class_uid": _uid,
    "scu_role": _number(8, or_bool=True),
    "scp_role": _number(8, or_bool=True),
    "service_class_application_information": _octets,
    "service_class_uid": _uid,
    "related_general_sop_class_identification": _uids,
    "user_identity_type": _number(8),
    "positive_response_requested": _number(8, or_bool=True),
    "primary_field": _octets,
    "secondary_field": _octets,
    "server_response": _octets,
}


class NegotiationItem:
    """What all items share: attributes are checked when they are set, and there are no others."""

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, _CHECKS[name](name, value) if name in _CHECKS else value)

    def to_item(self) -> UserItem:
        """The item as it goes on the wire; raises `ValueError` while something without which there is none is unset."""
        raise NotImplementedError

    def _require(self, name: str) -> Any:
        value = getattr(self, name)
        if value is None:
            raise ValueError(f"{name} of the {type(self).__name__} is not set")
        return value


@dataclass(slots=True)
class MaximumLengthNotification(NegotiationItem):
    """The largest P-DATA-TF that its sender takes, PS3.8 §D.1."""

    maximum_length_received: int = 16382
    """In bytes, without the PDU header; 0 is no limit."""

    def to_item(self) -> items.MaximumLength:
        """The item as it goes on the wire."""
        return items.MaximumLength(self._require("maximum_length_received"))

    @classmethod
    def from_item(cls, item: items.MaximumLength) -> Self:
        """Read an item that came."""
        return cls(item.value)


@dataclass(slots=True)
class ImplementationClassUIDNotification(NegotiationItem):
    """Which implementation the sender is, PS3.7 §D.3.3.2."""

    implementation_class_uid: str | None = None
    """A UID that its makers chose."""

    def to_item(self) -> items.ImplementationClassUid:
        """The item as it goes on the wire."""
        return items.ImplementationClassUid(str(self._require("implementation_class_uid")))

    @classmethod
    def from_item(cls, item: items.ImplementationClassUid) -> Self:
        """Read an item that came."""
        return cls(item.uid)


@dataclass(slots=True)
class ImplementationVersionNameNotification(NegotiationItem):
    """Which version the sender is, PS3.7 §D.3.3.2."""

    implementation_version_name: bytes | None = None
    """1 to 16 characters when legal; may be set as `str`."""

    def to_item(self) -> items.ImplementationVersionName:
        """The item as it goes on the wire."""
        name: bytes = self._require("implementation_version_name")
        return items.ImplementationVersionName(name.decode("ascii", "surrogateescape"))

    @classmethod
    def from_item(cls, item: items.ImplementationVersionName) -> Self:
        """Read an item that came."""
        return cls(item.name.encode("ascii", "surrogateescape"))


@dataclass(slots=True)
class AsynchronousOperationsWindowNegotiation(NegotiationItem):
    """How many operations may be outstanding, PS3.7 §D.3.3.3."""

    maximum_number_operations_invoked: int = 1
    """That the requestor may invoke before an answer; 0 is no limit."""
    maximum_number_operations_performed: int = 1
    """That the requestor performs at once; 0 is no limit."""

    def to_item(self) -> items.AsynchronousOperationsWindow:
        """The item as it goes on the wire."""
        return items.AsynchronousOperationsWindow(
            self._require("maximum_number_operations_invoked"), self._require("maximum_number_operations_performed")
        )

    @classmethod
    def from_item(cls, item: items.AsynchronousOperationsWindow) -> Self:
        """Read an item that came."""
        return cls(item.invoked, item.performed)


@dataclass(slots=True)
class SCP_SCU_RoleSelectionNegotiation(NegotiationItem):  # noqa: N801 - the name programs know
    """Which roles the requestor takes for a SOP class, PS3.7 §D.3.3.4."""

    sop_class_uid: str | None = None
    """The abstract syntax of the contexts that it is about."""
    scu_role: bool | int | None = None
    """Whether the requestor proposes (the acceptor accepts) that the requestor is SCU; unset counts as no."""
    scp_role: bool | int | None = None
    """Whether the requestor proposes (the acceptor accepts) that the requestor is SCP; unset counts as no."""

    def to_item(self) -> items.RoleSelection:
        """The item as it goes on the wire."""
        return items.RoleSelection(
            str(self._require("sop_class_uid")), int(self.scu_role or 0), int(self.scp_role or 0)
        )

    @classmethod
    def from_item(cls, item: items.RoleSelection) -> Self:
        """Read an item that came; a flag other than 0 and 1 stays a number."""
        scu, scp = (bool(flag) if flag < 2 else flag for flag in (item.scu_role, item.scp_role))
        return cls(item.sop_class_uid, scu, scp)


@dataclass(slots=True)
class SOPClassExtendedNegotiation(NegotiationItem):
    """Application information of a service class, PS3.7 §D.3.3.5 and the annexes of PS3.4."""

    sop_class_uid: str | None = None
    """The SOP class that it is about."""
    service_class_application_information: bytes | None = None
    """As the service class defines it."""

    def to_item(self) -> items.SopClassExtendedNegotiation:
        """The item as it goes on the wire."""
        return items.SopClassExtendedNegotiation(
            str(self._require("sop_class_uid")), self._require("service_class_application_information")
        )

    @classmethod
    def from_item(cls, item: items.SopClassExtendedNegotiation) -> Self:
        """Read an item that came."""
        return cls(item.sop_class_uid, item.information)


@dataclass(slots=True)
class SOPClassCommonExtendedNegotiation(NegotiationItem):
    """What a SOP class that the acceptor may not know is akin to, PS3.7 §D.3.3.6."""

    sop_class_uid: str | None = None
    """The SOP class that it is about."""
    service_class_uid: str | None = None
    """The service class to which it belongs."""
    related_general_sop_class_identification: list[str] = field(default_factory=list)
    """More general SOP classes, as one of which it may be treated."""

    def to_item(self) -> items.SopClassCommonExtendedNegotiation:
        """The item as it goes on the wire."""
        return items.SopClassCommonExtendedNegotiation(
            str(self._require("sop_class_uid")),
            str(self._require("service_class_uid")),
            tuple(map(str, self.related_general_sop_class_identification)),
        )

    @classmethod
    def from_item(cls, item: items.SopClassCommonExtendedNegotiation) -> Self:
        """Read an item that came; reserved bytes of later versions are not shown."""
        return cls(item.sop_class_uid, item.service_class_uid, list(item.related_general))


@dataclass(slots=True)
class UserIdentityNegotiation(NegotiationItem):
    """Who the user is, and the answer to that, PS3.7 §D.3.3.7: an answer if `server_response` is set."""

    user_identity_type: int | None = None
    """1 user name, 2 with passcode, 3 Kerberos ticket, 4 SAML assertion, 5 JSON Web Token."""
    positive_response_requested: bool | int = False
    """Whether an answer is wanted."""
    primary_field: bytes | None = None
    """User name (UTF-8), ticket, assertion or token."""
    secondary_field: bytes | None = None
    """Passcode (UTF-8), for type 2."""
    server_response: bytes | None = None
    """In an answer: the acceptor's ticket or assertion; empty for types 1 and 2."""

    def to_item(self) -> items.UserIdentityRQ | items.UserIdentityAC:
        """The item as it goes on the wire."""
        if self.server_response is not None:
            return items.UserIdentityAC(self.server_response)
        return items.UserIdentityRQ(
            self._require("user_identity_type"),
            int(self.positive_response_requested or 0),
            self._require("primary_field"),
            self.secondary_field or b"",
        )

    @classmethod
    def from_item(cls, item: items.UserIdentityRQ | items.UserIdentityAC) -> Self:
        """Read an item that came; a flag other than 0 and 1 stays a number, an empty secondary field is None."""
        if isinstance(item, items.UserIdentityAC):
            return cls(server_response=item.server_response)
        wanted = item.positive_response_requested
        return cls(item.identity_type, bool(wanted) if wanted < 2 else wanted, item.primary, item.secondary or None)


_PUBLIC: Mapping[type, Callable[[Any], NegotiationItem]] = {
    items.MaximumLength: MaximumLengthNotification.from_item,
    items.ImplementationClassUid: ImplementationClassUIDNotification.from_item,
    items.AsynchronousOperationsWindow: AsynchronousOperationsWindowNegotiation.from_item,
    items.RoleSelection: SCP_SCU_RoleSelectionNegotiation.from_item,
    items.ImplementationVersionName: ImplementationVersionNameNotification.from_item,
    items.SopClassExtendedNegotiation: SOPClassExtendedNegotiation.from_item,
    items.SopClassCommonExtendedNegotiation: SOPClassCommonExtendedNegotiation.from_item,
    items.UserIdentityRQ: UserIdentityNegotiation.from_item,
    items.UserIdentityAC: UserIdentityNegotiation.from_item,
}


def public_items(came: Iterable[UserItem]) -> list[NegotiationItem]:
    """The user information of a peer in wire order, without the items that the standard does not know."""
    return [_PUBLIC[type(item)](item) for item in came if type(item) in _PUBLIC]


def build_role(uid: str, scu_role: bool = False, scp_role: bool = False) -> SCP_SCU_RoleSelectionNegotiation:
    """A role selection for a SOP class: `build_role(CTImageStorage, scp_role=True)` is what a C-GET needs."""
    return SCP_SCU_RoleSelectionNegotiation(uid, scu_role, scp_role)
