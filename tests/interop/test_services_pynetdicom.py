"""The N-services, queries and retrievals with pynetdicom 3, in each role."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from dicomsim.ae import AE
from dicomsim.events import Event, MessageOut
from dicomsim.presentation import build_context
from tests.interop import peers
from tests.interop.our_archive import STUDY_FIND, our_archive, requesting
from tests.interop.peers import HOST, free_port, running
from tests.interop.samples import Samples
from tests.interop.tools import peer_python, pynetdicom, run_tool
from tests.meeting import LIMIT

pytestmark = pytest.mark.slow

RT_VERIFICATION = "1.2.840.10008.5.1.4.34.8"  # has all six services
MPPS = "1.2.840.10008.3.1.2.3.3"
PRINT, FILM_SESSION = "1.2.840.10008.5.1.1.9", "1.2.840.10008.5.1.1.1"
INSTANCE = "1.2.3.4"

PROVIDER = """
import sys
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

def answer(event):
    dataset = Dataset()
    dataset.PatientID = type(event.request).__name__
    dataset.PatientComments = str(getattr(event, "action_type", ""))
    return 0x0000, dataset

def get(event):
    dataset = Dataset()
    for tag in event.attribute_identifiers:
        dataset.add_new(tag, "LO", "x")
    return 0x0000, dataset

ae = AE("PYNETDICOM")
for uid in sys.argv[2:]:
    ae.add_supported_context(uid)
handlers = [(evt.EVT_N_CREATE, answer), (evt.EVT_N_SET, answer), (evt.EVT_N_ACTION, answer), (evt.EVT_N_GET, get),
            (evt.EVT_N_DELETE, lambda event: 0x0112)]
ae.start_server(("127.0.0.1", int(sys.argv[1])), evt_handlers=handlers)
"""

USER = """
import sys
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

UID, PRINT, FILM, INSTANCE = sys.argv[2:]
dataset = Dataset()
dataset.PatientID = "asked"

def reported(event):
    print("event", event.event_type, event.event_information.PatientID)
    return 0x0000, None

ae = AE("PYNETDICOM")
ae.add_requested_context(UID)
ae.add_requested_context(PRINT)
association = ae.associate("127.0.0.1", int(sys.argv[1]), evt_handlers=[(evt.EVT_N_EVENT_REPORT, reported)])
assert association.is_established

def show(name, status, reply):
    print(name, f"{status.Status:04X}", reply.PatientID if reply is not None else None)

show("create", *association.send_n_create(dataset, UID, INSTANCE))
show("set", *association.send_n_set(dataset, UID, INSTANCE))
show("get", *association.send_n_get([0x00100020], UID, INSTANCE))
show("action", *association.send_n_action(dataset, 7, UID, INSTANCE))
show("film", *association.send_n_create(dataset, FILM, INSTANCE, meta_uid=PRINT))
show("delete", association.send_n_delete(UID, INSTANCE), None)
association.release()
"""


def _attributes(text: str = "x") -> Dataset:
    dataset = Dataset()
    dataset.PatientID = text
    return dataset


def test_we_ask_for_every_normalized_service(tmp_path: Path) -> None:
    port = free_port()
    command = [peer_python(), "-c", PROVIDER, port, RT_VERIFICATION, PRINT]
    with running(command, aet="PYNETDICOM", port=port, folder=tmp_path / "peer") as peer:
        ae = requesting(RT_VERIFICATION, PRINT)
        with ae.associate(HOST, peer.port, ae_title=peer.aet) as association:
            named: dict[str, Any] = {"class_uid": RT_VERIFICATION, "instance_uid": INSTANCE}
            replies = {
                "create": association.send_n_create(_attributes(), **named),
                "set": association.send_n_set(_attributes(), **named),
                "action": association.send_n_action(_attributes(), 7, **named),
                "get": association.send_n_get(["PatientID", "PatientName"], **named),
                "film": association.send_n_create(_attributes(), FILM_SESSION, INSTANCE),
            }
            deleted = association.send_n_delete(**named)
    answers = {name: (status.Status, reply) for name, (status, reply) in replies.items()}
    assert (0x0112, {0x0000}) == (deleted.Status, {status for status, _ in answers.values()})
    assert {"PatientID", "PatientName"} == {element.keyword for element in answers["get"][1] or ()}
    assert ["N_CREATE", "N_SET", "N_ACTION", "N_CREATE"] == [
        reply.PatientID for name, (_, reply) in answers.items() if name != "get" and reply is not None
    ]
    assert "7" == (answers["action"][1] or Dataset()).PatientComments


class Provider(AE):
    """Answers every normalized service, and tells of an event while it is asked for an action."""

    def __init__(self) -> None:
        super().__init__("DICOMSIM")
        for uid in (RT_VERIFICATION, PRINT):
            self.add_supported_context(uid)
        self.reported: list[int] = []

    def _answer(self, dataset: Dataset | None, context: Any, info: Any) -> tuple[int, Dataset]:
        return 0x0000, _attributes(info["parameters"].get("affected_sop_class", "set"))

    on_n_create = on_n_set = _answer

    def on_n_get(self, attributes: list[Any], context: Any, info: Any) -> Any:
        return 0x0000, _attributes(str(attributes[0]))

    def on_n_action(self, dataset: Dataset, context: Any, info: Any) -> Any:
        return 0x0000, _attributes(f"action {info['parameters']['action_type_id']}")

    def on_n_delete(self, context: Any, info: Any) -> int:
        return 0x0112


def test_we_answer_every_normalized_service() -> None:
    with Provider().start_server((HOST, 0)) as server:
        words = [peer_python(), "-c", USER, server.address[1], RT_VERIFICATION, PRINT, FILM_SESSION, INSTANCE]
        done = run_tool(words).check()
    assert [
        f"create 0000 {RT_VERIFICATION}",
        "set 0000 set",
        "get 0000 (0010,0020)",
        "action 0000 action 7",
        f"film 0000 {FILM_SESSION}",
        "delete 0112 None",
    ] == done.output.splitlines()


EVENT_USER = """
import sys, threading
from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.sop_class import ModalityPerformedProcedureStepNotification as UID

told = threading.Event()

def reported(event):
    print("event", event.event_type, event.event_information.PatientID)
    told.set()
    return 0x0000, None

ae = AE("PYNETDICOM")
ae.add_requested_context(UID)
ae.add_requested_context("1.2.840.10008.1.1")
association = ae.associate("127.0.0.1", int(sys.argv[1]), evt_handlers=[(evt.EVT_N_EVENT_REPORT, reported)])
assert association.is_established
assert association.send_c_echo().Status == 0  # from here on it can be told of something
assert told.wait(30)
association.release()
"""


def test_we_tell_of_events() -> None:
    notification = "1.2.840.10008.3.1.2.3.5"
    statuses: list[int | None] = []
    reports: list[threading.Thread] = []

    def report() -> None:
        (association,) = ae.active_associations
        statuses.append(association.n_event_report(_attributes("news"), 2, notification, INSTANCE).status)

    def sent(event: Event) -> None:  # pynetdicom aborts for what comes right behind the A-ASSOCIATE-AC
        if isinstance(event, MessageOut) and event.message.name == "C-ECHO-RSP":
            reports.append(threading.Thread(target=report))
            reports[-1].start()

    ae = AE("DICOMSIM")
    ae.add_supported_context(notification)
    ae.add_supported_context("1.2.840.10008.1.1")
    ae.events.add(sent, MessageOut)
    with ae.start_server((HOST, 0)) as server:
        done = run_tool([peer_python(), "-c", EVENT_USER, server.address[1]]).check()
        for one in reports:
            one.join(LIMIT)
    assert ("event 2 news\n", [0x0000]) == (done.output, statuses)


def test_findscu_and_getscu_of_pynetdicom_find_and_get(samples: Samples, tmp_path: Path) -> None:
    received = tmp_path / "received"
    received.mkdir()
    keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=", "-k", "PatientID=SAMPLE"]
    with our_archive(samples, tmp_path / "ours") as (_, server):
        found = run_tool(pynetdicom("findscu", HOST, server.address[1], "-S", "-v", *keys)).check()
        got = run_tool(pynetdicom("getscu", HOST, server.address[1], "-S", "-v", "-od", received, *keys)).check()
    assert len(samples.all()) == found.output.count("0xFF00 (Pending)")
    assert "0x0000 (Success)" in found.output
    assert "0x0000 (Success)" in got.output
    sent = {str(dcmread(path).SOPInstanceUID) for path in samples.all()}
    assert sent == {str(dcmread(path).SOPInstanceUID) for path in received.iterdir()}


def test_we_find_what_qrscp_of_pynetdicom_has(samples: Samples, tmp_path: Path) -> None:
    with peers.pynetdicom_qrscp(tmp_path / "qrscp") as peer:
        contexts = [build_context(str(dcmread(path).SOPClassUID)) for path in samples.all()]
        with requesting().associate(HOST, peer.port, contexts=contexts, ae_title=peer.aet) as association:
            assert {0x0000} == {association.send_c_store(path, convert=True).Status for path in samples.all()}
        with requesting(STUDY_FIND).associate(HOST, peer.port, ae_title=peer.aet) as association:
            query = Dataset()
            query.QueryRetrieveLevel, query.PatientID, query.StudyInstanceUID = "STUDY", "SAMPLE", ""
            pairs = list(association.send_c_find(query, query_model="S"))
    assert [0xFF00] * len(samples.all()) + [0x0000] == [status.Status for status, _ in pairs], "one an instance"
