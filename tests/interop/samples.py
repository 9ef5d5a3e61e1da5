"""DICOM files to send, made with pydicom: always the same bytes, no patient's."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    BasicTextSRStorage,
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    SecondaryCaptureImageStorage,
)

if TYPE_CHECKING:
    from pathlib import Path

MODALITY_WORKLIST_FIND = UID("1.2.840.10008.5.1.4.31")
ROOT = "2.25.120104030201"
"""The UIDs of all samples are this, with a number after it."""
PREAMBLE = 128
META_GROUP_LENGTH = slice(PREAMBLE + 4, PREAMBLE + 4 + 12)
"""(0002,0000), the first element of every file: tag, `UL`, length 4 and the number of bytes of the others."""


@dataclass(frozen=True, slots=True)
class Samples:
    """One file of each kind."""

    ct: Path
    """CT image, 64 x 64 of 16 bits, Explicit VR Little Endian."""
    mr: Path
    """MR image, 64 x 64 of 16 bits, Implicit VR Little Endian."""
    sc: Path
    """Secondary capture, 32 x 32 RGB, Explicit VR Big Endian."""
    odd: Path
    """Secondary capture, 3 x 3 of 8 bits: nine bytes of pixels and one of padding; odd lengths elsewhere too."""
    sr: Path
    """Basic text report: nested sequences and UTF-8 text, no pixels, Implicit VR Little Endian."""
    big: Path
    """CT image, 512 x 512 of 16 bits: 0.5 MB, Explicit VR Little Endian."""

    def all(self) -> list[Path]:
        """Every file, in the order above."""
        return [getattr(self, field.name) for field in fields(self)]


def _identified(sop_class: UID, number: int, modality: str) -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = f"{ROOT}.1.{number}"
    ds.StudyDate, ds.StudyTime = "20260102", "030405"
    ds.AccessionNumber = f"A{number}"
    ds.Modality = modality
    ds.PatientName = "Sample^Säm"
    ds.PatientID = "SAMPLE"
    ds.PatientBirthDate, ds.PatientSex = "19700101", "O"
    ds.StudyInstanceUID = f"{ROOT}.2"
    ds.SeriesInstanceUID = f"{ROOT}.3.{number}"
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "1", number, 1
    ds.ReferringPhysicianName = ""
    return ds


def _image(sop_class: UID, number: int, modality: str, size: int, *, bits: int = 16, colours: int = 1) -> Dataset:
    ds = _identified(sop_class, number, modality)
    ds.SamplesPerPixel = colours
    ds.PhotometricInterpretation = "RGB" if colours == 3 else "MONOCHROME2"
    if colours == 3:
        ds.PlanarConfiguration = 0
    ds.Rows = ds.Columns = size
    ds.BitsAllocated = ds.BitsStored = bits
    ds.HighBit, ds.PixelRepresentation = bits - 1, 0
    length = size * size * colours * bits // 8
    ds.PixelData = (bytes(range(251)) * (length // 251 + 1))[:length] + bytes(length % 2)
    ds["PixelData"].VR = "OB" if bits == 8 else "OW"
    return ds


def _report(number: int) -> Dataset:
    ds = _identified(BasicTextSRStorage, number, "SR")
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "UNVERIFIED"
    title, text = Dataset(), Dataset()
    title.CodeValue, title.CodingSchemeDesignator, title.CodeMeaning = "18748-4", "LN", "Diagnostic imaging report"
    text.RelationshipType, text.ValueType, text.TextValue = "CONTAINS", "TEXT", "Ohne Befund. Всё в порядке. 異常なし。"
    text.ConceptNameCodeSequence = [title]
    ds.ConceptNameCodeSequence = [title]
    ds.ContentSequence = [text]
    return ds


def make_samples(folder: Path) -> Samples:
    """Write one file of each kind into a folder."""
    made: dict[str, tuple[Dataset, UID]] = {
        "ct": (_image(CTImageStorage, 1, "CT", 64), ExplicitVRLittleEndian),
        "mr": (_image(MRImageStorage, 2, "MR", 64), ImplicitVRLittleEndian),
        "sc": (_image(SecondaryCaptureImageStorage, 3, "OT", 32, bits=8, colours=3), ExplicitVRBigEndian),
        "odd": (_image(SecondaryCaptureImageStorage, 4, "OT", 3, bits=8), ExplicitVRLittleEndian),
        "sr": (_report(5), ImplicitVRLittleEndian),
        "big": (_image(CTImageStorage, 6, "CT", 512), ExplicitVRLittleEndian),
    }
    for name, (ds, transfer_syntax) in made.items():
        _write(folder / f"{name}.dcm", ds, transfer_syntax)
    return Samples(**{name: folder / f"{name}.dcm" for name in made})


def make_worklist_item(folder: Path) -> Path:
    """Write one item of a modality worklist, as `wlmscpfs` reads it."""
    ds = _identified(MODALITY_WORKLIST_FIND, 7, "CT")
    del ds.SeriesInstanceUID, ds.SeriesNumber, ds.InstanceNumber, ds.Modality
    step = Dataset()
    step.Modality, step.ScheduledStationAETitle = "CT", "CT1"
    step.ScheduledProcedureStepStartDate, step.ScheduledProcedureStepStartTime = "20260102", "080000"
    step.ScheduledPerformingPhysicianName, step.ScheduledProcedureStepDescription = "", "Thorax"
    step.ScheduledProcedureStepID, step.ScheduledStationName, step.ScheduledProcedureStepLocation = "S7", "", ""
    ds.ScheduledProcedureStepSequence = [step]
    ds.RequestedProcedureID, ds.RequestedProcedureDescription, ds.RequestedProcedurePriority = "R7", "Thorax", "LOW"
    return _write(folder / "item.wl", ds, ExplicitVRLittleEndian)


def _write(path: Path, ds: Dataset, transfer_syntax: UID) -> Path:
    ds.ensure_file_meta()
    ds.file_meta.TransferSyntaxUID = transfer_syntax
    path.parent.mkdir(parents=True, exist_ok=True)
    dcmwrite(path, ds, enforce_file_format=True)
    return path


def data_set_bytes(path: Path) -> bytes:
    """The encoded data set of a file: what follows the file meta information (PS3.10 §7.1), undecoded."""
    data = path.read_bytes()
    head = data[META_GROUP_LENGTH]
    assert data[PREAMBLE : PREAMBLE + 4] == b"DICM", f"{path} is no DICOM file"
    assert head[:8] == b"\x02\x00\x00\x00UL\x04\x00", f"{path} does not begin with (0002,0000)"
    return data[META_GROUP_LENGTH.stop + int.from_bytes(head[8:], "little") :]


def assert_same_object(sent: Path, received: Path) -> None:
    """Compare SOP class, instance and transfer syntax of two files, and their data sets byte for byte."""
    metas = [dcmread(path, stop_before_pixels=True).file_meta for path in (sent, received)]
    keys = ("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID")
    here, there = ([str(meta[key].value) for key in keys] for meta in metas)
    assert here == there, f"{received} is {there}, {sent} is {here}"
    ours, theirs = data_set_bytes(sent), data_set_bytes(received)
    if ours != theirs:
        at = next((at for at, pair in enumerate(zip(ours, theirs, strict=False)) if len(set(pair)) > 1), None)
        at = min(len(ours), len(theirs)) if at is None else at
        raise AssertionError(
            f"{received} ({len(theirs)} bytes) differs from {sent} ({len(ours)}) at byte {at} of the data set: "
            f"{theirs[at : at + 16].hex(' ')} for {ours[at : at + 16].hex(' ')}"
        )


def assert_same_objects(sent: list[Path], received: list[Path]) -> None:
    """Compare two lists of files, matched by SOP instance UID."""
    ours, theirs = _by_instance(sent), _by_instance(received)
    assert sorted(ours) == sorted(theirs), f"received {sorted(theirs)}, sent {sorted(ours)}"
    for instance, path in ours.items():
        assert_same_object(path, theirs[instance])


def _by_instance(paths: list[Path]) -> dict[str, Path]:
    return {str(dcmread(path, stop_before_pixels=True).SOPInstanceUID): path for path in paths}
