"""Parts of files become bytes when the socket takes them: as many at once as fit into one buffer of the thread's own.

That buffer stays in the processor's cache and is never allocated again, which makes reading and sending cheaper than
having the system hand on the pages of the file: those are far from any processor, and each costs it something.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from typing import Final

from dicomsim.dimse.data import Buffer, FilePart

SCRATCH: Final = 1 << 20
"""Bytes of files that one system call sends: a CT image of 512 x 512 pixels as a whole, with all that is before it."""

IOV_MAX = min(os.sysconf("SC_IOV_MAX"), 1024) if "SC_IOV_MAX" in os.sysconf_names else 16
"""Buffers one `sendmsg` takes."""

_scratches = threading.local()


def vectors(buffers: Sequence[Buffer | FilePart]) -> Iterator[tuple[list[Buffer], int]]:
    """Buffers for one `sendmsg` each, and how many bytes they are; valid until the next ones are asked for.

    They end early where a file does. Raises `FileError` for a file that has nothing of what is wanted next.
    """
    scratch = _thread_scratch()
    vector: list[Buffer] = []
    size = used = 0
    for buffer in buffers:
        at = 0
        while at < len(buffer):
            if used == len(scratch) or len(vector) == IOV_MAX:
                yield vector, size
                vector, size, used = [], 0, 0
            if isinstance(buffer, FilePart):
                wanted = min(len(buffer) - at, len(scratch) - used)
                piece = scratch[used : used + wanted]
                count = buffer.fetch(piece, at)
                vector.append(piece[:count])
                if count < wanted:
                    yield vector, size + count
                    return
                used += count
            else:
                vector.append(buffer)
                count = len(buffer)
            size += count
            at += count
    yield vector, size


def _thread_scratch() -> memoryview:
    scratch: memoryview | None = getattr(_scratches, "view", None)
    if scratch is None:
        scratch = _scratches.view = memoryview(bytearray(SCRATCH))
    return scratch
