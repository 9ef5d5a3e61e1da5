"""Log records as lines of the prompt: what a defect or a wrong rule has to say must not break into the line typed."""

from __future__ import annotations

import logging
from collections.abc import Callable


class LogLines(logging.Handler):
    """Shows warnings and errors on one line each, without tracebacks."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record."""
        text = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            text += f" ({type(error).__name__}: {error})"
        self._show(" ".join(text.split()))
