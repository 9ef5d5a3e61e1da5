"""SCP/SCU role selection: who may be what for a SOP class, seen from the requestor. PS3.7 §D.3.3.4."""

from __future__ import annotations

from dataclasses import dataclass

from dicomsim.wire.items import RoleSelection

SUPPORTED = 1
"""The one value of a role that proposes or accepts it; any other does not."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Roles for one SOP class; the peer's are the complement: who is SCU faces an SCP."""

    scu: bool
    """May invoke the operations of the SOP class."""
    scp: bool
    """May perform them."""

    @property
    def complement(self) -> Roles:
        """The roles of the other side."""
        return Roles(self.scp, self.scu)


DEFAULT = Roles(scu=True, scp=False)
"""The requestor's roles without negotiation."""


def requestor_roles(proposed: RoleSelection | None, answered: RoleSelection | None) -> Roles:
    """What is in force after a proposal and its answer; both may be missing.

    A role counts if it was proposed and accepted: an acceptor that grants what nobody asked for grants nothing. Without
    an answer the proposal counts for nothing and the defaults stand; answered 0 and 0, no role is left.
    """
    if proposed is None or answered is None:
        return DEFAULT
    return Roles(
        proposed.scu_role == SUPPORTED == answered.scu_role,
        proposed.scp_role == SUPPORTED == answered.scp_role,
    )


def answer_roles(proposed: RoleSelection, scu: bool | None, scp: bool | None) -> RoleSelection | None:
    """The acceptor's answer: never more than was proposed, and none at all if either flag is None.

    `scu` and `scp` say whether the requestor may be that; None leaves the proposal unanswered.
    """
    if scu is None or scp is None:
        return None
    return RoleSelection(
        proposed.sop_class_uid,
        int(scu and proposed.scu_role == SUPPORTED),
        int(scp and proposed.scp_role == SUPPORTED),
    )
