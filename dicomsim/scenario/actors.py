"""Actors that are AEs of dicomsim: the one that a scenario puts rules around, and the peers of a run without others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Self

from dicomsim import events
from dicomsim.ae import AE
from dicomsim.association import Association
from dicomsim.behaviour.behaviour import Behaviour
from dicomsim.errors import DicomsimError, TimeLimitError, WireError
from dicomsim.outcome import Ending, Outcome
from dicomsim.presentation import PresentationContext, StoragePresentationContexts, VerificationPresentationContexts
from dicomsim.scenario import model
from dicomsim.scenario.composing import VERIFICATION
from dicomsim.scenario.dialogue import Dialogue
from dicomsim.scenario.hearing import HEARD, Hearing
from dicomsim.scenario.judge import first_fit
from dicomsim.scenario.link import Link
from dicomsim.scenario.loader import CaseActor, PlacedStep
from dicomsim.scenario.observation import Closed, NotConnected, Observation, Silent
from dicomsim.scenario.sample import EXPLICIT_LITTLE, IMPLICIT_LITTLE, SOP_CLASS_UID, Sample, new_uid
from dicomsim.scenario.script import DOING, Doing, Script, StepError
from dicomsim.scenario.stage import HOST, Act, ActorResult, Address, Finding, Stage, Titles
from dicomsim.scenario.verdict import Verdict
from dicomsim.services.storage import StoreTo
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.pdu import AssociateRQ
from dicomsim.wire.render import one_line

MOST_ASSOCIATIONS: Final = 100
"""Associations that an embedded acceptor takes at once."""
EMBEDDED_ARTIM: Final = 2.0
"""Seconds of ARTIM of an embedded acceptor: short, so that scenarios about it are."""
END_LIMIT: Final = 5.0
"""Seconds that an embedded requestor may take to end."""
END_GRACE: Final = 0.2
"""Seconds from the end of a process until its association is seen to have ended."""
PEER_TITLE: Final = "PEER"
"""AE title of an embedded peer."""


def actor_of(actor: CaseActor, stage: Stage, name: str) -> Act:
    """An actor of a case, ready to act."""
    return AeActor(actor, stage, name) if actor.kind == "ae" else Script(actor, stage, name)


def acceptor_ae(stage_timeout: float) -> AE:
    """A conforming acceptor for verification and storage, which keeps nothing."""
    ae = AE(PEER_TITLE)
    ae.supported_contexts = [*VerificationPresentationContexts, *StoragePresentationContexts]
    ae.store_to = StoreTo.NOWHERE
    ae.maximum_associations = MOST_ASSOCIATIONS
    ae.timeouts.artim = min(EMBEDDED_ARTIM, stage_timeout)
    ae.timeouts.network = None
    return ae


def usual_contexts() -> list[PresentationContext]:
    """Verification, and the sample in the two usual transfer syntaxes."""
    syntaxes = [IMPLICIT_LITTLE, EXPLICIT_LITTLE]
    return [PresentationContext(VERIFICATION, syntaxes), PresentationContext(SOP_CLASS_UID, syntaxes)]


def store(association: Association, sample: Sample) -> int | None:
    """Send a sample; the status of the answer."""
    context = association.context_for(SOP_CLASS_UID)
    answer = association.perform(
        "C-STORE-RQ",
        context.context_id,
        sample.encode(context.transfer_syntax),
        affected_sop_class_uid=SOP_CLASS_UID,
        affected_sop_instance_uid=sample.instance_uid,
        priority=0,
    )
    return answer.status


class AeServer:
    """An acceptor with rules, which a peer under test connects to; a context manager."""

    def __init__(self, stage: Stage, rules: tuple[Any, ...]) -> None:
        self.hearing = Hearing(stage.noted)
        self._ae = acceptor_ae(stage.timeout)
        self._ae.behaviour = Behaviour(rules)
        self._ae.events.add(self.hearing, *HEARD)
        if stage.observer is not None:
            self._ae.events.add(stage.observer)
        self._server = self._ae.start_server((stage.address.host, stage.address.port))
        self.address = Address(*self._server.address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()


class AeActor(Script):
    """One actor that answers by itself, with rules around it; its steps ask for operations and judge the peer."""

    def __init__(self, actor: CaseActor, stage: Stage, name: str = "") -> None:
        super().__init__(actor, stage, name, AE_DOING)
        self._association: Association | None = None
        self._hearing = stage.server.hearing if stage.server is not None else Hearing(stage.noted)
        self._ae = AE(stage.titles.calling)
        if stage.server is None:
            self._ae.behaviour = Behaviour(actor.rules)
            self._ae.events.add(self._hearing, *HEARD)
            if stage.observer is not None:
                self._ae.events.add(stage.observer)
        timeouts = self._ae.timeouts
        timeouts.connect = timeouts.acse = timeouts.dimse = stage.timeout

    def _hear(self, seconds: float) -> Link:
        """The link of the next association."""
        stream = self._hearing.next(seconds)
        self._begin(stream)
        link = self._connected()
        dialogue, log = link.dialogue, self._stage.log

        def sent(pdu: Any) -> None:
            log.note("->", one_line(pdu))
            dialogue.sent(pdu)

        stream.on_sent = sent
        self._heard = stream
        return link

    def _connected(self) -> Link:
        """An acceptor waits for its first association by itself."""
        if self._link is None and self._stage.server is not None:
            return self._hear(self._stage.timeout)
        return super()._connected()

    def _accept(self, step: model.Accept, placed: PlacedStep) -> None:
        seconds = self._stage.seconds(step.within)
        try:
            self._hear(seconds)
        except TimeLimitError:
            silent = Silent(seconds, "accept time limit")
            self._miss(placed, Verdict(step.otherwise), ("a TCP connection from the peer",), silent)
        else:
            self._measure(step.measure)

    def _associate(self, step: model.Associate, placed: PlacedStep) -> None:
        stage = self._stage
        contexts = usual_contexts()
        if step.contexts is not None:
            contexts = [
                PresentationContext(each.abstract_syntax, list(each.transfer_syntaxes)) for each in step.contexts
            ]
        association = self._association = self._ae.associate(
            stage.address.host, stage.address.port, contexts, stage.titles.called
        )
        outcome = association.outcome
        if outcome is not None and outcome.how in (Ending.REFUSED, Ending.FAILED):
            self._miss(placed, Verdict(step.otherwise), ("A-ASSOCIATE-AC",), NotConnected(str(outcome)))
            return
        seen = self._hear(0).observe(0, "time window")
        if not association.is_established:
            self._miss(placed, Verdict(step.otherwise), ("A-ASSOCIATE-AC",), seen)

    def _perform(self, operation: Callable[[Association], object]) -> None:
        """Do an operation; how the peer takes it is for an `expect` to say."""
        if self._association is None:
            raise StepError("there is no association: the step needs an associate before it")
        try:
            operation(self._association)
        except (DicomsimError, ValueError) as error:
            self._stage.log.note("--", error)

    def _echo(self, step: model.Echo, placed: PlacedStep) -> None:
        self._perform(lambda association: association.c_echo())

    def _store(self, step: model.Store, placed: PlacedStep) -> None:
        sample = self._stage.sample
        for _ in range(step.times):
            self._perform(lambda association: store(association, sample))  # noqa: B023 - called at once
            sample = replace(sample, instance_uid=new_uid())

    def _release(self, step: model.Release, placed: PlacedStep) -> None:
        self._perform(lambda association: association.release())

    def _abort(self, step: model.Abort, placed: PlacedStep) -> None:
        self._perform(lambda association: association.abort())

    def _observe(self, step: Any) -> Observation:
        """The first thing within the time window that fits; all else is the AE's business."""
        seconds = self._stage.seconds(step.within)
        deadline = self._clock.monotonic() + seconds
        while True:
            seen = self._observe_once(step, max(deadline - self._clock.monotonic(), 0))
            if isinstance(seen, Silent):
                if self._heard.closed_by_us is not None:
                    return NotConnected("dicomsim had closed the connection", "closed-by-dicomsim")
                return Silent(seconds, seen.window, seen.rest)
            if isinstance(seen, Closed) or first_fit(step.expect, seen, self._dialogue) is not None:
                return seen

    def _finish(self) -> None:
        if self._association is not None and self._association.is_established:
            self._association.abort()
        if self._link is not None and self._heard.closed_by_us is not None:
            self._link.closed_by_us = self._heard.closed_by_us.value
        super()._finish()


AE_DOING: Doing = {
    **DOING,
    model.Accept: AeActor._accept,
    model.Associate: AeActor._associate,
    model.Echo: AeActor._echo,
    model.Store: AeActor._store,
    model.Release: AeActor._release,
    model.Abort: AeActor._abort,
}
"""How an AE does each step."""


class EmbeddedAcceptor:
    """A conforming peer that listens, as the peer under test; a context manager."""

    def __init__(self, timeout: float = END_LIMIT) -> None:
        self._ae = acceptor_ae(timeout)
        self._ended = threading.Event()
        self._outcome: Outcome | None = None
        self._implementation: tuple[str, ...] = ()
        self._ae.events.add(self._hear, events.Ended, events.PduIn)
        self._server = self._ae.start_server((HOST, 0))
        self.address = Address(*self._server.address)

    def _hear(self, event: events.Event) -> None:
        if isinstance(event, events.Ended):
            self._outcome = event.outcome
            self._ended.set()
        elif isinstance(event, events.PduIn) and not self._implementation:
            try:
                pdu = decode_pdu(event.data)
            except WireError:
                return
            if isinstance(pdu, AssociateRQ):
                dialogue = Dialogue("", "")
                dialogue.received(pdu)
                self._implementation = dialogue.peer_implementation

    def judge_requestor(self, code: int | None, seconds: float, output: str) -> ActorResult:
        """What a requestor that has been started against this acceptor came to; its last finding says it."""
        result = ActorResult("", implementation=self._implementation)
        had_one = self._ended.wait(0 if code is None else END_GRACE)
        said = output.strip().rpartition("\n")[2]
        if code is None:
            actual, detail = f"silent({seconds:g} s)", f"it was still running after the time limit of {seconds:g} s"
        elif not had_one:
            actual = f"exited({code})"
            detail = f"it exited with {code} without an association{f', saying: {said}' if said else ''}"
        else:
            actual, detail = "answered-ok", str(self._outcome)
        verdict = Verdict.PASS if code is not None and had_one else Verdict.INCONCLUSIVE
        result.findings.append(Finding(verdict, ("an association",), actual, detail))
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()


class EmbeddedRequestor:
    """A conforming peer that connects and stores the sample, as the peer under test; looks like a process."""

    def __init__(self, address: Address, titles: Titles, sample: Sample, timeout: float = END_LIMIT) -> None:
        self._ae = AE(PEER_TITLE)
        timeouts = self._ae.timeouts
        timeouts.connect = timeouts.acse = timeouts.dimse = timeouts.artim = min(END_LIMIT, timeout)
        self._sample = sample
        self._code: int | None = None
        self._thread = threading.Thread(target=self._run, args=(address, titles.called), daemon=True)
        self._thread.start()

    def _run(self, address: Address, called: str) -> None:
        association = self._ae.associate(address.host, address.port, usual_contexts(), called)
        status: int | None = None
        try:
            if association.is_established:
                status = store(association, self._sample)
                association.release()
        except (DicomsimError, ValueError):  # no answer, or no context: the user is told by the exit code
            association.abort()
        self._code = 0 if status == 0 and association.is_released else 1

    def wait(self, seconds: float) -> int | None:
        """0 if all went well, 1 if not, None if it is still at it."""
        self._thread.join(max(seconds, 0))
        return self._code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for association in self._ae.active_associations:
            association.abort()
        self._thread.join(END_LIMIT)
