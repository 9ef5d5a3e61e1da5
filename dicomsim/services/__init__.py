"""The service classes of PS3.4 as providers: one function a DIMSE request, found in `SERVICES` by Command Field.

A provider gets a `Call`: the request, what was negotiated, the user's handlers, and the means to answer. It knows no socket,
no thread and no association; whatever user code returns or raises becomes a status here.
"""

from __future__ import annotations

from collections.abc import Callable

from dicomsim.dimse.table import COMMAND_FIELDS
from dicomsim.services import storage, verification
from dicomsim.services.call import Call

SERVICES: dict[int, Callable[[Call], None]] = {
    COMMAND_FIELDS["C-ECHO-RQ"]: verification.c_echo,
    COMMAND_FIELDS["C-STORE-RQ"]: storage.c_store,
}
"""The provider of each request."""

HANDLERS: dict[int, str] = {
    COMMAND_FIELDS["C-ECHO-RQ"]: "on_c_echo",
    COMMAND_FIELDS["C-STORE-RQ"]: "on_c_store",
}
"""The user's handler that each request needs."""
