"""Runs cases against a peer: actors on a stage, a sanity exchange around them, and a verdict at the end.

Nothing here knows pytest. A `Runner` is made for one run; it starts embedded peers when it is told of no others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from dicomsim.engine.clock import SystemClock
from dicomsim.engine.stream import StreamListener, connect_stream
from dicomsim.engine.witness import Observer
from dicomsim.errors import AssociationError, ConnectError, DicomsimError, ExitCode, TimeLimitError
from dicomsim.scenario.actors import AeServer, EmbeddedAcceptor, EmbeddedRequestor, actor_of
from dicomsim.scenario.expecting import Expect, ExpectExit
from dicomsim.scenario.loader import Case, CaseActor, load_steps
from dicomsim.scenario.matchers import matches_pattern
from dicomsim.scenario.model import Listen
from dicomsim.scenario.observation import CRASHED, REFUSED, TRANSIENT
from dicomsim.scenario.process import PeerProcess, command_line
from dicomsim.scenario.result import CaseResult, blank, decide
from dicomsim.scenario.script import Script
from dicomsim.scenario.stage import HOST, Act, ActorResult, Address, Finding, Note, Stage, Titles
from dicomsim.scenario.verdict import Verdict, against_known_fault

DEFAULT_TIMEOUT: Final = 10.0
"""Seconds that a step may take if nobody says otherwise: longer than any peer in good order needs."""
RECOVERY_LIMIT: Final = 40.0
"""Seconds that a peer which rejects for the time being has to recover; longer than the usual ARTIM of 30."""
RECOVERY_PAUSE: Final = 0.5
"""Seconds between two tries."""
SANITY: Final = ("each", "ends", "none")
"""When the sanity exchange runs: first and after each case, first and last, never."""


class OneAtATimeError(DicomsimError):
    """The peer attends to one connection at a time."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run, and against what."""

    peer: Address | None = None
    """A peer that listens."""
    command: str | None = None
    """A command that starts a peer which connects, with `{host}`, `{port}`, `{aet}` and `{file}` in it."""
    listen: Address | None = None
    """Where to wait for a peer that somebody else starts."""
    titles: Titles = field(default_factory=Titles)
    """AE titles to use."""
    timeout: float | None = None
    """Seconds that any step may take; None: `DEFAULT_TIMEOUT`, unless the step says otherwise."""
    sanity: str = "each"
    """One of `SANITY`."""
    name: str | None = None
    """What to call the peer, for expectations that a scenario has of it."""
    slow: bool = False
    """Whether slow scenarios run."""
    observer: Observer | None = None
    """Sees every byte of the run."""
    note: Note | None = None
    """Told the number of each association that a case opens, and the id of the case."""

    @property
    def embedded(self) -> bool:
        """Whether peers of our own are under test."""
        return self.peer is None and self.command is None and self.listen is None

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of dicomsim whose peers somebody else provides, so that they may not be in good order."""
        return (*(["requestor"] if self.peer else []), *(["acceptor"] if self.command else []))


class Runner:
    """One run; a context manager."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._exits = ExitStack()
        self._acceptor: EmbeddedAcceptor | None = None
        self._implementation: tuple[str, ...] = ()
        self._checked: set[str] = set()
        self._unsound = ""
        """How the peer failed the sanity exchange after the last case; empty if it did not."""
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the embedded peers; does nothing the second time."""
        self._closed.set()
        self._exits.close()

    def why_not(self, case: Case) -> str | None:
        """Why a case cannot be run here, or None."""
        settings = self.settings
        if case.slow and not settings.slow:
            return "slow: run it with --slow"
        if settings.embedded:
            return None
        if case.scenario.role == "requestor":
            return None if settings.peer else "needs a peer that listens: --peer"
        if settings.listen and _awaits_exit(case):
            return "needs a peer that can be seen to end: --exec"
        return None if settings.command or settings.listen else "needs a peer that connects: --exec or --listen"

    def check(self, role: str) -> None:
        """The sanity exchange before the first case of a role.

        Raises:
            ConnectError: the peer cannot be connected to.
            AssociationError: it does not do what any peer does.
            TimeLimitError: it is silent.
        """
        if role in self._checked or self.settings.sanity == "none":
            return
        result = self._sanity(role)
        if result is not None:
            finding = _last(result)
            raise _unsound(self._peer_text(role), finding.actual, finding.detail)
        self._checked.add(role)

    def check_together(self) -> None:
        """Whether the peer may be given several cases at once: it has to serve one while another says nothing.

        Raises:
            OneAtATimeError: it does not, so that each case would be judged by what others do.
        """
        peer = self.settings.peer
        if peer is None:
            return
        stream = connect_stream(peer.host, peer.port, self._timeout)
        try:
            lost = self._sanity("requestor")
        finally:
            stream.close()
        if lost is not None:
            why = f"{_last(lost).actual} while another said nothing"
            raise OneAtATimeError(
                f"{self._peer_text('requestor')} attends to one connection at a time ({why}),"
                " so that cases would disturb each other: run without -n"
            )

    def check_last(self) -> str | None:
        """The sanity exchange after the last case, if none has run after each: None, or how the peer failed it."""
        if self.settings.sanity != "ends" or "requestor" not in self._checked:
            return None
        result = self._sanity("requestor")
        return None if result is None else _last(result).detail

    def run(self, case: Case) -> CaseResult:
        """Run a case and judge it; never raises for what the peer does.

        Raises:
            DicomsimError: the sanity exchange before the first case failed.
        """
        reason = self.why_not(case)
        if reason is not None:
            return blank(case, Verdict.SKIP, reason)
        self.check(case.scenario.role)
        if self._unsound and case.scenario.role == "requestor" and (lost := self._sanity("requestor")) is not None:
            return blank(case, Verdict.INCONCLUSIVE, f"the peer was not in good order before: {_last(lost).actual}")
        self._unsound = ""
        with self._stage(case) as stage:
            acts = [actor_of(actor, stage, name) for actor, name in _instances(case)]
            results = _act(acts)
            result = replace(decide(case, results), seconds=stage.log.seconds)
            process = stage.process
            if process is not None:
                result = replace(
                    result,
                    peer_exit=process.wait(self._timeout) if result.verdict is not Verdict.ERROR else None,
                    peer_output=process.output() if isinstance(process, PeerProcess) else "",
                )
            if retries := stage.retries():
                stage.log.note("<-", f"{retries} more connections that were left alone")
                result = replace(result, actual=", ".join(filter(None, (result.actual, f"retried({retries})"))))
            result = replace(result, log=tuple(map(str, stage.log.lines)))
        result = self._recovered(case, result)
        told = next((each.implementation for each in results if each.implementation), ())
        return self._expected_of_peer(case, result, told or self._implementation)

    @property
    def _timeout(self) -> float:
        return DEFAULT_TIMEOUT if self.settings.timeout is None else self.settings.timeout

    def _peer_text(self, role: str) -> str:
        settings = self.settings
        if role == "requestor":
            return f"{settings.titles.called}@{self._address()}"
        return settings.command or "the peer"

    def _address(self) -> Address:
        if self.settings.peer is not None:
            return self.settings.peer
        if self._acceptor is None:
            self._acceptor = self._exits.enter_context(EmbeddedAcceptor())
        return self._acceptor.address

    @contextmanager
    def _stage(self, case: Case) -> Iterator[Stage]:
        stage = self._new_stage(case.scenario.role)
        stage.case_id = case.id
        stage.values = dict(case.scenario.values)
        with ExitStack() as exits:
            if case.scenario.role == "acceptor":
                self._receive_peer(stage, exits, case)
            yield stage

    def _new_stage(self, role: str) -> Stage:
        settings = self.settings
        listens = role == "acceptor"
        address = (settings.listen or Address(HOST, 0)) if listens else self._address()
        return Stage(
            address, settings.titles, self._timeout, settings.timeout is not None, settings.observer, settings.note
        )

    def _receive_peer(self, stage: Stage, exits: ExitStack, case: Case) -> None:
        """Listen, and start the peer that is to connect."""
        actor = case.actors[0]
        if actor.kind == "ae":
            stage.server = server = exits.enter_context(AeServer(stage, actor.rules))
            stage.address = server.address
        else:
            listener = StreamListener(stage.address.host, stage.address.port, stage.observer)
            stage.address = Address(*listener.address)
            stage.listener = listener
            exits.callback(stage.listen, on=False)
            if _refuses_first(case):
                stage.listen(on=False)
        if self.settings.command is not None:
            folder = Path(exits.enter_context(TemporaryDirectory(prefix="dicomsim-")))
            stage.process = exits.enter_context(PeerProcess(self._words(stage, folder)))
        elif self.settings.listen is None:
            stage.process = exits.enter_context(EmbeddedRequestor(stage.address, stage.titles, stage.sample))

    def _words(self, stage: Stage, folder: Path) -> list[str]:
        file = folder / "sample.dcm"
        stage.sample.write(file)
        address = stage.address
        values = {"host": address.host, "port": str(address.port), "aet": stage.titles.called, "file": str(file)}
        return command_line(self.settings.command or "", values)

    def _sanity(self, role: str) -> ActorResult | None:
        """One sanity exchange; None if all is well, else the result whose last finding says what is not."""
        if role == "acceptor":
            return self._requestor_sanity()
        stage = self._new_stage(role)
        stage.grace = 0  # how it closes is of no interest here
        result = Script(CaseActor("", "script", 1, (), load_steps("sanity")), stage)()
        self._implementation = result.implementation or self._implementation
        return None if result.findings and _last(result).verdict is Verdict.PASS else result

    def _requestor_sanity(self) -> ActorResult | None:
        """The peer's command against a conforming acceptor: it has to open an association, and to end."""
        if self.settings.command is None:
            return None
        stage = self._new_stage("acceptor")
        with ExitStack() as exits:
            acceptor = exits.enter_context(EmbeddedAcceptor())
            stage.address = acceptor.address
            folder = Path(exits.enter_context(TemporaryDirectory(prefix="dicomsim-")))
            process = exits.enter_context(PeerProcess(self._words(stage, folder)))
            code = process.wait(self._timeout)
            result = acceptor.judge_requestor(code, self._timeout, process.output())
        self._implementation = result.implementation or self._implementation
        return None if _last(result).verdict is Verdict.PASS else result

    def _recovered(self, case: Case, result: CaseResult) -> CaseResult:
        """The result, unless the peer did not survive the case."""
        if self.settings.sanity != "each" or case.scenario.role != "requestor" or result.verdict is Verdict.ERROR:
            return result
        if result.verdict is Verdict.INCONCLUSIVE and result.close == "none":
            return result  # there was no connection in the first place
        lost = self._recovery()
        if lost is None:
            return result
        finding = _last(lost)
        gone = finding.actual == REFUSED or finding.actual.startswith("silent")
        end = CRASHED if gone else f"{finding.actual} to a plain association"
        self._unsound = end
        return replace(
            result,
            verdict=Verdict.FAIL,
            actual=f"{result.actual}, then {end}" if result.actual else end,
            detail=f"{result.detail}; afterwards the sanity exchange failed: {finding.detail}",
        )

    def _recovery(self) -> ActorResult | None:
        """The sanity exchange after a case; a peer that rejects for the time being is asked again for a while."""
        clock = SystemClock()
        deadline = clock.monotonic() + RECOVERY_LIMIT
        while True:
            lost = self._sanity("requestor")
            busy = lost is not None and _last(lost).actual.startswith(TRANSIENT)
            if not busy or clock.monotonic() > deadline or self._closed.wait(RECOVERY_PAUSE):
                return lost

    def _expected_of_peer(self, case: Case, result: CaseResult, told: tuple[str, ...]) -> CaseResult:
        names = (*told, *([self.settings.name] if self.settings.name else []))
        for pattern, expectation in case.scenario.peers.items():
            if any(matches_pattern(pattern, name) for name in names):
                fault = expectation.xfail
                verdict = against_known_fault(result.verdict, result.actual, fault.actual)
                return replace(result, verdict=verdict, note=fault.reason if verdict != result.verdict else result.note)
        return result


def _unsound(peer: str, actual: str, detail: str) -> ConnectError | AssociationError | TimeLimitError:
    """Why nothing can be tested on a peer, with what to do about it."""
    kind: type[ConnectError | AssociationError | TimeLimitError] = AssociationError
    hint = "check the AE titles (AET@HOST:PORT, --calling), and that the peer takes Verification"
    if actual == REFUSED:
        return ConnectError(detail)
    if actual.startswith("silent"):
        kind, hint = TimeLimitError, "--timeout sets it"
    elif actual.startswith("exited"):
        hint = "the command should open an association to {host} {port}, and end"
    return kind(f"{peer} failed the sanity exchange: {detail}; {hint}")


def _last(result: ActorResult) -> Finding:
    return result.findings[-1]


def _refuses_first(case: Case) -> bool:
    steps = case.actors[0].steps
    return bool(steps) and isinstance(steps[0].step, Listen) and not steps[0].step.listen


def _awaits_exit(case: Case) -> bool:
    """Whether a step expects nothing but the end of the peer's process."""
    steps = (placed.step for actor in case.actors for placed in actor.steps)
    return any(isinstance(step, Expect) and all(isinstance(each, ExpectExit) for each in step.expect) for step in steps)


def _instances(case: Case) -> Iterator[tuple[CaseActor, str]]:
    for actor in case.actors:
        for number in range(1, actor.count + 1):
            yield actor, f"{actor.name} {number}" if actor.count > 1 else actor.name


def _act(acts: list[Act]) -> list[ActorResult]:
    """Let all actors act at once; what one of them raises is raised here."""
    if len(acts) == 1:
        return [acts[0]()]
    results: list[ActorResult | BaseException | None] = [None] * len(acts)

    def act(index: int, one: Callable[[], ActorResult]) -> None:
        try:
            results[index] = one()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the threads are joined
            results[index] = error

    threads = [threading.Thread(target=act, args=each, daemon=True) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done: list[ActorResult] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        assert result is not None
        done.append(result)
    return done
