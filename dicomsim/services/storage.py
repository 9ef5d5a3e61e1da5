"""Storage, PS3.4 Annex B: where the data set of a C-STORE goes, and what is answered.

`StoreTo` says in which form the handler gets the data set. Nothing is decoded unless it is asked for as a `Dataset`; as
a file it is written byte for byte as it came, in the transfer syntax of its context.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomsim.dimse.data import DiscardSink, FileSink, MemorySink, Sink
from dicomsim.part10 import file_meta, file_name
from dicomsim.services.call import Call, RefusedError
from dicomsim.services.judge import judge
from dicomsim.status import Status
from dicomsim.upper_layer.negotiation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

if TYPE_CHECKING:
    from dicomsim.dimse.messages import Message
    from dicomsim.presentation import PresentationContextTuple

LOGGER = logging.getLogger("dicomsim")


class StoreTo(Enum):
    """The form in which `on_c_store` gets a data set."""

    DATASET = "dataset"
    """A pydicom `Dataset`."""
    BYTES = "bytes"
    """The encoded data set as it came."""
    FILE = "file"
    """A `pathlib.Path` of a DICOM file in the AE's `store_folder`."""
    NOWHERE = "nowhere"
    """None: the data set is read and forgotten."""


def make_sink(form: StoreTo, folder: Path, message: Message, context: PresentationContextTuple, source: str) -> Sink:
    """Where the data set of this C-STORE goes; raises `OSError` if a file cannot be made."""
    if form is StoreTo.NOWHERE:
        return DiscardSink()
    if form is not StoreTo.FILE:
        return MemorySink()
    instance = message.affected_sop_instance_uid or ""
    meta = file_meta(
        message.affected_sop_class_uid or "",
        instance,
        str(context.transfer_syntax),
        IMPLEMENTATION_CLASS_UID,
        IMPLEMENTATION_VERSION_NAME,
        source,
    )
    return FileSink(os.path.join(folder, file_name(instance)), meta)


def c_store(call: Call) -> None:
    """Answer with the handler's status; without a handler, with success if the AE keeps or discards by itself."""
    judge(call)
    message = call.message
    if message.sink_error is not None:
        raise RefusedError(Status.OUT_OF_RESOURCES, _why(message.sink_error, message))
    form: StoreTo = call.association.ae.store_to
    if form in (StoreTo.FILE, StoreTo.NOWHERE) and call.handlers.handler("on_c_store") is None:
        call.respond(Status.SUCCESS)
        return
    call.respond_with(call.run("on_c_store", _FORMS[form](call), call.context, call.info))


def _why(error: Exception, message: Message) -> str:
    LOGGER.error("%s: the data set could not be kept: %s", message.describe(), error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "no space left"
    return "data set could not be kept"


def _path(call: Call) -> Path:
    folder: Path = call.association.ae.store_folder
    return folder / file_name(call.message.affected_sop_instance_uid or "")


_FORMS: dict[StoreTo, Callable[[Call], Any]] = {
    StoreTo.DATASET: Call.dataset,
    StoreTo.BYTES: lambda call: call.message.data_bytes(),
    StoreTo.FILE: _path,
    StoreTo.NOWHERE: lambda call: None,
}
