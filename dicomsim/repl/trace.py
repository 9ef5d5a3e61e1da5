"""A conversation as it happens: each event on one line, of the kinds that were chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from dicomsim import events
from dicomsim.errors import WireError
from dicomsim.events import Event, Side
from dicomsim.peer_address import host_and_port
from dicomsim.sop_class import registry, uid_name
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.render import hexadecimal, one_line, printable

P_DATA_TF = b"\x04"
OUT, IN, HERE = "->", "<-", "--"
"""To the peer, from it, and what happened on our side."""

KINDS: Mapping[str, str] = {
    "association": "PDUs that are no P-DATA-TF",
    "pdu": "all PDUs",
    "message": "DIMSE messages",
    "transition": "events, actions and states of the machine",
    "bytes": "every read and write",
    "connection": "TCP coming and going",
    "timer": "timeouts that run out",
}
"""What can be traced."""
USUAL = frozenset(("association", "message", "connection", "timer"))
"""What is traced unless something else is asked for: messages stand for the P-DATA-TF that carry them."""


class UidNames(Mapping[str, str]):
    """Names of all registered UIDs, for `one_line`."""

    def __getitem__(self, uid: str) -> str:
        name = uid_name(uid)
        if name == uid:
            raise KeyError(uid)
        return name

    def __iter__(self) -> Iterator[str]:
        return iter(registry())

    def __len__(self) -> int:
        return len(registry())


NAMES = UidNames()


def trace_line(event: Event, kinds: Iterable[str]) -> str | None:
    """An event as a line with its time of day and its association, None if it is not of these kinds."""
    found = _LINES.get(type(event))
    if found is None:
        return None
    kind, line = found
    if kind == "pdu":
        wanted = "pdu" in kinds or ("association" in kinds and getattr(event, "data", b"")[:1] != P_DATA_TF)
    else:
        wanted = kind in kinds
    return f"{time_of_day(event.time)} #{event.association} {line(event)}" if wanted else None


def time_of_day(nanoseconds: int) -> str:
    """The time of an event where this machine is, in milliseconds."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%H:%M:%S}.{rest // 1_000_000:03d}"


def pdu_text(data: bytes) -> str:
    """A PDU on one line, or what is wrong with it."""
    try:
        return one_line(decode_pdu(data), NAMES)
    except WireError as error:
        return f"{len(data)} bytes that are no PDU ({error}): {hexadecimal(data)}"


def _message(arrow: str) -> Callable[[Any], str]:
    def line(event: events.MessageIn | events.MessageOut) -> str:
        length = event.message.data_length
        return f"{arrow} {one_line(event.message.command, NAMES)}" + (f" of {length} bytes" if length else "")

    return line


def _opened(event: events.ConnectionOpened) -> str:
    arrow, way = (OUT, "to") if event.side is Side.REQUESTOR else (IN, "from")
    remote, local = host_and_port(*event.remote), host_and_port(*event.local)
    return f"{arrow} connected {way} {remote}, here {local}" + (", TLS" if event.tls else "")


def _moved(event: events.Transition) -> str:
    return f"{HERE} {event.event} {event.action} {event.before} -> {event.after}"


def _bytes(arrow: str) -> Callable[[Any], str]:
    return lambda event: f"{arrow} {len(event.data)} bytes: {hexadecimal(event.data)}"


_LINES: Mapping[type[Event], tuple[str, Callable[[Any], str]]] = {
    events.ConnectionOpened: ("connection", _opened),
    events.ConnectionRefused: ("connection", lambda event: f"{HERE} no connection: {printable(event.reason)}"),
    events.BytesIn: ("bytes", _bytes(IN)),
    events.BytesOut: ("bytes", _bytes(OUT)),
    events.PduIn: ("pdu", lambda event: f"{IN} {pdu_text(event.data)}"),
    events.PduOut: ("pdu", lambda event: f"{OUT} {pdu_text(event.data)}"),
    events.MessageIn: ("message", _message(IN)),
    events.MessageOut: ("message", _message(OUT)),
    events.Transition: ("transition", _moved),
    events.TimerExpired: ("timer", lambda event: f"{HERE} {event.name} timeout of {event.seconds:g} s ran out"),
    events.ConnectionClosed: (
        "connection",
        lambda event: f"{HERE} connection closed by {event.by.value} ({event.how.value})",
    ),
}
