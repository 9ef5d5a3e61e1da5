"""Queries, retrievals and storage commitment with Orthanc, in each role."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from dicomsim.negotiation_items import build_role
from dicomsim.presentation import build_context
from tests.interop import peers
from tests.interop.our_archive import STUDY_FIND, STUDY_GET, STUDY_MOVE, Archive, requesting
from tests.interop.peers import HOST
from tests.interop.samples import Samples

if TYPE_CHECKING:
    from dicomsim.server import Server
    from tests.interop.peers import Peer

pytestmark = pytest.mark.slow

COMMITMENT, COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
STUDY = "2.25.120104030201.2"
LIMIT = 60.0


def _identifier(level: str = "STUDY", **keys: Any) -> Dataset:
    dataset = Dataset()
    dataset.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(dataset, keyword, value)
    return dataset


class Committing(Archive):
    """An archive that commits to what it holds, and hears of what others have committed to."""

    def __init__(self, files: list[Path], folder: Path) -> None:
        super().__init__(files, folder)
        self.add_supported_context(COMMITMENT, scu_role=True, scp_role=True)
        self.requested: list[Dataset] = []
        self.reported: list[tuple[int, Dataset]] = []
        self.was_asked, self.was_told = threading.Event(), threading.Event()

    def on_n_action(self, dataset: Dataset, context: Any, info: Any) -> int:
        """Remember what is to be committed to."""
        self.requested.append(dataset)
        self.was_asked.set()
        return 0x0000

    def on_n_event_report(self, dataset: Dataset, context: Any, info: Any) -> int:
        """Remember what was committed to."""
        self.reported.append((info["parameters"]["event_type_id"], dataset))
        self.was_told.set()
        return 0x0000


@contextmanager
def together(tmp_path: Path, files: list[Path]) -> Iterator[tuple[Committing, Server, Peer]]:
    """Our archive and Orthanc, which know each other."""
    ae = Committing(files, tmp_path / "ours")
    with (
        ae.start_server((HOST, 0)) as server,
        peers.orthanc(tmp_path / "orthanc", {"DICOMSIM": server.address[1]}) as peer,
    ):
        ae.destinations["ORTHANC"] = peer.port
        yield ae, server, peer


def _fill(peer: Peer, samples: Samples) -> list[str]:
    for path in samples.all():
        peer.rest("/instances", path.read_bytes())
    return [str(dcmread(path).SOPInstanceUID) for path in samples.all()]


def _rest(peer: Peer, path: str, **body: Any) -> Any:
    return json.loads(peer.rest(path, json.dumps(body).encode()))


# -- we ask -----------------------------------------------------------------------------------------------------------


def test_we_find_store_get_and_move(samples: Samples, tmp_path: Path) -> None:
    with together(tmp_path, []) as (ae, _, peer):
        classes = sorted({str(dcmread(path).SOPClassUID) for path in samples.all()})
        stored = [dcmread(path) for path in samples.all()]
        pairs = {(str(one.SOPClassUID), str(one.file_meta.TransferSyntaxUID)) for one in stored}
        storing = [build_context(uid, syntax) for uid, syntax in sorted(pairs)]
        with requesting().associate(HOST, peer.port, contexts=storing, ae_title=peer.aet) as association:
            assert [0x0000] * 6 == [association.send_c_store(path).Status for path in samples.all()]

        with requesting(STUDY_FIND).associate(HOST, peer.port, ae_title=peer.aet) as association:
            query = _identifier("IMAGE", StudyInstanceUID=STUDY, SOPInstanceUID="", SOPClassUID="")
            found = [one for _, one in association.send_c_find(query, query_model="S") if one is not None]
        assert classes == sorted({str(one.SOPClassUID) for one in found})
        assert len(samples.all()) == len(found)

        contexts = [build_context(STUDY_GET), *(build_context(uid) for uid in classes)]
        roles = [build_role(uid, scp_role=True) for uid in classes]
        with ae.associate(HOST, peer.port, contexts=contexts, ae_title=peer.aet, ext_neg=roles) as association:
            last = list(association.c_get(_identifier(StudyInstanceUID=STUDY), query_model="S"))[-1]
        assert (0x0000, len(samples.all())) == (last.status, len(ae.received))

        for path in ae.received:
            path.unlink()
        with requesting(STUDY_MOVE).associate(HOST, peer.port, ae_title=peer.aet) as association:
            identifier = _identifier(StudyInstanceUID=STUDY)
            status, _ = list(association.send_c_move(identifier, "DICOMSIM", query_model="S"))[-1]
        assert (0x0000, len(samples.all())) == (status.Status, len(ae.received))


def test_orthanc_commits_on_an_association_of_its_own(samples: Samples, tmp_path: Path) -> None:
    with together(tmp_path, []) as (ae, _, peer):
        instances = _fill(peer, samples)
        request = Dataset()
        request.TransactionUID = generate_uid()
        request.ReferencedSOPSequence = []
        for path in samples.all():
            item = Dataset()
            item.ReferencedSOPClassUID = dcmread(path).SOPClassUID
            item.ReferencedSOPInstanceUID = dcmread(path).SOPInstanceUID
            request.ReferencedSOPSequence.append(item)
        with requesting(COMMITMENT).associate(HOST, peer.port, ae_title=peer.aet) as association:
            status, _ = association.send_n_action(request, 1, COMMITMENT, COMMITMENT_INSTANCE)
            assert 0x0000 == status.Status
        assert ae.was_told.wait(LIMIT)
    ((event, report),) = ae.reported
    assert (1, request.TransactionUID) == (event, report.TransactionUID)
    assert sorted(instances) == sorted(str(one.ReferencedSOPInstanceUID) for one in report.ReferencedSOPSequence)


# -- Orthanc asks -----------------------------------------------------------------------------------------------------


def test_orthanc_finds_and_moves_what_we_have(samples: Samples, tmp_path: Path) -> None:
    with together(tmp_path, samples.all()) as (ae, _, peer):
        answer = _rest(peer, "/modalities/DICOMSIM/query", Level="Study", Query={"PatientID": "SAMPLE"})
        answers = json.loads(peer.rest(f"{answer['Path']}/answers"))
        assert len(samples.all()) == len(answers)
        assert ["SAMPLE"] == [one.PatientID for one in ae.queries]
        peer.rest(f"{answer['Path']}/answers/0/retrieve", b"ORTHANC")
        stored = json.loads(peer.rest("/instances"))
    assert len(samples.all()) == len(stored)


def test_orthanc_stores_and_has_us_commit(samples: Samples, tmp_path: Path) -> None:
    with together(tmp_path, []) as (ae, _, peer):
        _fill(peer, samples)
        resources = json.loads(peer.rest("/instances"))
        stored = _rest(peer, "/modalities/DICOMSIM/store", Resources=resources, Synchronous=True)
        assert 0 == stored["FailedInstancesCount"]
        assert len(samples.all()) == len(ae.received)

        asked = _rest(peer, "/modalities/DICOMSIM/storage-commitment", Resources=resources)
        assert ae.was_asked.wait(LIMIT)
        (request,) = ae.requested
        report = Dataset()
        report.TransactionUID, report.ReferencedSOPSequence = request.TransactionUID, request.ReferencedSOPSequence
        roles = [build_role(COMMITMENT, scp_role=True)]
        telling = requesting(COMMITMENT)
        with telling.associate(HOST, peer.port, ae_title=peer.aet, ext_neg=roles) as association:
            status, _ = association.send_n_event_report(report, 1, COMMITMENT, COMMITMENT_INSTANCE)
            assert 0x0000 == status.Status
        result = json.loads(peer.rest(asked["Path"]))
    assert "Success" == result["Status"]
    assert len(samples.all()) == len(result["Success"])
