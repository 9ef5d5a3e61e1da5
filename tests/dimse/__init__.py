"""Tests of dicomsim.dimse, and the vectors that several of them share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dicomsim.dimse.assembler import Assembler
from dicomsim.dimse.messages import Message
from dicomsim.wire.command import Value
from dicomsim.wire.framer import P_DATA_END, PDV, Framer
from tests.oracle import document

MESSAGES = {row["id"]: row for row in document("vectors/messages")["messages"]}


def command_of(row: dict[str, object]) -> dict[int, Value]:
    """The decoded command set of a vector, without its group length."""
    elements = row["command"]
    assert isinstance(elements, dict)
    return {
        int(tag, 16): tuple(int(one, 16) for one in value) if isinstance(value, list) else value
        for tag, value in elements.items()
        if int(tag, 16)
    }


def without_group_length(message: Message) -> Message:
    """The message as it was built, before encoding gave it its (0000,0000)."""
    return Message(message.context_id, {tag: value for tag, value in message.command.items() if tag}, message.data)


def feed(assembler: Assembler, data: bytes, step: int = 0) -> None:
    """Put P-DATA-TF PDUs through a framer into an assembler, whole or `step` bytes at a time."""
    framer = Framer()
    for start in range(0, len(data), step or len(data)):
        for piece in framer.receive(data[start : start + (step or len(data))]):
            if piece[0] == PDV:
                assembler.pdv(*piece[1:])
            elif piece[0] == P_DATA_END:
                assembler.end_of_pdu()


def pdus_of(buffers: Iterable[bytes | bytearray | memoryview]) -> Iterator[bytes]:
    """The PDUs that a stream of buffers holds."""
    stream = b"".join(buffers)
    start = 0
    while start < len(stream):
        end = start + 6 + int.from_bytes(stream[start + 2 : start + 6])
        assert end <= len(stream)
        yield stream[start:end]
        start = end
