"""Who is told of events: any number of callbacks, each for the kinds it wants.

An association tells those who listened when it began: its `Audience`, which knows once and for all what nobody wants
to hear, so that nothing is done for that. Without any observer there is no audience, and its absence costs one test.
"""

from __future__ import annotations

import logging
import threading

from dicomsim.engine.witness import Observer, payload_limit, wants
from dicomsim.events import BytesIn, BytesOut, Event

LOGGER = logging.getLogger("dicomsim")


class _Listener:
    """A callback, until it is removed."""

    __slots__ = ("callback", "kinds", "listens")

    def __init__(self, callback: Observer, kinds: frozenset[type[Event]]) -> None:
        self.callback = callback
        self.kinds = kinds
        self.listens = True

    def wants(self, *kinds: type[Event]) -> bool:
        """Whether it is to be told of one of these kinds."""
        return wants(self.callback, *kinds) if not self.kinds else not self.kinds.isdisjoint(kinds)


class Audience:
    """Those who listened when an association began; called with each of its events."""

    __slots__ = ("_listeners", "payload_limit")

    def __init__(self, listeners: tuple[_Listener, ...]) -> None:
        self._listeners = listeners
        limits = [payload_limit(one.callback) for one in listeners if one.wants(BytesIn, BytesOut)]
        known = [limit for limit in limits if limit is not None]
        self.payload_limit = max(known) if known and len(known) == len(limits) else None
        """The highest one, None as soon as somebody has none."""

    def wants(self, *kinds: type[Event]) -> bool:
        """Whether anybody wanted one of these kinds."""
        return any(one.wants(*kinds) for one in self._listeners)

    def __call__(self, event: Event) -> None:
        """Tell everybody who wants to know, in the order in which they came; what one raises stops nobody else."""
        for one in self._listeners:
            if one.listens and (not one.kinds or type(event) in one.kinds):
                try:
                    one.callback(event)
                except KeyboardInterrupt:  # Ctrl-C is the caller's
                    raise
                except BaseException:  # user code
                    LOGGER.exception("an observer failed on %s", type(event).__name__)


class Observers:
    """The callbacks of an AE, which run in whichever thread owns the association and must not block."""

    def __init__(self) -> None:
        self._listeners: tuple[_Listener, ...] = ()
        self._lock = threading.Lock()

    def add(self, callback: Observer, *kinds: type[Event]) -> None:
        """Call `callback` for the events of these kinds, or of any kind, of associations that begin from now on.

        A callback may say itself which kinds it wants, by `wants(*kinds)`, and how much of a data set fragment, by
        `payload_limit`.

        Raises `TypeError` for what is no callable, or no kind of event.
        """
        if not callable(callback):
            raise TypeError(f"an observer must be callable, unlike {callback!r}")
        for kind in kinds:
            if not (isinstance(kind, type) and issubclass(kind, Event)):
                raise TypeError(f"{kind!r} is no kind of event: those are the classes of dicomsim.events")
        with self._lock:
            self._listeners += (_Listener(callback, frozenset(kinds)),)

    def remove(self, callback: Observer) -> None:
        """Stop calling it at once, for all associations; does nothing if it was not added."""
        with self._lock:
            for one in self._listeners:
                one.listens = one.listens and one.callback != callback
            self._listeners = tuple(one for one in self._listeners if one.listens)

    def audience(self) -> Audience | None:
        """Whom an association that begins now tells, or None."""
        listeners = self._listeners
        return Audience(listeners) if listeners else None

    def __len__(self) -> int:
        return len(self._listeners)
