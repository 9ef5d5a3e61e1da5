"""`Watch`: an observer that keeps what is worth knowing of every association, and tells what happens unasked.

It reads the same events as a trace or a recording. It is called by whichever thread owns an association, so it only
notes and passes on; what it keeps is read by the prompt's thread.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from dicomsim import events
from dicomsim.dimse.messages import Message
from dicomsim.errors import WireError
from dicomsim.events import Event, Side
from dicomsim.outcome import Outcome
from dicomsim.peer_address import host_and_port
from dicomsim.upper_layer.table import State
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.pdu import AssociateAC, AssociateRQ
from dicomsim.wire.render import printable

KEPT = 100
"""Associations that are remembered after their end."""
ASSOCIATE_RQ, ASSOCIATE_AC = b"\x01", b"\x02"


@dataclass(slots=True)
class Watched:
    """One association as its events show it."""

    number: int
    """As in a trace."""
    side: Side = Side.REQUESTOR
    """Which one we are."""
    remote: tuple[str, int] = ("", 0)
    """The peer's address."""
    connected: bool = False
    """Whether there is a connection."""
    calling: str = ""
    """The calling AE title, fit to be shown; empty before the request."""
    called: str = ""
    """The called AE title, likewise."""
    accepted: int = 0
    """Contexts accepted."""
    proposed: int = 0
    """Contexts proposed."""
    state: str = State.STA1.value
    """Of our machine."""
    messages: Counter[str] = field(default_factory=Counter)
    """How many requests went either way, by name."""
    outcome: Outcome | None = None
    """How it ended."""
    ended: int = 0
    """When, in nanoseconds since the epoch."""

    @property
    def peer(self) -> str:
        """Who the other side is."""
        title = self.called if self.side is Side.REQUESTOR else self.calling
        where = host_and_port(*self.remote) if self.remote[0] else "?"
        return f"{title}@{where}" if title else where

    @property
    def about(self) -> str:
        """`#3 with MODALITY@127.0.0.1:40000`."""
        way = "to" if self.side is Side.REQUESTOR else "from"
        return f"#{self.number} {way} {self.peer}"

    @property
    def exchanged(self) -> str:
        """`12 C-STORE-RQ`; empty if there was nothing."""
        return ", ".join(f"{count} {name}" for name, count in self.messages.items())


class Watch:
    """Call it with events; `accepted` and `ended` get the association when a peer opened one, and when any is over."""

    def __init__(
        self,
        *,
        accepted: Callable[[Watched], None],
        ended: Callable[[Watched], None],
        changed: Callable[[], None],
    ) -> None:
        """`changed` is called whenever what a status line shows may have changed."""
        self._lock = threading.Lock()
        self._open: dict[int, Watched] = {}
        self._over: deque[Watched] = deque(maxlen=KEPT)
        self._accepted = accepted
        self._ended = ended
        self._changed = changed

    def __call__(self, event: Event) -> None:
        """Take an event."""
        taker = self._TAKERS.get(type(event))
        if taker is not None:
            taker(self, event)
            self._changed()

    @property
    def history(self) -> list[Watched]:
        """The associations that are over, oldest first."""
        with self._lock:
            return list(self._over)

    @property
    def served(self) -> list[Watched]:
        """The associations that peers have opened and that are not over."""
        with self._lock:
            return [one for one in self._open.values() if one.side is Side.ACCEPTOR and one.outcome is None]

    def _begin(self, number: int) -> Watched:
        with self._lock:
            return self._open.setdefault(number, Watched(number))

    def _opened(self, event: events.ConnectionOpened) -> None:
        watched = self._begin(event.association)
        watched.side, watched.remote, watched.connected = event.side, event.remote, True

    def _refused(self, event: events.ConnectionRefused) -> None:
        self._begin(event.association).remote = event.remote

    def _pdu(self, event: events.PduIn | events.PduOut) -> None:
        watched = self._open.get(event.association)
        if watched is None or event.data[:1] not in (ASSOCIATE_RQ, ASSOCIATE_AC):
            return
        try:
            pdu = decode_pdu(event.data)
        except WireError:
            return  # what became of it is told by the outcome
        if isinstance(pdu, AssociateRQ) and not watched.proposed:
            watched.calling, watched.called = printable(pdu.calling), printable(pdu.called)
            watched.proposed = len(pdu.presentation_contexts)
        elif isinstance(pdu, AssociateAC) and watched.outcome is None:
            watched.accepted = sum(one.result == 0 for one in pdu.presentation_contexts)
            if watched.side is Side.ACCEPTOR and isinstance(event, events.PduOut):
                self._accepted(watched)

    def _moved(self, event: events.Transition) -> None:
        begins = event.before == State.STA1.value
        watched = self._begin(event.association) if begins else self._open.get(event.association)
        if watched is not None:
            watched.state = event.after

    def _message(self, event: events.MessageIn | events.MessageOut) -> None:
        message: Message = event.message
        watched = self._open.get(event.association)
        if watched is not None and message.is_request:
            watched.messages[message.name] += 1

    def _over_now(self, event: events.Ended) -> None:
        watched = self._begin(event.association)
        watched.outcome, watched.ended = event.outcome, event.time
        with self._lock:
            self._over.append(watched)
        self._forget(watched)
        self._ended(watched)

    def _closed(self, event: events.ConnectionClosed) -> None:
        watched = self._open.get(event.association)
        if watched is not None:
            watched.connected = False
            self._forget(watched)

    def _forget(self, watched: Watched) -> None:
        """Stop following what has ended and has no connection, whichever came first."""
        if watched.outcome is not None and not watched.connected:
            with self._lock:
                self._open.pop(watched.number, None)

    _TAKERS: ClassVar[dict[type[Event], Callable[[Watch, Any], None]]] = {
        events.ConnectionOpened: _opened,
        events.ConnectionRefused: _refused,
        events.PduIn: _pdu,
        events.PduOut: _pdu,
        events.Transition: _moved,
        events.MessageIn: _message,
        events.MessageOut: _message,
        events.Ended: _over_now,
        events.ConnectionClosed: _closed,
    }
