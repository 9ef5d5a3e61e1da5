"""Where a peer listens and by which title it is called: `[AET@]HOST:PORT`."""

from __future__ import annotations

from dataclasses import dataclass

ANY_ACCEPTOR = "ANY-SCP"
"""The called AE title if none is given; most acceptors take any."""
MAX_TITLE = 16
"""Characters of an AE title, PS3.8 Table 9-11."""
MAX_DIGITS = 9
"""Digits of a port that are read, leading zeros included."""


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """Where a peer listens, and the title to call it by."""

    ae_title: str
    """The called AE title."""
    host: str
    """Name or address."""
    port: int
    """TCP port."""

    def __str__(self) -> str:
        return f"{self.ae_title}@{host_and_port(self.host, self.port)}"


def host_and_port(host: str, port: int) -> str:
    """`HOST:PORT`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_peer(text: str) -> PeerAddress:
    """Read `[AET@]HOST:PORT`; raises `ValueError` that says what is wrong."""
    title, at, address = text.rpartition("@")
    host, colon, port = address.rpartition(":")
    if not colon:
        raise ValueError(f"{text!r} has no port: write [AET@]HOST:PORT, such as ARCHIVE@localhost:11112")
    number = parse_port(port, 1)
    bracketed = host.startswith("[") and host.endswith("]")
    if ":" in host and not bracketed:
        raise ValueError(f"{text!r}: an IPv6 address stands in brackets, such as [::1]:11112")
    host = host[1:-1] if bracketed else host
    if not host or any(sign.isspace() or sign in "[]/" for sign in host):
        raise ValueError(f"{text!r} has no host: write [AET@]HOST:PORT, such as ARCHIVE@localhost:11112")
    return PeerAddress(check_title(title) if at else ANY_ACCEPTOR, host, number)


def parse_port(text: str, low: int = 0) -> int:
    """Read a TCP port; raises `ValueError`."""
    if not (text.isascii() and text.isdigit()) or len(text) > MAX_DIGITS or not low <= int(text) < 0x10000:
        raise ValueError(f"{text!r} is no port: a port is a number from {low} to 65535")
    return int(text)


def check_title(text: str) -> str:
    """An AE title without the spaces around it; raises `ValueError` for what the standard does not allow."""
    title = text.strip(" ")
    if not title:
        raise ValueError("an AE title needs a character that is no space")
    if len(title) > MAX_TITLE:
        raise ValueError(f"{title!r} has {len(title)} characters, an AE title at most {MAX_TITLE}")
    if not (title.isascii() and title.isprintable()) or "\\" in title:
        raise ValueError(f"{title!r}: an AE title has printable ASCII characters only, and no backslash")
    return title
