"""An AE and DCMTK's programs: negotiation, identity, rejection, abort and TLS, in both roles."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from dicomsim import tls
from dicomsim.ae import AE
from dicomsim.negotiation_items import (
    AsynchronousOperationsWindowNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityNegotiation,
    build_role,
)
from dicomsim.outcome import Ending
from tests.interop import peers
from tests.interop.peers import Certificate, Peer
from tests.interop.samples import Samples, data_set_bytes
from tests.interop.tools import run_tool
from tests.meeting import CT_IMAGE_STORAGE, VERIFICATION, Calls, acceptor, requestor, serving

HOST = peers.HOST
FIND = "1.2.840.10008.5.1.4.1.2.1.1"


# -- DCMTK asks ------------------------------------------------------------------------------------------------------


def test_echoscu_is_answered_by_the_handler() -> None:
    asked = Calls(0x0000)
    with serving(acceptor(on_c_echo=asked)) as server:
        run_tool(["echoscu", "-aet", "MODALITY", "-aec", "ARCHIVE", HOST, server.address[1]]).check()
        context, info = asked.next()
        assert (VERIFICATION, b"MODALITY        ") == (context.abstract_syntax, info["requestor"]["ae_title"])
        assert b"ARCHIVE         " == info["requestor"]["called_aet"]


def test_echoscu_is_told_why_it_is_rejected() -> None:
    ae = acceptor(require_called_aet="ARCHIVE")
    rejected = ae.on_association_rejected = Calls()
    with serving(ae) as server:
        done = run_tool(["echoscu", "-v", "-aec", "OTHER", HOST, server.address[1]])
        assert done.exit_code and "Called AE Title Not Recognized" in done.output
        assert (1, 1, 7) == ((told := rejected.next()).result, told.result_source, told.diagnostic)


def test_echoscu_is_told_of_any_rejection() -> None:
    with serving(acceptor(on_association_requested=lambda: (2, 3, 1))) as server:
        done = run_tool(["echoscu", "-v", HOST, server.address[1]])
        assert "Rejected Transient" in done.output and "Temporary Congestion" in done.output


def test_an_abort_of_echoscu_is_told_with_its_source() -> None:
    ae = acceptor()
    aborted = ae.on_association_aborted = Calls()
    with serving(ae) as server:
        run_tool(["echoscu", "--abort", HOST, server.address[1]]).check()
        assert (0, Ending.ABORTED) == ((told := aborted.next()).abort_source, told.outcome.how)


def test_128_contexts_of_echoscu_are_negotiated() -> None:
    ae = acceptor()
    accepted = ae.on_association_accepted = Calls()
    with serving(ae) as server:
        run_tool(["echoscu", "-ppc", 128, "-pts", 38, HOST, server.address[1]]).check()
        assert 128 == len(accepted.next().presentation_context_definition_list)


@pytest.mark.parametrize("size", [0, 128, 131072])
def test_storescu_keeps_to_any_maximum_length(size: int, samples: Samples) -> None:
    ae = acceptor(CT_IMAGE_STORAGE, maximum_pdu_size=size)
    stored = ae.on_c_store = Calls(0x0000)
    with serving(ae) as server:
        run_tool(["storescu", HOST, server.address[1], samples.ct]).check()
        assert "SAMPLE" == stored.next()[0].PatientID


IDENTITIES: dict[int, tuple[list[str], bytes, bytes | None, bytes]] = {
    1: (["-usr", "user"], b"user", None, b""),
    2: (["-usr", "user", "-pwd", "passcode"], b"user", b"passcode", b""),
    3: (["-kt", "FILE"], b"a file's bytes", None, b"server ticket"),
    4: (["--saml", "FILE"], b"a file's bytes", None, b"<response/>"),
    5: (["--jwt", "FILE"], b"a file's bytes", None, b"token"),
}
"""By type: options of storescu, primary and secondary field, and our response."""


@pytest.mark.parametrize("kind", IDENTITIES)
@pytest.mark.parametrize("wanted", [False, True])
def test_storescu_says_who_it_is(kind: int, wanted: bool, tmp_path: Path, samples: Samples) -> None:
    options, primary, secondary, response = IDENTITIES[kind]
    (tmp_path / "FILE").write_bytes(b"a file's bytes")
    ae = acceptor(CT_IMAGE_STORAGE, on_c_store=Calls(0x0000))
    judge = ae.on_user_identity = Calls((True, response))
    with serving(ae) as server:
        words = [*options, *(["-rsp"] if wanted else [])]
        run_tool(["storescu", *words, HOST, server.address[1], samples.ct], cwd=tmp_path).check()
    asked = judge.next()
    assert kind == asked[0] and primary == asked[1].rstrip(b"\0 ")  # DCMTK pads what it reads from a file
    assert secondary == asked[2]


def test_storescu_whose_identity_is_refused_is_rejected(samples: Samples) -> None:
    with serving(acceptor(CT_IMAGE_STORAGE, on_user_identity=Calls((False, None)))) as server:
        done = run_tool(["storescu", "-v", "-usr", "user", "-pwd", "wrong", HOST, server.address[1], samples.ct])
        assert done.exit_code and "Rejected Permanent" in done.output


# -- DCMTK is asked --------------------------------------------------------------------------------------------------


def test_dcmqrscp_rejects_a_title_it_does_not_know(dcmqrscp: Peer) -> None:
    association = requestor().associate(HOST, dcmqrscp.port, ae_title="NOBODY")
    assert association.is_rejected and association.outcome is not None
    assert (1, 1, 7) == association.outcome.codes


def test_storescp_answers_what_it_knows_and_nothing_else(storescp: Peer) -> None:
    asking = requestor(VERIFICATION, FIND, CT_IMAGE_STORAGE, maximum_pdu_size=0)
    items = [
        AsynchronousOperationsWindowNegotiation(5, 5),
        UserIdentityNegotiation(2, True, b"user", b"pass"),
        SOPClassExtendedNegotiation(FIND, b"\x01"),
    ]
    with asking.associate(HOST, storescp.port, ext_neg=items) as association:
        assert [VERIFICATION, CT_IMAGE_STORAGE] == [one.abstract_syntax for one in association.accepted_contexts]
        assert [(FIND, 3)] == [(one.abstract_syntax, one.result) for one in association.rejected_contexts]
        assert b"OFFIS_DCMTK_367" == association.acceptor.implementation_version_name
        assert [] == association.acceptor.extended_negotiation
        assert 0 == association.c_echo().status
    assert association.is_released


def test_dcmqrscp_takes_the_role_that_a_get_needs(dcmqrscp: Peer) -> None:
    asking = requestor("1.2.840.10008.5.1.4.1.2.1.3", CT_IMAGE_STORAGE)
    item = build_role(CT_IMAGE_STORAGE, scu_role=True, scp_role=True)
    with asking.associate(HOST, dcmqrscp.port, ae_title=dcmqrscp.aet, ext_neg=[item]) as association:
        roles = {str(one.abstract_syntax): (one.as_scu, one.as_scp) for one in association.accepted_contexts}
        assert item == association.acceptor.role_selection[CT_IMAGE_STORAGE]
        assert (True, True) == roles[CT_IMAGE_STORAGE]


def test_a_listener_that_has_gone_is_refused(storescp: Peer) -> None:
    with requestor().associate(HOST, storescp.port) as association:
        assert association.is_established
    outcome = requestor().associate(HOST, peers.free_port()).outcome
    assert outcome is not None and Ending.REFUSED is outcome.how


# -- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def client_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate of somebody else."""
    return peers.make_certificate(tmp_path_factory.mktemp("client"), "client")


PROFILES = {"+py": tls.NON_DOWNGRADING_BCP_195, "+px": tls.BCP_195, "+pz": tls.MODIFIED_BCP_195}
"""DCMTK's profiles, and ours that go with them."""


def client_context(trusted: Certificate, **arguments: Any) -> ssl.SSLContext:
    """A context that trusts this certificate."""
    return tls.client_context(trust=trusted.certificate, **arguments)


@pytest.mark.parametrize("option", PROFILES)
def test_storescp_is_reached_over_tls_by_each_profile(
    option: str, tmp_path: Path, certificate: Certificate, samples: Samples
) -> None:
    context = client_context(certificate, profile=PROFILES[option])
    with peers.storescp(tmp_path / "tls", option, tls=certificate) as peer:
        asking = requestor(CT_IMAGE_STORAGE)
        with asking.associate(HOST, peer.port, tls_args=(context, "localhost")) as association:
            transport = association.session.transport
            assert transport is not None and transport.tls is not None
            if transport.tls.version == "TLSv1.2":
                assert transport.tls.cipher in PROFILES[option].cipher_suites
            assert 0 == association.c_store(samples.big).status
        (kept,) = peer.objects()
        assert data_set_bytes(samples.big) == data_set_bytes(kept)


@pytest.mark.parametrize("shown", [True, False])
def test_storescp_may_want_a_certificate_of_ours(
    shown: bool, tmp_path: Path, certificate: Certificate, client_certificate: Certificate
) -> None:
    port = peers.free_port()
    options = ["+tls", certificate.key, certificate.certificate, "-rc", "+cf", client_certificate.certificate]
    command = ["storescp", "-v", "--ignore", *options, port]
    pair = {"certificate": client_certificate.certificate, "key": client_certificate.key} if shown else {}
    with peers.running(command, aet="STORESCP", port=port, folder=tmp_path / "tls"):
        context = client_context(certificate, **pair)
        association = requestor().associate(HOST, port, tls_args=(context, None))
        assert shown == association.is_established
        if shown:
            association.release()
        else:
            assert association.outcome is not None and "TLS" in association.outcome.cause


def test_a_plain_association_with_a_tls_storescp_fails_at_once(tls_storescp: Peer) -> None:
    association = requestor().associate(HOST, tls_storescp.port)
    assert association.is_aborted and association.outcome is not None
    assert "TLS" in association.outcome.cause


def test_a_tls_association_with_a_plain_storescp_fails_at_once(storescp: Peer, certificate: Certificate) -> None:
    association = requestor().associate(HOST, storescp.port, tls_args=(client_context(certificate), None))
    assert association.outcome is not None and Ending.FAILED is association.outcome.how
    assert "TLS handshake failed" in association.outcome.cause


def tls_server(certificate: Certificate, ae: AE, **arguments: Any) -> Any:
    """A server of the AE behind TLS."""
    context = tls.server_context(certificate.certificate, certificate.key, **arguments)
    return serving(ae, ssl_context=context)


@pytest.mark.parametrize("option", PROFILES)
def test_echoscu_without_a_certificate_reaches_us_over_tls(option: str, certificate: Certificate) -> None:
    with tls_server(certificate, acceptor(), profile=PROFILES[option]) as server:
        command = ["echoscu", "-v", "+tla", "+cf", certificate.certificate, option, HOST, server.address[1]]
        run_tool(command).check()


def test_storescu_with_a_certificate_reaches_us_over_tls(
    certificate: Certificate, client_certificate: Certificate, samples: Samples
) -> None:
    ae = acceptor(CT_IMAGE_STORAGE)
    stored = ae.on_c_store = Calls(0x0000)
    accepted = ae.on_association_accepted = Calls()
    with tls_server(certificate, ae, trust=client_certificate.certificate) as server:
        own = ["+tls", client_certificate.key, client_certificate.certificate, "+cf", certificate.certificate]
        run_tool(["storescu", *own, HOST, server.address[1], samples.ct]).check()
        assert "SAMPLE" == stored.next()[0].PatientID
        shown = accepted.next().association.session.transport.tls.peer_certificate
        assert ssl.PEM_cert_to_DER_cert(client_certificate.certificate.read_text()) == shown


def test_echoscu_without_the_certificate_that_is_wanted_fails(
    certificate: Certificate, client_certificate: Certificate
) -> None:
    with tls_server(certificate, acceptor(), trust=client_certificate.certificate) as server:
        command = ["echoscu", "-v", "+tla", "+cf", certificate.certificate, HOST, server.address[1]]
        assert run_tool(command).exit_code


def test_a_plain_echoscu_at_a_tls_port_fails_at_once(certificate: Certificate) -> None:
    with tls_server(certificate, acceptor()) as server:
        assert run_tool(["echoscu", HOST, server.address[1]]).exit_code
