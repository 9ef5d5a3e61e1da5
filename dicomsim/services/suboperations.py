"""The books of a C-GET or C-MOVE: how many sub-operations there are, how they went, what follows. PS3.4 §C.4.2.3.1."""

from __future__ import annotations

from dataclasses import dataclass, field

from dicomsim.status import Status, StatusClass, status_class
from dicomsim.wire.command import TAGS

COUNTER_LIMIT = 0xFFFF
"""Counters are 16 bit numbers (VR US); larger retrievals are told as this many."""

_REMAINING = TAGS["NumberOfRemainingSuboperations"]
_TAGS = (_REMAINING, *(TAGS[f"NumberOf{kind}Suboperations"] for kind in ("Completed", "Failed", "Warning")))


@dataclass(slots=True)
class SubOperations:
    """Counters, and the instances that could not be sent."""

    announced: int
    """How many there are to be."""
    completed: int = 0
    """Stored with success."""
    failed: int = 0
    """Not stored, or not even sent."""
    warning: int = 0
    """Stored with a warning."""
    failed_instances: list[str] = field(default_factory=list)
    """SOP instance UIDs of those that failed, as far as they are known."""

    @property
    def done(self) -> int:
        """How many are over."""
        return self.completed + self.failed + self.warning

    @property
    def remaining(self) -> int:
        """How many are still to come."""
        return max(self.announced - self.done, 0)

    def count(self, status: int | None, instance: str) -> None:
        """Enter one that is over: the status of its C-STORE, None if there was none."""
        kind = StatusClass.FAILURE if status is None else status_class(status)
        if kind is StatusClass.SUCCESS:
            self.completed += 1
        elif kind is StatusClass.WARNING:
            self.warning += 1
        else:
            self.failed += 1
            if instance:
                self.failed_instances.append(instance)

    def counters(self, status: int) -> dict[int, int]:
        """The command elements that go with a response, by tag; what remains only with Pending and Cancel."""
        counters = dict(zip(_TAGS, (self.remaining, self.completed, self.failed, self.warning), strict=True))
        if status_class(status) not in (StatusClass.PENDING, StatusClass.CANCEL):
            del counters[_REMAINING]
        return {tag: min(number, COUNTER_LIMIT) for tag, number in counters.items()}

    @property
    def final_status(self) -> int:
        """The status that the counters call for."""
        if not self.failed and not self.warning:
            return Status.SUCCESS
        if self.failed and not self.completed and not self.warning:
            return Status.UNABLE_TO_PERFORM_SUB_OPERATIONS
        return Status.SUB_OPERATIONS_COMPLETE_WITH_FAILURES
