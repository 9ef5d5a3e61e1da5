"""Queries, retrievals and the worklist with DCMTK, in each role."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from dicomsim.negotiation_items import build_role
from dicomsim.presentation import build_context
from tests.interop import peers
from tests.interop.our_archive import STUDY_FIND, STUDY_GET, STUDY_MOVE, WORKLIST, Archive, our_archive, requesting
from tests.interop.peers import HOST
from tests.interop.samples import Samples, assert_same_objects
from tests.interop.tools import ToolResult, run_tool

if TYPE_CHECKING:
    from tests.interop.peers import Peer

pytestmark = pytest.mark.slow

MODELS = ["-S", "-P", "-O"]
STUDY = ["-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", "-k", "PatientID"]
EXPLICIT = "1.2.840.10008.1.2.1"


def _scu(program: str, port: int, *options: object) -> ToolResult:
    return run_tool([program, "-v", "-aec", "DICOMSIM", *options, HOST, port])


def _identifier(level: str = "STUDY", **keys: Any) -> Dataset:
    dataset = Dataset()
    dataset.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(dataset, keyword, value)
    return dataset


# -- DCMTK asks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("syntax", ["-xe", "-xb", "-xd", "-xi"])
def test_findscu_finds_what_we_have(model: str, syntax: str, samples: Samples, tmp_path: Path) -> None:
    with our_archive(samples, tmp_path / "ours") as (ae, server):
        done = _scu("findscu", server.address[1], model, syntax, *STUDY).check()
    assert len(samples.all()) == done.output.count("(0010,0020) LO [SAMPLE]")
    assert "Received Final Find Response (Success)" in done.output
    assert ["STUDY"] == [one.QueryRetrieveLevel for one in ae.queries]


def test_findscu_gets_nothing_for_a_patient_we_do_not_have(samples: Samples, tmp_path: Path) -> None:
    with our_archive(samples, tmp_path / "ours") as (_, server):
        done = _scu("findscu", server.address[1], "-S", *STUDY[:-2], "-k", "PatientID=NOBODY").check()
    assert "Pending" not in done.output
    assert "Received Final Find Response (Success)" in done.output


def test_findscu_cancels_a_long_query(samples: Samples, tmp_path: Path) -> None:
    with our_archive(samples, tmp_path / "ours") as (ae, server):
        done = _scu("findscu", server.address[1], "-S", "--cancel", 3, *STUDY, "-k", "ImageComments")
    assert ae.cancelled.is_set()
    assert 3 == done.output.count("(Pending)")
    assert "Received Final Find Response (Cancel: MatchingTerminatedDueToCancelRequest)" in done.output


def test_findscu_asks_for_a_worklist(samples: Samples, tmp_path: Path) -> None:
    with our_archive(samples, tmp_path / "ours") as (_, server):
        done = _scu("findscu", server.address[1], "-W", "-k", "PatientID=SAMPLE", "-k", "PatientName").check()
    assert 1 + len(samples.all()) == done.output.count("(0010,0020) LO [SAMPLE]"), "the query itself is shown, too"


@pytest.mark.parametrize("model", MODELS)
def test_getscu_gets_what_we_have(model: str, samples: Samples, tmp_path: Path) -> None:
    received = tmp_path / "received"
    received.mkdir()
    with our_archive(samples, tmp_path / "ours") as (_, server):
        options = ["+B", "-od", received, "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID"]
        done = _scu("getscu", server.address[1], model, *options).check()
    assert f"Number of Completed Suboperations : {len(samples.all())}" in done.output
    assert len(samples.all()) == len(list(received.iterdir()))


def test_movescu_has_us_send_to_it(samples: Samples, tmp_path: Path) -> None:
    received, port = tmp_path / "received", peers.free_port()
    received.mkdir()
    with our_archive(samples, tmp_path / "ours", {"MOVESCU": port}) as (_, server):
        options = ["--port", port, "-aet", "MOVESCU", "-aem", "MOVESCU", "-od", received, "+xa"]
        done = _scu("movescu", server.address[1], "-S", *options, *STUDY[:4]).check()
    assert "Received Final Move Response (Success)" in done.output
    sent = {str(dcmread(path).SOPInstanceUID) for path in samples.all()}
    assert sent == {str(dcmread(path, force=True).SOPInstanceUID) for path in received.iterdir()}


def test_movescu_has_us_send_to_somebody_else(storescp: Peer, samples: Samples, tmp_path: Path) -> None:
    with our_archive(samples, tmp_path / "ours", {"STORESCP": storescp.port}) as (_, server):
        _scu("movescu", server.address[1], "-S", "-aem", "STORESCP", *STUDY[:4]).check()
        done = _scu("movescu", server.address[1], "-S", "-aem", "NOBODY", *STUDY[:4])
    assert_same_objects(samples.all(), storescp.objects())
    assert "MoveDestinationUnknown" in done.output.replace(" ", "")


# -- DCMTK answers ----------------------------------------------------------------------------------------------------


def _fill(peer: Peer, samples: Samples) -> None:
    storing = requesting()
    pairs = {(str(dcmread(path).SOPClassUID), str(dcmread(path).file_meta.TransferSyntaxUID)) for path in samples.all()}
    contexts = [build_context(uid, syntax) for uid, syntax in sorted(pairs)]
    with storing.associate(HOST, peer.port, contexts=contexts, ae_title=peer.aet) as association:
        assert [0x0000] * len(samples.all()) == [association.send_c_store(path).Status for path in samples.all()]


def test_we_find_what_dcmqrscp_has(dcmqrscp: Peer, samples: Samples) -> None:
    _fill(dcmqrscp, samples)
    with requesting(STUDY_FIND).associate(HOST, dcmqrscp.port, ae_title="ARCH") as association:
        query = _identifier("SERIES", StudyInstanceUID="2.25.120104030201.2", SeriesInstanceUID="", Modality="")
        pairs = list(association.send_c_find(query, query_model="S"))
        assert [0x0000] == [status.Status for status, _ in pairs if status.Status not in (0xFF00, 0xFF01)]
        found = sorted(answer.Modality for _, answer in pairs if answer is not None)
        assert sorted(str(dcmread(path).Modality) for path in samples.all()) == found


def test_we_get_what_dcmqrscp_has(dcmqrscp: Peer, samples: Samples, tmp_path: Path) -> None:
    _fill(dcmqrscp, samples)
    ae = Archive([], tmp_path / "ours")
    classes = sorted({str(dcmread(path).SOPClassUID) for path in samples.all()})
    contexts = [build_context(STUDY_GET), *(build_context(uid) for uid in classes)]
    roles = [build_role(uid, scp_role=True) for uid in classes]
    with ae.associate(HOST, dcmqrscp.port, contexts=contexts, ae_title="ARCH", ext_neg=roles) as association:
        responses = list(association.c_get(_identifier(StudyInstanceUID="2.25.120104030201.2"), query_model="S"))
    assert (0x0000, len(samples.all())) == (responses[-1].status, responses[-1].number_of_completed_suboperations)
    assert len(samples.all()) == len(ae.received)


def test_we_have_dcmqrscp_send_to_us(samples: Samples, tmp_path: Path) -> None:
    ae = Archive([], tmp_path / "ours")
    with (
        ae.start_server((HOST, 0)) as server,
        peers.dcmqrscp(tmp_path / "dcmqrscp", destinations={"DICOMSIM": server.address[1]}) as peer,
    ):
        _fill(peer, samples)
        with requesting(STUDY_MOVE).associate(HOST, peer.port, ae_title="ARCH") as association:
            identifier = _identifier(StudyInstanceUID="2.25.120104030201.2")
            statuses = [status for status, _ in association.send_c_move(identifier, "DICOMSIM", query_model="S")]
            assert (0x0000, len(samples.all())) == (statuses[-1].Status, statuses[-1].NumberOfCompletedSuboperations)
            (refused, _) = list(association.send_c_move(identifier, "NOBODY", query_model="S"))[-1]
            assert refused.Status == 0xA801
    assert len(samples.all()) == len(ae.received)


def test_we_cancel_a_query_of_dcmqrscp(dcmqrscp: Peer, samples: Samples) -> None:
    _fill(dcmqrscp, samples)
    with requesting(STUDY_FIND).associate(HOST, dcmqrscp.port, ae_title="ARCH") as association:
        query = _identifier("SERIES", StudyInstanceUID="2.25.120104030201.2", SeriesInstanceUID="")
        answers = association.c_find(query, query_model="S")
        next(answers)
        answers.cancel()
        assert [answer.status for answer in answers][-1] in (0x0000, 0xFE00)
        assert 0x0000 == list(association.c_find(query, query_model="S"))[-1].status


def test_we_read_the_worklist_of_wlmscpfs(wlmscpfs: Peer) -> None:
    step = Dataset()
    step.Modality, step.ScheduledStationAETitle, step.ScheduledProcedureStepStartDate = "CT", "", ""
    query = Dataset()
    query.PatientName, query.PatientID = "*", ""
    query.ScheduledProcedureStepSequence = [step]
    with requesting(WORKLIST).associate(HOST, wlmscpfs.port, ae_title=wlmscpfs.aet) as association:
        pairs = list(association.send_c_find(query, query_model="W"))
        step.Modality = "MR"
        nothing = list(association.send_c_find(query, query_model="W"))
    (answer,) = [identifier for _, identifier in pairs if identifier is not None]
    assert ("SAMPLE", "CT1") == (
        answer.PatientID, answer.ScheduledProcedureStepSequence[0].ScheduledStationAETitle
    )  # fmt: skip
    assert [0x0000] == [status.Status for status, _ in nothing]
