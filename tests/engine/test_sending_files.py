"""Data sets that go from their file to the socket without passing through us."""

from __future__ import annotations

import errno
import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dicomsim.ae import AE
from dicomsim.dimse import data
from dicomsim.dimse.data import FilePart, OpenFile
from dicomsim.engine.transport import TcpTransport
from dicomsim.errors import FileError
from dicomsim.events import BytesOut, Event
from dicomsim.outcome import Ending
from dicomsim.part10 import file_meta
from dicomsim.presentation import build_context
from dicomsim.services.storage import StoreTo
from tests.meeting import acceptor, meeting

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
CONTENT = random.Random(1).randbytes(300_000)


@pytest.fixture
def pair() -> Iterator[tuple[TcpTransport, socket.socket]]:
    """A transport, and the socket at its other end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    transport = TcpTransport(ours)
    with theirs:
        yield transport, theirs
    transport.close()


def file_of(folder: Path, data: bytes = CONTENT) -> Path:
    path = folder / "object"
    path.write_bytes(data)
    return path


def send_all(transport: TcpTransport, theirs: socket.socket, buffers: list[Any]) -> bytes:
    """What arrives of buffers that are sent as a pump does it."""
    arrived = b""
    wanted = sum(map(len, buffers))
    while len(arrived) < wanted:
        count = transport.send(buffers) if buffers else 0
        while buffers and count >= len(buffers[0]):
            count -= len(buffers.pop(0))
        if count:
            buffers[0] = buffers[0][count:]
        arrived += theirs.recv(1 << 16)
    return arrived


@pytest.fixture
def _fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is too large for the system to send it by itself."""
    monkeypatch.setattr(data, "SENT_IN_PLACE", 0)
    monkeypatch.setattr(data, "SCRATCH", 30_000)
    monkeypatch.delattr(os, "sendfile")


@pytest.fixture(params=["in place", "fetched"])
def _either_way(request: pytest.FixtureRequest) -> None:
    """A file that the system sends by itself, and one that is too large for that."""
    if request.param == "fetched":
        request.getfixturevalue("_fetched")


@pytest.mark.usefixtures("_either_way")
def test_parts_of_a_file_arrive_between_what_is_around_them(
    pair: tuple[TcpTransport, socket.socket], tmp_path: Path
) -> None:
    file = OpenFile(file_of(tmp_path), len(CONTENT))
    parts: list[Any] = [b"head", FilePart(file, 10, 200_000), b"middle", FilePart(file, 200_010, 99_990), b"end"]
    expected = b"head" + CONTENT[10:200_010] + b"middle" + CONTENT[200_010:] + b"end"
    assert expected == send_all(*pair, parts)


@pytest.fixture
def _unable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that has not what `sendfile` needs."""

    def refuse(*_: object) -> int:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "sendfile", refuse)


@pytest.mark.usefixtures("_unable")
def test_a_file_system_that_cannot_send_is_read(pair: tuple[TcpTransport, socket.socket], tmp_path: Path) -> None:
    file = OpenFile(file_of(tmp_path), len(CONTENT))
    assert b"head" + CONTENT == send_all(*pair, [b"head", FilePart(file, 0, len(CONTENT))])


def test_a_file_is_closed_with_its_last_part(tmp_path: Path) -> None:
    part = FilePart(OpenFile(file_of(tmp_path), 0), 0, 10)
    rest = part[4:]
    fd = rest.file.fd
    del part
    assert CONTENT[4:10] == os.pread(fd, len(rest), rest.offset)
    del rest
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(fd)


@pytest.mark.usefixtures("_either_way")
def test_a_file_that_ends_too_early_is_named(pair: tuple[TcpTransport, socket.socket], tmp_path: Path) -> None:
    path = file_of(tmp_path)
    part: Any = FilePart(OpenFile(path, len(CONTENT)), 0, len(CONTENT))
    os.truncate(path, 0)
    with pytest.raises(FileError, match=f"{path}: ends at byte 0"):
        pair[0].send([part])


@pytest.mark.usefixtures("_unable")
def test_a_file_that_ends_too_early_is_named_where_it_is_read_too(
    pair: tuple[TcpTransport, socket.socket], tmp_path: Path
) -> None:
    path = file_of(tmp_path)
    part: Any = FilePart(OpenFile(path, len(CONTENT)), 0, len(CONTENT))
    os.truncate(path, 1000)
    assert 1000 == pair[0].send([part])
    with pytest.raises(FileError, match=f"{path}: ends at byte 1000"):
        pair[0].send([part[1000:]])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = OpenFile(tmp_path, 0)  # a folder
    with pytest.raises(FileError, match=f"{tmp_path}: "):
        FilePart(file, 0, 10).read()


@pytest.mark.usefixtures("_fetched")
def test_a_large_file_that_cannot_be_read_is_named_and_not_taken_for_the_connection(
    pair: tuple[TcpTransport, socket.socket], tmp_path: Path
) -> None:
    part: Any = FilePart(OpenFile(tmp_path, 1), 0, 1)  # a folder
    with pytest.raises(FileError, match=f"{tmp_path}: "):
        pair[0].send([part])


class Beginnings:
    """An observer that wants the beginnings of what is sent, and gives its length with all else."""

    payload_limit = 8

    def __init__(self) -> None:
        self.kept = self.missing = 0

    def __call__(self, event: Event) -> None:
        assert isinstance(event, BytesOut)
        self.kept += len(event.data)
        self.missing += event.missing


def test_a_file_that_is_cut_as_soon_as_it_is_sent_is_sent_and_what_is_gone_of_it_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path, file_meta(CT_IMAGE, "1.2.3", EXPLICIT, "1.2.4", "TEST") + CONTENT)
    end = path.stat().st_size
    ae, beginnings = AE(b"SENDER"), Beginnings()
    ae.requested_contexts = [build_context(CT_IMAGE, EXPLICIT)]
    ae.events.add(beginnings, BytesOut)
    (tmp_path / "kept").mkdir()
    answering = acceptor(CT_IMAGE, store_to=StoreTo.FILE, store_folder=tmp_path / "kept")
    with meeting(ae, answering) as association:
        beginnings.kept = beginnings.missing = 0
        assert 0 == association.c_store(path).status
        kept, missing = beginnings.kept, beginnings.missing
        send = FilePart.send

        def cut(part: FilePart, fd: int) -> int:
            count = send(part, fd)
            if part.offset + count == end:
                os.truncate(path, 0)
            return count

        monkeypatch.setattr(FilePart, "send", cut)
        assert 0 == association.c_store(path).status
        assert 0 == path.stat().st_size
        assert kept + missing == beginnings.kept + beginnings.missing - kept - missing
        assert kept > beginnings.kept - kept


def test_a_file_that_is_cut_while_it_is_sent_ends_the_association_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path, file_meta(CT_IMAGE, "1.2.3", EXPLICIT, "1.2.4", "TEST") + CONTENT)
    send = FilePart.send
    sent = []

    def cut(part: FilePart, fd: int) -> int:
        sent.append(part)
        if len(sent) == 3:
            os.truncate(path, 1000)
        return send(part, fd)

    monkeypatch.setattr(FilePart, "send", cut)
    ae = AE(b"SENDER")
    ae.requested_contexts = [build_context(CT_IMAGE, EXPLICIT)]
    answering = acceptor(CT_IMAGE, store_to=StoreTo.FILE, store_folder=tmp_path / "kept")
    (tmp_path / "kept").mkdir()
    with meeting(ae, answering) as association:
        with pytest.raises(FileError, match=f"{path}: ends at byte"):
            association.c_store(path)
        assert association.outcome is not None
        assert association.outcome.how is Ending.ABORTED
        assert str(path) in str(association.outcome)
    assert [] == list((tmp_path / "kept").iterdir())
