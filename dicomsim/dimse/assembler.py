"""Puts fragments together to messages and refuses every sequence that PS3.8 Annex E forbids.

One `Assembler` is one direction of one association. At any time it waits for the first fragment of a command set, for
more of a command set, or for the data set that a command set has announced; `_write` is only there in the last case,
so that the hot path, a fragment of a data set, is one test and one call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Mapping
from typing import Final, NoReturn

from dicomsim.dimse.data import Buffer, DiscardSink, MemorySink, Sink
from dicomsim.dimse.messages import (
    COMMAND_DATA_SET_TYPE,
    COMMAND_FIELD,
    MESSAGE_ID,
    MESSAGE_ID_BEING_RESPONDED_TO,
    Message,
)
from dicomsim.dimse.table import C_CANCEL_RQ, RESPONSE
from dicomsim.errors import WireError, WireFault
from dicomsim.wire.codes import COMMAND, LAST, NO_DATA_SET
from dicomsim.wire.command import Value, decode_command, tag_name

MAX_COMMAND_LENGTH: Final = 64 * 1024
"""Longest command set taken. The only element without a bound of its own is the Attribute Identifier List, and all
attributes of the data dictionary, four bytes each, make a third of this; usual command sets have about 100 bytes."""

_PATH = "P-DATA-TF/presentation data value"


class Assembler:
    """Assembles the messages of one direction; `pdv` and `end_of_pdu` are fed, `messages` is emptied by the owner.

    After a `WireError` nothing more can be assembled: the association is to be aborted.
    """

    __slots__ = ("_closed_in_pdu", "_command", "_message", "_sink", "_write", "accepted", "choose_sink", "messages")

    def __init__(self, choose_sink: Callable[[Message], Sink | None] | None, accepted: Container[int]) -> None:
        """Assemble messages on the `accepted` presentation contexts.

        `choose_sink` is called with a message whose command set is complete and announces a data set; without it, or
        if it returns None, the data set goes to memory.
        """
        self.choose_sink = choose_sink
        self.accepted = accepted
        """Presentation context ids that may be used; may be set again when the negotiation is over."""
        self.messages: deque[Message] = deque()
        """Complete messages in the order in which they were completed."""
        self._command = bytearray()
        self._message: Message | None = None
        self._sink: Sink | None = None
        self._write: Callable[[Buffer], object] | None = None
        self._closed_in_pdu = False

    @property
    def current(self) -> Message | None:
        """The message under way: its `command` is empty as long as the command set is not complete."""
        return self._message

    def pdv(self, context_id: int, control: int, chunk: memoryview, complete: bool) -> None:
        """Take a fragment or the next part of one, as the framer gives it; `complete` says whether it ends here.

        Bits 2 to 7 of `control` are not looked at (PS3.8 §E.2); empty fragments and odd ones are taken (§E.1).

        Raises:
            WireError: the sequence of fragments is forbidden, or the command set is none.
        """
        message, write = self._message, self._write
        if write is None or message is None or control & COMMAND or context_id != message.context_id:
            self._command_part(context_id, control, chunk, complete)
            return
        try:
            write(chunk)
        except Exception as error:  # noqa: BLE001  # a sink is user code, or the user's disk
            self._give_up_sink(message, error)
        if complete and control & LAST:
            self._finish_data(message)

    def end_of_pdu(self) -> None:
        """The P-DATA-TF is over: the next one may belong to another message."""
        self._closed_in_pdu = False

    def close(self) -> None:
        """No more fragments will come: leave nothing behind of an unfinished message. May be called twice."""
        sink, self._sink, self._write, self._message = self._sink, None, None, None
        self._command.clear()
        if sink is not None:
            _abort(sink)

    def _command_part(self, context_id: int, control: int, chunk: memoryview, complete: bool) -> None:
        """Take a part of a command set; anything else that is forbidden ends up here, too."""
        message = self._message
        if message is None:
            if context_id not in self.accepted or not control & COMMAND or self._closed_in_pdu:
                self._refuse_first(context_id, control)
            message = self._message = Message(context_id, {})
        elif context_id != message.context_id:
            self._refuse(context_id, f"a message of context {message.context_id} is not complete")
        elif self._write is not None:
            self._refuse(context_id, f"a command fragment amid the data set of {message.name}")
        elif not control & COMMAND:
            self._refuse(context_id, "a data set fragment before the end of the command set")
        length = len(self._command) + len(chunk)
        if length > MAX_COMMAND_LENGTH:
            self._refuse(context_id, f"the command set is longer than {MAX_COMMAND_LENGTH} bytes")
        if not (complete and control & LAST):
            self._command += chunk
            return
        try:
            message.command = decode_command(self._command + chunk if self._command else chunk)
            _check_command(message.command)
        except WireError:
            self.close()
            raise
        self._command.clear()
        self._finish_command(message)

    def _refuse_first(self, context_id: int, control: int) -> NoReturn:
        """Say what is wrong with the first fragment of a message."""
        if context_id not in self.accepted:
            self._refuse(context_id, "the presentation context was not accepted")
        if not control & COMMAND:
            self._refuse(context_id, "a data set fragment that no command set has announced")
        self._refuse(context_id, "a second message in one P-DATA-TF")

    def _finish_command(self, message: Message) -> None:
        if message.command[COMMAND_DATA_SET_TYPE] == NO_DATA_SET:
            self._finish(message)
            return
        sink: Sink | None = None
        if self.choose_sink is not None:
            try:
                sink = self.choose_sink(message)
            except Exception as error:  # noqa: BLE001  # user code
                message.sink_error = error
                sink = DiscardSink()
        self._sink = MemorySink() if sink is None else sink
        self._write = self._sink.write

    def _finish_data(self, message: Message) -> None:
        sink, self._sink, self._write = self._sink, None, None
        if sink is not None:
            try:
                message.data = sink.close()
            except Exception as error:  # noqa: BLE001  # a sink is user code, or the user's disk
                message.sink_error = error
                _abort(sink)
        self._finish(message)

    def _finish(self, message: Message) -> None:
        self._message = None
        self._closed_in_pdu = True
        self.messages.append(message)

    def _give_up_sink(self, message: Message, error: Exception) -> None:
        """The message is still to be answered, so the rest of its data set is discarded."""
        message.sink_error = error
        if self._sink is not None:
            _abort(self._sink)
        self._sink = DiscardSink()
        self._write = self._sink.write

    def _refuse(self, context_id: int, reason: str) -> NoReturn:
        self.close()
        raise WireError(0, f"{_PATH} on context {context_id}", reason, WireFault.INVALID_VALUE)


def _check_command(command: Mapping[int, Value]) -> None:
    """Without these elements a message cannot be told, answered or even delimited; all others are the user's affair."""
    field = command.get(COMMAND_FIELD)
    if type(field) is not int:  # cheaper than isinstance, and nothing is derived from it here
        raise _missing(COMMAND_FIELD)
    identity = MESSAGE_ID_BEING_RESPONDED_TO if field & RESPONSE or field == C_CANCEL_RQ else MESSAGE_ID
    if type(command.get(identity)) is not int:
        raise _missing(identity)
    if type(command.get(COMMAND_DATA_SET_TYPE)) is not int:
        raise _missing(COMMAND_DATA_SET_TYPE)


def _missing(tag: int) -> WireError:
    return WireError(0, f"command set/{tag_name(tag)}", "mandatory, and not there with one value")


def _abort(sink: Sink) -> None:
    """Nothing can be done about a sink that fails to clean up behind another failure."""
    try:
        sink.abort()
    except Exception:  # noqa: BLE001, S110  # a sink is user code, or the user's disk
        pass
