"""The byte vectors of tests/oracle as values, built from their decoded fields and never by the decoder under test."""

from __future__ import annotations

from typing import Any

from dicomsim.wire.command import Value
from dicomsim.wire.items import (
    ApplicationContext,
    AsynchronousOperationsWindow,
    ImplementationClassUid,
    ImplementationVersionName,
    Item,
    MaximumLength,
    PresentationContextAC,
    PresentationContextRQ,
    RoleSelection,
    SopClassCommonExtendedNegotiation,
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
from tests.oracle import document

VALID = {vector["id"]: vector for vector in document("vectors/valid_pdus")["vectors"]}
MALFORMED = {vector["id"]: vector for vector in document("vectors/malformed")["vectors"]}
MESSAGES = {message["id"]: message for message in document("vectors/messages")["messages"]}
FRAGMENTATIONS = {entry["max_length"]: entry for entry in document("vectors/messages")["fragmentation"]}

P_DATA = [raw for message in MESSAGES.values() for raw in message["p_data_tf_max16384"]]
"""The P-DATA-TF of the messages, in hexadecimal."""

PDU_BYTES = {
    **{name: bytes.fromhex(vector["hex"]) for name, vector in VALID.items()},
    **{f"message-{number}": bytes.fromhex(raw) for number, raw in enumerate(P_DATA)},
}
"""All valid PDUs there are."""

COMMAND_BYTES = {name: bytes.fromhex(message["command_hex"]) for name, message in MESSAGES.items()}
"""All command sets there are."""


def command_of(fields: dict[str, Any]) -> dict[int, Value]:
    """The command set with these fields of a vector."""
    return {
        int(tag, 16): tuple(int(each, 16) for each in value) if isinstance(value, list) else value
        for tag, value in fields.items()
    }


def pdu_of(fields: dict[str, Any]) -> Pdu:
    """The PDU with these fields of a vector."""
    reserved = {place: bytes.fromhex(data) for place, data in fields.get("reserved", {}).items()}
    byte_2 = reserved.get("2", b"\0")[0]
    match fields["pdu"]:
        case "A-ASSOCIATE-RQ" | "A-ASSOCIATE-AC" as name:
            kind = AssociateRQ if name == "A-ASSOCIATE-RQ" else AssociateAC
            return kind(
                bytes.fromhex(fields["called_ae_title_raw"]),
                bytes.fromhex(fields["calling_ae_title_raw"]),
                tuple(_items(fields)),
                fields["protocol_version"],
                (byte_2, reserved.get("9-10", bytes(2)), reserved.get("43-74", bytes(32))),
            )
        case "A-ASSOCIATE-RJ":
            codes = fields["result"], fields["source"], fields["reason"]
            return AssociateRJ(*codes, (byte_2, reserved.get("7", b"\0")[0]))
        case "P-DATA-TF":
            pdvs = (
                Pdv(pdv["context_id"], pdv["control_header"], bytes.fromhex(pdv["fragment"])) for pdv in fields["pdvs"]
            )
            return PDataTF(tuple(pdvs), byte_2)
        case "A-RELEASE-RQ":
            return ReleaseRQ((byte_2, reserved.get("7-10", bytes(4))))
        case "A-RELEASE-RP":
            return ReleaseRP((byte_2, reserved.get("7-10", bytes(4))))
        case _:
            assert fields["pdu"] == "A-ABORT"
            rest = reserved.get("7", b"\0") + reserved.get("8", b"\0")
            return Abort(fields["source"], fields["reason"], (byte_2, rest))


def _items(fields: dict[str, Any]) -> list[Item]:
    contexts = iter(fields["presentation_contexts"])
    unknown = {each["type"]: bytes.fromhex(each["raw"]) for each in fields.get("unknown_items", ())}
    items: list[Item] = []
    for item_type in fields["item_types"]:
        match item_type:
            case "10":
                items.append(ApplicationContext(fields["application_context"]))
            case "20":
                context = next(contexts)
                syntaxes = context["abstract_syntax"], *context["transfer_syntaxes"]
                items.append(PresentationContextRQ.of(context["id"], *syntaxes))
            case "21":
                context = next(contexts)
                uid = context["transfer_syntax"]
                chosen = () if uid is None else (TransferSyntax(uid),)
                items.append(PresentationContextAC(context["id"], context["result"], chosen))
            case "50":
                items.append(UserInformation(tuple(map(_user_item, fields["user_information"]))))
            case _:
                items.append(UnknownItem(int(item_type, 16), unknown[item_type]))
    return items


def _user_item(fields: dict[str, Any]) -> UserItem:
    match fields["type"]:
        case "51":
            return MaximumLength(fields["maximum_length"])
        case "52":
            return ImplementationClassUid(fields["implementation_class_uid"])
        case "53":
            return AsynchronousOperationsWindow(fields["invoked"], fields["performed"])
        case "54":
            return RoleSelection(fields["sop_class_uid"], fields["scu"], fields["scp"])
        case "55":
            return ImplementationVersionName(fields["implementation_version_name"])
        case "56":
            information = bytes.fromhex(fields["application_information"])
            return SopClassExtendedNegotiation(fields["sop_class_uid"], information)
        case "57":
            uids = fields["sop_class_uid"], fields["service_class_uid"], tuple(fields["related_general"])
            return SopClassCommonExtendedNegotiation(*uids)
        case "58":
            identity = bytes.fromhex(fields["primary"]), bytes.fromhex(fields["secondary"])
            return UserIdentityRQ(fields["identity_type"], fields["positive_response_requested"], *identity)
        case "59":
            return UserIdentityAC(bytes.fromhex(fields["server_response"]))
        case item_type:
            assert fields["unknown"]
            return UnknownItem(int(item_type, 16), bytes.fromhex(fields["raw"]))
