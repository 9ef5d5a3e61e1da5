"""TLS options: what they come to, and what is wrong with files and words."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import click
import pytest

from dicomsim.cli.secure import Security, client_tls_options, server_tls_options
from tests.cli.conftest import Call


def _client(*words: str) -> Security | None:
    """What the options of a requestor come to."""
    got: list[Security | None] = []

    @click.command()
    @client_tls_options
    def command(security: Security | None) -> int:
        got.append(security)
        return 0

    command.main(list(words), standalone_mode=False)
    return got[0]


def _server(*words: str) -> Any:
    """What the options of an acceptor come to."""
    got: list[Any] = []

    @click.command()
    @server_tls_options
    def command(ssl_context: ssl.SSLContext | None) -> int:
        got.append(ssl_context)
        return 0

    command.main(list(words), standalone_mode=False)
    return got[0]


def test_without_options_nothing_is_encrypted() -> None:
    assert (None, None) == (_client(), _server())


def test_a_certificate_must_be_trusted_and_be_for_the_host() -> None:
    security = _client("--tls")
    assert security is not None
    context, name = security
    assert (ssl.CERT_REQUIRED, True, None) == (context.verify_mode, context.check_hostname, name)


def test_any_certificate_will_do_if_asked_for() -> None:
    security = _client("--trust-any", "--tls-name", "archive")
    assert security is not None
    context, name = security
    assert (ssl.CERT_NONE, False, "archive") == (context.verify_mode, context.check_hostname, name)


@pytest.fixture
def rubbish(tmp_path: Path) -> Path:
    """A file that is no PEM."""
    path = tmp_path / "rubbish.pem"
    path.write_text("rubbish")
    return path


@pytest.mark.parametrize("option", ["--trust", "--cert"])
def test_a_file_that_is_no_pem_is_told(call: Call, rubbish: Path, option: str) -> None:
    called = call("echo", "127.0.0.1:104", option, rubbish)
    assert (3, "") == (called.exit_code, called.out)
    assert f"dicomsim: {rubbish}: no PEM files that go together" in called.err
    assert 1 == len(called.err.splitlines())


def test_the_same_of_an_acceptor(call: Call, rubbish: Path) -> None:
    called = call("serve", "--port", 0, "--cert", rubbish, "--key", rubbish)
    assert (3, "") == (called.exit_code, called.out)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("echo", "127.0.0.1:104", "--key"), "--key needs the certificate that it belongs to"),
        (("serve", "--key"), "TLS needs a certificate: --cert"),
        (("serve", "--trust"), "TLS needs a certificate: --cert"),
        (("echo", "127.0.0.1:104", "--trust-any", "--trust"), "do not go together"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    call: Call, rubbish: Path, words: tuple[str, ...], message: str
) -> None:
    called = call(*words, rubbish)
    assert (2, "") == (called.exit_code, called.out)
    assert message in called.err
