"""Data sets that stay in their file until the socket takes them."""

from __future__ import annotations

import errno
import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dicomsim.ae import AE
from dicomsim.dimse.data import FilePart, OpenFile
from dicomsim.engine import fetching
from dicomsim.engine.transport import TcpTransport
from dicomsim.errors import FileError
from dicomsim.events import BytesOut, Event, PduOut
from dicomsim.outcome import Ending
from dicomsim.part10 import file_meta
from dicomsim.presentation import build_context
from dicomsim.services.storage import StoreTo
from tests.meeting import LIMIT, acceptor, meeting

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
    theirs.settimeout(LIMIT)
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
def _small_scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little room for what is fetched, in this thread and others."""
    monkeypatch.setattr(fetching, "SCRATCH", 30_000)
    monkeypatch.setattr(fetching, "_scratches", threading.local())


@pytest.mark.usefixtures("_small_scratch")
def test_parts_of_a_file_arrive_between_what_is_around_them(
    pair: tuple[TcpTransport, socket.socket], tmp_path: Path
) -> None:
    file = OpenFile(file_of(tmp_path), len(CONTENT))
    parts: list[Any] = [b"head", FilePart(file, 10, 200_000), b"middle", FilePart(file, 200_010, 99_990), b"end"]
    expected = b"head" + CONTENT[10:200_010] + b"middle" + CONTENT[200_010:] + b"end"
    assert expected == send_all(*pair, parts)


def test_for_a_peer_that_takes_little_at_a_time_little_is_read(
    pair: tuple[TcpTransport, socket.socket], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport, theirs = pair
    transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 17)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
    read: list[int] = []
    fetch = FilePart.fetch

    def counted(part: FilePart, into: memoryview) -> memoryview:
        read.append(len(into))
        return fetch(part, into)

    monkeypatch.setattr(FilePart, "fetch", counted)
    data = CONTENT * 30
    buffers: list[Any] = [FilePart(OpenFile(file_of(tmp_path, data), len(data)), 0, len(data))]
    arrived = 0
    while buffers:
        count = transport.send(buffers)
        if count == len(buffers[0]):
            buffers.clear()
        else:
            buffers[0] = buffers[0][count:]
            while not transport.wait(0, write=True, read=False):
                arrived += len(theirs.recv(1 << 14))
    while arrived < len(data):
        arrived += len(theirs.recv(1 << 20))
    assert sum(read) < 3 * len(data)


def test_what_a_peer_did_not_take_is_not_read_again_before_it_takes_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = socket.socketpair()  # over TCP the system may make room at any time
    data = CONTENT * 100
    buffers: list[Any] = [FilePart(OpenFile(file_of(tmp_path, data), len(data)), 0, len(data))]

    def unwanted(part: FilePart, into: memoryview) -> memoryview:
        raise AssertionError("it was read")

    theirs.settimeout(LIMIT)
    with theirs, closing(TcpTransport(ours, ("theirs", 0))) as transport:
        while transport.send(buffers) == fetching.SCRATCH:
            pass
        with monkeypatch.context() as patches:
            patches.setattr(FilePart, "fetch", unwanted)
            assert 0 == transport.send(buffers)
        while not transport.wait(0, write=True, read=False):
            theirs.recv(1 << 16)
        assert transport.send(buffers)


def test_a_file_is_closed_with_its_last_part(tmp_path: Path) -> None:
    part = FilePart(OpenFile(file_of(tmp_path), 0), 0, 10)
    rest = part[4:]
    fd = rest.file.fd
    del part
    assert CONTENT[4:10] == os.pread(fd, len(rest), rest.offset)
    del rest
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(fd)


def test_a_file_that_ends_too_early_is_named(pair: tuple[TcpTransport, socket.socket], tmp_path: Path) -> None:
    path = file_of(tmp_path)
    part: Any = FilePart(OpenFile(path, len(CONTENT)), 0, len(CONTENT))
    os.truncate(path, 0)
    with pytest.raises(FileError, match=f"{path}: ends at byte 0"):
        pair[0].send([part])


def test_what_there_is_of_a_file_that_ends_too_early_goes_before(
    pair: tuple[TcpTransport, socket.socket], tmp_path: Path
) -> None:
    path = file_of(tmp_path)
    part: Any = FilePart(OpenFile(path, len(CONTENT)), 0, len(CONTENT))
    os.truncate(path, 1000)
    assert 1000 == pair[0].send([part])
    with pytest.raises(FileError, match=f"{path}: ends at byte 1000"):
        pair[0].send([part[1000:]])


def test_a_file_that_cannot_be_read_is_not_taken_for_the_connection(
    pair: tuple[TcpTransport, socket.socket], tmp_path: Path
) -> None:
    part: Any = FilePart(OpenFile(tmp_path, 1), 0, 1)  # a folder
    with pytest.raises(FileError, match=f"{tmp_path}: "):
        pair[0].send([part])


@pytest.mark.parametrize("kind", [BytesOut, PduOut])
def test_observers_are_told_what_was_fetched_and_not_what_the_file_is_afterwards(
    kind: type[Event], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path, file_meta(CT_IMAGE, "1.2.3", EXPLICIT, "1.2.4", "TEST") + CONTENT)
    end = path.stat().st_size
    ae, told = AE(b"SENDER"), bytearray()
    ae.requested_contexts = [build_context(CT_IMAGE, EXPLICIT)]
    ae.events.add(lambda event: told.extend(event.data), kind)  # type: ignore[attr-defined]
    fetch = FilePart.fetch

    def spoil(part: FilePart, into: memoryview) -> memoryview:
        fetched = fetch(part, into)
        if part.offset + len(fetched) == end:
            os.truncate(path, 0)
        return fetched

    monkeypatch.setattr(FilePart, "fetch", spoil)
    with meeting(ae, acceptor(CT_IMAGE, store_to=StoreTo.NOWHERE)) as association:
        assert 0 == association.c_store(path).status
    assert 0 == path.stat().st_size
    assert CONTENT[:5000] in told
    assert CONTENT[-5000:] in told


def test_a_file_that_is_cut_while_it_is_sent_ends_the_association_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path, file_meta(CT_IMAGE, "1.2.3", EXPLICIT, "1.2.4", "TEST") + CONTENT)
    fetch = FilePart.fetch
    fetched = []

    def cut(part: FilePart, into: memoryview) -> memoryview:
        fetched.append(part)
        if len(fetched) == 3:
            os.truncate(path, 1000)
        return fetch(part, into)

    monkeypatch.setattr(FilePart, "fetch", cut)
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
