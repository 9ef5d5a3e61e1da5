"""`Player`: the requestor of a captured association, speaking to a live acceptor.

PDUs are sent as they were captured, fitted where the peer needs it (see `fitting`). Order is causal: a step is sent
when the live acceptor has said what it had said before that step in the capture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from dicomsim.capture.captured import CapturedEnd, CapturedLoss, CapturedMessage, CapturedOpen, CapturedPdu, Item
from dicomsim.capture.contexts import Contexts
from dicomsim.capture.fitting import FittingError, PDataFitter, fit_request
from dicomsim.capture.pdu_stream import P_DATA_TF
from dicomsim.capture.track import AssociationTrack
from dicomsim.capture.transcript import Transcript, Utterance
from dicomsim.engine.clock import Clock
from dicomsim.errors import ConnectError, TimeLimitError
from dicomsim.events import CloseHow, Side
from dicomsim.wire.pdu import Abort, AssociateRJ, ReleaseRP

A_ASSOCIATE_RQ = 1
A_ABORT = bytes.fromhex("07 00 00000004 00000000")
"""What ends an association that cannot be played to its end."""
TIMEOUT = 30.0
"""Seconds that an answer is waited for."""


class Stream(Protocol):
    """A connection, as `dicomsim.engine.stream.connect_stream` gives it."""

    def send(self, data: bytes, timeout: float) -> None:
        """Send everything; raises `TimeLimitError` or `ConnectionError`."""

    def receive(self, timeout: float) -> bytes:
        """At least one byte, `b""` at the end; raises `TimeLimitError` or `ConnectionError`."""

    def half_close(self) -> None:
        """Send a FIN."""

    def close(self, reset: bool = False) -> None:
        """Close, or reset."""


class PeerEndedError(Exception):
    """The live peer has ended the association where the captured one had not."""

    def __init__(self, frame: int) -> None:
        super().__init__(frame)
        self.frame = frame
        """The frame of the capture that was to be played next."""


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """How to play."""

    called: str | None = None
    """Called AE title, where it is another than in the capture."""
    calling: str | None = None
    """Calling AE title, where it is another than in the capture."""
    timing: float = 0.0
    """How many times as long as captured the steps are apart; 0 for as fast as the order allows."""
    timeout: float = TIMEOUT
    """Seconds that bound each wait for an answer."""
    secrets: bool = False
    """Whether user identities are sent as captured; else they are left out."""
    damaged: bool = False
    """Whether PDUs of which the capture lacks bytes are sent, with zeros for those."""
    narrow: Contexts | None = None
    """A negotiation: contexts are proposed only as they were accepted in it."""


@dataclass(slots=True)
class Progress:
    """How far the acceptor has come, in the capture or live."""

    words: int = 0
    """PDUs other than P-DATA-TF."""
    pending: dict[int, int] = field(default_factory=dict)
    """Responses to the requestor's n-th request."""
    final: set[int] = field(default_factory=set)
    """Requests that are done with."""
    requests: list[int] = field(default_factory=list)
    """Message ids of the acceptor's own requests."""
    unsolicited: int = 0
    """How many of them came while no request of the requestor was open: no sub-operations."""
    over: bool = False
    """Whether it has ended the association."""
    _ordinals: dict[int, int] = field(default_factory=dict)
    _asked: int = 0

    def note(self, utterance: Utterance) -> None:
        """Take what was said next."""
        message = utterance.message
        if utterance.sender is Side.REQUESTOR:
            if message is not None and message.is_request and message.message_id is not None:
                self._ordinals[message.message_id] = self._asked
                self._asked += 1
        elif utterance.is_end:
            self.over = True
        elif message is None:
            self.words += 1
            self.over = self.over or isinstance(utterance.pdu, AssociateRJ | ReleaseRP | Abort)
        elif message.is_request:
            self.unsolicited += self.idle
            self.requests.append(message.message_id or 0)
        elif message.is_response:
            ordinal = self._ordinals.get(message.message_id_being_responded_to or 0, -1)
            self.pending[ordinal] = self.pending.get(ordinal, 0) + 1
            if not message.is_pending:
                self.final.add(ordinal)

    @property
    def idle(self) -> bool:
        """Whether every request has its last response."""
        return len(self.final - {-1}) >= self._asked

    def has_reached(self, captured: Progress) -> bool:
        """Whether everything has been said that was said in the capture so far."""
        return (
            self.words >= captured.words
            and captured.final - {-1} <= self.final
            and all(n in self.final or self.pending.get(n, 0) >= k for n, k in captured.pending.items() if n >= 0)
            and (
                len(self.requests) >= len(captured.requests) or (self.idle and self.unsolicited >= captured.unsolicited)
            )
        )


class Player:
    """Plays the requestor of one association; the transcripts say how it went."""

    def __init__(
        self,
        connect: Callable[[], Stream],
        captured: Transcript,
        live: Transcript,
        options: PlayOptions,
        clock: Clock,
    ) -> None:
        self.notes: list[str] = []
        """What was left out."""
        self._connect = connect
        self._captured = captured
        self._live = live
        self._options = options
        self._clock = clock
        self._stream: Stream | None = None
        self._track = AssociationTrack(1, True, live.choose_sink)
        self._said, self._heard = Progress(), Progress()
        self._fitter = PDataFitter(captured.contexts, live.contexts, self._said.requests, self._heard.requests)
        self._ended = False
        self._begin = 0.0
        self._first_time = 0
        self._whole = True
        self._sent = 0

    def run(self, items: Iterable[Item]) -> None:
        """Play the items of an association.

        Raises `PeerEndedError`, `ConnectError`, `TimeLimitError`, `FittingError`, and `FileError` if reading them does.
        """
        for item in items:
            if isinstance(item, CapturedOpen):
                self._first_time, self._whole = item.time, item.handshake
            elif isinstance(item, CapturedEnd):
                self._end(item)
            else:
                self._play(item)
                utterance = self._captured.add(item)
                if utterance is not None:
                    self._said.note(utterance)

    def _play(self, item: CapturedPdu | CapturedMessage | CapturedLoss) -> None:
        if item.sender is not Side.REQUESTOR or isinstance(item, CapturedMessage):
            return
        if isinstance(item, CapturedLoss):
            if not self._options.damaged:
                raise FittingError(f"frame {item.frame}: {item.size} bytes before it that were to be sent are missing")
            return
        if not self._whole and item.data[0] != A_ASSOCIATE_RQ:
            raise FittingError(f"frame {item.frame}: the beginning of the association was not captured")
        self._whole = True
        self._send(item)

    def close(self) -> None:
        """Hang up if that has not happened: the peer is told by an A-ABORT."""
        if self._stream is None:
            return
        if not self._ended and not self._heard.over and self._sent:
            try:
                self._stream.send(A_ABORT, self._options.timeout)
                self._take(Side.REQUESTOR, A_ABORT)
            except (ConnectionError, TimeLimitError):
                pass  # it is gone, or does not listen any more
        self._stream.close()
        self._hang_up(Side.REQUESTOR, CloseHow.FIN)

    def _open(self) -> Stream:
        if self._stream is None:
            self._stream = self._connect()
            self._begin = self._clock.monotonic()
        return self._stream

    def _send(self, item: CapturedPdu) -> None:
        stream = self._open()
        self._pause(item)
        self._await_answers(item.frame)
        if self._ended or (self._heard.over and not self._said.over):
            raise PeerEndedError(item.frame)
        for pdu in self._fitted(item):
            try:
                stream.send(pdu, self._options.timeout)
            except ConnectionError:
                self._read_the_rest()
                raise PeerEndedError(item.frame) from None
            self._take(Side.REQUESTOR, pdu)

    def _fitted(self, item: CapturedPdu) -> list[bytes]:
        options = self._options
        if item.damage:
            if not options.damaged:
                raise FittingError(f"frame {item.frame}: a PDU to be sent is damaged: {item.damage}")
            return [item.data]
        if item.data[0] == A_ASSOCIATE_RQ:
            data, left_out = fit_request(
                item.data,
                called=options.called,
                calling=options.calling,
                secrets=options.secrets,
                narrow=options.narrow,
            )
            self.notes += [f"frame {item.frame}: {note}" for note in left_out]
            return [data]
        if item.data[0] != P_DATA_TF:
            return [item.data]
        try:
            pdus, left_out = self._fitter.fit(item.data)
        except FittingError as error:
            raise type(error)(f"frame {item.frame}: {error}") from error
        self.notes += [f"frame {item.frame}: {note}" for note in left_out]
        return pdus

    def _pause(self, item: CapturedPdu) -> None:
        """Wait until it is this step's turn by the clock, listening meanwhile."""
        turn = self._begin + (item.time - self._first_time) / 1e9 * self._options.timing
        while self._options.timing and not self._ended and (left := turn - self._clock.monotonic()) > 0:
            try:
                self._receive(left)
            except TimeLimitError:
                return

    def _await_answers(self, frame: int) -> None:
        """Wait until the live peer has said what the captured one had."""
        deadline = self._clock.monotonic() + self._options.timeout
        while not self._heard.has_reached(self._said):
            if self._heard.over or self._ended:
                raise PeerEndedError(frame)
            try:
                self._receive(max(0.0, deadline - self._clock.monotonic()))
            except TimeLimitError:
                awaited = next(u for u in reversed(self._captured.utterances) if u.sender is Side.ACCEPTOR)
                raise TimeLimitError(
                    f"step {awaited.step}, frame {awaited.frame}: nothing like '{awaited.text}' came "
                    f"within replay timeout of {self._options.timeout:g} s"
                ) from None

    def _end(self, item: CapturedEnd) -> None:
        if item.how in (CloseHow.REFUSED, CloseHow.FAILED):
            self._captured.add(item)
            try:
                self._open()
            except ConnectError:
                self._hang_up(Side.ACCEPTOR, item.how)
            return
        stream = self._open()
        self._await_answers(item.frame)
        self._captured.add(item)
        if item.how is CloseHow.HALF and item.by is Side.REQUESTOR:
            stream.half_close()
        if item.by is Side.ACCEPTOR or item.how is CloseHow.HALF:
            self._await_end()
        if not self._ended:
            reset = item.how is CloseHow.RESET and item.by is Side.REQUESTOR
            stream.close(reset=reset)
            self._hang_up(Side.REQUESTOR, CloseHow.RESET if reset else CloseHow.FIN)

    def _await_end(self) -> None:
        deadline = self._clock.monotonic() + self._options.timeout
        while not self._ended:
            try:
                self._receive(max(0.0, deadline - self._clock.monotonic()))
            except TimeLimitError:
                return

    def _receive(self, seconds: float) -> None:
        assert self._stream is not None
        try:
            data = self._stream.receive(seconds)
        except ConnectionError:
            self._hang_up(Side.ACCEPTOR, CloseHow.RESET)
            return
        if data:
            self._take(Side.ACCEPTOR, data)
        else:
            self._hang_up(Side.ACCEPTOR, CloseHow.FIN)

    def _read_the_rest(self) -> None:
        """Sending failed: what the peer said last may still be there."""
        while not self._ended:
            try:
                self._receive(0.0)
            except TimeLimitError:
                self._hang_up(Side.ACCEPTOR, CloseHow.RESET)

    def _take(self, sender: Side, data: bytes) -> None:
        self._sent += 1
        self._note(self._track.data(sender, data, self._clock.wall(), self._sent))

    def _hang_up(self, by: Side, how: CloseHow) -> None:
        if not self._ended:
            self._ended = True
            self._note(self._track.end(by, how, self._clock.wall(), self._sent))

    def _note(self, items: Iterable[Item]) -> None:
        for item in items:
            utterance = self._live.add(item)
            if utterance is not None:
                self._heard.note(utterance)
