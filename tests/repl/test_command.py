from __future__ import annotations

from typing import Annotated, Any

import pytest

from dicomsim.repl.command import CommandError, Place, Registry, bind
from dicomsim.repl.form import Form, number
from dicomsim.repl.line import read_line

NAME = Form("NAME", str)
COUNT = number("COUNT", 1, 9)
REST = Form("RULE", str, rest=True)

Got = tuple[Any, ...]


def call(
    bench: list[Got], count: Annotated[int, COUNT, "how many"], name: Annotated[str, NAME, "who"] = "me",
    *, calling: Annotated[str | None, NAME, "by whom"] = None,
) -> None:  # fmt: skip
    """Call somebody.

    As often as that.
    """
    bench.append((count, name, calling))


def send(
    bench: list[Got], *what: Annotated[str, NAME, "words"], max_pdu: Annotated[int, COUNT, "size"] = 1,
    **fields: Annotated[str, NAME, "any"],
) -> None:  # fmt: skip
    """Send words."""
    bench.append((what, max_pdu, fields))


def store(bench: list[Got], first: Annotated[str, NAME, "one"], *more: Annotated[str, NAME, "further"]) -> None:
    """Store things."""
    bench.append((first, *more))


def open_(bench: list[Got], peer: Annotated[str | None, NAME, "whom"] = None, *more: Annotated[str, NAME, "x"]) -> None:
    """Open things."""
    bench.append((peer, *more))


def rule(bench: list[Got], text: Annotated[str, REST, "a rule"]) -> None:
    """Take a rule."""
    bench.append((text,))


def plain(bench: list[Got]) -> None:
    """Do something."""
    bench.append(())


@pytest.fixture
def registry() -> Registry:
    commands = Registry()
    commands.command("call", calls=True)(call)
    commands.command("send")(send)
    commands.command("store")(store)
    commands.command("open")(open_)
    commands.command("rule on")(rule)
    commands.command("rule list", "rule")(plain)
    commands.command("trace on")(plain)
    commands.command("quit", "exit")(plain)
    return commands


def run(registry: Registry, line: str) -> list[Got]:
    part = read_line(line)[0]
    command, skip = registry.require([word.text for word in part.words])
    arguments, named = bind(command, part, line, skip)
    bench: list[Got] = []
    command.function(bench, *arguments, **named)
    return bench


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("call 3", (3, "me", None)),
        ("call 3 you", (3, "you", None)),
        ("call name=you 3", (3, "you", None)),
        ("call count=3 you calling='the bell'", (3, "you", "the bell")),
        ("call 3 'calling=x'", (3, "calling=x", None)),
        ("call 3 x=y", (3, "x=y", None)),
        ("call you count=4", (4, "you", None)),
        ("send", ((), 1, {})),
        ("send a b max-pdu=2 source=3 user.x=4", (("a", "b"), 2, {"source": "3", "user.x": "4"})),
        ("store a", ("a",)),
        ("store a b c", ("a", "b", "c")),
        ("open", (None,)),
        ("open a b", ("a", "b")),
        ("open peer=a", ("a",)),
        ("rule on on X in: drop", ("on X in: drop",)),
        ("rule on 'on X in: drop; reset'", ("on X in: drop; reset",)),
        ("rule", ()),
        ("rule list", ()),
        ("exit", ()),
    ],
)
def test_arguments_are_bound_by_the_signature(registry: Registry, line: str, expected: Got) -> None:
    assert [expected] == run(registry, line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cal 3", "there is no command 'cal', did you mean call?"),
        ("xyzzy", "there is no command 'xyzzy'; help lists all"),
        ("rule lst", "rule has no 'lst', did you mean list?: on, list"),
        ("rule list x", "'x' is too much: rule list"),
        ("trace", "trace needs one of on"),
        ("call", "call needs COUNT: call COUNT [NAME] [calling=NAME]"),
        ("call x", "'x' is no whole number"),
        ("call 10", "10 is out of range: 1 to 9"),
        ("call 3 a b", "'b' is too much: call COUNT [NAME] [calling=NAME]"),
        ("call 3 caling=x", "call has no caling=, did you mean calling?"),
        ("call 3 calling=a calling=b", "calling is given twice"),
        ("call 3 count=4 name=x", "'3' is too much: call COUNT [NAME] [calling=NAME]"),
        ("call 3 'x", "the quote ' at column 8 is not closed"),
        ("send max_pdu=x", "max_pdu: 'x' is no whole number"),
        ("rule on", "rule on needs RULE: rule on RULE"),
        ("rule on 'on X", "the quote ' at column 9 is not closed"),
        ("store", "store needs NAME: store NAME [NAME...]"),
    ],
)
def test_what_cannot_be_bound_says_why(registry: Registry, line: str, expected: str) -> None:
    with pytest.raises(CommandError) as error:
        run(registry, line)
    assert expected == str(error.value)
    assert 2 == error.value.exit_code


def test_a_command_tells_how_it_is_used(registry: Registry) -> None:
    usages = [command.usage for command in registry]
    assert [
        "call COUNT [NAME] [calling=NAME]",
        "send [NAME...] [max_pdu=COUNT] [NAME=VALUE...]",
        "store NAME [NAME...]",
        "open [NAME] [NAME...]",
        "rule on RULE",
        "rule list",
        "trace on",
        "quit",
    ] == usages


def test_summary_details_and_parameters_come_from_the_function(registry: Registry) -> None:
    command = registry.get("call")
    assert command is not None
    assert ("Call somebody.", "As often as that.", True) == (command.summary, command.details, command.calls)
    expected = [
        ("count", "how many", True, Place.POSITION),
        ("name", "who", False, Place.POSITION),
        ("calling", "by whom", False, Place.NAME),
    ]
    assert expected == [(one.name, one.help, one.required, one.place) for one in command.parameters]


def test_a_line_may_begin_with_a_command_or_a_group(registry: Registry) -> None:
    assert {
        "call": "Call somebody.",
        "send": "Send words.",
        "store": "Store things.",
        "open": "Open things.",
        "rule": "on, list",
        "trace": "on",
        "quit": "Do something.",
    } == registry.first_words()


def test_a_name_is_given_once(registry: Registry) -> None:
    with pytest.raises(AssertionError, match="quit is a command already"):
        registry.command("quit")(plain)


def test_a_parameter_needs_a_form(registry: Registry) -> None:
    def wrong(bench: list[Got], x: int) -> None:
        """No form."""

    with pytest.raises(AssertionError, match="wrong: x has no form"):
        registry.command("wrong")(wrong)
