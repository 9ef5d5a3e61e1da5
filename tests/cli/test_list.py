"""`dicomsim list`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dicomsim.cli import main
from tests.scenario.doubles import HEAD, write_scenario

GOOD = HEAD.format(role="requestor") + "steps: [connect]\n"


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["list", *arguments])
    output = capsys.readouterr()
    return int(end.value.code or 0), output.out, output.err


def test_each_scenario_has_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_scenario(tmp_path, "ps3.8/9.2/one", GOOD)
    write_scenario(tmp_path, "field/another", GOOD.replace("shall", "practice"))
    code, output, errors = listed(capsys, str(tmp_path))
    assert (0, "") == (code, errors)
    assert [
        "field/another  practice  requestor  A peer does what it should.",
        "ps3.8/9.2/one  shall     requestor  A peer does what it should.",
    ] == output.splitlines()


def test_json_has_the_same_and_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_scenario(tmp_path, "ps3.8/9.2/one", GOOD.replace("steps:", "tags: [tcp]\nsteps:"))
    _, output, _ = listed(capsys, str(tmp_path), "--json")
    assert [
        {
            "id": "ps3.8/9.2/one",
            "requirement": "A peer does what it should.",
            "clause": "PS3.8 §9.2",
            "level": "shall",
            "role": "requestor",
            "tags": ["tcp"],
        }
    ] == json.loads(output)


def test_a_file_with_mistakes_is_said_and_the_others_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scenario(tmp_path, "field/good", GOOD)
    bad = write_scenario(tmp_path, "field/bad", GOOD.replace("[connect]", "[conect]"))
    code, output, errors = listed(capsys, str(tmp_path))
    assert (3, "field/good", f"{bad}:6:9: conect is no step, did you mean connect?\n") == (
        code, output.split()[0], errors,
    )  # fmt: skip


def test_a_name_that_is_nowhere_is_a_mistake_of_use(capsys: pytest.CaptureFixture[str]) -> None:
    code, output, errors = listed(capsys, "no-such-thing")
    assert (2, "", True) == (code, output, errors.startswith("dicomsim: no-such-thing: neither a file or folder"))


def test_the_schema_is_printed_for_editors(capsys: pytest.CaptureFixture[str]) -> None:
    code, output, _ = listed(capsys, "--schema")
    assert (0, "dicomsim scenario") == (code, json.loads(output)["title"])
