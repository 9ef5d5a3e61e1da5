"""What the prompt is about at one moment, as values: for the toolbar and for `state`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

STATES: Mapping[str, str] = {
    "Sta1": "idle",
    "Sta2": "connected, awaiting the request",
    "Sta3": "request to be answered",
    "Sta4": "connecting",
    "Sta5": "requested",
    "Sta6": "open",
    "Sta7": "release requested",
    "Sta8": "release to be answered",
    "Sta9": "release collision, to be answered as requestor",
    "Sta10": "release collision, awaiting the answer as acceptor",
    "Sta11": "release collision, awaiting the answer as requestor",
    "Sta12": "release collision, to be answered as acceptor",
    "Sta13": "awaiting the end of the connection",
}
"""The states of PS3.8 §9.2 in a few words."""


@dataclass(frozen=True, slots=True)
class Status:
    """The prompt at one moment."""

    state: str = "Sta1"
    """Of the association's machine."""
    peer: str = ""
    """Whom the association is with; empty if there is none."""
    accepted: int = 0
    """Contexts that can be used."""
    proposed: int = 0
    """Contexts that were asked for."""
    outstanding: int = 0
    """Operations without their final response, either way."""
    serving: str = ""
    """`AET@HOST:PORT` of the embedded acceptor; empty if there is none."""
    served: int = 0
    """Associations that are open there."""
    recording: str = ""
    """The capture that is being written."""
    traced: tuple[str, ...] = ()
    """What is traced."""
    rules: int = 0
    """Rules that are installed."""
    rules_on: int = 0
    """Those that are on."""
    fired: int = 0
    """How often they have fired, all together."""
