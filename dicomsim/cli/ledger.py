"""`Ledger`: the books of `dicomsim serve`: events in, entries out, for each object, association and rule that fired.

Pure bookkeeping, for one caller at a time; nothing is printed here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dicomsim import events
from dicomsim.cli.quantities import count, quantity
from dicomsim.dimse.data import FileSlice
from dicomsim.dimse.messages import Message
from dicomsim.events import Event
from dicomsim.outcome import Outcome
from dicomsim.peer_address import host_and_port
from dicomsim.sop_class import uid_name
from dicomsim.status import StatusClass, describe_status, status_class
from dicomsim.wire.render import printable

Address = tuple[str, int]


@dataclass(slots=True)
class Visit:
    """One association, from its connection on."""

    number: int
    """Its number in this process."""
    remote: Address
    """Where it comes from."""
    calling: str = ""
    """The calling AE title."""
    called: str = ""
    """The called AE title."""
    proposed: int = 0
    """Presentation contexts that were proposed."""
    transfer_syntaxes: dict[int, str] = field(default_factory=dict)
    """Transfer syntax of each accepted context."""
    negotiated: bool = False
    """Whether it was asked for and answered."""
    requests: Counter[str] = field(default_factory=Counter)
    """Requests of the peer, by name: `C-ECHO-RQ`."""
    stored: int = 0
    """C-STORE requests answered with success or a warning."""
    failed: int = 0
    """C-STORE requests answered otherwise."""
    open_requests: dict[int, Message] = field(default_factory=dict)
    """C-STORE requests that are not answered yet, by message id."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A C-STORE that was answered."""

    association: int
    """Number of the association."""
    sop_class: str
    """Affected SOP class UID."""
    instance: str
    """Affected SOP instance UID."""
    transfer_syntax: str
    """Its encoding."""
    size: int | None
    """Bytes of the data set; None if it was not kept."""
    path: str | None
    """The file it is in; None if it was not kept."""
    status: int
    """What was answered."""
    comment: str
    """Error comment of the answer."""

    @property
    def good(self) -> bool:
        """Whether the answer is a success or a warning."""
        return status_class(self.status) in (StatusClass.SUCCESS, StatusClass.WARNING)

    def __str__(self) -> str:
        what = [uid_name(self.sop_class), uid_name(self.transfer_syntax), printable(self.instance)]
        what += [quantity(self.size)] if self.size is not None else []
        status = "" if self.status == 0 else f": {describe_status(self.status, self.sop_class, 'C-STORE')}"
        comment = f' ("{printable(self.comment)}")' if self.comment else ""
        return f"#{self.association}  {'stored' if self.good else 'failed'}  {', '.join(what)}{status}{comment}"

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "event": "object",
            "association": self.association,
            "sop_class_uid": self.sop_class,
            "sop_instance_uid": self.instance,
            "transfer_syntax_uid": self.transfer_syntax,
            "bytes": self.size,
            "path": self.path,
            "result": "stored" if self.good else "failed",
            "status": self.status,
            "text": describe_status(self.status, self.sop_class, "C-STORE"),
        }


@dataclass(frozen=True, slots=True)
class Ended:
    """An association, or a connection that never became one, is over."""

    visit: Visit
    """Which one."""
    outcome: Outcome
    """How it ended."""

    def __str__(self) -> str:
        visit = self.visit
        remote = host_and_port(*visit.remote)
        if not visit.negotiated:
            return f"#{visit.number}  {remote}: no association: {self.outcome}"
        who = f"#{visit.number}  {printable(visit.calling)}@{remote} -> {printable(visit.called)}"
        if self.outcome.how == "rejected":
            return f"{who}: {self.outcome}"
        did = [f"{len(visit.transfer_syntaxes)} of {count(visit.proposed, 'context')}"]
        did += [f"{number} {name.removesuffix('-RQ')}" for name, number in sorted(visit.requests.items())]
        did += [f"{visit.failed} failed"] if visit.failed else []
        return f"{who}: {', '.join(did)}; {self.outcome}"

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        visit = self.visit
        return {
            "event": "association",
            "association": visit.number,
            "calling": visit.calling,
            "called": visit.called,
            "remote": {"host": visit.remote[0], "port": visit.remote[1]},
            "contexts": {"proposed": visit.proposed, "accepted": len(visit.transfer_syntaxes)},
            "requests": {name.removesuffix("-RQ"): number for name, number in sorted(visit.requests.items())},
            "stored": visit.stored,
            "failed": visit.failed,
            "outcome": self.outcome.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule did what it says."""

    association: int
    """On which association."""
    rule: str
    """The rule, in its one-line form."""

    def __str__(self) -> str:
        return f"#{self.association}  rule fired: {self.rule}"

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"event": "rule", "association": self.association, "rule": self.rule}


Entry = Stored | Ended | Fired


@dataclass(slots=True)
class Ledger:
    """Call it with events, in order."""

    associations: int = 0
    """Associations that were asked for and are over."""
    rejected: int = 0
    """Those of them that were rejected."""
    stored: int = 0
    """Objects stored."""
    failed: int = 0
    """Objects not stored."""
    size: int = 0
    """Bytes of the data sets that were kept."""
    _visits: dict[int, Visit] = field(default_factory=dict)

    def __call__(self, event: Event) -> Iterator[Entry]:
        """Enter an event; what there is to say of it."""
        handle = _HANDLERS.get(type(event))
        entry = handle(self, event) if handle is not None else None
        if entry is not None:
            yield entry

    def opened(self, event: events.ConnectionOpened) -> None:
        """Somebody has connected."""
        self._visits[event.association] = Visit(event.association, event.remote)

    def negotiated(self, event: events.Negotiated) -> None:
        """An association was accepted or rejected."""
        visit = self._visits.get(event.association)
        if visit is None:
            return
        visit.negotiated = True
        visit.calling, visit.called = event.request.calling, event.request.called
        visit.proposed = len(event.request.presentation_contexts)
        if event.agreement is not None:
            visit.transfer_syntaxes = {one: it.transfer_syntax for one, it in event.agreement.accepted.items()}

    def message_in(self, event: events.MessageIn) -> None:
        """A request of the peer."""
        message: Message = event.message
        visit = self._visits.get(event.association)
        if visit is None or not message.is_request:
            return
        visit.requests[message.name] += 1
        if message.name == "C-STORE-RQ":
            visit.open_requests[message.message_id or 0] = message

    def message_out(self, event: events.MessageOut) -> Stored | None:
        """An answer of ours."""
        answer: Message = event.message
        visit = self._visits.get(event.association)  # an answer may come too late, when its association is over
        if visit is None or answer.name != "C-STORE-RSP" or answer.status is None:
            return None
        request = visit.open_requests.pop(answer.message_id_being_responded_to or 0, None)
        if request is None:
            return None
        kept = request.data if isinstance(request.data, FileSlice) else None
        entry = Stored(
            visit.number,
            request.affected_sop_class_uid or "",
            request.affected_sop_instance_uid or "",
            visit.transfer_syntaxes.get(request.context_id, ""),
            None if kept is None else kept.length,
            None if kept is None else kept.name,
            answer.status,
            answer.error_comment or "",
        )
        self._count(visit, entry)
        return entry

    def _count(self, visit: Visit, entry: Stored) -> None:
        if entry.good:
            visit.stored += 1
            self.stored += 1
            self.size += entry.size or 0
        else:
            visit.failed += 1
            self.failed += 1

    def ended(self, event: events.Ended) -> Ended | None:
        """An association is over."""
        visit = self._visits.pop(event.association, None)
        if visit is None:
            return None
        self.associations += visit.negotiated
        self.rejected += event.outcome.how == "rejected"
        return Ended(visit, event.outcome)

    def summary(self, seconds: float) -> str:
        """All of it, on one line."""
        text = count(self.associations, "association")
        text += f" ({self.rejected} rejected)" if self.rejected else ""
        text += f", {count(self.stored, 'object')} stored"
        text += f" ({quantity(self.size)})" if self.size else ""
        text += f", {self.failed} failed" if self.failed else ""
        return f"{text}, in {seconds:.1f} s"

    def as_dict(self, seconds: float) -> dict[str, Any]:
        """The same for `--json`."""
        return {
            "event": "summary",
            "associations": self.associations,
            "rejected": self.rejected,
            "stored": self.stored,
            "failed": self.failed,
            "bytes": self.size,
            "seconds": round(seconds, 3),
        }


_HANDLERS: Mapping[type[Event], Callable[[Ledger, Any], Entry | None]] = {
    events.ConnectionOpened: Ledger.opened,
    events.Negotiated: Ledger.negotiated,
    events.MessageIn: Ledger.message_in,
    events.MessageOut: Ledger.message_out,
    events.RuleFired: lambda ledger, event: Fired(event.association, event.rule),
    events.Ended: Ledger.ended,
}

KINDS = tuple(_HANDLERS)
"""The events that it wants, in the order of an association."""
