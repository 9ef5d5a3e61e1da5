"""Commands: functions whose signatures say what they take.

A command's function has the workbench as its first parameter; every other one is annotated with its `Form` and a line
of help, `Annotated[int, COUNT, "how many"]`. Its kind follows from Python's: a plain parameter is given by place (or by
name), `*name` takes all that follow, one behind the star is given as `name=value`, and `**name` takes any other key.
The docstring's first sentence is the summary. Binding, usage lines and help are all derived from that.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from dicomsim.behaviour.values import suggest
from dicomsim.errors import DicomsimError, ExitCode
from dicomsim.repl.form import Form
from dicomsim.repl.line import Part, Word

Function = TypeVar("Function", bound=Callable[..., None])

IGNORE = "-"
"""Before a command: go on with the next ones even if it fails."""


class CommandError(DicomsimError):
    """What was typed is no command, or not one that can be carried out as it stands."""

    exit_code = ExitCode.USAGE


class Place(Enum):
    """How a parameter is given."""

    POSITION = inspect.Parameter.POSITIONAL_OR_KEYWORD
    """By its place, or as `name=value`."""
    MANY = inspect.Parameter.VAR_POSITIONAL
    """All that have no name and no place of their own."""
    NAME = inspect.Parameter.KEYWORD_ONLY
    """As `name=value`."""
    KEYS = inspect.Parameter.VAR_KEYWORD
    """As `key=value` with any key."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a command."""

    name: str
    """As in the signature."""
    form: Form
    """How it is written."""
    place: Place
    """How it is given."""
    required: bool
    """Whether there is no default."""
    help: str
    """What it says, in one line."""

    @property
    def usage(self) -> str:
        """`COUNT`, `[calling=AET]`."""
        match self.place:
            case Place.MANY:
                return f"[{self.form.name}...]"
            case Place.KEYS:
                return f"[{self.form.name}=VALUE...]"
            case Place.NAME:
                return f"[{self.name}={self.form.name}]"
        return self.form.name if self.required else f"[{self.form.name}]"

    def read(self, text: str) -> Any:
        """The value of an argument; raises `CommandError`."""
        try:
            return self.form.read(text)
        except (ValueError, DicomsimError) as error:
            given = self.place in (Place.NAME, Place.KEYS)
            raise CommandError(f"{self.name}: {error}" if given else str(error)) from None


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    name: str
    """One word, or two for one of a group: `rule on`."""
    function: Callable[..., None]
    """What it does; takes the workbench and the arguments."""
    parameters: tuple[Parameter, ...]
    """In the order of the signature."""
    summary: str
    """The docstring's first sentence."""
    details: str
    """The rest of the docstring."""
    aliases: tuple[str, ...] = ()
    """Other names."""
    calls: bool = False
    """Whether it waits for the peer of the association, which is aborted when it is interrupted."""

    @property
    def usage(self) -> str:
        """The name and all parameters."""
        return " ".join((self.name, *(parameter.usage for parameter in self.parameters)))

    def parameter(self, key: str) -> Parameter | None:
        """The parameter that `key=value` gives, if there is one of that name."""
        name = key.replace("-", "_")
        return next(
            (one for one in self.parameters if one.name == name and one.place in (Place.POSITION, Place.NAME)), None
        )

    @property
    def keys(self) -> Parameter | None:
        """The parameter that takes any key."""
        return next((one for one in self.parameters if one.place is Place.KEYS), None)

    def by_place(self, given: int, named: Sequence[str] = ()) -> Parameter | None:
        """What the next argument without a name is for, after so many of them; None if it is one too many."""
        for one in self.parameters:
            if one.place is Place.MANY:
                return one
            if one.place is Place.POSITION and one.name not in named:
                if not given:
                    return one
                given -= 1
        return None


def command_of(function: Callable[..., None], name: str, aliases: tuple[str, ...] = (), calls: bool = False) -> Command:
    """Make a command of a function, from its signature and its docstring."""
    hints = get_type_hints(function, include_extras=True)
    parameters = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        hint = hints[parameter.name]
        assert get_origin(hint) is Annotated, f"{name}: {parameter.name} has no form"
        _, form, says = get_args(hint)
        required = parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        parameters.append(Parameter(parameter.name, form, Place(parameter.kind), required, says))
    summary, _, details = (inspect.getdoc(function) or "").partition("\n")
    return Command(name, function, tuple(parameters), summary, details.strip(), aliases, calls)


class Registry:
    """All commands, by name; groups are commands of two words with the same first one."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}
        self._names: dict[str, Command] = {}

    def command(self, name: str, *aliases: str, calls: bool = False) -> Callable[[Function], Function]:
        """Register the function below; an alias may be the bare name of its group."""

        def register(function: Function) -> Function:
            added = command_of(function, name, aliases, calls)
            self._commands[name] = added
            for each in (name, *aliases):
                assert each not in self._names, f"{each} is a command already"
                self._names[each] = added
            return function

        return register

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def get(self, name: str) -> Command | None:
        """The command of that name or alias."""
        return self._names.get(name)

    def members(self, group: str) -> dict[str, Command]:
        """The commands of a group by their second word; empty if it is no group."""
        return {name.partition(" ")[2]: found for name, found in self._names.items() if name.startswith(f"{group} ")}

    def group(self, word: str) -> list[Command]:
        """The commands that begin with that word, if there is one of two words among them; else none."""
        members = self.members(word)
        return [one for one in self if one.name == word or one in members.values()] if members else []

    def first_words(self) -> dict[str, str]:
        """What a line may begin with, each with its help."""
        words: dict[str, str] = {}
        for found in self:
            first = found.name.partition(" ")[0]
            own = self._commands.get(first)
            words[first] = own.summary if own is not None else ", ".join(self.members(first))
        return words

    def find(self, words: Sequence[str]) -> tuple[Command, int] | None:
        """The command that some words begin with, and how many of them are its name; None if there is none."""
        for length in (2, 1):
            found = self._names.get(" ".join(words[:length])) if len(words) >= length else None
            if found is not None:
                return found, length
        return None

    def require(self, words: Sequence[str]) -> tuple[Command, int]:
        """As `find`; raises `CommandError` that says what may have been meant."""
        members = self.members(words[0])
        found = self.find(words)
        if found is not None and not (members and found[1] == 1 and len(words) > 1 and not found[0].parameters):
            return found
        if members:
            if len(words) == 1:
                raise CommandError(f"{words[0]} needs one of {', '.join(members)}")
            raise CommandError(f"{words[0]} has no {words[1]!r}{suggest(words[1], members)}: {', '.join(members)}")
        known = self.first_words()
        hint = suggest(words[0], known) or "; help lists all"
        raise CommandError(f"there is no command {words[0]!r}{hint}")


def bind(command: Command, part: Part, line: str, skip: int) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a call, from the words behind the first `skip` ones; raises `CommandError`."""
    words = part.words[skip:]
    for word in words:
        if word.open_quote:
            raise CommandError(f"the quote {word.open_quote} at column {word.start + 1} is not closed")
    if command.parameters and command.parameters[0].form.rest:
        whole = command.parameters[0]
        text = part.rest(line, skip)
        if not text and whole.required:
            raise CommandError(f"{command.name} needs {whole.form.name}: {command.usage}")
        return ([whole.read(text)] if text else []), {}
    values: dict[str, Any] = {}
    many: list[Any] = []
    given = 0
    named = [found.name for word in words if word.key and (found := command.parameter(word.key))]
    for word in words:
        parameter = _parameter_for(command, word, given, named)
        by_name = bool(word.key) and (parameter.place is Place.KEYS or command.parameter(word.key) is parameter)
        value = parameter.read(word.value if by_name else word.text)
        if parameter.place is Place.MANY:
            many.append(value)
            continue
        name = word.key if parameter.place is Place.KEYS else parameter.name
        if name in values:
            raise CommandError(f"{name} is given twice")
        values[name] = value
        given += not by_name
    missing = [one for one in command.parameters if one.required and one.name not in values]
    if missing:
        raise CommandError(f"{command.name} needs {missing[0].form.name}: {command.usage}")
    return _arguments(command, values, many)


def _parameter_for(command: Command, word: Word, given: int, named: Sequence[str]) -> Parameter:
    """Which parameter a word is for."""
    if word.key:
        parameter = command.parameter(word.key) or command.keys
        if parameter is not None:
            return parameter
        names = [one.name for one in command.parameters if one.place is Place.NAME]
        if hint := suggest(word.key, names):
            raise CommandError(f"{command.name} has no {word.key}={hint}")
    parameter = command.by_place(given, named)
    if parameter is None:
        raise CommandError(f"{word.text!r} is too much: {command.usage}")
    return parameter


def _arguments(command: Command, values: dict[str, Any], many: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """By place as far as all are there, since those of `*name` come behind; the others by name."""
    places: list[Any] = []
    for one in command.parameters:
        if one.place is not Place.POSITION or (one.name not in values and not many):
            break
        if one.name not in values:
            raise CommandError(f"{command.name} needs {one.form.name}: {command.usage}")
        places.append(values.pop(one.name))
    return [*places, *many], values
