"""A report in a file: it is whole or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from dicomsim.errors import FileError


def write_whole(text: str, path: Path) -> None:
    """Write it, or leave what was there before; a link stays one, and a pipe or a device is written to.

    Raises:
        FileError: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.is_symlink():  # one that leads to itself
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if os.path.exists(target) and not os.path.isfile(target):
            target.write_text(text, "utf-8", "backslashreplace")
        else:
            _replace(target, text)
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {error.strerror}") from error


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(text, "utf-8", "backslashreplace")
        os.replace(part, path)
    except OSError:
        if os.path.exists(part):
            part.unlink()
        raise
