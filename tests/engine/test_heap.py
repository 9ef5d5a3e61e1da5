"""What becomes of freed memory."""

from __future__ import annotations

import os
import platform
import re
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


FORKED = """
import os
from dicomsim.engine.heap import lazy_buffer

buffer = lazy_buffer(1 << 20)
buffer[:6] = b"parent"
if child := os.fork():
    os.waitpid(child, 0)
    print(bytes(buffer[:6]).decode())
else:
    buffer[:6] = b"child!"
"""
"""Prints what it has in a buffer after a child process has written to it."""


def _printed(program: str, *arguments: str) -> str:
    # as a process of its own: this one has long freed larger objects, and has threads
    environment = {name: value for name, value in os.environ.items() if "MALLOC" not in name and "GLIBC" not in name}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(
        command, stdout=subprocess.PIPE, text=True, timeout=60, check=True, env=environment
    ).stdout.strip()  # fmt: skip


def _pages(how: str) -> int:
    return int(_printed(PAGES_OF_IMAGES, how))


def test_once_there_is_a_reactor_memory_of_pdus_is_used_again_instead_of_asking_for_more() -> None:
    assert _pages("kept") < 100
    assert _pages("given back") > 1000


def test_a_buffer_takes_what_is_used_of_it_and_gives_it_back() -> None:
    def resident() -> int:
        """Bytes; unlike the ones in `statm`, these are exact."""
        found = re.search(r"^Rss: +(\d+) kB", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)
        assert found
        return int(found[1]) * 1024

    before = resident()
    buffers = [lazy_buffer(4 << 20) for _ in range(20)]
    assert bytes(8) == buffers[0][:8]
    assert resident() - before < 2 << 20
    for buffer in buffers:
        buffer[:] = bytes([1]) * len(buffer)
    assert resident() - before > 70 << 20
    del buffers, buffer
    assert resident() - before < 10 << 20


def test_a_child_process_does_not_write_to_its_parents_buffer() -> None:
    assert "parent" == _printed(FORKED)
