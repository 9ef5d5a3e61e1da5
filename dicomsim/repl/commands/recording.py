"""Record what goes over the wire, and watch it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from dicomsim.repl.command import Registry
from dicomsim.repl.forms import FILE, TRACED
from dicomsim.repl.output import Tone
from dicomsim.repl.trace import KINDS, USUAL
from dicomsim.repl.workbench import Workbench


def start(
    bench: Workbench, file: Annotated[Path, FILE, "to write: pcapng, or classic pcap if it ends in .pcap"]
) -> None:
    """Write everything from now on to a capture that Wireshark opens."""
    bench.start_recording(file)
    bench.say(f"recording to {file}", Tone.GOOD)


def stop(bench: Workbench) -> None:
    """Close the capture."""
    bench.say(f"{bench.stop_recording()} is complete")


def status(bench: Workbench) -> None:
    """Say whether something is being recorded."""
    recorder = bench.recorder
    bench.say(f"recording to {recorder.path}" if recorder else "nothing is being recorded: record start FILE begins it")


def trace_on(
    bench: Workbench,
    *kinds: Annotated[str, TRACED, "what to show; association, message, connection and timer if left out"],
) -> None:
    """Show what happens as it happens, a line each."""
    chosen = frozenset(KINDS) - {"association"} if "all" in kinds else frozenset(kinds) or USUAL
    bench.traced = chosen
    bench.on_change()
    bench.say(f"tracing {_listed(chosen)}")


def trace_off(bench: Workbench) -> None:
    """Show nothing of it any more."""
    bench.traced = frozenset()
    bench.on_change()
    bench.say("tracing nothing")


def trace_status(bench: Workbench) -> None:
    """Say what is traced."""
    bench.say(f"tracing {_listed(bench.traced)}" if bench.traced else "tracing nothing: trace on begins it")


def _listed(kinds: frozenset[str]) -> str:
    return ", ".join(kind for kind in KINDS if kind in kinds)


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.command("record start")(start)
    registry.command("record stop")(stop)
    registry.command("record status", "record")(status)
    registry.command("trace on")(trace_on)
    registry.command("trace off")(trace_off)
    registry.command("trace status", "trace")(trace_status)
