"""`FrameLog`: events of live associations become the frames of a capture.

What one read or write gave is cut at PDU heads, so that a PDU begins a segment. The parts of a PDU that came in several
reads close together become one segment too, where they fit: every dissector reads such a PDU, scapy's only such. Parts
that come with pauses between them stay apart, as they were.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from dicomsim import events
from dicomsim.capture.files import CaptureWriter
from dicomsim.capture.tcp_frames import Address, TcpFrames, parse_address
from dicomsim.dimse.data import Buffer
from dicomsim.engine.payload_cutter import PayloadCutter
from dicomsim.events import CloseHow, Side
from dicomsim.wire.pdu import PduType

JOIN_WITHIN = 50_000_000
"""Nanoseconds between the first and the last part of a PDU that still become one segment."""
ANSWER_FIN_AFTER = 1_000_000_000
"""Nanoseconds after one side's FIN that the other side's is written, if nothing tells more."""
MAX_HELD = 8 << 20
"""Bytes of frames that wait behind a part of a PDU."""

Frame = tuple[bytes, int]
"""What is kept of a frame, and how long it was."""

UNKNOWN: Address = ("0.0.0.0", 0)
"""Of a connection that was open before the recording began."""


class _Entry:
    """What is to be written at one moment of one connection."""

    __slots__ = ("build", "comment", "data", "first", "open", "time")

    def __init__(self, time: int, comment: str, build: Callable[[bytes], Iterable[Frame]], data: bytes = b"") -> None:
        self.time = time
        self.first = time
        """When its first part came."""
        self.comment = comment
        self.build: Callable[[bytes], Iterable[Frame]] | None = build
        """Makes the frames; None once it was joined with a later entry."""
        self.data = data
        self.open = False
        """Whether the next bytes of the same side may still be joined with it."""


class _Stream:
    """What one side sends."""

    __slots__ = ("cutter", "part")

    def __init__(self, limit: int | None) -> None:
        self.cutter = PayloadCutter(limit)
        self.part: _Entry | None = None
        """The part of a PDU with which the next one may be joined."""


class _Link:
    """One connection."""

    __slots__ = ("_said", "closing", "ended", "frames", "name", "notes", "ours", "state", "streams")

    def __init__(self, name: str, frames: TcpFrames, ours: Side, limit: int | None = None) -> None:
        self.name = name
        self.frames = frames
        self.ours = ours
        self.streams = {side: _Stream(limit) for side in Side}
        self.notes: list[str] = []
        self.state = ""
        self._said: str | None = None
        self.closing: tuple[int, Side] | None = None
        """When which side is to answer the other's FIN."""
        self.ended = False

    def comment(self) -> str:
        """What to say about the next frame: only what is new since the last one."""
        if self.state == self._said and not self.notes:
            return ""
        self._said = self.state
        text = "; ".join([f"{self.name}, {self.state}" if self.state else self.name, *self.notes])
        self.notes.clear()
        return text


class FrameLog:
    """Takes events in order and writes frames; not for several threads at once."""

    def __init__(
        self,
        writer: CaptureWriter,
        *,
        segment: int | None = None,
        join: bool = True,
        payload_limit: int | None = None,
    ) -> None:
        """`segment` is the most data of a segment, by default all that a frame can hold.

        Without `join` every read and write stays a segment of its own. Of a data set fragment at most `payload_limit`
        bytes are written.
        """
        self._writer = writer
        self._limit = payload_limit
        self._segment = segment
        self._join = join
        self._links: dict[int, _Link] = {}
        self._entries: deque[_Entry] = deque()
        self._held = 0
        self._time = 0
        self._names: dict[str, str] = {}
        self._closing: deque[tuple[int, _Link]] = deque()

    @property
    def waiting(self) -> bool:
        """Whether something is kept that nothing but more events, or `settle`, makes it write."""
        return bool(self._entries)

    def event(self, event: events.Event) -> None:
        """Take the next event; those that say nothing about frames are passed over."""
        self._time = max(self._time, event.time)
        taker = self._TAKERS.get(type(event))
        if taker is not None:
            taker(self, event)
        while self._closing and self._closing[0][0] <= self._time:
            self._answer_fin(self._closing.popleft()[1])
        self._write_settled()

    def note(self, association: int, text: str) -> None:
        """Write `text` as a comment beside the next frame of the association."""
        self._link(association).notes.append(text)

    def settle(self, final: bool = False) -> None:
        """Nothing came for a while: write what waits for more; at the end (`final`) answer the FINs too."""
        while final and self._closing:
            self._answer_fin(self._closing.popleft()[1])
        self._write_settled(wait=False)

    def _link(self, association: int) -> _Link:
        link = self._links.get(association)
        if link is None:
            frames = TcpFrames(UNKNOWN, UNKNOWN, distinct=association, segment=self._segment)
            link = _Link(f"association {association}", frames, Side.REQUESTOR, self._limit)
            link.notes.append("open before the recording began, its addresses and which side is ours are unknown")
            self._links[association] = link
        return link

    def _add(self, link: _Link, build: Callable[[], Iterable[bytes]], note: str = "") -> None:
        if note:
            link.notes.append(note)
        self._end_parts(link)
        frames: Callable[[bytes], list[Frame]] = lambda data: [(frame, len(frame)) for frame in build()]  # noqa: E731
        self._entries.append(_Entry(self._time, link.comment(), frames))

    def _opened(self, event: events.ConnectionOpened) -> None:
        ours = event.side
        client, server = (event.local, event.remote) if ours is Side.REQUESTOR else (event.remote, event.local)
        frames = TcpFrames(client, server, distinct=event.time ^ event.association, segment=self._segment)
        link = self._links[event.association] = _Link(f"association {event.association}", frames, ours, self._limit)
        note = f"the {ours.value} is ours" + (", the bytes travelled encrypted" if event.tls else "")
        self._add(link, frames.handshake, note)

    def _refused(self, event: events.ConnectionRefused) -> None:
        local = "::1" if parse_address(event.remote[0]).version == 6 else UNKNOWN[0]
        ephemeral = 49_152 + event.association % 16_384
        frames = TcpFrames((local, ephemeral), event.remote, distinct=event.time, segment=self._segment)
        link = _Link(f"association {event.association}", frames, Side.REQUESTOR)
        note = f"{event.remote[0]} port {event.remote[1]}: {event.reason}; from where is not known"
        self._add(link, partial(frames.attempt, "refused" in event.reason.lower()), note)

    def _bytes(self, event: events.BytesIn | events.BytesOut) -> None:
        link = self._link(event.association)
        sender = link.ours if isinstance(event, events.BytesOut) else link.ours.other
        stream = link.streams[sender]
        kept, cuts = stream.cutter.cut(_spans(event))
        data, start = memoryview(event.data if self._limit is None else b"".join(kept)), 0
        for end, missing, ends in cuts:
            piece, start = data[start:end], end
            if (ends or missing) and not self._entries:  # as nearly always: there is nothing to wait for
                self._name_hosts(link, piece)
                self._write(self._time, link.frames.data(sender, piece, missing), link.comment())
                continue
            entry = _Entry(self._time, "", partial(link.frames.data, sender, missing=missing), bytes(piece))
            if stream.part is not None:
                self._take_over(stream.part, entry, link.frames.segment)
            entry.comment = "; ".join(filter(None, (entry.comment, link.comment())))
            whole = len(entry.data) + stream.cutter.left
            entry.open = self._join and not (ends or missing) and whole <= link.frames.segment
            stream.part = entry if entry.open else None
            self._entries.append(entry)
            self._held += len(piece)
            self._name_hosts(link, entry.data)

    def _take_over(self, part: _Entry, entry: _Entry, limit: int) -> None:
        """Join a part with the next one if they came close together."""
        near = part.open and self._time - part.first <= JOIN_WITHIN
        part.open = False
        if near and len(part.data) + len(entry.data) <= limit:
            entry.data = part.data + entry.data
            entry.comment, entry.first = part.comment, part.first
            part.build, part.data = None, b""

    def _end_parts(self, link: _Link) -> None:
        for stream in link.streams.values():
            if stream.part is not None:
                stream.part.open = False
                stream.part = None

    def _closed(self, event: events.ConnectionClosed) -> None:
        link = self._links.get(event.association)
        if link is None or event.how in (CloseHow.REFUSED, CloseHow.FAILED):
            return
        if event.how is CloseHow.RESET:
            self._add(link, partial(link.frames.reset, event.by))
            del self._links[event.association]
            return
        self._add(link, partial(link.frames.finish, event.by))
        if event.how is CloseHow.FIN:
            # The one who closed last is not told of: scripts may still send something.
            link.closing = (event.association, event.by.other)
            self._closing.append((self._time + ANSWER_FIN_AFTER, link))
            if link.ended:
                self._answer_fin(link)

    def _ended(self, event: events.Ended) -> None:
        link = self._links.get(event.association)
        if link is not None:
            link.ended = True
            self._answer_fin(link)

    def _answer_fin(self, link: _Link) -> None:
        if link.closing is not None:
            association, side = link.closing
            link.closing = None
            self._add(link, partial(link.frames.finish, side))
            if self._links.get(association) is link:
                del self._links[association]

    def _moved(self, event: events.Transition) -> None:
        self._link(event.association).state = event.after

    def _fired(self, event: events.RuleFired) -> None:
        self.note(event.association, f"rule {event.rule} at {event.hop}")

    def _expired(self, event: events.TimerExpired) -> None:
        self.note(event.association, f"{event.name} timeout of {event.seconds:g} s ran out")

    def _name_hosts(self, link: _Link, data: bytes | memoryview) -> None:
        """The AE titles of an A-ASSOCIATE-RQ become names of the hosts, where there is one for each."""
        if len(data) < 42 or data[0] != PduType.A_ASSOCIATE_RQ or link.frames.hosts[0] == link.frames.hosts[1]:
            return
        for host, title in zip(link.frames.hosts, (data[26:42], data[10:26]), strict=True):
            name = str(title, "ascii", "replace").strip(" \0")
            if name.isprintable() and name and host not in self._names:
                self._names[host] = name
                self._writer.write_names({host: name})

    def _write_settled(self, wait: bool = True) -> None:
        entries = self._entries
        while entries:
            entry = entries[0]
            if wait and entry.open and self._held <= MAX_HELD and self._time - entry.first <= JOIN_WITHIN:
                return
            entries.popleft()
            entry.open = False
            self._held -= len(entry.data)
            if entry.build is not None:
                self._write(entry.time, entry.build(entry.data), entry.comment)

    def _write(self, time: int, frames: Iterable[Frame], comment: str) -> None:
        for frame, length in frames:
            self._writer.write(time, frame, comment, length)
            comment = ""

    _TAKERS: ClassVar[dict[type[events.Event], Callable[[FrameLog, Any], None]]] = {
        events.ConnectionOpened: _opened,
        events.ConnectionRefused: _refused,
        events.BytesIn: _bytes,
        events.BytesOut: _bytes,
        events.ConnectionClosed: _closed,
        events.Ended: _ended,
        events.Transition: _moved,
        events.RuleFired: _fired,
        events.TimerExpired: _expired,
    }


def _spans(event: events.BytesIn | events.BytesOut) -> list[tuple[Buffer, int]]:
    """The bytes of an event, and how many were left out behind them."""
    data, start = memoryview(event.data), 0
    spans: list[tuple[Buffer, int]] = []
    for position, missing in event.gaps:
        spans.append((data[start:position], missing))
        start = position
    spans.append((data[start:], 0))
    return spans


RECORDED = frozenset(FrameLog._TAKERS)
"""The events that a recording is made of; all others repeat what these say."""


def leaves_something(event: events.Event) -> bool:
    """Whether a recording is another one for this event: of transitions those count that end in another state."""
    return type(event) in RECORDED and not (isinstance(event, events.Transition) and event.before == event.after)
