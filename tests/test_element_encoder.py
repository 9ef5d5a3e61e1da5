"""What is encoded without pydicom, and what is left to it; `test_datasets` compares the bytes."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomsim.datasets import decode_bare, encode
from dicomsim.element_encoder import ElementEncoder, UnusualError

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"


def _of(**values: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def test_elements_are_in_ascending_order_whatever_the_order_they_were_set_in() -> None:
    data = ElementEncoder(implicit=True).encode(_of(PatientID="1", StudyDate=""))
    assert data == b"\x08\0\x20\0\0\0\0\0\x10\0\x20\0\x02\0\0\x001 "


def test_a_length_of_32_bits_is_for_the_vrs_that_have_one() -> None:
    data = ElementEncoder(implicit=False).encode(_of(SimpleFrameList=[1], EncapsulatedDocument=b"ab"))
    assert data == b"\x08\0\x61\x11UL\x04\0\x01\0\0\0" + b"\x42\0\x11\0OB\0\0\x02\0\0\0ab"


def test_group_lengths_are_left_out() -> None:
    dataset = _of(PatientID="1")
    dataset.add_new(0x00100000, "UL", 10)
    assert len(ElementEncoder(implicit=True).encode(dataset)) == 10


def test_the_character_set_of_an_item_ends_with_it() -> None:
    item = _of(SpecificCharacterSet="ISO_IR 192", PatientID="ä")
    data = ElementEncoder(implicit=True).encode(_of(ReferencedPatientSequence=[item], PatientID="1"))
    assert "ä".encode() in data
    with pytest.raises(UnusualError):
        ElementEncoder(implicit=True).encode(_of(ReferencedPatientSequence=[item], PatientID="ä"))


UNUSUAL = {
    "another character set": _of(SpecificCharacterSet="ISO_IR 144", PatientName="Имя"),
    "several character sets": _of(SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientName="Yamada"),
    "a character that the set does not have": _of(PatientName="Имя"),
    "a code string that is not ASCII": _of(SpecificCharacterSet="ISO_IR 192", Modality="ÄÖ"),
    "a representation that depends on others": _of(SmallestImagePixelValue=1),
    "a number that does not fit": _of(Rows=1 << 16),
    "a signed short": _of(SelectorSSValue=-1),
    "a tag": _of(SelectorATValue=0x00100010),
    "a text longer than its length can say": _of(DataSetName="x" * 70_000),
}


@pytest.mark.parametrize("dataset", UNUSUAL.values(), ids=UNUSUAL)
def test_what_is_unusual_is_left_to_pydicom(dataset: Dataset) -> None:
    with pytest.raises(UnusualError):
        ElementEncoder(implicit=False).encode(dataset)


def test_values_that_were_never_decoded_are_copied() -> None:
    encoded = encode(_of(PatientName="A^B=", SeriesNumber="01", ReferencedStudySequence=[_of(PatientID="1")]), EXPLICIT)
    decoded = decode_bare(encoded, EXPLICIT)
    assert encoded == ElementEncoder(implicit=False).encode(decoded)
    assert all(element.is_raw for element in decoded.values())


def test_values_in_another_character_set_are_not_copied() -> None:
    decoded = decode_bare(encode(_of(SpecificCharacterSet="ISO_IR 100", PatientName="Ä"), EXPLICIT), EXPLICIT)
    decoded.SpecificCharacterSet = "ISO_IR 192"
    with pytest.raises(UnusualError):
        ElementEncoder(implicit=False).encode(decoded)
    assert "Ä".encode() in encode(decoded, EXPLICIT)


def test_a_value_goes_from_explicit_to_implicit_but_an_undecoded_sequence_does_not() -> None:
    plain = decode_bare(encode(_of(PatientID="1"), EXPLICIT), EXPLICIT)
    assert encode(_of(PatientID="1"), IMPLICIT) == ElementEncoder(implicit=True).encode(plain)
    nested = decode_bare(encode(_of(ReferencedStudySequence=[_of(PatientID="1")]), EXPLICIT), EXPLICIT)
    with pytest.raises(UnusualError):
        ElementEncoder(implicit=True).encode(nested)
