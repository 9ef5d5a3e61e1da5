"""Who is told of events: any number of callbacks, each for the kinds it wants."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from dicomsim.events import Event

LOGGER = logging.getLogger("dicomsim")

Callback = Callable[[Event], None]


class Observers:
    """Calls each callback with the events of its kinds, in order; what one raises is logged and stops nobody else.

    Callbacks run in whichever thread owns the association and must not block. False while nobody listens.
    """

    def __init__(self) -> None:
        self._callbacks: tuple[tuple[Callback, frozenset[type[Event]] | None], ...] = ()
        self._lock = threading.Lock()

    def add(self, callback: Callback, *kinds: type[Event]) -> None:
        """Call `callback` for every event of these kinds, or of any kind; associations that are open already count."""
        with self._lock:
            self._callbacks += ((callback, frozenset(kinds) or None),)

    def remove(self, callback: Callback) -> None:
        """Stop calling it."""
        with self._lock:
            self._callbacks = tuple(one for one in self._callbacks if one[0] != callback)

    def wants(self, *kinds: type[Event]) -> bool:
        """Whether anybody wants one of these kinds."""
        return any(wanted is None or not wanted.isdisjoint(kinds) for _, wanted in self._callbacks)

    def __bool__(self) -> bool:
        return bool(self._callbacks)

    def __call__(self, event: Event) -> None:
        """Tell everybody who wants to know."""
        for callback, kinds in self._callbacks:
            if kinds is None or type(event) in kinds:
                try:
                    callback(event)
                except Exception:  # user code
                    LOGGER.exception("an observer failed on %s", type(event).__name__)
