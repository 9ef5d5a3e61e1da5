"""Peers in this process, and the command line called as from a shell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dicomsim import AE
from dicomsim.cli import main
from dicomsim.server import Server
from dicomsim.services.storage import StoreTo
from tests.cli.dicom_files import CT, EXPLICIT, IMPLICIT


@dataclass(frozen=True, slots=True)
class Called:
    """How a command ended."""

    exit_code: object
    """What the process would exit with."""
    out: str
    """Standard output."""
    err: str
    """Standard error."""


Call = Callable[..., Called]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the command line with these words."""

    def run(*words: object) -> Called:
        with pytest.raises(SystemExit) as ended:
            main(list(map(str, words)))
        return Called(ended.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def acceptor(tmp_path: Path) -> Iterator[Server]:
    """A peer for verification and CT images, which it keeps in `received`."""
    ae = AE("ACCEPTOR")
    ae.add_supported_context("1.2.840.10008.1.1")
    ae.add_supported_context(CT, [EXPLICIT, IMPLICIT])
    ae.store_to, ae.store_folder = StoreTo.FILE, tmp_path / "received"
    ae.store_folder.mkdir()
    with ae.start_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def address(acceptor: Server) -> str:
    """Where `acceptor` listens."""
    return f"ACCEPTOR@127.0.0.1:{acceptor.address[1]}"
