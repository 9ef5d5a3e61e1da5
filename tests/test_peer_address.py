from __future__ import annotations

import re

import pytest

from dicomsim.peer_address import PeerAddress, check_title, host_and_port, parse_peer, parse_port


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("localhost:104", PeerAddress("ANY-SCP", "localhost", 104)),
        ("ARCHIVE@10.0.0.1:11112", PeerAddress("ARCHIVE", "10.0.0.1", 11112)),
        ("A@B@host:1", PeerAddress("A@B", "host", 1)),
        (" WITH SPACE @host:65535", PeerAddress("WITH SPACE", "host", 65535)),
        ("[::1]:104", PeerAddress("ANY-SCP", "::1", 104)),
    ],
)
def test_a_peer_is_read(text: str, expected: PeerAddress) -> None:
    assert expected == parse_peer(text)


@pytest.mark.parametrize("text", ["ANY-SCP@localhost:104", "X@[::1]:104"])
def test_a_peer_prints_as_it_reads(text: str) -> None:
    assert text == str(parse_peer(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("localhost", "'localhost' has no port: write [AET@]HOST:PORT, such as ARCHIVE@localhost:11112"),
        ("localhost:", "'' is no port: a port is a number from 1 to 65535"),
        ("localhost:dicom", "'dicom' is no port: a port is a number from 1 to 65535"),
        ("localhost:0", "'0' is no port: a port is a number from 1 to 65535"),
        ("localhost:65536", "'65536' is no port: a port is a number from 1 to 65535"),
        ("localhost:00000000199999", "'00000000199999' is no port: a port is a number from 1 to 65535"),
        ("localhost:" + "9" * 20, f"'{'9' * 20}' is no port: a port is a number from 1 to 65535"),
        ("::1:104", "'::1:104': an IPv6 address stands in brackets, such as [::1]:11112"),
        (":104", "':104' has no host: write [AET@]HOST:PORT, such as ARCHIVE@localhost:11112"),
        ("@host:104", "an AE title needs a character that is no space"),
        ("SEVENTEEN-LETTERS@host:104", "'SEVENTEEN-LETTERS' has 17 characters, an AE title at most 16"),
    ],
)
def test_what_is_no_peer_says_why(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        parse_peer(text)


@pytest.mark.parametrize("title", ["BACK\\SLASH", "ÄE", "TAB\t"])
def test_a_title_has_printable_ascii_characters_only(title: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        check_title(title)


def test_a_port_to_listen_on_may_be_0() -> None:
    assert 0 == parse_port("0")


def test_an_ipv6_address_gets_its_brackets() -> None:
    assert ["10.0.0.1:1", "[fe80::1]:1"] == [host_and_port("10.0.0.1", 1), host_and_port("fe80::1", 1)]
