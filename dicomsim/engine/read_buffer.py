"""Where bytes are read into: buffers of the thread's own, each for one reader at a time.

An observer or a sink may use another association while its own bytes are still in the buffer: that reads into a
further one.
"""

from __future__ import annotations

import threading
from typing import Final

from dicomsim.engine.heap import lazy_buffer

READ_BUFFER: Final = 1 << 21
"""Bytes taken from a socket in one read: many P-DATA-TF of a large object, whose sender goes on meanwhile."""


class _Free(threading.local):
    """The buffers of a thread that nobody reads into."""

    def __init__(self) -> None:
        self.buffers: list[memoryview] = []


_free = _Free()


def borrow() -> memoryview:
    """A buffer to read into; whoever has it gives it back in the same thread."""
    buffers = _free.buffers
    return buffers.pop() if buffers else lazy_buffer(READ_BUFFER)


def give_back(buffer: memoryview) -> None:
    """What is in it has been seen to."""
    _free.buffers.append(buffer)
