"""`Submitting`: several operations outstanding at once, within the negotiated window. PS3.7 §D.3.3.3."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from dicomsim.dimse.messages import Message
from dicomsim.engine.workers import Workers
from dicomsim.operations.requesting import Request, Requesting, note_status

SUBMITTABLE = (
    "c_echo", "c_store", "n_event_report", "n_get", "n_set", "n_action", "n_create", "n_delete",
)  # fmt: skip
"""The operations with one response."""


class Answer(Future[Message]):
    """The response to come; its callbacks run in a worker thread, where they may use the association."""

    def __init__(self, request: Request, workers: Workers) -> None:
        super().__init__()
        self.request = request
        """What was asked."""
        self._workers = workers
        self.set_running_or_notify_cancel()  # what has been sent cannot be taken back

    def add_done_callback(self, fn: Callable[[Future[Message]], object]) -> None:
        """Call it with this future when the response is there, or why there is none."""
        super().add_done_callback(lambda future: self._workers.submit(partial(_call, fn, future)))


def _call(function: Callable[[Future[Message]], object], future: Future[Message]) -> None:
    function(future)


class Submitting(Requesting):
    """`submit` of an `Association`."""

    __slots__ = ()

    submitted: dict[Answer, None]

    def submit(self, operation: str, *arguments: Any, message_id: int | None = None, **keywords: Any) -> Answer:
        """Send a request without waiting for its response: `submit("c_store", path)`; what comes back is a future.

        Operations are those with one response, their arguments those of the method of that name. While as many are
        outstanding as the window allows, this waits until there is room. Responses are taken in any order. Raises
        what the method raises before it sends, and `ValueError` for an operation that cannot be submitted.
        """
        name = operation.lower().replace("-", "_")
        if name not in SUBMITTABLE:
            raise ValueError(f"one of {', '.join(SUBMITTABLE)} can be submitted, not {operation!r}")
        request: Request = getattr(self, f"prepare_{name}")(*arguments, **keywords)
        answer = Answer(request, self.session.reactor.workers)
        self.session.take()
        try:
            self.submitted[answer] = None
            self.start(request, message_id, notify=partial(self._arrived, answer))
        except BaseException:
            self.submitted.pop(answer, None)
            raise
        finally:
            self.session.give_back()
        return answer

    def _arrived(self, answer: Answer, response: Message) -> None:
        if answer in self.submitted:
            del self.submitted[answer]
            note_status(answer.request.name, answer.request.sop_class, response)
            answer.set_result(response)

    def fail_submitted(self, error: Exception) -> None:
        """The association is over: nothing more will come."""
        while self.submitted:
            answer, _ = self.submitted.popitem()
            answer.set_exception(error)
