"""What the commands take alike: the peer's address, AE titles, timeouts, transfer syntaxes, the example under the help.

Each is a click type or a decorator, so that an option means, and is called, the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dicomsim.engine.timeouts import NAMES as ALL_TIMEOUTS
from dicomsim.engine.timeouts import Timeouts
from dicomsim.peer_address import check_title, parse_peer

if TYPE_CHECKING:
    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType  # no generic class before click 8.4

Command = TypeVar("Command", bound=Callable[..., Any])


class Parsed(ParamType):
    """A click type made of a function that raises `ValueError`."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse text; what is parsed already (a default, say) stays."""
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


PEER = Parsed("[AET@]HOST:PORT", parse_peer)
TITLE = Parsed("AET", check_title)

payload_limit_option = click.option(
    "--payload-limit",
    type=click.IntRange(min=0),
    metavar="BYTES",
    help="Keep no more of each data set fragment in the capture: pixels make it large.",
)
"""For commands with --record."""


def check_payload_limit(limit: int | None, record: object) -> None:
    """Raise `click.UsageError` for a limit without a capture that it would be for."""
    if limit is not None and record is None:
        raise click.UsageError("--payload-limit is for a capture: --record FILE writes one")



LONGEST_TIMEOUT = 1e6
"""Seconds, more than eleven days."""

# -- timeouts ----------------------------------------------------------------------------------------------------------

NAMES = tuple(name for name in ALL_TIMEOUTS if name != "handler")
"""Timeouts that a command can run into: none of them has handlers."""


def parse_seconds(text: str, remark: str = "") -> float:
    """Read a timeout that has no name."""
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number of seconds{', nor none' if remark else ''}") from None
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise ValueError(f"{text!r}: a timeout is more than 0 seconds and at most a million{remark}")
    return seconds


SECONDS = Parsed("S", parse_seconds)


def parse_timeout(text: str) -> dict[str, float | None]:
    """Read `[NAME=]SECONDS`, where `none` is no limit; without a name it is for every timeout."""
    name, equals, value = text.rpartition("=")
    if equals and name not in NAMES:
        raise ValueError(f"no timeout is called {name!r}: there are {', '.join(NAMES)}")
    if value == "none":
        if name == "artim":
            raise ValueError("artim cannot be none: the standard wants it to run out (PS3.8 9.1.5)")
        return {one: None for one in NAMES if one != "artim" and (not equals or one == name)}
    seconds = parse_seconds(value, "; none is no limit")
    return {one: seconds for one in NAMES if not equals or one == name}


def timeout_option(**defaults: float | None) -> Callable[[Command], Command]:
    """`--timeout`, which gives the command `Timeouts`; `defaults` are the command's own, by name."""
    usual = Timeouts(**defaults)  # type: ignore[arg-type]  # artim is never None here
    shown = ", ".join(f"{name} {_shown(getattr(usual, name))}" for name in NAMES)

    def gather(ctx: click.Context, param: click.Parameter, values: tuple[dict[str, float | None], ...]) -> Timeouts:
        chosen = Timeouts(**defaults)  # type: ignore[arg-type]
        for value in values:
            for name, seconds in value.items():
                setattr(chosen, name, seconds)
        return chosen

    return click.option(
        "--timeout",
        "timeouts",
        type=Parsed("[NAME=]S", parse_timeout),
        metavar="[NAME=]S",
        multiple=True,
        callback=gather,
        help=f"Seconds, or none, for the timeout of that name, or for all. By default: {shown}.",
    )


def _shown(seconds: float | None) -> str:
    return "none" if seconds is None else f"{seconds:g}"


# -- transfer syntaxes -------------------------------------------------------------------------------------------------


def parse_transfer_syntax(text: str) -> str:
    """A transfer syntax by its UID or its keyword, in any case; raises `ValueError`, naming what may be meant."""
    from dicomsim.transfer_syntax import names

    if text[:1].isdigit() and text.isascii() and text.isprintable():
        return text
    known = {name.casefold(): syntax for name, syntax in names().items()}
    if text.casefold() in known:
        return known[text.casefold()].uid
    from difflib import get_close_matches

    near = get_close_matches(text.casefold(), known, 1, 0.5)
    meant = f": did you mean {known[near[0]].keyword}?" if near else ""
    raise ValueError(f"{text!r} is no UID and no transfer syntax's keyword{meant}")


TRANSFER_SYNTAX = Parsed("UID|KEYWORD", parse_transfer_syntax)


def check_host(text: str) -> str:
    """An address to listen on; raises `ValueError` for none, which would be every interface."""
    if not text.strip():
        raise ValueError("is empty; 0.0.0.0 and :: are all addresses there are")
    return text


HOST = Parsed("HOST", check_host)

# -- decorators --------------------------------------------------------------------------------------------------------

peer_argument = click.argument("peer", type=PEER, metavar="[AET@]HOST:PORT")
calling_option = click.option(
    "--calling", type=TITLE, default="DICOMSIM", show_default=True, metavar="AET", help="Calling AE title: who we are."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
trace_option = click.option("--trace", is_flag=True, help="Print the whole conversation on stderr, as it happens.")


def max_pdu_option(default: int) -> Callable[[Command], Command]:
    """`--max-pdu`, the maximum length to announce."""
    return click.option(
        "--max-pdu",
        type=click.IntRange(0, 0xFFFFFFFF),
        default=default,
        show_default=True,
        metavar="N",
        help="Longest P-DATA-TF to ask the peer for, 0 for any.",
    )


def example(*lines: str) -> str:
    """The epilog of a command: examples, one a line, as they stand."""
    return "\n".join(("\b", "Examples:" if len(lines) > 1 else "Example:", *(f"  {line}" for line in lines)))
