"""A small archive over the loopback interface: handlers that find and retrieve what a test has put into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from dicomsim.ae import AE
from dicomsim.negotiation_items import SCP_SCU_RoleSelectionNegotiation, build_role
from dicomsim.part10 import file_meta
from dicomsim.presentation import PresentationContext, build_context
from tests.meeting import CT_IMAGE_STORAGE as CT
from tests.meeting import EXPLICIT, IMPLICIT
from tests.services.calls import encoded

STUDY_FIND, STUDY_MOVE, STUDY_GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))


def image(number: int, sop_class: str = CT) -> Dataset:
    """An object that is told from others by its number."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, f"1.2.3.{number}"
    dataset.PatientID = str(number)
    return dataset


def image_file(
    folder: Path, number: int, sop_class: str = CT, transfer_syntax: str = EXPLICIT, length: int = 0
) -> Path:
    """The same as a DICOM file, filled up to a length with what is no part of the object."""
    dataset = image(number, sop_class)
    path = folder / f"{number}.dcm"
    meta = file_meta(sop_class, str(dataset.SOPInstanceUID), transfer_syntax, "1.2.3", "TEST")
    path.write_bytes((meta + encoded(dataset, transfer_syntax)).ljust(length, b"\0"))
    return path


def query() -> Dataset:
    """An identifier."""
    dataset = Dataset()
    dataset.QueryRetrieveLevel, dataset.StudyInstanceUID = "STUDY", "1.2.3"
    return dataset


def sending(*items: Any, announced: int | None = None) -> Any:
    """An `on_c_get` that sends these: objects, files, or steps of its own."""

    def on_c_get(dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        yield len(items) if announced is None else announced
        for item in items:
            yield item if isinstance(item, tuple) else (0xFF00, item)

    return on_c_get


def moving(address: Any, *items: Any, announced: int | None = None) -> Any:
    """An `on_c_move` that sends these to an address."""

    def on_c_move(dataset: Dataset, move_aet: bytes, context: Any, info: Any) -> Iterator[Any]:
        yield address
        yield from sending(*items, announced=announced)(dataset, context, info)

    return on_c_move


def archive(*storage: str, **handlers: Any) -> AE:
    """An AE that can be queried, and that may send these SOP classes (by default CT images) with C-GET."""
    ae = AE("ARCHIVE")
    ae.maximum_associations = 10
    for uid in (STUDY_FIND, STUDY_MOVE, STUDY_GET):
        ae.add_supported_context(uid)
    for uid in storage or (CT,):
        ae.add_supported_context(uid, [IMPLICIT, EXPLICIT], scu_role=True, scp_role=True)
    for name, handler in handlers.items():
        setattr(ae, name, handler)
    return ae


def viewer(*storage: str, **handlers: Any) -> AE:
    """An AE that queries, and takes these SOP classes (by default CT images) with C-GET."""
    ae = AE("VIEWER")
    ae.requested_contexts = [build_context(uid) for uid in (STUDY_FIND, STUDY_MOVE, STUDY_GET)]
    for uid in storage or (CT,):
        ae.add_requested_context(uid, IMPLICIT)
    for name, handler in handlers.items():
        setattr(ae, name, handler)
    return ae


def as_scp(*storage: str) -> list[SCP_SCU_RoleSelectionNegotiation]:
    """Role selection for these SOP classes (by default CT images): the requestor is their SCP alone."""
    return [build_role(uid, scp_role=True) for uid in storage or (CT,)]


def contexts(*syntaxes: tuple[str, str]) -> list[PresentationContext]:
    """Contexts of a SOP class and one transfer syntax each."""
    return [build_context(uid, transfer_syntax) for uid, transfer_syntax in syntaxes]
