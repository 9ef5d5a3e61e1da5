"""The named timeouts of an association; each ends in a defined way that `Outcome` tells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Timeouts:
    """Seconds, None for no limit; may be changed while an association is open."""

    connect: float | None = 30.0
    """For TCP (and TLS) to come up. The kernel alone would take two minutes to give up."""
    acse: float | None = 60.0
    """For the answer to an association or release request; then A-ABORT."""
    dimse: float | None = None
    """Between a request that has been sent, or the last message, and the next one awaited; then A-ABORT."""
    network: float | None = None
    """Without a byte in either direction on an association that nobody uses; then A-ABORT."""
    artim: float = 30.0
    """PS3.8 §9.1.5: for the first request, and for the peer to close after the last PDU; then the connection is closed."""
    send: float | None = 60.0
    """Without the peer taking a byte of what we send; then the connection is reset, since no A-ABORT would get through."""
