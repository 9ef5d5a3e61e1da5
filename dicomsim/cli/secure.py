"""TLS on the command line: options of the commands that call a peer, and of the one that is called."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomsim.errors import FileError

if TYPE_CHECKING:
    import ssl

Security = tuple["ssl.SSLContext", str | None]
"""The context of a connection, and the name that the certificate must have; None for that of the host."""

PEM = click.Path(exists=True, dir_okay=False, path_type=Path)

_CERTIFICATE = (
    click.option("--cert", type=PEM, metavar="PEM", help="TLS: our certificate, and those on the way to its root."),
    click.option("--key", type=PEM, metavar="PEM", help="TLS: its private key, unless it is in the same file."),
)
_CLIENT = (
    click.option("--tls", is_flag=True, help="Encrypt the connection; the system's authorities are believed."),
    click.option("--trust", type=PEM, metavar="PEM", help="TLS: believe these authorities instead."),
    click.option("--trust-any", is_flag=True, help="TLS: believe whoever it is."),
    click.option("--tls-name", metavar="NAME", help="TLS: the certificate is for NAME, whatever HOST says."),
    *_CERTIFICATE,
)
_SERVER = (
    *_CERTIFICATE,
    click.option("--trust", type=PEM, metavar="PEM", help="TLS: ask clients for a certificate of these authorities."),
)


def client_tls_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options of a requestor, as one argument `security`: None without TLS."""

    @wraps(function)
    def gathered(
        *arguments: Any, tls: bool, trust: Path | None, trust_any: bool, tls_name: str | None, cert: Path | None,
        key: Path | None, **others: Any,
    ) -> int:  # fmt: skip
        security = None
        if trust and trust_any:
            raise click.UsageError("--trust and --trust-any do not go together")
        if tls or trust or trust_any or tls_name or cert or key:
            security = _client(trust, trust_any, cert, key), tls_name
        return function(*arguments, security=security, **others)

    return _with(_CLIENT, gathered)


def server_tls_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options of an acceptor, as one argument `ssl_context`: None without TLS."""

    @wraps(function)
    def gathered(*arguments: Any, cert: Path | None, key: Path | None, trust: Path | None, **others: Any) -> int:
        if cert is None and (key or trust):
            raise click.UsageError("TLS needs a certificate: --cert")
        ssl_context = None if cert is None else _server(cert, key, trust)
        return function(*arguments, ssl_context=ssl_context, **others)

    return _with(_SERVER, gathered)


def _with(options: tuple[Callable[..., Any], ...], function: Callable[..., int]) -> Callable[..., int]:
    for option in reversed(options):
        function = option(function)
    return function


def _client(trust: Path | None, trust_any: bool, cert: Path | None, key: Path | None) -> ssl.SSLContext:
    from dicomsim import tls

    _check_pair(cert, key)
    context = _made(lambda: tls.client_context(trust=trust, certificate=cert, key=key), trust, cert, key)
    if trust_any:
        import ssl

        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _server(cert: Path, key: Path | None, trust: Path | None) -> ssl.SSLContext:
    from dicomsim import tls

    return _made(lambda: tls.server_context(cert, key, trust=trust), cert, key, trust)


def _check_pair(cert: Path | None, key: Path | None) -> None:
    if key is not None and cert is None:
        raise click.UsageError("--key needs the certificate that it belongs to: --cert")


def _made(make: Callable[[], ssl.SSLContext], *files: Path | None) -> ssl.SSLContext:
    """A context, or what is wrong with one of the files."""
    import ssl

    names = ", ".join(str(file) for file in files if file is not None)
    try:
        return make()
    except ssl.SSLError as error:
        reason = (error.reason or "no PEM").replace("_", " ").lower()
        raise FileError(f"{names}: no PEM files that go together ({reason})") from error
    except OSError as error:
        raise FileError(f"{names}: {(error.strerror or str(error)).lower()}") from error
