"""How two data sets differ, tag by tag, whatever they are encoded in."""

from __future__ import annotations

from collections.abc import Container, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomsim.wire.command import tag_name
from dicomsim.wire.render import hexadecimal, printable

if TYPE_CHECKING:
    from dicomsim.datasets import Dataset

ABSENT = "absent"
IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
_UNREADABLE = Exception  # pydicom raises whatever goes wrong inside it on foreign bytes, also when a value is looked at
MAX_DIFFERENCES = 100
"""Differences told of one pair of data sets."""


class EncodedDataset(NamedTuple):
    """A data set as it was on the wire."""

    data: bytes
    """Its bytes."""
    transfer_syntax: str | None
    """How they are encoded; None if that is not known."""


def differences(captured: EncodedDataset, live: EncodedDataset) -> Iterator[tuple[str, str, str]]:
    """Yield path, captured and live value of every difference.

    Group lengths, padding and the difference between explicit and implicit VR do not count. Data sets that cannot be
    read are compared by their bytes.
    """
    if captured == live:
        return
    try:
        found = list(islice(_compare(_decode(captured), _decode(live), ""), MAX_DIFFERENCES))
    except _UNREADABLE:
        found = [("data set", _bytes_text(captured.data), _bytes_text(live.data))] if captured.data != live.data else []
    yield from found


def fingerprint(dataset: EncodedDataset, keys: Container[int]) -> tuple[str, ...]:
    """The values of the tags in `keys`, for telling matches of a query apart."""
    try:
        decoded = _decode(dataset)
        tags = sorted(int(tag) for tag in decoded.keys())  # noqa: SIM118  # iterating gives elements
        return tuple(f"{tag_name(tag)} {_text(decoded, tag)}" for tag in tags if tag in keys)
    except _UNREADABLE:
        return (dataset.data.hex(),)


def keys_of(dataset: EncodedDataset) -> frozenset[int]:
    """The tags that a C-FIND identifier asks for; none if it cannot be read."""
    try:
        return frozenset(int(tag) for tag in _decode(dataset).keys())  # noqa: SIM118  # iterating gives elements
    except _UNREADABLE:
        return frozenset()


def _decode(dataset: EncodedDataset) -> Dataset:
    from dicomsim.datasets import decode  # pydicom takes long to import

    return decode(dataset.data, dataset.transfer_syntax or IMPLICIT_VR_LITTLE_ENDIAN)


def _compare(captured: Dataset, live: Dataset, path: str) -> Iterator[tuple[str, str, str]]:
    tags = sorted({*map(int, captured.keys()), *map(int, live.keys())})
    for tag in tags:
        if tag & 0xFFFF == 0:
            continue
        name = f"{path}{tag_name(tag)}"
        if tag in captured and tag in live:
            yield from _compare_values(_value(captured, tag), _value(live, tag), name)
        else:
            yield name, _text(captured, tag), _text(live, tag)


def _compare_values(captured: Any, live: Any, name: str) -> Iterator[tuple[str, str, str]]:
    if _is_sequence(captured) and _is_sequence(live):
        for number in range(max(len(captured), len(live))):
            item = f"{name}[{number + 1}]"
            if number < len(captured) and number < len(live):
                yield from _compare(captured[number], live[number], f"{item}/")
            else:
                yield item, _presence(captured, number), _presence(live, number)
    elif _plain(captured) != _plain(live):
        yield name, _shown(captured), _shown(live)


def _presence(items: Any, number: int) -> str:
    return "present" if number < len(items) else ABSENT


def _value(dataset: Dataset, tag: int) -> Any:
    return dataset[tag].value


def _is_sequence(value: Any) -> bool:
    return type(value).__name__ == "Sequence"


def _plain(value: Any) -> Any:
    """The value without what is padding, and as text where explicit and implicit VR give different types."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value + b"\0" * (len(value) % 2)
    if isinstance(value, str):
        return str(value).strip(" \0")
    if hasattr(value, "__iter__") and not hasattr(value, "components"):
        members = [_plain(member) for member in value]
        return members[0] if len(members) == 1 else members or ""
    return str(value).strip(" \0")


def _text(dataset: Dataset, tag: int) -> str:
    return _shown(_value(dataset, tag)) if tag in dataset else ABSENT


def _shown(value: Any) -> str:
    if _is_sequence(value):
        return f"{len(value)} items"
    plain = _plain(value)
    return _bytes_text(plain) if isinstance(plain, bytes) else printable(str(plain)) or "(empty)"


def _bytes_text(data: bytes) -> str:
    return f"{len(data)} bytes {hexadecimal(data)}" if len(data) <= 32 else hexadecimal(data)
