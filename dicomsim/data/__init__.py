"""The registry of UIDs and the status codes as tables: one row a line, fields parted by tabs, `#` before the headings.

Facts of DICOM 2024c (PS3.4, PS3.6 Annex A, PS3.7 Annex C) and UIDs registered since. They are read when first asked
for, so that importing the modules on top of them (`sop_class`, `transfer_syntax`, `status`) costs next to nothing.
"""

from __future__ import annotations

import os


def rows(table: str) -> list[list[str]]:
    """The rows of a table in file order, each with as many fields as the heading has."""
    with open(os.path.join(os.path.dirname(__file__), table + ".tsv"), encoding="utf-8") as file:
        return [line.split("\t") for line in file.read().splitlines() if not line.startswith("#")]


def items(field: str) -> tuple[str, ...]:
    """A field that holds a list."""
    return tuple(field.split(",")) if field else ()
