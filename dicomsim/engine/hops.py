"""Where rules are put around the conforming engine: the hops, and the steps a rule may answer with.

A session without rules has `hops = None` and pays one test a hop. With rules, every outgoing and incoming PDU and
message is shown to the `Hops` before it goes on; what comes back is a sequence of steps, which the session carries out
in order, in each direction by itself. A hop that leaves things alone answers with the one step that passes its argument
on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dicomsim.dimse.messages import Message
    from dicomsim.engine.session import Session
    from dicomsim.upper_layer.machine import Primitive
    from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ


@dataclass(frozen=True, slots=True)
class Pass:
    """Let these bytes go on: to the peer on the way out, to the state machine on the way in."""

    data: bytes
    """A whole PDU, part of one, or anything else."""


@dataclass(frozen=True, slots=True)
class PassMessage:
    """Let this message go on: to the peer on the way out, to the service on the way in."""

    message: Message
    """The message, changed or not."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Send bytes to the peer whatever the direction of the hop was."""

    data: bytes
    """Any bytes."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Send this message to the peer (from an incoming message: an answer made by the rule)."""

    message: Message
    """The answer."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Hold everything behind this step, in its direction, for a while."""

    seconds: float
    """How long."""


@dataclass(frozen=True, slots=True)
class Request:
    """Make a local primitive of the upper layer: release or abort as the user would."""

    primitive: Primitive
    """What to ask for."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close TCP with a FIN, without a word to the peer."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Close TCP with a RST."""


@dataclass(frozen=True, slots=True)
class HalfClose:
    """Send a FIN and go on reading."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Send nothing more, ever; the connection stays open and is read."""


@dataclass(frozen=True, slots=True)
class StopReading:
    """Read nothing more, ever, so that the peer's window fills."""


Step = Pass | PassMessage | Raw | Reply | Wait | Request | Close | Reset | HalfClose | Stall | StopReading


class Hops(Protocol):
    """What rules see; called by whoever owns the session, one call at a time."""

    def connected(self, session: Session) -> Iterable[Step]:
        """TCP is up, nothing has been sent or read."""
        ...

    def pdu_in(self, session: Session, data: bytes) -> Iterable[Step]:
        """A whole PDU (header included, of any type) came from the peer."""
        ...

    def pdu_out(self, session: Session, data: bytes) -> Iterable[Step]:
        """A whole PDU is about to go to the peer."""
        ...

    def bytes_in(self, session: Session, data: bytes) -> Iterable[Step]:
        """What one read from the transport gave, before it is cut into PDUs."""
        ...

    def bytes_out(self, session: Session, data: bytes) -> Iterable[Step]:
        """What is about to be written, after the PDU hop."""
        ...

    def message_in(self, session: Session, message: Message) -> Iterable[Step]:
        """A whole DIMSE message came from the peer; its data set is complete."""
        ...

    def message_out(self, session: Session, message: Message) -> Iterable[Step]:
        """A DIMSE message is about to be sent."""
        ...

    def answer(
        self, session: Session, request: AssociateRQ, answer: AssociateAC | AssociateRJ
    ) -> AssociateAC | AssociateRJ:
        """The acceptor's answer to an association request; what is returned is sent instead."""
        ...

    def transition(self, session: Session, event: str, before: str, action: str, after: str) -> Iterable[Step]:
        """The state machine moved; only Raw, Wait, Request and the closing steps are carried out."""
        ...
