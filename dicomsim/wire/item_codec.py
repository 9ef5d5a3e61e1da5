"""Items and sub-items as bytes: one decoder and one encoder a structure, found through `ITEMS` by type code.

A decoder gets a cursor over the bytes behind the item header and the reserved byte of the header; an encoder gives
the bytes behind the header. Decoding is exact: whatever decodes, encodes to the same bytes. Where a container has
no place for an item it is kept as `UnknownItem`, to be skipped as PS3.8 §9.3.1 wants.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from dicomsim.errors import WireError
from dicomsim.wire.cursor import Cursor
from dicomsim.wire.items import (
    AbstractSyntax,
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
)

AnyItem: TypeAlias = (
    ApplicationContext
    | PresentationContextRQ
    | PresentationContextAC
    | UserInformation
    | AbstractSyntax
    | TransferSyntax
    | MaximumLength
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


class ItemCodec(NamedTuple):
    """How one structure is read and written."""

    kind: type[Any]
    """The dataclass."""
    name: str
    """As in a `WireError` path."""
    decode: Callable[[Cursor, int], Any]
    """From a cursor behind the header and the reserved byte of the header."""
    encode: Callable[[Any], bytes]
    """To the bytes behind the header."""


def encode_text(text: str) -> bytes:
    """The bytes of a UID or name; lone surrogates become the bytes they came from."""
    return text.encode("ascii", "surrogateescape")


def counted(data: bytes) -> bytes:
    """A 16 bit length, then the bytes."""
    return struct.pack(">H", len(data)) + data


def _only(cursor: Cursor, length: int) -> None:
    if cursor.remaining != length:
        raise cursor.error(f"item length is {cursor.remaining}, must be {length}")


def _text_item(kind: type[Any], name: str) -> ItemCodec:
    """An item that is one text and nothing else: all its field names begin the same, `uid` or `name`."""

    def decode(cursor: Cursor, reserved: int) -> Any:
        return kind(cursor.text(cursor.remaining, name), reserved)

    def encode(item: Any) -> bytes:
        return encode_text(item.name if kind is ImplementationVersionName else item.uid)

    return ItemCodec(kind, name, decode, encode)


def _decode_context_rq(cursor: Cursor, reserved: int) -> PresentationContextRQ:
    context_id, *others = cursor.take(4, "presentation context header")
    cursor.path += f" {context_id}"
    items = decode_items(cursor, PRESENTATION_CONTEXT_RQ_ITEMS)
    return PresentationContextRQ(context_id, items, (reserved, others[0], others[1], others[2]))


def _encode_context_rq(item: PresentationContextRQ) -> bytes:
    return bytes((item.context_id, *item.reserved[1:])) + encode_items(item.items)


def _decode_context_ac(cursor: Cursor, reserved: int) -> PresentationContextAC:
    context_id, reserved_6, result, reserved_8 = cursor.take(4, "presentation context header")
    cursor.path += f" {context_id}"
    items = decode_items(cursor, PRESENTATION_CONTEXT_AC_ITEMS)
    return PresentationContextAC(context_id, result, items, (reserved, reserved_6, reserved_8))


def _encode_context_ac(item: PresentationContextAC) -> bytes:
    _, reserved_6, reserved_8 = item.reserved
    return bytes((item.context_id, reserved_6, item.result, reserved_8)) + encode_items(item.items)


def _decode_user_information(cursor: Cursor, reserved: int) -> UserInformation:
    return UserInformation(decode_items(cursor, USER_INFORMATION_ITEMS), reserved)


def _decode_maximum_length(cursor: Cursor, reserved: int) -> MaximumLength:
    _only(cursor, 4)
    return MaximumLength(cursor.u32("maximum length received"), reserved)


def _decode_window(cursor: Cursor, reserved: int) -> AsynchronousOperationsWindow:
    _only(cursor, 4)
    return AsynchronousOperationsWindow(cursor.u16("operations invoked"), cursor.u16("operations performed"), reserved)


def _decode_roles(cursor: Cursor, reserved: int) -> RoleSelection:
    uid = cursor.counted_text("SOP class UID")
    return RoleSelection(uid, cursor.u8("SCU role"), cursor.u8("SCP role"), reserved)


def _decode_extended(cursor: Cursor, reserved: int) -> SopClassExtendedNegotiation:
    return SopClassExtendedNegotiation(cursor.counted_text("SOP class UID"), cursor.rest(), reserved)


def _decode_common_extended(cursor: Cursor, reserved: int) -> SopClassCommonExtendedNegotiation:
    sop_class, service_class = cursor.counted_text("SOP class UID"), cursor.counted_text("service class UID")
    related = cursor.part(cursor.u16("length of related general SOP classes"), "related general SOP classes")
    uids = []
    while related.remaining:
        uids.append(related.counted_text("related general SOP class UID"))
    return SopClassCommonExtendedNegotiation(sop_class, service_class, tuple(uids), cursor.rest(), reserved)


def _encode_common_extended(item: SopClassCommonExtendedNegotiation) -> bytes:
    related = b"".join(counted(encode_text(uid)) for uid in item.related_general)
    uids = counted(encode_text(item.sop_class_uid)) + counted(encode_text(item.service_class_uid))
    return uids + counted(related) + item.rest


def _decode_identity_rq(cursor: Cursor, reserved: int) -> UserIdentityRQ:
    identity_type, wanted = cursor.u8("user identity type"), cursor.u8("positive response requested")
    primary = cursor.counted("primary field")
    secondary = cursor.counted("secondary field") if cursor.remaining else None
    return UserIdentityRQ(identity_type, wanted, primary, secondary, reserved)


def _encode_identity_rq(item: UserIdentityRQ) -> bytes:
    secondary = b"" if item.secondary is None else counted(item.secondary)
    return bytes((item.identity_type, item.positive_response_requested)) + counted(item.primary) + secondary


def _decode_identity_ac(cursor: Cursor, reserved: int) -> UserIdentityAC:
    return UserIdentityAC(cursor.counted("server response"), reserved)


_CODECS = (
    _text_item(ApplicationContext, "application context"),
    ItemCodec(PresentationContextRQ, "presentation context", _decode_context_rq, _encode_context_rq),
    ItemCodec(PresentationContextAC, "presentation context", _decode_context_ac, _encode_context_ac),
    _text_item(AbstractSyntax, "abstract syntax"),
    _text_item(TransferSyntax, "transfer syntax"),
    ItemCodec(UserInformation, "user information", _decode_user_information, lambda item: encode_items(item.items)),
    ItemCodec(MaximumLength, "maximum length", _decode_maximum_length, lambda item: struct.pack(">I", item.value)),
    _text_item(ImplementationClassUid, "implementation class UID"),
    ItemCodec(
        AsynchronousOperationsWindow,
        "asynchronous operations window",
        _decode_window,
        lambda item: struct.pack(">HH", item.invoked, item.performed),
    ),
    ItemCodec(
        RoleSelection,
        "role selection",
        _decode_roles,
        lambda item: counted(encode_text(item.sop_class_uid)) + bytes((item.scu_role, item.scp_role)),
    ),
    _text_item(ImplementationVersionName, "implementation version name"),
    ItemCodec(
        SopClassExtendedNegotiation,
        "SOP class extended negotiation",
        _decode_extended,
        lambda item: counted(encode_text(item.sop_class_uid)) + item.information,
    ),
    ItemCodec(
        SopClassCommonExtendedNegotiation,
        "SOP class common extended negotiation",
        _decode_common_extended,
        _encode_common_extended,
    ),
    ItemCodec(UserIdentityRQ, "user identity", _decode_identity_rq, _encode_identity_rq),
    ItemCodec(UserIdentityAC, "user identity", _decode_identity_ac, lambda item: counted(item.server_response)),
)

ITEMS: Mapping[int, ItemCodec] = {codec.kind.TYPE: codec for codec in _CODECS}
"""All items of the standard by type code; the type registry of PS3.8 §9.3 and PS3.7 Annex D.3.3."""


def _place(*item_types: int) -> Mapping[int, ItemCodec]:
    return {item_type: ITEMS[item_type] for item_type in item_types}


ASSOCIATE_RQ_ITEMS = _place(0x10, 0x20, 0x50)
"""What an A-ASSOCIATE-RQ has a place for. PS3.8 Table 9-11."""
ASSOCIATE_AC_ITEMS = _place(0x10, 0x21, 0x50)
"""What an A-ASSOCIATE-AC has a place for. PS3.8 Table 9-17."""
PRESENTATION_CONTEXT_RQ_ITEMS = _place(0x30, 0x40)
"""What a proposed presentation context has a place for. PS3.8 Table 9-13."""
PRESENTATION_CONTEXT_AC_ITEMS = _place(0x40)
"""What an answered presentation context has a place for. PS3.8 Table 9-18."""
USER_INFORMATION_ITEMS = _place(*range(0x51, 0x5A))
"""What a user information item has a place for, in either direction. PS3.8 Table 9-16, PS3.7 Annex D.3.3."""


def decode_items(cursor: Cursor, places: Mapping[int, ItemCodec]) -> tuple[Any, ...]:
    """Read items up to the cursor's bound; raises `WireError`."""
    container = cursor.path
    items: list[Any] = []
    for item_type, reserved, part in cursor.items():
        codec = places.get(item_type)
        if codec is None:
            items.append(UnknownItem(item_type, part.rest(), reserved))
            continue
        part.path = f"{container}/{codec.name}"
        items.append(codec.decode(part, reserved))
        part.finish()
    return tuple(items)


def encode_item(item: AnyItem) -> bytes:
    """One item with its header; raises `WireError` for a value that does not fit its field."""
    if isinstance(item, UnknownItem):
        name, item_type, reserved = f"item {item.item_type:02X}H", item.item_type, item.reserved
        body = item.data
    else:
        codec = ITEMS[item.TYPE]
        name, item_type = codec.name, item.TYPE
        reserved = _reserved_byte(item)
        try:
            body = codec.encode(item)
        except WireError as error:
            raise WireError(error.offset, f"{name}/{error.path}", error.reason) from error
        except (struct.error, ValueError) as error:
            raise WireError(0, name, f"a value does not fit its field: {error}") from error
    try:
        return struct.pack(">BBH", item_type, reserved, len(body)) + body
    except struct.error as error:
        raise WireError(0, name, f"the item header cannot say this ({len(body)} bytes): {error}") from error


def _reserved_byte(item: Any) -> int:
    if isinstance(item, SopClassCommonExtendedNegotiation):
        return item.version
    reserved: int | tuple[int, ...] = item.reserved
    return reserved if isinstance(reserved, int) else reserved[0]


def encode_items(items: Iterable[Any]) -> bytes:
    """Items one behind the other; raises `WireError` for a value that does not fit its field."""
    return b"".join(map(encode_item, items))
