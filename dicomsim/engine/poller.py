"""Waiting for many descriptors at once, each armed for one report at a time.

One-shot is the policy: a descriptor that was reported stays quiet until it is armed again. So a report can be given up
when somebody else owns the session at that moment; the owner arms it again when done, and no report is lost or doubled.
`arm` and `disarm` may be called from any thread while `wait` blocks in another.
"""

from __future__ import annotations

import os
import select
import selectors
import sys
import threading
from functools import partial
from typing import Protocol

from dicomsim.engine.spinning import Spinning

READ = select.POLLIN
WRITE = select.POLLOUT

MAX_REPORTS = 256
"""Descriptors handled in one turn, so that timers are looked at in between."""


class Poller(Protocol):
    """What the reactor waits with."""

    def add(self, fd: int, mask: int) -> None:
        """Begin with a descriptor, armed for `mask` (READ, WRITE, or both)."""
        ...

    def arm(self, fd: int, mask: int) -> None:
        """Report the descriptor once when it is ready; a mask of 0 disarms it."""
        ...

    def remove(self, fd: int) -> None:
        """Forget a descriptor, before it is closed."""
        ...

    def wait(self, seconds: float | None) -> list[int]:
        """Descriptors that are ready, or none when the time is over or `wake` was called."""
        ...

    def wake(self) -> None:
        """Make a running `wait` return."""
        ...

    def close(self) -> None:
        """Give all resources back."""
        ...


_ONE = (1).to_bytes(8, sys.byteorder)


class Waker:
    """A descriptor that makes a wait return: an eventfd where there is one, else a pipe."""

    __slots__ = ("_write", "fd")

    def __init__(self) -> None:
        if hasattr(os, "eventfd"):
            self.fd = self._write = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self.fd, self._write = os.pipe()
            os.set_blocking(self.fd, False)
            os.set_blocking(self._write, False)

    def wake(self) -> None:
        """Make `fd` readable; not after `close`."""
        try:
            os.write(self._write, _ONE)
        except BlockingIOError:
            pass  # full means that it will wake anyway

    def drain(self) -> None:
        """Make `fd` unreadable again."""
        try:
            os.read(self.fd, 4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Give the descriptors back; does nothing the second time."""
        for fd in {self.fd, self._write} - {-1}:
            os.close(fd)
        self.fd = self._write = -1


class EpollPoller:
    """Linux: EPOLLONESHOT does all of it in the kernel."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._spinning = Spinning(partial(self._epoll.poll, maxevents=MAX_REPORTS))
        self._waker = Waker()
        self._epoll.register(self._waker.fd, select.EPOLLIN)

    def add(self, fd: int, mask: int) -> None:
        """Begin with a descriptor, armed for `mask`."""
        self._epoll.register(fd, mask | select.EPOLLONESHOT)

    def arm(self, fd: int, mask: int) -> None:
        """Report the descriptor once when it is ready; a mask of 0 disarms it."""
        self._epoll.modify(fd, mask | select.EPOLLONESHOT)

    def remove(self, fd: int) -> None:
        """Forget a descriptor, before it is closed."""
        self._epoll.unregister(fd)

    def wait(self, seconds: float | None) -> list[int]:
        """Descriptors that are ready, or none when the time is over or `wake` was called."""
        reports = self._spinning.glance() if seconds is None or seconds > 0 else None
        ready = [fd for fd, _ in reports or self._epoll.poll(seconds, MAX_REPORTS)]
        if self._waker.fd in ready:
            self._waker.drain()
            ready.remove(self._waker.fd)
        return ready

    def wake(self) -> None:
        """Make a running `wait` return."""
        self._waker.wake()

    def close(self) -> None:
        """Give all resources back."""
        self._epoll.close()
        self._waker.close()


class SelectorPoller:
    """Everywhere else: a selector that is changed only between its waits."""

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        self._selector = selector or selectors.DefaultSelector()
        self._waker = Waker()
        self._selector.register(self._waker.fd, selectors.EVENT_READ)
        self._lock = threading.Lock()
        self._wanted: dict[int, int] = {}

    def add(self, fd: int, mask: int) -> None:
        """Begin with a descriptor, armed for `mask`."""
        self.arm(fd, mask)

    def arm(self, fd: int, mask: int) -> None:
        """Report the descriptor once when it is ready; a mask of 0 disarms it."""
        with self._lock:
            self._wanted[fd] = mask
        self._waker.wake()

    def remove(self, fd: int) -> None:
        """Forget a descriptor, before it is closed."""
        with self._lock:
            self._wanted[fd] = 0
            self._apply()
        self._waker.wake()

    def wait(self, seconds: float | None) -> list[int]:
        """Descriptors that are ready, or none when the time is over or `wake` was called."""
        with self._lock:
            self._apply()
        reports = self._selector.select(seconds)
        ready = []
        with self._lock:
            for key, _ in reports:
                if key.fd == self._waker.fd:
                    self._waker.drain()
                elif key.fd not in self._wanted and key.fd in self._selector.get_map():
                    self._selector.unregister(key.fd)
                    ready.append(key.fd)
        return ready

    def wake(self) -> None:
        """Make a running `wait` return."""
        self._waker.wake()

    def close(self) -> None:
        """Give all resources back."""
        self._selector.close()
        self._waker.close()

    def _apply(self) -> None:
        registered = self._selector.get_map()
        for fd, mask in self._wanted.items():
            events = (selectors.EVENT_READ if mask & READ else 0) | (selectors.EVENT_WRITE if mask & WRITE else 0)
            if fd in registered:
                self._selector.unregister(fd)
            if events:
                self._selector.register(fd, events)
        self._wanted.clear()


def best_poller() -> Poller:
    """The poller of this platform."""
    return EpollPoller() if hasattr(select, "epoll") else SelectorPoller()
