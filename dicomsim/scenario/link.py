"""One connection of a script: sends what it is told, and cuts what comes into observations."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from dicomsim.dimse.assembler import Assembler
from dicomsim.engine.clock import Clock, SystemClock
from dicomsim.errors import TimeLimitError, WireError
from dicomsim.scenario.dialogue import ENDINGS, Dialogue
from dicomsim.scenario.observation import Arrived, Closed, Observation, Received, Silent, Unreadable
from dicomsim.wire.codec import HEADER_LENGTH, decode_pdu, encode_pdu, pdu_name
from dicomsim.wire.pdu import Abort, PDataTF, Pdu, PduType

LONGEST_PDU: Final = 64 << 20
"""Bytes of a PDU that a peer may send to a script; what declares more is taken for garbage."""
GRACE: Final = 0.05
"""Seconds that a peer is watched after its last PDU, before the script closes."""


class Stream(Protocol):
    """What a link needs of `engine.stream.BlockingStream`."""

    def send(self, data: bytes, timeout: float) -> None:
        """Send everything."""
        ...

    def receive(self, timeout: float) -> bytes:
        """What comes next, `b""` at the end."""
        ...

    def half_close(self) -> None:
        """Send a FIN."""
        ...

    def close(self, reset: bool = False) -> None:
        """Close."""
        ...


class _Everything:
    """Every presentation context: the judge decides which were allowed."""

    def __contains__(self, _: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of what happened."""

    time: float
    """Seconds since the case began."""
    arrow: str
    """`->` to the peer, `<-` from the peer, `--` neither."""
    text: str
    """What it was."""

    def __str__(self) -> str:
        return f"{self.time:9.3f} {self.arrow} {self.text}"


class Log:
    """What happened on all connections of a case, in order."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._start = self._clock.monotonic()
        self.lines: list[LogLine] = []

    def note(self, arrow: str, text: object) -> None:
        """Add a line."""
        self.lines.append(LogLine(self._clock.monotonic() - self._start, arrow, str(text)))

    @property
    def seconds(self) -> float:
        """Since the case began."""
        return self._clock.monotonic() - self._start


class Link:
    """A stream with what has been said on it."""

    def __init__(self, stream: Stream, dialogue: Dialogue, log: Log, clock: Clock | None = None) -> None:
        self._stream = stream
        self._log = log
        self._clock = clock or SystemClock()
        self._buffer = bytearray()
        self._ready: deque[Observation] = deque()
        self._assembler = Assembler(None, _Everything())
        self._message_pdus: list[PDataTF] = []
        self._reset = False
        self.dialogue = dialogue
        self.closed: Closed | None = None
        """How the peer has closed, once that was read."""
        self.closed_by_us: str | None = None
        """How we have closed."""

    def send(self, pieces: Sequence[bytes | float], text: str, timeout: float, pdu: Pdu | None = None) -> None:
        """Send, a write for each piece, with seconds to wait between them.

        A peer that is gone or does not read is no error here: what it has said before can still be read.
        """
        self._log.note("->", text)
        if pdu is not None:
            self.dialogue.sent(pdu)
        try:
            for piece in pieces:
                if isinstance(piece, bytes):
                    self._stream.send(piece, timeout)
                else:
                    self.linger(piece)
        except ConnectionError:
            self._reset = True
            self._log.note("--", "the peer had closed before all was sent")
        except TimeLimitError as error:
            self._log.note("--", error)

    def observe(self, seconds: float, window: str, *, pdus_only: bool = False) -> Observation:
        """What the peer does next, within a time window; `pdus_only` does not put P-DATA-TF together to messages."""
        deadline = self._clock.monotonic() + seconds
        while True:
            seen = self._next(pdus_only)
            if seen is None and self.closed is not None:
                seen = self.closed = replace(self.closed, rest=len(self._buffer))
            elif seen is None and not self._read(deadline):
                seen = Silent(seconds, window, self._unfinished())
            if seen is not None:
                self._log.note("<-", seen)
                return seen

    def linger(self, seconds: float) -> None:
        """Let time go by; what arrives is kept. Ends at once when the peer closes."""
        deadline = self._clock.monotonic() + seconds
        while self.closed is None and self._read(deadline):
            pass

    def half_close(self) -> None:
        """Send a FIN and go on reading."""
        self._log.note("->", "FIN, and reading on")
        self._stream.half_close()

    def close(self, *, reset: bool = False) -> None:
        """Close; does nothing the second time."""
        if self.closed_by_us is None:
            self.closed_by_us = "reset" if reset else "fin"
            if self.closed is None:
                self._log.note("->", "RST" if reset else "FIN")
        self._stream.close(reset=reset)

    def finish(self, timeout: float, grace: float = GRACE) -> str:
        """Close in good order; how the connection ended: who closed first, how, and whether it should have.

        `grace` is how long a peer is watched that has sent its last PDU, and may close though it is not its turn.
        """
        if self.closed is None and self.closed_by_us is None:
            if isinstance(self.dialogue.last_received, ENDINGS):
                self.linger(grace)
            elif self.dialogue.is_open:
                self.linger(0)
                if self.closed is None:
                    self.send([encode_pdu(Abort())], "A-ABORT", timeout, Abort())
        if self.closed is None or self.closed_by_us is not None:
            self.close()
            return f"dicomsim {self.closed_by_us}"
        self.close()
        # Whoever sends the last PDU waits for the other to close: AE-8, AR-4, AA-1, AA-8. PS3.8 §9.2
        early = isinstance(self.dialogue.last_received, ENDINGS)
        return f"peer {self.closed.how}{', early' if early else ''}"

    def _read(self, deadline: float) -> bool:
        """Read once; whether anything (or the end) came."""
        try:
            data = self._stream.receive(max(deadline - self._clock.monotonic(), 0))
        except TimeLimitError:
            return False
        except ConnectionError:
            self.closed = Closed("reset")
            return True
        if not data:
            self.closed = Closed("reset" if self._reset else "fin")
        self._buffer += data
        return True

    def _whole(self) -> int:
        """Length of the first PDU in the buffer if all of it is there, else 0; garbage counts as it is."""
        buffer = self._buffer
        if not buffer:
            return 0
        if buffer[0] not in PduType.__members__.values():
            return len(buffer)
        if len(buffer) < HEADER_LENGTH:
            return 0
        length = HEADER_LENGTH + int.from_bytes(buffer[2:6], "big")
        if length > LONGEST_PDU:
            return len(buffer)
        return length if len(buffer) >= length else 0

    def _next(self, pdus_only: bool) -> Observation | None:
        """The next thing that is there already."""
        while not self._ready and (length := self._whole()):
            raw = bytes(self._buffer[:length])
            del self._buffer[:length]
            try:
                pdu = decode_pdu(raw)
            except WireError as error:
                self._ready.append(Unreadable(error))
                break
            self.dialogue.received(pdu)
            if isinstance(pdu, PDataTF) and not pdus_only:
                self._assemble(pdu)
            else:
                self._ready.append(Received(pdu))
        return self._ready.popleft() if self._ready else None

    def _assemble(self, pdu: PDataTF) -> None:
        self._message_pdus.append(pdu)
        error = None
        try:
            for pdv in pdu.pdvs:
                self._assembler.pdv(pdv.context_id, pdv.control, memoryview(pdv.data), True)
            self._assembler.end_of_pdu()
        except WireError as fault:
            error = fault
        longest = max(sum(len(pdv.data) + 6 for pdv in each.pdvs) for each in self._message_pdus)
        fragments = sum(len(each.pdvs) for each in self._message_pdus)
        for message in self._assembler.messages:
            if message.is_request:
                self.dialogue.asked = message
            self._ready.append(Arrived(message, longest, fragments))
            self._message_pdus.clear()
        self._assembler.messages.clear()
        if error is not None:
            self._ready.append(Unreadable(error))
            self._assembler = Assembler(None, _Everything())
            self._message_pdus.clear()

    def _unfinished(self) -> str:
        if self._buffer:
            first = self._buffer[0]
            return f"{len(self._buffer)} bytes of {pdu_name(first)}"
        if self._message_pdus:
            return f"{len(self._message_pdus)} P-DATA-TF of a message that is not complete"
        return ""
