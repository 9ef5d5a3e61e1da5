"""Numbers for people: sizes in bytes, and how many of something there are."""

from __future__ import annotations

UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def quantity(size: float) -> str:
    """A number of bytes in a unit of thousands of them, with three or four digits."""
    index = 0
    while size >= 999.95 and index < len(UNITS) - 1:
        size /= 1000
        index += 1
    if not index:
        return "1 byte" if round(size) == 1 else f"{size:.0f} bytes"
    return f"{size:.1f} {UNITS[index]}"


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
