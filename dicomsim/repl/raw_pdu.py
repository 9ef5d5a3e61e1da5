"""Bytes to send past the state machine: from digits, from a file, or a PDU or message by name with fields written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from dicomsim.behaviour.edits import Change, FieldValue, change, field_of, find, make_field, read_field, read_path
from dicomsim.behaviour.fields import GROUP, LITTLE, NUMBER, TEXT, Span, spans
from dicomsim.behaviour.kinds import make_element, read_element
from dicomsim.behaviour.payload import PAYLOAD, PREFIXES
from dicomsim.behaviour.values import RuleError
from dicomsim.errors import FileError
from dicomsim.wire.command import TAGS

LARGEST_FILE = 64 << 20
"""Bytes of a file that is sent as it stands: it is held in memory."""
FILE = "file"
"""Before the path of a file with bytes to send."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a payload may depend on; a `behaviour.payload.Source`."""

    calling: str = "DICOMSIM"
    """Calling AE title of the association."""
    called: str = "ANY-SCP"
    """Called AE title of the association."""
    random: Random = field(default_factory=lambda: Random(0))
    """For `random:100`; the same bytes in every session."""


def raw_bytes(
    words: Sequence[str], fields: Mapping[str, str], about: Circumstances, *, keep_lengths: bool = False
) -> bytes:
    """The bytes that some words mean: `hex 04 00`, `A-ABORT 2/1`, `C-ECHO-RQ`, `file x.bin`, with fields written.

    `keep_lengths` leaves the length fields as they were before the fields were written. Raises `ValueError` and
    `FileError`.
    """
    data = _file(" ".join(words[1:])) if words[0] == FILE else _payload(words, about)
    return _written(data, fields, about, keep_lengths) if fields else data


def _file(path: str) -> bytes:
    if not path:
        raise ValueError("file needs a path: send file PATH")
    try:
        with Path(path).expanduser().open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise FileError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    if len(data) > LARGEST_FILE:
        raise FileError(f"{path}: larger than {LARGEST_FILE >> 20} MB, the most that is sent as raw bytes")
    return data


def _payload(words: Sequence[str], about: Circumstances) -> bytes:
    prefix = words[0]
    text = f"{prefix}:{' '.join(words[1:])}" if prefix in PREFIXES else " ".join(words)
    try:
        return PAYLOAD.make(PAYLOAD.read(text))(about)  # type: ignore[no-any-return]  # a kind may read anything
    except RuleError as error:
        raise ValueError(error.reason) from None


def _written(data: bytes, fields: Mapping[str, str], about: Circumstances, keep_lengths: bool) -> bytes:
    root = spans(data)
    changes = []
    for path, text in fields.items():
        try:
            chains = find(root, read_path(path))
            value = _value(path, text)
        except RuleError as error:
            raise ValueError(f"{path}: {error.reason}") from None
        if not chains:
            raise ValueError(f"it has no field {path}; it has {', '.join(field_names(data))}")
        for chain in map(field_of, chains):
            payload = value.payload(about) if value.payload is not None else None
            span = chain[-1]
            changes.append(Change(chain, span.start, span.end, _even(value.encode(span, payload), chain)))
    return change(data, changes, not keep_lengths)


def _even(data: bytes, chain: tuple[Span, ...]) -> bytes:
    """Values of command elements have an even length, PS3.5 §6.2."""
    in_command = any(span.name == "command" for span in chain)
    return data + b"\0" * (len(data) % 2) if in_command else data


def _value(path: str, text: str) -> FieldValue:
    keyword = path.rpartition(".")[2]
    if keyword not in TAGS:
        return make_field(path, read_field(path, text))
    value = make_element(keyword, read_element(keyword, text))
    if isinstance(value, bytes):
        return FieldValue(None, text, lambda source: value)
    return FieldValue(value, text) if isinstance(value, int) else FieldValue(None, str(value))


def field_names(data: bytes) -> dict[str, str]:
    """The fields of a PDU that are usually written, by their shortest path, with the values that they have."""
    names: dict[str, str] = {}
    for span in _inside(spans(data)):
        if span.name and not span.name.startswith(_SELDOM) and find(spans(data), span.name):
            value = field_of((span,))[-1]
            if value.kind is not GROUP:
                names.setdefault(span.name, _shown(data, value))
    return names


_SELDOM = ("reserved", "type", "length", "pdv", "data", "tag", "value")
"""Beginnings of names that are no help in a list: they can be written all the same."""


def _inside(span: Span) -> Iterator[Span]:
    for part in span.parts:
        yield part
        yield from _inside(part)


def _shown(data: bytes, span: Span) -> str:
    value = data[span.start : span.end]
    if span.kind in (NUMBER, LITTLE):
        return str(int.from_bytes(value, "little" if span.kind is LITTLE else "big"))
    return value.decode("ascii", "replace").strip(" \0") if span.kind is TEXT else value[:8].hex()
