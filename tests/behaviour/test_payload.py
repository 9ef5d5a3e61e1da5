"""Bytes that a rule sends."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.behaviour.kinds import COMMANDS
from dicomsim.behaviour.payload import PAYLOAD
from dicomsim.behaviour.values import RuleError
from dicomsim.dimse.check import check
from dicomsim.dimse.messages import Message
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.command import decode_command
from dicomsim.wire.pdu import Abort, AssociateAC, AssociateRJ, AssociateRQ, PDataTF, Pdu, ReleaseRP, ReleaseRQ


class Source:
    """An association between two titles."""

    def __init__(self, seed: int = 0) -> None:
        self.random = Random(seed)
        self.called = "ARCHIVE"
        self.calling = "A TITLE THAT IS TOO LONG, \u00e9"


def made(written: Any, seed: int = 0) -> bytes:
    data: bytes = PAYLOAD.make(PAYLOAD.read(written))(Source(seed))
    return data


@pytest.mark.parametrize(
    ("written", "canonical", "data"),
    [
        ("hex:01 02ff", "hex:0102ff", b"\1\2\xff"),
        ("0102ff", "hex:0102ff", b"\1\2\xff"),
        ("0x0102", "hex:0102", b"\1\2"),
        ("text:GET /: \u00e9", "text:GET /: \u00e9", "GET /: \u00e9".encode()),
        ("zeros:3", "zeros:3", bytes(3)),
        ("a-abort", "A-ABORT 0/0", bytes.fromhex("07000000000400000000")),
        ("A-ABORT unexpected-pdu", "A-ABORT 2/2", bytes.fromhex("07000000000400000202")),
        ("A-ASSOCIATE-RJ 2/3/1", "A-ASSOCIATE-RJ 2/3/1", bytes.fromhex("03000000000400020301")),
        ("A-RELEASE-RQ", "A-RELEASE-RQ", bytes.fromhex("05000000000400000000")),
        ("A-RELEASE-RP", "A-RELEASE-RP", bytes.fromhex("06000000000400000000")),
    ],
)
def test_what_is_written_is_sent(written: str, canonical: str, data: bytes) -> None:
    assert (canonical, data) == (PAYLOAD.read(written), made(written))
    assert canonical == PAYLOAD.read(canonical)


def test_random_bytes_follow_the_seed() -> None:
    assert 40 == len(made("random:40"))
    assert made("random:40", 1) == made("random:40", 1) != made("random:40", 2)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("A-ASSOCIATE-RQ", AssociateRQ),
        ("A-ASSOCIATE-AC", AssociateAC),
        ("A-ASSOCIATE-RJ", AssociateRJ),
        ("P-DATA-TF", PDataTF),
        ("A-RELEASE-RQ", ReleaseRQ),
        ("A-RELEASE-RP", ReleaseRP),
        ("A-ABORT", Abort),
    ],
)
def test_every_pdu_has_a_valid_form_by_its_name(name: str, kind: type[Pdu]) -> None:
    assert isinstance(decode_pdu(made(name)), kind)


def test_an_association_request_carries_the_titles_of_the_session() -> None:
    request = decode_pdu(made("A-ASSOCIATE-RQ"))

    assert isinstance(request, AssociateRQ)
    assert ("ARCHIVE", "A TITLE THAT IS") == (request.called, request.calling)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_message_has_a_form_by_its_name_with_what_is_mandatory(name: str) -> None:
    pdu = decode_pdu(made(f"{name} 3/77"))
    assert isinstance(pdu, PDataTF)
    message = Message(pdu.pdvs[0].context_id, decode_command(pdu.pdvs[0].data))

    assert (name, 3) == (message.name, message.context_id)
    assert 77 in (message.message_id, message.message_id_being_responded_to)
    assert [] == [fault for fault in check(message) if "data set" not in str(fault).casefold()]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("A-ABROT", "did you mean A-ABORT?"),
        ("", "no bytes are given"),
        ("hex:0", "two a byte"),
        ("A-RELEASE-RQ 1", "takes no codes"),
        ("A-ABORT 2/1 3", "says no bytes"),
        ("C-ECHO-RQ 256/1", "256 is no context ID"),
        ("random:999999999", "out of range"),
        ("banana", "write hex:"),
        (None, "is no text"),
    ],
)
def test_what_says_no_bytes_is_an_error(written: Any, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        PAYLOAD.read(written)
    assert said in str(caught.value)


@given(st.text(max_size=30) | st.sampled_from(["hex:", "text:", "zeros:", "C-ECHO-RQ "]).flatmap(
    lambda start: st.text(max_size=8).map(lambda end: start + end)
))  # fmt: skip
def test_reading_raises_nothing_but_rule_errors_and_is_stable(written: str) -> None:
    try:
        canonical = PAYLOAD.read(written)
    except RuleError:
        return
    assert canonical == PAYLOAD.read(canonical)
    assert isinstance(made(canonical), bytes)
