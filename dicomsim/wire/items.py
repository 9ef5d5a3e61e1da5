"""Items and sub-items of the A-ASSOCIATE PDUs (10H to 59H), one frozen dataclass a structure.

Values hold exactly what is on the wire, so that any value, legal or not, can be built, sent and read back unchanged:
UIDs and names are text decoded as ASCII with surrogateescape and never stripped, codes are plain integers, reserved
bytes are kept. Source: PS3.8 §9.3, Annex D; PS3.7 Annex D.3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class UnknownItem:
    """An item whose type the standard does not know, or that stands where its type has no place."""

    item_type: int
    """The type byte."""
    data: bytes
    """What follows the four byte header."""
    reserved: int = 0
    """Byte 2 of the header."""


@dataclass(frozen=True, slots=True)
class ApplicationContext:
    """PS3.8 Table 9-12."""

    TYPE: ClassVar[int] = 0x10
    uid: str = "1.2.840.10008.3.1.1.1"
    """Application context name."""
    reserved: int = 0
    """Byte 2 of the header."""


@dataclass(frozen=True, slots=True)
class AbstractSyntax:
    """PS3.8 Table 9-14."""

    TYPE: ClassVar[int] = 0x30
    uid: str
    """Abstract syntax name."""
    reserved: int = 0
    """Byte 2 of the header."""


@dataclass(frozen=True, slots=True)
class TransferSyntax:
    """PS3.8 Tables 9-15 and 9-19."""

    TYPE: ClassVar[int] = 0x40
    uid: str
    """Transfer syntax name."""
    reserved: int = 0
    """Byte 2 of the header."""


@dataclass(frozen=True, slots=True)
class PresentationContextRQ:
    """A proposed context, PS3.8 Table 9-13."""

    TYPE: ClassVar[int] = 0x20
    context_id: int
    """Odd, 1 to 255, when legal."""
    items: tuple[AbstractSyntax | TransferSyntax | UnknownItem, ...]
    """Sub-items in wire order."""
    reserved: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Byte 2 of the header, then bytes 6 to 8."""

    @classmethod
    def of(cls, context_id: int, abstract_syntax: str, *transfer_syntaxes: str) -> PresentationContextRQ:
        """Build the usual form: one abstract syntax, then the transfer syntaxes."""
        return cls(context_id, (AbstractSyntax(abstract_syntax), *map(TransferSyntax, transfer_syntaxes)))

    @property
    def abstract_syntax(self) -> str | None:
        """The first abstract syntax, or None."""
        return next((item.uid for item in self.items if isinstance(item, AbstractSyntax)), None)

    @property
    def transfer_syntaxes(self) -> tuple[str, ...]:
        """All transfer syntaxes in wire order."""
        return tuple(item.uid for item in self.items if isinstance(item, TransferSyntax))


@dataclass(frozen=True, slots=True)
class PresentationContextAC:
    """The answer for one context, PS3.8 Table 9-18."""

    TYPE: ClassVar[int] = 0x21
    context_id: int
    """That of the proposal."""
    result: int
    """0 acceptance, 1 user rejection, 2 no reason, 3 abstract syntax, 4 transfer syntaxes not supported."""
    items: tuple[TransferSyntax | UnknownItem, ...] = ()
    """Sub-items in wire order."""
    reserved: tuple[int, int, int] = (0, 0, 0)
    """Byte 2 of the header, then bytes 6 and 8."""

    @property
    def transfer_syntax(self) -> str | None:
        """The first transfer syntax, or None; without meaning unless `result` is 0."""
        return next((item.uid for item in self.items if isinstance(item, TransferSyntax)), None)


@dataclass(frozen=True, slots=True)
class MaximumLength:
    """PS3.8 Table D.1-1."""

    TYPE: ClassVar[int] = 0x51
    value: int
    """Largest PDU-length of a P-DATA-TF that the sender of this item takes; 0 is no limit."""
    reserved: int = 0
    """Byte 2 of the header."""


@dataclass(frozen=True, slots=True)
class ImplementationClassUid:
    """PS3.7 Table D.3-1."""

    TYPE: ClassVar[int] = 0x52
    uid: str
    """Implementation class UID."""
    reserved: int = 0
    """Byte 2 of the header."""


@dataclass(frozen=True, slots=True)
class AsynchronousOperationsWindow:
    """PS3.7 Table D.3-7."""

    TYPE: ClassVar[int] = 0x53
    invoked: int
    """Operations the requestor may have outstanding; 0 is no limit."""
    performed: int
    """Operations the requestor performs at once; 0 is no limit."""
    reserved: int = 0
    """Byte 2 of the header."""


@dataclass(frozen=True, slots=True)
class RoleSelection:
    """PS3.7 Table D.3-9."""

    TYPE: ClassVar[int] = 0x54
    sop_class_uid: str
    """The SOP class the roles are for."""
    scu_role: int
    """1 proposes or accepts that the requestor is SCU."""
    scp_role: int
    """1 proposes or accepts that the requestor is SCP."""
    reserved: int = 0
    """Byte 2 of the header."""


@dataclass(frozen=True, slots=True)
class ImplementationVersionName:
    """PS3.7 Table D.3-3."""

    TYPE: ClassVar[int] = 0x55
    name: str
    """1 to 16 characters when legal."""
    reserved: int = 0
    """Byte 2 of the header."""


@dataclass(frozen=True, slots=True)
class SopClassExtendedNegotiation:
    """PS3.7 Table D.3-11."""

    TYPE: ClassVar[int] = 0x56
    sop_class_uid: str
    """The SOP class the information is for."""
    information: bytes
    """Service class application information, as the service class defines it."""
    reserved: int = 0
    """Byte 2 of the header."""


@dataclass(frozen=True, slots=True)
class SopClassCommonExtendedNegotiation:
    """PS3.7 Table D.3-12."""

    TYPE: ClassVar[int] = 0x57
    sop_class_uid: str
    """The SOP class."""
    service_class_uid: str
    """The service class it belongs to."""
    related_general: tuple[str, ...] = ()
    """Related general SOP classes."""
    rest: bytes = b""
    """Reserved bytes behind the list, of later versions."""
    version: int = 0
    """Sub-item version, byte 2 of the header."""


@dataclass(frozen=True, slots=True)
class UserIdentityRQ:
    """PS3.7 Table D.3-14."""

    TYPE: ClassVar[int] = 0x58
    identity_type: int
    """1 user name, 2 with passcode, 3 Kerberos, 4 SAML, 5 JSON Web Token."""
    positive_response_requested: int
    """1 asks for an answer."""
    primary: bytes
    """User name, ticket, assertion or token."""
    secondary: bytes | None = b""
    """Passcode, for type 2; None where the length field itself is missing, as some send it for other types."""
    reserved: int = 0
    """Byte 2 of the header."""


@dataclass(frozen=True, slots=True)
class UserIdentityAC:
    """PS3.7 Table D.3-15."""

    TYPE: ClassVar[int] = 0x59
    server_response: bytes = b""
    """Ticket or assertion of the acceptor; empty for types 1 and 2."""
    reserved: int = 0
    """Byte 2 of the header."""


UserItem = (
    MaximumLength
    | ImplementationClassUid
    | AsynchronousOperationsWindow
    | RoleSelection
    | ImplementationVersionName
    | SopClassExtendedNegotiation
    | SopClassCommonExtendedNegotiation
    | UserIdentityRQ
    | UserIdentityAC
    | UnknownItem
)


@dataclass(frozen=True, slots=True)
class UserInformation:
    """PS3.8 Table 9-16."""

    TYPE: ClassVar[int] = 0x50
    items: tuple[UserItem, ...]
    """Sub-items in wire order."""
    reserved: int = 0
    """Byte 2 of the header."""


Item = ApplicationContext | PresentationContextRQ | PresentationContextAC | UserInformation | UnknownItem
