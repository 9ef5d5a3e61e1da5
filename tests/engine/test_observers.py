"""Observers: who is told of what, from when on, and until when."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from dicomsim import events
from dicomsim.engine.observers import Audience, Observers
from dicomsim.events import Event, Side

ENDED = events.Ended(1, 1, None)
CLOSED = events.ConnectionClosed(2, 1, Side.REQUESTOR, events.CloseHow.FIN)


def audience(observers: Observers) -> Audience:
    """Those who listen now."""
    now = observers.audience()
    assert now is not None
    return now


def test_nobody_is_no_audience() -> None:
    observers = Observers()
    assert observers.audience() is None and not observers
    observers.add(print)
    assert observers and 1 == len(observers)
    observers.remove(print)
    assert observers.audience() is None and not observers


def test_each_is_told_of_the_kinds_it_wants_in_the_order_of_coming() -> None:
    observers = Observers()
    told: list[tuple[str, Event]] = []
    observers.add(lambda event: told.append(("all", event)))
    observers.add(lambda event: told.append(("ends", event)), events.Ended, events.ConnectionRefused)
    for event in (CLOSED, ENDED):
        audience(observers)(event)
    assert [("all", CLOSED), ("all", ENDED), ("ends", ENDED)] == told


def test_an_audience_knows_what_nobody_wants() -> None:
    observers = Observers()
    observers.add(print, events.Ended)
    now = audience(observers)
    assert now.wants(events.Ended) and now.wants(events.PduIn, events.Ended)
    assert not now.wants(events.PduIn, events.PduOut)
    observers.add(print)
    assert audience(observers).wants(events.PduIn) and not now.wants(events.PduIn)


def test_who_comes_later_is_not_in_the_audience() -> None:
    observers, told = Observers(), list[Event]()
    observers.add(print, events.PduIn)
    now = audience(observers)
    observers.add(told.append)
    now(ENDED)
    assert [] == told
    audience(observers)(ENDED)
    assert [ENDED] == told


def test_who_has_gone_is_told_no_more() -> None:
    observers, told = Observers(), list[Event]()
    observers.add(told.append, events.Ended)
    observers.add(told.append, events.ConnectionClosed)
    now = audience(observers)
    observers.remove(told.append)
    now(ENDED)
    now(CLOSED)
    assert [] == told
    observers.remove(told.append)


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit])
def test_what_one_raises_is_logged_and_stops_nobody(
    kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    observers, told = Observers(), list[Event]()

    def mistaken(event: Event) -> None:
        raise kind("a mistake")

    observers.add(mistaken)
    observers.add(told.append)
    with caplog.at_level(logging.ERROR, "dicomsim"):
        audience(observers)(ENDED)
    assert [ENDED] == told
    assert "a mistake" in caplog.text and "Ended" in caplog.text


@pytest.mark.parametrize("callback", [None, "print", 5])
def test_an_observer_must_be_callable(callback: Any) -> None:
    with pytest.raises(TypeError, match="callable") as raised:
        Observers().add(callback)
    assert repr(callback) in str(raised.value)


@pytest.mark.parametrize("kind", [ENDED, int, "Ended", None])
def test_a_kind_must_be_a_class_of_events(kind: Any) -> None:
    with pytest.raises(TypeError, match="kind of event"):
        Observers().add(print, kind)


class Limited:
    """An observer that says what it wants of whom."""

    def __init__(self, payload_limit: int | None, *kinds: type[Event]) -> None:
        self.payload_limit = payload_limit
        self.kinds = kinds

    def wants(self, *kinds: type[Event]) -> bool:
        return bool(set(kinds) & set(self.kinds))

    def __call__(self, event: Event) -> None:
        raise NotImplementedError


def test_a_callback_may_say_itself_what_it_wants() -> None:
    observers = Observers()
    observers.add(Limited(None, events.BytesIn))
    assert audience(observers).wants(events.BytesIn)
    assert not audience(observers).wants(events.PduIn)


@pytest.mark.parametrize(
    ("limits", "common"), [((), None), ((10,), 10), ((10, 20), 20), ((10, None), None), ((0,), 0), ((None,), None)]
)
def test_as_much_of_a_data_set_is_told_as_anybody_wants(limits: tuple[int | None, ...], common: int | None) -> None:
    observers = Observers()
    observers.add(Limited(None, events.MessageIn))  # to whom bytes do not matter
    for limit in limits:
        observers.add(Limited(limit, events.BytesIn))
    assert common == audience(observers).payload_limit
