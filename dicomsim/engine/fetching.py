"""Parts of files become bytes when the socket takes them: as many at once as fit into one buffer of the thread's own.

That buffer stays in the processor's cache and is never allocated again, which makes reading and sending cheaper than
having the system hand on the pages of the file: those are far from any processor, and each costs it something.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Final

from dicomsim.dimse.data import Buffer, FilePart
from dicomsim.dimse.fragmenter import PREFERRED_LENGTH
from dicomsim.engine.heap import lazy_buffer
from dicomsim.upper_layer.outgoing import SEND_LIMIT

SCRATCH: Final = SEND_LIMIT + PREFERRED_LENGTH
"""Bytes of files that one system call sends: all that the upper layer hands out at a time, most images as a whole."""

IOV_MAX = min(os.sysconf("SC_IOV_MAX"), 1024) if "SC_IOV_MAX" in os.sysconf_names else 16
"""Buffers one `sendmsg` takes."""

_scratches = threading.local()


def fetched(buffers: Sequence[Buffer | FilePart], most: int = SCRATCH) -> list[Buffer]:
    """As much of the buffers as one `sendmsg` takes, with at most so many bytes of files; up to an early end.

    Parts of files know from then on what was fetched of them, until this thread fetches again. Raises `FileError` for a
    file that has nothing of what is wanted.
    """
    scratch = _thread_scratch()[:most]
    vector: list[Buffer] = []
    used = 0
    for buffer in buffers[:IOV_MAX]:
        if not isinstance(buffer, FilePart):
            vector.append(buffer)
            continue
        room = scratch[used : used + len(buffer)]
        if not room and len(buffer):
            break
        vector.append(buffer.fetch(room))
        used += len(vector[-1])
        if len(vector[-1]) < len(buffer):
            break
    return vector


def _thread_scratch() -> memoryview:
    scratch: memoryview | None = getattr(_scratches, "view", None)
    if scratch is None:
        scratch = _scratches.view = lazy_buffer(SCRATCH)
    return scratch
