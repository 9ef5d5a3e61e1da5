"""Ask the peer for something, and send it bytes that nobody asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from dicomsim.association import VERIFICATION, Association
from dicomsim.dimse.messages import Message
from dicomsim.errors import DicomsimError, FileError
from dicomsim.part10 import read_file_meta
from dicomsim.repl.command import CommandError, Registry
from dicomsim.repl.forms import BYTES, COUNT, FIELD, LENGTHS, PATH
from dicomsim.repl.output import Tone
from dicomsim.repl.proposals import UNCOMPRESSED, dicom_files
from dicomsim.repl.raw_pdu import Circumstances, raw_bytes
from dicomsim.repl.trace import pdu_text
from dicomsim.repl.workbench import Workbench
from dicomsim.sop_class import uid_name
from dicomsim.status import StatusClass, describe_status, status_class
from dicomsim.wire.render import printable

SHOWN_EACH = 20
"""Echoes and files that get a line each; of more than that, only those that fail."""


class RefusedError(DicomsimError):
    """The peer answered, but not with success."""


def echo(bench: Workbench, count: Annotated[int, COUNT, "how many, one after the other"] = 1) -> None:
    """Verify that the peer answers (C-ECHO)."""
    association = bench.require_association()
    clock = association.session.clock.monotonic
    times: list[float] = []
    refused = 0
    for number in range(1, count + 1):
        begin = clock()
        try:
            response = association.c_echo()
        except ValueError as error:
            raise RefusedError(str(error)) from None
        times.append(1e3 * (clock() - begin))
        good = _is_good(response)
        refused += not good
        if not good or count <= SHOWN_EACH:
            which = f" {number}" if count > 1 else ""
            meaning = _meaning(response, VERIFICATION, "C-ECHO")
            bench.say(f"C-ECHO{which}: {meaning}, {times[-1]:.2f} ms", Tone.GOOD if good else Tone.BAD)
    if count > 1:
        times.sort()
        bench.say(
            f"{count - refused} of {count} echoes answered with success, "
            f"{times[0]:.2f} / {times[len(times) // 2]:.2f} / {times[-1]:.2f} ms (least / median / most)"
        )
    if refused:
        raise RefusedError(f"{refused} of {count} echoes were refused")


def store(
    bench: Workbench,
    path: Annotated[Path, PATH, "a DICOM file, or a folder of them"],
    *more: Annotated[Path, PATH, "further ones"],
) -> None:
    """Send DICOM files to the peer (C-STORE).

    Files go as they stand. One that is not compressed is re-encoded where the peer took another uncompressed transfer
    syntax for its SOP class.
    """
    association = bench.require_association()
    files = dicom_files((path, *more))
    clock = association.session.clock.monotonic
    begin = clock()
    stored = size = 0
    for file in files:
        problem = _store_one(bench, association, file, len(files) <= SHOWN_EACH)
        if problem:
            bench.complain(problem)
        else:
            stored += 1
            size += _size(file)
    seconds = max(clock() - begin, 1e-9)
    if len(files) != 1:
        bench.say(f"{stored} of {len(files)} files stored, {size / 1e6:.1f} MB in {seconds:.1f} s")
    if not files:
        raise RefusedError("there are no files")
    if stored < len(files):
        raise RefusedError(f"{len(files) - stored} of {len(files)} files were not stored")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # it has gone meanwhile, and is stored all the same
        return 0


def _store_one(bench: Workbench, association: Association, file: Path, show: bool) -> str:
    """Send one file; what went wrong with it, raising only what went wrong with the association."""
    clock = association.session.clock.monotonic
    begin = clock()
    try:
        sop_class = read_file_meta(file).sop_class_uid
        response, note = _sent(association, file)
    except FileError as error:
        if association.outcome is not None:
            raise
        return str(error)
    except ValueError as error:
        return f"{file}: {error}; open proposes what is needed if it is given the file: open PEER {file}"
    seconds = clock() - begin
    meaning = _meaning(response, sop_class, "C-STORE")
    if not _is_good(response):
        return f"{file}: {meaning}"
    if show:
        bench.say(f"{file}: {meaning}, {uid_name(sop_class)}{note}, {1e3 * seconds:.1f} ms", Tone.GOOD)
    return ""


def _sent(association: Association, file: Path) -> tuple[Message, str]:
    """The response, and how the data set was changed on its way."""
    try:
        return association.c_store(file), ""
    except ValueError:
        if read_file_meta(file).transfer_syntax_uid not in UNCOMPRESSED:
            raise
        from dicomsim.datasets import read_file  # loads pydicom, which files that go as they stand do not need

        return association.c_store(read_file(file)), ", re-encoded"


def _is_good(response: Message) -> bool:
    status = response.status
    return status is not None and status_class(status) in (StatusClass.SUCCESS, StatusClass.WARNING)


def _meaning(response: Message, sop_class: str, service: str) -> str:
    if response.status is None:
        return "an answer without a status"
    comment = f' ("{printable(response.error_comment)}")' if response.error_comment else ""
    return describe_status(response.status, sop_class, service) + comment


def send(
    bench: Workbench,
    *what: Annotated[str, BYTES, "a PDU or message by name (codes may follow: A-ABORT 2/1), hex 04 00, file PATH"],
    lengths: Annotated[str, LENGTHS, "whether the lengths around written fields follow"] = "fix",
    **fields: Annotated[str, FIELD, "a field of it: source=2, maximum_length=0, Status=A700, contexts.3.result"],
) -> None:
    """Send raw bytes, past our state machine and past the rules.

    Our side stays in the state it is in: after send A-RELEASE-RQ it does not expect an answer, and treats one as it
    would treat any peer's mistake. release and abort are the orderly ways.
    """
    if not what:
        raise CommandError("send needs bytes: send A-ABORT source=2, send C-ECHO-RQ, send hex 0400")
    association = bench.association
    if association is None or not association.session.is_open:
        association = bench.require_association()
    session = association.session
    try:
        data = raw_bytes(what, fields, Circumstances(session.calling, session.called), keep_lengths=lengths == "keep")
    except ValueError as error:
        raise CommandError(str(error)) from None
    if not data:
        raise CommandError("that makes no bytes to send")
    state = session.state.value
    session.send_raw(data)
    bench.say(f"sent {len(data)} bytes in {state}: {pdu_text(data)}")


def register(registry: Registry) -> None:
    """Add the commands."""
    registry.command("echo", calls=True)(echo)
    registry.command("store", calls=True)(store)
    registry.command("send", calls=True)(send)
