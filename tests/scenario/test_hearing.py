"""Events of an AE as streams."""

from __future__ import annotations

import pytest

from dicomsim import events
from dicomsim.errors import TimeLimitError
from dicomsim.events import CloseHow, Side
from dicomsim.scenario.hearing import HeardStream, Hearing
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import Abort, Pdu

WHERE = ("127.0.0.1", 1)


def stream_of(*heard: events.Event, side: Side = Side.ACCEPTOR) -> HeardStream:
    stream = HeardStream(side)
    for event in heard:
        stream.put(event)
    return stream


def test_bytes_come_as_they_came() -> None:
    stream = stream_of(events.BytesIn(0, 1, b"ab"), events.BytesIn(0, 1, b"c"))
    assert [b"ab", b"c"] == [stream.receive(0) for _ in range(2)]


def test_nothing_comes_within_the_time() -> None:
    with pytest.raises(TimeLimitError, match="receive timeout of 0 s"):
        stream_of().receive(0)


@pytest.mark.parametrize(
    ("by", "how", "outcome"),
    [
        (Side.REQUESTOR, CloseHow.FIN, b""),
        (Side.REQUESTOR, CloseHow.RESET, ConnectionResetError),
        (Side.ACCEPTOR, CloseHow.FIN, TimeLimitError),
    ],
)
def test_the_end_is_that_of_the_peer_or_ours(by: Side, how: CloseHow, outcome: object) -> None:
    stream = stream_of(events.ConnectionClosed(0, 1, by, how))
    for _ in range(2):
        if isinstance(outcome, bytes):
            assert outcome == stream.receive(0)
        else:
            with pytest.raises(outcome):  # type: ignore[call-overload]
                stream.receive(0)
    assert (how if by is Side.ACCEPTOR else None) is stream.closed_by_us


def test_what_the_ae_sends_is_told_in_order() -> None:
    stream = stream_of(
        events.PduOut(0, 1, encode_pdu(Abort(2, 1))), events.PduOut(0, 1, b"junk"), events.BytesIn(0, 1, b"x")
    )
    sent: list[Pdu] = []
    stream.on_sent = sent.append
    assert (b"x", [Abort(2, 1)]) == (stream.receive(0), sent)


def test_every_association_has_a_stream_of_its_own() -> None:
    noted: list[int] = []
    hearing = Hearing(noted.append)
    for number in (7, 8):
        hearing(events.ConnectionOpened(0, number, WHERE, WHERE, Side.ACCEPTOR))
    hearing(events.BytesIn(0, 8, b"eight"))
    hearing(events.BytesIn(0, 7, b"seven"))
    hearing(events.BytesIn(0, 99, b"nobody"))
    assert ([7, 8], b"seven", b"eight") == (noted, hearing.next(0).receive(0), hearing.next(0).receive(0))
    with pytest.raises(TimeLimitError, match="accept timeout of 0 s"):
        hearing.next(0)
