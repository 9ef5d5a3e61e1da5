"""Waiting for a descriptor in a thread of one's own, so that another thread can end it.

A caller that waits for an answer does not own the association meanwhile: others may send, abort or time it out, and
wake the caller to see what has become of it.
"""

from __future__ import annotations

import select
import threading
from typing import Final

from dicomsim.engine.poller import READ, Waker
from dicomsim.engine.spinning import Spinning


class Waiter:
    """One thread's means to wait; `wake` and `settle` are called by owners of what it waits for, so never at once."""

    __slots__ = ("_fd", "_mask", "_poll", "_spinning", "_waker", "_woken")

    def __init__(self) -> None:
        self._poll = select.poll()
        self._spinning = Spinning(self._poll.poll)
        self._waker = Waker()
        self._woken = False
        self._poll.register(self._waker.fd, READ)
        self._fd = self._mask = -1  # as registered: most threads wait for the same descriptor again and again

    def wait(self, fd: int, mask: int, seconds: float | None) -> bool:
        """Whether the descriptor became ready before the time was over or somebody called `wake`."""
        if fd < 0:
            return False
        if fd != self._fd or mask != self._mask:
            if self._fd >= 0:
                self._poll.unregister(self._fd)
            self._poll.register(fd, mask)
            self._fd, self._mask = fd, mask
        reports = self._spinning.glance() if seconds is None or seconds > 0 else None
        if not reports:
            reports = self._poll.poll(None if seconds is None else max(seconds, 0) * 1000)
        for ready, _ in reports:  # noqa: SIM110  # a generator costs more than what it goes over
            if ready == fd:
                return True
        return False

    @property
    def is_woken(self) -> bool:
        """Whether `wake` was called since the last `settle`."""
        return self._woken

    def wake(self) -> None:
        """End the wait that is going on, or the next one."""
        if not self._woken:
            self._woken = True
            self._waker.wake()

    def settle(self) -> None:
        """Forget a `wake`, when the wait is over."""
        if self._woken:
            self._woken = False
            self._waker.drain()

    def __del__(self) -> None:
        if hasattr(self, "_waker"):  # there is none when descriptors have run out
            self._waker.close()


class Busy:
    """In the place of a waiter: who is at other work, and looks at what has become of a session when that is done."""

    __slots__ = ()

    def wake(self) -> None:
        """Nothing waits."""

    def settle(self) -> None:
        """Nothing was woken."""


BUSY: Final = Busy()

_waiters = threading.local()


def thread_waiter() -> Waiter:
    """The waiter of this thread, made when it first waits."""
    waiter: Waiter | None = getattr(_waiters, "waiter", None)
    if waiter is None:
        waiter = _waiters.waiter = Waiter()
    return waiter
