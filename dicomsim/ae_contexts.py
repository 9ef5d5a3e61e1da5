"""The presentation contexts of an AE: what it proposes as requestor and supports as acceptor. PS3.8 §7.1.1.13."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dicomsim.presentation import DEFAULT_TRANSFER_SYNTAXES, MAX_CONTEXTS, PresentationContext, build_context

Syntaxes = str | bytes | Iterable[str | bytes]
"""One transfer syntax or several."""

_DEFAULT: tuple[str, ...] = tuple(DEFAULT_TRANSFER_SYNTAXES)


class ContextLists:
    """The two lists, changed by their setters or one context at a time.

    UIDs may be `str` (with its classes of pydicom and of `dicomsim.sop_class`) or `bytes`, registered ones or private.
    """

    def __init__(self) -> None:
        self._requested: list[PresentationContext] = []
        self._supported: dict[str, PresentationContext] = {}

    @property
    def requested_contexts(self) -> list[PresentationContext]:
        """What is proposed, in this order; raises `ValueError` when set to more than 128."""
        return list(self._requested)

    @requested_contexts.setter
    def requested_contexts(self, contexts: Iterable[PresentationContext]) -> None:
        checked = _checked("requested_contexts", contexts)
        if len(checked) > MAX_CONTEXTS:
            raise ValueError(f"{len(checked)} contexts do not fit in one request: at most {MAX_CONTEXTS} do")
        self._requested = checked

    def add_requested_context(
        self,
        abstract_syntax: str | bytes,
        transfer_syntax: Syntaxes = _DEFAULT,
        *,
        scu_role: bool | None = None,
        scp_role: bool | None = None,
    ) -> None:
        """Propose one more context, for an abstract syntax that is there already too; and roles, where they are given.

        Raises `ValueError` when there are 128 already.
        """
        if len(self._requested) >= MAX_CONTEXTS:
            raise ValueError(f"there are {MAX_CONTEXTS} requested contexts already, as many as fit in one request")
        context = build_context(abstract_syntax, _listed(transfer_syntax))
        context.scu_role, context.scp_role = scu_role, scp_role
        self._requested.append(context)

    def remove_requested_context(self, abstract_syntax: str | bytes, transfer_syntax: Syntaxes | None = None) -> None:
        """Propose no more contexts of that abstract syntax, or only without those transfer syntaxes.

        A context that is left without any goes as well; what is not there is not missed.
        """
        uid = build_context(abstract_syntax).abstract_syntax
        kept = []
        for context in self._requested:
            reduced = context if context.abstract_syntax != uid else _without(context, transfer_syntax)
            if reduced is not None:
                kept.append(reduced)
        self._requested = kept

    @property
    def supported_contexts(self) -> list[PresentationContext]:
        """What is accepted, ordered by abstract syntax; as many as you like."""
        return [self._supported[uid] for uid in sorted(self._supported)]

    @supported_contexts.setter
    def supported_contexts(self, contexts: Iterable[PresentationContext]) -> None:
        merged = ContextLists()  # so that one that is refused changes nothing
        for one in _checked("supported_contexts", contexts):
            merged.add_supported_context(str(one.abstract_syntax), one.transfer_syntax, one.scu_role, one.scp_role)
        self._supported = merged._supported

    def supported_context(self, abstract_syntax: str) -> PresentationContext | None:
        """What is accepted for an abstract syntax, None if nothing is."""
        return self._supported.get(abstract_syntax)

    def add_supported_context(
        self,
        abstract_syntax: str | bytes,
        transfer_syntax: Syntaxes = _DEFAULT,
        scu_role: bool | None = None,
        scp_role: bool | None = None,
    ) -> None:
        """Accept an abstract syntax; for one that is accepted already, further transfer syntaxes.

        The roles say what is answered to a requestor that proposes to be SCU or SCP of it; with None for either,
        nothing is, and the requestor is SCU. Where the abstract syntax is accepted already, None changes no role.
        """
        added = build_context(abstract_syntax, _listed(transfer_syntax))
        added.scu_role, added.scp_role = scu_role, scp_role
        context = self._supported.setdefault(str(added.abstract_syntax), added)
        if context is not added:
            for syntax in added.transfer_syntax:
                context.add_transfer_syntax(syntax)
            context.scu_role = context.scu_role if scu_role is None else scu_role
            context.scp_role = context.scp_role if scp_role is None else scp_role

    def remove_supported_context(self, abstract_syntax: str | bytes, transfer_syntax: Syntaxes | None = None) -> None:
        """Accept that abstract syntax no more, or only without those transfer syntaxes.

        A context that is left without any goes as well; what is not there is not missed.
        """
        uid = str(build_context(abstract_syntax).abstract_syntax)
        context = self._supported.pop(uid, None)
        reduced = None if context is None else _without(context, transfer_syntax)
        if reduced is not None:
            self._supported[uid] = reduced


def checked_context(value: Any) -> PresentationContext:
    """The value, if it is a context with an abstract syntax; raises `TypeError` or `ValueError` otherwise."""
    if not isinstance(value, PresentationContext):
        raise TypeError(f"a presentation context must be a PresentationContext, not {value!r}")
    if value.abstract_syntax is None:
        raise ValueError(f"a presentation context must have an abstract syntax, unlike {value!r}")
    return value


def _checked(name: str, contexts: Any) -> list[PresentationContext]:
    if isinstance(contexts, str | bytes) or not isinstance(contexts, Iterable):
        raise TypeError(f"{name} must be a list of PresentationContext, not {contexts!r}")
    return [checked_context(one) for one in contexts]


def _listed(syntaxes: Syntaxes) -> list[str | bytes]:
    if not isinstance(syntaxes, Iterable):
        raise TypeError(f"transfer_syntax must be a UID or a list of them, not {syntaxes!r}")
    listed = [syntaxes] if isinstance(syntaxes, str | bytes) else list(syntaxes)
    if not listed:
        raise ValueError("a presentation context must have a transfer syntax")
    return listed


def _without(context: PresentationContext, syntaxes: Syntaxes | None) -> PresentationContext | None:
    """A copy without these transfer syntaxes; None if that, or None for `syntaxes`, leaves nothing."""
    if syntaxes is None:
        return None
    reduced = build_context(str(context.abstract_syntax), context.transfer_syntax)
    for syntax in _listed(syntaxes):
        reduced.remove_transfer_syntax(syntax)
    reduced.context_id = context.context_id
    reduced.scu_role, reduced.scp_role = context.scu_role, context.scp_role
    return reduced if reduced.transfer_syntax else None
