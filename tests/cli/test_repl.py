from __future__ import annotations

from tests.cli.conftest import Call


def test_commands_run_without_a_prompt(call: Call, address: str) -> None:
    called = call("repl", address, "--calling", "ME", "-c", "echo; release", "-c", "history")
    assert (0, "") == (called.exit_code, called.err)
    assert "C-ECHO: 0x0000 Success" in called.out
    assert called.out.count("released by requestor") == 2


def test_the_exit_code_is_that_of_the_command_that_failed(call: Call) -> None:
    called = call("repl", "-c", "echo")
    assert (4, "") == (called.exit_code, called.out)
    assert "dicomsim: echo: no association is open: open [AET@]HOST:PORT makes one\n" == called.err


def test_the_help_says_what_it_takes(call: Call) -> None:
    called = call("repl", "--help")
    assert 0 == called.exit_code
    assert "[[AET@]HOST:PORT]" in called.out
