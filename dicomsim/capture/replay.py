"""`replay`: play the requestor of a captured association to a live acceptor and compare the answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from dicomsim.capture.compare import Difference, Statuses, Verdict, compare_transcripts
from dicomsim.capture.conversation import Conversation, conversations
from dicomsim.capture.fitting import ContextError
from dicomsim.capture.player import PeerEndedError, Player, PlayOptions, Stream
from dicomsim.capture.transcript import Transcript, Utterance
from dicomsim.engine.clock import Clock, SystemClock
from dicomsim.errors import DicomsimError, ExitCode, FileError
from dicomsim.events import Side

MOST_NUMBERS = 4
"""Presentation contexts that are named in one line."""


class NoAssociationError(FileError):
    """There is nothing to play in the capture."""

    exit_code = ExitCode.NOTHING_RUN


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """How a replay went."""

    association: int
    """Its number in the capture."""
    verdict: Verdict
    """What it comes to."""
    differences: tuple[Difference, ...]
    """What the live peer did otherwise."""
    steps: tuple[Utterance, ...]
    """The captured conversation, as far as it was played."""
    answers: tuple[Utterance, ...]
    """The live conversation."""
    notes: tuple[str, ...] = ()
    """What was fitted, or left out."""
    error: DicomsimError | None = None
    """Why the verdict is ERROR."""

    def lines(self) -> Iterator[str]:
        """One line a step, with what differed below it; the verdict last."""
        for step in self.steps:
            arrow = "x " if step.is_end else "->" if step.sender is Side.REQUESTOR else "<-"
            yield f"{step.step:5} frame {step.frame:<7} {arrow} {step.text}"
            yield from _told(difference for difference in self.differences if difference.step == step.step)
        for difference in self.differences:
            if not difference.step:
                yield f"      ! {difference}"
        for note in self.notes:
            yield f"      {note}"
        if self.error is not None:
            yield f"      ! {self.error}"
        yield f"association {self.association}: {self.verdict.value}"


def _told(differences: Iterable[Difference]) -> Iterator[str]:
    """A line for each difference, but one for all presentation contexts with the same."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for each in differences:
        path, of_context, number = each.path.partition("/context ")
        groups.setdefault((path + of_context, each.captured, each.live), []).append(number)
    for (path, captured, live), numbers in groups.items():
        more = f" and {len(numbers) - MOST_NUMBERS} more" if len(numbers) > MOST_NUMBERS else ""
        places = [path + ", ".join(numbers[:MOST_NUMBERS]) + more] if numbers[0] else [path] * len(numbers)
        yield from (f"      ! {place}: captured {captured}, now {live}" for place in places)


def replay(
    conversation: Conversation,
    connect: Callable[[], Stream],
    options: PlayOptions | None = None,
    *,
    statuses: Statuses = Statuses.EXACT,
    clock: Clock | None = None,
) -> ReplayReport:
    """Play one association as its requestor.

    Where the peer prefers other transfer syntaxes, so that a step has no context, the association is played again with
    contexts proposed only as they were accepted in the capture.

    What the peer or the network does, and what cannot be played, is in the report; only a capture that cannot be read
    any more raises, `FileError`.
    """
    options = options or PlayOptions()
    clock = clock or SystemClock()
    report = _attempt(conversation, connect, options, statuses, clock)
    if isinstance(report.error, ContextError) and options.narrow is None and conversation.contexts.answer is not None:
        narrow = replace(options, narrow=conversation.contexts)
        report = _attempt(conversation, connect, narrow, statuses, clock)
        again = "contexts were proposed only as they had been accepted: as captured, the peer chose otherwise"
        report = replace(report, notes=(again, *report.notes))
    return report


def _attempt(
    conversation: Conversation, connect: Callable[[], Stream], options: PlayOptions, statuses: Statuses, clock: Clock
) -> ReplayReport:
    error: DicomsimError | None = None
    early: list[Difference] = []
    with Transcript() as captured, Transcript() as live:
        player = Player(connect, captured, live, options, clock)
        try:
            player.run(conversation.items(captured.choose_sink))
        except PeerEndedError as ended:
            early = [Difference(len(captured.utterances) + 1, ended.frame, "association", "goes on", _last_word(live))]
        except FileError:
            raise
        except DicomsimError as failure:
            error = failure
        finally:
            player.close()
        found = [*compare_transcripts(captured, live, statuses=statuses), *early]
    verdict = Verdict.ERROR if error is not None else Verdict.CHANGED if found else Verdict.SAME
    steps, answers = tuple(captured.utterances), tuple(live.utterances)
    return ReplayReport(conversation.association, verdict, tuple(found), steps, answers, tuple(player.notes), error)


def replay_file(
    path: str | os.PathLike[str],
    connect: Callable[[], Stream],
    options: PlayOptions | None = None,
    *,
    association: int | None = None,
    statuses: Statuses = Statuses.EXACT,
    clock: Clock | None = None,
) -> Iterator[ReplayReport]:
    """Play the associations of a capture one after the other: those with the acceptor of the first, or one by number.

    Raises `FileError`; a `NoAssociationError` if there is no such association.
    """
    found = conversations(path)
    chosen = (
        [c for c in found if c.association == association]
        if association
        else [c for c in found if c.acceptor == found[0].acceptor]
    )
    if not chosen:
        what = f"no association {association}" if found else "no DICOM association"
        raise NoAssociationError(f"{os.fspath(path)}: {what} in this capture")
    for conversation in chosen:
        yield replay(conversation, connect, options, statuses=statuses, clock=clock)


def _last_word(live: Transcript) -> str:
    words = [utterance for utterance in live.utterances if utterance.sender is Side.ACCEPTOR]
    return words[-1].text if words else "closed"
