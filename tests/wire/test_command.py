from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.errors import WireError, WireFault
from dicomsim.wire.codes import CommandField
from dicomsim.wire.command import COMMAND_ELEMENTS, TAGS, Value, decode_command, encode_command, tag_name
from tests.oracle import document
from tests.wire.strategies import commands
from tests.wire.vectors import COMMAND_BYTES, FRAGMENTATIONS, MALFORMED, MESSAGES, command_of

COMMAND_FIELD, MESSAGE_ID, STATUS = TAGS["CommandField"], TAGS["MessageID"], TAGS["Status"]
SOP_CLASS, COMMENT, OFFENDING = TAGS["AffectedSOPClassUID"], TAGS["ErrorComment"], TAGS["OffendingElement"]


def element(tag: int, value: bytes) -> bytes:
    """One element as it stands in a command set."""
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value


@pytest.mark.parametrize("name", MESSAGES)
def test_a_vector_decodes_to_its_elements(name: str) -> None:
    assert decode_command(COMMAND_BYTES[name]) == command_of(MESSAGES[name]["command"])


@pytest.mark.parametrize("name", MESSAGES)
def test_the_elements_of_a_vector_encode_to_its_bytes(name: str) -> None:
    elements = command_of(MESSAGES[name]["command"])
    assert encode_command(elements) == COMMAND_BYTES[name]


@pytest.mark.parametrize("name", MESSAGES)
def test_order_and_group_length_of_the_elements_given_do_not_matter(name: str) -> None:
    elements = command_of(MESSAGES[name]["command"])
    shuffled = dict(reversed(elements.items())) | {0: 1}
    assert encode_command(shuffled) == COMMAND_BYTES[name]


@pytest.mark.parametrize("maximum", FRAGMENTATIONS)
def test_a_command_set_that_was_fragmented_decodes(maximum: int) -> None:
    raw = bytes.fromhex(FRAGMENTATIONS[maximum]["reassembled_command"])
    assert decode_command(raw) == command_of(MESSAGES["C-STORE-RQ"]["command"])


def edges(raw: bytes) -> set[int]:
    """Where elements end."""
    ends, position = set(), 0
    while position < len(raw):
        position += 8 + int.from_bytes(raw[position + 4 : position + 8], "little")
        ends.add(position)
    return ends


@pytest.mark.parametrize("name", MESSAGES)
def test_a_command_set_cut_between_elements_has_the_ones_before(name: str) -> None:
    raw = COMMAND_BYTES[name]
    whole = list(decode_command(raw).items())
    for count, end in enumerate(sorted(edges(raw)), 1):
        assert list(decode_command(raw[:end]).items()) == whole[:count]


@pytest.mark.parametrize("name", MESSAGES)
def test_a_command_set_cut_inside_an_element_is_an_error_that_says_where(name: str) -> None:
    raw = COMMAND_BYTES[name]
    for length in set(range(len(raw))) - edges(raw):
        with pytest.raises(WireError) as caught:
            decode_command(raw[:length])
        assert 0 <= caught.value.offset <= length
        assert caught.value.path.startswith("command set")
        assert caught.value.reason


def test_the_dictionary_is_that_of_the_standard() -> None:
    rows = document("dimse_commands")["command_dictionary"]
    expected = [(int(row["tag"], 16), (row["keyword"], row["vr"], row["vm"])) for row in rows]
    assert [(tag, tuple(row)) for tag, row in COMMAND_ELEMENTS.items()] == expected
    assert len(TAGS) == len(expected) == 46


@given(commands)
def test_any_command_set_survives_encoding_and_decoding(elements: dict[int, Value]) -> None:
    raw = encode_command(elements)
    decoded = decode_command(raw)
    assert decoded.pop(0) == len(raw) - 12
    assert decoded == elements


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_raise_wire_error(raw: bytes) -> None:
    assert_decodes_or_wire_error(raw)


@given(st.lists(st.tuples(st.sampled_from(sorted(COMMAND_ELEMENTS)), st.binary(max_size=12)), max_size=6))
def test_any_values_decode_or_raise_wire_error(values: list[tuple[int, bytes]]) -> None:
    assert_decodes_or_wire_error(b"".join(element(tag, value) for tag, value in values))


@given(
    st.sampled_from(sorted(COMMAND_BYTES)),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), min_size=1, max_size=5),
)
def test_damaged_vectors_decode_or_raise_wire_error(name: str, damage: list[tuple[int, int]]) -> None:
    raw = bytearray(COMMAND_BYTES[name])
    for position, value in damage:
        raw[position % len(raw)] = value
    assert_decodes_or_wire_error(bytes(raw))


def assert_decodes_or_wire_error(raw: bytes) -> None:
    """What decodes, encodes to bytes that decode to the same."""
    try:
        decoded = decode_command(raw)
    except WireError as error:
        offset = error.offset
    else:
        offset = len(raw)
        again = decode_command(encode_command(decoded))
        del again[0]
        decoded.pop(0, None)
        assert again == decoded
    assert 0 <= offset <= len(raw)


TOLERATED = {
    "group length wrong": "M6-026",
    "elements descending": "M6-029",
    "group 0008": "M6-040",
}


@pytest.mark.parametrize("what", TOLERATED)
def test_what_harms_nobody_is_tolerated(what: str) -> None:
    raw = bytes.fromhex(MALFORMED[TOLERATED[what]]["hex"])[12:]
    decoded = decode_command(raw)
    assert (decoded[COMMAND_FIELD], decoded[MESSAGE_ID], decoded[SOP_CLASS]) == (0x30, 1, "1.2.840.10008.1.1")


def test_elements_come_in_wire_order() -> None:
    raw = element(MESSAGE_ID, b"\x01\0") + element(COMMAND_FIELD, b"\x30\0")
    assert list(decode_command(raw)) == [MESSAGE_ID, COMMAND_FIELD]


def test_an_element_of_another_group_stays_bytes() -> None:
    assert decode_command(element(0x00080016, b"1.2\0")) == {0x00080016: b"1.2\0"}


def test_an_unknown_element_of_the_group_stays_bytes_and_is_written_back() -> None:
    elements: dict[int, Value] = {0x0000_0111: b"\x01\x02\x03"}
    raw = encode_command(elements)
    assert raw == element(0, struct.pack("<I", 11)) + element(0x0111, b"\x01\x02\x03")
    assert decode_command(raw) == {0: 11, **elements}


VALUES: dict[str, tuple[int, bytes, Value]] = {
    "UID with its padding": (SOP_CLASS, b"1.2.3\0", "1.2.3"),
    "UID of odd length": (SOP_CLASS, b"1.2.3", "1.2.3"),
    "UID padded with a space": (SOP_CLASS, b"1.2.3 ", "1.2.3"),
    "title between spaces": (TAGS["MoveDestination"], b" SCP    ", "SCP"),
    "comment keeps leading spaces and backslashes": (COMMENT, b" C:\\x ", " C:\\x"),
    "comment beyond ASCII": (COMMENT, b"caf\xe9", "caf\udce9"),
    "empty text": (COMMENT, b"", ""),
    "number": (STATUS, b"\x00\xa7", 0xA700),
    "number without value": (TAGS["MoveOriginatorMessageID"], b"", ()),
    "number with two values": (STATUS, b"\x01\0\x02\0", (1, 2)),
    "long number without value": (0, b"", ()),
    "long number with two values": (TAGS["CommandLengthToEnd"], b"\x01\0\0\0\x02\0\0\0", (1, 2)),
    "no tag": (OFFENDING, b"", ()),
    "one tag": (OFFENDING, b"\x08\0\x52\0", (0x00080052,)),
    "two tags": (TAGS["AttributeIdentifierList"], b"\x10\0\x10\0\x10\0\x20\0", (0x00100010, 0x00100020)),
}


@pytest.mark.parametrize("what", VALUES)
def test_a_value_is_read(what: str) -> None:
    tag, raw, value = VALUES[what]
    assert decode_command(element(tag, raw)) == {tag: value}


ODD_VALUES = {
    "US of 1 byte": (STATUS, b"\0", "length 1 is no multiple of 2"),
    "US of 3 bytes": (STATUS, b"\0\0\0", "length 3 is no multiple of 2"),
    "UL of 2 bytes": (0, b"\0\0", "length 2 is no multiple of 4"),
    "AT of 2 bytes": (OFFENDING, b"\0\0", "length 2 is no multiple of 4"),
    "AT of 5 bytes": (OFFENDING, bytes(5), "length 5 is no multiple of 2"),
}


@pytest.mark.parametrize("what", ODD_VALUES)
def test_a_number_of_the_wrong_length_is_an_error_at_its_length(what: str) -> None:
    tag, raw, reason = ODD_VALUES[what]
    with pytest.raises(WireError) as caught:
        decode_command(element(MESSAGE_ID, b"\1\0") + element(tag, raw))
    assert (caught.value.offset, caught.value.reason) == (14, reason)
    assert caught.value.path == f"command set/{tag_name(tag)}"


def test_an_empty_command_set_is_an_error() -> None:
    with pytest.raises(WireError, match=r"^byte 0, command set: it is empty$"):
        decode_command(b"")


def test_an_element_that_is_there_twice_is_an_error() -> None:
    with pytest.raises(WireError) as caught:
        decode_command(element(MESSAGE_ID, b"\1\0") * 2)
    assert (caught.value.offset, caught.value.kind) == (10, WireFault.UNEXPECTED_PARAMETER)


def test_a_length_beyond_the_end_is_an_error() -> None:
    with pytest.raises(WireError, match="value length is 4294967295, 2 bytes are left"):
        decode_command(bytes.fromhex("00000001ffffffff3000"))


def test_half_an_element_header_is_an_error() -> None:
    with pytest.raises(WireError, match=r"^byte 10, command set: 7 bytes left, too few for an element header$"):
        decode_command(element(MESSAGE_ID, b"\1\0") + bytes(7))


def test_any_buffer_is_taken() -> None:
    raw = COMMAND_BYTES["C-ECHO-RQ"]
    assert decode_command(bytearray(raw)) == decode_command(memoryview(raw)) == decode_command(raw)


def test_an_enum_is_a_number() -> None:
    assert encode_command({COMMAND_FIELD: CommandField.C_ECHO_RQ})[12:] == element(COMMAND_FIELD, b"\x30\0")


def test_several_texts_are_parted_by_backslashes() -> None:
    assert encode_command({SOP_CLASS: ("1.2", "1.3")})[12:] == element(SOP_CLASS, b"1.2\\1.3\0")


def test_bytes_are_written_as_they_stand_anywhere() -> None:
    raw = encode_command({0: b"\xff\xff\xff\xff", STATUS: b"\1", SOP_CLASS: b"1.2"})
    assert raw == element(0, b"\xff" * 4) + element(SOP_CLASS, b"1.2") + element(STATUS, b"\1")


UNENCODABLE: dict[str, tuple[int, Any]] = {
    "number above its size": (STATUS, 65536),
    "negative number": (STATUS, -1),
    "text for a number": (STATUS, "0000"),
    "number for a text": (SOP_CLASS, 5),
    "numbers for a text": (SOP_CLASS, (5, 6)),
    "texts for a number": (STATUS, ("a", "b")),
    "one of several numbers above its size": (STATUS, (1, 65536)),
    "tag above 32 bits": (OFFENDING, (1 << 32,)),
    "long number above its size": (TAGS["CommandLengthToEnd"], 1 << 32),
    "text beyond ASCII": (COMMENT, "caf\u00e9"),
    "number for an unknown element": (0x00080016, 1),
    "nothing": (STATUS, None),
}


@pytest.mark.parametrize("what", UNENCODABLE)
def test_a_value_that_does_not_fit_its_element_is_a_wire_error(what: str) -> None:
    tag, value = UNENCODABLE[what]
    with pytest.raises(WireError) as caught:
        encode_command({tag: value})
    assert caught.value.path == f"command set/{tag_name(tag)}"


def test_a_tag_has_its_number_and_its_name() -> None:
    assert tag_name(SOP_CLASS) == "(0000,0002) AffectedSOPClassUID"
    assert tag_name(0x00100020) == "(0010,0020)"
