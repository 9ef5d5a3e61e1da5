"""What the lifecycle handlers of an AE are called with, and in which order.

The primitives are those of PS3.8 §7, read from the association when they are asked:
`on_association_requested(primitive)` and the others get one, and may leave it out of their arguments.
"""

from __future__ import annotations

import inspect
import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from dicomsim.engine.handler import Job
from dicomsim.engine.session import Session
from dicomsim.events import Side
from dicomsim.negotiation_items import NegotiationItem
from dicomsim.outcome import Ending, Outcome
from dicomsim.presentation import PresentationContext
from dicomsim.wire.pdu import AssociateAC, AssociateRJ

if TYPE_CHECKING:
    from dicomsim.association import Association

LOGGER = logging.getLogger("dicomsim")

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class _Primitive:
    """What happened to an association."""

    __slots__ = ("association",)

    def __init__(self, association: Association) -> None:
        self.association = association
        """The association that it is about."""

    @property
    def _session(self) -> Session:
        return self.association.session

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.association!r}>"


class AssociatePrimitive(_Primitive):
    """A-ASSOCIATE, its request and, once there is one, the answer. PS3.8 Table 7-3."""

    __slots__ = ()

    @property
    def calling_ae_title(self) -> bytes:
        """The requestor's title, padded to 16 bytes."""
        return self.association.requestor.ae_title

    @property
    def called_ae_title(self) -> bytes:
        """The acceptor's title, padded to 16 bytes."""
        return self.association.acceptor.ae_title

    @property
    def application_context_name(self) -> str | None:
        """As requested."""
        request = self._session.request_pdu
        return None if request is None else request.application_context

    @property
    def calling_presentation_address(self) -> tuple[str, int]:
        """The requestor's address and port."""
        return self.association.requestor.address, self.association.requestor.port

    @property
    def called_presentation_address(self) -> tuple[str, int]:
        """The acceptor's address and port."""
        return self.association.acceptor.address, self.association.acceptor.port

    @property
    def presentation_context_definition_list(self) -> list[PresentationContext]:
        """The contexts as requested."""
        return self.association.requestor.requested_contexts

    @property
    def presentation_context_definition_results_list(self) -> list[PresentationContext]:
        """The contexts as answered, by ID; empty while, or if, there is no acceptance."""
        contexts = [*self.association.accepted_contexts, *self.association.rejected_contexts]
        return sorted(contexts, key=lambda context: context.context_id or 0)

    @property
    def user_information(self) -> list[NegotiationItem]:
        """The items of the acceptance, or else of the request."""
        accepted = isinstance(self._session.answer_pdu, AssociateAC)
        return (self.association.acceptor if accepted else self.association.requestor).user_information

    @property
    def _rejection(self) -> AssociateRJ | None:
        answer = self._session.answer_pdu
        return answer if isinstance(answer, AssociateRJ) else None

    @property
    def result(self) -> int | None:
        """0 accepted, 1 rejected (permanent), 2 rejected (transient); None while there is no answer."""
        rejection = self._rejection
        if rejection is None:
            return None if self._session.answer_pdu is None else 0
        return rejection.result

    @property
    def result_source(self) -> int | None:
        """Of a rejection: 1 service user, 2 service provider (ACSE), 3 service provider (presentation)."""
        return None if self._rejection is None else self._rejection.source

    @property
    def diagnostic(self) -> int | None:
        """Of a rejection: its reason, PS3.8 Table 9-21."""
        return None if self._rejection is None else self._rejection.reason


class ReleasePrimitive(_Primitive):
    """A-RELEASE, complete. PS3.8 §7.2."""

    __slots__ = ()

    @property
    def outcome(self) -> Outcome | None:
        """How the association ended."""
        return self.association.outcome

    @property
    def by(self) -> Side | None:
        """Which side asked for it."""
        return None if self.outcome is None else self.outcome.by


class AbortPrimitive(ReleasePrimitive):
    """A-ABORT or A-P-ABORT, or an end without either. PS3.8 §7.3, §7.4."""

    __slots__ = ()

    @property
    def _codes(self) -> tuple[int | None, int | None]:
        outcome = self.outcome
        if outcome is None or outcome.how is not Ending.ABORTED:
            return None, None
        source, reason = outcome.codes
        return source, reason

    @property
    def abort_source(self) -> int | None:
        """0 service user, 2 service provider; None if there was no A-ABORT."""
        return self._codes[0]

    @property
    def provider_reason(self) -> int | None:
        """The provider's reason, PS3.8 Table 9-26; None if there was none."""
        source, reason = self._codes
        return reason if source else None


class Notices:
    """Calls handlers in worker threads: those of one association one after the other, in the order of what happened."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Session, deque[Job]] = {}
        self._working: set[Session] = set()

    def tell(self, session: Session, handler: Callable[..., Any] | None, *arguments: Any) -> None:
        """Have the handler called, if there is one, with as many of the arguments as it takes."""
        if handler is not None:
            session.reactor.workers.submit(self.in_turn(session, partial(_call, session, handler, arguments)))

    def in_turn(self, session: Session, job: Job) -> Job:
        """Queue a job; what is returned has to be run by a worker, and may find that another one has done it."""
        with self._lock:
            self._waiting.setdefault(session, deque()).append(job)
        return partial(self._work, session)

    def _work(self, session: Session) -> None:
        if not self._may_work(session):
            return
        try:
            while (job := self._next(session)) is not None:
                job()
        except BaseException:  # what is queued is left to the workers that come for it
            with self._lock:
                self._working.discard(session)
            raise

    def _may_work(self, session: Session) -> bool:
        with self._lock:
            if session in self._working or session not in self._waiting:
                return False
            self._working.add(session)
            return True

    def _next(self, session: Session) -> Job | None:
        with self._lock:
            queue = self._waiting[session]
            if queue:
                return queue.popleft()
            del self._waiting[session]
            self._working.discard(session)
            return None


def _call(session: Session, handler: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        call_with(handler, *arguments)
    except Exception:  # user code
        LOGGER.exception("%r: the handler %s failed", session, getattr(handler, "__name__", handler))


def call_with(handler: Callable[..., Any], *arguments: Any) -> Any:
    """Call with as many of the arguments as the handler takes."""
    try:
        parameters = inspect.signature(handler).parameters.values()
    except (TypeError, ValueError):  # some callables written in C do not say
        return handler(*arguments)
    if any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters):
        return handler(*arguments)
    return handler(*arguments[: sum(one.kind in _POSITIONAL for one in parameters)])
