"""What the actors of one case share: the peer, the time limit, the log, signals, and where to listen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from dicomsim.engine.stream import BlockingStream, StreamListener, connect_stream
from dicomsim.engine.witness import Observer
from dicomsim.errors import TimeLimitError
from dicomsim.peer_address import host_and_port
from dicomsim.scenario.hearing import Hearing
from dicomsim.scenario.link import GRACE, Log, Stream
from dicomsim.scenario.loader import PlacedStep
from dicomsim.scenario.sample import Sample
from dicomsim.scenario.verdict import Verdict

HOST = "127.0.0.1"
RETRY_GLANCE = 0.001
"""Seconds to look for a connection that is there already."""
Note = Callable[[int, str], None]
"""Takes the number of an association and what to say about it."""


@dataclass(frozen=True, slots=True)
class Titles:
    """AE titles to use."""

    called: str = "ANY-SCP"
    """The acceptor's."""
    calling: str = "DICOMSIM"
    """The requestor's."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the peer under test listens, or where it is to connect to."""

    host: str
    """Name or address."""
    port: int
    """TCP port."""

    def __str__(self) -> str:
        return host_and_port(self.host, self.port)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `HOST:PORT`, `[IPv6]:PORT` or `PORT`; raises `ValueError` with what is wrong."""
        host, _, port = text.rpartition(":")
        if not (port.isascii() and port.isdigit()) or not 0 < int(port) < 0x10000:
            raise ValueError(f"{text!r} has no port: write HOST:PORT, with a port from 1 to 65535")
        if ":" in host and not (host.startswith("[") and host.endswith("]")):
            raise ValueError(f"{text!r}: an IPv6 address stands in brackets, such as [::1]:11112")
        return cls(host.strip("[]") or HOST, int(port))


class Process(Protocol):
    """The peer under test, where dicomsim has started it."""

    def wait(self, seconds: float) -> int | None:
        """Its exit code, or None if it is still running after that time."""
        ...


class HeardServer(Protocol):
    """An AE that accepts, and is heard."""

    @property
    def hearing(self) -> Hearing:
        """Its associations."""
        ...


@dataclass(slots=True)
class Stage:
    """One case on its way."""

    address: Address
    """The peer under test, or where we listen for it."""
    titles: Titles
    """AE titles to use."""
    timeout: float
    """Seconds that any step may take, unless it says otherwise."""
    capped: bool = False
    """Whether `timeout` also bounds the steps that say otherwise."""
    observer: Observer | None = None
    """Sees all bytes."""
    note: Note | None = None
    """Told the number and the case of each association."""
    case_id: str = "sanity"
    """Which case it is."""
    log: Log = field(default_factory=Log)
    """What has happened."""
    sample: Sample = field(default_factory=Sample)
    """What is stored."""
    listener: StreamListener | None = None
    """Where the peer connects to, if it is the requestor."""
    server: HeardServer | None = None
    """The AE that the peer connects to, if that is what listens."""
    process: Process | None = None
    """The peer, if we started it."""
    values: dict[str, Any] = field(default_factory=dict)
    """Values of the scenario."""
    grace: float = GRACE
    """Seconds that a peer is watched after its last PDU."""
    _signals: dict[str, threading.Event] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def seconds(self, within: float | str | None) -> float:
        """How long a step may take."""
        if within is None:
            return self.timeout
        return min(float(within), self.timeout) if self.capped else float(within)

    def signal(self, name: str) -> threading.Event:
        """The event behind a signal."""
        with self._lock:
            return self._signals.setdefault(name, threading.Event())

    def connect(self, seconds: float) -> Stream:
        """Connect to the peer; raises `ConnectError` or `TimeLimitError`."""
        return self._noted(connect_stream(self.address.host, self.address.port, seconds, self.observer))

    def accept(self, seconds: float) -> Stream:
        """Wait for the peer; raises `TimeLimitError`, and `ConnectionAbortedError` when the case has ended."""
        with self._lock:
            listener = self.listener
        if listener is None:
            raise ConnectionAbortedError("nobody listens")
        return self._noted(listener.accept(seconds))

    def _noted(self, stream: BlockingStream) -> Stream:
        self.noted(stream.association)
        return stream

    def noted(self, association: int) -> None:
        """Say which case an association belongs to."""
        if self.note is not None:
            self.note(association, self.case_id)

    def retries(self) -> int:
        """Connections of the peer that no actor has taken: it has tried again."""
        count = 0
        while self.listener is not None:
            try:
                self.listener.accept(RETRY_GLANCE).close()
            except TimeLimitError:
                break
            count += 1
        return count

    def listen(self, on: bool) -> None:
        """Listen on the address, or stop it."""
        with self._lock:
            if self.listener is not None:
                self.listener.close()
            self.listener = StreamListener(self.address.host, self.address.port, self.observer) if on else None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step came to."""

    verdict: Verdict
    """pass, non-strict, fail, inconclusive or error."""
    expected: tuple[str, ...]
    """What would have been right, best first."""
    actual: str
    """What happened, by its short name."""
    detail: str
    """The same in words."""
    placed: PlacedStep | None = None
    """The step."""
    note: str = ""
    """Why it counts so, if the scenario says."""


@dataclass(slots=True)
class ActorResult:
    """What one actor came to."""

    name: str
    """Which actor; empty if it is the only one."""
    findings: list[Finding] = field(default_factory=list)
    """Of its steps, in order."""
    close: str = "none"
    """How its last connection ended."""
    measured: dict[str, float] = field(default_factory=dict)
    """Seconds by name."""
    implementation: tuple[str, ...] = ()
    """The peer's implementation version name and class UID, if it has told them."""


Act = Callable[[], ActorResult]
"""An actor, ready to act."""
