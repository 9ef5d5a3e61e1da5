"""DICOM files and the calls of the command line that send them; no data set here is a real one, for none is decoded."""

from __future__ import annotations

from pathlib import Path

from dicomsim.part10 import file_meta

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
DICOMDIR = "1.2.840.10008.1.3.10"
IMPLICIT, EXPLICIT, JPEG_2000 = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.91"


def write_file(
    path: Path, instance: str, sop_class: str = CT, transfer_syntax: str = EXPLICIT, data: bytes = b"\x08\0\x05\0CS\0\0"
) -> Path:
    """Write a DICOM file whose data set is these bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file_meta(sop_class, instance, transfer_syntax, "2.25.1", "TEST") + data)
    return path
