"""A live acceptor for tests: it plays the acceptor of a captured association, with changes, over no network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from dicomsim.capture.captured import CapturedPdu
from dicomsim.capture.conversation import read
from dicomsim.capture.pdu_stream import FramedPdu, PduStream
from dicomsim.errors import ConnectError, TimeLimitError
from dicomsim.events import Side


class FakeClock:
    """Time that moves when a stream waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> int:
        return int(self.now * 1e9)


class ScriptedPeer:
    """Answers as captured: what had come after n PDUs of the requestor comes after n PDUs of the live one."""

    def __init__(self, script: Iterable[tuple[Side, bytes]], clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.sent: list[bytes] = []
        """The PDUs that came, as they came."""
        self.log: list[str] = []
        """How the connection was treated, with the time."""
        self.break_after: int | None = None
        """PDUs after which sending fails."""
        self._answers: list[tuple[int, bytes]] = []
        self._framer = PduStream(True)
        self.ends_after: int | None = None
        """PDUs after which the peer closes, once everything was read."""
        before = 0
        for sender, data in script:
            if sender is Side.REQUESTOR:
                before += 1
            else:
                self._answers.append((before, data))

    def send(self, data: bytes, timeout: float) -> None:
        if self.break_after is not None and len(self.sent) >= self.break_after:
            raise BrokenPipeError
        for piece in self._framer.data(data, 0, 0):
            assert isinstance(piece, FramedPdu)
            self.sent.append(piece.data)
        self.log.append(f"send {self.sent[-1][0]} at {self.clock.now - 100:g}")

    def receive(self, timeout: float) -> bytes:
        if self._answers and self._answers[0][0] <= len(self.sent):
            return self._answers.pop(0)[1]
        if self.ends_after is not None and len(self.sent) >= self.ends_after:
            return b""
        if self.break_after is not None and len(self.sent) >= self.break_after:
            raise ConnectionResetError
        self.clock.now += timeout
        raise TimeLimitError("nothing came")

    def half_close(self) -> None:
        self.log.append("half-close")

    def close(self, reset: bool = False) -> None:
        self.log.append("reset" if reset else "close")


def script(path: Path) -> list[tuple[Side, bytes]]:
    """What was said in the first association of a capture."""
    return [(i.sender, i.data) for i in read(path) if isinstance(i, CapturedPdu) and i.association == 1]


def refusing() -> ScriptedPeer:
    """Nobody there."""
    raise ConnectError("127.0.0.1:104: connection refused; is the peer running and listening there?")


Connect = Callable[[], ScriptedPeer]
