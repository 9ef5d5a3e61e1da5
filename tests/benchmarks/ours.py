"""Our end of the benchmarks, a process of its own: `serve PORT [FOLDER]`, `store PORT FILE...`, `echo PORT COUNT`, …

What sends prints the seconds from the association request to the end of the release.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from dicomsim import events
from dicomsim.ae import AE
from dicomsim.association import Association
from dicomsim.capture.recorder import Recorder
from dicomsim.negotiation_items import build_role
from dicomsim.presentation import build_context
from dicomsim.services.storage import StoreTo
from tests.benchmarks.process import resident
from tests.benchmarks.workload import CT_IMAGE, EXPLICIT_LITTLE_ENDIAN

MAXIMUM_LENGTH = 131072
VERIFICATION = "1.2.840.10008.1.1"
STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
ASSOCIATIONS = 20
"""Associations of which `negotiate` takes the mean."""
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"


def entity() -> AE:
    """An AE for both roles, with large PDUs."""
    ae = AE(b"OURS")
    ae.maximum_pdu_size = MAXIMUM_LENGTH
    ae.maximum_associations = 10_000
    ae.requested_contexts = [
        build_context(VERIFICATION), build_context(CT_IMAGE, EXPLICIT_LITTLE_ENDIAN), build_context(STUDY_FIND)
    ]  # fmt: skip
    ae.supported_contexts = ae.requested_contexts
    return ae


def serve(port: str, folder: str = "") -> None:
    """Accept until killed, keeping objects in the folder if there is one."""
    ae = entity()
    ae.store_to = StoreTo.FILE if folder else StoreTo.NOWHERE
    ae.store_folder = Path(folder)
    ae.on_c_find = _matches
    ae.start_server(("127.0.0.1", int(port)), block=True)


def _matches(identifier: Any, context: Any, info: Any) -> Iterator[Any]:
    for number in range(int(identifier.PatientID)):
        yield 0xFF00, match(number)


def match(number: int) -> Any:
    """A match of ten attributes."""
    from pydicom.dataset import Dataset

    dataset = Dataset()
    dataset.QueryRetrieveLevel, dataset.RetrieveAETitle = "STUDY", "ARCHIVE"
    dataset.StudyDate, dataset.StudyTime, dataset.AccessionNumber = "20260102", "030405", f"A{number}"
    dataset.ModalitiesInStudy, dataset.StudyDescription = "CT", "Thorax"
    dataset.PatientName, dataset.PatientID = f"Sample^{number}", str(number)
    dataset.StudyInstanceUID = f"1.2.3.{number}"
    return dataset


def find(port: str, count: str) -> float:
    """One query with so many matches; of each the patient is looked at."""
    from pydicom.dataset import Dataset

    query = Dataset()
    query.QueryRetrieveLevel, query.PatientID = "STUDY", count

    def work(association: Association) -> None:
        found = [one.PatientID for _, one in association.send_c_find(query, query_model="S") if one is not None]
        if len(found) != int(count):
            raise RuntimeError(f"{len(found)} matches instead of {count}")

    return _timed(port, work)


def _timed(port: str, work: Callable[[Association], object]) -> float:
    ae = entity()
    start = perf_counter()
    with ae.associate("127.0.0.1", int(port), ae_title="ANY-SCP") as association:
        if association.outcome is not None:
            raise association.outcome.error()
        work(association)
    return perf_counter() - start


def store(port: str, folder: str) -> float:
    """Send every file of a folder on one association."""
    return _timed(port, lambda association: _store_each(association, folder))


def watched(port: str, folder: str) -> float:
    """The same with a subscriber for PDU events."""
    seen = []
    ae = entity()
    ae.events.add(lambda event: seen.append(len(event.data)), events.PduIn, events.PduOut)  # type: ignore[attr-defined]
    return _store_all(ae, port, folder)


def recorded(port: str, folder: str, capture: str, limit: str = "") -> float:
    """The same with everything recorded, or pixels within a limit; the time includes that the file is complete."""
    ae = entity()
    start = perf_counter()
    with Recorder(capture, payload_limit=int(limit) if limit else None) as recorder:
        ae.events.add(recorder)
        _store_all(ae, port, folder)
    return perf_counter() - start


def _store_each(association: Association, folder: str) -> None:
    files = sorted(Path(folder).iterdir())
    for file, response in zip(files, association.c_store_each(files), strict=True):
        if response.status:
            raise RuntimeError(f"{file}: status {response.status:04X}")


def _store_all(ae: AE, port: str, folder: str) -> float:
    start = perf_counter()
    with ae.associate("127.0.0.1", int(port)) as association:
        _store_each(association, folder)
    return perf_counter() - start


def echo(port: str, count: str) -> float:
    """So many C-ECHO on one association."""

    def work(association: Association) -> None:
        for _ in range(int(count)):
            association.c_echo()

    return _timed(port, work)


def associate(port: str, count: str) -> float:
    """So many associations with one C-ECHO each, one after the other."""
    ae = entity()
    start = perf_counter()
    for _ in range(int(count)):
        with ae.associate("127.0.0.1", int(port)) as association:
            association.c_echo()
    return perf_counter() - start


def crowd(port: str, count: str, folder: str) -> float:
    """So many associations at once, each of which sends every file of a folder; prints what memory that took."""
    files = sorted(Path(folder).iterdir())
    ae = entity()
    associations = [ae.associate("127.0.0.1", int(port)) for _ in range(int(count))]
    start = perf_counter()
    for file in files:
        for answer in [association.submit("c_store", file) for association in associations]:
            if answer.result(60).status:
                raise RuntimeError(f"{file}: it was not taken")
    seconds = perf_counter() - start
    print(_peak())
    for association in associations:
        association.release()
    return seconds


def send(port: str, path: str) -> float:
    """Send one file, and print what memory that took."""
    seconds = _timed(port, lambda association: association.c_store(path))
    print(_peak())
    return seconds


def archive(port: str, path: str) -> None:
    """Accept until killed; whoever asks for anything by C-GET gets that file."""

    def on_c_get(*_: object) -> Iterator[object]:
        yield 1
        yield 0xFF00, path

    ae = entity()
    ae.on_c_get = on_c_get
    ae.supported_contexts = [*entity().supported_contexts, build_context(STUDY_ROOT_GET)]
    for context in ae.supported_contexts:
        context.scp_role = context.scu_role = True
    ae.start_server(("127.0.0.1", int(port)), block=True)


def get(port: str) -> float:
    """Fetch the one object of an archive and forget it, and print what memory that took."""
    from pydicom.dataset import Dataset

    ae = entity()
    ae.store_to = StoreTo.NOWHERE
    ae.requested_contexts = [build_context(STUDY_ROOT_GET), build_context(CT_IMAGE, EXPLICIT_LITTLE_ENDIAN)]
    role = build_role(CT_IMAGE, scp_role=True)
    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    start = perf_counter()
    with ae.associate("127.0.0.1", int(port), ext_neg=[role]) as association:
        final = list(association.c_get(query, query_model="S"))[-1]
        if final.status:
            raise RuntimeError(final.describe())
    seconds = perf_counter() - start
    print(_peak())
    return seconds


def negotiate(port: str, count: str) -> float:
    """Associations with so many contexts, one after the other; seconds of each."""
    ae = entity()
    ae.requested_contexts = [build_context(VERIFICATION) for _ in range(int(count))]
    start = perf_counter()
    for _ in range(ASSOCIATIONS):
        with ae.associate("127.0.0.1", int(port)) as association:
            if association.outcome is not None:
                raise association.outcome.error()
    return (perf_counter() - start) / ASSOCIATIONS


def _peak() -> float:
    """MB that this process had at most; `ru_maxrss` would be that of the process that has started it, too."""
    return resident(os.getpid(), most=True)


COMMANDS: dict[str, Callable[..., float | None]] = {
    "serve": serve,
    "store": store,
    "echo": echo,
    "associate": associate,
    "find": find,
    "watched": watched,
    "recorded": recorded,
    "crowd": crowd,
    "send": send,
    "archive": archive,
    "get": get,
    "negotiate": negotiate,
}

if __name__ == "__main__":
    seconds = COMMANDS[sys.argv[1]](*sys.argv[2:])
    if seconds is not None:
        print(seconds)
