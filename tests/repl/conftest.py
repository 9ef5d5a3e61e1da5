"""A prompt without a terminal: commands are run on it, and its lines are kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dicomsim.ae import AE
from dicomsim.association import VERIFICATION, Association
from dicomsim.part10 import file_meta
from dicomsim.repl.commands import all_commands
from dicomsim.repl.interpreter import Interpreter
from dicomsim.repl.output import Tone
from dicomsim.repl.workbench import Workbench
from dicomsim.server import Server
from dicomsim.services.storage import StoreTo

LIMIT = 20.0
PRESSES = 4
"""Of Ctrl-C, so far apart that a busy machine has time to act on one before the next comes."""
"""Seconds after which a test gives up."""
CT, EXPLICIT, IMPLICIT, JPEG = (
    "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.50"
)  # fmt: skip


class Lines:
    """An `Output` that keeps what it gets; lines from other threads can be waited for."""

    def __init__(self) -> None:
        self.is_read = True
        self.shown: list[tuple[str, Tone]] = []
        self._changed = threading.Condition()

    @property
    def texts(self) -> list[str]:
        """All lines."""
        with self._changed:
            return [text for text, _ in self.shown]

    def line(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Keep a line."""
        with self._changed:
            self.shown.append((text, tone))
            self._changed.notify_all()

    def error(self, text: str) -> None:
        """Keep an error."""
        self.line(f"error: {text}", Tone.BAD)

    def interrupted(self) -> None:
        """Keep that."""
        self.line("interrupted")

    def await_line(self, text: str) -> str:
        """The first line with this text in it, now or soon."""
        with self._changed:
            assert self._changed.wait_for(lambda: any(text in one for one, _ in self.shown), LIMIT), self.shown
            return next(one for one, _ in self.shown if text in one)


@dataclass
class Desk:
    """A prompt that is typed at by a test."""

    lines: Lines = field(default_factory=Lines)

    def __post_init__(self) -> None:
        registry = all_commands()
        self.bench = Workbench(self.lines, registry)
        self.interpreter = Interpreter(registry, self.bench)

    def type(self, line: str) -> list[str]:
        """Run a line that must succeed; what it showed."""
        code, shown = self.run(line)
        assert 0 == code, shown
        return shown

    def run(self, line: str) -> tuple[int, list[str]]:
        """Run a line; its exit code, and what was shown meanwhile."""
        before = len(self.lines.texts)
        code = self.interpreter.run(line)
        return code, self.lines.texts[before:]

    def fail(self, line: str) -> tuple[int, str]:
        """Run a line that must fail; its exit code, and the error."""
        code, shown = self.run(line)
        assert code, shown
        return code, next(text for text in shown if text.startswith("error: "))


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A prompt, cleared away afterwards."""
    made = Desk()
    yield made
    made.bench.close()


@pytest.fixture
def acceptor(tmp_path: Path) -> Iterator[Server]:
    """A peer for verification and CT images in explicit VR little endian, which it keeps in `received`."""
    ae = AE("PEER")
    ae.add_supported_context(VERIFICATION)
    ae.add_supported_context(CT, [EXPLICIT])
    ae.store_to, ae.store_folder = StoreTo.FILE, tmp_path / "received"
    ae.store_folder.mkdir()
    with ae.start_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def peer(acceptor: Server) -> str:
    """Where it listens."""
    host, port = acceptor.address
    return f"PEER@{host}:{port}"


@pytest.fixture
def silent(acceptor: Server) -> Callable[..., None]:
    """Calling it makes the peer press Ctrl-C for us when a C-ECHO comes, and not answer before it is aborted.

    `before` is called in the peer's thread before the key is pressed.
    """
    over = threading.Event()

    first: list[Callable[[], object]] = []

    def on_c_echo(*_: object) -> int:
        for call in first:
            call()
        press_ctrl_c_until(over)
        return 0

    def on_association_aborted(association: Association) -> None:
        over.set()

    def begin(before: Callable[[], object] = lambda: None) -> None:
        first.append(before)
        acceptor.ae.on_c_echo = on_c_echo
        acceptor.ae.on_association_aborted = on_association_aborted

    return begin


def press_ctrl_c() -> None:
    """Interrupt the main thread as a terminal does."""
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)


def press_ctrl_c_until(over: threading.Event) -> None:
    """Interrupt the main thread, and do it again if that came just before it began to wait."""
    presses = 0
    while presses < PRESSES and not over.is_set():
        press_ctrl_c()
        presses += 1
        over.wait(LIMIT / PRESSES)


def write_file(path: Path, *, transfer_syntax: str = EXPLICIT, sop_class: str = CT, instance: str = "1.2.3") -> Path:
    """Write a small DICOM file."""
    form = "<" if transfer_syntax == IMPLICIT else "<explicit"
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = file_meta(sop_class, instance, transfer_syntax, "1.2.3.4", "TEST")
    path.write_bytes(meta + _data_set(sop_class, instance, explicit=form != "<"))
    return path


def _data_set(sop_class: str, instance: str, *, explicit: bool) -> bytes:
    data = b""
    for element, value in ((0x16, sop_class), (0x18, instance)):
        text = value.encode() + b"\0" * (len(value) % 2)
        tag = b"\x08\0" + element.to_bytes(2, "little")
        length = b"UI" + len(text).to_bytes(2, "little") if explicit else len(text).to_bytes(4, "little")
        data += tag + length + text
    return data
