"""The actor that says only what its steps say: each step is done in turn, and the first that goes wrong ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dicomsim.engine.clock import Clock, SystemClock
from dicomsim.errors import ConnectError, DicomsimError, TimeLimitError
from dicomsim.scenario.composing import ComposeError, compose
from dicomsim.scenario.dialogue import Dialogue
from dicomsim.scenario.expecting import Alternative, Expect, ExpectExit, ExpectPDataTF
from dicomsim.scenario.judge import describe, first_fit
from dicomsim.scenario.link import Link
from dicomsim.scenario.loader import CaseActor, PlacedStep, fill, names_in
from dicomsim.scenario.model import Accept, Close, Connect, HalfClose, Listen, Reset, Signal, Step, Wait
from dicomsim.scenario.observation import Closed, Exited, NotConnected, Observation, Silent
from dicomsim.scenario.sending import Raw
from dicomsim.scenario.stage import ActorResult, Finding, Stage
from dicomsim.scenario.verdict import Verdict

_STEP: TypeAdapter[Any] = TypeAdapter(Step)


Doing = Mapping[type, Callable[[Any, Any, PlacedStep], None]]
"""The method that does a step, by the model of the step."""


class StepError(Exception):
    """A step that cannot be done, which is nobody's fault but the scenario's; says why."""


class Ended(Exception):  # noqa: N818 - it is no error
    """The remaining steps make no sense."""


class Script:
    """One actor at work."""

    def __init__(
        self, actor: CaseActor, stage: Stage, name: str = "", doing: Doing | None = None, clock: Clock | None = None
    ) -> None:
        self._actor = actor
        self._stage = stage
        self._doing = DOING if doing is None else doing
        self._clock = clock or SystemClock()
        self._dialogue = self._new_dialogue()
        self._link: Link | None = None
        self._held = b""
        self._since = self._clock.monotonic()
        titles = stage.titles
        self._values: dict[str, Any] = {
            **stage.values,
            "called": titles.called,
            "calling": titles.calling,
            "host": stage.address.host,
            "port": stage.address.port,
            "timeout": stage.timeout,
        }
        self.result = ActorResult(name)

    def __call__(self) -> ActorResult:
        """Do all steps, and close the connection whatever happens."""
        try:
            for placed in self._actor.steps:
                self._do(placed)
                if self.result.findings and self.result.findings[-1].verdict in ENDING:
                    break
        except Ended:
            pass
        finally:
            self._finish()
        return self.result

    def _do(self, placed: PlacedStep) -> None:
        try:
            step = self._filled(placed)
            do: Callable[[Any, Any, PlacedStep], None] = self._doing.get(type(step), Script._send)
            do(self, step, placed)
            if not isinstance(step, Expect):
                self._since = self._clock.monotonic()
        except (StepError, ComposeError, DicomsimError) as error:
            self._find(placed, Verdict.ERROR, (), "error", str(error))

    def _filled(self, placed: PlacedStep) -> Any:
        """The step with kept values in it, checked again, for they may be of any kind."""
        names = {name for _, name in names_in(placed.written, ())}
        if not names:
            return placed.step
        missing = sorted(names - self._values.keys())
        if missing:
            raise StepError(f"nothing was kept as {', '.join(missing)}")
        try:
            return _STEP.validate_python(fill(placed.written, self._values))
        except ValidationError as error:
            reasons = (detail["msg"].removeprefix("Value error, ") for detail in error.errors())
            raise StepError("; ".join(reasons)) from None

    def _connect(self, step: Connect, placed: PlacedStep) -> None:
        seconds = self._stage.seconds(step.within)
        self._stage.log.note("--", f"connecting to {self._stage.address}")
        try:
            stream = self._stage.connect(seconds)
        except TimeLimitError:
            silent = Silent(seconds, "connect timeout")
            self._miss(placed, Verdict.INCONCLUSIVE, ("TCP connection",), silent)
        except ConnectError as error:
            self._miss(placed, Verdict.INCONCLUSIVE, ("TCP connection",), NotConnected(str(error)))
        else:
            self._begin(stream)

    def _accept(self, step: Accept, placed: PlacedStep) -> None:
        seconds = self._stage.seconds(step.within)
        self._stage.log.note("--", f"waiting for a connection to {self._stage.address}")
        try:
            stream = self._stage.accept(seconds)
        except TimeLimitError:
            silent = Silent(seconds, "accept time limit")
            self._miss(placed, Verdict(step.otherwise), ("a TCP connection from the peer",), silent)
        except ConnectionAbortedError as error:
            raise StepError(str(error)) from error
        else:
            self._measure(step.measure)
            self._begin(stream)

    def _begin(self, stream: Any) -> None:
        self._leave()
        self._dialogue = self._new_dialogue()
        self._link = Link(stream, self._dialogue, self._stage.log, self._clock)
        self._stage.log.note("--", "connected")

    def _new_dialogue(self) -> Dialogue:
        titles = self._stage.titles
        return Dialogue(titles.called, titles.calling, self._stage.sample)

    def _listen(self, step: Listen, placed: PlacedStep) -> None:
        self._stage.listen(step.listen)

    def _send(self, step: Any, placed: PlacedStep) -> None:
        link = self._connected()
        seconds = self._stage.seconds(step.within)
        for _ in range(step.times):
            composed = compose(step, self._dialogue)
            if step.hold:
                self._stage.log.note("--", f"held back: {composed.text}")
                self._held += composed.data
                continue
            held, self._held = self._held, b""
            pieces = (held + composed.data,) if held else composed.pieces
            link.send(pieces, composed.text, seconds, composed.pdu)

    def _expect(self, step: Expect, placed: PlacedStep) -> None:
        seen = self._observe(step)
        alternatives: tuple[Alternative, ...] = tuple(step.expect)
        fit = first_fit(alternatives, seen, self._dialogue)
        expected = tuple(map(describe, alternatives))
        if fit is None:
            self._miss(placed, Verdict(step.otherwise), expected, seen)
            return
        if isinstance(seen, Silent) and step.within is not None and seen.seconds < float(step.within):
            note = f"the time limit of the run is shorter than the time window of {float(step.within):g} s"
            self._find(placed, Verdict.INCONCLUSIVE, expected, seen.reaction, str(seen), note)
            return
        if not isinstance(seen, Silent):
            self._measure(step.measure)
        self._keep(fit, seen)
        self._find(placed, Verdict(fit.verdict), expected, fit.reaction or seen.reaction, str(seen), fit.note or "")
        self._since = self._clock.monotonic()
        if fit.then == "end":
            raise Ended

    def _observe(self, step: Expect) -> Observation:
        """The first thing within the time window that is not to be skipped."""
        seconds = self._stage.seconds(step.within)
        deadline = self._clock.monotonic() + seconds
        seen = self._observe_once(step, seconds)
        while first_fit(step.skip, seen, self._dialogue) is not None and not isinstance(seen, Silent | Closed):
            seen = self._observe_once(step, max(deadline - self._clock.monotonic(), 0))
        return Silent(seconds, seen.window, seen.rest) if isinstance(seen, Silent) else seen

    def _observe_once(self, step: Expect, seconds: float) -> Observation:
        exits = any(isinstance(each, ExpectExit) for each in step.expect)
        link = self._link
        if exits and self._stage.process is not None and (link is None or link.closed or link.closed_by_us):
            code = self._stage.process.wait(seconds)
            return Silent(seconds, "time window") if code is None else Exited(code)
        pdus_only = any(isinstance(each, ExpectPDataTF) for each in step.expect)
        return self._connected().observe(seconds, "time window", pdus_only=pdus_only)

    def _keep(self, fit: Alternative, seen: Observation) -> None:
        if not fit.keep or isinstance(seen, Silent):
            return
        fields = seen.fields(self._dialogue) if hasattr(seen, "fields") else {}
        for name, field in fit.keep.items():
            if fields.get(field) is None:
                raise StepError(f"{seen.reaction} has no {field} that could be kept as {name}")
            self._values[name] = fields[field]

    def _measure(self, name: str | None) -> None:
        if name is not None:
            self.result.measured[name] = self._clock.monotonic() - self._since

    def _wait(self, step: Wait, placed: PlacedStep) -> None:
        if step.signal is not None:
            seconds = self._stage.seconds(step.within)
            if not self._stage.signal(step.signal).wait(seconds):
                text = f"the signal {step.signal} was not given within the time limit of {seconds:g} s"
                self._find(placed, Verdict.INCONCLUSIVE, (f"signal {step.signal}",), "no signal", text)
        elif step.wait is not None:
            self._connected().linger(float(step.wait))

    def _signal(self, step: Signal, placed: PlacedStep) -> None:
        self._stage.signal(step.give).set()

    def _close(self, step: Close, placed: PlacedStep) -> None:
        self._connected().close()

    def _reset(self, step: Reset, placed: PlacedStep) -> None:
        self._connected().close(reset=True)

    def _half_close(self, step: HalfClose, placed: PlacedStep) -> None:
        self._connected().half_close()

    def _connected(self) -> Link:
        if self._link is None:
            raise StepError("there is no connection: the step needs a connect or accept before it")
        return self._link

    def _miss(self, placed: PlacedStep, verdict: Verdict, expected: tuple[str, ...], seen: Observation) -> None:
        self._find(placed, verdict, expected, seen.reaction, str(seen))

    def _find(
        self,
        placed: PlacedStep,
        verdict: Verdict,
        expected: tuple[str, ...],
        actual: str,
        detail: str,
        note: str = "",
    ) -> None:
        self.result.findings.append(Finding(verdict, expected, actual, detail, placed, note))

    def _finish(self) -> None:
        """Whatever has happened, the end."""
        self._leave()

    def _leave(self) -> None:
        if self._link is None:
            return
        self.result.close = self._link.finish(self._stage.timeout, self._stage.grace)
        self.result.implementation = self._dialogue.peer_implementation or self.result.implementation
        self._link = None


ENDING = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR)
"""Verdicts after which an actor does no more."""
DOING: Doing = {
    Connect: Script._connect,
    Accept: Script._accept,
    Listen: Script._listen,
    Raw: Script._send,
    Expect: Script._expect,
    Wait: Script._wait,
    Signal: Script._signal,
    Close: Script._close,
    Reset: Script._reset,
    HalfClose: Script._half_close,
}
"""How each step is done; those that are not here send something."""
