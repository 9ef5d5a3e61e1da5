"""What an observer is told of the bytes that pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dicomsim import events
from dicomsim.engine.witness import Witness, wanted, wants
from dicomsim.events import BytesIn, BytesOut, Event, MessageIn, PduIn, PduOut

RELEASE = bytes.fromhex("05000000000400000000")
ABORT = bytes.fromhex("07000000000400000000")
ALL = frozenset((BytesIn, BytesOut, PduIn, PduOut))


class Picky:
    """An observer that says what it wants."""

    def __init__(self, *kinds: type[Event]) -> None:
        self.kinds = kinds

    def wants(self, *kinds: type[Event]) -> bool:
        return bool(set(kinds) & set(self.kinds))

    def __call__(self, event: Event) -> None:
        raise NotImplementedError


def witness(*kinds: type[Event]) -> tuple[Witness, list[tuple[Any, bytes]]]:
    told: list[tuple[Any, bytes]] = []
    emit: Callable[..., Any] = lambda kind, data: told.append((kind, data))  # noqa: E731
    return Witness(emit, frozenset(kinds) or ALL), told


def test_an_observer_that_does_not_say_what_it_wants_is_told_of_everything() -> None:
    assert wants(print, MessageIn)
    assert wants(Picky(MessageIn), MessageIn, PduIn)
    assert not wants(Picky(MessageIn), PduIn)
    assert not wants(None, PduIn)


def test_what_nobody_wants_is_known_for_every_kind_of_event_there_is() -> None:
    assert {MessageIn, PduIn} == wanted(Picky(MessageIn, PduIn))
    there_are = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)}
    assert there_are - {Event} == wanted(print)
    assert not wanted(None)


@pytest.mark.parametrize(
    ("observer", "needed"), [(None, False), (Picky(MessageIn), False), (Picky(BytesOut), True), (Picky(PduIn), True)]
)
def test_there_is_a_witness_only_where_somebody_listens(observer: Picky | None, needed: bool) -> None:
    assert needed == (Witness.of(wanted(observer), None, print) is not None)


def test_a_pdu_is_told_before_its_last_bytes_go_on_and_all_bytes_go_on_at_once() -> None:
    seen, told = witness()
    seen.read(RELEASE[:4])
    assert [RELEASE[:4]] == list(seen.arriving(RELEASE[:4]))
    order: list[Any] = []
    for piece in seen.arriving(memoryview(RELEASE[4:] + ABORT + RELEASE[:1])):
        order += [kind for kind, _ in told if kind is PduIn]
        told.clear()
        order.append(bytes(piece))
    assert [PduIn, RELEASE[4:], PduIn, ABORT, RELEASE[:1]] == order


def test_garbage_goes_on_and_is_no_pdu() -> None:
    seen, told = witness(PduIn, PduOut)
    assert b"GET / HTTP/1.1" == b"".join(seen.arriving(b"GET / HTTP/1.1"))
    assert [] == told


def test_what_was_written_is_told_as_bytes_and_as_the_pdus_it_completes() -> None:
    seen, told = witness()
    seen.written([RELEASE[:3]])
    seen.written([memoryview(RELEASE)[3:], ABORT])
    assert [
        (BytesOut, RELEASE[:3]), (BytesOut, RELEASE[3:] + ABORT), (PduOut, RELEASE), (PduOut, ABORT),
    ] == told  # fmt: skip


def test_only_what_is_wanted_is_told() -> None:
    seen, told = witness(BytesIn, BytesOut)
    seen.read(RELEASE)
    assert [RELEASE] == list(seen.arriving(RELEASE))
    seen.written([RELEASE])
    assert [(BytesIn, RELEASE), (BytesOut, RELEASE)] == told


def test_nothing_is_framed_in_a_direction_of_which_nobody_hears() -> None:
    seen, told = witness(PduOut)
    seen.read(RELEASE)
    assert [RELEASE + ABORT] == list(seen.arriving(RELEASE + ABORT))
    seen.written([RELEASE])
    assert [(PduOut, RELEASE)] == told
    seen, told = witness(PduIn)
    assert [RELEASE, ABORT] == list(seen.arriving(RELEASE + ABORT))
    seen.written([RELEASE])
    assert [(PduIn, RELEASE), (PduIn, ABORT)] == told


DATA = bytes.fromhex("0400 00000010 0000000C 0102 00112233445566778899")


def test_within_a_payload_limit_the_beginnings_are_told_and_where_how_much_lacks() -> None:
    told: list[tuple[Any, ...]] = []
    seen = Witness(lambda *what: told.append(what), frozenset((BytesIn, BytesOut)), limit=4)
    seen.read(memoryview(RELEASE + DATA))
    seen.written([DATA[:14], DATA[14:] + RELEASE])
    seen.written([DATA[:20], DATA[20:] + DATA])
    assert [
        (BytesIn, RELEASE + DATA[:16], ((26, 6),)), (BytesOut, DATA[:16] + RELEASE, ((16, 6),)),
        (BytesOut, DATA[:16] * 2, ((16, 6), (32, 6))),
    ] == told  # fmt: skip


def test_what_is_written_may_be_gone_as_soon_as_somebody_is_told() -> None:
    told = []
    buffer = bytearray(RELEASE + ABORT)

    def emit(kind: type[Event], data: bytes) -> None:
        told.append((kind, data))
        buffer[:] = bytes(len(buffer))

    Witness(emit, ALL).written([memoryview(buffer)])
    assert [(BytesOut, RELEASE + ABORT), (PduOut, RELEASE), (PduOut, ABORT)] == told
