"""What hostile requestors do to an acceptor, and that it serves the next one as if nothing had been."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dicomsim.server import Server
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import Abort
from tests.attack.hostile import echo, hostile, request, survives
from tests.meeting import CT_IMAGE_STORAGE, VERIFICATION, acceptor, serving


@pytest.fixture
def server() -> Iterator[Server]:
    """An acceptor that takes verification and CT images."""
    with serving(acceptor(VERIFICATION, CT_IMAGE_STORAGE)) as serving_one:
        yield serving_one


@pytest.mark.parametrize("maximum_length", range(1, 8))
def test_a_peer_to_which_no_fragment_fits_is_aborted_when_it_asks_for_an_answer(
    server: Server, maximum_length: int
) -> None:
    with hostile(server.address) as peer:
        assert peer.is_accepted(request(maximum_length))
        peer.say(echo())
        assert [Abort(0, 0)] == peer.hear_all()
    assert survives(server.address)


def test_an_abort_right_behind_the_request_needs_no_answer(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with hostile(server.address) as peer:
        peer.say(request(), encode_pdu(Abort(0, 0)))
        assert [] == peer.hear_all()
    assert [] == caplog.records
    assert survives(server.address)
