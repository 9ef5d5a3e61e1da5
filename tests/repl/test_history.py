from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dicomsim.repl.history import history_path, make_history_file, peers_in


def test_the_history_is_in_the_state_folder(tmp_path: Path) -> None:
    assert tmp_path / "dicomsim" / "repl-history" == history_path({"XDG_STATE_HOME": str(tmp_path)})


@pytest.mark.parametrize("state", ["", "relative/folder"])
def test_without_a_state_folder_that_counts_it_is_in_the_home_folder(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tmp_path / ".local/state/dicomsim/repl-history" == history_path({"XDG_STATE_HOME": state})


def test_the_file_is_made_for_the_user_alone_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "history"
    make_history_file(path)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    path.write_text("kept")
    make_history_file(path)
    assert "kept" == path.read_text()


def test_a_file_that_cannot_be_made_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        make_history_file(tmp_path / "file" / "history")


def test_peers_are_what_open_was_given() -> None:
    lines = ["open A@h:1; echo", "echo", "open h:2 CTImageStorage", "open A@h:1", "open", "open nonsense", "store x"]
    assert ["A@h:1", "ANY-SCP@h:2"] == peers_in(lines)
