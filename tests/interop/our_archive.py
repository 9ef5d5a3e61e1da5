"""An archive of ours for peers to query: it finds and sends what its files hold, and keeps what it is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset

from dicomsim.ae import AE
from dicomsim.presentation import build_context
from dicomsim.server import Server
from dicomsim.services.storage import StoreTo
from dicomsim.sop_class import ServiceClass, of_service
from dicomsim.transfer_syntax import DeflatedExplicitVRLittleEndian
from tests.interop.samples import Samples

NATIVE = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", str(DeflatedExplicitVRLittleEndian)]
STUDY_FIND, STUDY_MOVE, STUDY_GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))
LIMIT = 60.0
"""Seconds that a peer may take to cancel."""
WORKLIST = "1.2.840.10008.5.1.4.31"


def matches(query: Dataset, path: Path) -> Dataset | None:
    """The answer of a file to a query by patient ID and instance UIDs, with what was asked for; None if it differs."""
    stored = dcmread(path, stop_before_pixels=True)
    for keyword in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        value = query.get(keyword) or []
        wanted = [value] if isinstance(value, str) else list(value)
        if wanted and stored.get(keyword) not in wanted:
            return None
    answer = Dataset()
    answer.SpecificCharacterSet = stored.SpecificCharacterSet
    for element in query:
        if element.keyword == "QueryRetrieveLevel":
            answer[element.tag] = element
        elif element.tag in stored:
            answer[element.tag] = stored[element.tag]
        else:
            answer.add_new(element.tag, element.VR, None)
    answer.RetrieveAETitle = "DICOMSIM"
    return answer


class Archive(AE):
    """Holds files, answers for them in the three information models, and knows destinations by title."""

    def __init__(self, files: list[Path], folder: Path, destinations: dict[str, int] | None = None) -> None:
        super().__init__("DICOMSIM")
        self.files = files
        self.destinations = destinations or {}
        self.maximum_associations = 10
        self.store_to, self.store_folder = StoreTo.FILE, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.queries: list[Dataset] = []
        self.cancelled = threading.Event()
        for service in (ServiceClass.QUERY_RETRIEVE, ServiceClass.VERIFICATION):
            for sop_class in of_service(service, retired=True):
                self.add_supported_context(sop_class, NATIVE)
        for sop_class in of_service(ServiceClass.STORAGE):
            self.add_supported_context(sop_class, NATIVE, scu_role=True, scp_role=True)
        self.add_supported_context(WORKLIST, NATIVE)

    def on_c_find(self, dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        """Every file that matches; after three, a query that asks for comments waits for its C-CANCEL."""
        self.queries.append(dataset)
        for number, path in enumerate(self.files):
            if number == 3 and "ImageComments" in dataset:
                assert self.cancelled.wait(LIMIT)
            answer = matches(dataset, path)
            if answer is not None:
                yield 0xFF00, answer

    def on_c_find_cancel(self) -> bool:
        """A C-CANCEL has come."""
        self.cancelled.set()
        return True

    def on_c_get(self, dataset: Dataset, context: Any, info: Any) -> Iterator[Any]:
        """Every file that matches."""
        found = [path for path in self.files if matches(dataset, path) is not None]
        yield len(found)
        for path in found:
            yield 0xFF00, path

    def on_c_move(
        self, dataset: Dataset, move_aet: bytes, context: Any, info: Any
    ) -> Iterator[Any]:
        """The same, to the destination of that title."""
        port = self.destinations.get(move_aet.decode().strip())
        yield ("127.0.0.1", port) if port is not None else (None, None)
        yield from self.on_c_get(dataset, context, info)

    @property
    def received(self) -> list[Path]:
        """The files that it was sent."""
        return sorted(self.store_folder.glob("*.dcm"))


@contextmanager
def our_archive(
    samples: Samples, folder: Path, destinations: dict[str, int] | None = None
) -> Iterator[tuple[Archive, Server]]:
    """An archive with all samples, listening."""
    ae = Archive(samples.all(), folder, destinations)
    with ae.start_server(("127.0.0.1", 0)) as server:
        yield ae, server


def requesting(*sop_classes: str, transfer_syntaxes: list[str] | None = None) -> AE:
    """An AE that asks peers for these, in native transfer syntaxes."""
    ae = AE("DICOMSIM")
    ae.requested_contexts = [build_context(uid, transfer_syntaxes or NATIVE[:2]) for uid in sop_classes]
    return ae
