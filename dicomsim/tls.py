"""TLS contexts for the secure transport connection profiles of PS3.15 Annex B, ready to be given to an AE.

    ae.start_server(("", 2762), ssl_context=tls.server_context("cert.pem", "key.pem", trust="ca.pem"))
    ae.associate("archive.example", 2762, tls_args=(tls.client_context(trust="ca.pem"), "archive.example"))

All profiles want TLS 1.2 or later and take TLS 1.3 where both sides know it, whose cipher suites all fulfil them. Any
other `ssl.SSLContext` will do as well: a test of a peer may need one that fulfils none.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass

PORT = 2762
"""Registered for DICOM over TLS. PS3.15 §B.12."""

File = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Profile:
    """A secure transport connection profile."""

    name: str
    """As PS3.15 has it."""
    clause: str
    """Its section."""
    cipher_suites: tuple[str, ...]
    """Those of TLS 1.2 that it allows, by OpenSSL's names, strongest first."""
    retired: bool = False
    """Whether the standard describes it no more; peers in the field do."""


_GCM = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
)

BCP_195 = Profile("BCP 195 RFC 8996, 9325 TLS", "B.12", _GCM)
"""What RFC 9325 recommends."""

MODIFIED_BCP_195 = Profile(
    "Modified BCP 195 RFC 8996, 9325 TLS",
    "B.13",
    (
        *_GCM[:2],
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES256-CCM",
        "ECDHE-ECDSA-AES256-CCM8",
        *_GCM[2:],
        "ECDHE-ECDSA-AES128-CCM",
        "ECDHE-ECDSA-AES128-CCM8",
    ),
)
"""The longer list of forward secret, authenticated suites, and no other. The security level asks for keys of 112 bits'
strength, that is RSA of 2048 bits and curves of 224 or more."""

NON_DOWNGRADING_BCP_195 = Profile(
    "Non-downgrading BCP 195 TLS",
    "B.10",
    (
        "ECDHE-RSA-AES256-GCM-SHA384",
        "DHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "DHE-RSA-AES128-GCM-SHA256",
    ),
    retired=True,
)
"""What RFC 7525 recommended, with RSA certificates; the default of DCMTK 3.6.7."""

PROFILES = (BCP_195, MODIFIED_BCP_195, NON_DOWNGRADING_BCP_195)
"""Every profile there is a context for."""


def client_context(
    *,
    trust: File | None = None,
    certificate: File | None = None,
    key: File | None = None,
    password: str | None = None,
    profile: Profile = BCP_195,
    check_hostname: bool = True,
) -> ssl.SSLContext:
    """A context for `associate`.

    `trust` is a PEM file (or a folder, hashed) of the authorities to believe, None for the system's; `certificate` and
    `key` are shown to a server that asks. Raises `OSError` for files that cannot be used, `ssl.SSLError` if it is for
    what is in them.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT, profile)
    context.check_hostname = check_hostname
    _load(context, trust, certificate, key, password)
    if trust is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def server_context(
    certificate: File,
    key: File | None = None,
    *,
    password: str | None = None,
    trust: File | None = None,
    require_certificate: bool | None = None,
    profile: Profile = BCP_195,
) -> ssl.SSLContext:
    """A context for `start_server`.

    With `trust` clients are asked for a certificate that these authorities have signed, and must show one unless
    `require_certificate` is False. Raises as `client_context`, and `ValueError` for a requirement that trusts nobody.
    """
    if require_certificate and trust is None:
        raise ValueError("require_certificate needs trust: the authorities whose certificates are believed")
    context = _context(ssl.PROTOCOL_TLS_SERVER, profile)
    _load(context, trust, certificate, key, password)
    if trust is not None:
        context.verify_mode = ssl.CERT_OPTIONAL if require_certificate is False else ssl.CERT_REQUIRED
    return context


def _context(protocol: int, profile: Profile) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join((*profile.cipher_suites, "@SECLEVEL=2")))
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    return context


def _load(
    context: ssl.SSLContext, trust: File | None, certificate: File | None, key: File | None, password: str | None
) -> None:
    if certificate is not None:
        context.load_cert_chain(certificate, key, password)
    if trust is not None:
        folder = os.path.isdir(trust)
        context.load_verify_locations(None if folder else trust, trust if folder else None)
