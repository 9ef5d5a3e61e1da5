"""Where another thread is at this moment."""

from __future__ import annotations

import sys
import traceback

LEVELS = 40
"""Innermost frames told."""


def stack_of(thread: int) -> str:
    """The stack of a thread, by its ident, as in a traceback; empty if it has ended."""
    frame = sys._current_frames().get(thread)
    return "" if frame is None else "".join(traceback.format_stack(frame, LEVELS)).rstrip()
