"""Cuts a stream of bytes into PDUs, and P-DATA-TF into the fragments of its presentation data values.

This is the hot path: no object is made per PDU but the tuples yielded, fragments are views of the caller's buffer, and
nothing is kept from one call to the next but an unfinished header or association PDU. Lengths are judged as soon as
they are there, before the bytes they announce; memory grows with the bytes that came, never with a declared length.

Three phases take turns: at a PDU, at the header of a PDV inside a P-DATA-TF, inside a fragment. Headers that stand
whole in the buffer are read where they are; those split over two calls, and all PDUs but P-DATA-TF, are gathered first.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Final, Literal, TypeAlias

from dicomsim.errors import WireError, WireFault
from dicomsim.wire.codec import HEADER_LENGTH, PDV_HEADER_LENGTH, pdu_name
from dicomsim.wire.pdu import PduType

MAX_ASSOCIATE_LENGTH: Final = 1 << 18
"""Largest PDU-length of anything but P-DATA-TF: 128 contexts with every transfer syntax there is, and roles and
extended negotiation for each, need 238 kB. Such a PDU is decoded at once, by the thread that serves everyone, and the
worst of this length, nothing but empty items, takes 0.2 s."""

PDU: Final = 0
"""First element of a piece that is a whole PDU."""
PDV: Final = 1
"""First element of a piece that is a fragment or a part of one."""
P_DATA_END: Final = 2
"""First element of the piece that ends a P-DATA-TF."""

Piece: TypeAlias = (
    tuple[Literal[0], int, bytes] | tuple[Literal[1], int, int, memoryview, bool] | tuple[Literal[2], int]
)
"""`(PDU, pdu_type, raw)`, `(PDV, context_id, control, chunk, complete)` or `(P_DATA_END, pdu_length)`."""

_P_DATA_TF: Final = 4  # a plain int: comparing with the enum member is slower
_TLS_RECORDS = (0x15, 0x16)  # alert and handshake: what the wrong port answers, and what comes to the wrong port
_VARIABLE = frozenset((PduType.A_ASSOCIATE_RQ, PduType.A_ASSOCIATE_AC, PduType.P_DATA_TF))
_FIXED_LENGTH = 4

_AT_PDU, _AT_PDV, _IN_FRAGMENT, _LOST = range(4)

_PDU_LENGTH = Struct(">2xI")
_PDV_HEADER = Struct(">IBB")


class Framer:
    """One direction of one connection.

    `limit` bounds the PDU-length of all PDUs but P-DATA-TF, `p_data_limit` that of P-DATA-TF (0: no bound; it may be
    set between calls). With `whole`, P-DATA-TF and PDUs of unknown type come out as whole PDUs too, and only those two
    bounds are judged: the rest is left to `decode_pdu`.
    """

    __slots__ = ("_declared", "_fragment", "_held", "_phase", "limit", "p_data_limit", "whole")

    def __init__(self, limit: int = MAX_ASSOCIATE_LENGTH, p_data_limit: int = 0, whole: bool = False) -> None:
        self.limit = limit
        self.p_data_limit = p_data_limit
        self.whole = whole
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next byte begins a PDU."""
        self._phase = _AT_PDU
        self._held = bytearray()
        self._declared = HEADER_LENGTH
        # Of the present P-DATA-TF: its length, what of it follows the present PDV, what is missing of the present
        # fragment, context ID, message control header.
        self._fragment = (0, 0, 0, 0, 0)

    @property
    def pending(self) -> int:
        """Bytes kept because what they belong to is unfinished."""
        return len(self._held)

    @property
    def in_pdu(self) -> bool:
        """Whether a PDU has begun and not ended, as of the last byte of the last call."""
        return self._phase in (_AT_PDV, _IN_FRAGMENT) or bool(self._held)

    # One function, though long: a call a PDU would cost as much as all the rest of it.
    def receive(self, data: bytes | bytearray | memoryview) -> Iterator[Piece]:  # noqa: C901
        """Take the next bytes of the stream and yield the pieces they complete.

        `data` must not change before the iterator is exhausted; a chunk is valid until the iterator goes on. Raises
        `WireError`, its offset counted from the start of the PDU. After that, or when the iterator is dropped before
        its end, the framing is lost: all further bytes are ignored until `reset`.
        """
        phase, self._phase = self._phase, _LOST
        if phase == _LOST:
            return
        view, position, end = memoryview(data), 0, len(data)
        held, limit, streaming = self._held, self.p_data_limit, not self.whole
        length, left, missing, context_id, control = self._fragment
        while position < end:
            if phase == _AT_PDU:
                if streaming and not held and view[position] == _P_DATA_TF and end - position >= HEADER_LENGTH:
                    length = left = _PDU_LENGTH.unpack_from(view, position)[0]
                    position += HEADER_LENGTH
                    if length < PDV_HEADER_LENGTH or 0 < limit < length:
                        raise _bad_p_data_length(length, limit)
                else:
                    position, raw = self._gather_pdu(view, position)
                    if raw is None:
                        break
                    if raw[0] != _P_DATA_TF or not streaming:
                        yield PDU, raw[0], raw
                        continue
                    length = left = int.from_bytes(raw[2:])
                phase = _AT_PDV
            if phase == _AT_PDV:
                if not held and end - position >= PDV_HEADER_LENGTH:
                    missing, context_id, control = _PDV_HEADER.unpack_from(view, position)
                    position += PDV_HEADER_LENGTH
                else:
                    position, header = self._gather_pdv_header(view, position, length, left)
                    if header is None:
                        break
                    missing, context_id, control = _PDV_HEADER.unpack(header)
                behind = left - 4 - missing
                if missing < 2 or (behind < PDV_HEADER_LENGTH and behind):
                    raise _bad_pdv_length(missing, length, left)
                missing, left = missing - 2, behind
            stop = position + missing
            if stop > end:
                if position < end:
                    yield PDV, context_id, control, view[position:], False
                phase, missing = _IN_FRAGMENT, stop - end
                break
            yield PDV, context_id, control, view[position:stop], True
            position, phase = stop, _AT_PDV
            if not left:
                yield P_DATA_END, length
                phase = _AT_PDU
        self._fragment = length, left, missing, context_id, control
        self._phase = phase

    def pdus(self, data: bytes | bytearray | memoryview) -> Iterator[bytes]:
        """As `receive`, for a framer that yields nothing but whole PDUs: each with its header."""
        for piece in self.receive(data):
            assert piece[0] == PDU
            yield piece[2]

    def _gather_pdu(self, view: memoryview, position: int) -> tuple[int, bytes | None]:
        """Hold bytes until a whole PDU is there, or the header of a P-DATA-TF to be streamed."""
        held = self._held
        if not held and not self.whole and not 1 <= view[position] <= 7:
            raise _unknown_pdu(view[position])
        if len(held) < HEADER_LENGTH:
            position = self._hold(view, position, HEADER_LENGTH)
            if len(held) < HEADER_LENGTH:
                return position, None
            length = int.from_bytes(held[2:])
            self._check_length(held[0], length)
            self._declared = HEADER_LENGTH if held[0] == _P_DATA_TF and not self.whole else HEADER_LENGTH + length
        position = self._hold(view, position, self._declared)
        if len(held) < self._declared:
            return position, None
        raw = bytes(held)
        held.clear()
        return position, raw

    def _gather_pdv_header(self, view: memoryview, position: int, length: int, left: int) -> tuple[int, bytes | None]:
        """Hold bytes until a PDV header is there; its item length is judged before the other two bytes come."""
        held = self._held
        position = self._hold(view, position, PDV_HEADER_LENGTH)
        if len(held) >= 4:
            item_length = int.from_bytes(held[:4])
            behind = left - 4 - item_length
            if item_length < 2 or (behind < PDV_HEADER_LENGTH and behind):
                raise _bad_pdv_length(item_length, length, left)
        if len(held) < PDV_HEADER_LENGTH:
            return position, None
        header = bytes(held)
        held.clear()
        return position, header

    def _hold(self, view: memoryview, position: int, wanted: int) -> int:
        stop = min(len(view), position + wanted - len(self._held))
        self._held += view[position:stop]
        return stop

    def _check_length(self, pdu_type: int, length: int) -> None:
        """Judge the PDU-length of what came through `_gather_pdu`."""
        if pdu_type == _P_DATA_TF:
            if 0 < self.p_data_limit < length or (length < PDV_HEADER_LENGTH and not self.whole):
                raise _bad_p_data_length(length, self.p_data_limit)
        elif length > self.limit:
            reason = f"PDU-length is {length}, the limit is {self.limit}"
            kind = WireFault.INVALID_VALUE if 1 <= pdu_type <= 7 else WireFault.UNRECOGNIZED_PDU
            raise WireError(2, pdu_name(pdu_type), reason, kind)
        elif pdu_type not in _VARIABLE and length != _FIXED_LENGTH and not self.whole:
            raise WireError(2, pdu_name(pdu_type), f"PDU-length is {length}, must be {_FIXED_LENGTH}")


def _unknown_pdu(pdu_type: int) -> WireError:
    hint = ", but begins a TLS record: one side seems to expect TLS here" if pdu_type in _TLS_RECORDS else ""
    return WireError(0, "PDU", f"type {pdu_type:02X}H is no PDU{hint}", WireFault.UNRECOGNIZED_PDU)


def _bad_p_data_length(length: int, limit: int) -> WireError:
    if length < PDV_HEADER_LENGTH:
        return WireError(2, "P-DATA-TF", f"PDU-length is {length}, too short for a presentation data value")
    return WireError(2, "P-DATA-TF", f"PDU-length is {length}, above the maximum length announced, {limit}")


def _bad_pdv_length(item_length: int, length: int, left: int) -> WireError:
    """The item length stands where `left` of the PDU's bytes were still to come."""
    offset, path = HEADER_LENGTH + length - left, "P-DATA-TF/presentation data value"
    behind = left - 4 - item_length
    if item_length < 2:
        return WireError(offset, path, f"item length is {item_length}, at least 2 are needed")
    if behind < 0:
        return WireError(offset, path, f"item length is {item_length}, {left - 4} bytes are left in the PDU")
    return WireError(offset, path, f"item length {item_length} leaves {behind} stray bytes in the PDU")
