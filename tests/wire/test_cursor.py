from __future__ import annotations

import pytest

from dicomsim.errors import WireError, WireFault
from dicomsim.wire.cursor import Cursor


def test_it_reads_forward_in_big_endian() -> None:
    cursor = Cursor(bytes.fromhex("01 0203 04050607 0002 6162 ff"), 0, 12, "top")
    assert (cursor.u8("a"), cursor.u16("b"), cursor.u32("c")) == (1, 0x0203, 0x04050607)
    assert (cursor.counted("d"), cursor.remaining) == (b"ab", 1)
    assert (cursor.rest(), cursor.remaining) == (b"\xff", 0)
    cursor.finish()


def test_bytes_beyond_ascii_come_back_as_they_were() -> None:
    text = Cursor(b"A\xe9", 0, 2, "top").text(2, "name")
    assert text == "A\udce9"
    assert text.encode("ascii", "surrogateescape") == b"A\xe9"


@pytest.mark.parametrize("read", ["u8", "u16", "u32", "counted", "counted_text"])
def test_a_read_past_the_bound_says_where_and_leaves_the_position(read: str) -> None:
    cursor = Cursor(b"\0\0\0\0\0\0", 3, 3, "top")
    with pytest.raises(WireError, match=r"^byte 3, top: .* bytes, 0 are left$"):
        getattr(cursor, read)("field")
    assert cursor.position == 3


def test_a_part_is_bounded_and_lies_behind_its_parent() -> None:
    parent = Cursor(b"abcdef", 1, 6, "top")
    part = parent.part(2, "part")
    assert (part.rest(), part.path, parent.position) == (b"bc", "top/part", 3)
    with pytest.raises(WireError, match=r"^byte 3, top/part: x needs 1 bytes, 0 are left$"):
        part.u8("x")


def test_items_come_with_type_reserved_byte_and_bytes() -> None:
    cursor = Cursor(bytes.fromhex("10 01 0002 6162 20 00 0000"), 0, 10, "top")
    found = [(item_type, reserved, part.path, part.rest()) for item_type, reserved, part in cursor.items()]
    assert found == [(0x10, 1, "top", b"ab"), (0x20, 0, "top", b"")]


def test_an_item_past_the_bound_is_found_before_its_bytes_are_read() -> None:
    with pytest.raises(WireError, match="length 65535, its container has 1 bytes left") as caught:
        list(Cursor(bytes.fromhex("10 00 ffff 61"), 0, 5, "top").items())
    assert caught.value.offset == 2


def test_stray_bytes_are_no_item() -> None:
    with pytest.raises(WireError, match=r"^byte 4, top: 3 stray bytes"):
        list(Cursor(bytes.fromhex("10 00 0000 200000"), 0, 7, "top").items())


def test_what_is_not_read_to_the_end_is_an_error() -> None:
    cursor = Cursor(b"abc", 0, 3, "top")
    cursor.u8("a")
    with pytest.raises(WireError, match=r"^byte 1, top: 2 bytes too many$"):
        cursor.finish()


def test_an_error_has_the_fault_that_is_asked_for() -> None:
    cursor = Cursor(b"", 0, 0, "top")
    assert cursor.error("x").kind == WireFault.INVALID_VALUE
    assert cursor.error("x", WireFault.UNEXPECTED_PARAMETER).kind == WireFault.UNEXPECTED_PARAMETER
