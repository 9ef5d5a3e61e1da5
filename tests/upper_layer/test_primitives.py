from __future__ import annotations

import pytest

from dicomsim.upper_layer.primitives import (
    AbortRequest,
    AssociateRequest,
    AssociateResponse,
    Primitive,
    ReleaseRequest,
    ReleaseResponse,
)
from dicomsim.upper_layer.table import Event
from dicomsim.wire.pdu import Abort, Pdu
from tests.upper_layer.driving import ANSWER, REJECTION, REQUEST


@pytest.mark.parametrize(
    ("primitive", "event", "pdu"),
    [
        (AssociateRequest(REQUEST), Event.EVT1, REQUEST),
        (AssociateResponse(ANSWER), Event.EVT7, ANSWER),
        (AssociateResponse(REJECTION), Event.EVT8, REJECTION),
        (ReleaseRequest(), Event.EVT11, None),
        (ReleaseResponse(), Event.EVT14, None),
        (AbortRequest(), Event.EVT15, Abort(0, 0)),
        (AbortRequest(2, 6), Event.EVT15, Abort(2, 6)),
    ],
)
def test_a_primitive_is_an_event_and_carries_a_pdu(primitive: Primitive, event: Event, pdu: Pdu | None) -> None:
    assert primitive.event is event
    assert primitive.pdu == pdu
