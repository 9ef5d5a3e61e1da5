"""`compare`: how two conversations differ in what they mean.

Compared are results and contexts, the fields of commands, statuses, counters and data sets; matches of a C-FIND as a
set, by the keys that were asked for. Ignored are message ids, lengths, padding, fragments, implementation names,
comments for people and timing; of the responses to C-MOVE and C-GET all but the last, since their number is a matter of
time; and who closed the connection first, where a release, an abort or a rejection had ended the association before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from dicomsim.capture.captured import Item
from dicomsim.capture.dataset_compare import ABSENT, EncodedDataset, differences, fingerprint, keys_of
from dicomsim.capture.decode import status_text
from dicomsim.capture.transcript import Transcript, Utterance, transcribe
from dicomsim.dimse.builders import TAG_OF_NAME
from dicomsim.dimse.messages import Message
from dicomsim.events import Side
from dicomsim.sop_class import uid_name
from dicomsim.status import status_class
from dicomsim.upper_layer.agreement import AcceptedContext, Agreement, conclude
from dicomsim.wire.codes import describe_context_result, describe_reject
from dicomsim.wire.command import COMMAND_ELEMENTS, tag_name
from dicomsim.wire.pdu import Abort, AssociateAC, AssociateRJ, ReleaseRP
from dicomsim.wire.render import printable


class Verdict(Enum):
    """What a comparison comes to."""

    SAME = "SAME"
    """Nothing differs that means something."""
    CHANGED = "CHANGED"
    """Something does."""
    ERROR = "ERROR"
    """It could not be found out."""


class Statuses(Enum):
    """How statuses are compared."""

    EXACT = "exact"
    """By their codes."""
    CLASS = "class"
    """By success, warning, failure, cancel and pending."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was captured."""

    step: int
    """The step of the captured conversation, counted from 1; 0 for what has no counterpart in it."""
    frame: int
    """Its frame in the capture; 0 for what has no counterpart in it."""
    path: str
    """What differs: `C-FIND-RSP/(0010,0020)`."""
    captured: str
    """How it was."""
    live: str
    """How it is."""

    def __str__(self) -> str:
        where = f"step {self.step}, frame {self.frame}" if self.step else "not captured"
        return f"{where}, {self.path}: captured {self.captured}, now {self.live}"


_IGNORED = {
    TAG_OF_NAME[name]
    for name in (
        "command_group_length",
        "command_field",
        "message_id",
        "message_id_being_responded_to",
        "command_data_set_type",
        "status",
        "error_comment",
        "move_originator_message_id",
        "priority",
    )
}
_OPTIONAL_ECHO = {
    TAG_OF_NAME[name]
    for name in (
        "affected_sop_class_uid",
        "affected_sop_instance_uid",
        "requested_sop_class_uid",
        "requested_sop_instance_uid",
    )
}
"""Elements of a response that repeat the request: compared only where both have them."""
_MANY_PENDING = ("C-MOVE-RSP", "C-GET-RSP")


@dataclass(slots=True)
class _Operation:
    """A request with its responses."""

    request: Utterance
    responses: list[Utterance] = field(default_factory=list)

    def told(self) -> list[Utterance]:
        """The responses whose number matters."""
        if self.responses and self._message(self.responses[-1]).name in _MANY_PENDING:
            return [self.responses[-1]]
        return self.responses

    @staticmethod
    def _message(utterance: Utterance) -> Message:
        assert utterance.message is not None
        return utterance.message


class _Outline:
    """A conversation sorted for comparison."""

    def __init__(self, transcript: Transcript) -> None:
        self.contexts = transcript.contexts
        self.operations: dict[Side, list[_Operation]] = {side: [] for side in Side}
        self.stray: list[Utterance] = []
        self.pdus: list[Utterance] = []
        self.end: Utterance | None = None
        for utterance in transcript.utterances:
            self._sort(utterance)

    def _sort(self, utterance: Utterance) -> None:
        message = utterance.message
        if utterance.is_end:
            self.end = utterance
        elif message is None or utterance.sender is None:
            self.pdus.append(utterance)
        elif message.is_response:
            number = message.message_id_being_responded_to
            asked = reversed(self.operations[utterance.sender.other])
            operation = next((o for o in asked if o.request.message and o.request.message.message_id == number), None)
            (self.stray if operation is None else operation.responses).append(utterance)
        elif message.is_request:
            self.operations[utterance.sender].append(_Operation(utterance))

    @property
    def has_last_word(self) -> bool:
        """Whether a PDU ended the association; the connection is closed by whoever comes first then."""
        return any(isinstance(utterance.pdu, AssociateRJ | ReleaseRP | Abort) for utterance in self.pdus)

    def dataset(self, utterance: Utterance) -> EncodedDataset | None:
        """The data set of a message, if it was kept and is whole."""
        message = utterance.message
        if message is None or message.data is None or utterance.damage:
            return None
        return EncodedDataset(message.data_bytes(), self.contexts.transfer_syntax(message.context_id))


class _Comparison:
    def __init__(self, captured: _Outline, live: _Outline, judged: Container[Side], statuses: Statuses) -> None:
        self.captured = captured
        self.live = live
        self.judged = judged
        self.statuses = statuses

    def run(self) -> Iterator[Difference]:
        """Everything that differs, in the order of the captured conversation."""
        for utterances in zip(*(self._said(outline) for outline in (self.captured, self.live)), strict=False):
            yield from self._compare_pdus(*utterances)
        yield from self._compare_lengths()
        if Side.ACCEPTOR in self.judged:
            yield from self._operations(Side.REQUESTOR)
        if Side.REQUESTOR in self.judged:
            yield from self._operations(Side.ACCEPTOR)
        yield from self._requests_of_the_judged()
        yield from self._ends()

    def _said(self, outline: _Outline) -> list[Utterance]:
        return [utterance for utterance in (*outline.pdus, *outline.stray) if utterance.sender in self.judged]

    def _compare_lengths(self) -> Iterator[Difference]:
        captured, live = self._said(self.captured), self._said(self.live)
        for utterance in captured[len(live) :]:
            yield Difference(utterance.step, utterance.frame, "answer", utterance.text, ABSENT)
        for utterance in live[len(captured) :]:
            yield Difference(0, 0, "answer", ABSENT, utterance.text)

    def _compare_pdus(self, captured: Utterance, live: Utterance) -> Iterator[Difference]:
        step, frame = captured.step, captured.frame
        if isinstance(captured.pdu, AssociateAC) and isinstance(live.pdu, AssociateAC):
            for path, was, now in self._negotiation(captured.pdu, live.pdu):
                yield Difference(step, frame, f"A-ASSOCIATE-AC/{path}", was, now)
        elif isinstance(captured.pdu, AssociateRJ) and isinstance(live.pdu, AssociateRJ):
            was, now = (describe_reject(pdu.result, pdu.source, pdu.reason) for pdu in (captured.pdu, live.pdu))
            if was != now:
                yield Difference(step, frame, "A-ASSOCIATE-RJ", was, now)
        elif captured.text != live.text and not (captured.damage and _kind(captured) == _kind(live)):
            yield Difference(step, frame, "answer", captured.text, live.text)

    def _negotiation(self, captured: AssociateAC, live: AssociateAC) -> Iterator[tuple[str, str, str]]:
        requests = self.captured.contexts.request, self.live.contexts.request
        if requests[0] is None or requests[1] is None:
            return
        was, now = conclude(requests[0], captured, Side.ACCEPTOR), conclude(requests[1], live, Side.ACCEPTOR)
        for context_id in sorted(was.accepted.keys() | was.rejected.keys() | now.accepted.keys() | now.rejected.keys()):
            texts = _context_text(was, context_id), _context_text(now, context_id)
            if texts[0] != texts[1]:
                yield f"context {context_id}", *texts
        for name in ("application_context", "operations_invoked", "operations_performed"):
            values = str(getattr(was, name)), str(getattr(now, name))
            if values[0] != values[1]:
                yield name.replace("_", " "), printable(values[0]), printable(values[1])
        for uid in sorted(was.extended_negotiation.keys() | now.extended_negotiation.keys()):
            answers = [
                agreement.extended_negotiation[uid].hex(" ") if uid in agreement.extended_negotiation else ABSENT
                for agreement in (was, now)
            ]
            if answers[0] != answers[1]:
                yield f"extended negotiation of {printable(uid)}", answers[0], answers[1]

    def _operations(self, asking: Side) -> Iterator[Difference]:
        """Responses to the requests of one side, which are the same in both conversations."""
        pairs = zip(self.captured.operations[asking], self.live.operations[asking], strict=False)
        for captured, live in pairs:
            was, now = captured.told(), live.told()
            if captured.request.message and captured.request.message.name == "C-FIND-RQ":
                yield from self._matches(captured, live)
                was, now = ([r for r in told if r.message and not r.message.is_pending] for told in (was, now))
            for one, other in zip(was, now, strict=False):
                yield from self._messages(one, other)
            for utterance in was[len(now) :]:
                yield Difference(utterance.step, utterance.frame, "response", utterance.text, ABSENT)
            for utterance in now[len(was) :]:
                at = captured.request
                yield Difference(at.step, at.frame, "response", ABSENT, utterance.text)

    def _matches(self, captured: _Operation, live: _Operation) -> Iterator[Difference]:
        """Pending responses of a C-FIND: a set, by the keys that were asked for."""
        asked = self.captured.dataset(captured.request)
        keys = keys_of(asked) if asked else frozenset()
        sets: list[dict[tuple[str, ...], Utterance]] = []
        counts: list[Counter[tuple[str, ...]]] = []
        for outline, operation in ((self.captured, captured), (self.live, live)):
            pending = [r for r in operation.responses if r.message and r.message.is_pending and not r.damage]
            marks = [(fingerprint(d, keys) if (d := outline.dataset(r)) else (), r) for r in pending]
            sets.append(dict(marks))
            counts.append(Counter(mark for mark, _ in marks))
        for mark in (counts[0] - counts[1]).elements():
            utterance = sets[0][mark]
            yield Difference(utterance.step, utterance.frame, "C-FIND-RSP/match", _mark_text(mark), ABSENT)
        for mark in (counts[1] - counts[0]).elements():
            at = captured.request
            yield Difference(at.step, at.frame, "C-FIND-RSP/match", ABSENT, _mark_text(mark))

    def _requests_of_the_judged(self) -> Iterator[Difference]:
        """Requests that a judged side made by itself: sub-operations of a C-GET, event reports."""
        for side in (side for side in Side if side in self.judged):
            left = list(self.live.operations[side])
            for operation in self.captured.operations[side]:
                mark = _identity(operation.request)
                found = next((other for other in left if _identity(other.request) == mark), None)
                if found is None:
                    request = operation.request
                    yield Difference(request.step, request.frame, "request", request.text, ABSENT)
                    continue
                left.remove(found)
                yield from self._messages(operation.request, found.request)
            for operation in left:
                yield Difference(0, 0, "request", ABSENT, operation.request.text)

    def _messages(self, captured: Utterance, live: Utterance) -> Iterator[Difference]:
        was, now = captured.message, live.message
        if was is None or now is None:
            return
        step, frame = captured.step, captured.frame
        if was.name != now.name:
            yield Difference(step, frame, "command", was.name, now.name)
            return
        if not self._same_status(was, now):
            yield Difference(step, frame, f"{was.name}/status", _status_text(was), _status_text(now))
        for tag in sorted((was.command.keys() | now.command.keys()) - _IGNORED):
            values = was.command.get(tag), now.command.get(tag)
            if values[0] == values[1] or (was.is_response and tag in _OPTIONAL_ECHO and None in values):
                continue
            texts = (ABSENT if value is None else printable(str(value)) for value in values)
            name = COMMAND_ELEMENTS[tag].keyword if tag in COMMAND_ELEMENTS else tag_name(tag)
            yield Difference(step, frame, f"{was.name}/{name}", *texts)
        yield from self._datasets(captured, live, was.name)

    def _same_status(self, was: Message, now: Message) -> bool:
        if self.statuses is Statuses.EXACT or was.status is None or now.status is None:
            return was.status == now.status
        return status_class(was.status) is status_class(now.status)

    def _datasets(self, captured: Utterance, live: Utterance, name: str) -> Iterator[Difference]:
        was, now = captured.message, live.message
        assert was is not None
        assert now is not None
        step, frame = captured.step, captured.frame
        if was.has_data_set != now.has_data_set:
            texts = ("present" if message.has_data_set else ABSENT for message in (was, now))
            yield Difference(step, frame, f"{name}/data set", *texts)
            return
        old, new = self.captured.dataset(captured), self.live.dataset(live)
        if old is not None and new is not None:
            for path, before, after in differences(old, new):
                yield Difference(step, frame, f"{name}/{path}", before, after)

    def _ends(self) -> Iterator[Difference]:
        captured, live = self.captured.end, self.live.end
        if captured is None or live is None or captured.how is None or live.how is None:
            return
        if self.captured.has_last_word or self.live.has_last_word:
            return
        was, now = _end_text(captured), _end_text(live)
        if was != now:
            yield Difference(captured.step, captured.frame, "end of the connection", was, now)


def _kind(utterance: Utterance) -> str:
    return utterance.text.partition(" ")[0].rstrip(",")


def _end_text(end: Utterance) -> str:
    how = end.how.value if end.how else "?"
    return f"{how} by the {end.sender.value}" if end.sender else how


def _context_text(agreement: Agreement, context_id: int) -> str:
    context = agreement.accepted.get(context_id) or agreement.rejected.get(context_id)
    if context is None:
        return ABSENT
    if isinstance(context, AcceptedContext):
        roles = " and ".join(word for word, is_so in (("SCU", context.as_scu), ("SCP", context.as_scp)) if is_so)
        return f"accepted with {printable(uid_name(context.transfer_syntax))}, the acceptor as {roles or 'nothing'}"
    return "not answered" if context.result is None else describe_context_result(context.result)


def _status_text(message: Message) -> str:
    return status_text(message) or ABSENT


def _identity(utterance: Utterance) -> tuple[object, ...]:
    message = utterance.message
    if message is None:
        return ()
    return message.name, message.sop_class_uid, message.sop_instance_uid, message.event_type_id


def _mark_text(mark: tuple[str, ...]) -> str:
    return printable("; ".join(mark)) or "a match"


def compare_transcripts(
    captured: Transcript,
    live: Transcript,
    *,
    judged: Container[Side] = (Side.ACCEPTOR,),
    statuses: Statuses = Statuses.EXACT,
) -> list[Difference]:
    """How what the `judged` sides said differs; the transcripts must not be closed."""
    return list(_Comparison(_Outline(captured), _Outline(live), judged, statuses).run())


def compare(
    captured: Iterable[Item],
    live: Iterable[Item],
    *,
    judged: Container[Side] = tuple(Side),
    statuses: Statuses = Statuses.EXACT,
) -> tuple[Verdict, list[Difference]]:
    """Compare the items of two associations, one each; data sets as far as their messages have them."""
    with transcribe(captured) as before, transcribe(live) as now:
        found = compare_transcripts(before, now, judged=judged, statuses=statuses)
    return (Verdict.CHANGED if found else Verdict.SAME), found
