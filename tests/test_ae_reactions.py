"""What an AE does on the wire where no byte vector says it: single requirements of the oracle, one test each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from dicomsim import events
from dicomsim.errors import AssociationError
from dicomsim.events import Side
from dicomsim.outcome import Ending
from dicomsim.server import Server
from dicomsim.wire import items
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.pdu import AssociateAC
from tests.meeting import (
    CT_IMAGE_STORAGE,
    LIMIT,
    VERIFICATION,
    Calls,
    acceptor,
    meeting,
    requestor,
    serving,
)
from tests.raw_peers import (
    ABORT,
    BASE,
    RELEASE_RP,
    RELEASE_RQ,
    RQ_BASE,
    RawAcceptor,
    RawPeer,
    abort_codes,
    acceptance,
    answer_of,
    answering,
    echo,
    raw_requestor,
    types,
)


@pytest.fixture
def server() -> Iterator[Server]:
    """An acceptor of Verification and CT Image Storage."""
    with serving(acceptor(VERIFICATION, CT_IMAGE_STORAGE)) as running:
        yield running


# -- connections -----------------------------------------------------------------------------------------------------


def test_each_association_has_a_connection_of_its_own() -> None:
    asking = requestor()
    with serving(acceptor()) as server:
        first = asking.associate(*server.address)
        second = asking.associate(*server.address)
        first.release()
        third = asking.associate(*server.address)
        ports = {one.requestor.port for one in (first, second, third)}
        assert second.is_established and third.is_established and 3 == len(ports)
        asking.stop()


def test_the_request_is_the_first_thing_that_is_sent_and_the_only_one_before_the_answer() -> None:
    with RawAcceptor(lambda peer: None) as peer:
        requestor(acse_timeout=0.02).associate(*peer.address)
    assert [1, 7] == types(peer.received)


def test_a_peer_that_closes_instead_of_answering_has_ended_it() -> None:
    def closes(peer: RawPeer) -> None:
        peer.next()
        peer.stream.close()

    with RawAcceptor(closes) as peer:
        association = requestor().associate(*peer.address)
    outcome = association.outcome
    assert outcome is not None and (Ending.CLOSED, Side.ACCEPTOR, "Sta5") == (outcome.how, outcome.by, outcome.state)


def test_a_connection_that_ends_in_the_middle_of_a_pdu_is_a_lost_one(server: Server) -> None:
    aborted = server.ae.on_association_aborted = Calls()
    with raw_requestor(server.address, RQ_BASE) as peer:
        peer.send(echo()[:20])
    outcome = aborted.next().outcome
    assert (Ending.CLOSED, Side.REQUESTOR, "Sta6") == (outcome.how, outcome.by, outcome.state)


def test_several_pdus_in_one_segment_are_all_answered(server: Server) -> None:
    with raw_requestor(server.address, RQ_BASE) as peer:
        peer.send(b"".join(echo(number) for number in range(1, 6)) + RELEASE_RQ)
        assert [(number, 0) for number in range(1, 6)] == [answer_of(peer.next()) for _ in range(5)]
        assert RELEASE_RP == peer.next()


def test_an_operation_fails_when_the_connection_is_lost() -> None:
    def leaves(peer: RawPeer) -> None:
        answering(acceptance())(peer)
        peer.next()
        peer.stream.close(reset=True)

    with RawAcceptor(leaves) as peer:
        association = requestor().associate(*peer.address)
        with pytest.raises(AssociationError, match="reset"):
            association.c_echo()


# -- what is not tested ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"called_ae_title": b"SOMEBODY ELSE   ", "calling_ae_title": b"\0" * 16},
        {"reserved": (0xFF, b"\xff\xff", b"\xff" * 32)},
    ],
    ids=["titles", "reserved"],
)
def test_fields_of_an_answer_that_are_not_tested_may_hold_anything(changes: dict[str, Any]) -> None:
    with RawAcceptor(answering(acceptance(**changes))) as peer:
        association = requestor().associate(*peer.address)
        assert association.is_established and 1 == len(association.accepted_contexts)
        association.abort()


def test_an_item_of_unknown_type_in_an_answer_is_skipped() -> None:
    plain = decode_pdu(acceptance())
    assert isinstance(plain, AssociateAC)
    unknown = items.UnknownItem(0x77, b"anything")
    with RawAcceptor(answering(acceptance(items=(unknown, *plain.items, unknown)))) as peer:
        association = requestor().associate(*peer.address)
        assert association.is_established and 1 == len(association.accepted_contexts)
        association.abort()


def test_the_order_of_user_information_has_no_meaning(server: Server) -> None:
    information = items.UserInformation(tuple(reversed(BASE.user_information)))
    with raw_requestor(server.address, encode_pdu(replace(BASE, items=(*BASE.items[:-1], information)))) as peer:
        peer.send(echo())
        assert (1, 0) == answer_of(peer.next())


def test_reserved_bytes_are_not_looked_at(server: Server) -> None:
    with raw_requestor(server.address, RQ_BASE) as peer:
        peer.send(b"\x04\xff" + echo()[2:])
        assert (1, 0) == answer_of(peer.next())
        peer.send(b"\x05\xff\x00\x00\x00\x04\xff\xff\xff\xff")
        assert RELEASE_RP == peer.next()

    def releases(peer: RawPeer) -> None:
        answering(acceptance())(peer)
        assert RELEASE_RQ == peer.next()
        peer.send(b"\x06\xff\x00\x00\x00\x04\xff\xff\xff\xff")

    with RawAcceptor(releases) as other:
        association = requestor().associate(*other.address)
        association.release()
        assert association.is_released


def keep_in(pdus: list[bytes]) -> Callable[[Any], None]:
    """An observer that keeps the PDUs it is told of."""
    return lambda event: pdus.append(event.data)


def test_reserved_fields_are_sent_as_zeros() -> None:
    sent: list[bytes] = []
    asking, answering_ae = requestor(), acceptor()
    for ae in (asking, answering_ae):
        ae.events.add(keep_in(sent), events.PduOut)
    with meeting(asking, answering_ae) as association:
        association.c_echo()
        association.release()
    with meeting(asking, acceptor(require_called_aet="OTHER")):
        pass
    with meeting(asking, answering_ae) as association:
        association.abort()
    assert {1, 2, 4, 5, 6, 7} <= set(types(sent))
    for pdu in sent:
        assert 0 == pdu[1]
        if pdu[0] in (1, 2):
            assert not any(pdu[8:10]) and not any(pdu[42:74])
        elif pdu[0] in (5, 6):
            assert not any(pdu[6:])
        elif pdu[0] == 7:
            assert not any(pdu[6:8])


# -- lengths ---------------------------------------------------------------------------------------------------------


def with_length(pdu: bytes, length: int) -> bytes:
    """The PDU with another PDU-length."""
    return pdu[:2] + length.to_bytes(4, "big") + pdu[6:]


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("040000000000"),
        bytes.fromhex("0400000000080000000a01030000"),
        with_length(RELEASE_RQ, 5) + b"\0",
    ],
    ids=["P-DATA-TF without a PDV", "PDV past the end", "A-RELEASE-RQ of 5 bytes"],
)
def test_lengths_that_cannot_be_are_invalid_parameters(data: bytes, server: Server) -> None:
    with raw_requestor(server.address, RQ_BASE) as peer:
        peer.send(data)
        assert (2, 6) == abort_codes(peer.next())


def test_a_request_shorter_than_its_fixed_part_is_aborted(server: Server) -> None:
    with raw_requestor(server.address) as peer:
        peer.send(with_length(RQ_BASE[:46], 40))
        assert (0, 0) == abort_codes(peer.next())


def test_a_maximum_length_of_three_bytes_is_invalid(server: Server) -> None:
    damaged = RQ_BASE.replace(bytes.fromhex("5100000400003ffe"), bytes.fromhex("51000003003ffe00"))
    assert damaged != RQ_BASE
    with raw_requestor(server.address) as peer:
        peer.send(damaged)
        assert (0, 0) == abort_codes(peer.next())


@pytest.mark.parametrize("limit", [64, 128, 1000])
def test_no_p_data_is_longer_than_the_receiver_takes(limit: int) -> None:
    sent: list[bytes] = []
    asking = requestor(CT_IMAGE_STORAGE, VERIFICATION, maximum_pdu_size=2 * limit)
    answering_ae = acceptor(CT_IMAGE_STORAGE, VERIFICATION, maximum_pdu_size=limit, on_c_store=Calls(0))
    came: list[bytes] = []
    asking.events.add(keep_in(sent), events.PduOut)
    asking.events.add(keep_in(came), events.PduIn)
    with meeting(asking, answering_ae) as association:
        names = {"affected_sop_class_uid": CT_IMAGE_STORAGE, "affected_sop_instance_uid": "1.2.3"}
        assert association.perform("C-STORE-RQ", 1, bytes(10 * limit), priority=0, **names).status is not None
    lengths = [len(pdu) - 6 for pdu in sent if pdu[0] == 4]
    assert limit >= max(lengths) > limit - 8 and len(lengths) > 10
    assert 2 * limit >= max(len(pdu) - 6 for pdu in came if pdu[0] == 4)


def test_a_p_data_of_exactly_the_announced_length_is_taken() -> None:
    with serving(acceptor(maximum_pdu_size=len(echo()) - 6)) as server, raw_requestor(server.address, RQ_BASE) as peer:
        peer.send(echo())
        assert (1, 0) == answer_of(peer.next())


# -- while the user decides ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "codes"),
    [(echo(), (2, 2)), (RQ_BASE, (2, 2)), (RELEASE_RQ, (2, 2))],
    ids=["P-DATA-TF", "A-ASSOCIATE-RQ", "A-RELEASE-RQ"],
)
def test_what_comes_before_the_answer_is_unexpected(data: bytes, codes: tuple[int, int]) -> None:
    decide = threading.Event()
    ae = acceptor(on_association_requested=lambda: decide.wait(LIMIT) and None)
    with serving(ae) as server, raw_requestor(server.address) as peer:
        peer.send(RQ_BASE + data)
        assert codes == abort_codes(peer.next())
        decide.set()
        peer.stream.half_close()
        assert [] == peer.rest()


def test_an_abort_while_the_user_decides_is_told_and_nothing_is_answered() -> None:
    decide = threading.Event()
    ended = Calls()
    ae = acceptor(on_association_requested=lambda: decide.wait(LIMIT) and None)
    ae.events.add(ended, events.Ended)
    with serving(ae) as server, raw_requestor(server.address) as peer:
        peer.send(RQ_BASE)
        peer.send(ABORT)
        outcome = ended.next().outcome
        decide.set()
        assert (Ending.ABORTED, Side.REQUESTOR, "Sta3") == (outcome.how, outcome.by, outcome.state)
        assert [] == peer.rest()


@pytest.mark.parametrize(("data", "reaction"), [(RELEASE_RQ, []), (RQ_BASE, [7]), (ABORT, [])])
def test_what_comes_behind_a_rejection_is_ignored_or_aborted(data: bytes, reaction: list[int]) -> None:
    ae = acceptor(require_called_aet="OTHER")
    with serving(ae) as server, raw_requestor(server.address) as peer:
        peer.send(RQ_BASE)
        assert b"\x03" == peer.next()[:1]
        peer.send(data)
        peer.stream.half_close()
        assert reaction == types(peer.rest())


def test_nothing_follows_a_rejection_or_a_release_answer() -> None:
    with serving(acceptor()) as server, raw_requestor(server.address, RQ_BASE) as peer:
        peer.send(RELEASE_RQ)
        peer.stream.half_close()
        assert [6] == types(peer.rest())
