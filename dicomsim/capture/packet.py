"""`Packet`, what a capture file holds, and the numbers that both file formats share."""

from __future__ import annotations

from typing import NamedTuple

ETHERNET = 1
"""Link type of the files that dicomsim writes."""

MAX_RECORD = 16 << 20
"""Longest record or block that is believed: BIG TCP frames have half a megabyte, key logs a few."""


class Packet(NamedTuple):
    """One captured frame; a tuple and no dataclass, because a capture has millions of them."""

    number: int
    """Counted from 1, as Wireshark does."""
    time: int
    """Nanoseconds since the epoch; the time of the frame before where the file gives none."""
    link_type: int
    """What `data` begins with, from the registry of the tcpdump group."""
    data: bytes
    """The bytes that were kept."""
    length: int
    """How many there were on the wire."""
    comments: tuple[str, ...] = ()
    """What somebody wrote to it (pcapng only)."""
