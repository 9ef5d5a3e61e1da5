"""`dicomsim serve`: be a peer, well behaved or, with rules, not."""

from __future__ import annotations

import logging
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from dicomsim.ae import AE
from dicomsim.cli.ledger import KINDS, Entry, Ledger
from dicomsim.cli.options import (
    HOST,
    TITLE,
    TRANSFER_SYNTAX,
    check_payload_limit,
    example,
    max_pdu_option,
    payload_limit_option,
    timeout_option,
    trace_option,
)
from dicomsim.cli.secure import server_tls_options
from dicomsim.cli.serving import make_acceptor
from dicomsim.engine.clock import SystemClock
from dicomsim.errors import ExitCode
from dicomsim.events import Event
from dicomsim.peer_address import host_and_port

if TYPE_CHECKING:
    import ssl

    from dicomsim.server import Server

Stop = signal.Signals
Queue = queue.SimpleQueue[Entry | Stop]


@click.command(
    "serve",
    epilog=example(
        "dicomsim serve --output received/",
        "dicomsim serve --port 0 -n 1 -b 'on C-STORE-RQ in nth=3: answer status=A700' --record session.pcapng",
        "dicomsim serve -b profile:store-hang --host 0.0.0.0 --port 104",
    ),
)
@click.option(
    "--host",
    type=HOST,
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Where to listen; 0.0.0.0 or :: for all addresses of this machine.",
)
@click.option(
    "--port", type=click.IntRange(0, 0xFFFF), default=11112, show_default=True, metavar="P", help="0 takes a free one."
)
@click.option("--aet", type=TITLE, default="DICOMSIM", show_default=True, metavar="AET", help="Our AE title.")
@click.option("--require-called", is_flag=True, help="Reject who calls another title than ours.")
@click.option("--require-calling", type=TITLE, metavar="AET", help="Reject who calls itself otherwise.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep what is received here, each object as UID.dcm, byte for byte; without it, nothing is kept.",
)
@click.option(
    "-b",
    "--behaviour",
    "rules",
    multiple=True,
    metavar="RULE_OR_FILE",
    help="Misbehave: a rule on one line, a YAML file of rules, or profile:NAME; several times for several.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="For rules with a probability.")
@click.option("--record", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a capture.")
@payload_limit_option
@click.option("-n", "--count", type=click.IntRange(min=1), metavar="COUNT", help="End after so many associations.")
@click.option(
    "--max-associations", type=click.IntRange(min=1), default=4096, show_default=True, metavar="N", help="At once."
)
@click.option(
    "--transfer-syntax",
    "transfer_syntaxes",
    type=TRANSFER_SYNTAX,
    multiple=True,
    metavar="UID|KEYWORD",
    help="Take this one only, not all; several times for several, preferred ones first.",
)
@max_pdu_option(131072)
@timeout_option(network=300.0)
@click.option("-q", "--quiet", is_flag=True, help="No line for each object, association and rule that fires.")
@server_tls_options
@trace_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line instead of text.")
def command(
    count: int | None, quiet: bool, trace: bool, as_json: bool, ssl_context: ssl.SSLContext | None, **options: Any
) -> int:
    """Be a peer: verification and storage of every storage SOP class, in all transfer syntaxes, with rules on request.

    Prints "listening on HOST:PORT as AET" when it is ready, then a line for each object and each association. SIGTERM,
    and the end of -n COUNT associations, end it with 0, Ctrl-C with 130; associations that are open then are aborted.
    """
    check_payload_limit(options["payload_limit"], options["record"])
    clock = SystemClock().monotonic
    output = _Output(quiet, as_json)
    ledger = Ledger()
    happened: Queue = queue.SimpleQueue()
    with ExitStack() as exits:
        ae = make_acceptor(**options)
        _observe(ae, exits, _book(ledger, happened), options["record"], options["payload_limit"], trace)
        exits.enter_context(_logging())
        exits.enter_context(_signals(happened))
        server = exits.enter_context(ae.start_server((options["host"], options["port"]), ssl_context=ssl_context))
        begin = clock()
        output.listening(server)
        code = _serve(happened, ledger, output, count)
        server.shutdown()
        _drain(happened, output)
        output.summary(ledger, clock() - begin)
    return code


def _book(ledger: Ledger, happened: Queue) -> Callable[[Event], None]:
    """An observer that keeps the books and hands on what there is to print: observers must not block, printing may.

    The main thread is woken for entries only, since it and whoever serves the peer share one interpreter.
    """
    lock = threading.Lock()

    def observe(event: Event) -> None:
        with lock:
            for entry in ledger(event):
                happened.put(entry)

    return observe


def _observe(
    ae: AE, exits: ExitStack, book: Callable[[Event], None], record: Path | None, limit: int | None, trace: bool
) -> None:
    """Put what happens where it is wanted."""
    ae.events.add(book, *KINDS)
    if record is not None:
        from dicomsim.capture.recorder import Recorder

        ae.events.add(exits.enter_context(Recorder(record, payload_limit=limit)))
    if trace:
        from dicomsim.cli.trace import KINDS as TRACED
        from dicomsim.cli.trace import Trace

        ae.events.add(Trace(lambda line: click.echo(line, err=True)), *TRACED)


def _serve(happened: Queue, ledger: Ledger, output: _Output, count: int | None) -> int:
    """Print what happens until a signal or `count` ends it."""
    while True:
        entry = happened.get()
        if isinstance(entry, Stop):
            return ExitCode.INTERRUPTED if entry is signal.SIGINT else ExitCode.OK
        output.entry(entry)
        if count is not None and ledger.associations >= count:
            return 0


def _drain(happened: Queue, output: _Output) -> None:
    """Print what has happened until now."""
    while not happened.empty():
        entry = happened.get()
        if not isinstance(entry, Stop):
            output.entry(entry)


@contextmanager
def _signals(happened: Queue) -> Iterator[None]:
    """The first SIGINT or SIGTERM is an event like others; a second one ends the process at once."""
    if threading.current_thread() is not threading.main_thread():  # signals are none of its business
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: FrameType | None) -> None:
        for one, handler in before.items():
            signal.signal(one, handler)
        happened.put(Stop(number))

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Handler(logging.Handler):
    """Warnings of the library, in the form of our own messages."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print it on stderr."""
        click.echo(f"dicomsim: {self.format(record)}", err=True)


@contextmanager
def _logging() -> Iterator[None]:
    logger = logging.getLogger("dicomsim")
    handler = _Handler(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


@dataclass(frozen=True, slots=True)
class _Output:
    """What is printed, as text or as JSON."""

    quiet: bool
    as_json: bool

    def listening(self, server: Server) -> None:
        host, port = server.address
        aet = server.ae.ae_title.decode("ascii").strip()
        document = {"event": "listening", "host": host, "port": port, "ae_title": aet}
        self._print(f"listening on {host_and_port(host, port)} as {aet}", lambda: document)

    def entry(self, entry: Entry) -> None:
        if not self.quiet:
            self._print(entry, entry.as_dict)

    def summary(self, ledger: Ledger, seconds: float) -> None:
        self._print(ledger.summary(seconds), lambda: ledger.as_dict(seconds))

    def _print(self, text: object, document: Callable[[], dict[str, Any]]) -> None:
        if self.as_json:
            import json

            text = json.dumps(document())
        click.echo(text)
