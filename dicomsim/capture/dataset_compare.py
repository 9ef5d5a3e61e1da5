"""How two data sets differ, tag by tag, whatever they are encoded in."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomsim.wire.command import tag_name
from dicomsim.wire.render import hexadecimal, printable

if TYPE_CHECKING:
    from dicomsim.datasets import Dataset

ABSENT = "absent"
MAX_DIFFERENCES = 100
"""Differences told of one pair of data sets."""


class EncodedDataset(NamedTuple):
    """A data set as it was on the wire."""

    data: bytes
    """Its bytes."""
    transfer_syntax: str | None
    """How they are encoded; None if that is not known."""


def differences(
    captured: EncodedDataset, live: EncodedDataset, keys: Container[int] | None = None
) -> Iterator[tuple[str, str, str]]:
    """Yield path, captured and live value of every difference; only of the tags in `keys` where that is given.

    Group lengths, padding and the difference between explicit and implicit VR do not count. Data sets that cannot be
    read are compared by their bytes.
    """
    if captured == live:
        return
    from dicomsim.datasets import DatasetError, decode  # pydicom takes long to import

    try:
        pair = [decode(d.data, d.transfer_syntax or "1.2.840.10008.1.2") for d in (captured, live)]
        found = _compare(pair[0], pair[1], "", keys)
        for _, difference in zip(range(MAX_DIFFERENCES), found, strict=False):
            yield difference
    except DatasetError:
        if captured.data != live.data:
            yield "data set", _bytes_text(captured.data), _bytes_text(live.data)


def fingerprint(dataset: EncodedDataset, keys: Container[int]) -> tuple[str, ...]:
    """The values of the tags in `keys`, for telling matches of a query apart."""
    from dicomsim.datasets import DatasetError, decode  # pydicom takes long to import

    try:
        decoded = decode(dataset.data, dataset.transfer_syntax or "1.2.840.10008.1.2")
        return tuple(
            f"{tag_name(int(tag))} {_text(decoded, tag)}" for tag in sorted(decoded.keys()) if int(tag) in keys
        )
    except DatasetError:
        return (dataset.data.hex(),)


def keys_of(dataset: EncodedDataset) -> frozenset[int]:
    """The tags that a C-FIND identifier asks for; none if it cannot be read."""
    from dicomsim.datasets import DatasetError, decode  # pydicom takes long to import

    try:
        decoded = decode(dataset.data, dataset.transfer_syntax or "1.2.840.10008.1.2")
        return frozenset(int(tag) for tag in decoded.keys())  # noqa: SIM118  # iterating gives elements
    except DatasetError:
        return frozenset()


def _compare(
    captured: Dataset, live: Dataset, path: str, keys: Container[int] | None
) -> Iterator[tuple[str, str, str]]:
    tags = sorted({*map(int, captured.keys()), *map(int, live.keys())})
    for tag in tags:
        if tag & 0xFFFF == 0 or (keys is not None and tag not in keys):
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
                yield from _compare(captured[number], live[number], f"{item}/", None)
            else:
                yield item, _presence(captured, number), _presence(live, number)
    elif _plain(captured) != _plain(live):
        yield name, _shown(captured), _shown(live)


def _presence(items: Any, number: int) -> str:
    return "present" if number < len(items) else ABSENT


def _value(dataset: Dataset, tag: int) -> Any:
    from dicomsim.datasets import DatasetError

    try:
        return dataset[tag].value
    except Exception as error:  # pydicom raises whatever goes wrong inside it on foreign bytes
        raise DatasetError(str(error)) from error


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
