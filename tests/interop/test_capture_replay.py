"""Captures replayed to the peer they were recorded from."""

from __future__ import annotations

import pytest

from dicomsim import resources
from dicomsim.capture.compare import Verdict
from dicomsim.capture.player import PlayOptions
from dicomsim.capture.replay import ReplayReport, replay_file
from dicomsim.engine.stream import connect_stream
from tests.interop.peers import Peer

LIVE = resources.captures() / "live"
SAME = ["echo_dcmtk_dcmqrscp", "pynetdicom_echo", "abort", "move_to_storescp", "store_dcmsend"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["echo_dcmtk_dcmqrscp", "pynetdicom_echo", "abort", "move_to_storescp", "store_dcmsend"]
)
def test_dcmqrscp_answers_as_it_did(dcmqrscp: Peer, name: str) -> None:
    options = PlayOptions(called=dcmqrscp.aet)
    (report,) = replay_file(LIVE / f"{name}.pcapng", lambda: connect_stream("127.0.0.1", dcmqrscp.port, 5.0), options)
    assert report.verdict is Verdict.SAME, "\n".join(report.lines())


@pytest.mark.slow
def test_an_empty_dcmqrscp_finds_nothing_after_what_it_was_sent_it_finds_that(dcmqrscp: Peer) -> None:
    def play(name: str) -> ReplayReport:
        connect = lambda: connect_stream("127.0.0.1", dcmqrscp.port, 5.0)  # noqa: E731
        (report,) = replay_file(LIVE / f"{name}.pcapng", connect, PlayOptions(called=dcmqrscp.aet))
        return report

    before = play("find_study")
    assert [d.live for d in before.differences] == ["absent", "absent"]
    assert play("store_dcmsend").verdict is Verdict.SAME
    after = play("find_study")
    assert after.verdict is Verdict.SAME, "\n".join(after.lines())
