"""The object that scenarios store: a secondary capture of eight by eight pixels with a UID of its own, as bytes.

It is written element by element, so that nothing is needed to make it and nothing is in it that is not here.
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dicomsim.upper_layer.negotiation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

SOP_CLASS_UID: Final = "1.2.840.10008.5.1.4.1.1.7"
"""Secondary Capture Image Storage: nearly every storage SCP takes it."""
IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
TRANSFER_SYNTAXES: Final = (IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG)
"""What it can be encoded in."""
PATIENT_ID: Final = "DICOMSIM"
"""By which an archive's owner finds and removes what scenarios have stored."""

_LONG_FORM: Final = ("OB", "OW")
"""VRs whose length has four bytes in explicit VR. PS3.5 §7.1.2."""
_PADDING: Final = {"UI": b"\0"}

Element = tuple[int, str, str | int | bytes]


def new_uid() -> str:
    """A UID from a random number, PS3.5 §B.2."""
    return f"2.25.{uuid.uuid4().int}"


@dataclass(frozen=True, slots=True)
class Sample:
    """One instance."""

    instance_uid: str = field(default_factory=new_uid)
    """SOP Instance UID."""
    study_uid: str = field(default_factory=new_uid)
    """Study Instance UID; the series has it with a 1 behind."""

    def elements(self) -> list[Element]:
        """Tag, VR and value, in the order of the tags."""
        return [
            (0x00080008, "CS", "DERIVED\\SECONDARY"),
            (0x00080016, "UI", SOP_CLASS_UID),
            (0x00080018, "UI", self.instance_uid),
            (0x00080020, "DA", "20200101"),
            (0x00080030, "TM", "120000"),
            (0x00080050, "SH", ""),
            (0x00080060, "CS", "OT"),
            (0x00080064, "CS", "WSD"),
            (0x00080090, "PN", ""),
            (0x00100010, "PN", "DICOMSIM^SAMPLE"),
            (0x00100020, "LO", PATIENT_ID),
            (0x00100030, "DA", ""),
            (0x00100040, "CS", "O"),
            (0x0020000D, "UI", self.study_uid),
            (0x0020000E, "UI", f"{self.study_uid[:60]}.1"),
            (0x00200010, "SH", "1"),
            (0x00200011, "IS", "1"),
            (0x00200013, "IS", "1"),
            (0x00280002, "US", 1),
            (0x00280004, "CS", "MONOCHROME2"),
            (0x00280010, "US", 8),
            (0x00280011, "US", 8),
            (0x00280100, "US", 8),
            (0x00280101, "US", 8),
            (0x00280102, "US", 7),
            (0x00280103, "US", 0),
            (0x7FE00010, "OB", bytes(range(0, 256, 4))),
        ]

    def encode(self, transfer_syntax: str = IMPLICIT_LITTLE) -> bytes:
        """The data set; a transfer syntax that it cannot be encoded in counts as explicit VR little endian."""
        order = ">" if transfer_syntax == EXPLICIT_BIG else "<"
        implicit = transfer_syntax == IMPLICIT_LITTLE
        # Pixel Data is OW in implicit VR, which for bytes is the same in little endian. PS3.5 §A.1
        return b"".join(_encode(element, order, implicit) for element in self.elements())

    def write(self, path: Path) -> None:
        """A DICOM file in explicit VR little endian. PS3.10 §7."""
        meta = b"".join(
            _encode(element, "<", implicit=False)
            for element in (
                (0x00020001, "OB", b"\0\1"),
                (0x00020002, "UI", SOP_CLASS_UID),
                (0x00020003, "UI", self.instance_uid),
                (0x00020010, "UI", EXPLICIT_LITTLE),
                (0x00020012, "UI", IMPLEMENTATION_CLASS_UID),
                (0x00020013, "SH", IMPLEMENTATION_VERSION_NAME),
            )
        )
        length = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta))
        path.write_bytes(bytes(128) + b"DICM" + length + meta + self.encode(EXPLICIT_LITTLE))


def _encode(element: Element, order: str, implicit: bool) -> bytes:
    tag, vr, value = element
    data = struct.pack(f"{order}H", value) if isinstance(value, int) else value
    if isinstance(data, str):
        data = data.encode("ascii")
    if len(data) % 2:
        data += _PADDING.get(vr, b" ")
    head = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)
    if implicit:
        return head + struct.pack("<I", len(data)) + data
    if vr in _LONG_FORM:
        return head + vr.encode() + struct.pack(f"{order}HI", 0, len(data)) + data
    return head + vr.encode() + struct.pack(f"{order}H", len(data)) + data
