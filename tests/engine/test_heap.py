"""What becomes of freed memory."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from dicomsim.engine.heap import lazy_buffer

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other systems and libraries do as they like")

PAGES_OF_IMAGES = """
import resource, sys
from dicomsim.engine.reactor import Reactor

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        pdus = [bytes(131_000) + b"!" for _ in range(8)]
        del pdus
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if sys.argv[1] == "kept":
    Reactor().stop()
pages()
print(pages())
"""
"""Prints how many pages come anew from the system for a hundred times a megabyte."""


def _pages(how: str) -> int:
    # as a process of its own: this one has long freed larger objects
    done = subprocess.run([sys.executable, "-c", PAGES_OF_IMAGES, how], capture_output=True, text=True, timeout=60)
    return int(done.stdout)


def test_once_there_is_a_reactor_memory_of_pdus_is_used_again_instead_of_asking_for_more() -> None:
    assert _pages("kept") < 100
    assert _pages("given back") > 1000


def test_a_buffer_takes_what_is_used_of_it_and_gives_it_back() -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    before = resident()
    buffers = [lazy_buffer(4 << 20) for _ in range(20)]
    assert bytes(8) == buffers[0][:8]
    assert resident() - before < 2 << 20
    for buffer in buffers:
        buffer[:] = bytes([1]) * len(buffer)
    assert resident() - before > 70 << 20
    del buffers, buffer
    assert resident() - before < 10 << 20
