"""How an association ended: who ended it, with which code, in which state, after how long, and which clause says so.

An `Outcome` is a value, the same for a live association and for one read from a capture, which is why it names the
requestor and the acceptor rather than "us" and "the peer". The functions below build one for each way to end.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dicomsim.errors import AssociationError, ConnectError, DicomsimError, TimeLimitError, WireError
from dicomsim.events import CloseHow, Side
from dicomsim.peer_address import host_and_port
from dicomsim.upper_layer.table import State
from dicomsim.wire.codes import ABORT_REASONS, ABORT_SOURCES, REJECT_REASONS, REJECT_RESULTS, REJECT_SOURCES
from dicomsim.wire.pdu import AssociateRJ


class Ending(StrEnum):
    """The ways in which an association, or the attempt at one, ends."""

    RELEASED = "released"
    """In order: A-RELEASE-RQ was answered by A-RELEASE-RP."""
    REJECTED = "rejected"
    """By A-ASSOCIATE-RJ."""
    ABORTED = "aborted"
    """By A-ABORT."""
    CLOSED = "connection closed"
    """TCP ended by FIN without release or abort."""
    RESET = "connection reset"
    """TCP ended by RST without release or abort."""
    TIMED_OUT = "timed out"
    """A named timeout of ours ran out."""
    REFUSED = "connection refused"
    """Nobody listens at the address."""
    FAILED = "connection failed"
    """No connection for another reason: unknown host, unreachable, TLS handshake."""


class Part(StrEnum):
    """Which part of the one who ended it."""

    USER = "service user"
    PROVIDER = "service provider"
    TRANSPORT = "transport"
    TIMER = "time limit"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an association ended; `str()` says it in one line."""

    how: Ending
    """In which way."""
    by: Side | None
    """Which side ended it; None when there was no connection or a time limit was reached."""
    part: Part
    """Which part of that side."""
    state: str
    """`Sta1` … `Sta13`: where our state machine was when it happened."""
    seconds: float
    """Since the connection was begun."""
    meaning: str = ""
    """The codes, or else the circumstances, in words."""
    codes: tuple[int, ...] = ()
    """Result, source, reason of a rejection; source, reason of an abort."""
    clause: str = ""
    """Where the standard has it; empty for what is our own policy."""
    cause: str = ""
    """What led to it, when that is known: which byte of which item was wrong, what the system said."""
    timeout: str = ""
    """Name of the timeout that ran out: connect, acse, dimse, network, artim, send."""
    timeout_seconds: float | None = None
    """Its value."""

    def __str__(self) -> str:
        who = f" by {self.by.value}" if self.by else ""
        details = "; ".join(filter(None, ("/".join(map(str, self.codes)), self.clause)))
        text = f"{self.how}{who} in {self.state} after {self.seconds:.3f} s"
        text += f": {self.meaning}" if self.meaning else ""
        text += f" ({details})" if details else ""
        return text + (f": {self.cause}" if self.cause else "")

    @property
    def is_orderly(self) -> bool:
        """Whether it was released, and not in some other way."""
        return self.how is Ending.RELEASED

    def error(self) -> DicomsimError:
        """The exception for someone who still wanted something of the association."""
        return _ERRORS.get(self.how, AssociationError)(str(self))

    def as_dict(self) -> dict[str, Any]:
        """For reports: plain values under the names of the fields, without those that say nothing."""
        values = {
            "how": self.how.value,
            "by": self.by and self.by.value,
            "part": self.part.value,
            "state": self.state,
            "seconds": self.seconds,
            "meaning": self.meaning,
            "codes": list(self.codes),
            "clause": self.clause,
            "cause": self.cause,
            "timeout": self.timeout,
            "timeout_seconds": self.timeout_seconds,
        }
        return {name: value for name, value in values.items() if value not in (None, "", [])}


_ERRORS: dict[Ending, type[DicomsimError]] = {
    Ending.TIMED_OUT: TimeLimitError,
    Ending.REFUSED: ConnectError,
    Ending.FAILED: ConnectError,
}
_CLOSED: dict[CloseHow, Ending] = {CloseHow.RESET: Ending.RESET}
# The standard knows one timer (PS3.8 §9.1.5); all the others are policy.
_TIMEOUT_CLAUSES = {"artim": "PS3.8 9.1.5"}


def _name(state: State | str) -> str:
    return state if isinstance(state, str) else state.value


def _words(name: str) -> str:
    """A code's name in the standard, as it reads in a sentence."""
    return name.replace("-", " ")


def released(by: Side, *, state: State | str, seconds_open: float) -> Outcome:
    """The A-RELEASE that `by` asked for is complete; `state` is the one in which that was known."""
    return Outcome(Ending.RELEASED, by, Part.USER, _name(state), seconds_open, clause="PS3.8 7.2")


def rejected(rj: AssociateRJ, *, state: State | str, seconds_open: float, cause: str = "") -> Outcome:
    """An A-ASSOCIATE-RJ was received, or sent."""
    words = (
        REJECT_RESULTS.get(rj.result, f"reserved result {rj.result}").removeprefix("rejected-"),
        REJECT_SOURCES.get(rj.source, f"reserved source {rj.source}"),
        REJECT_REASONS.get(rj.source, {}).get(rj.reason, f"reserved reason {rj.reason}"),
    )
    return Outcome(
        Ending.REJECTED,
        Side.ACCEPTOR,
        Part.USER if rj.source == 1 else Part.PROVIDER,
        _name(state),
        seconds_open,
        ", ".join(map(_words, words)),
        (rj.result, rj.source, rj.reason),
        "PS3.8 9.3.4",
        cause,
    )


def aborted(
    by: Side, source: int, reason: int, *, state: State | str, seconds_open: float, cause: str | WireError = ""
) -> Outcome:
    """An A-ABORT was received, or sent, with these codes."""
    words = [ABORT_SOURCES.get(source, f"reserved source {source}")]
    if source != 0:  # a user's reason has no meaning
        words.append(ABORT_REASONS.get(reason, f"reserved reason {reason}"))
    return Outcome(
        Ending.ABORTED,
        by,
        Part.USER if source == 0 else Part.PROVIDER,
        _name(state),
        seconds_open,
        ", ".join(map(_words, words)),
        (source, reason),
        "PS3.8 9.3.8",
        str(cause),
    )


def closed(by: Side, how: CloseHow, *, state: State | str, seconds_open: float, cause: str = "") -> Outcome:
    """The TCP connection ended while there still was an association, or an attempt at one."""
    return Outcome(
        _CLOSED.get(how, Ending.CLOSED),
        by,
        Part.TRANSPORT,
        _name(state),
        seconds_open,
        "neither released nor aborted before",
        clause="PS3.8 7.4",
        cause=cause,
    )


def timed_out(name: str, seconds: float, *, state: State | str, seconds_open: float) -> Outcome:
    """The timeout of that name and value ran out."""
    return Outcome(
        Ending.TIMED_OUT,
        None,
        Part.TIMER,
        _name(state),
        seconds_open,
        f"{name} timeout of {seconds:g} s",
        clause=_TIMEOUT_CLAUSES.get(name, ""),
        timeout=name,
        timeout_seconds=seconds,
    )


def refused(remote: tuple[str, int], cause: str, *, seconds_open: float, how: CloseHow = CloseHow.REFUSED) -> Outcome:
    """No connection to that address came about; `cause` is what the system said."""
    return Outcome(
        Ending.REFUSED if how is CloseHow.REFUSED else Ending.FAILED,
        None,
        Part.TRANSPORT,
        State.STA4.value,
        seconds_open,
        host_and_port(*remote),
        clause="PS3.8 7.4",
        cause=cause,
    )
