"""The embedded acceptor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from dicomsim.repl.command import Registry
from dicomsim.repl.forms import FOLDER, HOST, PORT, TITLE
from dicomsim.repl.output import Tone
from dicomsim.repl.workbench import Workbench


def start(
    bench: Workbench,
    port: Annotated[int, PORT, "to listen on; 0 takes a free one"] = 11112,
    aet: Annotated[str, TITLE, "our AE title as acceptor"] = "DICOMSIM",
    *,
    output: Annotated[Path | None, FOLDER, "where received objects are kept, as UID.dcm; without it, nowhere"] = None,
    host: Annotated[str, HOST, "address to listen on; 0.0.0.0 or :: for all there are"] = "127.0.0.1",
) -> None:
    """Listen in the background and answer C-ECHO and C-STORE.

    Every storage SOP class is taken in every transfer syntax. The rules apply to it as well.
    """
    bench.start_serving(host, port, aet, output)
    bench.say(f"listening as {bench.serving}", Tone.GOOD)


def stop(bench: Workbench) -> None:
    """Stop listening, and abort the associations that are open there."""
    served = bench.serving
    bench.stop_serving()
    bench.say(f"{served} listens no more")


def status(bench: Workbench) -> None:
    """Say whether an acceptor is running, and who is connected."""
    if not bench.serving:
        bench.say("nothing is listening: serve start [PORT] [AET] begins it")
        return
    bench.say(f"listening as {bench.serving}")
    for watched in bench.watch.served:
        exchanged = f", {watched.exchanged}" if watched.exchanged else ""
        bench.say(f"  {watched.about}: {watched.state}{exchanged}")


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.command("serve start")(start)
    registry.command("serve stop")(stop)
    registry.command("serve status", "serve")(status)
