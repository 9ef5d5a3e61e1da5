"""Where the shipped scenarios and captures are: beside the package in a checkout, inside it once installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "_share"


def _share() -> Path:
    # A wheel carries both folders in `_share`; a checkout (and an editable install of it) has them beside the package.
    return _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent


def scenarios() -> Path:
    """The folder of the shipped scenarios; their ids are paths in it, without the suffix."""
    return _share() / "scenarios"


def captures() -> Path:
    """The folder of the shipped captures; its README.md says where each comes from."""
    return _share() / "captures"
