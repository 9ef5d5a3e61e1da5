"""The TLS contexts of the profiles of PS3.15, and AEs that meet with them."""

from __future__ import annotations

import logging
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from dicomsim import events, tls
from dicomsim.association import Association
from dicomsim.engine.stream import StreamListener, connect_stream
from dicomsim.outcome import Ending, Outcome
from dicomsim.services.storage import StoreTo
from tests.certificates import Certificate, make
from tests.meeting import CT_IMAGE_STORAGE, LIMIT, LOOPBACK, VERIFICATION, Calls, acceptor, requestor, serving

pytestmark = pytest.mark.slow  # keys take their time


@pytest.fixture(scope="module")
def server_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make(tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="module")
def client_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make(tmp_path_factory.mktemp("client"), "client")


@pytest.fixture
def server_context(server_certificate: Certificate) -> ssl.SSLContext:
    return tls.server_context(server_certificate.certificate, server_certificate.key)


@pytest.fixture
def client_context(server_certificate: Certificate) -> ssl.SSLContext:
    return tls.client_context(trust=server_certificate.certificate)


def failure(association: Association, how: Ending = Ending.FAILED) -> str:
    """Why there is no association."""
    outcome = association.outcome
    assert outcome is not None and how is outcome.how
    return outcome.cause


# -- contexts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", tls.PROFILES, ids=lambda profile: profile.clause)
def test_a_profile_allows_its_cipher_suites_and_no_others_below_tls_1_3(profile: tls.Profile) -> None:
    context = tls.client_context(profile=profile)
    suites = {cipher["name"] for cipher in context.get_ciphers() if cipher["protocol"] != "TLSv1.3"}
    assert set(profile.cipher_suites) == suites


@pytest.mark.parametrize("profile", tls.PROFILES, ids=lambda profile: profile.clause)
def test_every_profile_wants_tls_1_2_or_later(profile: tls.Profile, server_certificate: Certificate) -> None:
    contexts = [
        tls.client_context(profile=profile),
        tls.server_context(server_certificate.certificate, server_certificate.key, profile=profile),
    ]
    for context in contexts:
        assert ssl.TLSVersion.TLSv1_2 == context.minimum_version
        assert {"TLSv1.3"} <= {cipher["protocol"] for cipher in context.get_ciphers()}
        assert not any("NULL" in cipher["name"] for cipher in context.get_ciphers())


def test_the_default_is_the_profile_that_is_in_force() -> None:
    assert "B.12" == tls.BCP_195.clause and not tls.BCP_195.retired
    assert [suite["name"] for suite in tls.client_context().get_ciphers()] == [
        suite["name"] for suite in tls.client_context(profile=tls.BCP_195).get_ciphers()
    ]


def test_a_server_asks_for_a_certificate_only_if_it_trusts_somebody(server_certificate: Certificate) -> None:
    files = server_certificate.certificate, server_certificate.key
    assert ssl.CERT_NONE is tls.server_context(*files).verify_mode
    assert ssl.CERT_REQUIRED is tls.server_context(*files, trust=files[0]).verify_mode
    assert ssl.CERT_OPTIONAL is tls.server_context(*files, trust=files[0], require_certificate=False).verify_mode
    with pytest.raises(ValueError, match="trust"):
        tls.server_context(*files, require_certificate=True)


def test_files_that_cannot_be_used_are_errors(tmp_path: Path, server_certificate: Certificate) -> None:
    with pytest.raises(OSError, match="No such file"):
        tls.client_context(trust=tmp_path / "nobody")
    (tmp_path / "rubbish").write_text("rubbish")
    with pytest.raises(ssl.SSLError):
        tls.server_context(tmp_path / "rubbish", server_certificate.key)


def test_a_key_may_have_a_password(tmp_path: Path) -> None:
    made = make(tmp_path, password="secret")
    tls.server_context(made.certificate, made.key, password="secret")
    with pytest.raises(ssl.SSLError):
        tls.server_context(made.certificate, made.key, password="wrong")


def test_a_folder_of_authorities_may_be_trusted(tmp_path: Path) -> None:
    tls.client_context(trust=tmp_path)


def test_a_weak_key_is_not_taken(tmp_path: Path) -> None:
    made = make(tmp_path, kind="weak")
    with pytest.raises(ssl.SSLError, match="KEY_TOO_SMALL"):
        tls.server_context(made.certificate, made.key)


def test_the_port_of_dicom_over_tls_is_known() -> None:
    assert 2762 == tls.PORT


# -- associations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("profile", tls.PROFILES, ids=lambda profile: profile.clause)
def test_an_association_goes_over_tls_by_each_profile(
    profile: tls.Profile, version: ssl.TLSVersion, server_certificate: Certificate
) -> None:
    server_side = tls.server_context(server_certificate.certificate, server_certificate.key, profile=profile)
    client_side = tls.client_context(trust=server_certificate.certificate, profile=profile)
    client_side.maximum_version = version
    asking, opened = requestor(), Calls()
    asking.events.add(opened, events.ConnectionOpened)
    with serving(acceptor(), ssl_context=server_side) as server:
        with asking.associate(*server.address, tls_args=(client_side, "localhost")) as association:
            assert 0 == association.c_echo().status
            assert opened.next().tls
            transport = association.session.transport
            assert transport is not None and transport.tls is not None
            assert version.name == transport.tls.version.replace(".", "_")
            if version is ssl.TLSVersion.TLSv1_2:
                assert transport.tls.cipher in profile.cipher_suites
            der = ssl.PEM_cert_to_DER_cert(server_certificate.certificate.read_text())
            assert der == transport.tls.peer_certificate
        assert association.is_released


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_certificates_of_both_kinds_of_key_will_do(kind: str, tmp_path: Path) -> None:
    made = make(tmp_path, kind=kind)
    server_side = tls.server_context(made.certificate, made.key, profile=tls.MODIFIED_BCP_195)
    client_side = tls.client_context(trust=made.certificate, profile=tls.MODIFIED_BCP_195)
    with (
        serving(acceptor(), ssl_context=server_side) as server,
        requestor().associate(*server.address, tls_args=(client_side, None)) as association,
    ):
        assert 0 == association.c_echo().status


def test_a_big_object_arrives_byte_for_byte(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext, tmp_path: Path
) -> None:
    answering = acceptor(CT_IMAGE_STORAGE, store_to=StoreTo.BYTES, maximum_pdu_size=0)
    stored = answering.on_c_store = Calls(0x0000)
    data = bytes(range(256)) * 40_000
    with (
        serving(answering, ssl_context=server_context) as server,
        requestor(CT_IMAGE_STORAGE).associate(*server.address, tls_args=(client_context, None)) as association,
    ):
        names = {"affected_sop_class_uid": CT_IMAGE_STORAGE, "affected_sop_instance_uid": "1.2.3"}
        assert 0 == association.perform("C-STORE-RQ", 1, data, priority=0, **names).status
        assert data == stored.next()[0]


def test_an_idle_encrypted_association_hears_of_its_end(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    asking, answering = requestor(), acceptor()
    aborted = asking.on_association_aborted = Calls()
    with serving(answering, ssl_context=server_context) as server:
        asking.associate(*server.address, tls_args=(client_context, None))
        answering.active_associations[0].abort()
        assert (Ending.ABORTED, (0, 0)) == ((outcome := aborted.next().outcome).how, outcome.codes)


def test_a_client_shows_its_certificate_to_a_server_that_wants_it(
    server_certificate: Certificate, client_certificate: Certificate
) -> None:
    server_side = tls.server_context(
        server_certificate.certificate, server_certificate.key, trust=client_certificate.certificate
    )
    client_side = tls.client_context(
        trust=server_certificate.certificate,
        certificate=client_certificate.certificate,
        key=client_certificate.key,
    )
    answering = acceptor()
    accepted = answering.on_association_accepted = Calls()
    with (
        serving(answering, ssl_context=server_side) as server,
        requestor().associate(*server.address, tls_args=(client_side, None)) as association,
    ):
        assert 0 == association.c_echo().status
        secured = accepted.next().association.session.transport.tls
        assert ssl.PEM_cert_to_DER_cert(client_certificate.certificate.read_text()) == secured.peer_certificate


# -- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_without_the_certificate_that_is_wanted_is_told_so(
    version: ssl.TLSVersion, server_certificate: Certificate, client_context: ssl.SSLContext
) -> None:
    files = server_certificate.certificate, server_certificate.key
    client_context.maximum_version = version
    with serving(acceptor(), ssl_context=tls.server_context(*files, trust=files[0])) as server:
        association = requestor().associate(*server.address, tls_args=(client_context, None))
        assert association.is_aborted and association.outcome is not None
        assert "TLS" in association.outcome.cause


def test_a_certificate_that_is_not_trusted_is_said_to_be(server_context: ssl.SSLContext) -> None:
    with serving(acceptor(), ssl_context=server_context) as server:
        association = requestor().associate(*server.address, tls_args=(tls.client_context(), "localhost"))
        assert "not trusted: self-signed certificate" in failure(association)


@pytest.mark.parametrize("name", ["elsewhere", None])
def test_a_certificate_of_another_name_is_said_to_be(
    name: str | None, server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    with acceptor().start_server(("127.0.0.2", 0), ssl_context=server_context) as server:
        association = requestor().associate(*server.address, tls_args=(client_context, name))
        assert "mismatch" in failure(association)


def test_a_name_need_not_be_checked(server_context: ssl.SSLContext, server_certificate: Certificate) -> None:
    context = tls.client_context(trust=server_certificate.certificate, check_hostname=False)
    with (
        acceptor().start_server(("127.0.0.2", 0), ssl_context=server_context) as server,
        requestor().associate(*server.address, tls_args=(context, None)) as association,
    ):
        assert 0 == association.c_echo().status


def test_sides_without_a_common_version_part_at_once(
    server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    server_context.minimum_version = ssl.TLSVersion.TLSv1_3
    client_context.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(acceptor(), ssl_context=server_context) as server:
        association = requestor().associate(*server.address, tls_args=(client_context, None))
        assert "version" in failure(association)


def test_a_plain_requestor_at_a_tls_port_fails_at_once_on_both_sides(
    server_context: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    answering, refused = acceptor(), Calls()
    answering.events.add(refused, events.ConnectionRefused)
    with caplog.at_level(logging.WARNING, "dicomsim"), serving(answering, ssl_context=server_context) as server:
        association = requestor().associate(*server.address)
        assert association.is_aborted
        assert association.outcome is not None and "TLS?" in association.outcome.cause
        event = refused.next()
        assert "no TLS" in event.reason and "plain DICOM" in event.reason
        assert "127.0.0.1" == event.remote[0]
    assert "plain DICOM" in caplog.text


def test_a_tls_requestor_at_a_plain_port_fails_at_once_on_both_sides(client_context: ssl.SSLContext) -> None:
    answering, ended = acceptor(), Calls()
    answering.events.add(ended, events.Ended)
    with serving(answering) as server:
        association = requestor().associate(*server.address, tls_args=(client_context, None))
        assert "plain DICOM" in failure(association)
        outcome: Outcome = ended.next().outcome
        assert Ending.ABORTED is outcome.how and "TLS" in outcome.cause


def test_a_peer_that_says_nothing_runs_into_the_connect_timeout(client_context: ssl.SSLContext) -> None:
    asking = requestor()
    asking.timeouts.connect = 0.05
    with StreamListener() as peer:
        association = asking.associate(*peer.address, tls_args=(client_context, None))
        outcome = association.outcome
        assert outcome is not None and ("connect", 0.05) == (outcome.timeout, outcome.timeout_seconds)


def test_a_client_that_says_nothing_runs_into_artim(server_context: ssl.SSLContext) -> None:
    answering, refused = acceptor(), Calls()
    answering.timeouts.artim = 0.05
    answering.events.add(refused, events.ConnectionRefused)
    with serving(answering, ssl_context=server_context) as server, connect_stream(*server.address, LIMIT) as stream:
        assert b"" == stream.receive(LIMIT)
        assert "artim timeout of 0.05 s" in refused.next().reason


def test_a_slow_handshake_holds_up_nobody(server_context: ssl.SSLContext, client_context: ssl.SSLContext) -> None:
    with serving(acceptor(), ssl_context=server_context) as server:
        silent: list[Any] = [connect_stream(*server.address, LIMIT) for _ in range(5)]
        with requestor().associate(*server.address, tls_args=(client_context, None)) as association:
            assert 0 == association.c_echo().status
        for stream in silent:
            stream.close()


def test_a_handshake_that_is_under_way_ends_with_the_server(server_context: ssl.SSLContext) -> None:
    answering, refused = acceptor(), Calls()
    answering.events.add(refused, events.ConnectionRefused)
    with serving(answering, ssl_context=server_context) as server, connect_stream(*server.address, LIMIT) as stream:
        with connect_stream(*server.address, LIMIT) as later:
            later.send(b"no TLS", LIMIT)
            refused.next()  # so that both have been accepted
        server.shutdown()
        assert b"" == stream.receive(LIMIT)
        assert "given up" == refused.next().reason


def test_a_connection_that_is_cut_in_the_handshake_leaves_nothing(server_context: ssl.SSLContext) -> None:
    answering, refused = acceptor(VERIFICATION), Calls()
    answering.events.add(refused, events.ConnectionRefused)
    with answering.start_server(LOOPBACK, ssl_context=server_context) as server:
        connect_stream(*server.address, LIMIT).close()
        assert "closed in the middle" in refused.next().reason
        assert [] == answering.sessions()


@pytest.mark.parametrize("damaged", ["requestor", "acceptor"])
def test_a_damaged_record_ends_the_association_on_both_sides(
    damaged: str, server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    asking, answering = requestor(), acceptor()
    ends = {"requestor": Calls(), "acceptor": Calls()}
    asking.on_association_aborted, answering.on_association_aborted = ends["requestor"], ends["acceptor"]
    with serving(answering, ssl_context=server_context) as server:
        one = asking.associate(*server.address, tls_args=(client_context, None))
        other = answering.active_associations[0]
        transport = (one if damaged == "acceptor" else other).session.transport
        assert transport is not None
        raw = socket.socket(fileno=socket.dup(transport.fileno()))
        raw.send(b"\x17\x03\x03\x00\x20" + bytes(32))  # past the encryption of whoever sends
        raw.close()
        outcomes = {name: calls.next().outcome for name, calls in ends.items()}
    assert "TLS: a record came damaged" in outcomes[damaged].cause
    assert {Ending.RESET, Ending.CLOSED} >= {outcome.how for outcome in outcomes.values()}
