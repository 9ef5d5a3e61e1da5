from __future__ import annotations

import threading

import pytest

from dicomsim.behaviour import ACTIONS, TRIGGERS
from dicomsim.repl.commands.prompt import Quit
from dicomsim.server import Server
from tests.repl.conftest import LIMIT, Desk, press_ctrl_c


def test_help_lists_every_command_with_its_summary(desk: Desk) -> None:
    shown = desk.type("help")
    assert [command.name for command in desk.interpreter.registry] == [
        line.partition("  ")[0] for line in shown if line and not line.startswith("help COMMAND")
    ]


def test_help_says_how_a_command_is_used(desk: Desk) -> None:
    shown = desk.type("help abort")
    assert "abort [0-255] [0-255]" == shown[0]
    assert "    Abort the association." == shown[1]


def test_help_knows_groups_aliases_and_names_of_two_words(desk: Desk) -> None:
    assert ["serve start [PORT] [AET] [output=DIR] [host=HOST]", "serve stop", "serve status"] == [
        line for line in desk.type("help serve") if not line.startswith(" ")
    ]
    assert "quit" == desk.type("help exit")[0]
    assert "record stop" == desk.type("help record stop")[0]


def test_every_parameter_has_its_help(desk: Desk) -> None:
    for command in desk.interpreter.registry:
        shown = desk.type(f"help {command.name}")
        for parameter in command.parameters:
            assert parameter.help
            assert any(line.endswith(f"  {parameter.help}") for line in shown), command.name


def test_help_about_rules_has_their_words(desk: Desk) -> None:
    words = {line.split()[0] for line in desk.type("help rule") if line.strip()}
    assert set(TRIGGERS) | set(ACTIONS) <= words


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("help ehco", "error: there is no command 'ehco', did you mean echo?"),
        ("help rule onn", "error: rule has no 'onn', did you mean on?: on, off, list, clear"),
        ("help echo 1", "error: echo 1 is no command; help lists all"),
    ],
)
def test_help_about_nothing_is_one_line(desk: Desk, line: str, expected: str) -> None:
    assert (2, expected) == desk.fail(line)


def test_waiting_ends_with_the_association(desk: Desk, peer: str, acceptor: Server) -> None:
    desk.type(f"open {peer}")
    threading.Thread(target=acceptor.shutdown).start()
    desk.type(f"wait end {LIMIT}")
    assert "aborted by acceptor in Sta6" in desk.lines.await_line("aborted")


def test_an_association_that_is_over_is_not_waited_for(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}; release")
    assert [] == desk.type("wait end")


def test_an_association_that_does_not_end_in_time_is_a_failure(desk: Desk, peer: str) -> None:
    assert (4, "error: wait end: no association is open: open [AET@]HOST:PORT makes one") == desk.fail("wait end 0")
    desk.type(f"open {peer}")
    assert (5, "error: wait end: the association is still open after 0 s") == desk.fail("wait end 0")


def test_waiting_ends_with_the_time(desk: Desk) -> None:
    assert [] == desk.type("wait 0")


def test_ctrl_c_ends_waiting_and_leaves_the_association_alone(
    desk: Desk, peer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def await_end(_: float | None) -> bool:
        press_ctrl_c()
        return threading.Event().wait(LIMIT)

    monkeypatch.setattr(desk.bench, "await_end", await_end)
    desk.type(f"open {peer}")
    assert (130, ["interrupted"]) == desk.run("wait end")
    assert desk.bench.open_association is not None


@pytest.mark.parametrize("word", ["quit", "exit"])
def test_quit_leaves(desk: Desk, word: str) -> None:
    with pytest.raises(Quit):
        desk.interpreter.run(word)
