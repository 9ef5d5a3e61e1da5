"""From a `send` or `raw` step to bytes: what the step says, and for the rest what a conforming peer would send."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

from dicomsim.dimse.builders import TAG_OF_NAME, build, respond
from dicomsim.dimse.fragmenter import fragment
from dicomsim.dimse.messages import Message
from dicomsim.dimse.table import COMMAND_FIELDS as MESSAGES
from dicomsim.dimse.table import MESSAGE_TYPES, DataSet, Usage
from dicomsim.scenario.dialogue import PREFERRED, Dialogue
from dicomsim.scenario.mutating import Sent, mutate
from dicomsim.scenario.sample import SOP_CLASS_UID
from dicomsim.scenario.sending import RESPONSE, Associate, Payload
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.command import TAGS
from dicomsim.wire.items import (
    AbstractSyntax,
    ApplicationContext,
    AsynchronousOperationsWindow,
    ImplementationClassUid,
    ImplementationVersionName,
    Item,
    MaximumLength,
    PresentationContextAC,
    PresentationContextRQ,
    RoleSelection,
    SopClassExtendedNegotiation,
    TransferSyntax,
    UnknownItem,
    UserIdentityAC,
    UserIdentityRQ,
    UserInformation,
    UserItem,
)
from dicomsim.wire.pdu import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    PDataTF,
    Pdu,
    Pdv,
    ReleaseRP,
    ReleaseRQ,
)
from dicomsim.wire.render import hexadecimal, one_line

T = TypeVar("T")
VERIFICATION = "1.2.840.10008.1.1"
NAME_OF_TAG = {tag: name for name, tag in TAG_OF_NAME.items()}


@dataclass(frozen=True, slots=True)
class Composed:
    """What to send."""

    pieces: tuple[bytes | float, ...]
    """The bytes, mutations done, a write each; numbers are seconds to wait between them."""
    pdu: Pdu | None
    """The PDU that they were made from, if it was a single one."""
    text: str
    """What it is, for the log."""

    @property
    def data(self) -> bytes:
        """All of it."""
        return b"".join(piece for piece in self.pieces if isinstance(piece, bytes))


class ComposeError(ValueError):
    """A step that cannot be done as things stand; says why."""


def compose(step: Any, dialogue: Dialogue) -> Composed:
    """The bytes of a `send` or `raw` step.

    Raises:
        ComposeError: it needs something that has not happened, such as a request to answer.
    """
    name = getattr(step, "send", None)
    if name is None:
        data = payload(step.raw, dialogue, 0)
        return _composed(data, step, dialogue, None, f"{len(data)} bytes {hexadecimal(data[:16])}")
    if name in PDUS:
        pdu = PDUS[name](step, dialogue)
        return _composed(_encode(pdu, step), step, dialogue, pdu, one_line(pdu))
    message = compose_message(step, dialogue)
    return _composed(_p_data(message, step, dialogue), step, dialogue, None, message.describe())


def _composed(data: bytes, step: Any, dialogue: Dialogue, pdu: Pdu | None, text: str) -> Composed:
    if not step.mutate:
        return Composed((data,), pdu, text)
    pieces = tuple(mutate(data, step.mutate, Sent(dialogue.called, dialogue.calling)))
    length = sum(len(piece) for piece in pieces if isinstance(piece, bytes))
    words = ", ".join(name for mutation in step.mutate for name in mutation)
    return Composed(pieces, pdu, f"{text}; {words}: {length} bytes")


def payload(spec: Payload, dialogue: Dialogue, context_id: int) -> bytes:
    """The bytes that a scenario describes."""
    if spec.hex is not None:
        data = bytes.fromhex(re.sub(r"\s", "", spec.hex))
    elif spec.text is not None:
        data = spec.text.encode()
    elif spec.zeros is not None:
        data = bytes(int(spec.zeros))
    elif spec.repeat is not None:
        data = bytes.fromhex(re.sub(r"\s", "", spec.repeat)) * spec.times
    elif spec.random is not None:
        data = random.Random(spec.seed).randbytes(int(spec.random))
    else:
        data = dialogue.sample.encode(dialogue.transfer_syntax(context_id))
    pieces = mutate(data, spec.mutate, Sent(dialogue.called, dialogue.calling))
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))


def _encode(pdu: Pdu, step: Any) -> bytes:
    data = encode_pdu(pdu)
    for index, each in enumerate(getattr(step, "pdvs", ())):
        if each.length is not None:
            assert isinstance(pdu, PDataTF)
            offset = 6 + sum(len(pdv.data) + 6 for pdv in pdu.pdvs[:index])
            data = data[:offset] + struct.pack(">I", each.length) + data[offset + 4 :]
    return data


def _title(text: str | None, otherwise: str) -> bytes:
    return _padded(otherwise if text is None else text)


def _padded(title: str) -> bytes:
    """16 bytes, or more; what is no ASCII goes as UTF-8, which no title may be."""
    return title.encode("utf-8", "surrogateescape").ljust(16)


def _reserved_set(value: T) -> T:
    """The same with every reserved byte set, in whatever it consists of, too."""
    if isinstance(value, tuple):
        return tuple(map(_reserved_set, value))  # type: ignore[return-value] # a tuple of the same
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changes = {each.name: _reserved_set(getattr(value, each.name)) for each in fields(value) if each.name == "items"}
    if hasattr(value, "reserved"):
        changes["reserved"] = _ones(value.reserved)
    return replace(value, **changes)


def _ones(reserved: Any) -> Any:
    if isinstance(reserved, tuple):
        return tuple(map(_ones, reserved))
    return b"\xff" * len(reserved) if isinstance(reserved, bytes) else 0xFF


def _user_information(step: Associate, more: Iterable[UserItem]) -> Iterator[UserInformation]:
    given = step.maximum_length
    lengths = given if isinstance(given, list) else [] if given is None else [given]
    items: list[UserItem] = [MaximumLength(int(length)) for length in lengths]
    if step.implementation_class_uid is not None:
        items.append(ImplementationClassUid(step.implementation_class_uid))
    if step.async_window is not None:
        window = step.async_window
        items.append(AsynchronousOperationsWindow(int(window.invoked), int(window.performed)))
    items += [RoleSelection(role.sop_class, int(role.scu), int(role.scp)) for role in step.roles]
    if step.implementation_version_name is not None:
        items.append(ImplementationVersionName(step.implementation_version_name))
    items += [SopClassExtendedNegotiation(each.sop_class, bytes.fromhex(each.information)) for each in step.extended]
    items += more
    items += [UnknownItem(int(each.type), bytes.fromhex(each.data)) for each in step.user_items]
    for _ in range({"sent": 1, "left out": 0, "twice": 2}[step.user_information]):
        yield UserInformation(tuple(items))


def _items(step: Associate, contexts: Iterable[Item], more: Iterable[UserItem]) -> tuple[Item, ...]:
    return (
        *(ApplicationContext(uid) for uid in step.application_context),
        *contexts,
        *_user_information(step, more),
        *(UnknownItem(int(each.type), bytes.fromhex(each.data)) for each in step.items),
    )


def _associate_rq(step: Any, dialogue: Dialogue) -> AssociateRQ:
    contexts = [
        PresentationContextRQ(
            int(each.id),
            (*map(AbstractSyntax, each.abstract_syntax), *map(TransferSyntax, each.transfer_syntaxes)),
        )
        for each in step.contexts
    ]
    users = [
        UserIdentityRQ(int(each.type), int(each.response_requested), each.primary.encode(), each.secondary.encode())
        for each in step.user_identity
    ]
    titles = _title(step.called, dialogue.called), _title(step.calling, dialogue.calling)
    pdu = AssociateRQ(*titles, _items(step, contexts, users), int(step.protocol_version))
    return _reserved_set(pdu) if step.reserved == "set" else pdu


def _answers(step: Any, request: AssociateRQ) -> Iterator[PresentationContextAC]:
    offers = {each.context_id: each for each in request.presentation_contexts}
    if step.contexts is None:
        for offer in offers.values():
            yield PresentationContextAC(offer.context_id, int(step.result), (TransferSyntax(_choice(offer)),))
        return
    for each in step.contexts:
        syntaxes = each.transfer_syntax
        if syntaxes is None:
            syntaxes = [_choice(offers.get(each.id))]
        yield PresentationContextAC(int(each.id), int(each.result), tuple(map(TransferSyntax, syntaxes)))


def _choice(offer: PresentationContextRQ | None) -> str:
    offered = () if offer is None else offer.transfer_syntaxes
    return next((syntax for syntax in PREFERRED if syntax in offered), next(iter(offered), PREFERRED[0]))


def _associate_ac(step: Any, dialogue: Dialogue) -> AssociateAC:
    request = dialogue.request
    if request is None:
        raise ComposeError("no A-ASSOCIATE-RQ has been received that could be answered")
    identity = step.user_identity_response
    users = [] if identity is None else [UserIdentityAC(bytes.fromhex(identity))]
    pdu = AssociateAC(
        request.called_ae_title if step.called is None else _padded(step.called),
        request.calling_ae_title if step.calling is None else _padded(step.calling),
        _items(step, _answers(step, request), users),
        int(step.protocol_version),
    )
    return _reserved_set(pdu) if step.reserved == "set" else pdu


def _p_data_tf(step: Any, dialogue: Dialogue) -> PDataTF:
    return PDataTF(
        tuple(
            Pdv(int(each.context), int(each.control), payload(each.data, dialogue, int(each.context)))
            for each in step.pdvs
        )
    )


def _release(step: Any, _: Dialogue) -> ReleaseRQ | ReleaseRP:
    pdu = ReleaseRQ() if step.send == "A-RELEASE-RQ" else ReleaseRP()
    return _reserved_set(pdu) if step.reserved == "set" else pdu


PDUS: dict[str, Callable[[Any, Dialogue], Pdu]] = {
    "A-ASSOCIATE-RQ": _associate_rq,
    "A-ASSOCIATE-AC": _associate_ac,
    "A-ASSOCIATE-RJ": lambda step, _: AssociateRJ(step.result, step.source, step.reason),
    "P-DATA-TF": _p_data_tf,
    "A-RELEASE-RQ": _release,
    "A-RELEASE-RP": _release,
    "A-ABORT": lambda step, _: Abort(step.source, step.reason),
}
"""How each PDU is made from its step."""


def compose_message(step: Any, dialogue: Dialogue) -> Message:
    """The message of a `send` step.

    Raises:
        ComposeError: it answers a request, and there was none.
    """
    elements = {name: getattr(step, name) for name in step.model_fields_set if name in TAG_OF_NAME}
    context_id = None if step.context is None else int(step.context)
    name = step.send
    if name == RESPONSE or name.endswith("-RSP"):
        return _response(step, dialogue, elements)
    kind = MESSAGE_TYPES[MESSAGES[name]]
    sop_class = elements.get("affected_sop_class_uid") or _sop_class(name, context_id, dialogue)
    if context_id is None:
        context_id = dialogue.context_for(sop_class)
    defaults = _defaults(dialogue, sop_class)
    for tag, usage in kind.elements.items():
        element = NAME_OF_TAG[tag]
        if usage is Usage.MANDATORY and element in defaults:
            elements.setdefault(element, defaults[element]())
    data = step.data
    if data is None and kind.data_set is DataSet.ALWAYS and "data" not in step.model_fields_set:
        data = Payload(sample=True)
    encoded = None if data is None else payload(data, dialogue, context_id)
    return build(name, context_id, encoded, **elements)


def _defaults(dialogue: Dialogue, sop_class: str) -> dict[str, Callable[[], Any]]:
    return {
        "message_id": dialogue.next_message_id,
        "message_id_being_responded_to": lambda: dialogue.message_id or 1,
        "priority": lambda: 0,
        "affected_sop_class_uid": lambda: sop_class,
        "requested_sop_class_uid": lambda: sop_class,
        "affected_sop_instance_uid": lambda: dialogue.sample.instance_uid,
        "requested_sop_instance_uid": lambda: dialogue.sample.instance_uid,
        "move_destination": lambda: dialogue.calling,
        "event_type_id": lambda: 1,
        "action_type_id": lambda: 1,
    }


def _sop_class(name: str, context_id: int | None, dialogue: Dialogue) -> str:
    """What a message is about if the scenario does not say: what its context is for, or what its service is for."""
    usual = {"C-ECHO-RQ": VERIFICATION, "C-STORE-RQ": SOP_CLASS_UID}
    if context_id is None and name in usual:
        return usual[name]
    return dialogue.contexts().get(context_id or 1, (usual.get(name, VERIFICATION), ""))[0]


def _response(step: Any, dialogue: Dialogue, elements: dict[str, Any]) -> Message:
    request = dialogue.asked
    if request is None:
        if step.send == RESPONSE:
            raise ComposeError("no request has been received that could be answered")
        request = build(step.send.replace("-RSP", "-RQ"), 1, message_id=1, affected_sop_class_uid=VERIFICATION)
    context_id = request.context_id if step.context is None else int(step.context)
    data = None if step.data is None else payload(step.data, dialogue, context_id)
    status = elements.pop("status", 0)
    name = None if step.send == RESPONSE else step.send
    message = respond(request, 0, data, name=name, **elements)
    if status is None:
        del message.command[TAGS["Status"]]
    else:
        message.command[TAGS["Status"]] = status
    message.context_id = context_id
    return message


def _p_data(message: Message, step: Any, dialogue: Dialogue) -> bytes:
    """The P-DATA-TF PDUs of a message."""
    for tag, value in step.elements.items():
        message.command[int(tag, 16)] = bytes.fromhex(value)
    if step.command_group_length is not None:
        message.command[0] = struct.pack("<I", step.command_group_length)
    maximum = dialogue.peer_maximum if step.maximum is None else int(step.maximum)
    data = b"".join(map(bytes, fragment(message, maximum)))
    if step.part == "all" and step.last and not step.control and not step.together:
        return data
    pdvs = [pdv for pdu in split(data) for pdv in pdu.pdvs]
    if step.part != "all":
        pdvs = [pdv for pdv in pdvs if pdv.is_command == (step.part == "command")]
    if not step.last:
        pdvs[-1] = replace(pdvs[-1], control=pdvs[-1].control & ~2)
    pdvs = [replace(pdv, control=pdv.control | int(step.control)) for pdv in pdvs]
    groups = [tuple(pdvs)] if step.together else [(pdv,) for pdv in pdvs]
    return b"".join(encode_pdu(PDataTF(group)) for group in groups)


def split(data: bytes) -> Iterator[PDataTF]:
    """The P-DATA-TF PDUs that a message was cut into."""
    while data:
        end = 6 + int.from_bytes(data[2:6], "big")
        pdu = decode_pdu(data[:end])
        assert isinstance(pdu, PDataTF)
        yield pdu
        data = data[end:]
