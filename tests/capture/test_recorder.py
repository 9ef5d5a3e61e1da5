"""The recorder: threads, a full queue, a disk that takes nothing more."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from dicomsim import resources
from dicomsim.capture.captured import CapturedEnd, CapturedOpen, CapturedPdu
from dicomsim.capture.conversation import read
from dicomsim.capture.files import CaptureReader
from dicomsim.capture.frame_log import FrameLog
from dicomsim.capture.recorder import Recorder
from dicomsim.errors import FileError
from dicomsim.events import CloseHow, PduIn, Side
from dicomsim.part10 import file_meta
from dicomsim.presentation import build_context
from dicomsim.services.storage import StoreTo
from tests.capture.live_events import PEER, RELEASE_RP, RELEASE_RQ, TIME, US, Association, like, p_data, pdus
from tests.meeting import CT_IMAGE_STORAGE, EXPLICIT, acceptor, meeting, requestor

LIVE = sorted(resources.captures().glob("*/*.pcap*"))
WITH_BYTES = [path for path in LIVE if path.stem != "refused"]


@pytest.mark.parametrize("suffix", ["pcap", "pcapng"])
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("path", WITH_BYTES, ids=lambda path: path.stem)
def test_what_was_said_is_read_again(tmp_path: Path, path: Path, side: Side, suffix: str) -> None:
    copy = tmp_path / f"copy.{suffix}"
    with Recorder(copy) as recorder:
        for event in like(path, side=side):
            recorder(event)
    assert pdus(copy) == pdus(path)
    items = list(read(copy))
    first, last = items[0], items[-1]
    assert isinstance(first, CapturedOpen)
    assert isinstance(last, CapturedEnd)
    assert (first.requestor, first.acceptor) == (US, PEER)
    assert (last.by, last.how) == (Side.REQUESTOR, CloseHow.FIN)


def test_every_thread_may_record_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"

    def speak(number: int) -> None:
        association = Association(number)
        recorder(association.opened((US[0], 50_000 + number)))
        for _ in range(100):
            recorder(association.said(Side.REQUESTOR, p_data(100, bytes([number]))))

    with Recorder(path, queue_bytes=2000) as recorder:
        threads = [threading.Thread(target=speak, args=(number,)) for number in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    counts = {number: [data for _, data in pdus(path, number)] for number in range(1, 9)}
    assert sorted(map(len, counts.values())) == [100] * 8
    assert all(len(set(said)) == 1 for said in counts.values())


def test_a_note_stands_beside_the_next_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    association = Association()
    with Recorder(path) as recorder:
        recorder(association.opened())
        recorder.note(1, "step 3: send A-RELEASE-RQ")
        recorder(association.said(Side.REQUESTOR, RELEASE_RQ))
    with CaptureReader(path) as reader:
        comments = [packet.comments for packet in reader if packet.comments]
    assert comments[1] == ("association 1; step 3: send A-RELEASE-RQ",)


def test_events_that_repeat_others_are_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    association = Association()
    with Recorder(path) as recorder:
        recorder(association.opened())
        recorder(association.said(Side.ACCEPTOR, RELEASE_RP))
        recorder(PduIn(TIME, 1, RELEASE_RP))
    assert [data for _, data in pdus(path)] == [RELEASE_RP]


def test_what_was_recorded_is_in_the_file_after_a_flush(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    association = Association()
    with Recorder(path) as recorder:
        recorder(association.opened())
        for _ in range(20):
            recorder(association.said(Side.REQUESTOR, p_data(60_000)))
        recorder.flush()
        assert len(pdus(path)) == 20
    recorder.flush()


def test_closing_twice_is_fine_and_what_comes_later_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    recorder = Recorder(path)
    association = Association()
    recorder(association.opened())
    recorder.close()
    size = path.stat().st_size
    recorder(association.said(Side.REQUESTOR, RELEASE_RQ))
    recorder.close()
    assert path.stat().st_size == size
    assert recorder.error is None


def test_a_file_that_cannot_be_created_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"/none/a\.pcapng: cannot be written: No such file or directory"):
        Recorder(tmp_path / "none" / "a.pcapng")


def record_to_full_disk(count: int) -> Recorder:
    recorder = Recorder("/dev/full", queue_bytes=100_000)
    association = Association()
    recorder(association.opened())
    for _ in range(count):
        recorder(association.said(Side.REQUESTOR, p_data(60_000)))
    return recorder


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_stops_the_recording_and_not_the_recorded() -> None:
    recorder = record_to_full_disk(100)
    with pytest.raises(FileError, match=r"^/dev/full: cannot be written: No space left on device$"):
        recorder.close()
    assert str(recorder.error) == "/dev/full: cannot be written: No space left on device"
    recorder.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_does_not_hide_another_error() -> None:
    with pytest.raises(ValueError, match="the real one") as caught, record_to_full_disk(1):
        raise ValueError("the real one")
    assert caught.value.__notes__ == ["/dev/full: cannot be written: No space left on device"]


def test_a_defect_that_ends_a_recording_is_said_when_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def defective(*_: object) -> None:
        raise IndexError("of ours")

    monkeypatch.setattr(FrameLog, "event", defective)
    recorder = Recorder(tmp_path / "a.pcapng")
    recorder(Association().opened())
    recorder.flush()
    with pytest.raises(FileError, match=r"a\.pcapng: the recording stopped: IndexError\('of ours'\)"):
        recorder.close()
    assert "the recording to" in caplog.text


@pytest.mark.parametrize("suffix", ["pcap", "pcapng"])
def test_with_a_payload_limit_pixels_are_cut_and_all_else_is_whole(tmp_path: Path, suffix: str) -> None:
    path, full = tmp_path / f"cut.{suffix}", tmp_path / f"full.{suffix}"
    sent = tmp_path / "large.dcm"
    meta = file_meta(CT_IMAGE_STORAGE, "1.2.3", EXPLICIT, "1.2.3.4", "TEST")
    pixels = b"\xe0\x7f\x10\0OW\0\0" + (100_000).to_bytes(4, "little") + bytes(100_000)
    sent.write_bytes(meta + b"\x08\0\x18\0UI\x06\x001.2.3\0" + pixels)
    for where, limit in ((path, 64), (full, None)):
        ae = requestor(CT_IMAGE_STORAGE)
        ae.requested_contexts = [build_context(CT_IMAGE_STORAGE, EXPLICIT)]
        taking = acceptor(CT_IMAGE_STORAGE)
        taking.store_to = StoreTo.NOWHERE
        with Recorder(where, payload_limit=limit) as recorder:
            ae.events.add(recorder)
            with meeting(ae, taking) as association:
                assert 0 == association.c_store(sent).status
                association.release()
    assert path.stat().st_size < 5_000 < 100_000 < full.stat().st_size
    cut, whole = ([item for item in read(one) if isinstance(item, CapturedPdu)] for one in (path, full))
    assert [(item.sender, item.data[:76], item.length) for item in whole] == [
        (item.sender, item.data[:76], item.length) for item in cut
    ]
    damaged = [item for item in cut if item.damage]
    assert {len(item.data) > 1000 for item in damaged} == {True}
    assert 100_000 < sum(item.length for item in damaged)
    assert not any(item.damage for item in whole)


@pytest.mark.parametrize("limit", [-1, "x", 1.5, True])
def test_a_payload_limit_that_is_none_is_refused(tmp_path: Path, limit: Any) -> None:
    with pytest.raises(ValueError, match="a payload limit is a number of bytes from 0 on"):
        Recorder(tmp_path / "a.pcapng", payload_limit=limit)
    assert not (tmp_path / "a.pcapng").exists()
