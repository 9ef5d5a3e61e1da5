"""`read`: what a capture file says, association by association; `from_events`: the same of live events.

DICOM is told by its content, not by its port: one direction that begins with a plausible PDU is enough. Of a connection
that is captured from its middle, the requestor is who sends an A-ASSOCIATE-RQ or commands that are requests.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field

from dicomsim import events
from dicomsim.capture.captured import Address, CapturedEnd, CapturedMessage, CapturedOpen, CapturedPdu, Item
from dicomsim.capture.contexts import Contexts
from dicomsim.capture.files import APPLICATION, CaptureReader
from dicomsim.capture.frames import FrameParser, endpoints
from dicomsim.capture.pdu_stream import find_chain, plausible
from dicomsim.capture.reassembly import Connection, Reassembler
from dicomsim.capture.track import AssociationTrack, SinkChooser
from dicomsim.events import CloseHow, Side

DECIDE_AFTER = 4096
"""Bytes of a connection's beginning after which it is no DICOM if nothing looks like it."""
DECIDE_AFTER_IN_THE_MIDDLE = 256 << 10
"""The same for a connection whose beginning is not captured: a PDU is usually shorter."""

OWN_FILES = APPLICATION.partition(" ")[0]
"""In files of our own every connection is DICOM, however malformed."""


@dataclass(slots=True)
class _Flow:
    """A connection of which it is not decided yet whether it is DICOM, or that is."""

    connection: Connection
    time: int
    frame: int
    held: list[tuple[int, bytes, int, int, int]] = field(default_factory=list)
    """Sender, bytes, or how many lack, time, frame."""
    heads: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    track: AssociationTrack | None = None
    sides: tuple[Side, Side] = (Side.REQUESTOR, Side.ACCEPTOR)

    @property
    def complete(self) -> bool:
        """Whether the capture has the connection from its beginning."""
        return self.connection.client_known

    def is_dicom(self) -> bool | None:
        """Whether it looks like DICOM; None if more must be seen."""
        limit = DECIDE_AFTER if self.complete else DECIDE_AFTER_IN_THE_MIDDLE
        waiting = False
        for head in self.heads:
            if self.complete:
                if plausible(head) and len(head) >= 12:
                    return True
                waiting = waiting or len(head) < 12
            else:
                if find_chain(head, 0, False)[1]:
                    return True
                waiting = waiting or len(head) < limit
        return None if waiting and sum(map(len, self.heads)) < limit else False

    def ended_as_dicom(self) -> bool:
        """The same at its end, where short heads must do."""
        return any(
            len(head) >= 6 and (plausible(head) if self.complete else find_chain(head, 0, True)[1])
            for head in self.heads
        )


def _requestor(heads: tuple[bytearray, bytearray], ports: tuple[int, int]) -> int:
    """Which side of a connection without a captured beginning asked for the association."""
    for index, head in enumerate(heads):
        at, found = find_chain(head, 0, True)
        if not found:
            continue
        kind = head[at]
        if kind in (1, 5):
            return index
        if kind in (2, 3, 6):
            return 1 - index
        # The command field, where the group length and the SOP class do not stand before it in an unusual way.
        place = head.find(b"\0\0\0\x01\x02\0\0\0", at)
        if kind == 4 and at <= place < len(head) - 9 and head[at + 11] & 1:
            return 1 - index if head[place + 9] & 0x80 else index
    return 0 if ports[0] > ports[1] else 1


class _Conversations:
    """Takes the streams of a capture and collects the items they make; `items` is emptied by the owner."""

    def __init__(self, choose_sink: SinkChooser | None, ports: Container[int], every: bool) -> None:
        self.items: list[Item] = []
        self.every = every
        self._choose_sink = choose_sink
        self._ports = ports
        self._flows: dict[Connection, _Flow] = {}
        self._count = 0

    def opened(self, connection: Connection, time: int, frame: int) -> None:
        """A connection appeared."""
        self._flows[connection] = _Flow(connection, time, frame)

    def data(self, connection: Connection, sender: int, data: bytes, time: int, frame: int) -> None:
        """The next bytes of a stream."""
        flow = self._flows.get(connection)
        if flow is None:
            return  # not wanted any more; the rest of what was kept behind a hole
        if flow.track is not None:
            if not flow.track.absorb(flow.sides[sender], data):
                self.items.extend(flow.track.data(flow.sides[sender], data, time, frame))
            return
        flow.held.append((sender, data, 0, time, frame))
        head = flow.heads[sender]
        head += data
        decided = True if self._forced(flow) else flow.is_dicom()
        if decided:
            self._begin(flow)
        elif decided is False:
            connection.ignored = True
            del self._flows[connection]

    def lost(self, connection: Connection, sender: int, size: int, time: int, frame: int) -> None:
        """Bytes that the capture does not have."""
        flow = self._flows.get(connection)
        if flow is None:
            return
        if flow.track is not None:
            self.items.extend(flow.track.lost(flow.sides[sender], size, time, frame))
        else:
            flow.held.append((sender, b"", size, time, frame))

    def ended(self, connection: Connection, sender: int, time: int, frame: int) -> None:
        """One side sends no more; `closed` tells how it went on."""

    def closed(self, connection: Connection, sender: int | None, how: CloseHow | None, time: int, frame: int) -> None:
        """A connection is over."""
        flow = self._flows.pop(connection, None)
        if flow is None:
            return
        if flow.track is None and not (
            self._forced(flow) or flow.ended_as_dicom() or (how is CloseHow.REFUSED and flow.complete)
        ):
            return
        if flow.track is None:
            self._begin(flow)
        assert flow.track is not None
        if how is None and connection.finisher is not None:
            how, sender = CloseHow.HALF, connection.finisher
        by = None if sender is None else flow.sides[sender]
        self.items.extend(flow.track.end(by, how, time, frame))

    def _forced(self, flow: _Flow) -> bool:
        return self.every or any(port in self._ports for _, port in endpoints(flow.connection.key))

    def _begin(self, flow: _Flow) -> None:
        self._count += 1
        addresses = endpoints(flow.connection.key)
        if not flow.complete:
            requestor = _requestor(flow.heads, (addresses[0][1], addresses[1][1]))
            flow.sides = (Side.REQUESTOR, Side.ACCEPTOR) if requestor == 0 else (Side.ACCEPTOR, Side.REQUESTOR)
        client, server = addresses if flow.sides[0] is Side.REQUESTOR else addresses[::-1]
        self.items.append(CapturedOpen(flow.frame, flow.time, self._count, client, server, flow.complete))
        flow.track = track = AssociationTrack(self._count, flow.complete, self._choose_sink)
        for sender, data, missing, time, frame in flow.held:
            side = flow.sides[sender]
            self.items.extend(
                track.lost(side, missing, time, frame) if missing else track.data(side, data, time, frame)
            )
        flow.held, flow.heads = [], (bytearray(), bytearray())


def read(
    path: str | os.PathLike[str], *, choose_sink: SinkChooser | None = None, ports: Container[int] = ()
) -> Iterator[Item]:
    """Yield what was said in a capture file, in the order in which it was complete, in bounded memory.

    `choose_sink` picks where the data set of a message goes; without it they are counted and dropped. Connections of
    `ports` are taken for DICOM whatever they hold. Raises `FileError` for what is no capture, or is damaged.
    """
    with CaptureReader(path) as reader:
        conversations = _Conversations(choose_sink, ports, False)
        reassembler, parser = Reassembler(conversations), FrameParser()
        items = conversations.items
        application = ""
        for packet in reader:
            segment = parser.segment(packet)
            if segment is None:
                continue
            if reader.notes.application is not application:
                application = reader.notes.application
                conversations.every = application.startswith(OWN_FILES)
            reassembler.segment(segment, packet.time, packet.number)
            if items:
                yield from items
                items.clear()
        reassembler.finish()
        yield from items


@dataclass(slots=True)
class Conversation:
    """One association of a capture file, in short; `items` reads the file again for the whole of it."""

    path: str
    """The file."""
    association: int
    """Its number in the file."""
    requestor: Address
    """Who asked for it."""
    acceptor: Address
    """Who was asked."""
    contexts: Contexts = field(default_factory=Contexts)
    """What was negotiated."""
    messages: int = 0
    """How many messages there are."""
    ports: Container[int] = ()
    """Ports declared to be DICOM."""

    def items(self, choose_sink: SinkChooser | None = None) -> Iterator[Item]:
        """Yield what was said on it; raises `FileError`."""
        for item in read(self.path, choose_sink=choose_sink, ports=self.ports):
            if item.association == self.association:
                yield item
                if isinstance(item, CapturedEnd):
                    return


def conversations(path: str | os.PathLike[str], *, ports: Container[int] = ()) -> list[Conversation]:
    """The associations of a capture file in the order of their beginnings; raises `FileError`."""
    found: dict[int, Conversation] = {}
    for item in read(path, ports=ports):
        if isinstance(item, CapturedOpen):
            number = item.association
            found[number] = Conversation(os.fspath(path), number, item.requestor, item.acceptor, ports=ports)
        elif isinstance(item, CapturedPdu):
            found[item.association].contexts.note(item)
        elif isinstance(item, CapturedMessage):
            found[item.association].messages += 1
    return list(found.values())


@dataclass(slots=True)
class _Live:
    """An association of which live events tell."""

    track: AssociationTrack
    ours: Side


class EventConversations:
    """Makes items of live events, one by one; of bytes and PDUs it reads the bytes."""

    def __init__(self, choose_sink: SinkChooser | None = None) -> None:
        self._choose_sink = choose_sink
        self._live: dict[int, _Live] = {}
        self._number = 0
        self._time = 0

    def event(self, event: events.Event) -> Iterator[Item]:
        """Take the next event and yield the items that it completes."""
        self._number += 1
        number, time, association = self._number, event.time, event.association
        self._time = time
        if isinstance(event, events.ConnectionOpened):
            self._live[association] = _Live(AssociationTrack(association, True, self._choose_sink), event.side)
            ends = (event.local, event.remote) if event.side is Side.REQUESTOR else (event.remote, event.local)
            yield CapturedOpen(number, time, association, *ends)
        elif isinstance(event, events.ConnectionRefused):
            unknown: Address = ("", 0)
            yield CapturedOpen(number, time, association, unknown, event.remote)
            how = CloseHow.REFUSED if "refused" in event.reason else CloseHow.FAILED
            yield CapturedEnd(number, time, association, Side.ACCEPTOR, how)
        elif live := self._live.get(association):
            if isinstance(event, events.BytesIn | events.BytesOut):
                sender = live.ours if isinstance(event, events.BytesOut) else live.ours.other
                yield from live.track.data(sender, event.data, time, number)
            elif isinstance(event, events.ConnectionClosed):
                del self._live[association]
                yield from live.track.end(event.by, event.how, time, number)

    def finish(self) -> Iterator[Item]:
        """No more events come: end what is open."""
        for live in self._live.values():
            yield from live.track.end(None, None, self._time, self._number)
        self._live.clear()


def from_events(stream: Iterable[events.Event], *, choose_sink: SinkChooser | None = None) -> Iterator[Item]:
    """Yield what was said according to live events, as `read` does for a file."""
    conversations = EventConversations(choose_sink)
    for event in stream:
        yield from conversations.event(event)
    yield from conversations.finish()
