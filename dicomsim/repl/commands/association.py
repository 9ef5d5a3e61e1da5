"""Open an association and end it, in order or not."""

from __future__ import annotations

from typing import Annotated

from dicomsim.association import Association
from dicomsim.engine.session import ABORTABLE, Session
from dicomsim.errors import AssociationError, DicomsimError
from dicomsim.outcome import Ending, Outcome, aborted
from dicomsim.peer_address import PeerAddress
from dicomsim.presentation import PresentationContext
from dicomsim.repl.command import CommandError, Registry
from dicomsim.repl.forms import BYTE, CONTEXT, ENDING, MAX_PDU, PEER, TITLE
from dicomsim.repl.output import Tone
from dicomsim.repl.proposals import contexts_of, usual_contexts
from dicomsim.repl.workbench import Workbench
from dicomsim.upper_layer.primitives import AbortRequest
from dicomsim.wire.render import printable

_ADVICE = {
    (1, 3): "set calling AET changes the calling title",
    (1, 7): "the called title stands before the @: open AET@HOST:PORT",
}
"""What to do about a rejection, by source and reason."""


def open_(
    bench: Workbench,
    peer: Annotated[PeerAddress | None, PEER, "whom to call; the last one if it is left out"] = None,
    *contexts: Annotated[str, CONTEXT, "SOP class, CLASS:SYNTAX,SYNTAX, list of classes, or files that are to be sent"],
    calling: Annotated[str | None, TITLE, "our AE title, this once"] = None,
    max_pdu: Annotated[int | None, MAX_PDU, "longest P-DATA-TF that we take, this once; 0 for any"] = None,
) -> None:
    """Open an association.

    Without contexts it proposes Verification and the storage SOP classes in wide use, uncompressed. A file or a folder
    stands for the contexts that its objects need.
    """
    if bench.open_association is not None:
        raise CommandError(f"an association with {bench.peers[0]} is open: release or abort it first")
    if peer is None:
        if not bench.peers:
            raise CommandError("open needs a peer the first time: open [AET@]HOST:PORT")
        peer = bench.peers[0]
    proposed = _proposed(contexts)
    bench.called(peer)
    association = bench.associate(peer, proposed, calling, max_pdu)
    if association.outcome is not None:
        raise _not_open(peer, association.outcome)
    _say_open(bench, peer, association)


def _proposed(contexts: tuple[str, ...]) -> list[PresentationContext]:
    try:
        proposed = contexts_of(contexts) if contexts else usual_contexts()
    except ValueError as error:
        raise CommandError(str(error)) from None
    if not proposed:
        raise CommandError("none of these files is a DICOM file: there is nothing to propose")
    return proposed


def _not_open(peer: PeerAddress, outcome: Outcome) -> DicomsimError:
    """The exception of the outcome, with whom it is about and what to do."""
    advice = ""
    if outcome.how is Ending.REJECTED:
        advice = _ADVICE.get((outcome.codes[1], outcome.codes[2]), "")
    if outcome.how is Ending.TIMED_OUT:
        advice = f"set {outcome.timeout} SECONDS gives it more time"
    return type(outcome.error())(f"{peer}: {outcome}" + (f"; {advice}" if advice else ""))


def _say_open(bench: Workbench, peer: PeerAddress, association: Association) -> None:
    session = association.session
    agreement = session.agreement
    assert agreement is not None  # it is open
    total = len(agreement.accepted) + len(agreement.rejected)
    who = agreement.peer_implementation
    name = printable(who.version_name or who.class_uid or "")
    seconds = session.clock.monotonic() - session.opened
    bench.say(
        f"#{session.association_number} open with {peer}" + (f" ({name})" if name else "")
        + f": {len(agreement.accepted)} of {total} contexts accepted, "
        f"maximum length {agreement.peer_maximum_length or 'unlimited'}, {1e3 * seconds:.1f} ms",
        Tone.GOOD if agreement.accepted else Tone.NOTICE,
    )  # fmt: skip
    if not agreement.accepted:
        bench.say("no context was accepted, so nothing can be asked of it: contexts says why", Tone.NOTICE)


def release(bench: Workbench) -> None:
    """Release the association, in order."""
    association = bench.require_association()
    association.release()
    _say_ended(bench, association, Ending.RELEASED)


def abort(
    bench: Workbench,
    source: Annotated[int, BYTE, "0 service user, 2 service provider"] = 0,
    reason: Annotated[int, BYTE, "0 to 6, PS3.8 Table 9-26"] = 0,
) -> None:
    """Abort the association.

    Any source and reason can be said, though a conforming service user says 0 and 0.
    """
    session = _connected(bench)
    session.take()
    try:
        if session.outcome is None and session.state in ABORTABLE:
            session.finish(aborted(session.side, source, reason, **session.circumstances()))
            session.request(AbortRequest(source, reason))
    finally:
        session.give_back()
    _say_ended(bench, bench.require_last(), Ending.ABORTED)


def close(bench: Workbench, how: Annotated[str, ENDING, "with a FIN, or with a RST"] = "fin") -> None:
    """Close the connection without a word, neither released nor aborted."""
    session = _connected(bench)
    session.take()
    try:
        session.hang_up(reset=how == "reset")
    finally:
        session.give_back()
    _say_ended(bench, bench.require_last(), Ending.RESET if how == "reset" else Ending.CLOSED)


def _connected(bench: Workbench) -> Session:
    """The session, while there is an association or at least a connection."""
    if bench.open_association is None and (bench.association is None or not bench.association.session.is_open):
        bench.require_association()
    return bench.require_last().session


def _say_ended(bench: Workbench, association: Association, wanted: Ending) -> None:
    """Say how it ended; raises the error of an end that was not the wanted one."""
    outcome = association.outcome
    if outcome is None:
        raise AssociationError("it has not ended")
    if outcome.how is not wanted:
        raise outcome.error()
    bench.say(f"#{association.session.association_number} {outcome}", Tone.GOOD)


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.command("open", calls=True)(open_)
    registry.command("release", calls=True)(release)
    registry.command("abort")(abort)
    registry.command("close")(close)
