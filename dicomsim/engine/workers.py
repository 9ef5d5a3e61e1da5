"""Threads for user code: started when needed, kept for a while, no more than a limit unless all of them are stuck."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable

WORKER_LIMIT = 256
"""Handlers running at once in a process; further ones wait. High, since a handler may itself wait for another."""

IDLE_SECONDS = 10.0
"""How long a thread without work is kept: longer than the pauses between the messages of one association."""

PATIENCE = 1.0
"""Seconds without a job being begun after which waiting ones get a thread beyond the limit."""


class Workers:
    """A cached, bounded pool of daemon threads.

    Guarantees: jobs start in the order of submission; a job never waits while a thread is idle or the limit is not
    reached; a job that raises goes to `threading.excepthook` and costs nobody else a thread; handlers that wait for
    other handlers (a C-MOVE whose destination is in this process) cannot block each other for good, since the limit
    gives way where nothing moves.
    """

    def __init__(
        self, limit: int = WORKER_LIMIT, idle_seconds: float = IDLE_SECONDS, patience: float = PATIENCE
    ) -> None:
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._patience = patience
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._free = 0  # threads without a job, less jobs that no thread has taken yet
        self._threads = 0
        self._begun = 0
        self._relief: threading.Timer | None = None

    @property
    def threads(self) -> int:
        """How many threads there are."""
        return self._threads

    def submit(self, job: Callable[[], None]) -> None:
        """Run the job in a thread of its own as soon as one is there."""
        with self._lock:
            self._free -= 1
            start = self._free < 0 and self._threads < self._limit
            if start:
                self._count_one_more()
            elif self._free < 0 and self._relief is None:
                self._watch()
        self._jobs.put(job)
        if start:
            self._start()

    def _count_one_more(self) -> None:
        self._threads += 1
        self._free += 1

    def _start(self) -> None:
        threading.Thread(target=self._work, name="dicomsim worker", daemon=True).start()

    def _watch(self) -> None:
        self._relief = threading.Timer(self._patience, self._relieve, (self._begun,))
        self._relief.daemon = True
        self._relief.start()

    def _relieve(self, begun: int) -> None:
        """Start a thread beyond the limit if jobs wait and none was begun meanwhile."""
        with self._lock:
            self._relief = None
            start = self._free < 0 and self._begun == begun
            if start:
                self._count_one_more()
            if self._free < 0:
                self._watch()
        if start:
            self._start()

    def _work(self) -> None:
        while (job := self._next_job()) is not None:
            try:
                job()
            except BaseException:  # noqa: BLE001  # user code, whatever it raises
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
            del job  # or it keeps its association alive while this thread idles
            with self._lock:
                self._free += 1
                if self._threads > self._limit and self._free > 0:
                    self._free -= 1
                    self._threads -= 1
                    return

    def _next_job(self) -> Callable[[], None] | None:
        while True:
            try:
                job = self._jobs.get(timeout=self._idle_seconds)
            except queue.Empty:
                with self._lock:
                    if self._free > 0:  # else a job was submitted this instant and counts on this thread
                        self._free -= 1
                        self._threads -= 1
                        return None
            else:
                self._begun += 1  # a race here costs at worst one look more
                return job
