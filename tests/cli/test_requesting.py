"""What requestors have in common: settings, and what is said of a peer that says no."""

from __future__ import annotations

import pytest

from dicomsim import outcome
from dicomsim.cli.requesting import Requestor, describe_peer, explain, implementation_text, refusal
from dicomsim.engine.timeouts import Timeouts
from dicomsim.outcome import Outcome
from dicomsim.peer_address import PeerAddress
from dicomsim.presentation import build_context
from dicomsim.server import Server
from dicomsim.wire.pdu import AssociateRJ
from tests.cli.dicom_files import CT, EXPLICIT, JPEG_2000, MR

PEER = PeerAddress("ARCHIVE", "host", 104)


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (
            outcome.refused(("host", 104), "connection refused; is the peer running?", seconds_open=0),
            "ARCHIVE@host:104: connection refused; is the peer running?",
        ),
        (
            outcome.timed_out("acse", 5, state="Sta5", seconds_open=5),
            "ARCHIVE@host:104: timed out in Sta5 after 5.000 s: acse timeout of 5 s; --timeout gives it more time",
        ),
        (
            outcome.rejected(AssociateRJ(1, 1, 7), state="Sta5", seconds_open=0),
            (
                "ARCHIVE@host:104: rejected by acceptor in Sta5 after 0.000 s: permanent, service user, "
                "called AE title not recognized (1/1/7; PS3.8 9.3.4); the called title stands before the @"
            ),
        ),
        (
            outcome.rejected(AssociateRJ(2, 3, 2), state="Sta5", seconds_open=0),
            (
                "ARCHIVE@host:104: rejected by acceptor in Sta5 after 0.000 s: transient, "
                "service provider (Presentation related function), local limit exceeded (2/3/2; PS3.8 9.3.4)"
            ),
        ),
    ],
)
def test_an_outcome_is_explained_with_whom_and_what_to_do(ended: Outcome, expected: str) -> None:
    assert expected == explain(ended, PEER)


@pytest.fixture
def requestor(acceptor: Server) -> Requestor:
    peer = PeerAddress("ACCEPTOR", *acceptor.address)
    return Requestor.of(peer, "CALLER", Timeouts(dimse=7.0), 4096, trace=False)


def test_the_settings_reach_the_association(requestor: Requestor) -> None:
    with requestor.associate([build_context(CT, EXPLICIT)]) as association:
        agreement = association.session.agreement
        assert agreement is not None
        assert ("CALLER", 4096) == (agreement.calling_ae_title, agreement.own_maximum_length)
    assert 7.0 == requestor.ae.dimse_timeout


def test_the_peer_is_described_by_what_it_said(requestor: Requestor) -> None:
    with requestor.associate([build_context(CT, EXPLICIT)]) as association:
        said = describe_peer(association)
        assert said is not None
        assert ("DICOMSIM_010", 16382) == (said["implementation_version_name"], said["maximum_length"])
        assert "DICOMSIM_010" == implementation_text(association)


def test_a_peer_that_rejected_is_not_described(requestor: Requestor, acceptor: Server) -> None:
    acceptor.ae.require_calling_aet = "FRIEND"
    association = requestor.associate([build_context(CT, EXPLICIT)])
    assert (None, "", "no association") == (
        describe_peer(association), implementation_text(association), refusal(association, CT),
    )  # fmt: skip


def test_a_refused_context_has_its_reason(requestor: Requestor) -> None:
    contexts = [build_context(MR, EXPLICIT), build_context(CT, EXPLICIT), build_context(CT, JPEG_2000)]
    with requestor.associate(contexts) as association:
        assert "abstract-syntax-not-supported (provider rejection)" == refusal(association, MR)
        assert "transfer-syntaxes-not-supported (provider rejection)" == refusal(association, CT, JPEG_2000)
        assert "accepted in another transfer syntax, or for another role" == refusal(association, CT, EXPLICIT)


def test_both_aes_are_named_for_programs(requestor: Requestor, acceptor: Server) -> None:
    host, port = acceptor.address
    assert {
        "peer": {"ae_title": "ACCEPTOR", "host": host, "port": port},
        "calling": "CALLER",
    } == requestor.as_dict()
