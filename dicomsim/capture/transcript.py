"""`Transcript`: what was said on one association, utterance by utterance, small enough to be kept.

An utterance is a message, a PDU that is no P-DATA-TF, or the end: what a comparison looks at and a replay waits for.
Data sets that are not small lie in a temporary folder until the transcript is closed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from dicomsim.capture.captured import CapturedEnd, CapturedMessage, CapturedPdu, Item
from dicomsim.capture.contexts import Contexts
from dicomsim.capture.ladder import describe, pdu_text
from dicomsim.capture.pdu_stream import P_DATA_TF
from dicomsim.dimse.data import Buffer, DataSource, FileSink, Sink
from dicomsim.dimse.messages import Message
from dicomsim.errors import WireError
from dicomsim.events import CloseHow, Side
from dicomsim.wire.pdu import Pdu

IN_MEMORY = 64 << 10
"""Bytes of a data set that are kept in memory; longer ones go to a file."""


class RollingSink:
    """Keeps a data set in memory as long as it is small, else in a file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._small = bytearray()
        self._file: FileSink | None = None

    def write(self, chunk: Buffer) -> None:
        """Take the next bytes."""
        if self._file is None and len(self._small) + len(chunk) <= IN_MEMORY:
            self._small += chunk
            return
        if self._file is None:
            self._file = FileSink(self._path)
            self._file.write(self._small)
            self._small = bytearray()
        self._file.write(chunk)

    def close(self) -> DataSource:
        """The data set."""
        return bytes(self._small) if self._file is None else self._file.close()

    def abort(self) -> None:
        """Drop it."""
        if self._file is not None:
            self._file.abort()


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing that was said."""

    step: int
    """Counts the utterances of the association from 1."""
    frame: int
    """The frame that completed it."""
    time: int
    """When, nanoseconds since the epoch."""
    sender: Side | None
    """Who said it; None for an end that nobody is known to have begun."""
    text: str
    """What it says, on one line."""
    pdu: Pdu | None = None
    """A PDU other than P-DATA-TF, if it can be read."""
    message: Message | None = None
    """A message."""
    how: CloseHow | None = None
    """How the connection ended, for an end that was seen."""
    is_end: bool = False
    """Whether it is the end of the connection."""
    damage: str = ""
    """What the capture lacks of it."""


class Transcript:
    """Collects the utterances of one association; a context manager that removes its temporary files."""

    def __init__(self) -> None:
        self.utterances: list[Utterance] = []
        self.contexts = Contexts()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files = 0

    def choose_sink(self, sender: Side, message: Message) -> Sink:
        """Where data sets are kept: the `SinkChooser` to read the association with."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="dicomsim-", ignore_cleanup_errors=True)
        self._files += 1
        return RollingSink(os.path.join(self._folder.name, str(self._files)))

    def add(self, item: Item) -> Utterance | None:
        """Take the next item; gives the utterance it is, if it is one."""
        utterance = self._utterance(item)
        if utterance is not None:
            self.utterances.append(utterance)
        return utterance

    def _utterance(self, item: Item) -> Utterance | None:
        head = len(self.utterances) + 1, item.frame, item.time
        if isinstance(item, CapturedMessage):
            return Utterance(*head, item.sender, describe(item.message), message=item.message, damage=item.damage)
        if isinstance(item, CapturedEnd):
            how = item.how.value if item.how else "not seen"
            return Utterance(*head, item.by, f"connection end: {how}", how=item.how, is_end=True)
        if not isinstance(item, CapturedPdu):
            return None
        self.contexts.note(item)
        if item.data[0] == P_DATA_TF:
            if not item.fault:
                return None
            return Utterance(*head, item.sender, f"P-DATA-TF: {item.fault}", damage=item.damage)
        return Utterance(*head, item.sender, pdu_text(item), pdu=_pdu(item), damage=item.damage)

    def close(self) -> None:
        """Remove the temporary files; data sets that lay there cannot be read any more."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def _pdu(item: CapturedPdu) -> Pdu | None:
    if item.damage:
        return None
    try:
        return item.pdu
    except WireError:
        return None


def transcribe(items: Iterable[Item]) -> Transcript:
    """A transcript of items that are there already, with the data sets they have."""
    transcript = Transcript()
    for item in items:
        transcript.add(item)
    return transcript
