"""Transcripts: what is kept, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomsim import resources
from dicomsim.capture import transcript
from dicomsim.capture.conversation import conversations
from dicomsim.capture.transcript import Transcript, transcribe
from dicomsim.dimse.data import FileSlice
from dicomsim.events import CloseHow, Side

LIVE = resources.captures() / "live"


def read_into(kept: Transcript, name: str) -> Transcript:
    (conversation,) = conversations(LIVE / f"{name}.pcapng")
    for item in conversation.items(kept.choose_sink):
        kept.add(item)
    return kept


def test_utterances_are_messages_other_pdus_and_the_end() -> None:
    with read_into(Transcript(), "store_dcmsend") as kept:
        said = [(u.step, u.frame, u.sender, u.text.split(",")[0]) for u in kept.utterances]
    assert said == [
        (1, 4, Side.REQUESTOR, "A-ASSOCIATE-RQ TESTSCU -> ARCH"),
        (2, 6, Side.ACCEPTOR, "A-ASSOCIATE-AC 2 of 2 contexts accepted"),
        (3, 13, Side.REQUESTOR, "C-STORE-RQ"),
        (4, 17, Side.ACCEPTOR, "C-STORE-RSP 0000 Success"),
        (5, 21, Side.REQUESTOR, "C-STORE-RQ"),
        (6, 25, Side.ACCEPTOR, "C-STORE-RSP 0000 Success"),
        (7, 27, Side.REQUESTOR, "A-RELEASE-RQ"),
        (8, 28, Side.ACCEPTOR, "A-RELEASE-RP"),
        (9, 30, Side.REQUESTOR, "connection end: fin"),
    ]
    assert kept.utterances[-1].how is CloseHow.FIN


def test_the_negotiation_is_known() -> None:
    kept = transcribe(conversations(LIVE / "find_study.pcapng")[0].items())
    assert kept.contexts.transfer_syntax(1) == "1.2.840.10008.1.2.1"


def test_small_data_sets_are_kept_in_memory_and_large_ones_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript, "IN_MEMORY", 10_000)
    with read_into(Transcript(), "store_dcmsend") as kept:
        large, small = (u.message for u in kept.utterances if u.message and u.message.data)
        assert large is not None
        assert small is not None
        assert isinstance(large.data, FileSlice)
        assert len(large.data_bytes()) == 38732
        assert len(small.data_bytes()) == 9358
        file = Path(large.data.name)
        assert file.exists()
    assert not file.exists()
    kept.close()


def test_an_unfinished_data_set_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(transcript, "IN_MEMORY", 10)
    sink = transcript.RollingSink(str(tmp_path / "a"))
    sink.write(b"x" * 100)
    sink.abort()
    assert list(tmp_path.iterdir()) == []
    transcript.RollingSink(str(tmp_path / "b")).abort()
