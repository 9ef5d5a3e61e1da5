"""Settings: timeouts, our title, the longest PDU."""

from __future__ import annotations

from typing import Annotated

from dicomsim.engine.timeouts import NAMES
from dicomsim.repl.command import CommandError, Registry
from dicomsim.repl.forms import MAX_PDU, SECONDS, SETTING, SETTING_VALUE, SETTINGS, TITLE
from dicomsim.repl.workbench import Workbench

NO_LIMIT = "none"


def set_(
    bench: Workbench,
    name: Annotated[str | None, SETTING, "which one; without it, all are listed"] = None,
    value: Annotated[str | None, SETTING_VALUE, "the new value; without it, the present one is shown"] = None,
) -> None:
    """Show settings, or change one.

    Timeouts hold for associations that are open as well, from the next wait on.
    """
    present = settings(bench)
    if name is None:
        width = max(map(len, present))
        for key, text in present.items():
            bench.say(f"{key:{width}}  {text:10}  {SETTINGS[key]}")
        return
    if value is not None:
        try:
            _set(bench, name, value)
        except ValueError as error:
            raise CommandError(f"{name}: {error}") from None
    bench.say(f"{name} is {settings(bench)[name]}")


def _set(bench: Workbench, name: str, value: str) -> None:
    if name == "calling":
        bench.ae.ae_title = TITLE.read(value)
    elif name == "max_pdu":
        bench.ae.maximum_pdu_size = MAX_PDU.read(value)
    elif value != NO_LIMIT:
        bench.set_timeout(name, SECONDS.read(value))
    elif name == "artim":
        raise ValueError("the standard wants it to run out (PS3.8 9.1.5): it needs seconds")
    else:
        bench.set_timeout(name, None)


def settings(bench: Workbench) -> dict[str, str]:
    """Each setting's present value."""
    values: dict[str, str] = {}
    for name in NAMES:
        seconds = getattr(bench.ae.timeouts, name)
        values[name] = NO_LIMIT if seconds is None else f"{seconds:g}"
    values["calling"] = bench.ae.ae_title.decode("ascii", "backslashreplace").strip()
    values["max_pdu"] = str(bench.ae.maximum_pdu_size)
    return values


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.command("set")(set_)
