"""`Trace`: a conversation as it happens, one line an event, for `--trace`; the lines are those of the prompt."""

from __future__ import annotations

from collections.abc import Callable

from dicomsim import events
from dicomsim.events import Event
from dicomsim.repl.trace import HERE, USUAL, time_of_day, trace_line

KINDS = (
    events.ConnectionOpened,
    events.ConnectionRefused,
    events.PduIn,
    events.PduOut,
    events.MessageIn,
    events.MessageOut,
    events.TimerExpired,
    events.RuleFired,
    events.ConnectionClosed,
    events.Ended,
)
"""The events that it shows; of PDUs those that are no P-DATA-TF, for which their messages stand."""


class Trace:
    """An observer that writes a line for each event; add it with `ae.events.add(trace, *KINDS)`."""

    def __init__(self, write: Callable[[str], object]) -> None:
        """`write` gets each line, without its end."""
        self._write = write

    def __call__(self, event: Event) -> None:
        """Write the event, if it is shown."""
        line = describe(event)
        if line is not None:
            self._write(line)


def describe(event: Event) -> str | None:
    """An event on one line, None if it has none."""
    if isinstance(event, events.Ended):
        return f"{time_of_day(event.time)} #{event.association} {HERE} {event.outcome}"
    if isinstance(event, events.RuleFired):
        return f"{time_of_day(event.time)} #{event.association} {HERE} rule fired: {event.rule}"
    return trace_line(event, USUAL)
