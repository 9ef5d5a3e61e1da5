"""Rules around a live acceptor: what its peer gets to read."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from dicomsim.ae import ApplicationEntity
from dicomsim.behaviour import Behaviour
from dicomsim.dimse.builders import c_store_rq
from dicomsim.dimse.fragmenter import fragment
from dicomsim.services.storage import StoreTo
from dicomsim.upper_layer.negotiation import build_request
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.items import PresentationContextRQ
from dicomsim.wire.pdu import Abort, AssociateAC, AssociateRJ, PDataTF
from tests.behaviour.sessions import AC, ECHO_RQ, RELEASE_RQ, RQ

VERIFICATION = "1.2.840.10008.1.1"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
IMPLICIT = "1.2.840.10008.1.2"


@contextmanager
def peer_of(*rules: str) -> Iterator[socket.socket]:
    """A connection to an acceptor with these rules."""
    entity = ApplicationEntity("ANY-SCP")
    entity.add_supported_context(VERIFICATION)
    entity.behaviour = Behaviour(rules)
    with (
        entity.start_server(("127.0.0.1", 0), block=False) as server,
        closing(socket.create_connection(server.address[:2], timeout=20)) as connection,
    ):
        yield connection


def said(*sent: bytes, rules: tuple[str, ...]) -> bytes:
    """All that the acceptor says up to the end of the connection."""
    with peer_of(*rules) as connection:
        connection.sendall(b"".join(sent))
        received = b""
        while data := connection.recv(65536):
            received += data
    return received


def pdus(data: bytes) -> list[bytes]:
    """PDUs one behind the other."""
    found = []
    while data:
        length = 6 + int.from_bytes(data[2:6])
        found.append(data[:length])
        data = data[length:]
    return found


def kinds(data: bytes) -> list[str]:
    return [type(decode_pdu(pdu)).__name__ for pdu in pdus(data)]


def test_a_rejection_is_the_answer() -> None:
    (answer,) = pdus(said(RQ, rules=("on A-ASSOCIATE-RQ in: reject congestion", "on A-ASSOCIATE-RJ out: close after")))

    assert AssociateRJ(2, 3, 1) == decode_pdu(answer)


def test_an_abort_takes_the_place_of_the_release_response() -> None:
    said_all = pdus(said(RQ, RELEASE_RQ, rules=("on A-RELEASE-RQ in: abort; close",)))

    assert [AssociateAC, Abort] == [type(decode_pdu(pdu)) for pdu in said_all]


@pytest.mark.parametrize("end", ["close after", "half-close"])
def test_what_is_before_an_end_is_written_first(end: str) -> None:
    assert AC[:1] + b"\0" == said(RQ, rules=(f"on A-ASSOCIATE-AC out: truncate 2; {end}",))


def test_what_is_before_a_stall_is_written_first() -> None:
    with peer_of("on A-ASSOCIATE-AC out: truncate 2; stall after") as connection:
        connection.sendall(RQ)

        assert AC[:2] == connection.recv(65536)


def test_an_answer_is_written_before_the_end_that_the_request_brings() -> None:
    answers = said(RQ, ECHO_RQ, rules=("on C-ECHO-RQ in: answer 0122; close after",))

    assert ["AssociateAC", "PDataTF"] == kinds(answers)
    response = decode_pdu(pdus(answers)[1])
    assert isinstance(response, PDataTF)
    assert b"\x00\x00\x00\x09\x02\x00\x00\x00\x22\x01" in response.pdvs[0].data


def test_bytes_for_a_state_come_behind_the_pdu_that_led_to_it() -> None:
    assert b"hello" == said(RQ, rules=("on Sta6: raw text:hello; close",))[-5:]
    assert ["AssociateAC"] == kinds(said(RQ, rules=("on Sta6: raw text:hello; close",))[:-5])


def test_a_request_is_answered_as_often_as_a_rule_says() -> None:
    rules = ("on C-ECHO-RSP out: duplicate 2", "on A-RELEASE-RP out: close after")

    assert ["AssociateAC", "PDataTF", "PDataTF", "PDataTF", "ReleaseRP"] == kinds(
        said(RQ, ECHO_RQ, RELEASE_RQ, rules=rules)
    )


def test_slices_are_together_what_was_there() -> None:
    whole = said(RQ, RELEASE_RQ, rules=("on A-RELEASE-RP out: close after",))
    cut = said(RQ, RELEASE_RQ, rules=("on bytes out: slice 7 pause=0", "on A-RELEASE-RP out: close after"))

    assert whole == cut


def test_a_context_is_accepted_with_what_was_not_offered() -> None:
    rules = (
        "on A-ASSOCIATE-RQ in: accept transfer_syntax=JPEG2000; maximum-length 7",
        "on A-ASSOCIATE-AC out: close after",
    )
    (answer,) = pdus(said(RQ, rules=rules))
    accepted = decode_pdu(answer)
    assert isinstance(accepted, AssociateAC)

    assert ["1.2.840.10008.1.2.4.91"] == [context.transfer_syntax for context in accepted.presentation_contexts]
    assert 7 == accepted.user_information[0].value  # type: ignore[union-attr]


@pytest.mark.parametrize("end", ["reset", "close"])
def test_nothing_behind_the_pdu_at_which_the_line_is_cut_reaches_a_service(end: str) -> None:
    stored: list[object] = []
    over = threading.Event()
    entity = ApplicationEntity("ANY-SCP")
    entity.add_supported_context(CT_IMAGE, IMPLICIT)
    entity.behaviour = Behaviour([f"on P-DATA-TF in part=data nth=2: {end}"])
    entity.store_to = StoreTo.BYTES

    def on_c_store(dataset: object, context: object, info: object) -> int:
        stored.append(dataset)
        return 0

    entity.on_c_store = on_c_store
    entity.on_association_aborted = lambda association: over.set()
    request = build_request("ANY-SCP", "TEST", [PresentationContextRQ.of(1, CT_IMAGE, IMPLICIT)])
    message = c_store_rq(1, 1, CT_IMAGE, "2.25.1", bytes(300))
    with (
        entity.start_server(("127.0.0.1", 0)) as server,
        closing(socket.create_connection(server.address[:2], timeout=20)) as connection,
    ):
        connection.sendall(encode_pdu(request))
        assert connection.recv(65536)
        connection.sendall(b"".join(fragment(message, 110)))  # three PDUs of data in one segment
        assert over.wait(20)
    assert [] == stored
