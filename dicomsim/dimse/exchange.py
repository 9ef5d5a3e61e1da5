"""The books of one association: which operations are outstanding in which direction. PS3.7 §7.3, §9.1.1.1.1, §D.3.3.3.

An operation (or notification, or sub-operation) that we request is *invoked*, one that the peer requests is
*performed*; message ids and windows of the two directions have nothing to do with each other. Nothing is sent or
timed here: the owner tells what was sent and what has arrived, and asks what that means and when to look again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from dicomsim.dimse.builders import c_cancel_rq
from dicomsim.dimse.messages import Message
from dicomsim.dimse.table import C_CANCEL_RQ, RESPONSE, SERVICE_OF
from dicomsim.errors import StateError

MAX_MESSAGE_ID: Final = 0xFFFF
"""Message IDs are 16 bit numbers. 0 is legal but not given out: some peers take it for none."""


@dataclass(slots=True, eq=False)
class Operation:
    """One outstanding request and how far it is."""

    request: Message
    """What was asked for."""
    message_id: int
    """Its Message ID; responses and C-CANCEL refer to it."""
    deadline: float | None = None
    """When the next response has to be there, in monotonic seconds; None for performed operations, or never."""
    timeout: float | None = None
    """Seconds that each response may take."""
    end: float | None = None
    """When the final response has to be there, however many Pending ones come."""
    responses: int = 0
    """How many responses came, or were sent."""
    cancelled: bool = False
    """Whether a C-CANCEL was sent, or came."""
    replies: deque[Message] = field(default_factory=deque)
    """Responses that whoever asked has not looked at yet; filled by the owner."""
    final: bool = False
    """Whether the final response has come, or was sent."""
    notify: Callable[[Message], None] | None = None
    """Who is told of each response, by the owner; then none is kept in `replies`."""
    user: Any = None
    """Whatever the one who serves it keeps with it."""

    @property
    def is_cancellable(self) -> bool:
        """Whether its service knows C-CANCEL."""
        service = SERVICE_OF.get(self.request.command_field)
        return service is not None and service.cancellable


class Arrival(Enum):
    """What a received message is; only the first four are as they should be."""

    __hash__ = object.__hash__  # a member is itself; Enum would hash its name, in Python

    REQUEST = "a request"
    PENDING = "a response after which more will come"
    FINAL = "the final response"
    CANCEL = "a C-CANCEL for an outstanding operation"
    EXCESS_REQUEST = "a request beyond the asynchronous operations window"
    DUPLICATE_REQUEST = "a request with the Message ID of an outstanding operation"
    STRAY_CANCEL = "a C-CANCEL for no outstanding operation that could be cancelled"
    STRAY_RESPONSE = "a response to no outstanding request"
    OTHER_SERVICE = "a response of another service than the request's"
    OTHER_CONTEXT = "a response on another presentation context than the request's"


class Exchange:
    """The outstanding operations of one association, in both directions."""

    __slots__ = ("_last_id", "invoked", "invoked_window", "performed", "performed_window")

    def __init__(self, invoked_window: int = 1, performed_window: int = 1) -> None:
        """Begin with nothing outstanding.

        The windows are the negotiated numbers of operations that we may have outstanding, and the peer; 0 is no limit,
        and 1 is what holds where nothing was negotiated. They may be set later.
        """
        self.invoked_window = invoked_window
        self.performed_window = performed_window
        self.invoked: dict[int, Operation] = {}
        """Our outstanding requests by Message ID, oldest first."""
        self.performed: dict[int, Operation] = {}
        """The peer's requests that have no final response yet, by Message ID, oldest first."""
        self._last_id = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is outstanding either way."""
        return not self.invoked and not self.performed

    @property
    def may_invoke(self) -> bool:
        """Whether the window has room for another request of ours."""
        return not 0 < self.invoked_window <= len(self.invoked)

    def next_message_id(self) -> int:
        """A Message ID that no outstanding request of ours has: counts up and goes round.

        Raises:
            StateError: all 65535 are in use.
        """
        if len(self.invoked) >= MAX_MESSAGE_ID and all(one in self.invoked for one in range(1, MAX_MESSAGE_ID + 1)):
            raise StateError("all message ids belong to outstanding operations")
        message_id = self._last_id % MAX_MESSAGE_ID + 1
        while message_id in self.invoked:
            message_id = message_id % MAX_MESSAGE_ID + 1
        self._last_id = message_id
        return message_id

    def invoke(
        self, request: Message, now: float, timeout: float | None = None, total: float | None = None
    ) -> Operation:
        """Enter a request that is about to be sent.

        `timeout` is how many seconds each response may take, `total` how many may pass until the final one.

        Raises:
            StateError: it is no request, the window is full, or its Message ID is that of an outstanding request.
        """
        message_id = request.message_id
        if message_id is None or not request.is_request:
            raise StateError(f"{request.name} without a message id cannot be invoked")
        if self.invoked and not self.may_invoke:
            raise StateError(f"{request.name}: the window of {self.invoked_window} outstanding operations is full")
        if message_id in self.invoked:
            raise StateError(f"{request.name}: the message id {message_id} belongs to an outstanding operation")
        end = None if total is None else now + total
        operation = Operation(request, message_id, _deadline(now, timeout, end), timeout, end)
        self.invoked[message_id] = operation
        return operation

    def cancel(self, operation: Operation) -> Message:
        """The C-CANCEL-RQ for an operation of ours, which stays outstanding until its final response.

        Raises:
            StateError: it is not outstanding any more, or its service knows no C-CANCEL.
        """
        if self.invoked.get(operation.message_id) is not operation:
            raise StateError(f"{operation.request.name} {operation.message_id} is not outstanding")
        if not operation.is_cancellable:
            raise StateError(f"{operation.request.name} cannot be cancelled")
        operation.cancelled = True
        return c_cancel_rq(operation.message_id, operation.request.context_id)

    def abandon(self, operation: Operation) -> None:
        """Stop waiting for an operation of ours: whatever comes for it later is a stray response."""
        if self.invoked.get(operation.message_id) is operation:
            del self.invoked[operation.message_id]

    def received(self, message: Message, now: float) -> tuple[Arrival, Operation | None]:
        """Enter a message that has arrived; the operation is the one it begins or belongs to, if there is one.

        A request is outstanding from now on until `answered`, an excess one too; a duplicate is not, and answering its
        operation does no harm to the one whose id it has. Only PENDING and FINAL change an operation of ours.
        """
        field = message.command_field
        if field & RESPONSE:
            return self._response(message, field, now)
        if field == C_CANCEL_RQ:
            operation = self.performed.get(_id(message.message_id_being_responded_to))
            if operation is None or not operation.is_cancellable:
                return Arrival.STRAY_CANCEL, operation
            operation.cancelled = True
            return Arrival.CANCEL, operation
        operation = Operation(message, _id(message.message_id))
        if operation.message_id in self.performed:
            return Arrival.DUPLICATE_REQUEST, operation
        excess = 0 < self.performed_window <= len(self.performed)
        self.performed[operation.message_id] = operation
        return Arrival.EXCESS_REQUEST if excess else Arrival.REQUEST, operation

    def _response(self, message: Message, field: int, now: float) -> tuple[Arrival, Operation | None]:
        operation = self.invoked.get(_id(message.message_id_being_responded_to))
        if operation is None:
            return Arrival.STRAY_RESPONSE, None
        if field != operation.request.command_field | RESPONSE:
            return Arrival.OTHER_SERVICE, operation
        if message.context_id != operation.request.context_id:
            return Arrival.OTHER_CONTEXT, operation
        operation.responses += 1
        if message.is_pending:
            operation.deadline = _deadline(now, operation.timeout, operation.end)
            return Arrival.PENDING, operation
        del self.invoked[operation.message_id]
        operation.final = True
        return Arrival.FINAL, operation

    def answered(self, operation: Operation, response: Message) -> None:
        """Enter a response that is about to be sent; after the final one the operation is no longer outstanding."""
        operation.responses += 1
        if response.is_pending:
            return
        operation.final = True
        if self.performed.get(operation.message_id) is operation:
            del self.performed[operation.message_id]

    def deadline(self) -> float | None:
        """When `expired` has to be asked next; None if nothing is awaited within a time."""
        deadlines = [operation.deadline for operation in self.invoked.values() if operation.deadline is not None]
        return min(deadlines, default=None)

    def expired(self, now: float) -> list[Operation]:
        """Our requests whose response should have been there by now, oldest first; they stay outstanding."""
        return [
            operation
            for operation in self.invoked.values()
            if operation.deadline is not None and operation.deadline <= now
        ]


def _id(message_id: int | None) -> int:
    """Messages from an assembler have their id; -1 is nobody's."""
    return -1 if message_id is None else message_id


def _deadline(now: float, timeout: float | None, end: float | None) -> float | None:
    if timeout is None:
        return end
    return now + timeout if end is None else min(now + timeout, end)
