"""Peers that listen: each a context manager that yields a running `Peer` and ends it, with its children, by process id.

A peer is ready when /proc/net/tcp shows its port in LISTEN: nothing connects to find out, for CTN's archive exits when
it is probed. Meanwhile its process is watched, so that a peer that dies at once fails its test with its log at once.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.interop.tools import peer_environment, pynetdicom, require, run_tool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HOST = "127.0.0.1"
LISTEN_LIMIT = 60.0
"""Seconds a peer has from its start until it listens; all need under one, on an idle machine."""
LISTEN_POLL = 10
"""Milliseconds between two looks at /proc/net/tcp; a peer's end is noticed at once."""
STOP_LIMIT = 2.0
"""Seconds from SIGTERM to SIGKILL."""
PORTS = range(20_000, 32_000)
"""Below the range that Linux hands out for port 0 and for outgoing connections, so nobody takes a port we picked."""

_next_port = random.SystemRandom().choice(PORTS)


def free_port() -> int:
    """A port nothing is bound to and no other call in this process got; test processes start at a random place each."""
    global _next_port  # noqa: PLW0603 - one counter a process is the point
    for _ in PORTS:
        port = _next_port
        _next_port = port + 1 if port + 1 in PORTS else PORTS.start
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return port
    raise AssertionError(f"no port is free between {PORTS.start} and {PORTS.stop}")


def listening_ports() -> set[int]:
    """The local TCP ports in state LISTEN (0A), IPv4 and IPv6."""
    ports = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(FileNotFoundError):  # no IPv6 in this kernel
            for line in Path(table).read_text().splitlines()[1:]:
                _, local, _, state = line.split(maxsplit=4)[:4]
                if state == "0A":
                    ports.add(int(local.rpartition(":")[2], 16))
    return ports


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer that is running and listens."""

    name: str
    """The program, for messages."""
    aet: str
    """The AE title it answers to."""
    port: int
    """Its DICOM port on 127.0.0.1."""
    pid: int
    """Its process id, which is its process group too."""
    folder: Path
    """Its own folder; received objects land in `folder / "objects"`, if it writes files."""
    rest_port: int = 0
    """Orthanc's other port; 0 at the others."""

    @property
    def address(self) -> str:
        """`AET@HOST:PORT`, as the command line wants it."""
        return f"{self.aet}@{HOST}:{self.port}"

    @property
    def objects_folder(self) -> Path:
        """Where it writes what it receives."""
        return self.folder / "objects"

    def objects(self) -> list[Path]:
        """The files it has received, by name."""
        return sorted(path for path in self.objects_folder.rglob("*") if path.is_file())

    def log(self) -> str:
        """What it has printed so far."""
        return _read_log(self.folder)

    def is_running(self) -> bool:
        """Whether the process is alive: some peers die of bad input."""
        status = Path(f"/proc/{self.pid}/stat")
        return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"

    def rest(self, path: str, body: bytes | None = None) -> bytes:
        """Orthanc's answer to a GET of `path`, or to a POST if there is a body; raises `urllib.error.HTTPError`."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"http://{HOST}:{self.rest_port}{path}", data=body, timeout=LISTEN_LIMIT) as answer:
            return bytes(answer.read())


def _read_log(folder: Path) -> str:
    return (folder / "log").read_text(errors="replace")


def _await_listening(
    name: str, process: subprocess.Popen[bytes], exited: select.poll, ports: set[int], folder: Path
) -> None:
    deadline = time.monotonic() + LISTEN_LIMIT
    while not ports <= listening_ports():
        if exited.poll(LISTEN_POLL):
            pytest.fail(f"{name} ended with {process.wait()} before it listened:\n{_read_log(folder)}", pytrace=False)
        if time.monotonic() > deadline:
            limit = f"within {LISTEN_LIMIT} s (LISTEN_LIMIT)"
            pytest.fail(f"{name} did not listen on {ports} {limit}:\n{_read_log(folder)}", pytrace=False)


def _stop(process: subprocess.Popen[bytes], exited: select.poll, limit: float) -> None:
    # The process is reaped last, so its id cannot have become somebody else's, nor its group's.
    process.terminate()
    exited.poll(limit * 1000)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def running(
    command: Sequence[object],
    *,
    aet: str,
    port: int,
    folder: Path,
    rest_port: int = 0,
    stop_limit: float = STOP_LIMIT,
    env: Mapping[str, str] | None = None,
) -> Iterator[Peer]:
    """Start a program in `folder`, wait until it listens on its port (or ports), and end it afterwards."""
    words = [require(str(command[0])), *(str(word) for word in command[1:])]
    name = Path(words[0]).name if words[1:2] != ["-m"] else " ".join(words[2:4])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "objects").mkdir(exist_ok=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=peer_environment(env),
            start_new_session=True,
        )
    pidfd = os.pidfd_open(process.pid)
    exited = select.poll()
    exited.register(pidfd, select.POLLIN)
    try:
        _await_listening(name, process, exited, {port, rest_port} - {0}, folder)
        yield Peer(name, aet, port, process.pid, folder, rest_port)
    finally:
        _stop(process, exited, stop_limit)
        os.close(pidfd)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate for localhost, 127.0.0.1 and ::1, which is its own authority."""

    key: Path
    """The private key, PEM without a password."""
    certificate: Path
    """The certificate, PEM; also the file to trust."""


def make_certificate(folder: Path, name: str = "localhost") -> Certificate:
    """Make a certificate with openssl, valid for two days."""
    made = Certificate(folder / f"{name}-key.pem", folder / f"{name}.pem")
    request: list[object] = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", 2]
    request += ["-subj", f"/CN={name}"]
    extensions = (
        "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1",
        "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign",
    )
    for extension in extensions:
        request += ["-addext", extension]
    run_tool([*request, "-keyout", made.key, "-out", made.certificate]).check()
    return made


@contextmanager
def storescp(folder: Path, *options: object, keep: bool = True, tls: Certificate | None = None) -> Iterator[Peer]:
    """DCMTK's storescp, one association at a time unless `--fork` is among the options.

    It writes each data set as it came (`+B`), or nothing if not `keep`. With `tls` it asks for no client certificate.
    """
    port = free_port()
    storage = ["+B", "-od", folder / "objects"] if keep else ["--ignore"]
    secure = ["+tls", tls.key, tls.certificate, "-ic"] if tls else []
    command = ["storescp", "-v", "-aet", "STORESCP", *storage, *secure, *options, port]
    with running(command, aet="STORESCP", port=port, folder=folder) as peer:
        yield peer


DCMQRSCP_CONFIG = """\
NetworkTCPPort = {port}
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
{hosts}
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
ARCH {objects} RW (200, 1024mb) ANY
AETable END
"""


@contextmanager
def dcmqrscp(folder: Path, *options: object, destinations: Mapping[str, int] | None = None) -> Iterator[Peer]:
    """DCMTK's archive: find, move, get and store; `destinations` are the AE titles C-MOVE knows, with their ports."""
    port = free_port()
    hosts = (f"dest{number} = ({aet}, {HOST}, {to})" for number, (aet, to) in enumerate((destinations or {}).items()))
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "dcmqrscp.cfg"
    config.write_text(DCMQRSCP_CONFIG.format(port=port, hosts="\n".join(hosts), objects=folder / "objects"))
    with running(["dcmqrscp", "-v", *options, "-c", config, port], aet="ARCH", port=port, folder=folder) as peer:
        yield peer


@contextmanager
def wlmscpfs(folder: Path, worklist: Sequence[Path] = (), *options: object) -> Iterator[Peer]:
    """DCMTK's modality worklist; `worklist` are files with one item each. The called title is its folder's name."""
    port = free_port()
    items = folder / "worklists" / "WORKLIST"
    items.mkdir(parents=True, exist_ok=True)
    (items / "lockfile").touch()
    for path in worklist:
        (items / path.with_suffix(".wl").name).write_bytes(path.read_bytes())
    command = ["wlmscpfs", "-v", *options, "-dfp", items.parent, port]
    with running(command, aet="WORKLIST", port=port, folder=folder) as peer:
        yield peer


@contextmanager
def orthanc(folder: Path, destinations: Mapping[str, int] | None = None, **settings: object) -> Iterator[Peer]:
    """Orthanc, with REST on another port; `settings` are more entries of its configuration, by their names there."""
    port, rest_port = free_port(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "Name": "interop",
        "StorageDirectory": str(folder / "objects"),
        "IndexDirectory": str(folder / "index"),
        "DicomPort": port,
        "DicomAet": "ORTHANC",
        "HttpPort": rest_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        **{f"DicomAlwaysAllow{service}": True for service in ("Echo", "Store", "Find", "Get", "Move")},
        "DicomModalities": {aet: [aet, HOST, to] for aet, to in (destinations or {}).items()},
        "Plugins": [],
        **settings,
    }
    (folder / "orthanc.json").write_text(json.dumps(config, indent=2))
    command = ["Orthanc", "--verbose", folder / "orthanc.json"]
    # Orthanc takes its time to end, up to ten seconds; what it would save goes with its folder.
    with running(command, aet="ORTHANC", port=port, rest_port=rest_port, folder=folder, stop_limit=0) as peer:
        yield peer


@contextmanager
def simple_storage(folder: Path, *options: object) -> Iterator[Peer]:
    """CTN's archive, the strangest peer there is; it exits when something connects that does not speak DICOM."""
    port = free_port()
    command = ["simple_storage", "-c", "CTN", "-x", f"{folder / 'objects'}/", *options, port]
    with running(command, aet="CTN", port=port, folder=folder) as peer:
        yield peer


@contextmanager
def pynetdicom_echoscp(folder: Path, *options: object) -> Iterator[Peer]:
    """pynetdicom's verification provider."""
    port = free_port()
    with running(pynetdicom("echoscp", port, "-v", *options), aet="ECHOSCP", port=port, folder=folder) as peer:
        yield peer


@contextmanager
def pynetdicom_storescp(folder: Path, *options: object, keep: bool = True) -> Iterator[Peer]:
    """pynetdicom's storage provider; it writes what it receives, or nothing if not `keep`."""
    port = free_port()
    storage = ["-od", folder / "objects"] if keep else ["--ignore"]
    command = pynetdicom("storescp", port, "-v", *storage, *options)
    with running(command, aet="STORESCP", port=port, folder=folder) as peer:
        yield peer


@contextmanager
def pynetdicom_qrscp(folder: Path, *options: object) -> Iterator[Peer]:
    """pynetdicom's archive: find, move, get and store."""
    port = free_port()
    places = ["--database-location", folder / "index.sqlite", "--instance-location", folder / "objects"]
    command = pynetdicom("qrscp", "--port", port, "-aet", "QRSCP", "-v", *places, *options)
    with running(command, aet="QRSCP", port=port, folder=folder) as peer:
        yield peer
