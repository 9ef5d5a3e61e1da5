"""Stand-ins for tests of scenarios: a stream that plays its part, a peer made of a function, files on the spot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from textwrap import dedent
from typing import Self

from dicomsim.engine.stream import BlockingStream, StreamListener
from dicomsim.errors import TimeLimitError
from dicomsim.scenario.dialogue import Dialogue
from dicomsim.scenario.link import Link, Log
from dicomsim.scenario.loader import Case, CaseActor, PlacedStep, load
from dicomsim.scenario.model import Steps
from dicomsim.scenario.stage import Address, Stage, Titles
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.items import (
    ApplicationContext,
    ImplementationClassUid,
    ImplementationVersionName,
    MaximumLength,
    PresentationContextAC,
    PresentationContextRQ,
    TransferSyntax,
    UserInformation,
)
from dicomsim.wire.pdu import AssociateAC, AssociateRQ, pad_ae_title

LIMIT = 20.0
"""Seconds that a test waits for what must come; no test depends on it."""
IMPLICIT = "1.2.840.10008.1.2"
VERIFICATION = "1.2.840.10008.1.1"
USER = UserInformation(
    (MaximumLength(16384), ImplementationClassUid("2.25.1"), ImplementationVersionName("FAKE_PEER_1"))
)
RQ = AssociateRQ(
    pad_ae_title("SCP"),
    pad_ae_title("SCU"),
    (ApplicationContext(), PresentationContextRQ.of(1, VERIFICATION, IMPLICIT), USER),
)
AC = AssociateAC(
    pad_ae_title("SCP"),
    pad_ae_title("SCU"),
    (ApplicationContext(), PresentationContextAC(1, 0, (TransferSyntax(IMPLICIT),)), USER),
)
RESET = object()
"""In the place of bytes: the peer resets the connection."""
PAUSE = object()
"""In the place of bytes: nothing comes within the time."""


class FakeClock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        """Seconds."""
        return self.now

    def wall(self) -> int:
        """Nanoseconds."""
        return int(self.now * 1e9)


class FakeStream:
    """A stream on which everything the peer does is known before; time passes only while nothing comes."""

    def __init__(self, *incoming: object, clock: FakeClock | None = None, gone: bool = False) -> None:
        self.incoming = list(incoming)
        self.clock = clock or FakeClock()
        self.gone = gone
        self.sent: list[bytes] = []
        self.closed: str | None = None

    def send(self, data: bytes, timeout: float) -> None:
        """Keep what is sent."""
        if self.gone:
            raise ConnectionResetError("gone")
        self.sent.append(data)

    def receive(self, timeout: float) -> bytes:
        """The next of what was given; then the end of the stream."""
        item = self.incoming.pop(0) if self.incoming else b""
        if item is PAUSE:
            self.clock.now += timeout
            raise TimeLimitError(f"nothing received within receive timeout of {timeout:g} s")
        if item is RESET:
            raise ConnectionResetError("reset")
        assert isinstance(item, bytes)
        return item

    def half_close(self) -> None:
        """Keep that it was done."""
        self.closed = "half"

    def close(self, reset: bool = False) -> None:
        """Keep how it was done."""
        self.closed = self.closed or ("reset" if reset else "fin")


def link_of(*incoming: object, dialogue: Dialogue | None = None) -> Link:
    """A link on a stream that plays `incoming`."""
    stream = FakeStream(*incoming)
    return Link(stream, dialogue or Dialogue("SCP", "SCU"), Log(stream.clock), stream.clock)


def actor_with(*steps: object) -> CaseActor:
    """A script with these steps."""
    checked = Steps.model_validate({"steps": list(steps)}).steps
    placed = (
        PlacedStep(step, written, ("steps", index))
        for index, (step, written) in enumerate(zip(checked, steps, strict=True))
    )
    return CaseActor("", "script", 1, (), tuple(placed))


class FakeStage(Stage):
    """A stage whose connections are given."""

    def __init__(self, *streams: FakeStream | Exception, timeout: float = 5.0) -> None:
        super().__init__(Address("127.0.0.1", 104), Titles("SCP", "SCU"), timeout)
        self.streams = list(streams)

    def connect(self, seconds: float) -> FakeStream:
        """The next stream, or what is raised instead."""
        stream = self.streams.pop(0)
        if isinstance(stream, Exception):
            raise stream
        return stream

    def accept(self, seconds: float) -> FakeStream:
        """Likewise."""
        return self.connect(seconds)


Conversation = Callable[[BlockingStream], object]


class Peer:
    """An acceptor made of a function, which is called with each connection, one at a time; a context manager."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._listener = StreamListener()
        self._open = True
        self.address = Address(*self._listener.address)
        self.connections = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        while self._open:
            try:
                stream = self._listener.accept(0.05)
            except TimeLimitError:
                continue
            except OSError:
                return
            self.connections += 1
            with stream:
                try:
                    self._conversation(stream)
                except (OSError, TimeLimitError, EndOfStream):
                    continue

    def stop(self) -> None:
        """Accept no more."""
        self._open = False
        self._thread.join(LIMIT)
        self._listener.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class EndOfStream(Exception):  # noqa: N818 - it is how a peer learns that it is alone
    """The other side has closed."""


def read_pdu(stream: BlockingStream) -> bytes:
    """One whole PDU, which comes alone."""
    data = b""
    while len(data) < 6 or len(data) < 6 + int.from_bytes(data[2:6], "big"):
        chunk = stream.receive(LIMIT)
        if not chunk:
            raise EndOfStream
        data += chunk
    return data


def accept_and_answer(stream: BlockingStream) -> None:
    """A conforming conversation: accepts, answers every C-ECHO-RQ, and releases."""
    from dicomsim.dimse.builders import respond
    from dicomsim.dimse.fragmenter import fragment
    from dicomsim.dimse.messages import Message
    from dicomsim.wire.codec import decode_pdu
    from dicomsim.wire.command import decode_command
    from dicomsim.wire.pdu import PDataTF, ReleaseRP

    while True:
        data = read_pdu(stream)
        if data[0] == 1:
            stream.send(encode_pdu(AC), LIMIT)
        elif data[0] == 5:
            stream.send(encode_pdu(ReleaseRP()), LIMIT)
        elif data[0] == 4:
            pdu = decode_pdu(data)
            assert isinstance(pdu, PDataTF)
            request = Message(pdu.pdvs[0].context_id, decode_command(pdu.pdvs[0].data))
            stream.send(b"".join(map(bytes, fragment(respond(request), 0))), LIMIT)
        else:
            return


def write_scenario(root: Path, name: str, text: str) -> Path:
    """A scenario file with that id below a folder; `text` is all but the id."""
    path = root / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"id: {name}\n{dedent(text)}", "utf-8")
    return path


HEAD = """\
requirement: A peer does what it should.
clause: PS3.8 §9.2
level: shall
role: {role}
"""


def case_of(
    root: Path, steps: str, *, name: str = "ps3.8/9.2/some-case", role: str = "requestor", more: str = ""
) -> Case:
    """A case with these steps, as a file says them."""
    return load(write_scenario(root, name, HEAD.format(role=role) + dedent(more) + "steps:\n" + dedent(steps)))


def joined(pieces: Iterable[object]) -> bytes:
    """The bytes among pieces and pauses."""
    return b"".join(piece for piece in pieces if isinstance(piece, bytes))
