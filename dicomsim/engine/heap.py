"""What the C library does with memory that is freed, which it would give back to the system whenever it can.

An image of 0.5 MB needs 130 pages, and each that comes anew from the system costs a virtual machine about 2 us: as much
as everything else that is done with the image.
"""

from __future__ import annotations

from typing import Final

KEPT: Final = 4 << 20
"""Bytes of one object: smaller ones come from memory that stays, of which twice as much may be unused at an end."""


def keep_freed_memory() -> None:
    """Have the C library keep what objects of up to `KEPT` bytes have used, for the next ones.

    glibc goes by the largest object it has been given back, so that it gets one, which is never written to. Others
    do as they like.
    """
    bytes(KEPT)
