"""`AssociationTrack`: the bytes of one association become the items of its conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import Struct

from dicomsim.capture.captured import CapturedEnd, CapturedLoss, CapturedMessage, CapturedPdu, Item
from dicomsim.capture.pdu_stream import P_DATA_TF, FramedPdu, PduStream, Skipped
from dicomsim.dimse.assembler import Assembler
from dicomsim.dimse.data import Buffer, DataSource, MemorySink, Sink
from dicomsim.dimse.messages import Message
from dicomsim.errors import WireError
from dicomsim.events import CloseHow, Side
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.pdu import UnknownPdu

ANY_CONTEXT = range(256)
"""Contexts are not judged: clients send on them before they are accepted."""

Holes = tuple[tuple[int, int], ...]
SinkChooser = Callable[[Side, Message], Sink | None]
"""Picks by sender and command where a data set goes; None where it is only to be counted."""

_PDV_HEADER = Struct(">IBB").unpack_from


class CountingSink:
    """Counts the bytes of a data set and hands them to another sink, if there is one."""

    def __init__(self, inner: Sink | None) -> None:
        self.inner = inner
        self.length = 0

    def write(self, chunk: Buffer) -> None:
        """Take the next bytes."""
        self.length += len(chunk)
        if self.inner is not None:
            self.inner.write(chunk)

    def close(self) -> DataSource | None:
        """The data set, if it was kept."""
        return None if self.inner is None else self.inner.close()

    def abort(self) -> None:
        """Drop what was kept."""
        if self.inner is not None:
            self.inner.abort()


class MessageTrack:
    """Assembles the messages of one direction, as far as what it gets is whole."""

    def __init__(self, association: int, sender: Side, choose_sink: SinkChooser | None) -> None:
        self._association = association
        self._sender = sender
        self._choose_sink = choose_sink
        self._assembler = Assembler(self._sink, ANY_CONTEXT)
        self._counter: CountingSink | None = None
        self._first_frame = 0
        self._missing = 0  # bytes of the message under way that the capture lacks
        self._lost = False  # nothing is assembled before the next command set

    def pdu(self, pdu: FramedPdu) -> tuple[list[CapturedMessage], str]:
        """Take a P-DATA-TF; gives the messages it completes or breaks off, and what is wrong with it."""
        out: list[CapturedMessage] = []
        try:
            for start, context_id, control, chunk in fragments(pdu):
                self._fragment(pdu, out, start, context_id, control, chunk)
        except WireError as error:
            # What lacks is no fault of the sender.
            self._break_off(pdu, out, "" if pdu.holes else "a fault in its P-DATA-TF")
            return out, "" if pdu.holes else str(error)
        finally:
            self._assembler.end_of_pdu()
        return out, ""

    def interrupt(self, time: int, frame: int, reason: str) -> list[CapturedMessage]:
        """Whole PDUs may lack here, or nothing more comes."""
        out: list[CapturedMessage] = []
        self._break_off(FramedPdu(b"", 0, (), time, frame, frame), out, reason)
        return out

    def _fragment(
        self, pdu: FramedPdu, out: list[CapturedMessage], start: int, context_id: int, control: int, chunk: memoryview
    ) -> None:
        stop = start + len(chunk)
        if overlap(pdu.holes, start - 6, start) or (control & 1 and overlap(pdu.holes, start, stop)):
            self._break_off(pdu, out, "")
        if self._lost:
            if not control & 1 or overlap(pdu.holes, start - 6, stop):
                return
            self._lost = False
        if self._assembler.current is None:
            self._first_frame, self._missing, self._counter = pdu.frame, 0, None
        self._missing += overlap(pdu.holes, start, stop)
        self._assembler.pdv(context_id, control, chunk, True)
        while self._assembler.messages:
            damage = f"{self._missing} bytes of its data set are missing" if self._missing else ""
            out.append(self._captured(self._assembler.messages.popleft(), pdu, damage))

    def _break_off(self, pdu: FramedPdu, out: list[CapturedMessage], reason: str) -> None:
        current = self._assembler.current
        if current is not None and current.command:
            out.append(self._captured(current, pdu, f"incomplete: {reason or 'the capture lacks bytes of it'}"))
        self._assembler.close()
        self._lost = True

    def _captured(self, message: Message, pdu: FramedPdu, damage: str) -> CapturedMessage:
        length = self._counter.length if self._counter is not None else 0
        return CapturedMessage(
            pdu.frame, pdu.time, self._association, self._sender, message, length, self._first_frame, damage
        )

    def _sink(self, message: Message) -> Sink:
        inner = self._choose_sink(self._sender, message) if self._choose_sink is not None else None
        self._counter = CountingSink(inner)
        return self._counter


def fragments(pdu: FramedPdu) -> Iterator[tuple[int, int, int, memoryview]]:
    """The fragments of a P-DATA-TF: offset of the data, context ID, message control header, data."""
    view = memoryview(pdu.data)
    position, end = 6, pdu.length
    while position < end:
        if position + 6 > end or position + 6 > len(view):
            break
        size, context_id, control = _PDV_HEADER(view, position)
        stop = position + 4 + size
        if size < 2 or stop > end:
            break
        yield position + 6, context_id, control, view[position + 6 : stop]
        position = stop
    if position != end or end == 6:
        decode_pdu(pdu.data)  # says what is wrong
        raise WireError(position, "P-DATA-TF", "no presentation data value can be told here")


def overlap(holes: Holes, start: int, stop: int) -> int:
    """How many bytes of a range lie in holes."""
    return sum(max(0, min(stop, at + size) - max(start, at)) for at, size in holes)


def keep_in_memory(limit: int) -> SinkChooser:
    """Keep data sets of up to `limit` bytes; longer ones are counted, and their message has a `sink_error`."""
    return lambda sender, message: MemorySink(limit)


class AssociationTrack:
    """Both directions of one association."""

    def __init__(self, number: int, synchronized: bool, choose_sink: SinkChooser | None = None) -> None:
        """`synchronized` says that both streams are there from their first byte."""
        self.number = number
        self._streams = {side: PduStream(synchronized) for side in Side}
        self._messages = {side: MessageTrack(number, side, choose_sink) for side in Side}

    def absorb(self, sender: Side, data: bytes) -> bool:
        """Take bytes that complete nothing; False if they may."""
        return self._streams[sender].absorb(data)

    def data(self, sender: Side, data: bytes, time: int, frame: int) -> Iterator[Item]:
        """The next bytes of `sender`."""
        for piece in self._streams[sender].data(data, time, frame):
            yield from self._items(sender, piece)

    def lost(self, sender: Side, size: int, time: int, frame: int) -> Iterator[Item]:
        """`size` bytes of `sender` that the capture does not have."""
        for piece in self._streams[sender].lost(size, time, frame):
            yield from self._items(sender, piece)

    def end(self, by: Side | None, how: CloseHow | None, time: int, frame: int) -> Iterator[Item]:
        """The connection is over, or the capture of it."""
        for sender in Side:
            for piece in self._streams[sender].end(time, frame):
                yield from self._items(sender, piece)
            yield from self._messages[sender].interrupt(time, frame, "the connection ends" if how else "no more of it")
        yield CapturedEnd(frame, time, self.number, by, how)

    def _items(self, sender: Side, piece: FramedPdu | Skipped) -> Iterator[Item]:
        messages: list[CapturedMessage] = []
        if isinstance(piece, Skipped):
            messages = self._messages[sender].interrupt(piece.time, piece.frame, "")
            yield CapturedLoss(piece.frame, piece.time, self.number, sender, piece.size)
            yield from messages
            return
        fault = ""
        if piece.data[0] == P_DATA_TF and len(piece.data) >= 6:
            messages, fault = self._messages[sender].pdu(piece)
        elif not piece.holes:
            fault = _fault(piece.data)
        yield CapturedPdu(piece.frame, piece.time, self.number, sender, piece.data, piece.length, _damage(piece), fault)
        yield from messages


def _fault(data: bytes) -> str:
    try:
        pdu = decode_pdu(data)
    except WireError as error:
        return str(error)
    return f"type {pdu.pdu_type:02X}H is no PDU of the standard" if isinstance(pdu, UnknownPdu) else ""


def _damage(pdu: FramedPdu) -> str:
    if not pdu.holes:
        return ""
    missing = sum(size for _, size in pdu.holes)
    return f"{missing} of {pdu.length} bytes are missing, from byte {pdu.holes[0][0]} on"
