"""Data sets compared by what they say."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from dicomsim.capture.dataset_compare import EncodedDataset, differences, fingerprint, keys_of

IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"


def implicit(*elements: tuple[int, bytes]) -> EncodedDataset:
    data = b"".join(struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(v)) + v for tag, v in elements)
    return EncodedDataset(data, IMPLICIT)


def explicit(*elements: tuple[int, bytes, bytes], order: str = "<") -> EncodedDataset:
    out = b""
    for tag, vr, value in elements:
        long = vr in (b"SQ", b"OB", b"OW", b"UN")
        length = struct.pack(order + "HI", 0, len(value)) if long else struct.pack(order + "H", len(value))
        out += struct.pack(order + "HH", tag >> 16, tag & 0xFFFF) + vr + length + value
    return EncodedDataset(out, EXPLICIT if order == "<" else BIG)


def items(*contents: bytes) -> bytes:
    return b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content for content in contents)


def test_the_encoding_does_not_count() -> None:
    one = implicit((0x00100010, b"A^B "), (0x00200013, b"7 "), (0x00280010, b"\x10\0"))
    other = explicit((0x00100010, b"PN", b"A^B "), (0x00200013, b"IS", b"7 "), (0x00280010, b"US", b"\x10\0"))
    swapped = explicit(
        (0x00100010, b"PN", b"A^B "), (0x00200013, b"IS", b"7 "), (0x00280010, b"US", b"\0\x10"), order=">"
    )
    assert list(differences(one, other)) == list(differences(one, swapped)) == []


def test_padding_and_group_lengths_do_not_count() -> None:
    one = implicit((0x00100000, b"\x0a\0\0\0"), (0x00100020, b"12"), (0x7FE00010, b"\x01\x02\x03\0"))
    other = implicit((0x00100020, b"12  "), (0x7FE00010, b"\x01\x02\x03\0"))
    assert list(differences(one, other)) == []


def test_values_that_differ_and_elements_that_lack_are_told_by_tag() -> None:
    one = implicit((0x00100010, b"A^B "), (0x00100020, b"12"), (0x7FE00010, b"\x01" * 100))
    other = implicit((0x00100010, b"A^C "), (0x00100030, b"20260102"), (0x7FE00010, b"\x01" * 98))
    assert [(path, captured[:12], live[:12]) for path, captured, live in differences(one, other)] == [
        ("(0010,0010)", "A^B", "A^C"),
        ("(0010,0020)", "12", "absent"),
        ("(0010,0030)", "absent", "20260102"),
        ("(7FE0,0010)", "01 01 01 01 ", "01 01 01 01 "),
    ]


def test_sequences_are_compared_item_by_item() -> None:
    one = implicit((0x00081140, items(implicit((0x00081155, b"1.2\0")).data, implicit((0x00081155, b"1.3\0")).data)))
    other = implicit((0x00081140, items(implicit((0x00081155, b"1.4\0")).data)))
    assert list(differences(one, other)) == [
        ("(0008,1140)[1]/(0008,1155)", "1.2", "1.4"),
        ("(0008,1140)[2]", "present", "absent"),
    ]


def test_a_fingerprint_has_the_keys_asked_for() -> None:
    one, other = (
        implicit((0x00100010, b"A^B "), (0x00100020, b"12")),
        implicit((0x00100010, b"A^C "), (0x00100020, b"12")),
    )
    assert fingerprint(one, {0x00100020}) == fingerprint(other, {0x00100020}) == ("(0010,0020) 12",)
    assert keys_of(one) == {0x00100010, 0x00100020}


def test_what_cannot_be_read_is_compared_by_its_bytes() -> None:
    broken = EncodedDataset(b"\x10\0\x10\0\xff\xff\0\0ab", IMPLICIT)
    assert list(differences(broken, broken)) == []
    assert list(differences(broken, EncodedDataset(b"", IMPLICIT))) != []


@given(
    st.binary(max_size=60),
    st.binary(max_size=60),
    st.sampled_from([IMPLICIT, EXPLICIT, BIG, "1.2.840.10008.1.2.1.99", None]),
)
def test_no_bytes_upset_it(one: bytes, other: bytes, syntax: str | None) -> None:
    for _ in differences(EncodedDataset(one, syntax), EncodedDataset(other, syntax)):
        pass
    keys = keys_of(EncodedDataset(one, syntax))
    assert fingerprint(EncodedDataset(one, syntax), keys) == fingerprint(EncodedDataset(one, syntax), keys)
