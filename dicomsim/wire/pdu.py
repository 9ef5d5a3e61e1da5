"""The seven PDUs as values: `decode_pdu` and `encode_pdu` turn whole PDUs into them and back. PS3.8 §9.3."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, TypeVar

from dicomsim.wire.codes import COMMAND, LAST
from dicomsim.wire.items import (
    ApplicationContext,
    Item,
    PresentationContextAC,
    PresentationContextRQ,
    UserInformation,
    UserItem,
)

T = TypeVar("T")


class PduType(IntEnum):
    """First byte of a PDU."""

    A_ASSOCIATE_RQ = 1
    A_ASSOCIATE_AC = 2
    A_ASSOCIATE_RJ = 3
    P_DATA_TF = 4
    A_RELEASE_RQ = 5
    A_RELEASE_RP = 6
    A_ABORT = 7

    @property
    def standard_name(self) -> str:
        """`A-ASSOCIATE-RQ` and so on."""
        return self.name.replace("_", "-")


def pad_ae_title(title: str) -> bytes:
    """16 bytes as they stand in the A-ASSOCIATE PDUs; longer titles are not cut (that is a way to misbehave)."""
    return title.encode("ascii", "surrogateescape").ljust(16)


@dataclass(frozen=True, slots=True)
class _Associate:
    called_ae_title: bytes
    """16 bytes, padded."""
    calling_ae_title: bytes
    """16 bytes, padded."""
    items: tuple[Item, ...]
    """In wire order."""
    protocol_version: int = 1
    """Bit 0 is version 1."""
    reserved: tuple[int, bytes, bytes] = (0, bytes(2), bytes(32))
    """Byte 2, bytes 9 to 10, bytes 43 to 74."""

    @property
    def called(self) -> str:
        """The called AE title without its padding."""
        return self.called_ae_title.decode("ascii", "backslashreplace").strip(" \0")

    @property
    def calling(self) -> str:
        """The calling AE title without its padding."""
        return self.calling_ae_title.decode("ascii", "backslashreplace").strip(" \0")

    @property
    def application_context(self) -> str | None:
        """The first application context name, or None."""
        return next((item.uid for item in self.items if isinstance(item, ApplicationContext)), None)

    @property
    def user_information(self) -> tuple[UserItem, ...]:
        """The sub-items of the (first) user information item."""
        for item in self.items:  # a generator would cost more than what it goes over, and this is asked for often
            if isinstance(item, UserInformation):
                return item.items
        return ()

    def user_item(self, kind: type[T]) -> T | None:
        """The first user information sub-item of that class, or None."""
        for item in self.user_information:
            if isinstance(item, kind):
                return item
        return None


@dataclass(frozen=True, slots=True)
class AssociateRQ(_Associate):
    """PS3.8 Table 9-11."""

    TYPE: ClassVar[PduType] = PduType.A_ASSOCIATE_RQ

    @property
    def presentation_contexts(self) -> tuple[PresentationContextRQ, ...]:
        """The proposed contexts in wire order."""
        return tuple(item for item in self.items if isinstance(item, PresentationContextRQ))


@dataclass(frozen=True, slots=True)
class AssociateAC(_Associate):
    """PS3.8 Table 9-17; the titles are copies of the request's and are not to be tested."""

    TYPE: ClassVar[PduType] = PduType.A_ASSOCIATE_AC

    @property
    def presentation_contexts(self) -> tuple[PresentationContextAC, ...]:
        """The answers in wire order."""
        return tuple(item for item in self.items if isinstance(item, PresentationContextAC))


@dataclass(frozen=True, slots=True)
class AssociateRJ:
    """PS3.8 Table 9-21."""

    TYPE: ClassVar[PduType] = PduType.A_ASSOCIATE_RJ
    result: int
    """1 permanent, 2 transient."""
    source: int
    """1 service user, 2 service provider (ACSE), 3 service provider (presentation)."""
    reason: int
    """See `dicomsim.wire.codes`."""
    reserved: tuple[int, int] = (0, 0)
    """Bytes 2 and 7."""


@dataclass(frozen=True, slots=True)
class Pdv:
    """One presentation data value, PS3.8 Table 9-23."""

    context_id: int
    """Presentation context."""
    control: int
    """Bit 0: command (else data set); bit 1: last fragment."""
    data: bytes
    """The fragment."""

    @property
    def is_command(self) -> bool:
        """Whether the fragment belongs to a command set."""
        return bool(self.control & COMMAND)

    @property
    def is_last(self) -> bool:
        """Whether the fragment ends its command or data set."""
        return bool(self.control & LAST)


@dataclass(frozen=True, slots=True)
class PDataTF:
    """PS3.8 Table 9-22."""

    TYPE: ClassVar[PduType] = PduType.P_DATA_TF
    pdvs: tuple[Pdv, ...]
    """In wire order."""
    reserved: int = 0
    """Byte 2."""


@dataclass(frozen=True, slots=True)
class ReleaseRQ:
    """PS3.8 Table 9-24."""

    TYPE: ClassVar[PduType] = PduType.A_RELEASE_RQ
    reserved: tuple[int, bytes] = (0, bytes(4))
    """Byte 2, bytes 7 to 10."""


@dataclass(frozen=True, slots=True)
class ReleaseRP:
    """PS3.8 Table 9-25."""

    TYPE: ClassVar[PduType] = PduType.A_RELEASE_RP
    reserved: tuple[int, bytes] = (0, bytes(4))
    """Byte 2, bytes 7 to 10."""


@dataclass(frozen=True, slots=True)
class Abort:
    """PS3.8 Table 9-26."""

    TYPE: ClassVar[PduType] = PduType.A_ABORT
    source: int = 0
    """0 service user, 2 service provider."""
    reason: int = 0
    """Without meaning when the source is the user."""
    reserved: tuple[int, bytes] = (0, bytes(2))
    """Byte 2, bytes 7 to 8."""


@dataclass(frozen=True, slots=True)
class UnknownPdu:
    """A PDU whose type the standard does not know."""

    pdu_type: int
    """The type byte."""
    data: bytes
    """What follows the six byte header."""
    reserved: int = 0
    """Byte 2."""


Pdu = AssociateRQ | AssociateAC | AssociateRJ | PDataTF | ReleaseRQ | ReleaseRP | Abort | UnknownPdu
