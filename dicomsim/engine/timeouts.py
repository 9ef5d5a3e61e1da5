"""The named timeouts of an association; each ends in a defined way that `Outcome` tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

OnChange = Callable[[str, float | None], None]

NAMES = ("connect", "acse", "dimse", "network", "artim", "send", "handler")
"""The names of all timeouts."""

LONGEST = 1e9
"""Seconds; what is longer is meant to be no limit, and no system call takes it."""


@dataclass(slots=True)
class Timeouts:
    """Seconds, None for no limit; a wait that has begun goes by what was set when it began.

    Setting one raises `TypeError` for what is no number, `ValueError` for a negative or an endless one.
    """

    connect: float | None = 30.0
    """For TCP (and TLS) to come up. The kernel alone would take two minutes to give up."""
    acse: float | None = 60.0
    """For the answer to an association or release request; then A-ABORT."""
    dimse: float | None = None
    """Between a request that has been sent, or the last message, and the next one awaited; then A-ABORT."""
    network: float | None = None
    """Without a byte in either direction on an association that nobody uses; then A-ABORT."""
    artim: float = 30.0
    """PS3.8 §9.1.5: for the first request, and for the peer to close after the last PDU; then we close."""
    send: float | None = 60.0
    """Without the peer taking a byte of what we send; then a reset, since no A-ABORT would get through."""
    handler: float | None = 600.0
    """For user code between two answers to a request; then the failure status of its service, and it is not listened to
    any more. Long, for a person may be stepping through it."""
    on_change: OnChange | None = field(default=None, repr=False, compare=False)
    """Told of every change: name and seconds."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in NAMES:
            _check(name, value)
        object.__setattr__(self, name, value)
        if name in NAMES and (told := getattr(self, "on_change", None)) is not None:
            told(name, value)

    def copy(self) -> Timeouts:
        """The same values, of whose changes nobody is told."""
        return Timeouts(*(getattr(self, name) for name in NAMES))


def _check(name: str, value: Any) -> None:
    if value is None and name != "artim":
        return
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"the {name} timeout must be a number of seconds or None, not {value!r}")
    if not 0 <= value <= LONGEST:
        raise ValueError(f"the {name} timeout must be from 0 to {LONGEST:g} s or None for no limit, not {value}")
