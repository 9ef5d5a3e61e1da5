"""Buffers to read into."""

from __future__ import annotations

import threading

from dicomsim.engine.read_buffer import READ_BUFFER, borrow, give_back
from tests.meeting import LIMIT


def test_a_buffer_serves_one_reader_at_a_time_and_then_the_next() -> None:
    outer = borrow()
    inner = borrow()
    outer[:5] = b"outer"
    inner[:5] = b"inner"
    assert (READ_BUFFER, b"outer") == (len(outer), bytes(outer[:5]))
    give_back(inner)
    assert inner is borrow()
    give_back(inner)
    give_back(outer)


def test_every_thread_has_its_own() -> None:
    ours = borrow()
    give_back(ours)
    theirs: list[memoryview] = []
    thread = threading.Thread(target=lambda: theirs.append(borrow()))
    thread.start()
    thread.join(LIMIT)
    assert theirs[0] is not ours
