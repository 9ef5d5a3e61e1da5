"""Builders for all messages: conforming by default, and able to say anything.

Requests take what is mandatory as arguments, responses take the request and a status. Every further command element can
be given by its keyword in lower case (`error_comment="disk full"`, `number_of_failed_suboperations=1`); one given
as None is left out, even if it is mandatory. The Command Data Set Type follows `data` unless it is given.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from dicomsim.dimse.data import DataSource
from dicomsim.dimse.messages import (
    COMMAND_DATA_SET_TYPE,
    COMMAND_FIELD,
    MESSAGE_ID,
    MESSAGE_ID_BEING_RESPONDED_TO,
    STATUS,
    Message,
)
from dicomsim.dimse.table import COMMAND_FIELDS, MESSAGE_TYPES, RESPONSE
from dicomsim.wire.codes import NO_DATA_SET, Priority
from dicomsim.wire.command import TAGS, Value

DATA_SET: Final = 0x0001
"""The Command Data Set Type that announces a data set; any value but 0101H would do."""
SUCCESS: Final = 0x0000

TAG_OF_NAME: Final[dict[str, int]] = {
    re.sub("(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", keyword).lower(): tag for keyword, tag in TAGS.items()
}
"""`affected_sop_class_uid` and so on, for every command element, to its tag."""

_REQUESTED_OF_AFFECTED: Final = {
    TAGS["AffectedSOPClassUID"]: TAGS["RequestedSOPClassUID"],
    TAGS["AffectedSOPInstanceUID"]: TAGS["RequestedSOPInstanceUID"],
}
_REPEATED_BY_UNKNOWN: Final = tuple(_REQUESTED_OF_AFFECTED.items())
_REPEATED: Final = {
    field: tuple((tag, _REQUESTED_OF_AFFECTED.get(tag, tag)) for tag in kind.elements if tag != STATUS)
    for field, kind in MESSAGE_TYPES.items()
}
"""What a response has of its request: the element of the request, and the one that stands in for it."""
_VERIFICATION: Final = "1.2.840.10008.1.1"


Element: TypeAlias = Value | list[int] | None
"""What a command element can be given as."""


def build(name: str | int, context_id: int, data: DataSource | None = None, /, **elements: Element) -> Message:
    """Build any message from its name (or any Command Field) and its elements.

    Raises:
        KeyError: there is no message of that name.
        TypeError: there is no command element of some name.
    """
    command_field = COMMAND_FIELDS[name] if isinstance(name, str) else name
    command: dict[int, Value] = {
        COMMAND_FIELD: command_field,
        COMMAND_DATA_SET_TYPE: NO_DATA_SET if data is None else DATA_SET,
    }
    _update(command, elements)
    return Message(context_id, command, data)


def respond(
    request: Message,
    status: int = SUCCESS,
    data: DataSource | None = None,
    /,
    name: str | None = None,
    **elements: Element,
) -> Message:
    """Build the response to a request, also to one that the standard does not know.

    Goes to the request's context, and repeats those of its elements that have a place in the response (requested SOP
    class and instance become the affected ones). `name` makes it a response of another service.
    """
    command_field = request.command_field | RESPONSE if name is None else COMMAND_FIELDS[name]
    command: dict[int, Value] = {COMMAND_FIELD: command_field, STATUS: status}
    asked = request.command
    for tag, instead in _REPEATED.get(command_field, _REPEATED_BY_UNKNOWN):
        value = asked.get(tag)
        if value is None:
            value = asked.get(instead)
        if value is not None:
            command[tag] = value
    command[COMMAND_DATA_SET_TYPE] = NO_DATA_SET if data is None else DATA_SET
    if MESSAGE_ID in asked:
        command[MESSAGE_ID_BEING_RESPONDED_TO] = asked[MESSAGE_ID]
    if elements:
        _update(command, elements)
    return Message(request.context_id, command, data)


def _update(command: dict[int, Value], elements: dict[str, Element]) -> None:
    for name, value in elements.items():
        if name not in TAG_OF_NAME:
            raise TypeError(f"no command element is called {name}")
        if value is None:
            command.pop(TAG_OF_NAME[name], None)
        else:
            command[TAG_OF_NAME[name]] = tuple(value) if isinstance(value, list) else value


def c_store_rq(
    message_id: int,
    context_id: int,
    affected_sop_class_uid: str,
    affected_sop_instance_uid: str,
    data: DataSource | None,
    priority: int = Priority.MEDIUM,
    **elements: Element,
) -> Message:
    """C-STORE request, PS3.7 §9.3.1.1; `move_originator_…` elements make it a sub-operation of a C-MOVE."""
    return build(
        "C-STORE-RQ",
        context_id,
        data,
        message_id=message_id,
        affected_sop_class_uid=affected_sop_class_uid,
        affected_sop_instance_uid=affected_sop_instance_uid,
        priority=priority,
        **elements,
    )


def c_store_rsp(request: Message, status: int = SUCCESS, **elements: Element) -> Message:
    """C-STORE response, PS3.7 §9.3.1.2."""
    return respond(request, status, name="C-STORE-RSP", **elements)


def c_find_rq(
    message_id: int,
    context_id: int,
    affected_sop_class_uid: str,
    data: DataSource | None,
    priority: int = Priority.MEDIUM,
    **elements: Element,
) -> Message:
    """C-FIND request, PS3.7 §9.3.2.1; `data` is the Identifier."""
    return build(
        "C-FIND-RQ",
        context_id,
        data,
        message_id=message_id,
        affected_sop_class_uid=affected_sop_class_uid,
        priority=priority,
        **elements,
    )


def c_find_rsp(request: Message, status: int = SUCCESS, data: DataSource | None = None, **elements: Element) -> Message:
    """C-FIND response, PS3.7 §9.3.2.2; `data` is an Identifier with Pending, none with the final status."""
    return respond(request, status, data, name="C-FIND-RSP", **elements)


def c_get_rq(
    message_id: int,
    context_id: int,
    affected_sop_class_uid: str,
    data: DataSource | None,
    priority: int = Priority.MEDIUM,
    **elements: Element,
) -> Message:
    """C-GET request, PS3.7 §9.3.3.1; `data` is the Identifier."""
    return build(
        "C-GET-RQ",
        context_id,
        data,
        message_id=message_id,
        affected_sop_class_uid=affected_sop_class_uid,
        priority=priority,
        **elements,
    )


def c_get_rsp(request: Message, status: int = SUCCESS, data: DataSource | None = None, **elements: Element) -> Message:
    """C-GET response, PS3.7 §9.3.3.2; `data` is an Identifier if there are failed instances to list."""
    return respond(request, status, data, name="C-GET-RSP", **elements)


def c_move_rq(
    message_id: int,
    context_id: int,
    affected_sop_class_uid: str,
    move_destination: str,
    data: DataSource | None,
    priority: int = Priority.MEDIUM,
    **elements: Element,
) -> Message:
    """C-MOVE request, PS3.7 §9.3.4.1; `data` is the Identifier."""
    return build(
        "C-MOVE-RQ",
        context_id,
        data,
        message_id=message_id,
        affected_sop_class_uid=affected_sop_class_uid,
        move_destination=move_destination,
        priority=priority,
        **elements,
    )


def c_move_rsp(request: Message, status: int = SUCCESS, data: DataSource | None = None, **elements: Element) -> Message:
    """C-MOVE response, PS3.7 §9.3.4.2; `data` is an Identifier if there are failed instances to list."""
    return respond(request, status, data, name="C-MOVE-RSP", **elements)


def c_cancel_rq(message_id_being_responded_to: int, context_id: int, **elements: Element) -> Message:
    """C-CANCEL-FIND, -GET or -MOVE request, PS3.7 §9.3.2.3: it has no id and no response of its own."""
    return build("C-CANCEL-RQ", context_id, message_id_being_responded_to=message_id_being_responded_to, **elements)


def c_echo_rq(
    message_id: int, context_id: int, affected_sop_class_uid: str = _VERIFICATION, **elements: Element
) -> Message:
    """C-ECHO request, PS3.7 §9.3.5.1."""
    return build(
        "C-ECHO-RQ", context_id, message_id=message_id, affected_sop_class_uid=affected_sop_class_uid, **elements
    )


def c_echo_rsp(request: Message, status: int = SUCCESS, **elements: Element) -> Message:
    """C-ECHO response, PS3.7 §9.3.5.2."""
    return respond(request, status, name="C-ECHO-RSP", **elements)


def n_event_report_rq(
    message_id: int,
    context_id: int,
    affected_sop_class_uid: str,
    affected_sop_instance_uid: str,
    event_type_id: int,
    data: DataSource | None = None,
    **elements: Element,
) -> Message:
    """N-EVENT-REPORT request, PS3.7 §10.3.1.1; `data` is the Event Information."""
    return build(
        "N-EVENT-REPORT-RQ",
        context_id,
        data,
        message_id=message_id,
        affected_sop_class_uid=affected_sop_class_uid,
        affected_sop_instance_uid=affected_sop_instance_uid,
        event_type_id=event_type_id,
        **elements,
    )


def n_event_report_rsp(
    request: Message, status: int = SUCCESS, data: DataSource | None = None, **elements: Element
) -> Message:
    """N-EVENT-REPORT response, PS3.7 §10.3.1.2; `data` is the Event Reply."""
    return respond(request, status, data, name="N-EVENT-REPORT-RSP", **elements)


def n_get_rq(
    message_id: int,
    context_id: int,
    requested_sop_class_uid: str,
    requested_sop_instance_uid: str,
    attribute_identifier_list: list[int] | tuple[int, ...] = (),
    **elements: Element,
) -> Message:
    """N-GET request, PS3.7 §10.3.2.1; without a list it asks for all attributes."""
    return build(
        "N-GET-RQ",
        context_id,
        message_id=message_id,
        requested_sop_class_uid=requested_sop_class_uid,
        requested_sop_instance_uid=requested_sop_instance_uid,
        attribute_identifier_list=attribute_identifier_list or None,
        **elements,
    )


def n_get_rsp(request: Message, status: int = SUCCESS, data: DataSource | None = None, **elements: Element) -> Message:
    """N-GET response, PS3.7 §10.3.2.2; `data` is the Attribute List."""
    return respond(request, status, data, name="N-GET-RSP", **elements)


def n_set_rq(
    message_id: int,
    context_id: int,
    requested_sop_class_uid: str,
    requested_sop_instance_uid: str,
    data: DataSource | None,
    **elements: Element,
) -> Message:
    """N-SET request, PS3.7 §10.3.3.1; `data` is the Modification List."""
    return build(
        "N-SET-RQ",
        context_id,
        data,
        message_id=message_id,
        requested_sop_class_uid=requested_sop_class_uid,
        requested_sop_instance_uid=requested_sop_instance_uid,
        **elements,
    )


def n_set_rsp(request: Message, status: int = SUCCESS, data: DataSource | None = None, **elements: Element) -> Message:
    """N-SET response, PS3.7 §10.3.3.2; `data` is the Attribute List."""
    return respond(request, status, data, name="N-SET-RSP", **elements)


def n_action_rq(
    message_id: int,
    context_id: int,
    requested_sop_class_uid: str,
    requested_sop_instance_uid: str,
    action_type_id: int,
    data: DataSource | None = None,
    **elements: Element,
) -> Message:
    """N-ACTION request, PS3.7 §10.3.4.1; `data` is the Action Information."""
    return build(
        "N-ACTION-RQ",
        context_id,
        data,
        message_id=message_id,
        requested_sop_class_uid=requested_sop_class_uid,
        requested_sop_instance_uid=requested_sop_instance_uid,
        action_type_id=action_type_id,
        **elements,
    )


def n_action_rsp(
    request: Message, status: int = SUCCESS, data: DataSource | None = None, **elements: Element
) -> Message:
    """N-ACTION response, PS3.7 §10.3.4.2; `data` is the Action Reply."""
    return respond(request, status, data, name="N-ACTION-RSP", **elements)


def n_create_rq(
    message_id: int,
    context_id: int,
    affected_sop_class_uid: str,
    affected_sop_instance_uid: str | None,
    data: DataSource | None = None,
    **elements: Element,
) -> Message:
    """N-CREATE request, PS3.7 §10.3.5.1; `data` is the Attribute List; the performer assigns an instance of None."""
    return build(
        "N-CREATE-RQ",
        context_id,
        data,
        message_id=message_id,
        affected_sop_class_uid=affected_sop_class_uid,
        affected_sop_instance_uid=affected_sop_instance_uid,
        **elements,
    )


def n_create_rsp(
    request: Message, status: int = SUCCESS, data: DataSource | None = None, **elements: Element
) -> Message:
    """N-CREATE response, PS3.7 §10.3.5.2; `data` is the Attribute List."""
    return respond(request, status, data, name="N-CREATE-RSP", **elements)


def n_delete_rq(
    message_id: int,
    context_id: int,
    requested_sop_class_uid: str,
    requested_sop_instance_uid: str,
    **elements: Element,
) -> Message:
    """N-DELETE request, PS3.7 §10.3.6.1."""
    return build(
        "N-DELETE-RQ",
        context_id,
        message_id=message_id,
        requested_sop_class_uid=requested_sop_class_uid,
        requested_sop_instance_uid=requested_sop_instance_uid,
        **elements,
    )


def n_delete_rsp(request: Message, status: int = SUCCESS, **elements: Element) -> Message:
    """N-DELETE response, PS3.7 §10.3.6.2."""
    return respond(request, status, name="N-DELETE-RSP", **elements)
