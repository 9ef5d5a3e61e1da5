"""The test doubles: they stand in for what they double, and say so when a test waits for nothing."""

from __future__ import annotations

import pytest

from dicomsim.engine.poller import READ, WRITE
from dicomsim.engine.reactor import Appointment
from dicomsim.engine.transport import Transport
from dicomsim.testing import (
    FakeClock,
    ManualReactor,
    ManualWorkers,
    MemoryTransport,
    NothingWillHappenError,
    join,
    memory_pair,
)
from tests.engine.doubles import REQUEST, Stage, User, echo


@pytest.fixture
def reactor() -> ManualReactor:
    return ManualReactor()


@pytest.fixture
def pair(reactor: ManualReactor) -> tuple[MemoryTransport, MemoryTransport]:
    return memory_pair(reactor)


Pair = tuple[MemoryTransport, MemoryTransport]


def read(end: MemoryTransport, size: int = 100) -> bytes | None:
    view = memoryview(bytearray(size))
    count = end.receive_into(view)
    return None if count is None else bytes(view[:count])


# -- the clock ---------------------------------------------------------------------------------------------------------
def test_time_goes_on_when_told_and_in_both_readings() -> None:
    clock = FakeClock(5.0, 1000)
    assert (5.0, 1000) == (clock.monotonic(), clock.wall())
    clock.advance(0.5)
    assert (5.5, 500_001_000) == (clock.monotonic(), clock.wall())
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)


# -- transports --------------------------------------------------------------------------------------------------------
def test_it_is_a_transport(pair: Pair) -> None:
    here: Transport = pair[0]
    assert (here.local, here.remote) == (pair[1].remote, pair[1].local)
    assert here.fileno() >= 0 and here.tls is None and not here.pending()


def test_what_one_end_writes_the_other_reads(pair: Pair) -> None:
    here, there = pair
    assert read(there) is None
    assert 3 == here.send([b"a", memoryview(b"bc")])
    assert b"abc" == read(there)
    there.write(b"!")
    assert b"!" == here.read()


def test_reads_and_writes_can_be_made_small(pair: Pair) -> None:
    here, there = pair
    here.most_written, there.most_read, there.window = 4, 2, 5
    assert (4, 1, 0) == (here.send([b"abc", b"def"]), here.send([b"ef"]), here.send([b"f"]))
    assert (b"ab", b"cd", b"e") == (read(there), read(there), read(there))
    assert b"" == there.read(5)


def test_an_end_comes_behind_the_last_bytes(pair: Pair) -> None:
    here, there = pair
    here.send([b"last"])
    here.close()
    here.close(reset=True)
    assert (b"last", b"") == (read(there), read(there))
    assert there.is_over and not there.was_reset
    assert -1 == here.fileno()
    with pytest.raises(ConnectionError):
        there.send([b"x"])


def test_a_reset_is_an_error_behind_the_last_bytes(pair: Pair) -> None:
    here, there = pair
    here.send([b"last"])
    here.close(reset=True)
    assert b"last" == read(there)
    with pytest.raises(ConnectionResetError):
        read(there)
    assert there.is_ready(0)


def test_a_half_close_ends_one_way_only(pair: Pair) -> None:
    here, there = pair
    here.half_close()
    assert b"" == read(there)
    there.send([b"x"])
    assert b"x" == read(here)
    with pytest.raises(BrokenPipeError):
        here.send([b"x"])


def test_it_is_ready_for_what_can_be_done(pair: Pair) -> None:
    here, there = pair
    assert (False, True, True) == (here.is_ready(READ), here.is_ready(WRITE), here.is_ready(READ | WRITE))
    there.window = 0
    assert not here.is_ready(WRITE)
    there.write(b"x")
    assert here.is_ready(READ) and not here.is_ready(0)


# -- waiting -----------------------------------------------------------------------------------------------------------
def test_waiting_lets_time_pass_up_to_its_end(pair: Pair, reactor: ManualReactor) -> None:
    before = reactor.clock.monotonic()
    assert not pair[0].wait(7.0)
    assert before + 7.0 == reactor.clock.monotonic()
    pair[1].write(b"x")
    assert pair[0].wait(7.0)
    assert before + 7.0 == reactor.clock.monotonic()


def test_waiting_for_what_cannot_come_is_an_error(pair: Pair) -> None:
    with pytest.raises(NothingWillHappenError):
        pair[0].wait(None)


def test_a_closed_end_is_not_waited_for(pair: Pair) -> None:
    pair[0].close()
    assert not pair[0].wait(None)


def test_waiting_does_what_others_can_do(pair: Pair, reactor: ManualReactor) -> None:
    reactor.manual_workers.submit(lambda: pair[1].write(b"done"))
    assert pair[0].wait(None)
    assert b"done" == pair[0].read()


def test_a_wait_within_a_wait_that_is_over_needs_a_second_thread(pair: Pair, reactor: ManualReactor) -> None:
    inner, _ = memory_pair(reactor)

    def job() -> None:
        pair[1].write(b"done")
        with pytest.raises(NothingWillHappenError, match="two threads"):
            inner.wait(None)

    reactor.manual_workers.submit(job)
    assert pair[0].wait(None)


# -- the reactor -------------------------------------------------------------------------------------------------------
class Restless:
    """Wants to be called at once, again and again."""

    def __init__(self, reactor: ManualReactor) -> None:
        self.appointment: Appointment | None = None
        self._reactor = reactor

    def fileno(self) -> int:
        return -1

    def ready(self) -> None:
        raise NotImplementedError

    def due(self, now: float) -> None:
        self._reactor.schedule(self, now)


def test_running_in_circles_is_an_error(reactor: ManualReactor) -> None:
    reactor.schedule(Restless(reactor), 0.0)
    with pytest.raises(AssertionError, match="in circles"):
        reactor.run()


def test_jobs_are_done_when_told_and_may_bring_others() -> None:
    workers, order = ManualWorkers(), list[int]()

    def first() -> None:
        order.append(1)
        workers.submit(lambda: order.append(2))

    workers.submit(first)
    assert [] == order
    assert 2 == workers.run()
    assert [1, 2] == order


def test_jobs_of_busy_workers_wait(reactor: ManualReactor) -> None:
    done: list[int] = []
    reactor.manual_workers.busy = True
    reactor.manual_workers.submit(lambda: done.append(1))
    reactor.run()
    assert [] == done
    reactor.manual_workers.busy = False
    reactor.run()
    assert [1] == done


def test_two_sessions_are_joined() -> None:
    stage = Stage()
    requestor, acceptor = join((stage.setup(), User()), (stage.setup(), stage.acceptor), REQUEST)
    assert 0 == echo(requestor)
    assert acceptor.agreement is not None
