"""What is to be sent: whole PDUs and lazy runs of P-DATA-TF, in order, never joined.

A data set may be gigabytes behind an iterator, and an abort must not wait for it: so the queue counts along where the
bytes it hands out stand within their PDU, and `cut` drops what has not begun, but never the rest of a PDU that has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview
"""What goes to the transport; a memoryview is one of bytes."""

IOV_MAX: Final = 1024
"""Buffers that one `sendmsg` takes: the value of Linux, the BSDs and macOS."""

SEND_LIMIT: Final = 1 << 20
"""Bytes handed out at a time: several times what a socket's buffer takes, so that one call fills it."""

_HEADER: Final = 6


class Outgoing:
    """A queue of buffers for the transport."""

    __slots__ = ("_failure", "_left", "_queue", "_stuck")

    def __init__(self) -> None:
        self._queue: deque[bytes | Iterator[Buffer]] = deque()
        self._left = 0  # bytes of the begun P-DATA-TF that have not been handed out
        self._stuck = False  # the begun P-DATA-TF will never be finished
        self._failure: BaseException | None = None  # what a lazy run raised behind bytes that go out first

    def __bool__(self) -> bool:
        """Whether there may be something, or something to raise; a lazy run tells only when it is asked."""
        return bool(self._queue) or self._failure is not None

    def append(self, pdu: bytes) -> None:
        """Queue a whole PDU."""
        if not self._stuck:
            self._queue.append(pdu)

    def extend(self, buffers: Iterable[Buffer]) -> None:
        """Queue whole P-DATA-TF PDUs in pieces, which are taken when they are wanted.

        Pieces may hold parts of several PDUs, but the six byte header of a PDU lies in one piece.
        """
        if not self._stuck:
            self._queue.append(iter(buffers))

    def clear(self) -> None:
        """Drop everything: there is nobody to take it."""
        self._drop_all()
        self._left = 0
        self._stuck = False
        self._failure = None

    def cut(self) -> None:
        """Drop all P-DATA-TF that has not begun. What has begun is kept to its end, and whole PDUs stay."""
        self._failure = None
        queue, self._queue = self._queue, deque()
        for position, entry in enumerate(queue):
            if isinstance(entry, bytes):
                self._queue.append(entry)
            elif self._left and not position:
                self._queue.append(_up_to(self._left, entry))
            else:
                _close(entry)

    def take(self, limit: int) -> list[Buffer]:
        """Take buffers until they hold `limit` bytes or are IOV_MAX many; the last may reach beyond the limit.

        What a lazy run raises is raised once all before it has been handed out, and the rest of the queue is dropped.
        If that happened inside a PDU, nothing more is handed out until `clear`: the peer would take it for data.
        """
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        buffers: list[Buffer] = []
        size = 0
        queue = self._queue
        while queue and size < limit and len(buffers) < IOV_MAX:
            entry = queue[0]
            if isinstance(entry, bytes):
                queue.popleft()
                buffers.append(entry)
                size += len(entry)
                continue
            finished = False
            try:
                for buffer in entry:
                    buffers.append(buffer)
                    size += len(buffer)
                    self._count(buffer)
                    if size >= limit or len(buffers) >= IOV_MAX:
                        break
                else:
                    finished = True
            except BaseException as error:
                self._drop_all()
                if not buffers or not isinstance(error, Exception):  # an interrupt does not wait
                    self._stuck = self._left > 0 or bool(buffers)
                    raise
                self._stuck = self._left > 0
                self._failure = error
                break
            if finished:
                queue.popleft()
        return buffers

    def _count(self, buffer: Buffer) -> None:
        """Step over the PDUs in a buffer of a lazy run."""
        size = len(buffer)
        position = self._left
        while position < size:
            position += _HEADER + int.from_bytes(buffer[position + 2 : position + _HEADER], "big")
        self._left = position - size

    def _drop_all(self) -> None:
        queue, self._queue = self._queue, deque()
        for entry in queue:
            _close(entry)


def _up_to(left: int, entry: Iterator[Buffer]) -> Iterator[Buffer]:
    """The first `left` bytes of a lazy run."""
    for buffer in entry:
        yield buffer[:left]
        left -= len(buffer)
        if left <= 0:
            break
    _close(entry)


def _close(entry: bytes | Iterator[Buffer]) -> None:
    """Let a generator release what it holds."""
    close = getattr(entry, "close", None)
    if close is not None:
        close()
