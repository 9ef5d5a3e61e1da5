"""What happens when there is more than can be taken: associations, answers, bytes on a disk."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomsim.dimse.data import PartFile
from dicomsim.errors import AssociationError, FileError, TimeLimitError
from dicomsim.outcome import Ending
from dicomsim.part10 import file_meta
from dicomsim.services.storage import StoreTo
from tests.meeting import (
    CT_IMAGE_STORAGE,
    IMPLICIT,
    LIMIT,
    VERIFICATION,
    Calls,
    SilentPeer,
    acceptor,
    meeting,
    requestor,
    serving,
)

STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"


def object_of(folder: Path, size: int, name: str = "object.dcm") -> Path:
    path = folder / name
    path.write_bytes(file_meta(CT_IMAGE_STORAGE, f"1.2.{size}", IMPLICIT, "1.2.4", "TEST") + bytes(size))
    return path


def test_associations_beyond_the_limit_are_rejected_until_there_is_room() -> None:
    answering = acceptor(maximum_associations=2)
    released = answering.on_association_released = Calls()
    asking = requestor()
    with serving(answering) as server:
        first, second, third = (asking.associate(*server.address) for _ in range(3))
        assert [None, None] == [first.outcome, second.outcome]
        assert third.outcome is not None
        assert (Ending.REJECTED, (2, 3, 2)) == (third.outcome.how, third.outcome.codes)
        first.release()
        released.next()
        with asking.associate(*server.address) as fourth:
            assert 0 == fourth.c_echo().status
        second.release()


def test_a_slow_reader_stalls_only_itself() -> None:
    answer = Dataset()
    answer.QueryRetrieveLevel, answer.PatientComments = "STUDY", "x" * 10_000
    yielded = []

    def on_c_find(*_: Any) -> Iterator[Any]:
        for number in range(5000):
            yielded.append(number)
            yield 0xFF00, answer

    with serving(acceptor(VERIFICATION, STUDY_ROOT_FIND, on_c_find=on_c_find)) as server:
        slow = requestor(STUDY_ROOT_FIND).associate(*server.address)
        answers = slow.c_find(answer, query_model="S")
        next(answers)
        with requestor().associate(*server.address) as other:
            for _ in range(20):
                assert 0 == other.c_echo().status
        assert len(yielded) < 5000  # what nobody takes is not even made
        slow.abort()


@pytest.mark.parametrize("size", [4096, 1_000_000])
def test_a_full_disk_is_told_and_leaves_no_half_file(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    write = PartFile._write

    def full(self: PartFile, *chunks: Any) -> None:
        write(self, *(memoryview(chunk)[:100] for chunk in chunks))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    answering = acceptor(CT_IMAGE_STORAGE, store_to=StoreTo.FILE, store_folder=kept)
    with meeting(requestor(CT_IMAGE_STORAGE), answering) as association:
        monkeypatch.setattr(PartFile, "_write", full)
        path = object_of(tmp_path, size)
        response = association.c_store(path)
        assert (0xA700, "no space left") == (response.status, response.error_comment)
        assert [] == list(kept.iterdir())
        monkeypatch.undo()
        assert 0 == association.c_store(path).status
        (file,) = kept.iterdir()
        assert file.read_bytes().endswith(path.read_bytes()[-size:])


def test_a_file_that_has_vanished_is_named_and_the_association_goes_on(tmp_path: Path) -> None:
    answering = acceptor(VERIFICATION, CT_IMAGE_STORAGE, store_to=StoreTo.NOWHERE)
    with meeting(requestor(VERIFICATION, CT_IMAGE_STORAGE), answering) as association:
        path = object_of(tmp_path, 1_000_000)
        request = association.prepare_c_store(path)
        path.unlink()
        with pytest.raises(FileError, match=str(path)):
            association.ask(request)
        with pytest.raises(FileError, match=str(path)):
            association.c_store(path)
        assert 0 == association.c_echo().status


def test_who_asks_without_a_pause_keeps_nobody_from_aborting() -> None:
    with meeting(requestor(), acceptor()) as association:
        begun = threading.Event()

        def abort() -> None:
            begun.wait(LIMIT)
            association.abort()

        other = threading.Thread(target=abort)
        other.start()
        with suppress(AssociationError):
            while True:
                association.c_echo()
                begun.set()
        other.join(LIMIT)
        assert not other.is_alive()
        assert association.is_aborted


def test_a_timeout_shorter_than_the_first_look_is_named_all_the_same() -> None:
    asking = requestor()
    asking.timeouts.dimse = 0.001
    with SilentPeer() as peer:
        association = asking.associate(*peer.address)
        with pytest.raises(TimeLimitError, match=r"dimse timeout of 0\.001 s"):
            association.c_echo()
