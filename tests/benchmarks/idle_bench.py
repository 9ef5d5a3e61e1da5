"""Associations that carry no traffic: what two thousand of them cost, in both roles at once and encrypted."""

from __future__ import annotations

import gc
import os
import resource
import selectors
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from dicomsim import tls
from dicomsim.ae import AE
from dicomsim.association import Association
from tests.benchmarks.process import processor_seconds, resident
from tests.benchmarks.rounds import Figure, report
from tests.certificates import make

COUNT = 2000
SECONDS = 5.0
CONTEXTS = ("1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.1.2")
MOST = 80.0
"""MB for the associations of one role; here are both, so twice that is allowed."""


def main() -> int:
    """Measure and print everything; 1 when a target was missed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 5 * COUNT)), hard))
    figures = list(_measured("plain", COUNT, None, None))
    with TemporaryDirectory(prefix="dicomsim-bench-") as folder:
        made = make(Path(folder))
        figures += _measured(
            "encrypted",
            COUNT // 10,
            tls.server_context(made.certificate, made.key),
            tls.client_context(trust=made.certificate),
        )
    for figure in figures:
        figure.print()
    return report("idle", [], figures)


def _measured(
    kind: str, count: int, ours: ssl.SSLContext | None, theirs: ssl.SSLContext | None
) -> Iterator[Figure]:
    pid = os.getpid()
    with _pair(count, ours, theirs) as associate:
        associate().release()  # what the first one brings is no association's
        gc.collect()
        base, start = resident(pid), monotonic()
        associations = [associate() for _ in range(count)]
        rate = count / (monotonic() - start)
        if not all(one.is_established for one in associations):
            raise RuntimeError("not all associations came about")
        gc.collect()
        memory = resident(pid) - base
        threads = threading.active_count()
        before, start = processor_seconds(pid), monotonic()
        with selectors.DefaultSelector() as nothing:
            nothing.select(SECONDS)
        share = (processor_seconds(pid) - before) / (monotonic() - start)
        most = 2 * MOST if ours is None else None  # OpenSSL has needs of its own
        yield Figure(f"memory of {count} {kind} associations, both ends", memory, "MB", most=most)
        yield Figure(f"memory of one end of one {kind} association", memory * 1024 / count / 2, "kB")
        yield Figure(f"threads with {count} {kind} associations", threads, "threads", most=4)
        yield Figure(f"share of a core with {count} {kind} associations", 100 * share, "%", most=1)
        yield Figure(f"{kind} associations opened one after the other", rate, "a second")


@contextmanager
def _pair(
    count: int, ours: ssl.SSLContext | None, theirs: ssl.SSLContext | None
) -> Iterator[Callable[[], Association]]:
    answering, asking = AE("ACCEPTOR"), AE("REQUESTOR")
    answering.maximum_associations = 2 * count
    for uid in CONTEXTS:
        answering.add_supported_context(uid)
        asking.add_requested_context(uid)
    with answering.start_server(("127.0.0.1", 0), ssl_context=ours) as server:
        yield partial(asking.associate, *server.address, tls_args=None if theirs is None else (theirs, None))
        asking.stop()
