"""`PayloadCutter`: cuts one direction of a connection at its PDUs, and data sets that count only by their beginnings.

For recordings of which nobody wants the pixels: whatever is no data set comes out whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from dicomsim.dimse.data import Buffer
from dicomsim.wire.codec import HEADER_LENGTH, PDV_HEADER_LENGTH
from dicomsim.wire.codes import COMMAND
from dicomsim.wire.pdu import PduType

_P_DATA_TF = int(PduType.P_DATA_TF)
_JUDGED = HEADER_LENGTH + PDV_HEADER_LENGTH
"""Bytes that tell what to keep of a PDU: up to the first control header of a P-DATA-TF."""
_HEADS = struct.Struct(">BxL5xB").unpack_from
"""Type, PDU-length and first control header."""
_EVERYTHING = 1 << 40

Cut = tuple[int, int, bool]
"""Where a piece ends among the bytes kept, how many are missing behind it, and whether a PDU ends there."""


class PayloadCutter:
    """Follows the PDUs of one direction; bytes that are none count as one that never ends."""

    __slots__ = ("_head", "_keep", "_limit", "left")

    def __init__(self, limit: int | None = None) -> None:
        """Keep `limit` bytes of a P-DATA-TF that begins with a data set, behind the headers; of all else everything."""
        self._limit = _EVERYTHING if limit is None else limit
        self._head = bytearray()  # as much of the PDU under way as is there, until that tells what to keep of it
        self._keep = 0  # how many bytes of that PDU are kept of those to come
        self.left = 0
        """Bytes to come of the PDU under way, as far as its header tells."""

    # One function, though long: a call a PDU would cost as much as all the rest of it.
    def cut(  # noqa: C901
        self, spans: Iterable[tuple[Buffer, int]]
    ) -> tuple[list[Buffer], list[Cut]]:
        """What is kept of bytes that were read or written at once, and where to cut it: behind each PDU and at the end.

        With each buffer comes how many bytes were left out behind it before.
        """
        kept: list[Buffer] = []
        cuts: list[Cut] = []
        position = missing = done = 0
        left, keep = self.left, self._keep
        for buffer, lacking in spans:
            start, end = 0, len(buffer)
            while start < end:
                if not left:
                    if self._head or end - start < _JUDGED:
                        step = min(self._wanted() - len(self._head), end - start)
                        kept.append(buffer[start : start + step])
                        self._head += kept[-1]
                        position += step
                        start += step
                        left, keep = self._judge()
                        if not (left or self._head):
                            cuts.append((position, missing, True))
                            done, missing = position, 0
                        continue
                    kind, length, control = _HEADS(buffer, start)
                    left = HEADER_LENGTH + length
                    whole = kind != _P_DATA_TF or length < PDV_HEADER_LENGTH or control & COMMAND
                    keep = left if whole else min(_JUDGED + self._limit, left)
                step = end - start
                if step > left:
                    step = left
                if keep >= step:
                    kept.append(buffer if step == end else buffer[start : start + step])
                    position += step
                    keep -= step
                else:
                    if keep:
                        kept.append(buffer[start : start + keep])
                        position += keep
                    missing += step - keep
                    keep = 0
                left -= step
                start += step
                if not left:
                    cuts.append((position, missing, True))
                    done, missing = position, 0
            if lacking:
                left, keep = max(left - lacking, 0), 0
                missing += lacking
                if not left:
                    cuts.append((position, missing, True))
                    done, missing = position, 0
        if missing or done < position:
            cuts.append((position, missing, False))
        self.left, self._keep = left, keep
        return kept, cuts

    def _wanted(self) -> int:
        """How long the head is to be before anything can be said."""
        if len(self._head) < HEADER_LENGTH:
            return HEADER_LENGTH
        return min(_JUDGED, HEADER_LENGTH + int.from_bytes(self._head[2:HEADER_LENGTH]))

    def _judge(self) -> tuple[int, int]:
        """How many bytes come behind the head, and how many of them are kept; nothing while it is not complete."""
        head = self._head
        if len(head) < HEADER_LENGTH:
            return 0, 0
        kind, length = head[0], int.from_bytes(head[2:HEADER_LENGTH])
        if kind == _P_DATA_TF and len(head) < self._wanted():
            return 0, 0
        left = HEADER_LENGTH + length - len(head)
        whole = kind != _P_DATA_TF or len(head) < _JUDGED or head[-1] & COMMAND
        head.clear()
        return left, left if whole else min(self._limit, left)
