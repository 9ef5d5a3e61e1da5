"""What `dicomsim store` does with its files: find them, see which contexts they need, send them as they stand.

A data set is never decoded: three UIDs of the file meta information are all that is wanted of a file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from dicomsim.association import Association
from dicomsim.cli.requesting import Requestor, refusal
from dicomsim.dimse.data import DataSource, FileSlice, source_bytes
from dicomsim.dimse.messages import Message
from dicomsim.errors import AssociationError, ConnectError, DicomsimError, FileError, TimeLimitError
from dicomsim.operations.requesting import LOW_PRIORITY, Request
from dicomsim.operations.storing import AHEAD, LookAhead
from dicomsim.outcome import Outcome
from dicomsim.part10 import FileMeta, read_file_meta
from dicomsim.presentation import MAX_CONTEXTS, build_context
from dicomsim.sop_class import uid_name
from dicomsim.status import StatusClass, describe_status, status_class
from dicomsim.wire.render import printable

MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"
"""The SOP class of a DICOMDIR, which PS3.4 knows no service for."""
LONGEST_UID = 1024
"""Characters of a UID that is sent; 64 are allowed, and what a peer makes of more is its own affair."""

Context = tuple[str, str]
"""SOP class and transfer syntax."""


class Result(StrEnum):
    """What became of a file."""

    STORED = "stored"
    """The peer answered with success, or with a warning."""
    FAILED = "failed"
    """The peer refused it, or did not answer."""
    NOT_SENT = "not sent"
    """It was not its turn any more."""
    UNREADABLE = "unreadable"
    """It is no DICOM file, or cannot be read."""
    SKIPPED = "skipped"
    """It is a DICOM file that nobody stores: a DICOMDIR."""


@dataclass(slots=True)
class Item:
    """One file."""

    path: str
    """As it was given, or found in a folder that was."""
    meta: FileMeta | None = None
    """What its file meta information says."""
    size: int = 0
    """Bytes of its data set."""
    result: Result = Result.NOT_SENT
    """What became of it."""
    text: str = ""
    """The answer, or what is wrong, in words."""
    status: int | None = None
    """The answer's status."""
    seconds: float | None = None
    """From request to answer, or until the next file was read if that took longer."""

    @property
    def context(self) -> Context:
        """What it must be proposed as."""
        assert self.meta is not None  # only files that were read are sent
        return self.meta.sop_class_uid, self.meta.transfer_syntax_uid

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        meta = self.meta
        return {
            "path": self.path,
            "sop_class_uid": meta.sop_class_uid if meta else None,
            "sop_instance_uid": meta.sop_instance_uid if meta else None,
            "transfer_syntax_uid": meta.transfer_syntax_uid if meta else None,
            "bytes": self.size,
            "result": self.result.value,
            "status": self.status,
            "text": self.text,
            "seconds": None if self.seconds is None else round(self.seconds, 6),
        }


# -- finding -----------------------------------------------------------------------------------------------------------


def find(paths: Iterable[Path]) -> Iterator[Item]:
    """Every file named, and every one in the folders named, at any depth, by name; hidden ones only if named."""
    for path in paths:
        if path.is_dir():
            yield from _in_folder(path)
        else:
            yield inspect(str(path))


def _in_folder(folder: Path) -> Iterator[Item]:
    failures: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=failures.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = os.path.join(parent, name)
            # A pipe or a device in a folder is not meant, and opening one may wait for ever.
            if not name.startswith(".") and (os.path.isfile(path) or not os.path.exists(path)):
                yield inspect(path)
    for error in failures:
        yield Item(str(error.filename), result=Result.UNREADABLE, text=(error.strerror or str(error)).lower())


def inspect(path: str) -> Item:
    """Read the file meta information of one file, and judge whether it can be sent."""
    item = Item(path)
    try:
        item.meta = meta = read_file_meta(path)
        item.size = FileSlice(path, meta.offset).length
    except FileError as error:
        return _unreadable(item, str(error).removeprefix(f"{path}: "))
    if meta.sop_class_uid == MEDIA_STORAGE_DIRECTORY:
        item.result, item.text = Result.SKIPPED, "a DICOMDIR, which lists objects and is none"
    elif not (meta.sop_class_uid and meta.sop_instance_uid):
        return _unreadable(item, "file meta information without SOP class or instance UID")
    elif not all(uid.isascii() and len(uid) <= LONGEST_UID for uid in (*item.context, meta.sop_instance_uid)):
        return _unreadable(item, f"a UID that is no ASCII text of at most {LONGEST_UID} characters")
    elif not item.size:
        return _unreadable(item, "no data set behind the file meta information")
    return item


def _unreadable(item: Item, text: str) -> Item:
    item.result, item.text = Result.UNREADABLE, text
    return item


def batches(items: Iterable[Item]) -> Iterator[tuple[list[Context], list[Item]]]:
    """Split what can be sent by association: the contexts of each, in order of need, and its files in their order."""
    by_context: dict[Context, list[tuple[int, Item]]] = {}
    for number, item in enumerate(items):
        if item.result is Result.NOT_SENT:
            by_context.setdefault(item.context, []).append((number, item))
    contexts = iter(by_context)
    while chosen := list(islice(contexts, MAX_CONTEXTS)):
        numbered = [pair for context in chosen for pair in by_context[context]]
        yield chosen, [item for _, item in sorted(numbered, key=itemgetter(0))]


# -- sending -----------------------------------------------------------------------------------------------------------


class Slice(FileSlice):
    """A slice of a file that tells how much of it has been read."""

    __slots__ = ("_advance",)
    _advance: Callable[[int], None]
    read_size = 256 * 1024  # which is how often it tells

    def __init__(
        self, path: str, offset: int, length: int, identity: tuple[int, ...] | None, advance: Callable[[int], None]
    ) -> None:
        """`advance` gets the number of bytes of each block, when the next one is wanted."""
        object.__setattr__(self, "_advance", advance)
        super().__init__(path, offset, length, identity)

    @property
    def has_path(self) -> bool:
        """Not to be said: what is fetched from a file when the socket takes it, is not told of."""
        return False

    def blocks(self, size: int) -> Iterator[bytes]:
        """As `FileSlice.blocks`."""
        for block in super().blocks(size):
            yield block
            self._advance(len(block))


def _nothing(_: Any) -> None:
    return None


@dataclass(slots=True)
class Sending:
    """Sends files, over as many associations as that takes."""

    requestor: Requestor
    """Who calls whom."""
    report: Callable[[Item], None] = _nothing
    """Told of every file that was sent, or refused."""
    advance: Callable[[int], None] | None = None
    """Told of bytes that have been read, to be sent; without it that is done faster."""
    associations: list[Association] = field(default_factory=list)
    """Those opened so far."""
    interrupted: bool = False
    """Whether Ctrl-C has ended it."""
    broken_off: bool = False
    """Whether an association has ended it, of which something was still wanted."""

    @property
    def failure(self) -> Outcome | None:
        """How the last association ended, if not in order or too early."""
        outcome = self.associations[-1].outcome if self.associations else None
        return None if outcome is None or (outcome.is_orderly and not self.broken_off) else outcome

    def send(self, items: Iterable[Item]) -> None:
        """Send what can be sent; what is not keeps its `NOT_SENT`. Raises nothing for what peer and files do."""
        try:
            for contexts, batch in batches(items):
                done = 0
                while done < len(batch):
                    sent = self._send_batch(contexts, batch[done:])
                    if not sent:
                        self.broken_off = True
                        return
                    done += sent
        except KeyboardInterrupt:
            self.interrupted = True

    def _send_batch(self, contexts: list[Context], batch: list[Item]) -> int:
        """Send over one association; how many files it is done with, 0 if it is no use to go on with another one."""
        association = self.requestor.associate(build_context(*context) for context in contexts)
        self.associations.append(association)
        if not association.is_established:
            return 0
        requests = LookAhead(self._prepared(association, item) for item in batch)

        def look_ahead() -> None:
            try:
                requests.look()
            except KeyboardInterrupt:  # when the present answer, which may be there, has been looked at
                self.interrupted = True

        with association:
            for number, item in enumerate(batch, 1):
                error = self._send_one(association, item, next(requests), look_ahead)
                self.report(item)
                if self.interrupted:
                    raise KeyboardInterrupt
                if not association.is_established:
                    # A file that broke off takes its association with it, but says nothing against the next one.
                    through = number == len(batch) and error is None
                    return number if through or isinstance(error, FileError) else 0
        return len(batch)

    def _prepared(self, association: Association, item: Item) -> Request | FileError | None:
        """The request to store a file, or what is wrong with the file; None if no context for it was accepted."""
        assert item.meta is not None
        try:
            context = association.context_for(*item.context)
        except ValueError:
            return None
        elements = {
            "affected_sop_class_uid": item.meta.sop_class_uid,
            "priority": LOW_PRIORITY,
            "affected_sop_instance_uid": item.meta.sop_instance_uid,
        }
        try:
            return Request("C-STORE-RQ", context.context_id, self._data_set(item), elements)
        except FileError as error:
            return error

    def _send_one(
        self, association: Association, item: Item, request: Request | FileError | None, meanwhile: Callable[[], None]
    ) -> DicomsimError | None:
        """Send one request and see what comes of it; `meanwhile` is done while the peer is at work on it."""
        if request is None:
            item.result, item.text = Result.FAILED, _not_accepted(association, item)
            return None
        clock = association.session.clock.monotonic
        begin = clock()
        try:
            if isinstance(request, FileError):
                raise request
            response = association.ask(request, meanwhile=meanwhile)
        except FileError as error:
            item.result, item.text = Result.FAILED, str(error).removeprefix(f"{item.path}: ")
            return error
        except (AssociationError, ConnectError, TimeLimitError) as error:
            item.result, item.text = Result.FAILED, "no answer"
            return error
        except KeyboardInterrupt:
            item.text = "interrupted before the answer came"
            raise
        item.seconds = clock() - begin
        if self.advance is not None and not isinstance(request.data, Slice):
            self.advance(item.size)
        _judge(item, response)
        return None

    def _data_set(self, item: Item) -> DataSource:
        """The data set, if it still is what was looked at: better known now than in the middle of it."""
        assert item.meta is not None
        offset, identity = item.meta.offset, item.meta.identity
        length = FileSlice(item.path, offset).length
        if length != item.size:
            raise FileError(f"{item.path}: has changed from {item.size} to {length} bytes of data set meanwhile")
        if self.advance is not None and length > Slice.read_size:
            return Slice(item.path, offset, length, identity, self.advance)
        data = FileSlice(item.path, offset, length, identity)
        return source_bytes(data) if length <= AHEAD else data


def _judge(item: Item, response: Message) -> None:
    item.status = response.status
    if response.status is None:
        item.result, item.text = Result.FAILED, "an answer without a status"
        return
    good = status_class(response.status) in (StatusClass.SUCCESS, StatusClass.WARNING)
    item.result = Result.STORED if good else Result.FAILED
    item.text = describe_status(response.status, response.affected_sop_class_uid or item.context[0], "C-STORE")
    if response.error_comment:
        item.text += f' ("{printable(response.error_comment)}")'


def _not_accepted(association: Association, item: Item) -> str:
    sop_class, transfer_syntax = item.context
    why = refusal(association, sop_class, transfer_syntax)
    return f"the peer does not take {uid_name(sop_class)} in {uid_name(transfer_syntax)}: {why}"
