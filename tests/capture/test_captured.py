"""The values a conversation consists of."""

from __future__ import annotations

import pytest

from dicomsim.capture.captured import CapturedPdu
from dicomsim.errors import WireError
from dicomsim.events import Side
from dicomsim.wire.pdu import Abort, ReleaseRQ
from tests.capture.live_events import ABORT, RELEASE_RQ


def test_a_captured_pdu_decodes_itself() -> None:
    assert CapturedPdu(1, 0, 1, Side.REQUESTOR, RELEASE_RQ, 10).pdu == ReleaseRQ()
    assert CapturedPdu(1, 0, 1, Side.REQUESTOR, ABORT, 10).pdu == Abort(2, 0)


def test_a_malformed_captured_pdu_says_so() -> None:
    with pytest.raises(WireError):
        _ = CapturedPdu(1, 0, 1, Side.REQUESTOR, ABORT[:8], 10).pdu
