"""Names and numbers of DICOM in rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.behaviour.kinds import (
    ABORT,
    ACTION,
    COMMAND,
    EVENT,
    ITEM,
    PDU,
    PEER,
    REJECTION,
    SOP_CLASS,
    SOP_CLASS_UID,
    STATE,
    STATUS,
    TITLE,
    TRANSFER_SYNTAX_UID,
    command_tag,
    make_element,
    make_element_test,
    read_element,
    read_element_test,
    read_status,
)
from dicomsim.behaviour.values import Kind, RuleError
from dicomsim.wire.command import TAGS

CT = "1.2.840.10008.5.1.4.1.1.2"


@pytest.mark.parametrize(
    ("kind", "written", "canonical", "made"),
    [
        (PDU, "a-associate-rq", "A-ASSOCIATE-RQ", (1,)),
        (PDU, "4", "P-DATA-TF", (4,)),
        (PDU, 0x42, "0x42", (0x42,)),
        (PDU, ["A-ABORT", "5"], ["A-ABORT", "A-RELEASE-RQ"], (7, 5)),
        (ITEM, "user_identity_rq", "user_identity_rq", (0x58,)),
        (ITEM, "0x60", "0x60", (0x60,)),
        (STATE, "sta6", "Sta6", ("Sta6",)),
        (EVENT, "EVT10", "Evt10", ("Evt10",)),
        (ACTION, "aa-8", "AA-8", ("AA-8",)),
        (REJECTION, "called", "1/1/7", (1, 1, 7)),
        (REJECTION, {"result": 2, "source": 3, "reason": 1}, "2/3/1", (2, 3, 1)),
        (REJECTION, [0, 4, "0xFF"], "0/4/255", (0, 4, 255)),
        (ABORT, "invalid-value", "2/6", (2, 6)),
        (STATUS, "A700", "0xA700", (0xA700,)),
        (STATUS, ["0122", 0, "B000H", "0xff00"], ["0x0122", "0x0000", "0xB000", "0xFF00"], (0x122, 0, 0xB000, 0xFF00)),
        (SOP_CLASS_UID, "CTImageStorage", "CTImageStorage", CT),
        (SOP_CLASS_UID, "VerificationSOPClass", "Verification", "1.2.840.10008.1.1"),
        (SOP_CLASS_UID, "1.2.3", "1.2.3", "1.2.3"),
        (SOP_CLASS_UID, "text:no uid", "text:no uid", "no uid"),
        (TRANSFER_SYNTAX_UID, "ImplicitVRLittleEndian", "ImplicitVRLittleEndian", "1.2.840.10008.1.2"),
    ],
)
def test_what_is_written_means(kind: Kind, written: Any, canonical: Any, made: Any) -> None:
    assert (canonical, made) == (kind.read(written), kind.make(kind.read(written)))


@pytest.mark.parametrize(
    ("kind", "written", "said"),
    [
        (PDU, "A-ASOCIATE-RQ", "did you mean A-ASSOCIATE-RQ?"),
        (PDU, "256", "256 is no PDU type"),
        (COMMAND, "C-STOR-RQ", "did you mean C-STORE-RQ?"),
        (COMMAND, "X-*", "no message's name looks like"),
        (STATE, "Sta14", "is none of"),
        (SOP_CLASS, "CTImageStorge", "did you mean CTImageStorage?"),
        (SOP_CLASS, "*Banana*", "no SOP class is called"),
        (TRANSFER_SYNTAX_UID, "ImplicitVR", "no transfer syntax is called"),
        (REJECTION, "1/1", "is not result/source/reason"),
        (REJECTION, "1/1/256", "each number is 0 to 255"),
        (REJECTION, "congetsion", "did you mean congestion?"),
        (REJECTION, {"reslt": 1}, "did you mean result?"),
        (STATUS, "A70", "is no whole number"),
        (STATUS, "70000", "is no status"),
        (PEER, "10.0.0.0/40", "is no network"),
    ],
)
def test_what_cannot_be_meant_is_an_error(kind: Kind, written: Any, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        kind.read(written)
    assert said in str(caught.value)


def test_four_digits_of_a_status_are_hexadecimal_and_a_number_is_a_number() -> None:
    assert ["0x0110", "0x0110", "0x0110", "0x1234"] == [*map(read_status, ("0110", 272, "272", "1234"))]


@pytest.mark.parametrize(
    ("kind", "written", "fits", "fits_not"),
    [
        (COMMAND, "C-STORE-RQ", 0x0001, 0x8001),
        (COMMAND, "*-rsp", 0x8030, 0x0030),
        (COMMAND, "0x0099", 0x0099, 0x0001),
        (SOP_CLASS, "CTImageStorage", CT, "1.2"),
        (SOP_CLASS, "*ImageStorage", CT, "1.2.840.10008.1.1"),
        (SOP_CLASS, "1.2.840.10008.5.*", CT, "1.2.840.10008.1.1"),
        (TITLE, "MOD*", "MODALITY", "ARCHIVE"),
        (PEER, "10.0.0.0/8", "10.1.2.3", "11.1.2.3"),
        (PEER, "10.0.0.0/8", "10.1.2.3%eth0", "no address"),
        (PEER, "fe80::/10", "fe80::1%eth0", "10.1.2.3"),
        (PEER, "10.1.*", "10.1.2.3", "10.2.2.3"),
    ],
)
def test_patterns_fit(kind: Kind, written: str, fits: Any, fits_not: Any) -> None:
    (test,) = kind.make(kind.read(written))

    assert (True, False) == (test(fits), test(fits_not))


@pytest.mark.parametrize(
    ("keyword", "written", "canonical", "made"),
    [
        ("Status", "0110", "0x0110", 0x0110),
        ("Status", 272, "0x0110", 0x0110),
        ("CommandField", "C-ECHO-RSP", "C-ECHO-RSP", 0x8030),
        ("MessageID", "7", 7, 7),
        ("Priority", [0, 1], [0, 1], (0, 1)),
        ("AffectedSOPClassUID", "CTImageStorage", "CTImageStorage", CT),
        ("ErrorComment", 5, "5", "5"),
        ("OffendingElement", "(0008,0018)", "0x00080018", (0x00080018,)),
        ("OffendingElement", ["00080018", 16], ["0x00080018", "0x00000010"], (0x00080018, 0x10)),
        ("MessageID", "hex:01 00 00 00", "hex:01000000", b"\1\0\0\0"),
        ("00080005", "hex:4142", "hex:4142", b"AB"),
    ],
)
def test_command_elements_take_what_fits_them(keyword: str, written: Any, canonical: Any, made: Any) -> None:
    assert canonical == read_element(keyword, written)
    assert canonical == read_element(keyword, canonical)
    assert made == make_element(keyword, canonical)


@pytest.mark.parametrize(
    ("keyword", "written", "said"),
    [
        ("Statsu", 1, 'no command element is called "Statsu", did you mean Status?'),
        ("MessageID", 65536, "65536 is out of range: 0 to 65535"),
        ("MessageID", "hex:0", "two a byte"),
        ("00080005", "text", "give its value as hex"),
        ("OffendingElement", -1, "is no tag"),
    ],
)
def test_command_elements_refuse_what_does_not(keyword: str, written: Any, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        read_element(keyword, written)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("keyword", "written", "fits", "fits_not"),
    [
        ("Status", "A700..AFFF", 0xA900, 0xB000),
        ("Status", "FF00..", 0xFFFF, 0x0000),
        ("Status", ["0000", "B000"], 0xB000, 0xB006),
        ("MessageID", "..5", 5, 6),
        ("Priority", "absent", None, 0),
        ("AffectedSOPInstanceUID", "1.2.*", "1.2.3", "1.3"),
        ("AffectedSOPInstanceUID", "1.2.3", "1.2.3", None),
        ("ErrorComment", "*full*", "disk full", "good"),
        ("MessageID", "hex:0100", b"\1\0", 1),
    ],
)
def test_command_elements_are_compared(keyword: str, written: Any, fits: Any, fits_not: Any) -> None:
    canonical = read_element_test(keyword, written)
    test = make_element_test(keyword, canonical)

    assert canonical == read_element_test(keyword, canonical)
    assert (True, False) == (test(fits), test(fits_not))


def test_a_tag_in_digits_will_do_for_a_keyword() -> None:
    assert [TAGS["Status"]] * 3 == [*map(command_tag, ("Status", "0000,0900", "(0000,0900)"))]


@given(
    st.sampled_from([PDU, ITEM, COMMAND, STATE, SOP_CLASS, TITLE, PEER, STATUS, REJECTION, ABORT, SOP_CLASS_UID]),
    st.one_of(st.integers(), st.text(max_size=12), st.lists(st.text(max_size=5), max_size=3), st.none()),
)
def test_reading_raises_nothing_but_rule_errors_and_is_stable(kind: Kind, written: Any) -> None:
    try:
        canonical = kind.read(written)
    except RuleError:
        return
    assert canonical == kind.read(canonical)
    kind.make(canonical)


@given(
    st.sampled_from(sorted(TAGS)), st.one_of(st.integers(), st.text(max_size=8), st.just("1..2"), st.just("hex:0102"))
)
def test_element_values_read_stably(keyword: str, written: Any) -> None:
    for read, make in ((read_element, make_element), (read_element_test, make_element_test)):
        try:
            canonical = read(keyword, written)
        except RuleError:
            continue
        assert canonical == read(keyword, canonical)
        assert canonical == read(keyword, str(canonical))
        make(keyword, canonical)
