"""One value for every DIMSE message: a command set, and the data set if there is one. PS3.7 §6.3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar, overload

from dicomsim.dimse.data import DataSource, FileSlice, source_bytes, source_length
from dicomsim.dimse.table import C_CANCEL_RQ, MESSAGE_TYPES, PENDING, RESPONSE, SERVICE_OF
from dicomsim.wire.codes import NO_DATA_SET
from dicomsim.wire.command import TAGS, Value

COMMAND_FIELD: Final = TAGS["CommandField"]
MESSAGE_ID: Final = TAGS["MessageID"]
MESSAGE_ID_BEING_RESPONDED_TO: Final = TAGS["MessageIDBeingRespondedTo"]
COMMAND_DATA_SET_TYPE: Final = TAGS["CommandDataSetType"]
STATUS: Final = TAGS["Status"]

T = TypeVar("T")


class CommandElement(Generic[T]):
    """An attribute of `Message` that reads one command element; None if it is absent or not of that kind."""

    __slots__ = ("kind", "tag")

    def __init__(self, keyword: str, kind: type[T]) -> None:
        self.tag = TAGS[keyword]
        self.kind = kind

    @overload
    def __get__(self, message: None, owner: type) -> CommandElement[T]: ...
    @overload
    def __get__(self, message: Message, owner: type) -> T | None: ...

    def __get__(self, message: Message | None, owner: type) -> CommandElement[T] | T | None:
        if message is None:
            return self
        value = message.command.get(self.tag)
        return value if isinstance(value, self.kind) else None


def _tags(keyword: str) -> CommandElement[tuple[int, ...]]:
    return CommandElement(keyword, tuple)


@dataclass(slots=True, repr=False)
class Message:
    """A DIMSE message, legal or not; what is built here is sent as it stands.

    Command elements are in `command` by tag; those with a meaning in the present standard are attributes as well, None
    where they are absent.
    """

    context_id: int
    """Presentation context that all its fragments carry."""
    command: dict[int, Value]
    """The command set, tag to value, without regard to order; the group length is made when it is encoded."""
    data: DataSource | None = None
    """The encoded data set: what to send, or what the sink has made of what was received."""
    sink_error: Exception | None = None
    """What the sink of a received data set raised; the rest was discarded, and `data` is None."""

    affected_sop_class_uid = CommandElement("AffectedSOPClassUID", str)
    requested_sop_class_uid = CommandElement("RequestedSOPClassUID", str)
    message_id = CommandElement("MessageID", int)
    message_id_being_responded_to = CommandElement("MessageIDBeingRespondedTo", int)
    move_destination = CommandElement("MoveDestination", str)
    priority = CommandElement("Priority", int)
    status = CommandElement("Status", int)
    offending_element = _tags("OffendingElement")
    error_comment = CommandElement("ErrorComment", str)
    error_id = CommandElement("ErrorID", int)
    affected_sop_instance_uid = CommandElement("AffectedSOPInstanceUID", str)
    requested_sop_instance_uid = CommandElement("RequestedSOPInstanceUID", str)
    event_type_id = CommandElement("EventTypeID", int)
    attribute_identifier_list = _tags("AttributeIdentifierList")
    action_type_id = CommandElement("ActionTypeID", int)
    number_of_remaining_suboperations = CommandElement("NumberOfRemainingSuboperations", int)
    number_of_completed_suboperations = CommandElement("NumberOfCompletedSuboperations", int)
    number_of_failed_suboperations = CommandElement("NumberOfFailedSuboperations", int)
    number_of_warning_suboperations = CommandElement("NumberOfWarningSuboperations", int)
    move_originator_application_entity_title = CommandElement("MoveOriginatorApplicationEntityTitle", str)
    move_originator_message_id = CommandElement("MoveOriginatorMessageID", int)

    @property
    def command_field(self) -> int:
        """What kind of message it is; 0, which is none, if the element is absent."""
        value = self.command.get(COMMAND_FIELD)
        return value if isinstance(value, int) else 0

    @property
    def name(self) -> str:
        """`C-STORE-RQ`, or `command 1234H` for a Command Field that the standard does not know."""
        kind = MESSAGE_TYPES.get(self.command_field)
        return f"command {self.command_field:04X}H" if kind is None else kind.name

    @property
    def is_request(self) -> bool:
        """Whether it asks for something to be done; a C-CANCEL-RQ, which has no response, does not count."""
        field = self.command_field
        return not field & RESPONSE and field != C_CANCEL_RQ

    @property
    def is_response(self) -> bool:
        """Whether it answers a request."""
        field = self.command.get(COMMAND_FIELD)
        return isinstance(field, int) and field & RESPONSE != 0

    @property
    def is_cancel(self) -> bool:
        """Whether it is a C-CANCEL-RQ."""
        return self.command.get(COMMAND_FIELD) == C_CANCEL_RQ

    @property
    def is_pending(self) -> bool:
        """Whether it is a response after which more will come: Pending counts only where the service knows it."""
        if self.command.get(STATUS) not in PENDING:
            return False
        service = SERVICE_OF.get(self.command_field ^ RESPONSE)
        return service is not None and service.multiple_responses

    @property
    def has_data_set(self) -> bool:
        """Whether the command says that a data set follows, PS3.7 §E.1."""
        return self.command.get(COMMAND_DATA_SET_TYPE, NO_DATA_SET) != NO_DATA_SET

    @property
    def sop_class_uid(self) -> str | None:
        """The affected SOP class, else the requested one."""
        return self.affected_sop_class_uid or self.requested_sop_class_uid

    @property
    def sop_instance_uid(self) -> str | None:
        """The affected SOP instance, else the requested one."""
        return self.affected_sop_instance_uid or self.requested_sop_instance_uid

    @property
    def data_length(self) -> int:
        """Bytes of the data set; 0 if there is none, or if the sink has it."""
        return 0 if self.data is None else source_length(self.data)

    def data_bytes(self) -> bytes:
        """The whole data set in memory, empty if there is none; `data` itself is there without a copy.

        Raises:
            FileError: it is in a file that cannot be read.
        """
        return b"" if self.data is None else source_bytes(self.data)

    def __repr__(self) -> str:
        return f"<Message {self.describe()}>"

    def describe(self) -> str:
        """One line: what it is, its ids, what it is about, how it ended."""
        parts = [f"{self.name}"]
        if self.message_id is not None and not self.is_response:
            parts.append(f"id {self.message_id}")
        if self.message_id_being_responded_to is not None:
            parts.append(f"to {self.message_id_being_responded_to}")
        parts.append(f"context {self.context_id}")
        if self.status is not None:
            parts.append(f"status {self.status:04X}")
        parts += filter(None, (self.sop_class_uid, self.sop_instance_uid))
        for word, value in (
            ("action", self.action_type_id),
            ("event", self.event_type_id),
            ("destination", self.move_destination),
            ("comment", self.error_comment),
        ):
            if value is not None:
                parts.append(f"{word} {value}")
        if self.data is not None:
            where = f" in {self.data.name}" if isinstance(self.data, FileSlice) else ""
            parts.append(f"data set of {self.data_length} bytes{where}")
        elif self.has_data_set:
            parts.append("data set")
        return ", ".join(parts)
