"""Look at what there is: the state, the contexts, how associations have ended."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

from dicomsim.association import Association
from dicomsim.repl.command import CommandError, Registry
from dicomsim.repl.forms import TEXT
from dicomsim.repl.status import STATES
from dicomsim.repl.workbench import Workbench
from dicomsim.sop_class import uid_name
from dicomsim.upper_layer.agreement import AcceptedContext, RejectedContext
from dicomsim.wire.codes import describe_context_result
from dicomsim.wire.render import printable

SHARE_FROM = 8
"""Contexts with the same answer that share a line; fewer have one each."""

_ROLES = {(True, False): "", (False, True): ", as SCP", (True, True): ", as SCU and SCP", (False, False): ", no role"}


def state(bench: Workbench) -> None:
    """Say how things stand: the association, the acceptor, recording, trace, rules."""
    now = bench.status()
    rows = [("state", f"{now.state} {STATES.get(now.state, '')}")]
    association = bench.association
    if association is not None and now.peer:
        rows += _association_rows(association, now.peer)
    elif association is not None and association.outcome is not None:
        rows.append(("last", str(association.outcome)))
    rows.append(("calling", bench.ae.ae_title.decode("ascii", "backslashreplace").strip()))
    rows.append(("serving", f"{now.serving}, {now.served} open" if now.serving else "no"))
    rows.append(("recording", now.recording or "no"))
    rows.append(("trace", ", ".join(now.traced) or "no"))
    rows.append(("rules", f"{now.rules_on} of {now.rules} on, fired {now.fired} times" if now.rules else "none"))
    _table(bench, rows)


def _association_rows(association: Association, peer: str) -> list[tuple[str, str]]:
    session = association.session
    rows = [("peer", f"#{session.association_number} {peer}, for {session.clock.monotonic() - session.opened:.1f} s")]
    agreement = session.agreement
    if agreement is not None:
        who = agreement.peer_implementation
        named = " ".join(filter(None, (who.version_name and printable(who.version_name), who.class_uid)))
        rows.append(("implementation", named or "not told"))
        rows.append(("contexts", f"{len(agreement.accepted)} accepted, {len(agreement.rejected)} rejected"))
        limits = (agreement.peer_maximum_length, association.ae.maximum_pdu_size)
        theirs, ours = (str(limit or "unlimited") for limit in limits)
        rows.append(("maximum length", f"{theirs} to the peer, {ours} to us"))
        window = f"{agreement.operations_invoked or 'unlimited'}/{agreement.operations_performed or 'unlimited'}"
        outstanding = [one.request.describe() for one in session.exchange.invoked.values()]
        outstanding += [f"{one.request.describe()}, to be answered" for one in session.exchange.performed.values()]
        rows.append(("outstanding", "; ".join(outstanding) or f"nothing, window {window}"))
    return rows


def _table(bench: Workbench, rows: list[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        bench.say(f"{name:{width}}  {value}")


def contexts(
    bench: Workbench,
    text: Annotated[str | None, TEXT, "only those with this in their line; all for every one"] = None,
) -> None:
    """List the presentation contexts of the association, and why some were rejected.

    Many with the same answer share a line, unless they are asked for.
    """
    association = bench.association
    agreement = association.session.agreement if association is not None else None
    if agreement is None:
        raise CommandError("there are no contexts: no association was accepted yet")
    answers: dict[int, str] = {}
    lines: dict[int, str] = {}
    for number in sorted((*agreement.accepted, *agreement.rejected)):
        one = agreement.accepted.get(number) or agreement.rejected[number]
        answers[number] = _answer(one)
        lines[number] = f"{number:3}  {printable(uid_name(one.abstract_syntax))}: {answers[number]}"
    if text is not None and text != "all":
        lines = {number: line for number, line in lines.items() if text.casefold() in line.casefold()}
        if not lines:
            raise CommandError(f"no context has {text!r} in its line")
    elif text is None and len(lines) > SHARE_FROM:
        counts = Counter(answers.values())
        lines = {number: line for number, line in lines.items() if counts[answers[number]] < SHARE_FROM}
        for answer, count in counts.items():
            if count >= SHARE_FROM:
                bench.say(f"{count} contexts: {answer}; contexts all lists them")
    for line in lines.values():
        bench.say(line)


def _answer(one: AcceptedContext | RejectedContext) -> str:
    if isinstance(one, AcceptedContext):
        return printable(uid_name(one.transfer_syntax)) + _ROLES[one.as_scu, one.as_scp]
    return "not answered" if one.result is None else describe_context_result(one.result)


def history(bench: Workbench) -> None:
    """List how the associations so far have ended."""
    if not bench.watch.history:
        bench.say("no association has ended yet")
    for watched in bench.watch.history:
        when = datetime.fromtimestamp(watched.ended // 1_000_000_000, UTC).astimezone()
        exchanged = f", after {watched.exchanged}" if watched.exchanged else ""
        bench.say(f"{when:%H:%M:%S} {watched.about}: {watched.outcome}{exchanged}")


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.command("state")(state)
    registry.command("contexts")(contexts)
    registry.command("history")(history)
