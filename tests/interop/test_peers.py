"""The peers start, answer and end, and a peer that does not start says why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.interop import peers
from tests.interop.samples import assert_same_object, assert_same_objects
from tests.interop.tools import pynetdicom, run_tool

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.peers import Certificate, Peer
    from tests.interop.samples import Samples

pytestmark = pytest.mark.slow

FIXTURES = (
    "storescp",
    "dcmqrscp",
    "wlmscpfs",
    "orthanc",
    "simple_storage",
    "pynetdicom_echoscp",
    "pynetdicom_storescp",
    "pynetdicom_qrscp",
)


@pytest.mark.parametrize("fixture", FIXTURES)
def test_every_peer_answers_an_echo(fixture: str, request: pytest.FixtureRequest) -> None:
    peer: Peer = request.getfixturevalue(fixture)
    done = run_tool(["echoscu", "-v", "-aec", peer.aet, peers.HOST, peer.port]).check()
    assert "Received Echo Response (Success)" in done.output
    assert peer.is_running()


def test_storescp_answers_an_echo_over_tls(tls_storescp: Peer, certificate: Certificate) -> None:
    secure = ["+tla", "+cf", certificate.certificate]
    run_tool(["echoscu", *secure, "-aec", tls_storescp.aet, peers.HOST, tls_storescp.port]).check()


@pytest.mark.parametrize("sender", ["storescu", "dcmsend"])
def test_storescp_keeps_objects_byte_for_byte(sender: str, samples: Samples, tmp_path: Path) -> None:
    sent = [samples.ct, samples.odd, samples.big]
    with peers.storescp(tmp_path, "--fork") as peer:
        run_tool([sender, "-aec", peer.aet, peers.HOST, peer.port, *sent]).check()
        assert_same_objects(sent, peer.objects())


def test_orthanc_shows_what_it_stored(orthanc: Peer, samples: Samples, tmp_path: Path) -> None:
    run_tool(["storescu", "-aec", orthanc.aet, peers.HOST, orthanc.port, samples.ct]).check()
    (instance,) = json.loads(orthanc.rest("/instances"))
    received = tmp_path / "received.dcm"
    received.write_bytes(orthanc.rest(f"/instances/{instance}/file"))
    assert_same_object(samples.ct, received)


def test_dcmqrscp_moves_an_object_to_storescp(samples: Samples, tmp_path: Path) -> None:
    with (
        peers.storescp(tmp_path / "storescp") as destination,
        peers.dcmqrscp(tmp_path / "dcmqrscp", destinations={destination.aet: destination.port}) as archive,
    ):
        run_tool(["storescu", "-aec", archive.aet, peers.HOST, archive.port, samples.ct]).check()
        level = ["-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=2.25.120104030201.2"]
        found = run_tool(["findscu", "-aec", archive.aet, *level, peers.HOST, archive.port]).check()
        assert "2.25.120104030201.2" in found.output
        run_tool(["movescu", "-aec", archive.aet, "-aem", destination.aet, *level, peers.HOST, archive.port]).check()
        assert_same_objects([samples.ct], destination.objects())


def test_getscu_retrieves_an_object_from_pynetdicom(pynetdicom_qrscp: Peer, samples: Samples, tmp_path: Path) -> None:
    archive = pynetdicom_qrscp
    run_tool(pynetdicom("storescu", peers.HOST, archive.port, samples.mr, "-aec", archive.aet)).check()
    level = ["-P", "-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientID=SAMPLE"]
    run_tool(["getscu", "+B", "-od", tmp_path, "-aec", archive.aet, *level, peers.HOST, archive.port]).check()
    assert_same_objects([samples.mr], [path for path in tmp_path.iterdir() if path.is_file()])


def test_wlmscpfs_finds_its_worklist_item(wlmscpfs: Peer) -> None:
    keys = ["-k", "PatientID", "-k", "ScheduledProcedureStepSequence[0].Modality=CT"]
    found = run_tool(["findscu", "-W", "-aec", wlmscpfs.aet, *keys, peers.HOST, wlmscpfs.port]).check()
    assert "SAMPLE" in found.output


def test_ctn_and_odil_can_ask_too(storescp: Peer) -> None:
    run_tool(["dicom_echo", "-a", "SCU", "-c", storescp.aet, peers.HOST, storescp.port]).check()
    run_tool(["odil", "echo", peers.HOST, storescp.port, "SCU", storescp.aet]).check()


def test_a_peer_that_cannot_start_fails_at_once_with_its_log(tmp_path: Path) -> None:
    died = r"storescp ended with 1 before it listened:\n(.*\n)*.*--no-such-option"
    with pytest.raises(pytest.fail.Exception, match=died), peers.storescp(tmp_path, "--no-such-option"):
        raise AssertionError("it must not start")


def test_a_peer_is_gone_when_its_block_ends(tmp_path: Path) -> None:
    with peers.storescp(tmp_path, "--fork") as peer:
        assert peer.port in peers.listening_ports()
        assert peer.is_running()
        run_tool(["echoscu", peers.HOST, peer.port]).check()
    assert peer.port not in peers.listening_ports()
    assert not peer.is_running()
    assert "Association Received" in peer.log()


def test_no_port_is_given_twice() -> None:
    assert 50 == len({peers.free_port() for _ in range(50)})
