"""What becomes of freed memory."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PAGES_OF_IMAGES = """
import resource, sys
from dicomsim.engine.heap import keep_freed_memory

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        pdus = [bytes(131_000) + b"!" for _ in range(8)]
        del pdus
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if sys.argv[1] == "kept":
    keep_freed_memory()
pages()
print(pages())
"""
"""Prints how many pages come anew from the system for a hundred times a megabyte."""


def _pages(how: str) -> int:
    # as a process of its own: this one has long freed larger objects
    done = subprocess.run([sys.executable, "-c", PAGES_OF_IMAGES, how], capture_output=True, text=True, timeout=60)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others do as they like")
def test_memory_of_a_pdu_is_used_again_instead_of_asking_the_system_for_more() -> None:
    assert _pages("kept") < 100
    assert _pages("given back") > 1000
