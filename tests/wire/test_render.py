from __future__ import annotations

import pytest
from hypothesis import given

from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.command import TAGS, Value, decode_command
from dicomsim.wire.items import (
    AbstractSyntax,
    MaximumLength,
    SopClassCommonExtendedNegotiation,
    UserIdentityRQ,
    UserInformation,
)
from dicomsim.wire.pdu import Abort, AssociateRQ, PDataTF, Pdu, Pdv, ReleaseRQ, UnknownPdu, pad_ae_title
from dicomsim.wire.render import MAX_LINES, hexadecimal, one_line, printable, tree
from tests.wire.strategies import commands, pdus
from tests.wire.vectors import COMMAND_BYTES, PDU_BYTES

LINES = {
    "RQ-002": "A-ASSOCIATE-RQ DICOMSIM -> ANY-SCP, 3 contexts, maximum length 16382",
    "RQ-007": "A-ASSOCIATE-RQ DICOMSIM -> ANY-SCP, 1 context, maximum length unlimited",
    "AC-002": "A-ASSOCIATE-AC 1 of 5 contexts accepted, maximum length 16382",
    "RJ-117": "A-ASSOCIATE-RJ rejected-permanent, service-user: called-AE-title-not-recognized (1/1/7)",
    "RLRQ-001": "A-RELEASE-RQ",
    "RLRP-001": "A-RELEASE-RP",
    "AB-206": "A-ABORT service-provider: invalid-PDU-parameter value (2/6)",
    "PD-004": "P-DATA-TF context 1 command, 30 bytes",
    "PD-007": "P-DATA-TF context 3 data, 2 bytes; context 3 data, 12 bytes; context 3 data last, 86 bytes",
}


@pytest.mark.parametrize("name", LINES)
def test_a_pdu_is_one_line(name: str) -> None:
    assert one_line(decode_pdu(PDU_BYTES[name])) == LINES[name]


COMMAND_LINES = {
    "C-ECHO-RQ": "C-ECHO-RQ, message 1, 1.2.840.10008.1.1 (Verification)",
    "C-STORE-RQ": (
        "C-STORE-RQ, message 7, 1.2.840.10008.5.1.4.1.1.2, instance 1.2.826.0.1.3680043.9.3811.2.1, with data set"
    ),
    "C-CANCEL-RQ": "C-CANCEL-RQ, to message 9",
    "C-FIND-RSP-A900": 'C-FIND-RSP, to message 9, status A900H, 1.2.840.10008.5.1.4.1.2.2.1, "no level"',
    "C-MOVE-RSP-FF00": (
        "C-MOVE-RSP, to message 10, status FF00H, 1.2.840.10008.5.1.4.1.2.2.2,"
        " remaining 3, completed 1, failed 1, warning 0"
    ),
}


@pytest.mark.parametrize("name", COMMAND_LINES)
def test_a_command_set_is_one_line(name: str) -> None:
    assert one_line(decode_command(COMMAND_BYTES[name]), {"1.2.840.10008.1.1": "Verification"}) == COMMAND_LINES[name]


def test_the_tree_of_a_request_has_all_its_fields() -> None:
    assert tree(decode_pdu(PDU_BYTES["RQ-015"]), {"1.2.840.10008.1.1": "Verification"}).splitlines() == [
        "A-ASSOCIATE-RQ",
        "  protocol version 1",
        '  called AE title "ANY-SCP         "',
        '  calling AE title "DICOMSIM        "',
        "  reserved byte 2: ff",
        "  reserved bytes 9-10: ff ff",
        f"  reserved bytes 43-74: {'a5 ' * 31}a5",
        "  application context 1.2.840.10008.3.1.1.1",
        "  presentation context 1",
        "    abstract syntax 1.2.840.10008.1.1 (Verification)",
        "    transfer syntax 1.2.840.10008.1.2",
        "  user information",
        "    maximum length 16382",
        "    implementation class UID 1.2.826.0.1.3680043.9.3811.99.1",
        '    implementation version name "DICOMSIM_010"',
    ]


USER_ITEM_LINES = {
    "RQ-017": "unknown item 5AH de ad be ef",
    "RQ-019": 'user identity username "alice", secondary 0 bytes',
    "RQ-024": "user identity JSON Web Token 41 bytes, secondary 0 bytes",
    "RQ-026": "role selection 1.2.840.10008.5.1.4.1.1.7: SCU 1, SCP 1",
    "RQ-028": "SOP class extended negotiation 1.2.840.10008.5.1.4.1.2.2.1: 01 01 01 01 01 01 01",
    "RQ-032": (
        "SOP class common extended negotiation 1.2.840.10008.5.1.4.1.1.7: service class 1.2.840.10008.4.2, related none"
    ),
    "AC-006": "user identity server response of 16 bytes",
    "AC-007": "asynchronous operations window invoked 2, performed 1",
}


@pytest.mark.parametrize("name", USER_ITEM_LINES)
def test_the_tree_has_each_user_item(name: str) -> None:
    assert tree(decode_pdu(PDU_BYTES[name])).splitlines()[-1] == f"    {USER_ITEM_LINES[name]}"


def test_the_tree_of_an_answer_has_the_results() -> None:
    lines = tree(decode_pdu(PDU_BYTES["AC-003"])).splitlines()
    assert lines[5:9] == [
        "  presentation context 1: acceptance",
        "    transfer syntax 1.2.840.10008.1.2",
        "  presentation context 3: abstract-syntax-not-supported (provider rejection)",
        "    transfer syntax (empty)",
    ]


def test_the_tree_of_p_data_shows_the_bytes() -> None:
    assert tree(decode_pdu(PDU_BYTES["PD-007"])).splitlines()[:5] == [
        "P-DATA-TF",
        "  presentation data value: context 3 data, 2 bytes",
        "    08 00",
        "  presentation data value: context 3 data, 12 bytes",
        "    16 00 1a 00 00 00 31 2e 32 2e 38 34",
    ]
    assert "    message control header FFH" in tree(decode_pdu(PDU_BYTES["PD-008"])).splitlines()


def test_the_tree_of_a_command_set_has_names_and_meanings() -> None:
    assert tree(decode_command(COMMAND_BYTES["C-FIND-RSP-A900"])).splitlines() == [
        "C-FIND-RSP",
        "  (0000,0000) CommandGroupLength 104",
        "  (0000,0002) AffectedSOPClassUID 1.2.840.10008.5.1.4.1.2.2.1",
        "  (0000,0100) CommandField 8020H C-FIND-RSP",
        "  (0000,0120) MessageIDBeingRespondedTo 9",
        "  (0000,0800) CommandDataSetType 0101H no data set",
        "  (0000,0900) Status A900H",
        "  (0000,0901) OffendingElement (0008,0052)",
        "  (0000,0902) ErrorComment no level",
    ]
    lines = tree(decode_command(COMMAND_BYTES["C-STORE-RQ-MOVE"])).splitlines()
    assert "  (0000,0700) Priority 1 high" in lines
    assert "  (0000,0800) CommandDataSetType 0001H data set" in lines


def test_small_pdus_have_trees() -> None:
    assert (
        tree(ReleaseRQ((1, b"\0\0\0\2"))) == "A-RELEASE-RQ\n  reserved byte 2: 01\n  reserved bytes 7-10: 00 00 00 02"
    )
    assert tree(Abort(2, 2)) == "A-ABORT\n  service-provider: unexpected-PDU (2/2)"
    assert tree(UnknownPdu(8, b"\1")) == "PDU 08H\n  01"
    assert one_line(UnknownPdu(8, b"\1")) == "PDU 08H, 1 bytes"


def test_control_characters_of_a_peer_are_escaped() -> None:
    pdu = AssociateRQ(pad_ae_title("\x1b[2J\udce9"), pad_ae_title("A\nB"), (MaximumLength(0),))  # type: ignore[arg-type]
    assert one_line(pdu) == "A-ASSOCIATE-RQ A\\x0aB -> \\x1b[2J\\xe9, 0 contexts"
    assert '  called AE title "\\x1b[2J\\xe9           "' in tree(pdu).splitlines()


def test_text_is_escaped_and_cut() -> None:
    assert printable("a\0b\u202ec\ud800") == "a\\x00b\\u202ec\\ud800"
    assert printable("x" * 200) == "x" * 128 + "... (200 characters)"
    assert hexadecimal(bytes(40)) == "00 " * 32 + "... (40 bytes)"


def test_a_passcode_is_not_shown() -> None:
    item = UserIdentityRQ(2, 1, "J\u00f6rg\n".encode(), b"secret")
    line = tree(AssociateRQ(bytes(16), bytes(16), (UserInformation((item,)),))).splitlines()[-1]
    assert line == '    user identity username and passcode "J\u00f6rg\\x0a", secondary 6 bytes, response requested'


def test_a_long_list_of_related_classes_is_cut() -> None:
    item = SopClassCommonExtendedNegotiation("1.2", "1.3", tuple(f"1.4.{n}" for n in range(6)), b"\1", 2)
    line = tree(AssociateRQ(bytes(16), bytes(16), (UserInformation((item,)),))).splitlines()[-1]
    assert line.endswith("related 1.4.0, 1.4.1, 1.4.2, 1.4.3 and 2 more, version 2, rest 01")


def test_many_fragments_are_cut() -> None:
    pdu = PDataTF((Pdv(1, 0, b""),) * 100_000)
    assert one_line(pdu).endswith("; context 1 data, 0 bytes; and 99996 more")
    lines = tree(pdu).splitlines()
    assert (len(lines), lines[-1]) == (MAX_LINES + 1, f"  ... (cut after {MAX_LINES} lines)")


def test_a_command_set_without_its_field_is_named_so() -> None:
    assert one_line({}) == tree({}) == "command set without command field"
    assert one_line({TAGS["CommandField"]: 0x1234}) == "command 1234H"


def test_values_that_are_not_as_they_should_be_are_shown() -> None:
    elements: dict[int, Value] = {
        TAGS["Status"]: (),
        TAGS["MessageID"]: (1, 2),
        TAGS["CommandField"]: b"\1",
        TAGS["AttributeIdentifierList"]: tuple(range(40)),
        TAGS["Priority"]: 7,
        0x00080016: b"1.2",
    }
    assert tree(elements).splitlines() == [
        "command set without command field",
        "  (0000,0900) Status (empty)",
        "  (0000,0110) MessageID 1, 2",
        "  (0000,0100) CommandField 01",
        f"  (0000,1005) AttributeIdentifierList {tags(32)} ... (40 values)",
        "  (0000,0700) Priority 7 not defined",
        "  (0008,0016) 31 2e 32",
    ]


def tags(count: int) -> str:
    """The first tags of group 0000 that have names only where the dictionary has them."""
    names = {0: " CommandGroupLength", 1: " CommandLengthToEnd", 2: " AffectedSOPClassUID", 3: " RequestedSOPClassUID"}
    names[16] = " CommandRecognitionCode"
    return ", ".join(f"(0000,{tag:04X}){names.get(tag, '')}" for tag in range(count))


@given(pdus)
def test_any_pdu_can_be_shown(pdu: Pdu) -> None:
    assert one_line(pdu).isprintable()
    assert all(line.isprintable() for line in tree(pdu).split("\n"))


@given(commands)
def test_any_command_set_can_be_shown(elements: dict[int, Value]) -> None:
    assert one_line(elements).isprintable()
    assert all(line.isprintable() for line in tree(elements).split("\n"))


def test_an_item_in_a_wrong_place_can_be_shown() -> None:
    assert tree(AssociateRQ(bytes(16), bytes(16), (AbstractSyntax("1.2", 5),))).splitlines()[-2:] == [  # type: ignore[arg-type]
        "  abstract syntax 1.2",
        "    reserved byte 2: 05",
    ]
