"""What an AE's sessions ask of it: admission, requests nobody knows, and where data sets go."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest

from dicomsim import events
from dicomsim.dimse.data import DiscardSink, FileSink, MemorySink
from dicomsim.dimse.messages import Message
from dicomsim.provider import context_of
from dicomsim.services.call import Call
from dicomsim.services.storage import StoreTo
from dicomsim.wire.command import Value
from tests.meeting import CT_IMAGE_STORAGE, IMPLICIT, VERIFICATION, Calls, acceptor, meeting, requestor, serving


def test_a_request_without_user_code_needs_no_thread() -> None:
    before = {thread.ident for thread in threading.enumerate() if thread.name == "dicomsim worker"}
    with meeting(requestor(), acceptor()) as association:
        for _ in range(3):
            assert 0 == association.c_echo().status
    after = {thread.ident for thread in threading.enumerate() if thread.name == "dicomsim worker"}
    assert after <= before


def test_a_request_with_a_handler_is_answered_by_it() -> None:
    answering = acceptor()
    asked = answering.on_c_echo = Calls(0x0122)
    with meeting(requestor(), answering) as association:
        assert 0x0122 == association.c_echo(message_id=7).status
        context, info = asked.next()
        assert (1, VERIFICATION, IMPLICIT) == tuple(context)
        assert 7 == info["parameters"]["message_id"]
        assert (b"REQUESTOR       ", b"ANY-SCP         ") == (
            info["requestor"]["ae_title"],
            info["requestor"]["called_aet"],
        )
        assert (association.acceptor.info, {}) == (info["acceptor"], info["sop_class_extended"])


def test_an_unknown_request_is_answered_as_unrecognized() -> None:
    asking, came = requestor(), Calls()
    asking.events.add(came, events.MessageIn)
    with meeting(asking, acceptor()) as association:
        unknown: dict[int, Value] = {0x00000002: VERIFICATION, 0x00000100: 0x0077, 0x00000110: 9, 0x00000800: 0x0101}
        association.session.send(Message(1, unknown, None))
        answer = came.next().message
        assert (0x8077, 9, 0x0211) == (answer.command_field, answer.message_id_being_responded_to, answer.status)
        assert 0 == association.c_echo().status


def test_associations_beyond_the_limit_are_turned_away_until_one_has_gone() -> None:
    answering = acceptor(maximum_associations=2)
    with serving(answering) as server:
        kept = [requestor().associate(*server.address) for _ in range(2)]
        assert requestor().associate(*server.address).is_rejected
        kept.pop().release()
        again = requestor().associate(*server.address)
        assert again.is_established
        for association in (*kept, again):
            association.release()


def test_an_ae_forgets_associations_that_were_turned_away() -> None:
    answering = acceptor(maximum_associations=1)
    rejected = answering.on_association_rejected = Calls()
    with serving(answering) as server, requestor().associate(*server.address):
        for _ in range(3):
            assert requestor().associate(*server.address).is_rejected
            rejected.next()
        assert 1 == len(answering.active_associations)


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        (StoreTo.DATASET, MemorySink),
        (StoreTo.BYTES, MemorySink),
        (StoreTo.FILE, FileSink),
        (StoreTo.NOWHERE, DiscardSink),
    ],
)
def test_an_object_goes_where_the_ae_wants_it(form: StoreTo, kind: type, tmp_path: Path) -> None:
    answering = acceptor(CT_IMAGE_STORAGE, store_to=form, store_folder=tmp_path)
    accepted = answering.on_association_accepted = Calls()
    with meeting(requestor(CT_IMAGE_STORAGE), answering):
        session = accepted.next().association.session
        names: dict[int, Value] = {0x00000002: CT_IMAGE_STORAGE, 0x00001000: "1.2.3"}
        store = Message(1, {0x00000100: 0x0001, 0x00000110: 1, 0x00000800: 0x0001, **names}, None)
        sink = session.handler.sink(session, store)
        sink.abort()
        assert isinstance(sink, kind)
        refused = Message(1, {0x00000100: 0x0020, 0x00000002: CT_IMAGE_STORAGE}, None)
        assert isinstance(session.handler.sink(session, refused), DiscardSink)
        answer = Message(1, {0x00000100: 0x8020, 0x00000002: CT_IMAGE_STORAGE}, None)
        assert isinstance(session.handler.sink(session, answer), MemorySink)


def test_an_accepted_context_is_shown_as_handlers_get_it() -> None:
    with meeting(requestor(), acceptor()) as association:
        assert (1, VERIFICATION, IMPLICIT) == tuple(context_of(association.session, 1))


def test_a_comment_fits_into_its_element() -> None:
    """Error Comment is an LO: at most 64 characters of the default repertoire."""

    class NameThatIsMuchLongerThanAnyCommentInACommandSetMayBeError(Exception):
        pass

    def mistaken(context: object, info: object) -> int:
        raise NameThatIsMuchLongerThanAnyCommentInACommandSetMayBeError

    with meeting(requestor(), acceptor(on_c_echo=mistaken)) as association:
        answer = association.send_c_echo()
        assert 0x0110 == answer.Status
        assert answer.ErrorComment.startswith("handler failed: NameThat")
        assert len(answer.ErrorComment) <= 64 and answer.ErrorComment.isascii()


def _calls() -> int:
    return sum(type(one) is Call for one in gc.get_objects())  # isinstance() would ask each object, and some are gone


@pytest.mark.parametrize("handled", [True, False])
def test_what_was_answered_is_gone_without_the_collector(handled: bool) -> None:
    answering = acceptor()
    if handled:
        answering.on_c_echo = lambda *_: 0x0000
    with meeting(requestor(), answering) as association:
        gc.collect()
        gc.disable()
        try:
            before = _calls()
            for _ in range(50):
                assert 0 == association.c_echo().status
            assert _calls() - before < 5
        finally:
            gc.enable()
