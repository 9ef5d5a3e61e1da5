"""One request and its answer: message ids, the window, statuses, and what there is when no answer comes."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dicomsim.dimse.builders import build, respond
from dicomsim.errors import AssociationError, StateError, TimeLimitError
from dicomsim.operations.requesting import Request, note_status
from tests.meeting import LIMIT, VERIFICATION, SilentPeer, acceptor, meeting, requestor
from tests.services.calls import Recorder

ECHO: dict[str, Any] = {"affected_sop_class_uid": VERIFICATION}


def test_message_ids_count_up_unless_they_are_given() -> None:
    handler = Recorder()
    with meeting(requestor(), acceptor(on_c_echo=handler)) as association:
        for message_id in (None, None, 77, None):
            association.perform("C-ECHO-RQ", 1, message_id=message_id, **ECHO)
    assert [1, 2, 77, 3] == [call[1]["parameters"]["message_id"] for call in handler.calls]


@pytest.mark.parametrize(
    ("value", "kind"), [(65536, ValueError), (-1, ValueError), ("a", TypeError), (1.0, TypeError), ([], TypeError)]
)
def test_a_message_id_that_cannot_be_sent_is_named_before_anything_is(value: Any, kind: type[Exception]) -> None:
    handler, named = Recorder(), rf"a message id must be .*, not {re.escape(repr(value))}"
    with meeting(requestor(), acceptor(on_c_echo=handler)) as association:
        with pytest.raises(kind, match=named):
            association.send_c_echo(value)
        with pytest.raises(kind, match=named):
            association.submit("c_echo", message_id=value)
        with pytest.raises(kind, match=named):
            association.send_c_cancel(value, 1)
        assert 0x0000 == association.c_echo(0).status == association.c_echo(0xFFFF).status
    assert 2 == len(handler.calls)


def test_any_request_can_be_made_and_its_answer_is_given_as_it_came() -> None:
    with meeting(requestor(), acceptor()) as association:
        response = association.perform("N-DELETE-RQ", 1, requested_sop_class_uid="1.2", requested_sop_instance_uid="1")
        assert ("N-DELETE-RSP", 0x0118) == (response.name, response.status)
        assert 0x0000 == association.ask(Request("C-ECHO-RQ", 1, None, ECHO)).status


def test_a_request_says_what_it_is_about() -> None:
    assert VERIFICATION == Request("C-ECHO-RQ", 1, None, ECHO).sop_class
    assert "1.2" == Request("N-GET-RQ", 1, None, {"requested_sop_class_uid": "1.2"}).sop_class
    assert "" == Request("N-GET-RQ", 1).sop_class


def test_two_threads_take_turns_in_a_window_of_one() -> None:
    together, at_once = threading.Lock(), []

    def on_c_echo(context: Any, info: Any) -> int:
        at_once.append(together.acquire(blocking=False))
        together.release()
        return 0x0000

    with meeting(requestor(), acceptor(on_c_echo=on_c_echo)) as association, ThreadPoolExecutor(4) as executor:
        answers = [executor.submit(association.c_echo) for _ in range(40)]
        assert [0x0000] * 40 == [one.result(LIMIT).status for one in answers]
    assert [True] * 40 == at_once


def test_a_request_that_is_none_cannot_be_sent() -> None:
    with meeting(requestor(), acceptor()) as association:
        with pytest.raises(StateError, match="C-ECHO-RSP"):
            association.perform("C-ECHO-RSP", 1, **ECHO)
        assert 0x0000 == association.c_echo().status


def test_an_answer_that_does_not_come_is_a_timeout_and_the_end() -> None:
    with SilentPeer() as peer:
        ae = requestor()
        ae.timeouts.dimse = 0.01
        association = ae.associate(*peer.address)
        with pytest.raises(TimeLimitError, match=r"dimse timeout of 0.01 s"):
            association.c_echo()
        assert isinstance(association.ended_early(), TimeLimitError)
        with pytest.raises(TimeLimitError):
            association.c_echo()


def test_without_an_end_there_is_just_no_answer() -> None:
    with meeting(requestor(), acceptor()) as association:
        assert "no answer came" == str(association.ended_early())


def test_an_association_that_was_rejected_can_do_nothing() -> None:
    with meeting(requestor(), acceptor(require_called_aet="OTHER")) as association:
        with pytest.raises(AssociationError, match="rejected"):
            association.perform("C-ECHO-RQ", 1, **ECHO)
        with pytest.raises(RuntimeError, match=r"it is over .rejected"):
            association.require_established("C-ECHO")


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0x0000, ""),
        (0xA700, ""),
        (0xB123, "the peer answered with 0xB123 Warning (not a status of Storage)"),
        (0x1234, "the peer answered with 0x1234 Unknown"),
        (None, "a response without a status"),
    ],
)
def test_a_status_that_the_service_does_not_know_is_logged(
    status: int | None, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    ct = "1.2.840.10008.5.1.4.1.1.2"
    request = build("C-STORE-RQ", 1, message_id=1, affected_sop_class_uid=ct)
    response = respond(request, status or 0)
    if status is None:
        del response.command[0x0900]
    note_status(request.name, ct, response)
    assert (text in caplog.text) if text else caplog.text == ""
