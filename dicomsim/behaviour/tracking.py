"""Which message the P-DATA-TF PDUs of one direction belong to, for rules that name a command at the PDU hop."""

from __future__ import annotations

from collections.abc import Mapping

from dicomsim.behaviour.fields import HEADER
from dicomsim.errors import WireError
from dicomsim.wire.codec import PDV_HEADER_LENGTH
from dicomsim.wire.codes import NO_DATA_SET
from dicomsim.wire.command import TAGS, Value, decode_command

COMMAND_LIMIT = 1 << 16
"""Bytes of a command set that are gathered; real ones have a few hundred."""

_NONE: frozenset[str] = frozenset()
_DATA, _LAST_DATA = frozenset(("data",)), frozenset(("data", "last"))
_COMMAND, _LAST_COMMAND = frozenset(("command",)), frozenset(("command", "last"))


class Track:
    """The message under way in one direction; it judges nothing."""

    __slots__ = ("_fragments", "command")

    def __init__(self) -> None:
        self._fragments = bytearray()
        self.command: Mapping[int, Value] | None = None
        """The command set of the message that the latest PDU belongs to, once it is complete."""

    def follow(self, data: bytes) -> frozenset[str]:
        """Take a P-DATA-TF; say what it holds: `command` (its end), `data`, `last` (the message's last fragment)."""
        parts = _NONE
        position, end = HEADER, len(data)
        while position + PDV_HEADER_LENGTH <= end:
            stop = min(position + 4 + int.from_bytes(data[position : position + 4], "big"), end)
            if stop - position >= PDV_HEADER_LENGTH:
                parts |= self._pdv(data, position, stop)
            position = stop
        return parts

    def _pdv(self, data: bytes, start: int, end: int) -> frozenset[str]:
        control = data[start + 5]
        last = control & 2
        if not control & 1:
            return _LAST_DATA if last else _DATA
        if len(self._fragments) < COMMAND_LIMIT:
            self._fragments += data[start + PDV_HEADER_LENGTH : end]
        if not last:
            self.command = None
            return _NONE
        self.command = _decoded(bytes(self._fragments))
        self._fragments.clear()
        return _COMMAND if _has_data_set(self.command) else _LAST_COMMAND


def _decoded(data: bytes) -> Mapping[int, Value]:
    try:
        return decode_command(data)
    except WireError:
        return {}


def _has_data_set(command: Mapping[int, Value]) -> bool:
    return command.get(TAGS["CommandDataSetType"], NO_DATA_SET) != NO_DATA_SET
