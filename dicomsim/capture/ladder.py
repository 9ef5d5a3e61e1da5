"""`ladder`: a conversation for people to read, requestor on the left, acceptor on the right, a line a PDU.

Runs of P-DATA-TF that only go on with a data set are one line. `#2` is the number of the association.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field

from dicomsim.capture.captured import (
    CapturedLoss,
    CapturedMessage,
    CapturedOpen,
    CapturedPdu,
    Item,
    address_text,
)
from dicomsim.capture.conversation import from_events, read
from dicomsim.capture.decode import status_name, utc
from dicomsim.dimse.messages import Message
from dicomsim.errors import WireError
from dicomsim.events import CloseHow, Event, Side
from dicomsim.sop_class import uid_name
from dicomsim.wire.codec import pdu_name
from dicomsim.wire.command import decode_command
from dicomsim.wire.pdu import PDataTF
from dicomsim.wire.render import one_line, printable

WIDTH = 100
"""Columns of a line."""
TIME_WIDTH = 11
"""Columns of the time, in seconds since the first line."""
MAX_LINES = 4
"""Lines that the text of one PDU, or a remark on it, may take."""

ENDINGS = {
    CloseHow.FIN: "connection closed by the {by}",
    CloseHow.RESET: "connection reset by the {by}",
    CloseHow.HALF: "only the {by} has closed its half of the connection",
    CloseHow.REFUSED: "connection refused by the {by}'s host",
    CloseHow.FAILED: "no connection came about",
}
UNSEEN = "the capture ends before the connection does"


@dataclass(slots=True)
class _Run:
    """P-DATA-TF of one side that only go on with a data set."""

    time: int
    association: int
    sender: Side
    pdus: int
    size: int
    last: bool


@dataclass(slots=True)
class Ladder:
    """Makes lines of items, one by one, as for a trace."""

    width: int = WIDTH
    """Columns."""
    _start: int | None = None
    _run: _Run | None = None
    _shown: set[tuple[int, Side]] = field(default_factory=set)  # whose command set has had its line

    def item(self, item: Item) -> Iterator[str]:
        """Take the next item and yield the lines it completes."""
        if self._start is None:
            self._start = item.time
        if isinstance(item, CapturedPdu):
            yield from self._pdu(item)
            return
        if isinstance(item, CapturedMessage):
            yield from self._message(item)
            return
        yield from self.flush()
        if isinstance(item, CapturedOpen):
            yield from self._open(item)
        elif isinstance(item, CapturedLoss):
            text = f"{item.size} bytes of the {item.sender.value} are missing or belong to no PDU"
            yield from self._remark(item.time, item.association, f"! {text}")
        else:
            by = item.by.value if item.by else "?"
            text = UNSEEN if item.how is None else ENDINGS[item.how].format(by=by)
            yield from self._remark(item.time, item.association, f"x {text}")

    def flush(self) -> Iterator[str]:
        """Yield the line of a run that may still go on."""
        run, self._run = self._run, None
        if run is not None:
            what = (
                f"P-DATA-TF data, {run.size:,} bytes"
                if run.pdus == 1
                else f"{run.pdus} P-DATA-TF data, {run.size:,} bytes"
            )
            yield from self._arrow(run.time, run.association, run.sender, what + (", last" if run.last else ""))

    def _open(self, item: CapturedOpen) -> Iterator[str]:
        missing = "" if item.handshake else ", already under way"
        ends = f"{address_text(item.requestor)} -> {address_text(item.acceptor)}"
        yield from self._wrapped(f"association {item.association}: ", f"{ends}, {utc(item.time)}{missing}")
        gutter = TIME_WIDTH + 1 + len(_tag(item.association)) + 1
        yield " " * gutter + "requestor" + "acceptor".rjust(self.width - gutter - len("requestor"))

    def _pdu(self, item: CapturedPdu) -> Iterator[str]:
        fragments = _fragments(item)
        if fragments is not None and not item.damage and not item.fault:
            size, last = fragments
            run = self._run
            if run is not None and (run.association, run.sender) == (item.association, item.sender) and not run.last:
                run.pdus, run.size, run.last, run.time = run.pdus + 1, run.size + size, last, item.time
                return
            yield from self.flush()
            self._run = _Run(item.time, item.association, item.sender, 1, size, last)
            return
        yield from self.flush()
        text, complete = _describe(item)
        if complete:
            self._shown.add((item.association, item.sender))
        yield from self._arrow(item.time, item.association, item.sender, text)
        for remark in filter(None, (item.damage, item.fault)):
            yield from self._remark(item.time, item.association, f"! {printable(remark)}")

    def _message(self, item: CapturedMessage) -> Iterator[str]:
        key = item.association, item.sender
        if key in self._shown:
            self._shown.discard(key)
        else:
            # Its command set came in several fragments: nothing has said yet what it is.
            yield from self.flush()
            yield from self._arrow(item.time, item.association, item.sender, f"= {describe(item.message)}")
        if item.damage:
            yield from self.flush()
            yield from self._remark(item.time, item.association, f"! {item.message.name}: {item.damage}")

    def _gutter(self, time: int, association: int) -> str:
        seconds = (time - (self._start or 0)) / 1_000_000_000
        return f"{seconds:{TIME_WIDTH}.6f} {_tag(association)} "

    def _arrow(self, time: int, association: int, sender: Side, text: str) -> Iterator[str]:
        gutter = self._gutter(time, association)
        room = self.width - len(gutter) - 10
        first, *rest = textwrap.wrap(text, room, max_lines=MAX_LINES, break_on_hyphens=False) or [""]
        line = "-" * (room - len(first))
        yield f"{gutter}|-- {first} {line}--->|" if sender is Side.REQUESTOR else f"{gutter}|<---{line} {first} --|"
        for more in rest:
            text = more.ljust(room + 4) if sender is Side.REQUESTOR else more.rjust(room + 4)
            yield f"{' ' * len(gutter)}|  {text}  |"

    def _remark(self, time: int, association: int, text: str) -> Iterator[str]:
        mark, _, what = text.partition(" ")
        return self._wrapped(f"{self._gutter(time, association)}{mark} ", what)

    def _wrapped(self, head: str, text: str) -> Iterator[str]:
        """The text behind the head, and below it where the line is full."""
        lines = textwrap.wrap(text, self.width - len(head), max_lines=MAX_LINES, break_on_hyphens=False)
        for line in lines:
            yield head + line
            head = " " * len(head)


def _tag(association: int) -> str:
    return f"#{association}".ljust(3)


def _fragments(item: CapturedPdu) -> tuple[int, bool] | None:
    """Bytes of data set in a P-DATA-TF that holds nothing else, and whether it ends there."""
    if item.data[0] != 4 or item.damage:
        return None
    try:
        pdu = item.pdu
    except WireError:
        return None
    if not isinstance(pdu, PDataTF) or any(pdv.is_command for pdv in pdu.pdvs):
        return None
    return sum(len(pdv.data) for pdv in pdu.pdvs), pdu.pdvs[-1].is_last


def pdu_text(item: CapturedPdu) -> str:
    """What a PDU says, on one line."""
    return _describe(item)[0]


def _describe(item: CapturedPdu) -> tuple[str, bool]:
    """What a PDU says, and whether that is a whole command set."""
    if item.damage:
        return f"{pdu_name(item.data[0])}, {item.length} bytes", False
    try:
        pdu = item.pdu
    except WireError:
        return f"{pdu_name(item.data[0])}, {item.length} bytes, malformed", False
    if not isinstance(pdu, PDataTF):
        return one_line(pdu), False
    first = pdu.pdvs[0]
    if not (first.is_command and first.is_last):
        return one_line(pdu), False
    try:
        message = Message(first.context_id, decode_command(first.data))
    except WireError:
        return one_line(pdu), False
    data = sum(len(pdv.data) for pdv in pdu.pdvs[1:] if not pdv.is_command)
    return describe(message) + (f", {data:,} bytes of data" if data else ""), True


def describe(message: Message) -> str:
    """A message in words: what it is, which one, about what, and how it ended."""
    parts = [message.name]
    if message.status is not None:
        parts[0] += f" {message.status:04X} {_status(message)}"
    if message.is_request and message.message_id is not None:
        parts.append(f"message {message.message_id}")
    elif message.message_id_being_responded_to is not None:
        parts.append(f"to message {message.message_id_being_responded_to}")
    if message.is_request and message.sop_class_uid:
        parts.append(printable(uid_name(message.sop_class_uid)))
    if message.move_destination:
        parts.append(f"to {printable(message.move_destination)}")
    if message.number_of_completed_suboperations is not None:
        parts.append(_suboperations(message))
    if message.error_comment:
        parts.append(f'"{printable(message.error_comment)}"')
    return ", ".join(parts)


def _status(message: Message) -> str:
    """The status in words; what Success and Pending mean goes without saying."""
    name = status_name(message)
    kind = name.partition(":")[0]
    return kind if kind in ("Success", "Pending") else name


def _suboperations(message: Message) -> str:
    counts = (
        (message.number_of_remaining_suboperations, "remaining"),
        (message.number_of_completed_suboperations, "completed"),
        (message.number_of_failed_suboperations, "failed"),
        (message.number_of_warning_suboperations, "with warning"),
    )
    return " ".join(f"{count} {word}" for count, word in counts if count is not None)


def ladder_lines(items: Iterable[Item], width: int = WIDTH) -> Iterator[str]:
    """The ladder of any conversation."""
    rungs = Ladder(width)
    for item in items:
        yield from rungs.item(item)
    yield from rungs.flush()


def ladder(path: str | os.PathLike[str], *, ports: Container[int] = (), width: int = WIDTH) -> Iterator[str]:
    """The ladder of a capture file, line by line; raises `FileError`."""
    yield from ladder_lines(read(path, ports=ports), width)


def ladder_of(events: Iterable[Event], width: int = WIDTH) -> Iterator[str]:
    """The ladder of live events."""
    yield from ladder_lines(from_events(events), width)
