"""`Behaviour`: the installed rules, and what a session asks at every hop.

Rules may be added, removed and switched at any time and from any thread, also while sessions live. Guarantees: the
tables that hops read are replaced, never changed, so a hop sees the rules as they were before or after, never half;
counts that all sessions share are kept under a lock; all else belongs to one session and is touched by its owner only.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from dicomsim.behaviour.occasion import P_DATA_TF, Held, Layer, Memory, Occasion, Steps, Streams
from dicomsim.behaviour.rule import Rule, rule_of
from dicomsim.behaviour.rule import Step as RuleStep
from dicomsim.behaviour.tracking import Track
from dicomsim.behaviour.triggers import is_element
from dicomsim.behaviour.values import RuleError, suggest
from dicomsim.engine.hops import Pass, PassMessage, Step
from dicomsim.errors import WireError
from dicomsim.events import RuleFired
from dicomsim.wire.codec import encode_pdu

if TYPE_CHECKING:
    from dicomsim.dimse.messages import Message
    from dicomsim.engine.session import Session
    from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ

_TRACKED = frozenset(("command", "part", "sop_class"))
"""Triggers that ask which message a P-DATA-TF belongs to."""


@dataclass(slots=True, eq=False)
class Installed:
    """A rule in its place among others."""

    name: str
    """By which it is switched."""
    rule: Rule
    """The rule."""
    number: int
    """Never used again for another one."""
    enabled: bool = True
    """Whether it is judged at all."""
    matched: int = 0
    """How often its condition has held, in all sessions together."""
    fired: int = 0
    """How often it has fired."""
    text: str = field(init=False)
    """The rule in its one-line form."""

    def __post_init__(self) -> None:
        self.text = str(self.rule)

    def __str__(self) -> str:
        state = "" if self.enabled else ", off"
        return f"{self.name}: {self.text} (fired {self.fired} times{state})"


_Table = Mapping[tuple[Layer, str], tuple[Installed, ...]]

_HOPS: Mapping[Layer, tuple[str, ...]] = {
    Layer.ANSWER: ("in",),
    Layer.MESSAGE: ("in", "out"),
    Layer.PDU: ("in", "out"),
    Layer.BYTES: ("in", "out"),
    Layer.CONNECTION: ("",),
    Layer.STATE: ("",),
}


class Behaviour:
    """Rules around the engine; an `engine.hops.Hops`.

    Of several rules that match at one hop each works on what the ones before it have left, in the order in which they
    were added; all of them are judged on what came to the hop. Random numbers come from `seed` (or the rule's own), the
    rule's name and the association's number, and so are the same in the next run.
    """

    def __init__(self, rules: Iterable[Rule | str | Mapping[str, Any]] = (), *, seed: int = 0) -> None:
        self.seed = seed
        self._lock = threading.Lock()
        self._installed: tuple[Installed, ...] = ()
        self._table: _Table = {}
        self._tracked: frozenset[str] = frozenset()
        self._count = 0
        for rule in rules:
            self.add(rule)

    def __repr__(self) -> str:
        on = sum(1 for installed in self._installed if installed.enabled)
        return f"<Behaviour {len(self._installed)} rules, {on} on>"

    @property
    def rules(self) -> tuple[Installed, ...]:
        """All rules, in their order."""
        return self._installed

    @property
    def layers(self) -> frozenset[Layer]:
        """The hops at which some rule that is on is judged."""
        return frozenset(layer for layer, _ in self._table)

    def add(self, rule: Rule | str | Mapping[str, Any]) -> str:
        """Install a rule behind the others and return its name; one that has the name of another takes its place.

        Raises:
            RuleError: it is text or a mapping and cannot be read.
        """
        read = rule_of(rule)
        with self._lock:
            self._count += 1
            added = Installed(read.name or f"rule-{self._count}", read, self._count)
            names = [installed.name for installed in self._installed]
            if added.name in names:
                place = names.index(added.name)
                self._install((*self._installed[:place], added, *self._installed[place + 1 :]))
            else:
                self._install((*self._installed, added))
        return added.name

    def remove(self, name: str) -> None:
        """Take a rule away; raises RuleError if there is none of that name."""
        with self._lock:
            gone = self._find(name)
            self._install(tuple(installed for installed in self._installed if installed is not gone))

    def clear(self) -> None:
        """Take all rules away."""
        with self._lock:
            self._install(())

    def enable(self, name: str) -> None:
        """Switch a rule on; raises RuleError if there is none of that name."""
        self._switch(name, True)

    def disable(self, name: str) -> None:
        """Switch a rule off; its counts stay. Raises RuleError if there is none of that name."""
        self._switch(name, False)

    def _switch(self, name: str, enabled: bool) -> None:
        with self._lock:
            self._find(name).enabled = enabled
            self._install(self._installed)

    def _find(self, name: str) -> Installed:
        for installed in self._installed:
            if installed.name == name:
                return installed
        known = [installed.name for installed in self._installed]
        raise RuleError(f'no rule is called "{name}"{suggest(name, known)}')

    def _install(self, installed: tuple[Installed, ...]) -> None:
        """Replace the tables; the lock is held."""
        table: dict[tuple[Layer, str], tuple[Installed, ...]] = {}
        tracked = set()
        for item in installed:
            wanted = item.rule.when.get("direction")
            for direction in _HOPS[item.rule.layer] if item.enabled else ():
                if wanted is None or wanted == direction:
                    key = (item.rule.layer, direction)
                    table[key] = (*table.get(key, ()), item)
                    if item.rule.layer is Layer.PDU and any(_is_tracked(word) for word in item.rule.when):
                        tracked.add(direction)
        self._installed, self._table, self._tracked = installed, table, frozenset(tracked)

    def connected(self, session: Session) -> Sequence[Step]:
        """Hop: TCP is up."""
        rules = self._table.get((Layer.CONNECTION, ""))
        if not rules:
            return ()
        return self._judge(rules, Occasion(session, Layer.CONNECTION, streams=self._streams(session)))

    def pdu_in(self, session: Session, data: bytes) -> Sequence[Step]:
        """Hop: a whole PDU from the peer."""
        return self._pdu(session, "in", data)

    def pdu_out(self, session: Session, data: bytes) -> Sequence[Step]:
        """Hop: a whole PDU for the peer."""
        return self._pdu(session, "out", data)

    def _pdu(self, session: Session, direction: str, data: bytes) -> Sequence[Step]:
        rules = self._table.get((Layer.PDU, direction), ())
        streams = self._streams(session)
        if not rules and not streams.held.get((Layer.PDU, direction)):
            return (Pass(data),)
        command, parts = None, frozenset[str]()
        if direction in self._tracked and data[:1] == bytes((P_DATA_TF,)):
            track = streams.tracks.setdefault(direction, Track())
            parts = track.follow(data)
            command = track.command
        occasion = Occasion(session, Layer.PDU, direction, data, streams=streams, command=command, parts=parts)
        return self._judge(rules, occasion)

    def bytes_in(self, session: Session, data: bytes) -> Sequence[Step]:
        """Hop: what one read gave."""
        return self._bytes(session, "in", data)

    def bytes_out(self, session: Session, data: bytes) -> Sequence[Step]:
        """Hop: what is to be written."""
        return self._bytes(session, "out", data)

    def _bytes(self, session: Session, direction: str, data: bytes) -> Sequence[Step]:
        rules = self._table.get((Layer.BYTES, direction), ())
        streams = self._streams(session)
        steps: Sequence[Step] = (Pass(data),)
        if rules or streams.held.get((Layer.BYTES, direction)):
            steps = self._judge(rules, Occasion(session, Layer.BYTES, direction, data, streams=streams))
        streams.seen[direction] += len(data)
        streams.active = session.clock.monotonic()
        return steps

    def message_in(self, session: Session, message: Message) -> Sequence[Step]:
        """Hop: a whole message from the peer."""
        return self._message(session, "in", message)

    def message_out(self, session: Session, message: Message) -> Sequence[Step]:
        """Hop: a message for the peer."""
        return self._message(session, "out", message)

    def _message(self, session: Session, direction: str, message: Message) -> Sequence[Step]:
        rules = self._table.get((Layer.MESSAGE, direction), ())
        streams = self._streams(session)
        if not rules and not streams.held.get((Layer.MESSAGE, direction)):
            return (PassMessage(message),)
        return self._judge(rules, Occasion(session, Layer.MESSAGE, direction, message=message, streams=streams))

    def answer(
        self, session: Session, request: AssociateRQ, answer: AssociateAC | AssociateRJ
    ) -> AssociateAC | AssociateRJ:
        """Hop: the answer to an association request; what is returned is sent instead."""
        streams = self._streams(session)
        rules = self._table.get((Layer.ANSWER, "in"), ())
        waiting = [item for item in self._table.get((Layer.PDU, "in"), ()) if item.rule.answers]
        if not rules and not waiting:
            return answer
        occasion = Occasion(session, Layer.ANSWER, "in", _encoded(request), streams=streams)
        occasion.request, occasion.answer = request, answer
        for item in waiting:
            occasion.memory = self._memory(session, streams, item)
            if occasion.memory.pending:
                occasion.memory.pending -= 1
                for step in item.rule.answers:
                    step.run(occasion, [])
        self._judge(rules, occasion)
        return occasion.answer

    def transition(self, session: Session, event: str, before: str, action: str, after: str) -> Sequence[Step]:
        """Hop: the state machine has moved."""
        rules = self._table.get((Layer.STATE, ""))
        if not rules:
            return ()
        streams = self._streams(session)
        transition = (event, before, action, after)
        return self._judge(rules, Occasion(session, Layer.STATE, streams=streams, transition=transition))

    def _streams(self, session: Session) -> Streams:
        streams = session.behaviour_state.get(self)
        if not isinstance(streams, Streams):
            streams = session.behaviour_state[self] = Streams()
        return streams

    def _memory(self, session: Session, streams: Streams, item: Installed) -> Memory:
        memory = streams.memories.get(item.number)
        if memory is None:
            seed = self.seed if item.rule.seed is None else item.rule.seed
            memory = Memory(Random(f"{seed}/{item.name}/{session.association_number}"))
            streams.memories[item.number] = memory
        return memory

    def _judge(self, rules: Iterable[Installed], occasion: Occasion) -> Steps:
        """Show an occasion to the rules of its hop, in order."""
        session, streams = occasion.session, occasion.streams
        steps = occasion.steps
        waiting = streams.held.get((occasion.layer, occasion.direction), ())
        earlier = tuple(waiting)
        for item in rules:
            memory = occasion.memory = self._memory(session, streams, item)
            if not item.rule.matches(occasion) or not self._fires(item, memory):
                continue
            answer, before = occasion.answer, steps
            steps = _carried_out(item.rule, occasion, steps)
            memory.pending += bool(item.rule.answers)
            if RuleFired in session.observed:
                idle = steps == before and occasion.answer is answer and not item.rule.answers
                session.emit(RuleFired, item.text, f"{occasion.hop}, nothing to change" if idle else occasion.hop)
        return _released(occasion, steps, earlier) if earlier else steps

    def _fires(self, item: Installed, memory: Memory) -> bool:
        """Count a match, and say whether the rule fires on it."""
        rule = item.rule
        with self._lock:
            item.matched += 1
            if item.matched <= rule.after or (rule.times is not None and item.fired >= rule.times):
                return False
            if rule.probability < 1 and memory.random.random() >= rule.probability:
                return False
            item.fired += 1
        return True


def _is_tracked(word: str) -> bool:
    return word in _TRACKED or is_element(word)


def _encoded(request: AssociateRQ) -> bytes:
    try:
        return encode_pdu(request)
    except WireError:
        return b"\1"


def _carried_out(rule: Rule, occasion: Occasion, steps: Steps) -> Steps:
    """The steps after a rule; one that waits for a byte of the stream leaves alone what comes before it."""
    head: Steps = []
    if occasion.layer is Layer.BYTES and "offset" in rule.when:
        head, steps = _split(steps, rule.when["offset"] - occasion.seen)
    step: RuleStep
    for step in rule.steps:
        steps = step.run(occasion, steps)
    return [*head, *steps]


def _split(steps: Steps, offset: int) -> tuple[Steps, Steps]:
    """Steps before and from the byte at an offset of what passes."""
    head: Steps = []
    for index, step in enumerate(steps):
        if isinstance(step, Pass):
            if offset < len(step.data):
                before = [Pass(step.data[:offset])] if offset else []
                return [*head, *before], [Pass(step.data[offset:]), *steps[index + 1 :]]
            offset -= len(step.data)
        head.append(step)
    return head, []


def _released(occasion: Occasion, steps: Steps, earlier: Iterable[Held]) -> Steps:
    """The steps with what was held back for as long as it should, if something passes at all."""
    if not any(isinstance(step, Pass | PassMessage) for step in steps):
        return steps
    waiting = occasion.streams.held[occasion.layer, occasion.direction]
    joined: Steps = []
    for held in earlier:
        held.left -= 1
        if not held.left:
            waiting.remove(held)
            if held.join:
                joined += held.steps
            else:
                steps = [*steps, *held.steps]
    return _joined(joined, steps) if joined else steps


def _joined(held: Steps, steps: Steps) -> Steps:
    """Held bytes and the next ones as one piece."""
    place = next(index for index, step in enumerate(steps) if isinstance(step, Pass))
    data = b"".join(step.data for step in (*held, steps[place]) if isinstance(step, Pass))
    return [*steps[:place], Pass(data), *steps[place + 1 :]]
