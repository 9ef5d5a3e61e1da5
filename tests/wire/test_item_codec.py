from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.errors import WireError
from dicomsim.wire.cursor import Cursor
from dicomsim.wire.item_codec import (
    ASSOCIATE_AC_ITEMS,
    ASSOCIATE_RQ_ITEMS,
    ITEMS,
    PRESENTATION_CONTEXT_AC_ITEMS,
    PRESENTATION_CONTEXT_RQ_ITEMS,
    USER_INFORMATION_ITEMS,
    AnyItem,
    decode_items,
    encode_item,
    encode_items,
)
from dicomsim.wire.items import (
    AbstractSyntax,
    AsynchronousOperationsWindow,
    ImplementationVersionName,
    MaximumLength,
    PresentationContextAC,
    PresentationContextRQ,
    RoleSelection,
    SopClassCommonExtendedNegotiation,
    TransferSyntax,
    UnknownItem,
    UserIdentityRQ,
    UserInformation,
)
from tests.oracle import document
from tests.wire.strategies import items


def decode(raw: bytes | str, places: object = ITEMS) -> tuple[AnyItem, ...]:
    """The items these bytes are, where all items have a place if not said otherwise."""
    data = bytes.fromhex(raw) if isinstance(raw, str) else raw
    return decode_items(Cursor(data, 0, len(data), "top"), places)  # type: ignore[arg-type]


@given(items)
def test_any_item_survives_encoding_and_decoding(item: AnyItem) -> None:
    raw = encode_item(item)
    if isinstance(item, UnknownItem):
        assert decode(raw, {}) == (item,)
    else:
        assert decode(raw) == (item,)


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=80))
def test_an_item_of_any_bytes_decodes_exactly_or_raises_wire_error(item_type: int, reserved: int, body: bytes) -> None:
    raw = bytes((item_type, reserved)) + len(body).to_bytes(2) + body
    try:
        found = decode(raw)
    except WireError as error:
        offset = error.offset
    else:
        offset = len(raw)
        assert encode_items(found) == raw
    assert 0 <= offset <= len(raw)


def test_the_table_holds_the_types_of_the_standard() -> None:
    registry = {int(name[:2], 16): what for name, what in document("pdus")["item_type_registry"].items()}
    assert sorted(ITEMS) == sorted(registry)
    assert [codec.kind.TYPE for codec in ITEMS.values()] == list(ITEMS)


PLACES = {
    "A-ASSOCIATE-RQ": ASSOCIATE_RQ_ITEMS,
    "A-ASSOCIATE-AC": ASSOCIATE_AC_ITEMS,
    "Presentation Context (RQ)": PRESENTATION_CONTEXT_RQ_ITEMS,
    "Presentation Context (AC)": PRESENTATION_CONTEXT_AC_ITEMS,
}


@pytest.mark.parametrize("container", PLACES)
def test_each_container_has_a_place_for_what_the_standard_says(container: str) -> None:
    tables = {each.get("pdu") or each["item"]: each for each in (*document("pdus")["pdus"], *document("pdus")["items"])}
    assert set(PLACES[container]) == {int(each["type"][:2], 16) for each in tables[container]["items"]}


def test_user_information_has_a_place_for_all_its_sub_items() -> None:
    parents = {each["type"]: each["parent"] for each in document("pdus")["items"] if each["type"][0] == "5"}
    expected = {int(name[:2], 16) for name, parent in parents.items() if any("50H" in each for each in parent)}
    assert set(USER_INFORMATION_ITEMS) == expected


def test_an_item_that_stands_where_it_has_no_place_is_kept_unread() -> None:
    raw = "21 00 0001 ff"
    assert decode(raw, ASSOCIATE_RQ_ITEMS) == (UnknownItem(0x21, b"\xff"),)


def test_an_unknown_item_keeps_its_reserved_byte() -> None:
    assert decode("60 07 0002 0102") == (UnknownItem(0x60, b"\x01\x02", 7),)


def test_items_that_hold_themselves_are_not_followed() -> None:
    raw = b""
    for _ in range(5000):
        raw = b"\x50\0" + len(raw).to_bytes(2) + raw
    assert decode(raw) == (UserInformation((UnknownItem(0x50, raw[8:]),)),)


def test_reserved_bytes_of_contexts_are_kept() -> None:
    assert decode("20 01 0004 03 02 03 04") == (PresentationContextRQ(3, (), (1, 2, 3, 4)),)
    assert decode("21 01 0004 03 02 00 04") == (PresentationContextAC(3, 0, (), (1, 2, 4)),)


def test_an_empty_text_is_a_text() -> None:
    assert decode("40 00 0000", PRESENTATION_CONTEXT_AC_ITEMS) == (TransferSyntax(""),)


def test_text_is_not_stripped() -> None:
    assert decode("55 00 0004 20 41 20 00") == (ImplementationVersionName(" A \0"),)


def test_a_common_extended_negotiation_of_a_later_version_keeps_what_is_not_known() -> None:
    item = SopClassCommonExtendedNegotiation("1.2", "1.3", ("1.4",), b"\x01\x02", 1)
    assert encode_item(item).hex(" ", 1) == "57 01 00 13 00 03 31 2e 32 00 03 31 2e 33 00 05 00 03 31 2e 34 01 02"
    assert decode(encode_item(item)) == (item,)


def test_a_user_identity_without_secondary_length_is_read_and_written_as_it_is() -> None:
    raw = "58 00 0005 01 00 0001 61"
    (item,) = decode(raw)
    assert item == UserIdentityRQ(1, 0, b"a", None)
    assert encode_item(item) == bytes.fromhex(raw)


BROKEN = {
    "maximum length of 3 bytes": ("51 00 0003 000000", 4, "maximum length"),
    "maximum length of 5 bytes": ("51 00 0005 0000000000", 4, "maximum length"),
    "window of 3 bytes": ("53 00 0003 000100", 4, "asynchronous operations window"),
    "role UID past the end": ("54 00 0004 0009 312e", 6, "role selection"),
    "roles missing": ("54 00 0005 0003 312e32", 9, "role selection"),
    "byte behind the roles": ("54 00 0008 0003 312e32 010000", 11, "role selection"),
    "extended UID past the end": ("56 00 0003 0002 31", 6, "SOP class extended negotiation"),
    "no service class": ("57 00 0005 0003 312e32", 9, "SOP class common extended negotiation"),
    "related list past the end": (
        "57 00 0006 0000 0000 0004",
        10,
        "SOP class common extended negotiation",
    ),
    "related UID past its list": (
        "57 00 000a 0000 0000 0004 0008 312e",
        12,
        "SOP class common extended negotiation/related general SOP classes",
    ),
    "primary field past the end": ("58 00 0004 01 00 0001", 8, "user identity"),
    "half a secondary length": ("58 00 0005 01 00 0000 00", 8, "user identity"),
    "byte behind the secondary field": ("58 00 0007 01 00 0000 0000 ff", 10, "user identity"),
    "server response past the end": ("59 00 0002 0001", 6, "user identity"),
    "context without header": ("20 00 0003 010000", 4, "presentation context"),
    "sub-item past its context": ("20 00 0008 01 00 00 00 30 00 0001", 10, "presentation context 1"),
    "stray bytes in a context": ("21 00 0006 03 00 00 00 40 00", 8, "presentation context 3"),
    "sub-item past its user information": ("50 00 0004 51 00 0004", 6, "user information"),
    "sub-item broken": ("50 00 0007 51 00 0003 000000", 8, "user information/maximum length"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_item_says_which_byte_and_where(what: str) -> None:
    raw, offset, path = BROKEN[what]
    with pytest.raises(WireError) as caught:
        decode(raw)
    assert (caught.value.offset, caught.value.path) == (offset, f"top/{path}")


UNENCODABLE: dict[str, AnyItem] = {
    "maximum length": MaximumLength(1 << 32),
    "asynchronous operations window": AsynchronousOperationsWindow(-1, 0),
    "role selection": RoleSelection("1.2", 256, 0),
    "abstract syntax": AbstractSyntax("1" * 65536),
    "item 100H": UnknownItem(256, b""),
    "item 60H": UnknownItem(0x60, b"", 256),
    "user identity": UserIdentityRQ(1, 0, bytes(65536)),
    "user information/maximum length": UserInformation((MaximumLength(-1),)),
    "presentation context/transfer syntax": PresentationContextAC(1, 0, (TransferSyntax("\u0661"),)),
}


@pytest.mark.parametrize("path", UNENCODABLE)
def test_a_value_that_has_no_bytes_is_a_wire_error(path: str) -> None:
    with pytest.raises(WireError) as caught:
        encode_item(UNENCODABLE[path])
    assert caught.value.path == path
