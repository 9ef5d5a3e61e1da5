"""Data sets to bytes and back; what is encoded here must be what pydicom alone would have written."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from dicomsim import datasets
from dicomsim.datasets import DatasetError, convert, decode, decode_bare, encode, read_file, status_dataset, status_of
from dicomsim.dimse.messages import Message
from dicomsim.errors import FileError

if TYPE_CHECKING:
    from pathlib import Path

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
BIG = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
JPEG = "1.2.840.10008.1.2.4.50"
NATIVE = (IMPLICIT, EXPLICIT, BIG, DEFLATED)

ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="\\^= "), max_size=12)
NAMES = {"ascii": "", "latin": "ISO_IR 100", "utf-8": "ISO_IR 192"}


def _text(characters: str) -> st.SearchStrategy[str]:
    if characters == "ascii":
        return ASCII
    highest = 0xFF if characters == "latin" else 0x9FFF
    letters = st.characters(min_codepoint=0x20, max_codepoint=highest, categories=("L", "N"))
    return st.text(letters, max_size=12)


def _several(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return one | st.lists(one, max_size=3)


@st.composite
def data_sets(draw: st.DrawFn, depth: int = 1) -> Dataset:
    """Data sets with elements of all usual VRs, present, empty and multiple."""
    characters = draw(st.sampled_from(list(NAMES)))
    text = _text(characters)
    values: dict[str, st.SearchStrategy[Any]] = {
        "PatientName": _several(text),
        "PatientID": text,
        "StudyDescription": text,
        "ImageComments": text,
        "OtherPatientIDs": _several(text),
        "ModalitiesInStudy": _several(st.sampled_from(["CT", "MR", "OT"])),
        "StudyDate": st.sampled_from(["", "20260102", "20260101-20260131"]),
        "StudyTime": st.sampled_from(["", "101112.5"]),
        "StudyInstanceUID": _several(st.sampled_from(["1.2.3", "1.2.34", ""])),
        "RetrieveAETitle": _several(ASCII),
        "PatientAge": st.sampled_from(["", "042Y"]),
        "SeriesNumber": st.none() | st.integers(-9999, 9999),
        "PatientWeight": st.none() | st.sampled_from(["71.5", "1e3", "80"]),
        "ImagePositionPatient": st.lists(st.integers(-99, 99).map(str), min_size=3, max_size=3),
        "Rows": st.none() | st.integers(0, 65535),
        "SimpleFrameList": _several(st.integers(0, 2**32 - 1)),
        "SelectorFDValue": _several(st.floats(allow_nan=False)),
        "EncapsulatedDocument": st.binary(max_size=9),
        "SelectorOLValue": st.binary(max_size=2).map(lambda data: data * 4),
        "SelectorAttribute": st.none() | st.integers(0, 2**32 - 1),
        "PixelPaddingValue": st.none() | st.integers(0, 65535),
    }
    dataset = Dataset()
    if NAMES[characters]:
        dataset.SpecificCharacterSet = NAMES[characters]
    for keyword in draw(st.sets(st.sampled_from(list(values)))):
        setattr(dataset, keyword, draw(values[keyword]))
    dataset.PixelRepresentation = 0
    if depth and draw(st.booleans()):
        dataset.ReferencedStudySequence = Sequence(draw(st.lists(data_sets(depth=depth - 1), max_size=2)))
        dataset["ReferencedStudySequence"].is_undefined_length = draw(st.booleans())
        for item in dataset.ReferencedStudySequence:
            item.is_undefined_length_sequence_item = draw(st.booleans())
    return dataset


def written_by_pydicom(dataset: Dataset, transfer_syntax: str) -> bytes:
    syntax = UID(transfer_syntax)
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = syntax.is_implicit_VR, syntax.is_little_endian
    write_dataset(buffer, dataset)
    return buffer.getvalue()


def same(one: Dataset, other: Dataset) -> bool:
    """Whether two data sets hold the same values, whatever they were read from."""
    return bool(one == other)


@pytest.mark.slow
@given(data_sets(), st.sampled_from((IMPLICIT, EXPLICIT)))
def test_a_data_set_is_encoded_as_pydicom_would(dataset: Dataset, transfer_syntax: str) -> None:
    expected = written_by_pydicom(dataset, transfer_syntax)
    assert expected.ljust(len(expected) + len(expected) % 2, b"\0") == encode(dataset, transfer_syntax)


@pytest.mark.slow
@given(data_sets(), st.sampled_from((IMPLICIT, EXPLICIT)), st.sampled_from((IMPLICIT, EXPLICIT)))
def test_a_decoded_data_set_is_encoded_without_looking_at_its_values(dataset: Dataset, first: str, second: str) -> None:
    encoded = encode(dataset, first)
    assert encoded == encode(decode_bare(encoded, first), first)
    assert same(decode_bare(encode(decode_bare(encoded, first), second), second), decode_bare(encoded, first))


@pytest.mark.slow
@given(data_sets(), st.sampled_from(NATIVE), st.sampled_from(NATIVE))
def test_conversion_there_and_back_gives_the_same_bytes(dataset: Dataset, first: str, second: str) -> None:
    encoded = encode(dataset, first)
    assert encoded == convert(convert(encoded, first, second), second, first)


@pytest.mark.slow
@given(data_sets(), st.sampled_from((IMPLICIT, EXPLICIT, DEFLATED)))
def test_a_data_set_is_decoded_as_pydicom_would(dataset: Dataset, transfer_syntax: str) -> None:
    file = Dataset()
    file.update(dataset)
    file.SOPClassUID, file.SOPInstanceUID = "1.2", "1.3"
    file.ensure_file_meta()
    file.file_meta.TransferSyntaxUID = UID(transfer_syntax)
    buffer = io.BytesIO()
    dcmwrite(buffer, file, enforce_file_format=True)
    buffer.seek(0)
    expected = dcmread(buffer)
    assert same(expected, decode_bare(encode(file, transfer_syntax), transfer_syntax))


def _with_pixels(data: bytes = bytes(range(8))) -> Dataset:
    dataset = Dataset()
    dataset.BitsAllocated, dataset.Rows = 16, 2
    dataset.PixelData = data
    dataset["PixelData"].VR = "OW"
    return dataset


def test_words_are_swapped_between_byte_orders() -> None:
    big = encode(_with_pixels(), BIG)
    assert big.endswith(bytes((1, 0, 3, 2, 5, 4, 7, 6)))
    assert decode_bare(big, BIG).PixelData == bytes((1, 0, 3, 2, 5, 4, 7, 6))
    assert convert(big, BIG, IMPLICIT).endswith(bytes(range(8)))
    assert encode(decode(big, BIG), EXPLICIT).endswith(bytes(range(8)))


def test_words_inside_items_are_swapped_too() -> None:
    dataset = Dataset()
    dataset.IconImageSequence = [_with_pixels()]
    big = encode(dataset, BIG)
    assert bytes((1, 0, 3, 2, 5, 4, 7, 6)) in big
    assert convert(encode(dataset, EXPLICIT), EXPLICIT, BIG) == big
    assert dataset.IconImageSequence[0].PixelData == bytes(range(8)), "the user's data set stays as it is"


def test_encoding_does_not_change_the_data_set() -> None:
    dataset = _with_pixels()
    before = written_by_pydicom(dataset, EXPLICIT)
    for transfer_syntax in NATIVE:
        encode(dataset, transfer_syntax)
    assert before == written_by_pydicom(dataset, EXPLICIT)


def test_file_meta_information_and_commands_are_not_encoded() -> None:
    dataset = Dataset()
    dataset.PatientID = "1"
    dataset.Status = 0
    dataset.ensure_file_meta()
    dataset.file_meta.TransferSyntaxUID = UID(JPEG)
    assert encode(dataset, EXPLICIT) == b"\x10\0\x20\0LO\x02\x001 "


def test_an_odd_value_of_unknown_representation_is_padded() -> None:
    dataset = Dataset()
    dataset.add_new(0x00091002, "UN", b"abc")
    assert encode(dataset, EXPLICIT).endswith(b"abc\0")


def test_compressed_pixel_data_is_sent_as_it_is_and_never_converted() -> None:
    dataset = Dataset()
    dataset.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x02\0\0\0ab"
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    encoded = encode(dataset, JPEG)
    assert encoded == encode(decode(encoded, JPEG), JPEG)
    with pytest.raises(DatasetError, match="pixel data is compressed"):
        convert(encoded, JPEG, EXPLICIT)


def test_a_data_set_that_breaks_off_is_an_error() -> None:
    dataset = Dataset()
    dataset.PatientID = "12345678"
    for transfer_syntax in (IMPLICIT, EXPLICIT, BIG):
        encoded = encode(dataset, transfer_syntax)
        with pytest.raises(DatasetError, match=r"ends inside \(0010,0020\), 2 bytes too early"):
            decode_bare(encoded[:-2], transfer_syntax)
        with pytest.raises(DatasetError, match="element header, at byte 16"):
            decode_bare(encoded + b"\x10\0\x30\0", transfer_syntax)


def test_a_data_set_with_items_that_breaks_off_is_an_error() -> None:
    dataset = Dataset()
    dataset.ReferencedStudySequence = [Dataset()]
    dataset["ReferencedStudySequence"].is_undefined_length = True
    dataset.PatientID = "12345678"
    with pytest.raises(DatasetError, match="ends inside"):
        decode_bare(encode(dataset, EXPLICIT)[:-2], EXPLICIT)


def test_trailing_zeros_are_no_error() -> None:
    dataset = Dataset()
    dataset.PatientID = "1"
    assert decode_bare(encode(dataset, EXPLICIT) + b"\0\0", EXPLICIT).PatientID == "1"


def test_explicit_elements_where_implicit_ones_were_agreed_are_read() -> None:
    dataset = Dataset()
    dataset.PatientID = "1"
    with pytest.warns(UserWarning, match="found explicit VR"):
        assert decode_bare(encode(dataset, EXPLICIT), IMPLICIT).PatientID == "1"


def test_a_deflated_data_set_must_not_inflate_beyond_the_limit() -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = packer.compress(bytes(1 << 20)) + packer.flush()
    with pytest.raises(DatasetError, match="inflates to more than 65536 bytes"):
        decode_bare(bomb, DEFLATED, limit=1 << 16)


def test_a_deflated_data_set_that_breaks_off_is_an_error() -> None:
    dataset = Dataset()
    dataset.PatientID = "12345678"
    with pytest.raises(DatasetError, match="cut short"):
        decode_bare(encode(dataset, DEFLATED)[:-4], DEFLATED)
    with pytest.raises(DatasetError, match="inflated"):
        decode_bare(b"\xff\xff\xff", DEFLATED)


def test_decoded_data_sets_have_nothing_in_common_and_can_be_changed_and_written() -> None:
    encoded = encode(_with_pixels(), EXPLICIT)
    first, second = decode(encoded, EXPLICIT), decode(encoded, EXPLICIT)
    first.PatientID, first.file_meta.MediaStorageSOPClassUID = "1", UID("1.2")
    first.private_block(0x0009, "ours", create=True)
    assert ("PatientID" in second, "MediaStorageSOPClassUID" in second.file_meta) == (False, False)
    assert EXPLICIT == second.file_meta.TransferSyntaxUID
    second.SOPClassUID, second.SOPInstanceUID = "1.2", "1.3"
    buffer = io.BytesIO()
    second.save_as(buffer, enforce_file_format=True)
    buffer.seek(0)
    assert bytes(range(8)) == dcmread(buffer).PixelData


def test_a_value_that_cannot_be_encoded_is_an_error() -> None:
    dataset = Dataset()
    dataset.Rows = 70_000
    with pytest.raises(DatasetError, match="Explicit VR Little Endian"):
        encode(dataset, EXPLICIT)


def test_the_status_data_set_has_what_goes_with_the_status() -> None:
    response = Message(1, {0x0900: 0xA900, 0x0902: "no such level", 0x0901: (0x00080052,), 0x1021: 3})
    status = status_dataset(response)
    assert (0xA900, "no such level", [0x00080052]) == (
        status.Status, status.ErrorComment, [int(tag) for tag in [status.OffendingElement]]
    )  # fmt: skip
    assert status.NumberOfCompletedSuboperations == 3
    status.Status = 0
    assert status_dataset(response).Status == 0xA900


def test_without_an_answer_the_status_data_set_is_empty() -> None:
    assert Dataset() == status_dataset(None)
    assert Dataset() == status_dataset(Message(1, {}))


def test_a_status_is_a_number_or_a_data_set_that_has_one() -> None:
    dataset = Dataset()
    dataset.Status, dataset.ErrorComment = 0xC001, "why"
    dataset.OffendingElement = [0x00100010, 0x00100020]
    assert status_of(0xB000) == (0xB000, {})
    assert status_of(dataset) == (0xC001, {0x0902: "why", 0x0901: (0x00100010, 0x00100020)})
    dataset.OffendingElement = 0x00100010
    assert status_of(dataset) == (0xC001, {0x0902: "why", 0x0901: (0x00100010,)})


@pytest.mark.parametrize("wrong", [None, "0", True, 0x10000, -1, Dataset(), 1.0])
def test_nothing_else_is_a_status(wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="status"):
        status_of(wrong)


def test_tags_may_be_given_as_numbers_pairs_and_keywords() -> None:
    assert datasets.tag_numbers([0x00100010, (0x0010, 0x0020), "Modality"]) == (0x00100010, 0x00100020, 0x00080060)
    assert datasets.tag_numbers((0x0010, 0x0020)) == (0x00100020,)
    assert datasets.tag_numbers("Modality") == (0x00080060,)
    assert datasets.tags_of((0x00080060,)) == [0x00080060]
    assert datasets.tags_of(None) == []


def test_what_is_no_file_or_no_dicom_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        read_file(tmp_path / "absent.dcm")
    (tmp_path / "text").write_text("text")
    with pytest.raises(FileError, match="not a DICOM file"):
        read_file(tmp_path / "text")


@pytest.mark.filterwarnings("ignore:Unknown encoding")
@pytest.mark.parametrize("charset", [b"ISO\0X ", b"ISO_IR 100\0ISO_IR 192", b"\0\0", b"\\\\", b"\xff\xfe", b"none"])
def test_a_character_set_that_does_not_exist_is_read_as_the_default_one(charset: bytes) -> None:
    name = b"\x10\x00\x10\x00PN\x04\x00A^B "
    data = b"\x08\x00\x05\x00CS" + len(charset).to_bytes(2, "little") + charset + name
    assert "A^B" == decode(data, EXPLICIT).PatientName
