"""The prompt's commands against real peers, both ways."""

from __future__ import annotations

import pytest

from dicomsim.repl.session import run_repl
from tests.interop.peers import Peer
from tests.interop.samples import Samples
from tests.interop.tools import run_tool
from tests.repl.conftest import Desk


@pytest.mark.parametrize("name", ["storescp", "dcmqrscp", "orthanc"])
def test_an_association_from_open_to_release(
    name: str, samples: Samples, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    peer: Peer = request.getfixturevalue(name)
    files = f"{samples.ct} {samples.mr}"
    lines = [f"open {peer.address} Verification {files}", "echo 3", f"store {files}"]
    assert 0 == run_repl(None, [*lines, "contexts", "release"]), capsys.readouterr()
    shown = capsys.readouterr()
    assert "" == shown.err
    assert "3 of 3 echoes answered with success" in shown.out
    assert "2 of 2 files stored" in shown.out
    assert "released by requestor in Sta7" in shown.out


def test_a_raw_pdu_that_is_out_of_place_is_answered_by_an_abort(
    storescp: Peer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run_repl(storescp.address, ["send A-ASSOCIATE-RQ; wait end 20"])
    assert "aborted by acceptor in Sta6" in capsys.readouterr().out
    assert storescp.is_running()


def test_the_acceptor_of_the_prompt_takes_what_dcmtk_sends(samples: Samples) -> None:
    desk = Desk()
    try:
        desk.type("serve start 0 PROMPT")
        port = desk.bench.serving.rpartition(":")[2]
        run_tool(["echoscu", "-aec", "PROMPT", "127.0.0.1", port]).check()
        run_tool(["storescu", "-aec", "PROMPT", "127.0.0.1", port, samples.ct]).check()
        assert "released by requestor" in desk.lines.await_line("after 1 C-STORE-RQ")
    finally:
        desk.bench.close()
