"""An AE and pynetdicom: user identity, role selection, extended negotiation and TLS, in both roles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dicomsim import tls
from dicomsim.ae import AE
from dicomsim.negotiation_items import (
    AsynchronousOperationsWindowNegotiation,
    SOPClassCommonExtendedNegotiation,
    SOPClassExtendedNegotiation,
    UserIdentityNegotiation,
    build_role,
)
from tests.interop import peers
from tests.interop.peers import HOST, Certificate, Peer
from tests.interop.tools import peer_python, run_tool
from tests.meeting import CT_IMAGE_STORAGE, VERIFICATION, Calls, acceptor, requestor, serving

PEER = Path(__file__).with_name("pynetdicom_peer.py")
FUTURE = "1.2.826.0.1.3680043.9.9999.2"
STORAGE_SERVICE_CLASS = "1.2.840.10008.4.2"


def asks(port: int, **settings: Any) -> dict[str, Any]:
    """What came of an association that pynetdicom asked for."""
    done = run_tool([peer_python(), PEER, "ask", HOST, port, json.dumps(settings)]).check()
    answer: dict[str, Any] = json.loads(done.output.splitlines()[-1])
    return answer


@contextmanager
def serves(folder: Path, **settings: Any) -> Iterator[Peer]:
    """pynetdicom, listening."""
    port = peers.free_port()
    command = [peer_python(), PEER, "serve", port, json.dumps(settings)]
    with peers.running(command, aet="PYNETDICOM", port=port, folder=folder) as peer:
        yield peer


def told(peer: Peer, key: str) -> Any:
    """What it said under that key; it says so before it answers."""
    lines = [json.loads(line) for line in peer.log().splitlines() if line.startswith("{")]
    return next(line[key] for line in lines if key in line)


IDENTITIES = {
    1: ("user", None, ""),
    2: ("user", "passcode", ""),
    3: ("kerberos ticket", None, "server ticket"),
    4: ("<saml/>", None, "<response/>"),
    5: ("header.payload.signature", None, "token"),
}
"""By type: primary and secondary field, and the acceptor's response."""


@pytest.mark.parametrize("kind", IDENTITIES)
@pytest.mark.parametrize("wanted", [False, True])
def test_it_says_who_it_is_and_gets_the_response_it_wants(kind: int, wanted: bool) -> None:
    primary, secondary, response = IDENTITIES[kind]
    ae = acceptor()
    judge = ae.on_user_identity = Calls((True, response.encode() or None))
    with serving(ae) as server:
        answer = asks(server.address[1], identity=[kind, wanted, primary, secondary])
        asked = judge.next()
    assert (kind, primary.encode(), secondary and secondary.encode()) == asked[:3]
    assert (b"PYNETDICOM      ", HOST) == (asked[3]["requestor"]["ae_title"], asked[3]["requestor"]["address"])
    assert answer["established"] and 0 == answer["echo"]
    assert (response if wanted else None) == answer["response"]


def test_it_is_rejected_if_it_is_not_verified() -> None:
    with serving(acceptor(on_user_identity=Calls((False, None)))) as server:
        answer = asks(server.address[1], identity=[1, True, "user", None])
    assert [[1, 2, 1]] == answer["rejections"] and not answer["established"]


@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_we_say_who_we_are(kind: int, tmp_path: Path) -> None:
    primary, secondary, response = IDENTITIES[kind]
    item = UserIdentityNegotiation(kind, True, primary.encode(), secondary and secondary.encode())  # type: ignore[arg-type]
    with serves(tmp_path / "peer", response=response) as peer:
        with requestor().associate(HOST, peer.port, ext_neg=[item]) as association:
            assert 0 == association.c_echo().status
            answer = association.acceptor.user_identity
            assert (response.encode() or None) == (answer and answer.server_response)  # none for types 1 and 2
        assert [kind, primary, secondary or ""] == [one or "" for one in told(peer, "identity")]


def test_we_are_rejected_if_we_are_not_verified(tmp_path: Path) -> None:
    item = UserIdentityNegotiation(2, True, b"user", b"wrong")
    with serves(tmp_path / "peer", verdict=False) as peer:
        association = requestor().associate(HOST, peer.port, ext_neg=[item])
    assert association.is_rejected and association.outcome is not None
    assert 2 == association.outcome.codes[1]


@pytest.mark.parametrize(("scu", "scp"), [(True, True), (False, True), (True, False)])
def test_roles_are_agreed_on_in_both_directions(scu: bool, scp: bool, tmp_path: Path) -> None:
    ae = AE()
    ae.add_supported_context(CT_IMAGE_STORAGE, scu_role=True, scp_role=True)
    ae.add_supported_context(VERIFICATION)
    with serving(ae) as server:
        answer = asks(
            server.address[1], contexts=[VERIFICATION, CT_IMAGE_STORAGE], roles=[[CT_IMAGE_STORAGE, scu, scp]]
        )
        assert [scu, scp] == answer["roles"][CT_IMAGE_STORAGE]
    with serves(tmp_path / "peer", contexts=[CT_IMAGE_STORAGE]) as peer:
        asking = requestor(CT_IMAGE_STORAGE)
        item = build_role(CT_IMAGE_STORAGE, scu_role=scu, scp_role=scp)
        with asking.associate(HOST, peer.port, ext_neg=[item]) as association:
            (context,) = association.accepted_contexts
            assert (scu, scp) == (context.as_scu, context.as_scp)


def test_extended_negotiation_goes_in_both_directions(tmp_path: Path) -> None:
    ae = acceptor()
    asked = ae.on_sop_class_extended = Calls({VERIFICATION: b"\x01\x00"})
    with serving(ae) as server:
        assert {VERIFICATION: "0100"} == asks(server.address[1], extended={VERIFICATION: "0101"})["extended"]
        assert {VERIFICATION: b"\x01\x01"} == asked.next()
    with serves(tmp_path / "peer") as peer:
        item = SOPClassExtendedNegotiation(VERIFICATION, b"\x01\x01")
        with requestor().associate(HOST, peer.port, ext_neg=[item]) as association:
            assert {VERIFICATION: b"\x01\x01"} == association.acceptor.sop_class_extended
        assert {VERIFICATION: "0101"} == told(peer, "extended")


def test_common_extended_negotiation_goes_in_both_directions(tmp_path: Path) -> None:
    ae = acceptor(VERIFICATION, CT_IMAGE_STORAGE, on_sop_class_common_extended=lambda offered: offered)
    with serving(ae) as server:
        common = {FUTURE: [STORAGE_SERVICE_CLASS, [CT_IMAGE_STORAGE]]}
        answer = asks(server.address[1], contexts=[VERIFICATION, FUTURE], common=common)
        assert {VERIFICATION, FUTURE} == set(answer["roles"])
    with serves(tmp_path / "peer") as peer:
        item = SOPClassCommonExtendedNegotiation(FUTURE, STORAGE_SERVICE_CLASS, [CT_IMAGE_STORAGE])
        with requestor(VERIFICATION, FUTURE).associate(HOST, peer.port, ext_neg=[item]) as association:
            assert 0 == association.c_echo().status
        assert {FUTURE: STORAGE_SERVICE_CLASS} == told(peer, "common")


def test_a_window_is_offered_in_both_directions(tmp_path: Path) -> None:
    ae = acceptor(on_async_ops_window=lambda invoked, performed: (3, 1))
    with serving(ae) as server:
        assert [3, 1] == asks(server.address[1], window=[5, 5])["window"]
    with serves(tmp_path / "peer") as peer:
        item = AsynchronousOperationsWindowNegotiation(5, 4)
        with requestor().associate(HOST, peer.port, ext_neg=[item]) as association:
            assert (1, 1) == association.acceptor.asynchronous_operations  # it knows no other window
            assert 0 == association.c_echo().status
        assert [5, 4] == told(peer, "window")


@pytest.mark.parametrize("mutual", [False, True])
def test_it_reaches_us_over_tls(mutual: bool, certificate: Certificate) -> None:
    files = {"trust": str(certificate.certificate)}
    if mutual:
        files |= {"certificate": str(certificate.certificate), "key": str(certificate.key)}
    trust = certificate.certificate if mutual else None
    context = tls.server_context(certificate.certificate, certificate.key, trust=trust)
    with serving(acceptor(), ssl_context=context) as server:
        answer = asks(server.address[1], **files)
        assert answer["established"] and 0 == answer["echo"]


@pytest.mark.parametrize("mutual", [False, True])
def test_we_reach_it_over_tls(mutual: bool, tmp_path: Path, certificate: Certificate) -> None:
    files = {"certificate": str(certificate.certificate), "key": str(certificate.key)}
    context = tls.client_context(trust=certificate.certificate)
    if mutual:
        files["trust"] = str(certificate.certificate)
        context.load_cert_chain(certificate.certificate, certificate.key)
    with (
        serves(tmp_path / "peer", **files) as peer,
        requestor().associate(HOST, peer.port, tls_args=(context, "localhost")) as association,
    ):
        assert 0 == association.c_echo().status


def test_plain_and_encrypted_do_not_meet(tmp_path: Path, certificate: Certificate) -> None:
    context = tls.server_context(certificate.certificate, certificate.key)
    with serving(acceptor(), ssl_context=context) as server:
        assert not asks(server.address[1])["established"]
    with serves(tmp_path / "plain") as peer:
        encrypted = tls.client_context(trust=certificate.certificate)
        association = requestor().associate(HOST, peer.port, tls_args=(encrypted, None))
        assert association.outcome is not None and "TLS" in association.outcome.cause
