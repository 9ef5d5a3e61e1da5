"""`Reassembler`: TCP segments become the byte streams of connections, with what the capture lacks said as gaps.

Duplicates and retransmissions are dropped, overlaps resolved (the first copy wins), segments that come early are kept
until the hole before them is filled. A hole is declared a gap when the peer has acknowledged past it (or is not in the
capture at all) and 64 later segments or a second have passed, or at the end: captures often hold an acknowledgement
before the data it is for. Memory is bounded for a capture of any length.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import islice
from typing import NamedTuple, Protocol

from dicomsim.capture.frames import ACK, FIN, RST, SYN, Segment, reverse
from dicomsim.events import CloseHow

GAP_SEGMENTS = 64
"""Later segments after which a hole that the peer has acknowledged is a gap."""
GAP_TIME = 1_000_000_000
"""Nanoseconds after which it is."""

MAX_PENDING = 16 << 20
"""Bytes kept behind a hole in one direction: more than any usual receive window."""
MAX_PENDING_TOTAL = 64 << 20
"""Bytes kept behind holes in all connections."""
PIECE_COST = 200
"""What a kept piece counts beside its bytes."""
MAX_CONNECTIONS = 20_000
"""Connections known at a time; beyond that the ended and the longest silent ones are forgotten."""

FAR = 1 << 26
"""A jump this far in both directions' numbers at once is another connection on a reused pair of ports."""


class Piece(NamedTuple):
    """Bytes that came before the bytes in front of them."""

    start: int
    """Position in the stream."""
    data: bytes
    """What was captured."""
    missing: int
    """What a snap length cut off behind it."""
    time: int
    """Of its frame."""
    frame: int
    """Its frame."""

    @property
    def end(self) -> int:
        """Position behind it."""
        return self.start + len(self.data) + self.missing


class Direction:
    """One of the two streams of a connection."""

    __slots__ = ("acknowledged", "cost", "ended", "fin", "first", "later", "next", "pending", "since", "stray")

    def __init__(self) -> None:
        self.next: int | None = None
        """Sequence number wanted next, not wrapped; None before the first one is known."""
        self.first: int | None = None
        """Sequence number of the first byte."""
        self.acknowledged: int | None = None
        """What the peer acknowledged last, wrapped; None if it was never heard."""
        self.pending: list[Piece] = []
        """Pieces behind a hole, sorted, without overlaps."""
        self.cost = 0
        """What `pending` holds, in bytes."""
        self.later = 0
        """Segments that came since the hole appeared."""
        self.since = 0
        """When it appeared."""
        self.fin: int | None = None
        """Where the stream ends."""
        self.ended = False
        """Whether it was delivered up to there."""
        self.stray: tuple[Segment, int, int] | None = None
        """A segment from far away with its time and frame: the first of another connection, perhaps."""

    def unwrap(self, number: int) -> int:
        """The position for a wrapped sequence number: the one nearest to `next`."""
        near = self.next or 0
        return near + ((number - near + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    def far(self, number: int) -> bool:
        """Whether a wrapped sequence number has nothing to do with this stream."""
        return self.next is not None and abs(self.unwrap(number) - self.next) > FAR

    def near(self, number: int) -> bool:
        """Whether a wrapped sequence number may well belong to this stream."""
        return self.next is not None and not self.far(number)

    def note_hole(self, time: int) -> None:
        """Something is about to be kept: the hole is new unless something is kept already."""
        if not self.pending:
            self.later, self.since = 0, time

    def keep(self, new: Piece) -> None:
        """Put a piece into `pending`, without the bytes that are there already."""
        pending, start, end = self.pending, new.start, new.end
        at = bisect_right(pending, start, key=lambda piece: piece.start)
        parts = []
        for piece in islice(pending, max(0, at - 1), None):
            if piece.start >= end or start >= end:
                break
            if piece.start > start:
                parts.append((start, piece.start))
            start = max(start, piece.end)
        if start < end:
            parts.append((start, end))
        for begin, stop in parts:
            data = new.data[begin - new.start : stop - new.start]
            insort(pending, Piece(begin, data, stop - begin - len(data), new.time, new.frame))
            self.cost += len(data) + PIECE_COST


class Connection:
    """A TCP connection of the capture; direction 0 goes from the client to the server."""

    __slots__ = (
        "client_known",
        "closed",
        "directions",
        "finisher",
        "frame",
        "handshake",
        "how",
        "ignored",
        "key",
        "time",
    )

    def __init__(self, key: bytes, client_known: bool, time: int, frame: int) -> None:
        self.key = key
        """Addresses and ports, those of the client first."""
        self.client_known = client_known
        """Whether a SYN told who the client is; else it is a guess."""
        self.directions = (Direction(), Direction())
        self.handshake = False
        """Whether the SYN of the server was seen."""
        self.closed = False
        """Whether both streams ended, or it was reset."""
        self.how: CloseHow | None = None
        """How it ended."""
        self.finisher: int | None = None
        """Who sent the first FIN."""
        self.ignored = False
        """Set by the handler when it does not want more of it."""
        self.time, self.frame = time, frame
        """Of the last frame."""


class StreamHandler(Protocol):
    """Who gets the streams; `sender` is 0 for the client, 1 for the server."""

    def opened(self, connection: Connection, time: int, frame: int) -> None:
        """A connection appeared, with its SYN or in its middle."""

    def data(self, connection: Connection, sender: int, data: bytes, time: int, frame: int) -> None:
        """The next bytes of a stream."""

    def lost(self, connection: Connection, sender: int, size: int, time: int, frame: int) -> None:
        """`size` bytes that the capture does not have stood here."""

    def ended(self, connection: Connection, sender: int, time: int, frame: int) -> None:
        """`sender` sends no more: FIN."""

    def closed(self, connection: Connection, sender: int | None, how: CloseHow | None, time: int, frame: int) -> None:
        """It is over; `sender` began to end it, `how` is None if the capture does not show it."""


class Reassembler:
    """Takes segments in the order of the capture and tells the handler what they amount to."""

    def __init__(self, handler: StreamHandler) -> None:
        self._handler = handler
        self._flows: dict[bytes, tuple[Connection, int]] = {}
        self._cost = 0

    def segment(self, segment: Segment, time: int, frame: int) -> None:
        """Take the next segment, captured at `time` (nanoseconds) in frame number `frame`."""
        key, sequence, acknowledged, flags, payload, missing = segment
        flow = self._flows.get(key)
        if flow is None or flags & SYN or flow[0].closed:
            flow = self._begin(flow, segment, time, frame)
            if flow is None:
                return
            if flags & SYN:
                sequence = (sequence + 1) & 0xFFFFFFFF
        connection, sender = flow
        if connection.ignored:
            return
        connection.time, connection.frame = time, frame
        direction, other = connection.directions[sender], connection.directions[1 - sender]
        wanted = direction.next
        if wanted is not None and sequence == wanted & 0xFFFFFFFF and not missing and not direction.pending:
            if payload:
                direction.next = wanted + len(payload)
                self._handler.data(connection, sender, payload, time, frame)
                if direction.fin is not None:
                    self._check_end(connection, sender, time, frame)
        elif not self._out_of_order(connection, sender, sequence, segment, time, frame):
            return
        if flags & ACK:
            other.acknowledged = acknowledged
        if flags & (FIN | RST):
            self._end(connection, sender, segment, time, frame)
        if other.pending:
            self._check_gap(connection, 1 - sender, time, frame)

    def finish(self) -> None:
        """The capture is over: deliver what is kept behind holes and end what is open."""
        for connection, _ in [flow for key, flow in self._flows.items() if flow[0].key == key]:
            self._abandon(connection)
        self._flows.clear()

    def _open(self, key: bytes, client_known: bool, time: int, frame: int) -> tuple[Connection, int]:
        if len(self._flows) >= 2 * MAX_CONNECTIONS:
            self._forget()
        connection = Connection(key, client_known, time, frame)
        self._flows[key] = flow = connection, 0
        self._flows[reverse(key)] = connection, 1
        self._handler.opened(connection, time, frame)
        return flow

    def _forget(self) -> None:
        """Make room: every ended connection goes, and of the others the half that was silent for longest."""
        connections = [connection for key, (connection, _) in self._flows.items() if connection.key == key]
        connections.sort(key=lambda connection: (not connection.closed, connection.time))
        closed = sum(connection.closed for connection in connections)
        for connection in connections[: max(closed, len(connections) // 2)]:
            self._abandon(connection)
            self._flows.pop(connection.key, None)
            self._flows.pop(reverse(connection.key), None)

    def _abandon(self, connection: Connection) -> None:
        if not connection.closed and not connection.ignored:
            time, frame = connection.time, connection.frame
            for sender in (0, 1):
                while connection.directions[sender].pending:
                    self._declare_gap(connection, sender)
            if not connection.closed:  # a FIN behind a gap may just have ended it
                self._close(connection, None, None, time, frame)

    def _begin(
        self, flow: tuple[Connection, int] | None, segment: Segment, time: int, frame: int
    ) -> tuple[Connection, int] | None:
        """Find or make the connection for a SYN, or for a segment that belongs to none that is open."""
        if segment.flags & SYN:
            return self._syn(flow, segment, time, frame)
        if not segment.payload or (flow is not None and not flow[0].directions[flow[1]].far(segment.sequence)):
            return None  # a late copy, or nothing that tells anything
        return self._open(segment.key, False, time, frame)

    def _syn(
        self, flow: tuple[Connection, int] | None, segment: Segment, time: int, frame: int
    ) -> tuple[Connection, int]:
        first = (segment.sequence + 1) & 0xFFFFFFFF
        answer = bool(segment.flags & ACK)
        if flow is not None:
            connection, sender = flow
            known = connection.directions[sender].first
            # A server's SYN is taken for the connection that waits for it, a client's only if it is a second copy.
            if connection.closed or not (known == first or (answer and known is None)):
                self._abandon(connection)
                flow = None
        if flow is None:
            self._open(reverse(segment.key) if answer else segment.key, True, time, frame)
            flow = self._flows[segment.key]
        connection, sender = flow
        direction = connection.directions[sender]
        if direction.first is None:
            direction.first = direction.next = first
        connection.handshake = connection.handshake or answer
        return flow

    def _stray(self, connection: Connection, direction: Direction, segment: Segment, time: int, frame: int) -> None:
        """Wait for a second segment that follows the stray one before believing that the ports are used again."""
        if not segment.payload or segment.flags & RST:
            return
        before = direction.stray
        direction.stray = segment, time, frame
        if before is None or (before[0].sequence + len(before[0].payload)) & 0xFFFFFFFF != segment.sequence:
            return
        self._abandon(connection)
        self._open(segment.key, False, time, frame)
        self.segment(*before)
        self.segment(segment, time, frame)

    def _out_of_order(
        self, connection: Connection, sender: int, sequence: int, segment: Segment, time: int, frame: int
    ) -> bool:
        """Take a segment that is not simply the next one; False if it seems to be of another connection."""
        direction, other = connection.directions[sender], connection.directions[1 - sender]
        _, _, acknowledged, flags, data, missing = segment
        if direction.next is None and not flags & RST:
            direction.next = direction.first = sequence
        if direction.far(sequence) and not (flags & ACK and other.near(acknowledged)):
            self._stray(connection, direction, segment, time, frame)
            return False
        wanted, start = direction.next or 0, direction.unwrap(sequence)
        end = start + len(data) + missing
        if end <= wanted or not (data or missing):
            return True  # a copy, or no data at all
        if start < wanted:
            data, start = data[wanted - start :], wanted
        piece = Piece(start, data, end - start - len(data), time, frame)
        if start == wanted and not direction.pending:
            self._deliver(connection, sender, piece, time, frame)
            self._check_end(connection, sender, time, frame)
            return True
        direction.note_hole(time)
        cost = direction.cost
        direction.keep(piece)
        direction.later += 1
        self._cost += direction.cost - cost
        self._drain(connection, sender, time, frame)
        self._check_gap(connection, sender, time, frame)
        return True

    def _deliver(self, connection: Connection, sender: int, piece: Piece, time: int, frame: int) -> None:
        connection.directions[sender].next = piece.end
        if piece.data:
            self._handler.data(connection, sender, piece.data, time, frame)
        if piece.missing:
            self._handler.lost(connection, sender, piece.missing, time, frame)

    def _drain(self, connection: Connection, sender: int, time: int, frame: int) -> None:
        """Deliver the kept pieces that follow without a hole; they arrive when the hole is filled, at `time`."""
        direction = connection.directions[sender]
        pending = direction.pending
        while pending and pending[0].start == direction.next:
            piece = pending.pop(0)
            cost = len(piece.data) + PIECE_COST if piece.end > piece.start else 0
            direction.cost -= cost
            self._cost -= cost
            time, frame = max(time, piece.time), max(frame, piece.frame)
            self._deliver(connection, sender, piece, time, frame)

    def _check_gap(self, connection: Connection, sender: int, time: int, frame: int) -> None:
        direction = connection.directions[sender]
        while direction.pending:
            hole_end = direction.pending[0].start
            unheard = direction.acknowledged is None
            passed = unheard or direction.unwrap(direction.acknowledged or 0) >= hole_end
            late = direction.later >= GAP_SEGMENTS or time - direction.since >= GAP_TIME
            full = direction.cost > MAX_PENDING or self._cost > MAX_PENDING_TOTAL
            if not (full or (passed and late)):
                return
            self._declare_gap(connection, sender)
        self._check_end(connection, sender, time, frame)

    def _declare_gap(self, connection: Connection, sender: int) -> None:
        direction = connection.directions[sender]
        piece = direction.pending[0]
        size = piece.start - (direction.next or 0)
        direction.next = piece.start
        self._handler.lost(connection, sender, size, piece.time, piece.frame)
        self._drain(connection, sender, piece.time, piece.frame)
        if direction.pending:
            direction.later, direction.since = len(direction.pending), direction.pending[0].time
        else:
            self._check_end(connection, sender, connection.time, connection.frame)

    def _end(self, connection: Connection, sender: int, segment: Segment, time: int, frame: int) -> None:
        direction = connection.directions[sender]
        if segment.flags & RST:
            for side in (0, 1):
                while connection.directions[side].pending:
                    self._declare_gap(connection, side)
            if not connection.closed:
                answered = connection.handshake or direction.first is not None
                refused = sender == 1 and connection.client_known and not answered
                self._close(connection, sender, CloseHow.REFUSED if refused else CloseHow.RESET, time, frame)
            return
        if connection.finisher is None:
            connection.finisher = sender
        direction.fin = direction.unwrap(segment.sequence) + len(segment.payload) + segment.missing
        pending = direction.pending
        if direction.fin > (pending[-1].end if pending else direction.next or 0):
            # The bytes before the FIN lack: it waits for them as an empty piece.
            direction.note_hole(time)
            pending.append(Piece(direction.fin, b"", 0, time, frame))
        self._check_end(connection, sender, time, frame)

    def _check_end(self, connection: Connection, sender: int, time: int, frame: int) -> None:
        direction = connection.directions[sender]
        if direction.fin is None or direction.ended or direction.next is None or direction.next < direction.fin:
            return
        direction.ended = True
        self._handler.ended(connection, sender, time, frame)
        if connection.directions[1 - sender].ended and not connection.closed:
            self._close(connection, connection.finisher, CloseHow.FIN, time, frame)

    def _close(self, connection: Connection, sender: int | None, how: CloseHow | None, time: int, frame: int) -> None:
        connection.closed, connection.how = True, how
        self._handler.closed(connection, sender, how, time, frame)
