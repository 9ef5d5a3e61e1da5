"""`dicomsim echo`, `store` and `serve` against the toolkits that people have."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEG2000Lossless

from tests.interop import peers
from tests.interop.peers import HOST, free_port, running
from tests.interop.samples import Samples, assert_same_object, assert_same_objects, data_set_bytes
from tests.interop.tools import REPOSITORY, ToolResult, pynetdicom, run_tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.interop.peers import Certificate, Peer

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-c", "from dicomsim.cli import main; main()")
ENVIRONMENT = {"PYTHONPATH": str(REPOSITORY)}


def dicomsim(*words: object) -> ToolResult:
    """Run the command line to its end."""
    return run_tool([*COMMAND, *words], env=ENVIRONMENT)


@contextmanager
def serve(folder: Path, *options: object) -> Iterator[Peer]:
    """A running `dicomsim serve`, which keeps what it receives."""
    port = free_port()
    words = (*COMMAND, "serve", "--port", port, "--aet", "PEER", "--output", folder / "objects", *options)
    with running(words, aet="PEER", port=port, folder=folder, env=ENVIRONMENT) as peer:
        yield peer


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Peer]:
    """`dicomsim serve`."""
    with serve(tmp_path / "served") as peer:
        yield peer


@pytest.fixture
def compressed(samples: Samples, tmp_path: Path) -> Path:
    """A CT image that says it is JPEG 2000; nobody here looks whether it is."""
    ds = dcmread(samples.ct)
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = UID(f"{ds.SOPInstanceUID}.2000")
    ds.file_meta.TransferSyntaxUID = JPEG2000Lossless
    ds.PixelData = encapsulate([b"\xff\x4f\xff\x51" + bytes(range(250)) * 100])
    ds["PixelData"].VR = "OB"
    path = tmp_path / "compressed.dcm"
    dcmwrite(path, ds, enforce_file_format=True)
    return path


# -- as requestor ------------------------------------------------------------------------------------------------------

ACCEPTORS = (
    "storescp", "dcmqrscp", "wlmscpfs", "orthanc", "simple_storage", "pynetdicom_echoscp", "pynetdicom_storescp",
    "pynetdicom_qrscp",
)  # fmt: skip


@pytest.mark.parametrize("fixture", ACCEPTORS)
def test_echo_works_with_every_acceptor(fixture: str, request: pytest.FixtureRequest) -> None:
    peer: Peer = request.getfixturevalue(fixture)
    done = dicomsim("echo", peer.address, "-n", 3).check()
    assert "3 of 3 echoes answered with success" in done.output
    assert peer.is_running()


def test_echo_tells_a_rejection_of_dcmqrscp(dcmqrscp: Peer) -> None:
    done = dicomsim("echo", f"NOBODY@{HOST}:{dcmqrscp.port}").check(4)
    assert "rejected by acceptor in Sta5" in done.output
    assert "called AE title not recognized (1/1/7; PS3.8 9.3.4)" in done.output


def test_store_arrives_byte_for_byte_at_storescp(samples: Samples, tmp_path: Path) -> None:
    with peers.storescp(tmp_path, "-pdu", 131072) as peer:
        done = dicomsim("store", peer.address, *samples.all()).check()
        assert "6 of 6 files stored" in done.output
        assert_same_objects(samples.all(), peer.objects())


def test_store_sends_compressed_objects_as_they_are(compressed: Path, tmp_path: Path) -> None:
    with peers.storescp(tmp_path / "storescp", "+xa") as peer:
        dicomsim("store", peer.address, compressed).check()
        assert_same_objects([compressed], peer.objects())


def test_store_says_what_a_peer_does_not_take(storescp: Peer, samples: Samples, compressed: Path) -> None:
    done = dicomsim("store", storescp.address, compressed, samples.ct).check(1)
    assert "the peer does not take CT Image Storage in JPEG 2000" in done.output
    assert "1 of 2 files stored" in done.output
    assert_same_objects([samples.ct], storescp.objects())


def test_store_arrives_byte_for_byte_at_dcmqrscp(dcmqrscp: Peer, samples: Samples) -> None:
    done = dicomsim("store", dcmqrscp.address, *samples.all()).check()
    assert "6 of 6 files stored" in done.output
    assert_same_objects(samples.all(), [path for path in dcmqrscp.objects() if path.name != "index.dat"])


def test_store_arrives_byte_for_byte_at_orthanc(orthanc: Peer, samples: Samples, tmp_path: Path) -> None:
    done = dicomsim("store", orthanc.address, *samples.all(), "--json").check()
    document: dict[str, Any] = json.loads(done.output)
    assert ["stored"] * 6 == [one["result"] for one in document["files"]]
    received = []
    for instance in json.loads(orthanc.rest("/instances")):
        received.append(tmp_path / f"{instance}.dcm")
        received[-1].write_bytes(orthanc.rest(f"/instances/{instance}/file"))
    assert_same_objects(samples.all(), received)


def test_store_arrives_byte_for_byte_at_ctn(simple_storage: Peer, samples: Samples) -> None:
    done = dicomsim("store", simple_storage.address, samples.mr).check()
    assert "1 of 1 file stored" in done.output
    assert [data_set_bytes(samples.mr)] == [path.read_bytes() for path in simple_storage.objects()]
    assert simple_storage.is_running()


def test_store_arrives_byte_for_byte_at_pynetdicom(pynetdicom_storescp: Peer, samples: Samples) -> None:
    dicomsim("store", pynetdicom_storescp.address, *samples.all()).check()
    assert_same_objects(samples.all(), pynetdicom_storescp.objects())


def test_echo_and_store_work_over_tls(tls_storescp: Peer, certificate: Certificate, samples: Samples) -> None:
    address = f"{tls_storescp.aet}@localhost:{tls_storescp.port}"
    dicomsim("echo", address, "--trust", certificate.certificate).check()
    dicomsim("store", address, samples.ct, "--trust", certificate.certificate).check()
    assert_same_objects([samples.ct], tls_storescp.objects())
    assert "the certificate is not trusted" in dicomsim("echo", address, "--tls").check(4).output


# -- as acceptor -------------------------------------------------------------------------------------------------------


def test_serve_answers_echoes_of_every_requestor(served: Peer) -> None:
    run_tool(["echoscu", "-aec", served.aet, HOST, served.port]).check()
    run_tool(["dicom_echo", "-a", "CTN", "-c", served.aet, HOST, served.port]).check()
    run_tool(["odil", "echo", HOST, served.port, "ODIL", served.aet]).check()
    run_tool(pynetdicom("echoscu", HOST, served.port, "-aec", served.aet)).check()
    dicomsim("echo", served.address).check()
    for calling in ("ECHOSCU", "CTN", "ODIL", "ECHOSCU", "DICOMSIM"):
        assert f"  {calling}@127.0.0.1:" in served.log()
    assert 5 == served.log().count("1 C-ECHO; released by requestor")


@pytest.mark.parametrize("sender", ["storescu", "dcmsend"])
def test_serve_keeps_what_dcmtk_sends_byte_for_byte(sender: str, served: Peer, samples: Samples) -> None:
    sent = [samples.ct, samples.odd, samples.big]
    run_tool([sender, "-aec", served.aet, HOST, served.port, *sent]).check()
    assert_same_objects(sent, served.objects())


@pytest.mark.parametrize(
    ("option", "name"), [("-xe", "ct"), ("-xi", "mr"), ("-xi", "sr"), ("-xb", "sc")]
)
def test_serve_takes_every_uncompressed_transfer_syntax(
    option: str, name: str, served: Peer, samples: Samples
) -> None:
    sent = getattr(samples, name)
    run_tool(["storescu", option, "-R", "-aec", served.aet, HOST, served.port, sent]).check()
    assert_same_objects([sent], served.objects())


def test_serve_takes_compressed_objects(served: Peer, compressed: Path) -> None:
    run_tool(["dcmsend", "-aec", served.aet, HOST, served.port, compressed]).check()
    assert_same_objects([compressed], served.objects())


def test_serve_keeps_what_others_send(served: Peer, samples: Samples) -> None:
    run_tool(pynetdicom("storescu", HOST, served.port, samples.ct, "-aec", served.aet)).check()
    run_tool(["odil", "store", HOST, served.port, "ODIL", served.aet, samples.odd]).check()
    run_tool(["send_image", "-q", "-a", "CTN", "-c", served.aet, HOST, served.port, samples.mr]).check()
    sent, received = ({dcmread(path).SOPInstanceUID: path for path in paths} for paths in (
        (samples.ct, samples.odd, samples.mr), served.objects(),
    ))  # fmt: skip
    assert set(sent) == set(received)
    for instance, path in received.items():
        assert dcmread(sent[instance]).PixelData == dcmread(path).PixelData  # odil and CTN encode anew
    ct = dcmread(samples.ct).SOPInstanceUID
    assert_same_object(sent[ct], received[ct])


def test_serve_keeps_what_orthanc_sends(samples: Samples, tmp_path: Path) -> None:
    with (
        serve(tmp_path / "served") as served,
        peers.orthanc(tmp_path / "orthanc", destinations={served.aet: served.port}) as orthanc,
    ):
        dicomsim("store", orthanc.address, *samples.all()).check()
        orthanc.rest(f"/modalities/{served.aet}/store", json.dumps(json.loads(orthanc.rest("/instances"))).encode())
        assert_same_objects(samples.all(), served.objects())


def test_serve_speaks_tls(certificate: Certificate, samples: Samples, tmp_path: Path) -> None:
    with serve(tmp_path, "--cert", certificate.certificate, "--key", certificate.key) as served:
        secure = ["+tla", "+cf", certificate.certificate, "-aec", served.aet, HOST, served.port]
        run_tool(["echoscu", *secure]).check()
        run_tool(["storescu", *secure, samples.ct]).check()
        assert_same_objects([samples.ct], served.objects())
        assert "does the peer speak something else there, or TLS?" in dicomsim("echo", served.address).check(4).output


def test_serve_takes_twenty_at_once(served: Peer, samples: Samples, tmp_path: Path) -> None:
    command = " & ".join(
        f"storescu -aet SCU{number} -aec {served.aet} {HOST} {served.port} {samples.big}" for number in range(20)
    )
    run_tool(["sh", "-c", f"{command} & wait"], cwd=tmp_path).check()
    assert 20 == served.log().count("1 C-STORE; released by requestor")
    assert_same_objects([samples.big], served.objects())


def test_a_rule_of_serve_reaches_storescu(samples: Samples, tmp_path: Path) -> None:
    with serve(tmp_path, "-b", "on C-STORE-RQ in: answer status=A700") as served:
        done = run_tool(["storescu", "-v", "-aec", served.aet, HOST, served.port, samples.ct])
        assert "Refused: OutOfResources" in done.output
        assert "rule fired: on C-STORE-RQ in: answer 0xA700" in served.log()
