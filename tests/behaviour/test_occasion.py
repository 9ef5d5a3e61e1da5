"""What a rule may ask about the thing at its hop."""

from __future__ import annotations

from typing import cast

from dicomsim.behaviour.occasion import Layer, Occasion, Streams
from dicomsim.dimse.builders import c_store_rq
from dicomsim.engine.hops import Pass, PassMessage
from dicomsim.engine.session import Session
from tests.behaviour.sessions import AC, RQ, FakeSession
from tests.wire.vectors import PDU_BYTES


def occasion(data: bytes = b"", layer: Layer = Layer.PDU, direction: str = "in") -> Occasion:
    return Occasion(cast("Session", FakeSession()), layer, direction, data, streams=Streams())


def test_a_request_tells_its_own_titles_and_all_else_those_of_the_session() -> None:
    assert ("ANY-SCP", "DICOMSIM") == (occasion(RQ).called, occasion(RQ).calling)
    assert ("ARCHIVE", "MODALITY") == (occasion(AC).called, occasion(AC).calling)
    assert ("", "") == (occasion(RQ[:8]).called, occasion(RQ[:8]).calling)


def test_items_contexts_and_sop_classes_are_those_of_the_bytes() -> None:
    request = occasion(PDU_BYTES["RQ-002"])

    assert {0x10, 0x20, 0x30, 0x40, 0x50, 0x51, 0x52, 0x55} == request.item_types
    assert 3 == len(request.contexts) == len(request.sop_classes)
    assert (frozenset(), frozenset(), ()) == (occasion().item_types, occasion().contexts, occasion().sop_classes)


def test_a_message_tells_of_itself() -> None:
    message = c_store_rq(7, 3, "1.2", "1.2.3", b"data")
    told = Occasion(cast("Session", FakeSession()), Layer.MESSAGE, "out", message=message, streams=Streams())

    assert ("message out", 4, None) == (told.hop, told.size, told.pdu_type)
    assert ([3], ["1.2"]) == (list(told.contexts), list(told.sop_classes))
    assert [PassMessage(message)] == told.steps


def test_nothing_passes_where_nothing_comes() -> None:
    assert [] == occasion(layer=Layer.CONNECTION, direction="").steps
    assert [Pass(b"x")] == occasion(b"x", Layer.BYTES).steps
    assert ("connected", "state") == (
        occasion(layer=Layer.CONNECTION, direction="").hop,
        occasion(layer=Layer.STATE, direction="").hop,
    )


def test_the_state_is_the_one_after_a_transition() -> None:
    moved = Occasion(
        cast("Session", FakeSession()), Layer.STATE, streams=Streams(), transition=("Evt12", "Sta6", "AR-2", "Sta8")
    )

    assert ("Sta8", "Sta6") == (moved.state, occasion().state)


def test_bytes_seen_are_of_one_direction_or_of_both() -> None:
    told = occasion()
    told.streams.seen.update({"in": 10, "out": 5})
    both = Occasion(cast("Session", FakeSession()), Layer.STATE, streams=told.streams)

    assert (10, 15) == (told.seen, both.seen)
