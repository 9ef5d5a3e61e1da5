"""Memory: pages that come anew from the system, which cost more than what is done with them.

An image of 0.5 MB needs 130 pages, and each that is new costs a virtual machine about 2 us: as much as everything else
that is done with the image.
"""

from __future__ import annotations

import mmap
from contextlib import suppress
from typing import Final

KEPT: Final = 4 << 20
"""Bytes of one object: smaller ones come from memory that stays, of which twice as much may be unused at an end."""


def keep_freed_memory() -> None:
    """Have the C library keep what objects of up to `KEPT` bytes have used, for the next ones, in the whole process.

    glibc goes by the largest object it has been given back, so that it gets one, which is never written to. Others
    do as they like.
    """
    bytes(KEPT)


def lazy_buffer(length: int) -> memoryview:
    """Zeros whose pages are there once they are used, and go with the buffer: for threads that may need little."""
    private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    pages = mmap.mmap(-1, length, **private)  # by default it would be shared with whatever process is forked
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        with suppress(OSError):  # a system that knows no huge pages
            pages.madvise(mmap.MADV_NOHUGEPAGE)
    return memoryview(pages)
