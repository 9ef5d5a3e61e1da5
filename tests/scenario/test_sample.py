"""The object that is stored."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.filereader import read_dataset

from dicomsim.scenario.sample import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    PATIENT_ID,
    SOP_CLASS_UID,
    TRANSFER_SYNTAXES,
    Sample,
    new_uid,
)


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES)
def test_it_is_the_same_in_every_transfer_syntax(syntax: str) -> None:
    sample = Sample()
    encoded = BytesIO(sample.encode(syntax))
    data_set = read_dataset(encoded, syntax == IMPLICIT_LITTLE, syntax != EXPLICIT_BIG)
    elements = {tag: value for tag, _, value in sample.elements()}
    assert list(elements) == [int(each.tag) for each in data_set]
    assert (SOP_CLASS_UID, sample.instance_uid, PATIENT_ID, 8, bytes(range(0, 256, 4))) == (
        data_set.SOPClassUID, data_set.SOPInstanceUID, data_set.PatientID, data_set.Rows, data_set.PixelData,
    )  # fmt: skip


def test_it_is_a_dicom_file(tmp_path: Path) -> None:
    sample = Sample()
    sample.write(tmp_path / "sample.dcm")
    read = pydicom.dcmread(tmp_path / "sample.dcm")
    assert (EXPLICIT_LITTLE, sample.instance_uid, sample.study_uid, "OT") == (
        read.file_meta.TransferSyntaxUID,
        read.file_meta.MediaStorageSOPInstanceUID,
        read.StudyInstanceUID,
        read.Modality,
    )


def test_uids_are_valid_and_never_the_same() -> None:
    uids = {new_uid() for _ in range(50)}
    assert (50, True) == (len(uids), all(pydicom.uid.UID(uid).is_valid for uid in uids))


def test_all_element_lengths_are_even() -> None:
    assert {0} == {len(Sample().encode(syntax)) % 2 for syntax in TRANSFER_SYNTAXES}
