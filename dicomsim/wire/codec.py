"""The seven PDUs as bytes and back, one decoder and one encoder a type, found through `PDUS` by type code.

What decodes encodes to the same bytes, reserved ones included; what is illegal but has a place in the structure
(an even context ID, a source of 1, a title of 16 blanks) passes both ways, for others to judge. PS3.8 §9.3.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dicomsim.errors import WireError
from dicomsim.wire.cursor import Cursor
from dicomsim.wire.item_codec import ASSOCIATE_AC_ITEMS, ASSOCIATE_RQ_ITEMS, ItemCodec, decode_items, encode_items
from dicomsim.wire.pdu import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    PDataTF,
    Pdu,
    PduType,
    Pdv,
    ReleaseRP,
    ReleaseRQ,
    UnknownPdu,
)

HEADER_LENGTH = 6
"""Type, reserved byte and 32 bit PDU-length."""
PDV_HEADER_LENGTH = 6
"""32 bit item length, context ID and message control header."""


class PduCodec(NamedTuple):
    """How one PDU is read and written."""

    kind: type[Any]
    """The dataclass."""
    decode: Callable[[Cursor, int], Any]
    """From a cursor behind the header and the reserved byte of the header."""
    encode: Callable[[Any], bytes]
    """To the bytes behind the header."""


def _associate(kind: type[AssociateRQ | AssociateAC], places: Mapping[int, ItemCodec]) -> PduCodec:
    def decode(cursor: Cursor, reserved: int) -> AssociateRQ | AssociateAC:
        version, reserved_9 = cursor.u16("protocol version"), cursor.take(2, "reserved bytes")
        called, calling = cursor.take(16, "called AE title"), cursor.take(16, "calling AE title")
        reserved_43 = cursor.take(32, "reserved bytes")
        return kind(called, calling, decode_items(cursor, places), version, (reserved, reserved_9, reserved_43))

    def encode(pdu: AssociateRQ | AssociateAC) -> bytes:
        _, reserved_9, reserved_43 = pdu.reserved
        titles = pdu.called_ae_title + pdu.calling_ae_title
        return struct.pack(">H", pdu.protocol_version) + reserved_9 + titles + reserved_43 + encode_items(pdu.items)

    return PduCodec(kind, decode, encode)


def _decode_reject(cursor: Cursor, reserved: int) -> AssociateRJ:
    reserved_7, result, source, reason = cursor.take(4, "result, source and reason")
    return AssociateRJ(result, source, reason, (reserved, reserved_7))


def _encode_reject(pdu: AssociateRJ) -> bytes:
    return bytes((pdu.reserved[1], pdu.result, pdu.source, pdu.reason))


def _decode_p_data(cursor: Cursor, reserved: int) -> PDataTF:
    if not cursor.remaining:
        raise cursor.error("no presentation data value")
    path = cursor.path
    pdvs: list[Pdv] = []
    while cursor.remaining:
        cursor.path = f"{path}/presentation data value {len(pdvs) + 1}"
        start = cursor.position
        length = cursor.u32("item length")
        if not 2 <= length <= cursor.remaining:
            reason = f"item length is {length}, at least 2 are needed and {cursor.remaining} bytes are left"
            raise WireError(start, cursor.path, reason)
        context_id, control = cursor.u8("context ID"), cursor.u8("message control header")
        pdvs.append(Pdv(context_id, control, cursor.take(length - 2, "fragment")))
    return PDataTF(tuple(pdvs), reserved)


def _encode_p_data(pdu: PDataTF) -> bytes:
    parts: list[bytes] = []
    for pdv in pdu.pdvs:
        parts.append(struct.pack(">IBB", len(pdv.data) + 2, pdv.context_id, pdv.control))
        parts.append(pdv.data)
    return b"".join(parts)


def _release(kind: type[ReleaseRQ | ReleaseRP]) -> PduCodec:
    def decode(cursor: Cursor, reserved: int) -> ReleaseRQ | ReleaseRP:
        return kind((reserved, cursor.take(4, "reserved bytes")))

    return PduCodec(kind, decode, lambda pdu: pdu.reserved[1])


def _decode_abort(cursor: Cursor, reserved: int) -> Abort:
    reserved_7 = cursor.take(2, "reserved bytes")
    return Abort(cursor.u8("source"), cursor.u8("reason"), (reserved, reserved_7))


def _encode_abort(pdu: Abort) -> bytes:
    return pdu.reserved[1] + bytes((pdu.source, pdu.reason))


PDUS: Mapping[int, PduCodec] = {
    PduType.A_ASSOCIATE_RQ: _associate(AssociateRQ, ASSOCIATE_RQ_ITEMS),
    PduType.A_ASSOCIATE_AC: _associate(AssociateAC, ASSOCIATE_AC_ITEMS),
    PduType.A_ASSOCIATE_RJ: PduCodec(AssociateRJ, _decode_reject, _encode_reject),
    PduType.P_DATA_TF: PduCodec(PDataTF, _decode_p_data, _encode_p_data),
    PduType.A_RELEASE_RQ: _release(ReleaseRQ),
    PduType.A_RELEASE_RP: _release(ReleaseRP),
    PduType.A_ABORT: PduCodec(Abort, _decode_abort, _encode_abort),
}
"""The PDUs of the standard by type code. PS3.8 §9.3.1."""


def pdu_name(pdu_type: int) -> str:
    """`A-ASSOCIATE-RQ` and so on, `PDU 08H` for a type the standard does not know."""
    return PduType(pdu_type).standard_name if pdu_type in PDUS else f"PDU {pdu_type:02X}H"


def decode_pdu(data: bytes | bytearray | memoryview) -> Pdu:
    """Read one whole PDU, header included, and nothing behind it; raises `WireError` and nothing else."""
    raw = bytes(data)
    if not raw:
        raise WireError(0, "PDU", "no bytes")
    name = pdu_name(raw[0])
    cursor = Cursor(raw, 0, len(raw), name)
    pdu_type, reserved = cursor.u8("type"), cursor.u8("reserved byte")
    length = cursor.u32("PDU-length")
    if length != cursor.remaining:
        raise WireError(2, name, f"PDU-length is {length}, {cursor.remaining} bytes follow")
    codec = PDUS.get(pdu_type)
    if codec is None:
        return UnknownPdu(pdu_type, cursor.rest(), reserved)
    pdu: Pdu = codec.decode(cursor, reserved)
    cursor.path = name
    cursor.finish()
    return pdu


def encode_pdu(pdu: Pdu) -> bytes:
    """Write one whole PDU, header included; raises `WireError` for a value that does not fit its field."""
    pdu_type = pdu.pdu_type if isinstance(pdu, UnknownPdu) else pdu.TYPE
    reserved = pdu.reserved if isinstance(pdu.reserved, int) else pdu.reserved[0]
    name = pdu_name(pdu_type)
    try:
        body = pdu.data if isinstance(pdu, UnknownPdu) else PDUS[pdu_type].encode(pdu)
        return struct.pack(">BBI", pdu_type, reserved, len(body)) + body
    except WireError as error:
        raise WireError(error.offset, f"{name}/{error.path}", error.reason) from error
    except (struct.error, ValueError) as error:
        raise WireError(0, name, f"a value does not fit its field: {error}") from error
