"""The service classes of PS3.4 as providers: one function a DIMSE request, found in `SERVICES` by Command Field.

A provider gets a `Call`: the request, what was negotiated, the user's handlers, and the means to answer. It knows no
socket and no thread; whatever user code returns, yields or raises becomes a status here. Which service class a request
belongs to is a matter of its SOP class, so `judge` looks at that and the providers need not.
"""

from __future__ import annotations

from collections.abc import Callable

from dicomsim.dimse.table import COMMAND_FIELDS
from dicomsim.services import normalized, query, retrieve, storage, verification
from dicomsim.services.call import Call

PROVIDERS: dict[str, Callable[[Call], None]] = {
    "C-STORE": storage.c_store,
    "C-FIND": query.c_find,
    "C-GET": retrieve.c_get,
    "C-MOVE": retrieve.c_move,
    "C-ECHO": verification.c_echo,
    "N-EVENT-REPORT": normalized.n_event_report,
    "N-GET": normalized.n_get,
    "N-SET": normalized.n_set,
    "N-ACTION": normalized.n_action,
    "N-CREATE": normalized.n_create,
    "N-DELETE": normalized.n_delete,
}
"""The provider of each DIMSE service, in the standard's order."""

SERVICES = {COMMAND_FIELDS[f"{name}-RQ"]: provider for name, provider in PROVIDERS.items()}
"""The provider of each request."""

HANDLERS = {COMMAND_FIELDS[f"{name}-RQ"]: f"on_{name.lower().replace('-', '_')}" for name in PROVIDERS}
"""The user's handler that each request needs."""
