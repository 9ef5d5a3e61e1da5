"""The presentation contexts of an AE: those it proposes as requestor and those it supports as acceptor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dicomsim.presentation import DEFAULT_TRANSFER_SYNTAXES, PresentationContext, build_context

MAX_CONTEXTS = 128
"""Odd numbers from 1 to 255, PS3.8 §9.3.2.2."""


class ContextLists:
    """The two lists, changed by their setters or one context at a time."""

    def __init__(self) -> None:
        self._requested: list[PresentationContext] = []
        self._supported: dict[str, PresentationContext] = {}

    @property
    def requested_contexts(self) -> list[PresentationContext]:
        """What is proposed, in this order."""
        return list(self._requested)

    @requested_contexts.setter
    def requested_contexts(self, contexts: Iterable[PresentationContext]) -> None:
        checked = [_context(one) for one in contexts]
        if len(checked) > MAX_CONTEXTS:
            raise ValueError(f"{len(checked)} contexts do not fit in one request: at most {MAX_CONTEXTS} do")
        self._requested = checked

    def add_requested_context(
        self, abstract_syntax: str, transfer_syntax: str | Iterable[str] = tuple(DEFAULT_TRANSFER_SYNTAXES)
    ) -> None:
        """Propose one more context; raises `ValueError` when there are 128 already."""
        if len(self._requested) >= MAX_CONTEXTS:
            raise ValueError(f"there are {MAX_CONTEXTS} requested contexts already")
        self._requested.append(build_context(abstract_syntax, _syntaxes(transfer_syntax)))

    def remove_requested_context(
        self, abstract_syntax: str, transfer_syntax: str | Iterable[str] | None = None
    ) -> None:
        """Propose no more contexts of that abstract syntax, or only without those transfer syntaxes."""
        removed = None if transfer_syntax is None else _syntaxes(transfer_syntax)
        kept = []
        for context in self._requested:
            if context.abstract_syntax != abstract_syntax:
                kept.append(context)
            elif removed is not None:
                reduced = _without(context, removed)
                if reduced.transfer_syntax:
                    kept.append(reduced)
        self._requested = kept

    @property
    def supported_contexts(self) -> list[PresentationContext]:
        """What is accepted, ordered by abstract syntax."""
        return [self._supported[uid] for uid in sorted(self._supported)]

    @supported_contexts.setter
    def supported_contexts(self, contexts: Iterable[PresentationContext]) -> None:
        checked = [_context(one) for one in contexts]
        self._supported = {}
        for one in checked:
            self.add_supported_context(str(one.abstract_syntax), one.transfer_syntax, one.scu_role, one.scp_role)

    def add_supported_context(
        self,
        abstract_syntax: str,
        transfer_syntax: str | Iterable[str] = tuple(DEFAULT_TRANSFER_SYNTAXES),
        scu_role: bool | None = None,
        scp_role: bool | None = None,
    ) -> None:
        """Accept an abstract syntax; for one that is accepted already, further transfer syntaxes."""
        for name, role in (("scu_role", scu_role), ("scp_role", scp_role)):
            if role is not None and not isinstance(role, bool):
                raise TypeError(f"{name} must be True, False or None, not {role!r}")
        context = self._supported.get(abstract_syntax)
        if context is None:
            context = self._supported[str(abstract_syntax)] = build_context(abstract_syntax, _syntaxes(transfer_syntax))
        else:
            for syntax in _syntaxes(transfer_syntax):
                context.add_transfer_syntax(syntax)
        context.scu_role, context.scp_role = scu_role, scp_role

    def remove_supported_context(
        self, abstract_syntax: str, transfer_syntax: str | Iterable[str] | None = None
    ) -> None:
        """Accept that abstract syntax no more, or only without those transfer syntaxes."""
        context = self._supported.pop(abstract_syntax, None)
        if context is not None and transfer_syntax is not None:
            reduced = _without(context, _syntaxes(transfer_syntax))
            if reduced.transfer_syntax:
                self._supported[str(abstract_syntax)] = reduced


def _context(value: Any) -> PresentationContext:
    if not isinstance(value, PresentationContext):
        raise TypeError(f"a presentation context must be a PresentationContext, not {value!r}")
    return value


def _syntaxes(value: str | Iterable[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _without(context: PresentationContext, removed: list[str]) -> PresentationContext:
    reduced = build_context(
        str(context.abstract_syntax), [one for one in context.transfer_syntax if one not in removed]
    )
    reduced.scu_role, reduced.scp_role = context.scu_role, context.scp_role
    return reduced
