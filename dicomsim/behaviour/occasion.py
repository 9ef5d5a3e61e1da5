"""What a rule is judged on: one thing at one hop of one session, and what its triggers may ask about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any

from dicomsim.behaviour.fields import GROUP, Span, spans
from dicomsim.behaviour.tracking import Track
from dicomsim.engine.hops import Pass, PassMessage, Step
from dicomsim.wire.command import TAGS, Value

if TYPE_CHECKING:
    from dicomsim.dimse.messages import Message
    from dicomsim.engine.session import Session
    from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ

Steps = list[Step]

A_ASSOCIATE_RQ = 1
P_DATA_TF = 4


class Layer(Enum):
    """The hops, by what passes there."""

    ANSWER = "answer"
    """The acceptor's answer to an association request, as a value."""
    MESSAGE = "message"
    """A whole DIMSE message."""
    PDU = "pdu"
    """A whole PDU as bytes."""
    BYTES = "bytes"
    """What one read gave or one write takes."""
    CONNECTION = "connected"
    """The moment when TCP is up."""
    STATE = "state"
    """A transition of the state machine."""


@dataclass(slots=True)
class Memory:
    """What one rule remembers of one session."""

    random: Random
    """Its generator, the same for the same seed and association number."""
    matches: int = 0
    """How often the triggers matched, before nth and every."""
    turns: dict[str, int] = field(default_factory=dict)
    """How often each action has run, by its place in the rule."""
    pending: int = 0
    """How often it has fired on a request whose answer it will change."""


@dataclass(slots=True)
class Held:
    """Steps kept back until others have passed."""

    steps: Steps
    """What was kept."""
    by: Memory
    """The memory of the rule that keeps it back."""
    left: int
    """How many more have to pass first."""
    join: bool
    """Whether it goes in one write with the next."""


@dataclass(slots=True)
class Streams:
    """What is known of one session beside the rules' own memory."""

    seen: dict[str, int] = field(default_factory=lambda: {"in": 0, "out": 0})
    """Bytes that have passed in each direction."""
    active: float | None = None
    """When bytes passed last; None before any have."""
    held: dict[tuple[Layer, str], list[Held]] = field(default_factory=dict)
    """What waits at each hop."""
    memories: dict[int, Memory] = field(default_factory=dict)
    """By installed rule."""
    tracks: dict[str, Track] = field(default_factory=dict)
    """The messages under way, by direction."""


class Occasion:
    """One thing at one hop; the rules of that hop are judged on it, and their actions work on its steps."""

    def __init__(
        self,
        session: Session,
        layer: Layer,
        direction: str = "",
        data: bytes = b"",
        message: Message | None = None,
        *,
        streams: Streams,
        command: Mapping[int, Value] | None = None,
        parts: frozenset[str] = frozenset(),
        transition: tuple[str, str, str, str] = ("", "", "", ""),
    ) -> None:
        self.session = session
        self.layer = layer
        self.direction = direction
        """`in`, `out`, or empty where there is none."""
        self.data = data
        """The bytes, as they came to the hop."""
        self.message = message
        self.streams = streams
        self.command = message.command if message is not None else command
        """The command set of the message, or of the message that a P-DATA-TF belongs to."""
        self.parts = parts
        """What a P-DATA-TF holds: `command`, `data`, `last`."""
        self.event, self.before, self.action, self.after = transition
        self.answer: AssociateAC | AssociateRJ | None = None
        """At the answer hop: the answer, which actions replace."""
        self.request: AssociateRQ | None = None
        """At the answer hop: what is answered."""
        self.memory: Memory
        """That of the rule which is being judged."""
        self.turn = 0
        """How often the running action has run before."""

    @property
    def hop(self) -> str:
        """Where it is, in words."""
        return f"{self.layer.value} {self.direction}".strip()

    @property
    def steps(self) -> Steps:
        """What happens without rules."""
        if self.message is not None:
            return [PassMessage(self.message)]
        return [Pass(self.data)] if self.layer in (Layer.PDU, Layer.BYTES) else []

    @property
    def random(self) -> Random:
        """The generator of the rule that is being judged."""
        return self.memory.random

    @property
    def pdu_type(self) -> int | None:
        """Type of the PDU; None at the other hops."""
        return self.data[0] if self.data and self.layer in (Layer.PDU, Layer.ANSWER) else None

    @cached_property
    def root(self) -> Span:
        """The fields of the PDU as it came to the hop."""
        return spans(self.data)

    @cached_property
    def item_types(self) -> frozenset[int]:
        """Types of all items and sub-items."""
        return frozenset(self.data[span.start] for span in _groups(self.root) if span.name not in ("pdu", "pdv"))

    @cached_property
    def contexts(self) -> frozenset[int]:
        """Presentation contexts that are proposed, answered or used."""
        if self.message is not None:
            return frozenset((self.message.context_id,))
        found = [part for span in _groups(self.root) for part in span.parts if part.name == "context_id"]
        return frozenset(self.data[part.start] for part in found)

    @cached_property
    def sop_classes(self) -> tuple[str, ...]:
        """The SOP class of the message, or the abstract syntaxes that a request proposes."""
        if self.command is not None:
            uids = (self.command.get(TAGS[f"{kind}SOPClassUID"]) for kind in ("Affected", "Requested"))
            return tuple(uid for uid in uids if isinstance(uid, str))
        values = [_value(self.data, span, "uid") for span in _groups(self.root) if span.name == "abstract_syntax"]
        return tuple(value.rstrip(" \0") for value in values)

    @property
    def called(self) -> str:
        """Called AE title: that of the request when this is one, else the session's."""
        return self._title("called")

    @property
    def calling(self) -> str:
        """Calling AE title, likewise."""
        return self._title("calling")

    def _title(self, which: str) -> str:
        if self.pdu_type == A_ASSOCIATE_RQ:
            return _value(self.data, self.root, f"{which}_ae_title").strip(" \0")
        title = getattr(self.session, which)
        return title if isinstance(title, str) else ""

    @property
    def size(self) -> int:
        """Bytes of the data set of a message, else of what passes."""
        return self.message.data_length if self.message is not None else len(self.data)

    @property
    def seen(self) -> int:
        """Bytes that had passed before, in this direction or in both."""
        seen = self.streams.seen
        return seen[self.direction] if self.direction else sum(seen.values())

    @property
    def state(self) -> str:
        """State of the machine, `Sta6`: after the transition, if this is one."""
        return self.after or self.session.state.value

    @property
    def elapsed(self) -> float:
        """Seconds since the connection was opened."""
        return self.session.clock.monotonic() - self.session.opened

    @property
    def idle(self) -> float:
        """Seconds since bytes passed last, or since the connection was opened."""
        since = self.session.opened if self.streams.active is None else self.streams.active
        return self.session.clock.monotonic() - since

    def element(self, tag: int) -> Any:
        """A command element's value, or None."""
        return None if self.command is None else self.command.get(tag)


def _groups(span: Span) -> Iterator[Span]:
    """All spans with parts but the command's."""
    if span.kind is GROUP and span.name != "command":
        yield span
        for part in span.parts:
            yield from _groups(part)


def _value(data: bytes, span: Span, name: str) -> str:
    part = next((part for part in span.parts if part.name == name), None)
    return "" if part is None else data[part.start : part.end].decode("ascii", "backslashreplace")
