"""What a script may send: PDUs and DIMSE messages by name, with as many of their fields as the scenario wants to set.

What is left out gets the value that a conforming peer would send; `null` leaves the item or element out altogether.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
    create_model,
    model_validator,
)

from dicomsim.dimse.builders import TAG_OF_NAME
from dicomsim.dimse.table import MESSAGE_TYPES
from dicomsim.scenario.fields import (
    Byte,
    Count,
    Hex,
    HexOrSample,
    Long,
    LongOrList,
    Seconds,
    Short,
    ShortOrList,
    Size,
    Strict,
    Text,
    Uid,
    UidList,
    placeholders,
)
from dicomsim.scenario.mutating import MUTATIONS, read_mutations
from dicomsim.upper_layer.negotiation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicomsim.wire.command import COMMAND_ELEMENTS

MESSAGE_NAMES = tuple(sorted({kind.name for kind in MESSAGE_TYPES.values()}))
"""The DIMSE messages, C-CANCEL-RQ among them."""
RESPONSE = "response"
"""Stands for the response that belongs to the last request received."""


def _check_mutations(value: Any) -> Any:
    if any(True for _ in placeholders(value)):
        return value  # checked when it is filled in
    return read_mutations(value)


Mutations = Annotated[
    Any,
    PlainValidator(_check_mutations),
    WithJsonSchema(
        {
            "type": "array",
            "items": {
                "anyOf": [
                    {"type": "object", "propertyNames": {"enum": list(MUTATIONS)}, "minProperties": 1},
                    {"type": "string"},
                ]
            },
        }
    ),
]


class Payload(Strict):
    """Bytes that a scenario describes."""

    hex: Hex | None = None
    """As hexadecimal digits."""
    text: Text | None = None
    """As text, encoded in UTF-8."""
    zeros: Size | None = None
    """So many zero bytes."""
    repeat: Hex | None = None
    """These bytes, `times` times."""
    sample: Literal[True] | None = None
    """The sample data set, encoded in the transfer syntax of the context."""
    random: Size | None = None
    """So many bytes from a generator that begins with `seed`."""
    times: Count = 1
    """For `repeat`."""
    seed: int = 1
    """For `random`."""
    mutate: Mutations = ()
    """Changes, in this order."""

    @model_validator(mode="after")
    def _one(self) -> Payload:
        kinds = ("hex", "text", "zeros", "repeat", "sample", "random")
        if len(self.model_fields_set.intersection(kinds)) != 1:
            raise ValueError(f"bytes are given as exactly one of {', '.join(kinds)}")
        return self


def _payload(value: str) -> Payload:
    return Payload(sample=True) if value == "sample" else Payload(hex=value)


Bytes = Annotated[
    Annotated[HexOrSample, AfterValidator(_payload), Tag("short")] | Annotated[Payload, Tag("long")],
    Discriminator(lambda value: "long" if isinstance(value, dict | Payload) else "short"),
]


class Sending(Strict):
    """What all things sent have in common."""

    mutate: Mutations = ()
    """Changes to the encoded bytes, in this order, as the actions of a rule are written."""
    times: Count = 1
    """Send it so often."""
    hold: bool = False
    """Keep it back, and send it in one write with what is sent next."""
    within: Seconds | None = None
    """Seconds the peer may take to read it."""


class Raw(Sending):
    """Any bytes."""

    raw: Bytes
    """The bytes."""


class ExtraItem(Strict):
    """An item of any type, known or not."""

    type: Byte
    """Type code."""
    data: Hex = ""
    """What follows the header."""


class OfferedContext(Strict):
    """A presentation context of an A-ASSOCIATE-RQ; PS3.8 Table 9-13."""

    id: Byte
    """1, 3, 5 …"""
    abstract_syntax: UidList
    """UID or keyword; a list puts in several, an empty one none."""
    transfer_syntaxes: UidList = ("1.2.840.10008.1.2",)
    """UIDs or keywords."""


class AnsweredContext(Strict):
    """A presentation context of an A-ASSOCIATE-AC; PS3.8 Table 9-18."""

    id: Byte
    """That of the offer."""
    result: Byte = 0
    """0 accepted, 1 to 4 refused."""
    transfer_syntax: UidList | None = None
    """UID or keyword; the first one offered if left out; an empty list for none."""


class Role(Strict):
    """A role selection sub-item; PS3.7 Table D.3-9."""

    sop_class: Uid
    """UID or keyword."""
    scu: Byte
    """1 for the SCU role."""
    scp: Byte
    """1 for the SCP role."""


class Window(Strict):
    """An asynchronous operations window sub-item; PS3.7 Table D.3-7."""

    invoked: Short
    """Operations the requestor may have outstanding."""
    performed: Short
    """Operations the requestor performs at once."""


class Extended(Strict):
    """A SOP class extended negotiation sub-item; PS3.7 Table D.3-11."""

    sop_class: Uid
    """UID or keyword."""
    information: Hex
    """Service class application information."""


class Identity(Strict):
    """A user identity sub-item; PS3.7 Table D.3-14."""

    type: Byte = 1
    """1 user name, 2 with passcode, 3 Kerberos, 4 SAML, 5 JSON Web Token."""
    response_requested: Byte = 0
    """1 asks for an answer."""
    primary: Text = ""
    """User name, or what the type says."""
    secondary: Text = ""
    """Passcode, for type 2."""


class Associate(Sending):
    """What A-ASSOCIATE-RQ and -AC have in common."""

    called: Text | None = None
    """Called AE title; not cut, padded to 16 bytes."""
    calling: Text | None = None
    """Calling AE title."""
    protocol_version: Short = 1
    """Bit 0 is version 1."""
    application_context: UidList = ("1.2.840.10008.3.1.1.1",)
    """Name; a list puts in several, an empty one none."""
    reserved: Literal["zero", "set"] = "zero"
    """`set` fills every reserved byte of the PDU and its items with ones."""
    user_information: Literal["sent", "left out", "twice"] = "sent"
    """Whether the user information item is there."""
    maximum_length: LongOrList | None = 16384
    """Value of the maximum length sub-item; a list puts in several, null none."""
    implementation_class_uid: Uid | None = IMPLEMENTATION_CLASS_UID
    """Null leaves it out."""
    implementation_version_name: Text | None = Field(default_factory=lambda: IMPLEMENTATION_VERSION_NAME)
    """Null leaves it out."""
    roles: tuple[Role, ...] = ()
    """Role selection sub-items."""
    async_window: Window | None = None
    """Asynchronous operations window sub-item."""
    extended: tuple[Extended, ...] = ()
    """SOP class extended negotiation sub-items."""
    items: tuple[ExtraItem, ...] = ()
    """Items of any kind, behind the others."""
    user_items: tuple[ExtraItem, ...] = ()
    """Sub-items of any kind, behind the others in the user information."""


class SendAssociateRQ(Associate):
    """A-ASSOCIATE-RQ, PS3.8 Table 9-11."""

    send: Literal["A-ASSOCIATE-RQ"]
    """Its name."""
    contexts: tuple[OfferedContext, ...] = (OfferedContext(id=1, abstract_syntax=("1.2.840.10008.1.1",)),)
    """Presentation contexts; Verification in implicit VR little endian if left out."""
    user_identity: tuple[Identity, ...] = ()
    """User identity sub-items."""


class SendAssociateAC(Associate):
    """A-ASSOCIATE-AC, PS3.8 Table 9-17, as the answer to the A-ASSOCIATE-RQ that was received last."""

    send: Literal["A-ASSOCIATE-AC"]
    """Its name."""
    contexts: tuple[AnsweredContext, ...] | None = None
    """Answers; every context that was offered is answered if left out."""
    result: Byte = 0
    """Result of every answer, where `contexts` is left out."""
    user_identity_response: Hex | None = None
    """Server response of a user identity sub-item."""


class SendAssociateRJ(Sending):
    """A-ASSOCIATE-RJ, PS3.8 Table 9-21."""

    send: Literal["A-ASSOCIATE-RJ"]
    """Its name."""
    result: Byte = 1
    """1 permanent, 2 transient."""
    source: Byte = 1
    """1 user, 2 ACSE provider, 3 presentation provider."""
    reason: Byte = 1
    """By source."""


class Fragment(Strict):
    """One presentation data value; PS3.8 Table 9-23."""

    context: Byte = 1
    """Presentation context ID."""
    control: Byte
    """Message control header: 1 command, 2 last fragment."""
    data: Bytes = Payload(hex="")
    """The fragment."""
    length: Long | None = None
    """Item length to declare; the right one if left out."""


class SendPDataTF(Sending):
    """P-DATA-TF, PS3.8 Table 9-22, from its fragments."""

    send: Literal["P-DATA-TF"]
    """Its name."""
    pdvs: tuple[Fragment, ...] = ()
    """Presentation data values, in wire order."""


class SendAbort(Sending):
    """A-ABORT, PS3.8 Table 9-26."""

    send: Literal["A-ABORT"]
    """Its name."""
    source: Byte = 0
    """0 user, 2 provider."""
    reason: Byte = 0
    """For source 2."""


class SendRelease(Sending):
    """A-RELEASE-RQ or A-RELEASE-RP, PS3.8 Tables 9-24 and 9-25."""

    send: Literal["A-RELEASE-RQ", "A-RELEASE-RP"]
    """Its name."""
    reserved: Literal["zero", "set"] = "zero"
    """`set` fills every reserved byte with ones."""


class MessageSending(Sending):
    """A DIMSE message, PS3.7 §9.3 and §10.3, with the mandatory elements of its table."""

    send: Literal[(*MESSAGE_NAMES, RESPONSE)]  # type: ignore[valid-type] # the names are in the table
    """Its name; `response` answers the request that was received last."""
    context: Byte | None = None
    """Presentation context ID; that of the request, or the accepted one that fits."""
    data: Bytes | None = None
    """Data set; the sample for C-STORE-RQ, none for the others."""
    maximum: Long | None = None
    """Longest PDU to send; what the peer has announced if left out."""
    together: bool = False
    """Put command and data set into one P-DATA-TF."""
    part: Literal["all", "command", "data"] = "all"
    """Send only the command set, or only the data set."""
    last: bool = True
    """Whether the last fragment says that it is the last."""
    control: Byte = 0
    """Bits to set in every message control header besides the right ones."""
    elements: dict[str, Hex] = Field(default_factory=dict)
    """More elements: eight digits of the tag, and the value."""


_ELEMENT_TYPES: dict[str, Any] = {
    "US": ShortOrList | None,
    "UL": Long | None,
    "UI": Uid | None,
    "AT": list[Long] | None,
}
_elements: dict[str, Any] = {
    name: (_ELEMENT_TYPES.get(COMMAND_ELEMENTS[tag].vr, Text | None), None) for name, tag in TAG_OF_NAME.items()
}
SendMessage = create_model("SendMessage", __base__=MessageSending, __doc__=MessageSending.__doc__, **_elements)
"""`MessageSending` with a field for each element of the command dictionary; null leaves the element out."""

SENDINGS: dict[str, Any] = {
    "A-ASSOCIATE-RQ": SendAssociateRQ,
    "A-ASSOCIATE-AC": SendAssociateAC,
    "A-ASSOCIATE-RJ": SendAssociateRJ,
    "P-DATA-TF": SendPDataTF,
    "A-RELEASE-RQ": SendRelease,
    "A-RELEASE-RP": SendRelease,
    "A-ABORT": SendAbort,
}
"""The model of each PDU that can be sent by name; everything else is a message."""
PDU_NAMES = tuple(SENDINGS)


def sending_tag(name: object) -> str | None:
    """Which of the models is for what `send` names."""
    if name in SENDINGS:
        return str(SENDINGS[name].__name__)
    return "SendMessage" if name in (*MESSAGE_NAMES, RESPONSE) else None


SENDING_TAGS = {model.__name__: model for model in (*dict.fromkeys(SENDINGS.values()), SendMessage)}
"""Model by tag."""
SENDING_TYPES: tuple[Any, ...] = tuple(Annotated[model, Tag(name)] for name, model in SENDING_TAGS.items())
"""The members of the union of steps."""
