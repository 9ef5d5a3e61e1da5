"""The handlers of an AE: functions of the user's, each called for one thing that peers ask for or that happens.

A handler is set as an attribute (`ae.on_c_store = function`) or is a method of a class derived from `AE`; None, the
default, is no handler. Names that begin with `on_` are kept for handlers, so that a misspelt one is noticed when it is
set and not when it is missed.

What most of them get, PS3.4's requests:

- `dataset`: the identifier, attributes or object, a pydicom `Dataset` (see `StoreTo` for other forms of an object);
- `context`: a named tuple of `context_id`, `abstract_syntax` and `transfer_syntax`;
- `info`: a dict with `requestor` (`ae_title`, `called_aet`, `address`, `port`), `acceptor` (`ae_title`, `address`,
  `port`), `parameters` (`message_id` and what else belongs to the request), `sop_class_extended`, `cancelled` (a
  function that says whether a C-CANCEL came for the request) and `association`.

A status is an int or a `Dataset` with (0000,0900) and perhaps further elements of PS3.7 Annex C. A handler that raises,
or returns something else, gives the failure status of its service; the traceback is logged, the association goes on.
So does one that does not end: it is answered for after `timeouts.handler`.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

Handler = Callable[..., Any] | None

PREFIX = "on_"


class Handlers:
    """The handlers by name; each docstring says what it is called with, and what it returns."""

    on_c_echo: Handler = None
    """(context, info) -> status. Without it every C-ECHO succeeds."""
    on_c_store: Handler = None
    """(dataset, context, info) -> status."""
    on_c_find: Handler = None
    """(dataset, context, info) yields (status, identifier or None)."""
    on_c_find_cancel: Handler = None
    """() -> whether the C-FIND under way is to end; called when a C-CANCEL came for it."""
    on_c_get: Handler = None
    """(dataset, context, info) yields the number of sub-operations, then (status, dataset or None)."""
    on_c_get_cancel: Handler = None
    """() -> whether the C-GET under way is to end."""
    on_c_move: Handler = None
    """(dataset, move_aet, context, info) yields (address, port), or (None, None) for an unknown destination, then the
    number of sub-operations, then (status, dataset or None)."""
    on_c_move_cancel: Handler = None
    """() -> whether the C-MOVE under way is to end."""
    on_n_action: Handler = None
    """(dataset, context, info) -> status, dataset or None."""
    on_n_create: Handler = None
    """(dataset, context, info) -> status, dataset or None."""
    on_n_delete: Handler = None
    """(context, info) -> status."""
    on_n_event_report: Handler = None
    """(dataset, context, info) -> status, dataset or None."""
    on_n_get: Handler = None
    """(attributes, context, info) -> status, dataset or None; `attributes` is a list of tags."""
    on_n_set: Handler = None
    """(dataset, context, info) -> status, dataset or None."""

    on_user_identity: Handler = None
    """(user_id_type, primary_field, secondary_field, info) -> (is_verified, response bytes or None), or a plain bool.

    Not verified, or an exception, rejects the association (1/2/1). The response goes to a requestor that asked for
    one; for types 1 and 2 it is empty. `info` has `requestor` alone. Without a handler identities are ignored, which
    leaves a wanted response out. PS3.7 §D.3.3.7."""
    on_sop_class_extended: Handler = None
    """({SOP class: bytes}) -> {SOP class: bytes} or None: the application information to answer with, as it is to be
    sent. What is left out is not answered. PS3.7 §D.3.3.5."""
    on_sop_class_common_extended: Handler = None
    """({SOP class: SOPClassCommonExtendedNegotiation}) -> those of them that are accepted: contexts of these SOP
    classes are taken as their service class, or a related general SOP class, is. PS3.7 §D.3.3.6."""
    on_async_ops_window: Handler = None
    """(invoked, performed) -> (invoked, performed) or None: how many operations may be outstanding, 0 for any number;
    never more than was offered is answered. Without it, or with None, one each. PS3.7 §D.3.3.3."""

    on_make_connection: Handler = None
    """([association]): as requestor, the transport connection is there."""
    on_receive_connection: Handler = None
    """([association]): as acceptor, a transport connection came in."""
    on_association_requested: Handler = None
    """([AssociatePrimitive]) -> None or True to go on; False, (result, source, reason) or an `AssociateRJ` to reject.
    An exception rejects the association for now (2/1/1). Called as acceptor, before anything else is negotiated."""
    on_association_accepted: Handler = None
    """([AssociatePrimitive]): in either role, the association is open."""
    on_association_rejected: Handler = None
    """([AssociatePrimitive]): in either role, it was rejected, with `result`, `result_source` and `diagnostic`."""
    on_association_released: Handler = None
    """([ReleasePrimitive]): it ended in order."""
    on_association_aborted: Handler = None
    """([AbortPrimitive]): it ended in any other way: A-ABORT, a lost connection, a timeout; `outcome` says which."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith(PREFIX):
            _require_handler(name)
            if value is not None and not callable(value):
                raise TypeError(f"{name} must be callable or None, not {value!r}")
        super().__setattr__(name, value)

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        for name in vars(cls):
            if name.startswith(PREFIX):
                _require_handler(name)

    def handler(self, name: str) -> Callable[..., Any] | None:
        """The user's function of that name, or None."""
        function: Handler = getattr(self, name)
        return function


HANDLERS = tuple(name for name in vars(Handlers) if name.startswith(PREFIX))
"""The names of all handlers."""


def _require_handler(name: str) -> None:
    if name not in HANDLERS:
        near = get_close_matches(name, HANDLERS, 1)
        raise AttributeError(f"there is no handler {name!r}" + (f": did you mean {near[0]!r}?" if near else ""))
