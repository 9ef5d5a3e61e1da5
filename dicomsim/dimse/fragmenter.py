"""Cuts messages into P-DATA-TF PDUs that any peer takes, lazily and without joining large data. PS3.8 Annex E.

A fragment is as long as the peer's maximum length allows, rounded down to even; command and data set go into PDUs of
their own, because some peers read one presentation data value a PDU. The buffers that come out are pieces of the byte
stream: their borders mean nothing, and each stays valid for as long as it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from struct import Struct
from typing import Final, cast

from dicomsim.dimse.data import Buffer, DataSource, FilePart, FileSlice, OpenFile, source_bytes, source_length
from dicomsim.dimse.messages import Message
from dicomsim.errors import AssociationError
from dicomsim.wire.codes import COMMAND, LAST
from dicomsim.wire.command import Value, encode_command
from dicomsim.wire.pdu import PduType

PDV_OVERHEAD: Final = 6
"""Bytes of a PDU that are not fragment: item length, context id, control header. PS3.8 Table 9-23."""

PREFERRED_LENGTH: Final = 256 * 1024
"""PDU-length aimed at where the peer takes more, or anything: headers cost nothing any more, and the peer may gather a
whole PDU before it looks at it."""

JOIN_DATA: Final = 16 * 1024
"""Data sets up to this length are copied behind their header: one buffer to write is cheaper than two."""

JOIN_FRAGMENT: Final = 4 * 1024
"""Fragments below this length are joined to blocks: a vector of thousands of tiny buffers costs more than the copy."""

BLOCK: Final = 256 * 1024
"""Bytes joined at once: a few PDUs, whatever their size."""

DATA: Final = 0
"""What `COMMAND` is not."""

_PREFIX = Struct(">BBLLBB")
"""PDU type, reserved, PDU-length; item length, context id, control header."""


def fragment(message: Message, maximum_length: int, size_hint: int = PREFERRED_LENGTH) -> Iterator[Buffer]:
    """Encode a message as P-DATA-TF PDUs.

    `maximum_length` is the peer's, of its item 51H (0: no limit); `size_hint` the PDU-length to aim at where the peer
    allows more. What is sent follows `message.data`, not the Command Data Set Type, so that the two may contradict
    each other on purpose.

    Raises:
        AssociationError: no fragment fits into the peer's maximum length.
        FileError: a file to send cannot be read; while the buffers are taken, unless it is a small one.
    """
    return fragment_encoded(
        message.context_id, _commands.encode(message.command), message.data, maximum_length, size_hint
    )


def joined(message: Message, maximum_length: int) -> bytes | None:
    """A small message as one buffer with all its PDUs, the same bytes as `fragment` gives; None if it is not small."""
    data = message.data
    room = min(maximum_length or PREFERRED_LENGTH, PREFERRED_LENGTH) - PDV_OVERHEAD & ~1
    if data is None:
        length = 0
    elif isinstance(data, bytes | memoryview):
        length = len(data) if isinstance(data, bytes) else data.nbytes
        if length > JOIN_DATA:
            return None
    else:
        return None
    command = _commands.encode(message.command)
    size = len(command)
    if size > room or length > room:
        return None
    context_id = message.context_id
    lead = _PREFIX.pack(4, 0, size + 6, size + 2, context_id, COMMAND | LAST) + command
    if data is None:
        return lead
    return b"".join((lead, _PREFIX.pack(4, 0, length + 6, length + 2, context_id, LAST), data))


class _Commands:
    """Encodes command sets, and remembers the last one: all matches of a query have the same."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: tuple[dict[int, Value], bytes] = ({}, b"")

    def encode(self, command: dict[int, Value]) -> bytes:
        last, data = self._last  # one reference, so that threads cannot come between command and bytes
        if not last or command != last:
            data = encode_command(command)
            self._last = dict(command), data
        return data


_commands = _Commands()


def fragment_in_place(message: Message, maximum_length: int, size_hint: int = PREFERRED_LENGTH) -> Iterator[Buffer]:
    """As `fragment`, but a data set in a file stays there: its fragments are `FilePart`s, if they are worth that.

    Raises:
        FileError: the file cannot be read; while the first buffer is taken.
    """
    data = message.data
    room = fragment_room(maximum_length, size_hint)
    if not isinstance(data, FileSlice) or room < JOIN_FRAGMENT or data.length <= room or not data.has_path:
        return fragment(message, maximum_length, size_hint)
    command = _commands.encode(message.command)
    return _pdus_in_place(_command_pdus(message.context_id, command, room), message.context_id, data, room)


def _pdus_in_place(lead: bytes, context_id: int, data: FileSlice, room: int) -> Iterator[Buffer]:
    end = data.offset + data.length
    file = OpenFile(data.name, end, data.identity)
    prefix = _prefix(room, context_id, DATA)
    for start in range(data.offset, end, room):
        if end - start <= room:
            prefix = _prefix(end - start, context_id, DATA | LAST)
        yield lead + prefix
        yield cast(Buffer, FilePart(file, start, min(room, end - start)))
        lead = b""


def fragment_encoded(
    context_id: int, command: Buffer, data: DataSource | None, maximum_length: int, size_hint: int = PREFERRED_LENGTH
) -> Iterator[Buffer]:
    """The same for a command set that is encoded already, rightly or wrongly."""
    room = fragment_room(maximum_length, size_hint)
    lead = _command_pdus(context_id, command, room)
    if data is None:
        return iter((lead,))
    length = source_length(data)
    if length > room:
        return _pdus(lead, context_id, data, length, room)
    lead += _prefix(length, context_id, LAST)
    if length <= JOIN_DATA:
        return iter((lead + source_bytes(data),))
    if isinstance(data, FileSlice):
        return _after_reading(lead, data)
    return _after(lead, (data,) if isinstance(data, Buffer) else data)


def fragment_room(maximum_length: int, size_hint: int = PREFERRED_LENGTH) -> int:
    """Bytes of the longest fragment, always even.

    Raises:
        AssociationError: not even two bytes fit.
    """
    preferred = max(size_hint, PDV_OVERHEAD + 2)
    room = min(maximum_length or preferred, preferred) - PDV_OVERHEAD & ~1
    if room <= 0:
        raise AssociationError(f"the peer's maximum length of {maximum_length} leaves no room for a fragment")
    return room


def _prefix(length: int, context_id: int, control: int) -> bytes:
    """PDU and PDV header for a fragment of that length."""
    return _PREFIX.pack(PduType.P_DATA_TF, 0, length + PDV_OVERHEAD, length + 2, context_id, control)


def _command_pdus(context_id: int, command: Buffer, room: int) -> bytes:
    """All PDUs of a command set, joined: it is small."""
    if len(command) <= room:
        return _prefix(len(command), context_id, COMMAND | LAST) + command
    parts: list[Buffer] = []
    for start in range(0, len(command), room):
        part = command[start : start + room]
        parts += (_prefix(len(part), context_id, COMMAND | (LAST if start + room >= len(command) else 0)), part)
    return b"".join(parts)


def _after(lead: bytes, rest: Iterable[Buffer]) -> Iterator[Buffer]:
    yield lead
    yield from rest


def _after_reading(lead: bytes, data: FileSlice) -> Iterator[Buffer]:
    """A file that cannot be read must not leave a header behind that announces it."""
    block = source_bytes(data)
    yield lead
    yield block


def _pdus(lead: bytes, context_id: int, data: DataSource, length: int, room: int) -> Iterator[Buffer]:
    """The PDUs of a data set that needs several, each a prefix and the views of the data that it covers."""
    pieces: list[Buffer] = [lead]
    if isinstance(data, Sequence) and not isinstance(data, Buffer):
        if room >= JOIN_FRAGMENT:
            yield lead
            yield from _pdus_of_sequence(context_id, data, length, room)
            return
        data = source_bytes(data)
    whole = _prefix(room, context_id, DATA)
    last_start = (length - 1) // room * room
    last = _prefix(length - last_start, context_id, DATA | LAST)
    position = 0
    size = data.read_size if isinstance(data, FileSlice) else BLOCK
    for view in _blocks(data, max(size // room, 1) * room):
        for start in range(0, len(view), room):
            pieces.append(whole if position + start < last_start else last)
            pieces.append(view[start : start + room])
        position += len(view)
        if room < JOIN_FRAGMENT:
            yield b"".join(pieces)
        else:
            yield from pieces
        pieces = []


def _blocks(data: Buffer | FileSlice, size: int) -> Iterator[memoryview]:
    """Views of at most `size` bytes, all of them that long except the last."""
    if isinstance(data, FileSlice):
        for block in data.blocks(size):
            yield memoryview(block)
        return
    view = memoryview(data).cast("B")
    for start in range(0, len(view), size):
        yield view[start : start + size]


def _pdus_of_sequence(context_id: int, buffers: Sequence[Buffer], length: int, room: int) -> Iterator[Buffer]:
    """The same for several buffers, whose borders fall anywhere; nothing is copied."""
    left = length
    missing = 0
    for buffer in buffers:
        view = memoryview(buffer).cast("B")
        while view:
            if not missing:
                missing = min(room, left)
                left -= missing
                yield _prefix(missing, context_id, DATA if left else DATA | LAST)
            piece = view[:missing]
            yield piece
            view = view[len(piece) :]
            missing -= len(piece)
