"""pynetdicom's end of the benchmarks, run by the interpreter that has it; the same commands as `ours.py`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

MAXIMUM_LENGTH = 131072
VERIFICATION = "1.2.840.10008.1.1"
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


def entity() -> Any:
    """An AE for both roles, with large PDUs."""
    ae = AE("THEIRS")
    ae.maximum_pdu_size = MAXIMUM_LENGTH
    ae.maximum_associations = 1000
    for context, syntax in ((VERIFICATION, None), (CT_IMAGE, EXPLICIT_LITTLE_ENDIAN), (STUDY_FIND, None)):
        arguments = (context,) if syntax is None else (context, syntax)
        ae.add_requested_context(*arguments)
        ae.add_supported_context(*arguments)
    return ae


def serve(port: str) -> None:
    """Accept until killed; objects are forgotten without being decoded."""
    handlers = [(evt.EVT_C_STORE, lambda event: 0x0000), (evt.EVT_C_FIND, _matches)]
    entity().start_server(("127.0.0.1", int(port)), evt_handlers=handlers)


def _matches(event: Any) -> Iterator[Any]:
    for number in range(int(event.identifier.PatientID)):
        yield 0xFF00, match(number)


def match(number: int) -> Any:
    """A match of ten attributes, the same as in `ours.py`."""
    dataset = Dataset()
    dataset.QueryRetrieveLevel, dataset.RetrieveAETitle = "STUDY", "ARCHIVE"
    dataset.StudyDate, dataset.StudyTime, dataset.AccessionNumber = "20260102", "030405", f"A{number}"
    dataset.ModalitiesInStudy, dataset.StudyDescription = "CT", "Thorax"
    dataset.PatientName, dataset.PatientID = f"Sample^{number}", str(number)
    dataset.StudyInstanceUID = f"1.2.3.{number}"
    return dataset


def find(port: str, count: str) -> float:
    """One query with so many matches; of each the patient is looked at."""
    query = Dataset()
    query.QueryRetrieveLevel, query.PatientID = "STUDY", count
    start = perf_counter()
    association = _established(port)
    found = [one.PatientID for _, one in association.send_c_find(query, STUDY_FIND) if one is not None]
    assert len(found) == int(count)
    association.release()
    return perf_counter() - start


def _established(port: str) -> Any:
    association = entity().associate("127.0.0.1", int(port), max_pdu=MAXIMUM_LENGTH)
    assert association.is_established
    return association


def store(port: str, folder: str) -> float:
    """Send every file of a folder on one association."""
    files = sorted(Path(folder).iterdir())
    start = perf_counter()
    association = _established(port)
    for file in files:
        assert association.send_c_store(dcmread(file)).Status == 0x0000
    association.release()
    return perf_counter() - start


def echo(port: str, count: str) -> float:
    """So many C-ECHO on one association."""
    start = perf_counter()
    association = _established(port)
    for _ in range(int(count)):
        assert association.send_c_echo().Status == 0x0000
    association.release()
    return perf_counter() - start


def associate(port: str, count: str) -> float:
    """So many associations with one C-ECHO each, one after the other."""
    start = perf_counter()
    for _ in range(int(count)):
        association = _established(port)
        assert association.send_c_echo().Status == 0x0000
        association.release()
    return perf_counter() - start


COMMANDS: dict[str, Callable[..., float | None]] = {
    "serve": serve,
    "store": store,
    "echo": echo,
    "associate": associate,
    "find": find,
}

if __name__ == "__main__":
    seconds = COMMANDS[sys.argv[1]](*sys.argv[2:])
    if seconds is not None:
        print(seconds)
