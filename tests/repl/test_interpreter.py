from __future__ import annotations

from collections.abc import Callable

import pytest

from dicomsim.repl.commands.prompt import Quit
from tests.repl.conftest import Desk


def test_commands_of_a_line_run_in_order(desk: Desk) -> None:
    assert ["tracing message", "tracing nothing"] == desk.type("trace on message; trace off")
    assert 2 == desk.interpreter.count


def test_a_line_ends_with_the_first_command_that_fails(desk: Desk) -> None:
    code, shown = desk.run("trace off; echo; trace off")
    assert 4 == code
    assert ["tracing nothing", "error: echo: no association is open: open [AET@]HOST:PORT makes one"] == shown


def test_a_command_with_a_dash_may_fail(desk: Desk) -> None:
    code, shown = desk.run("-echo; -nonsense; trace off")
    assert 0 == code
    assert 3 == len(shown)


@pytest.mark.parametrize("line", ["", "  ;; ", "# a comment"])
def test_nothing_is_nothing(desk: Desk, line: str) -> None:
    assert (0, []) == desk.run(line)
    assert 0 == desk.interpreter.count


def test_errors_say_where_the_line_comes_from(desk: Desk) -> None:
    desk.interpreter.run("nonsense", "line 3: ")
    assert ["error: line 3: there is no command 'nonsense'; help lists all"] == desk.lines.texts


def test_quit_passes_through(desk: Desk) -> None:
    with pytest.raises(Quit):
        desk.interpreter.run("quit; echo")


def test_ctrl_c_ends_the_line_even_if_the_command_may_fail(desk: Desk, peer: str, silent: Callable[..., None]) -> None:
    silent()
    desk.type(f"open {peer}")
    assert 130 == desk.interpreter.run("-echo; nonsense")


def test_a_second_ctrl_c_is_one_too_many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(desk.bench, "require_association", interrupted)
    monkeypatch.setattr(desk.bench, "interrupt", interrupted)
    assert (130, ["interrupted"]) == desk.run("echo")


def test_who_loses_patience_is_told_how_to_end_it(desk: Desk, peer: str, silent: Callable[..., None]) -> None:
    desk.bench.patience = 0
    silent(before=lambda: desk.lines.await_line("goes on"))
    desk.type(f"open {peer}")
    assert 130 == desk.run("echo")[0]
    assert "echo goes on; Ctrl-C aborts the association" in desk.lines.texts
