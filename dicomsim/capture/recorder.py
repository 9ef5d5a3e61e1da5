"""`Recorder`: an observer that writes live associations to a capture file, from a thread of its own.

The observed thread only puts the event into a queue, which is bounded in bytes: when the disk cannot keep up the queue
blocks, and nothing is lost silently. What cannot be written is said by `error` and by `close`.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from types import TracebackType
from typing import Self

from dicomsim.capture.files import open_writer
from dicomsim.capture.frame_log import RECORDED, FrameLog, leaves_something
from dicomsim.errors import FileError
from dicomsim.events import Event

LOGGER = logging.getLogger("dicomsim")

QUEUE_BYTES = 64 << 20
"""Bytes that may wait to be written."""
BATCH_BYTES = 256 << 10
"""Bytes that are worth waking the writer for before `FLUSH_SECONDS` are over."""
FLUSH_SECONDS = 0.2
"""How long an event may stay in memory: what a crash can lose."""
EVENT_COST = 200
"""What an event counts beside its bytes."""


class Recorder:
    """Call it with events, from any thread; close it at the end, or use it as a context manager."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        segment: int | None = None,
        join: bool = True,
        payload_limit: int | None = None,
        queue_bytes: int = QUEUE_BYTES,
    ) -> None:
        """Begin a file: classic pcap if `path` ends in `.pcap`, else pcapng, both with nanoseconds.

        `segment` is the most data of a TCP segment, by default all that a frame can hold. Without `join` every read
        and write stays a segment of its own, else the parts of a PDU that come close together become one. With
        `payload_limit` at most so many bytes of a data set fragment are kept, and its frames say how long they were:
        pixels make a capture large and its recording slow; a PDU is judged by its first fragment. Raises `FileError` if
        the file cannot be written, `ValueError` for a limit that is none.
        """
        if payload_limit is not None and (type(payload_limit) is not int or payload_limit < 0):
            raise ValueError(f"a payload limit is a number of bytes from 0 on, unlike {payload_limit!r}")
        self.payload_limit = payload_limit
        self.path = os.fspath(path)
        self.error: FileError | None = None
        """Why the recording stopped, if it did."""
        self._limit = queue_bytes
        self._enough = min(BATCH_BYTES, queue_bytes // 2)
        try:
            self._file = open(self.path, "wb", buffering=BATCH_BYTES)  # noqa: SIM115  # closed by the writer
            self._log = FrameLog(
                open_writer(self.path, self._file), segment=segment, join=join, payload_limit=payload_limit
            )
        except OSError as error:
            raise self._failure(error) from error
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._queue: list[Event | tuple[int, str] | threading.Event] = []
        self._batch = self._queue  # what is being written
        self._bytes = 0
        self._idle = True
        self._closing = False
        self._reported = False
        self._writer = threading.Thread(target=self._run, name="dicomsim recorder", daemon=True)
        self._writer.start()
        atexit.register(self.close)

    def __call__(self, event: Event) -> None:
        """Record an event; blocks only while the queue is full."""
        if leaves_something(event):
            self._put(event, EVENT_COST + len(getattr(event, "data", b"")))

    def wants(self, *kinds: type[Event]) -> bool:
        """Whether one of these kinds leaves something in a capture."""
        return not RECORDED.isdisjoint(kinds)

    def note(self, association: int, text: str) -> None:
        """Write `text` as a comment beside the next frame of the association: a scenario step, say."""
        self._put((association, text), EVENT_COST)

    def flush(self) -> None:
        """Wait until everything recorded so far is in the file; returns at once if the recording has stopped."""
        written = threading.Event()
        if self._put(written, self._enough + 1):
            written.wait()

    def close(self) -> None:
        """Write what is left and close the file; a second call does nothing.

        Raises `FileError` if something could not be written.
        """
        with self._lock:
            self._closing = True
            self._work.notify()
        if self._writer is not threading.current_thread():
            self._writer.join()
        atexit.unregister(self.close)
        if self.error is not None and not self._reported:
            self._reported = True
            raise self.error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            self.close()
        except FileError as failure:
            if error is None:
                raise
            error.add_note(str(failure))

    def _put(self, item: Event | tuple[int, str] | threading.Event, size: int) -> bool:
        with self._lock:
            while self._bytes > self._limit and not self._closing:
                self._room.wait()
            if self._closing:
                return False
            self._queue.append(item)
            self._bytes += size
            if self._idle or self._bytes > self._enough:
                self._idle = False
                self._work.notify()
            return True

    def _failure(self, error: OSError) -> FileError:
        return FileError(f"{self.path}: cannot be written: {error.strerror or error}")

    def _run(self) -> None:
        try:
            with self._file:
                while self._write_batch():
                    self._file.flush()
                self._log.settle(final=True)
        except OSError as error:
            self.error = self._failure(error)
        except Exception as error:  # a defect of ours, and whoever closes is to know that something is missing
            LOGGER.exception("the recording to %s stopped", self.path)
            self.error = FileError(f"{self.path}: the recording stopped: {error!r}")
        finally:
            with self._lock:
                self._closing = True
                if self._queue and self.error is None:
                    self.error = FileError(f"{self.path}: the recording stopped early")
                for item in (*self._batch, *self._queue):
                    if isinstance(item, threading.Event):
                        item.set()
                self._queue.clear()
                self._room.notify_all()

    def _write_batch(self) -> bool:
        """Wait for events, then for more of them, and write them; False when all is written and nothing comes."""
        with self._lock:
            while not self._queue and not self._closing:
                self._idle = True
                if not self._work.wait(FLUSH_SECONDS if self._log.waiting else None):
                    break
            if self._queue:
                self._work.wait_for(lambda: self._closing or self._bytes > self._enough, FLUSH_SECONDS)
            self._batch, self._queue = self._queue, []
            size = self._bytes
        for item in self._batch:
            if isinstance(item, tuple):
                self._log.note(*item)
            elif isinstance(item, threading.Event):
                self._log.settle()
                self._file.flush()
                item.set()
            else:
                self._log.event(item)
        if not self._batch:
            self._log.settle()
        with self._lock:
            self._bytes -= size
            self._room.notify_all()
            return bool(self._queue) or not self._closing
