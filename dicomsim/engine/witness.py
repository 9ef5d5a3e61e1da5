"""`Witness`: tells an observer of the bytes and PDUs that pass on one connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dicomsim import events
from dicomsim.engine.payload_cutter import PayloadCutter
from dicomsim.engine.pdu_cutter import PduCutter
from dicomsim.engine.transport import Buffer
from dicomsim.events import Event

Observer = Callable[[Event], None]

_NONE: frozenset[type[Event]] = frozenset()
_WITNESSED = frozenset((events.BytesIn, events.BytesOut, events.PduIn, events.PduOut))


def wants(observer: Observer | None, *kinds: type[Event]) -> bool:
    """Whether an observer is to be told of one of these kinds; one that does not say (`wants`) is told of all."""
    if observer is None:
        return False
    asked: Callable[..., bool] | None = getattr(observer, "wants", None)
    return asked is None or asked(*kinds)


def wanted(observer: Observer | None) -> frozenset[type[Event]]:
    """All kinds of event that an observer is to be told of."""
    return _NONE if observer is None else frozenset(kind for kind in events.KINDS if wants(observer, kind))


def payload_limit(observer: Observer | None) -> int | None:
    """How many bytes of a data set fragment an observer wants at the most; None if it does not say."""
    limit: int | None = getattr(observer, "payload_limit", None)
    return limit


class Witness:
    """Both directions of a connection, as an observer is told of them."""

    __slots__ = ("_cut_in", "_cut_out", "_emit", "_incoming", "_outgoing", "_tells_in", "_tells_out")

    def __init__(self, emit: Callable[..., Any], kinds: frozenset[type[Event]], limit: int | None = None) -> None:
        """Call `emit` with these kinds of event and their data; of bytes, those within the payload limit."""
        self._emit = emit
        self._tells_in = events.BytesIn in kinds
        self._tells_out = events.BytesOut in kinds
        self._cut_in = None if limit is None else PayloadCutter(limit)
        self._cut_out = None if limit is None else PayloadCutter(limit)
        self._incoming = PduCutter() if events.PduIn in kinds else None
        self._outgoing = PduCutter() if events.PduOut in kinds else None

    @classmethod
    def of(cls, kinds: frozenset[type[Event]], limit: int | None, emit: Callable[..., Any]) -> Witness | None:
        """A witness for those of these kinds that tell of bytes and PDUs; None if there are none."""
        return None if kinds.isdisjoint(_WITNESSED) else cls(emit, kinds, limit)

    def read(self, data: Buffer) -> None:
        """One read from the transport gave this."""
        if not self._tells_in:
            return
        if self._cut_in is None:
            self._emit(events.BytesIn, bytes(data))
        else:
            self._emit(events.BytesIn, *_beginnings(self._cut_in, (data,)))

    def arriving(self, data: Buffer) -> Iterator[Buffer]:
        """The data in slices of which none reaches over the end of a PDU; each PDU is told before its last slice."""
        if self._incoming is None:
            yield data
            return
        start, end = 0, -self._incoming.pending
        for whole, piece in self._incoming.cut(data):
            end += len(piece)
            if whole:
                self._emit(events.PduIn, piece)
            yield data[start:end]
            start = end
        if start < len(data):
            yield data[start:]

    def written(self, buffers: Sequence[Buffer]) -> None:
        """One write to the transport took this; whoever is told may do what ends the buffers' validity."""
        pieces = []
        if self._outgoing is not None:
            pieces = [piece for buffer in buffers for whole, piece in self._outgoing.cut(buffer) if whole]
        if self._tells_out:
            if self._cut_out is None:
                self._emit(events.BytesOut, b"".join(buffers))
            else:
                self._emit(events.BytesOut, *_beginnings(self._cut_out, buffers))
        for piece in pieces:
            self._emit(events.PduOut, piece)


def _beginnings(cutter: PayloadCutter, buffers: Sequence[Buffer]) -> tuple[bytes, tuple[tuple[int, int], ...]]:
    """What is kept of buffers, and where how much was left out."""
    kept, cuts = cutter.cut([(buffer, 0) for buffer in buffers])
    return b"".join(kept), tuple([(position, missing) for position, missing, _ in cuts if missing])
