"""An association that several threads use at once: whoever waits for an answer keeps nobody from anything."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from dicomsim.ae import AE
from dicomsim.association import Association
from dicomsim.errors import AssociationError
from dicomsim.outcome import Ending

VERIFICATION = "1.2.840.10008.1.1"
LIMIT = 30.0


class Gate:
    """A handler that says when it was entered and waits until it may go on."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.may_go_on = threading.Event()

    def __call__(self, context: Any, info: Any) -> int:
        self.entered.set()
        assert self.may_go_on.wait(LIMIT)
        return 0x0000


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.may_go_on.set()


@pytest.fixture
def association(gate: Gate) -> Iterator[Association]:
    acceptor, requestor = AE("ACCEPTOR"), AE("REQUESTOR")
    acceptor.add_supported_context(VERIFICATION)
    acceptor.on_c_echo = gate
    requestor.add_requested_context(VERIFICATION)
    with acceptor.start_server(("127.0.0.1", 0)) as server:
        association = requestor.associate(*server.address)
        assert association.is_established
        yield association
        association.kill()


def _in_a_thread(function: Callable[[], Any]) -> Future[Any]:
    executor = ThreadPoolExecutor(1)
    future = executor.submit(function)
    executor.shutdown(wait=False)
    return future


@pytest.mark.parametrize(
    ("end", "how"), [(Association.abort, Ending.ABORTED), (Association.kill, Ending.CLOSED)], ids=["abort", "kill"]
)
def test_another_thread_may_end_what_a_caller_waits_for(
    association: Association, gate: Gate, end: Callable[[Association], None], how: Ending
) -> None:
    answer = _in_a_thread(association.c_echo)
    assert gate.entered.wait(LIMIT)
    end(association)
    with pytest.raises(AssociationError):
        answer.result(LIMIT)
    assert association.outcome is not None
    assert how is association.outcome.how


def test_a_release_does_not_wait_for_ever_behind_an_answer(association: Association, gate: Gate) -> None:
    answer = _in_a_thread(association.c_echo)
    assert gate.entered.wait(LIMIT)
    released = _in_a_thread(association.release)
    gate.may_go_on.set()
    released.result(LIMIT)
    assert answer.result(LIMIT).status == 0x0000
    assert association.is_released
