"""A fixture for each peer, running when the test begins, and for what is sent to them.

For other options use the context managers of `tests.interop.peers` with a folder of `tmp_path`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.interop import peers
from tests.interop.samples import Samples, make_samples, make_worklist_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.interop.peers import Certificate, Peer

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder `interop`."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.interop)


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """DICOM files to send: `samples.ct`, `.mr`, `.sc`, `.odd`, `.sr`, `.big`, or `samples.all()`."""
    return make_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A self-signed certificate of this machine's loopback names, with its key."""
    return peers.make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def storescp(tmp_path: Path) -> Iterator[Peer]:
    """DCMTK's storescp, writing what it receives byte for byte."""
    with peers.storescp(tmp_path / "storescp") as peer:
        yield peer


@pytest.fixture
def tls_storescp(tmp_path: Path, certificate: Certificate) -> Iterator[Peer]:
    """DCMTK's storescp behind TLS, with the fixture `certificate`; it asks the client for none."""
    with peers.storescp(tmp_path / "tls_storescp", tls=certificate) as peer:
        yield peer


@pytest.fixture
def dcmqrscp(tmp_path: Path) -> Iterator[Peer]:
    """DCMTK's archive, empty, with no destination for C-MOVE."""
    with peers.dcmqrscp(tmp_path / "dcmqrscp") as peer:
        yield peer


@pytest.fixture
def wlmscpfs(tmp_path: Path) -> Iterator[Peer]:
    """DCMTK's modality worklist with one item."""
    with peers.wlmscpfs(tmp_path / "wlmscpfs", [make_worklist_item(tmp_path)]) as peer:
        yield peer


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Peer]:
    """Orthanc, empty, with no destination for C-MOVE."""
    with peers.orthanc(tmp_path / "orthanc") as peer:
        yield peer


@pytest.fixture
def simple_storage(tmp_path: Path) -> Iterator[Peer]:
    """CTN's archive."""
    with peers.simple_storage(tmp_path / "ctn") as peer:
        yield peer


@pytest.fixture
def pynetdicom_echoscp(tmp_path: Path) -> Iterator[Peer]:
    """pynetdicom's verification provider."""
    with peers.pynetdicom_echoscp(tmp_path / "echoscp") as peer:
        yield peer


@pytest.fixture
def pynetdicom_storescp(tmp_path: Path) -> Iterator[Peer]:
    """pynetdicom's storage provider, writing what it receives."""
    with peers.pynetdicom_storescp(tmp_path / "pynetdicom_storescp") as peer:
        yield peer


@pytest.fixture
def pynetdicom_qrscp(tmp_path: Path) -> Iterator[Peer]:
    """pynetdicom's archive, empty."""
    with peers.pynetdicom_qrscp(tmp_path / "qrscp") as peer:
        yield peer
