"""`Workbench`: what the commands work on: one association as requestor, an embedded acceptor, rules, a recording.

The thread of the prompt runs the commands. Events come in whichever thread owns an association; what they tell is shown
at once, except the end of the association that a command is busy with: the command says that itself, or it is said
after the command.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dicomsim import events
from dicomsim.ae import AE
from dicomsim.association import Association
from dicomsim.behaviour import Behaviour
from dicomsim.capture.recorder import Recorder
from dicomsim.engine.timeouts import NAMES
from dicomsim.errors import AssociationError, DicomsimError, ExitCode
from dicomsim.events import Event, Side
from dicomsim.peer_address import PeerAddress, host_and_port
from dicomsim.presentation import PresentationContext
from dicomsim.repl.acceptor import make_acceptor
from dicomsim.repl.command import CommandError, Registry
from dicomsim.repl.log_lines import LogLines
from dicomsim.repl.output import Output, Tone
from dicomsim.repl.status import Status
from dicomsim.repl.trace import HERE, trace_line
from dicomsim.repl.watch import Watch, Watched
from dicomsim.server import Server
from dicomsim.upper_layer.table import State

TIMEOUTS: dict[str, float] = {"connect": 10.0, "acse": 30.0, "dimse": 30.0}
"""Where the prompt differs from an AE's defaults: somebody waits for it."""
PEERS_KEPT = 50
FIRINGS_TOLD = 3
"""How often a rule may fire on an association before it is told only now and then."""


class Workbench:
    """The things at hand, until `close` clears them away."""

    def __init__(self, output: Output, commands: Registry, patience: float | None = None) -> None:
        """`patience` is after how many seconds it says how to end what waits for a peer."""
        self.output = output
        self.patience = patience
        self.commands = commands
        """What can be done with it, for `help`."""
        self.behaviour = Behaviour()
        """The rules, around every association on either side."""
        self.association: Association | None = None
        """The association as requestor, open or not; None before the first."""
        self.server: Server | None = None
        """The embedded acceptor while it runs."""
        self.recorder: Recorder | None = None
        """The recording while there is one."""
        self.traced: frozenset[str] = frozenset()
        """What is traced, see `dicomsim.repl.trace.KINDS`."""
        self.peers: list[PeerAddress] = []
        """Whom `open` has called, latest first."""
        self.on_change: Callable[[], None] = lambda: None
        """Called, in any thread, when `status` may have changed."""
        self.watch = Watch(accepted=self._accepted, ended=self._ended, changed=self._changed)
        self.ae = self._listened_to(AE("DICOMSIM"))
        """The AE that opens associations."""
        for name, seconds in TIMEOUTS.items():
            setattr(self.ae.timeouts, name, seconds)
        self._end = threading.Condition()  # of an association; guards what follows
        self._busy = False
        self._said: list[str] = []
        self._unsaid: list[Watched] = []
        self._fired: Counter[tuple[int, str]] = Counter()
        self._log = LogLines(self.output.error)
        logging.getLogger("dicomsim").addHandler(self._log)

    def _listened_to(self, ae: AE) -> AE:
        ae.behaviour = self.behaviour
        ae.events.add(self._event)
        return ae

    def _changed(self) -> None:
        self.on_change()

    @property
    def _aes(self) -> list[AE]:
        return [self.ae, self.server.ae] if self.server is not None else [self.ae]

    # -- saying ------------------------------------------------------------------------------------------------------

    def say(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show what a command has to say."""
        self._said.append(text)
        self.output.line(text, tone)

    def complain(self, text: str) -> None:
        """Show why a command failed."""
        self._said.append(text)
        self.output.error(text)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """While a command runs: the end of its association is told by the command, or afterwards."""
        with self._end:
            self._busy, self._said = True, []
        try:
            yield
        finally:
            with self._end:
                self._busy, unsaid, self._unsaid = False, self._unsaid, []
            for watched in unsaid:
                if not any(str(watched.outcome) in text for text in self._said):
                    self._say_ended(watched)

    @contextmanager
    def hint(self, name: str) -> Iterator[None]:
        """Say how to end what takes long because of the peer."""
        if self.patience is None:
            yield
            return
        text = f"{name} goes on; Ctrl-C aborts the association"
        timer = threading.Timer(self.patience, self.output.line, (text, Tone.TRACE))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _event(self, event: Event) -> None:
        """Everybody who listens, in order."""
        recorder, traced = self.recorder, self.traced
        if recorder is not None:
            recorder(event)
        if traced and (line := trace_line(event, traced)) is not None:
            self.output.line(line, Tone.TRACE)
        if isinstance(event, events.RuleFired):
            self._say_fired(event)
        self.watch(event)

    def _say_fired(self, event: events.RuleFired) -> None:
        """Say the first times, and then how often it was when that has another digit."""
        key = event.association, event.rule
        with self._end:
            count = self._fired[key] = self._fired[key] + 1
        if count <= FIRINGS_TOLD or set(str(count)[1:]) == {"0"}:
            times = f", {count} times now" if count > FIRINGS_TOLD else ""
            self.output.line(f"#{event.association} {HERE} rule fired at {event.hop}{times}: {event.rule}", Tone.NOTICE)

    def _accepted(self, watched: Watched) -> None:
        self.output.line(f"{watched.about}: accepted, {watched.accepted} of {watched.proposed} contexts", Tone.NOTICE)

    def _ended(self, watched: Watched) -> None:
        with self._end:
            for key in [key for key in self._fired if key[0] == watched.number]:
                del self._fired[key]
            self._end.notify_all()
            if self._busy and watched.side is Side.REQUESTOR:
                self._unsaid.append(watched)
                return
        self._say_ended(watched)

    def _say_ended(self, watched: Watched) -> None:
        exchanged = f", after {watched.exchanged}" if watched.exchanged else ""
        self.output.line(f"{watched.about}: {watched.outcome}{exchanged}", Tone.NOTICE)

    # -- the association ---------------------------------------------------------------------------------------------

    @property
    def open_association(self) -> Association | None:
        """The association if it is open."""
        association = self.association
        return association if association is not None and association.is_established else None

    def require_association(self) -> Association:
        """The open association; raises `AssociationError` that says why there is none."""
        association = self.open_association
        if association is None:
            session = self.association.session if self.association is not None else None
            was_open = session is not None and session.agreement is not None
            before = f"; the last one: {session.outcome}" if session is not None and was_open else ""
            raise AssociationError(f"no association is open: open [AET@]HOST:PORT makes one{before}")
        return association

    def require_last(self) -> Association:
        """The association, open or not; raises `AssociationError` if there has been none."""
        return self.association if self.association is not None else self.require_association()

    def associate(
        self, peer: PeerAddress, contexts: list[PresentationContext], calling: str | None, max_pdu: int | None
    ) -> Association:
        """Ask for an association; its `outcome` says why if it is not open."""
        usual = self.ae.ae_title
        try:
            self.ae.ae_title = calling or usual
            self.association = self.ae.associate(peer.host, peer.port, contexts, peer.ae_title, max_pdu)
        finally:
            self.ae.ae_title = usual
            self.on_change()
        return self.association

    def await_end(self, seconds: float | None) -> bool:
        """Wait until the association is over; False if it is not after so many seconds."""
        association = self.require_last()
        with self._end:
            return self._end.wait_for(lambda: association.outcome is not None, seconds)

    def called(self, peer: PeerAddress) -> None:
        """Remember whom `open` has called."""
        self.peers = [peer, *(one for one in self.peers if one != peer)][:PEERS_KEPT]

    def interrupt(self) -> None:
        """Abort the association because its operation is not to be waited for."""
        association = self.open_association
        if association is not None:
            association.abort()

    # -- the acceptor ------------------------------------------------------------------------------------------------

    def start_serving(self, host: str, port: int, title: str, folder: Path | None) -> Server:
        """Start the acceptor; raises `CommandError` if there is one, `ConnectError` and `FileError`."""
        if self.server is not None:
            raise CommandError(f"{self.serving} is listening already: serve stop ends it")
        ae = self._listened_to(make_acceptor(title, folder))
        for name in NAMES:
            setattr(ae.timeouts, name, getattr(self.ae.timeouts, name))
        self.server = ae.start_server((host, port))
        self.on_change()
        return self.server

    def stop_serving(self) -> None:
        """Stop the acceptor and abort what is open there; raises `CommandError` if there is none."""
        if self.server is None:
            raise CommandError("nothing is listening: serve start begins it")
        server, self.server = self.server, None
        server.shutdown()
        self.on_change()

    @property
    def serving(self) -> str:
        """`AET@HOST:PORT` of the acceptor; empty if there is none."""
        server = self.server
        if server is None:
            return ""
        return f"{server.ae.ae_title.decode('ascii').strip()}@{host_and_port(*server.address)}"

    def set_timeout(self, name: str, seconds: float | None) -> None:
        """Set a timeout of all associations, also of those that are open; raises `ValueError`."""
        for ae in self._aes:
            setattr(ae.timeouts, name, seconds)

    # -- the recording -----------------------------------------------------------------------------------------------

    def start_recording(self, path: Path) -> None:
        """Record everything from now on; raises `CommandError` if that is done already, `FileError`."""
        if self.recorder is not None:
            raise CommandError(f"{self.recorder.path} is being written already: record stop ends it")
        recorder = Recorder(path)
        for ae in self._aes:
            for association in ae.active_associations:
                session = association.session
                recorder(
                    events.ConnectionOpened(
                        session.clock.wall(), session.association_number, session.local, session.remote, session.side
                    )
                )
                recorder.note(session.association_number, "open before the recording began")
        self.recorder = recorder
        self.on_change()

    def stop_recording(self) -> str:
        """Close the recording and return its path; raises `CommandError` if there is none, `FileError`."""
        if self.recorder is None:
            raise CommandError("nothing is being recorded: record start FILE begins it")
        recorder, self.recorder = self.recorder, None
        self.on_change()
        recorder.close()
        return str(recorder.path)

    # -- the whole ---------------------------------------------------------------------------------------------------

    def status(self) -> Status:
        """What there is at this moment."""
        association = self.association
        session = association.session if association is not None else None
        state = session.state if session is not None else State.STA1
        live = state is not State.STA1
        agreement = session.agreement if session is not None and live and session.outcome is None else None
        rules = self.behaviour.rules
        outstanding = 0
        if session is not None and agreement is not None:
            outstanding = len(session.exchange.invoked) + len(session.exchange.performed)
        return Status(
            state=state.value,
            peer=str(self.peers[0]) if live and self.peers else "",
            accepted=len(agreement.accepted) if agreement else 0,
            proposed=len(agreement.accepted) + len(agreement.rejected) if agreement else 0,
            outstanding=outstanding,
            serving=self.serving,
            served=len(self.watch.served),
            recording=str(self.recorder.path) if self.recorder is not None else "",
            traced=tuple(sorted(self.traced)),
            rules=len(rules),
            rules_on=sum(rule.enabled for rule in rules),
            fired=sum(rule.fired for rule in rules),
        )

    def close(self) -> int:
        """Release the association, stop serving and recording; the exit code of the first thing that failed, or 0."""
        code = 0
        try:
            if self.open_association is not None:
                code = self._release(self.open_association)
        finally:
            if self.server is not None:
                self.stop_serving()
            if self.recorder is not None:
                try:
                    self.stop_recording()
                except DicomsimError as error:
                    self.output.error(str(error))
                    code = code or error.exit_code
            logging.getLogger("dicomsim").removeHandler(self._log)
        return code

    def _release(self, association: Association) -> int:
        """Release in order; a second Ctrl-C aborts."""
        try:
            with self.hint("release"):
                association.release()
        except KeyboardInterrupt:
            self.output.interrupted()
            association.abort()
            return ExitCode.INTERRUPTED
        outcome = association.outcome
        return 0 if outcome is None or outcome.is_orderly else outcome.error().exit_code
