"""What the actors of a case share."""

from __future__ import annotations

import pytest

from dicomsim.engine.stream import StreamListener, connect_stream
from dicomsim.scenario.stage import Address, Stage, Titles
from tests.scenario.doubles import LIMIT


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost:104", Address("localhost", 104)),
        ("11112", Address("127.0.0.1", 11112)),
        (":11112", Address("127.0.0.1", 11112)),
        ("[::1]:104", Address("::1", 104)),
    ],
)
def test_an_address_is_read(text: str, address: Address) -> None:
    assert address == Address.parse(text)


@pytest.mark.parametrize(
    "text", ["", "localhost", "localhost:", "localhost:0", "localhost:65536", "localhost:-1", "::1:104"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"port|brackets"):
        Address.parse(text)


def test_an_address_is_written_as_it_is_read() -> None:
    assert ["localhost:104", "[::1]:104"] == [str(Address.parse(text)) for text in ("localhost:104", "[::1]:104")]


@pytest.mark.parametrize(
    ("within", "capped", "seconds"),
    [(None, False, 5), (None, True, 5), (2, False, 2), (2, True, 2), (75, False, 75), (75, True, 5), ("3", False, 3)],
)
def test_a_step_takes_as_long_as_it_says_unless_the_run_says_otherwise(
    within: float | str | None, capped: bool, seconds: float
) -> None:
    assert seconds == Stage(Address("h", 1), Titles(), 5, capped).seconds(within)


def test_a_signal_is_one_for_all() -> None:
    stage = Stage(Address("h", 1), Titles(), 5)
    stage.signal("go").set()
    assert (True, False) == (stage.signal("go").is_set(), stage.signal("stop").is_set())


def test_every_connection_is_noted_with_its_case() -> None:
    notes: list[tuple[int, str]] = []
    with StreamListener() as listener:
        stage = Stage(Address(*listener.address), Titles(), 5, note=lambda *note: notes.append(note), case_id="a/b")
        stage.connect(LIMIT).close()
    assert ["a/b"] == [text for _, text in notes]


def test_listening_can_be_stopped_and_taken_up_again_on_the_same_port() -> None:
    stage = Stage(Address("127.0.0.1", 0), Titles(), 5)
    stage.listen(True)
    assert stage.listener is not None
    stage.address = Address(*stage.listener.address)
    stage.listen(False)
    with pytest.raises(ConnectionAbortedError):
        stage.accept(0)
    stage.listen(True)
    with connect_stream(stage.address.host, stage.address.port, LIMIT):
        stage.accept(LIMIT).close()
    stage.listen(False)


def test_connections_that_nobody_takes_are_counted() -> None:
    stage = Stage(Address("127.0.0.1", 0), Titles(), 5)
    stage.listen(True)
    assert stage.listener is not None
    host, port = stage.listener.address
    with connect_stream(host, port, LIMIT), connect_stream(host, port, LIMIT):
        assert [2, 0] == [stage.retries(), stage.retries()]
    stage.listen(False)
    assert 0 == stage.retries()
