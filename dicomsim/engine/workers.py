"""Threads for user code: started when needed, kept for a while, never more than a limit."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

WORKER_LIMIT = 256
"""Handlers running at once in a process; further ones wait. High, since a handler may itself wait for another."""

IDLE_SECONDS = 10.0
"""How long a thread without work is kept: longer than the pauses between the messages of one association."""


class Workers:
    """A cached, bounded pool of daemon threads.

    Guarantees: jobs start in the order of submission; a job never waits while a thread is idle or the limit is not
    reached; a job that raises does not end its thread silently (the exception goes to `threading.excepthook`).
    """

    def __init__(self, limit: int = WORKER_LIMIT, idle_seconds: float = IDLE_SECONDS) -> None:
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._free = 0  # threads without a job, less jobs that no thread has taken yet
        self._threads = 0

    def submit(self, job: Callable[[], None]) -> None:
        """Run the job in a thread of its own as soon as one is there."""
        with self._lock:
            self._free -= 1
            start = self._free < 0 and self._threads < self._limit
            if start:
                self._threads += 1
                self._free += 1
        self._jobs.put(job)
        if start:
            threading.Thread(target=self._work, name="dicomsim worker", daemon=True).start()

    def _work(self) -> None:
        try:
            while (job := self._next_job()) is not None:
                job()
                del job  # or it keeps its association alive while this thread idles
                with self._lock:
                    self._free += 1
        finally:
            with self._lock:
                self._threads -= 1

    def _next_job(self) -> Callable[[], None] | None:
        while True:
            try:
                return self._jobs.get(timeout=self._idle_seconds)
            except queue.Empty:
                with self._lock:
                    if self._free > 0:  # else a job was submitted this instant and counts on this thread
                        self._free -= 1
                        return None
