"""Which files a person means."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dicomsim import resources
from dicomsim.scenario.finding import NoScenarioError, find_scenarios, is_scenario, usual_root
from tests.scenario.doubles import HEAD, write_scenario

GOOD = HEAD.format(role="requestor") + "steps: [connect]\n"


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("a.yaml", f"id: a\n{GOOD}", True),
        ("a.yml", f"id: a\n{GOOD}", True),
        ("a.yaml", f"id: a\n{GOOD}".replace("requirement:", "requirment:").replace("level:", "levl:"), True),
        ("a.txt", f"id: a\n{GOOD}", False),
        ("compose.yaml", "services:\n  id: x\nversion: 3\n", False),
        ("use.yaml", "use: associate\nabout: x\nparameters: {}\nsteps: []\n", False),
        ("empty.yaml", "", False),
    ],
)
def test_a_scenario_is_known_by_its_keys(tmp_path: Path, name: str, text: str, is_one: bool) -> None:
    (tmp_path / name).write_text(text)
    assert is_one is is_scenario(tmp_path / name)


def test_what_is_no_text_is_no_scenario(tmp_path: Path) -> None:
    (tmp_path / "image.yaml").write_bytes(b"\xff\xfe")
    assert [False, False] == [is_scenario(tmp_path / name) for name in ("image.yaml", "absent.yaml")]


def test_a_pipe_is_no_scenario(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert not is_scenario(tmp_path / "pipe.yaml")


@pytest.mark.parametrize("name", ["", "/", "x" * 5000, "x/" * 3000, "a\0b", "\udcff"])
def test_a_name_that_no_file_can_have_is_nobodys(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()
    monkeypatch.setattr(Path, "rglob", lambda self, pattern: iter(()))  # not all of this machine
    with pytest.raises(NoScenarioError):
        find_scenarios([name])


def test_the_beginning_of_an_id_stands_for_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ("ps3.8/9.3.1/a", "ps3.8/9.3.2/b", "ps3.8/9.30/c", "field/slow-line", "field/slowly")
    a, b, _, slow, _ = (write_scenario(tmp_path / "scenarios", name, GOOD).relative_to(tmp_path) for name in names)
    assert [[a, b], [slow]] == [find_scenarios([name]) for name in ("ps3.8/9.3", "field/slow")]
    with pytest.raises(NoScenarioError):
        find_scenarios(["ps3.8/9.3.1/ab"])


def test_folders_files_and_ids_are_found_each_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = [write_scenario(tmp_path / "scenarios", name, GOOD) for name in ("ps3.8/9.2/a", "ps3.8/9.2/b", "field/c")]
    (tmp_path / "scenarios" / "other.yaml").write_text("services: {}\n")
    a, b, c = (path.relative_to(tmp_path) for path in paths)
    assert [[c, a, b], [a, b], [a], [a, c], [a], [b, a]] == [
        find_scenarios(names)
        for names in (
            [],
            ["ps3.8"],
            ["ps3.8/9.2/a"],
            [str(a), "field"],
            ["scenarios/ps3.8/9.2/a.yaml", "ps3.8/9.2/a"],
            [str(b), "ps3.8/9.2"],
        )
    ]


def test_without_a_folder_here_the_shipped_ones_are_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert resources.scenarios() == usual_root()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ps3.8/9.3.2/protocol-versoin-0", "did you mean ps3.8/9.3.2/protocol-version-0?"),
        ("nothing-like-it-at-all-xyz", "`dicomsim list` shows those that are shipped"),
    ],
)
def test_what_is_not_there_is_said_with_what_may_be_meant(name: str, message: str) -> None:
    with pytest.raises(NoScenarioError) as error:
        find_scenarios([name])
    assert (True, 2) == (message in str(error.value), error.value.exit_code)


def test_a_folder_without_scenarios_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(NoScenarioError, match="there is no scenario in it"):
        find_scenarios([str(tmp_path)])
