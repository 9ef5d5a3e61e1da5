"""What was typed in earlier sessions: a file in the user's state folder, and the peers that stand in it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from dicomsim.peer_address import parse_peer
from dicomsim.repl.line import read_line

NAME = "repl-history"


def history_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the history is: `$XDG_STATE_HOME/dicomsim`, by default `~/.local/state/dicomsim`."""
    state = environment.get("XDG_STATE_HOME", "")
    folder = Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state"
    return folder / "dicomsim" / NAME


def make_history_file(path: Path) -> None:
    """Make the file, for the user alone, unless it is there; raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600))


def peers_in(lines: Iterable[str]) -> list[str]:
    """The peers that `open` was given in some lines, in the order of the lines, each once."""
    found: dict[str, None] = {}
    for line in lines:
        for part in read_line(line):
            if len(part.words) > 1 and part.words[0].text == "open":
                try:
                    found.setdefault(str(parse_peer(part.words[1].text)))
                except ValueError:
                    continue
    return list(found)
