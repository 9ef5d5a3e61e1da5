"""The two ends of the benchmarks: acceptors that run through all rounds, and senders that are timed.

Every end is a process of its own. Senders written in Python time themselves, from the association request to the
release; DCMTK's commands are timed from outside, less the time that the same command takes to print its version, so
that starting a process counts for nobody. All have TCP_NODELAY=1: without it DCMTK waits for delayed acknowledgements.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.interop.peers import Peer, free_port, running
from tests.interop.tools import peer_environment, peer_python, require

MAXIMUM_LENGTH = 131072
THEIR_TRIES = 3
"""How often pynetdicom may try what is measured: one failure of theirs is not to cost a run of ten minutes."""

PROCESS_LIMIT = 300.0
"""Seconds a sender may take."""

HERE = Path(__file__).parent


@contextmanager
def our_peer(folder: Path, *arguments: str, does: str = "serve") -> Iterator[Peer]:
    """Our acceptor, `python -m tests.benchmarks.ours`, as a process."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.ours", does, str(port), *arguments]
    with running(command, aet="OURS", port=port, folder=_folder(folder, does, *arguments)) as peer:
        yield peer


@contextmanager
def ours(folder: Path, *arguments: str) -> Iterator[int]:
    """The same; yields its port."""
    with our_peer(folder, *arguments) as peer:
        yield peer.port


@contextmanager
def storescp(folder: Path, *options: str) -> Iterator[int]:
    """DCMTK's acceptor; it forks, so that one association follows another at once."""
    port = free_port()
    home = _folder(folder, "storescp", *options)
    written = ["-od", str(home / "objects")] if "+B" in options else []
    (home / "objects").mkdir(exist_ok=True)
    command = [require("storescp"), "-pdu", str(MAXIMUM_LENGTH), *options, *written, str(port)]
    with running(command, aet="STORESCP", port=port, folder=home):
        yield port


@contextmanager
def pynetdicom(folder: Path) -> Iterator[int]:
    """pynetdicom's acceptor, which forgets what it receives."""
    port = free_port()
    command = [str(peer_python()), str(HERE / "theirs.py"), "serve", str(port)]
    with running(command, aet="THEIRS", port=port, folder=_folder(folder, "pynetdicom")):
        yield port


def _folder(folder: Path, *names: str) -> Path:
    home = folder / "-".join(name.strip("-+/").replace("/", "_") for name in names)
    home.mkdir(parents=True, exist_ok=True)
    return home


def ours_says(port: int, does: str, *arguments: str) -> list[float]:
    """All figures that our requestor prints."""
    return _figures([sys.executable, "-m", "tests.benchmarks.ours", does, str(port), *arguments])


def ours_does(port: int, does: str, *arguments: str) -> float:
    """Seconds that our requestor says it took."""
    return ours_says(port, does, *arguments)[-1]


def pynetdicom_does(port: int, *arguments: str) -> float:
    """Seconds that pynetdicom's requestor says it took; once in some thousand C-ECHO it loses the answer of its own."""
    command = [str(peer_python()), str(HERE / "theirs.py"), *arguments[:1], str(port), *arguments[1:]]
    for _ in range(THEIR_TRIES - 1):
        try:
            return _self_timed(command)
        except RuntimeError as error:
            print(f"pynetdicom is asked again: {error}", file=sys.stderr)
    return _self_timed(command)


def _self_timed(command: Sequence[str]) -> float:
    return _figures(command)[-1]


def _figures(command: Sequence[str]) -> list[float]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS_LIMIT, env=peer_environment())
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]} failed:\n{done.stdout}\n{done.stderr}")
    return [float(word) for word in done.stdout.split()]


def dcmtk_does(program: str, *arguments: str) -> float:
    """Seconds that one of DCMTK's commands takes beyond its start."""
    path = require(program)
    idle = median(_wall([path, "--version"]) for _ in range(3))
    return max(_wall([path, *arguments]) - idle, 1e-4)


def _wall(command: Sequence[str]) -> float:
    start = perf_counter()
    done = subprocess.run(command, capture_output=True, timeout=PROCESS_LIMIT, env=peer_environment())
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]} failed:\n{done.stdout.decode()}\n{done.stderr.decode()}")
    return perf_counter() - start


def dcmsend(port: int, folder: Path) -> float:
    """Seconds for all files of a folder."""
    return dcmtk_does(
        "dcmsend", "--max-pdu", str(MAXIMUM_LENGTH), "--scan-directories", "127.0.0.1", str(port), str(folder)
    )


def echoscu(port: int, repeat: int) -> float:
    """Seconds for so many C-ECHO on one association."""
    return dcmtk_does("echoscu", "--repeat", str(repeat), "127.0.0.1", str(port))


@contextmanager
def bare(folder: Path) -> Iterator[int]:
    """The receiver of bare sockets."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.bare", "serve", str(port)]
    with running(command, aet="BARE", port=port, folder=_folder(folder, "bare")):
        yield port


@contextmanager
def bare_acceptor(folder: Path, objects: str = "") -> Iterator[int]:
    """The least acceptor for `dcmsend`, which writes objects where there is a folder for them."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.bare_acceptor", str(port), objects]
    with running(command, aet="BARE", port=port, folder=_folder(folder, "bare-acceptor", objects)):
        yield port


def bare_does(port: int, *arguments: str) -> float:
    """Seconds that the sender of bare sockets says it took."""
    return _self_timed([sys.executable, "-m", "tests.benchmarks.bare", *arguments[:1], str(port), *arguments[1:]])
