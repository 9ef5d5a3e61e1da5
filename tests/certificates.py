"""Certificates for tests, made with openssl when they are first wanted."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
USAGE = "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign"
KEYS = {"rsa": ["rsa:2048"], "ec": ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"], "weak": ["rsa:1024"]}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate of the loopback names, which is its own authority."""

    certificate: Path
    """PEM; also the file to trust."""
    key: Path
    """The private key, PEM."""


def make(folder: Path, name: str = "localhost", kind: str = "rsa", password: str = "") -> Certificate:
    """Make one, valid for two days; the key of the kind is encrypted if there is a password."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (apt-get install openssl)")
    made = Certificate(folder / f"{name}.pem", folder / f"{name}-key.pem")
    command = ["openssl", "req", "-x509", "-newkey", *KEYS[kind], "-sha256", "-days", "2", "-subj", f"/CN={name}"]
    command += ["-addext", NAMES, "-addext", USAGE, "-keyout", str(made.key), "-out", str(made.certificate)]
    command += ["-passout", f"pass:{password}"] if password else ["-nodes"]
    subprocess.run(command, check=True, capture_output=True)
    return made
