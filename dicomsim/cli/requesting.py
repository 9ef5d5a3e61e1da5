"""What the commands that call a peer do alike: an AE with the options' settings, and the association it opens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import click

from dicomsim.ae import AE
from dicomsim.association import Association
from dicomsim.cli.secure import Security
from dicomsim.engine.timeouts import Timeouts
from dicomsim.outcome import Ending, Outcome
from dicomsim.peer_address import PeerAddress
from dicomsim.presentation import PresentationContext
from dicomsim.wire.codes import describe_context_result
from dicomsim.wire.render import printable

REQUESTOR_TIMEOUTS: dict[str, float | None] = {"dimse": 60.0}
"""Where the commands differ from the AE's defaults: none of them may wait for an answer without end."""


@dataclass(frozen=True, slots=True)
class Requestor:
    """Opens associations with one peer."""

    peer: PeerAddress
    """Whom to call."""
    ae: AE
    """Who calls."""
    security: Security | None = None
    """TLS, if the connection is to be encrypted."""

    @classmethod
    def of(
        cls, peer: PeerAddress, calling: str, timeouts: Timeouts, max_pdu: int, trace: bool,
        security: Security | None = None,
    ) -> Requestor:  # fmt: skip
        """With the settings of the command line."""
        ae = AE(calling)
        ae.timeouts = timeouts
        ae.maximum_pdu_size = max_pdu
        if trace:
            from dicomsim.cli.trace import KINDS, Trace

            ae.events.add(Trace(lambda line: click.echo(line, err=True)), *KINDS)
        return cls(peer, ae, security)

    def associate(self, contexts: Iterable[PresentationContext]) -> Association:
        """Ask for an association; its `outcome` says why if it is not open."""
        peer = self.peer
        tls = None if self.security is None else (self.security[0], self.security[1] or peer.host)
        return self.ae.associate(peer.host, peer.port, contexts, peer.ae_title, tls_args=tls)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: the two AEs."""
        peer = {"ae_title": self.peer.ae_title, "host": self.peer.host, "port": self.peer.port}
        return {"peer": peer, "calling": self.ae.ae_title.decode("ascii").strip()}


def explain(outcome: Outcome, peer: PeerAddress) -> str:
    """An outcome that is not a release, with whom it is about and, where that can be said, what to do."""
    if outcome.how in (Ending.REFUSED, Ending.FAILED):
        return f"{peer}: {outcome.cause or outcome}"
    advice = _ADVICE.get(outcome.how, "")
    if outcome.how is Ending.REJECTED:
        advice = _REJECTIONS.get(outcome.codes[1:], advice)
    return f"{peer}: {outcome}" + (f"; {advice}" if advice else "")


_ADVICE = {Ending.TIMED_OUT: "--timeout gives it more time"}
_REJECTIONS: dict[tuple[int, ...], str] = {
    (1, 3): "the calling title is set by --calling",
    (1, 7): "the called title stands before the @",
}
"""What to do about a rejection, by source and reason."""


def describe_peer(association: Association) -> dict[str, Any] | None:
    """What the peer said of itself when it accepted; None if it did not."""
    agreement = association.session.agreement
    if agreement is None:
        return None
    implementation = agreement.peer_implementation
    return {
        "implementation_class_uid": implementation.class_uid,
        "implementation_version_name": implementation.version_name,
        "maximum_length": agreement.peer_maximum_length,
    }


def refusal(association: Association, sop_class: str, transfer_syntax: str | None = None) -> str:
    """What the peer answered to the contexts for a SOP class (in a transfer syntax): why none can be used."""
    agreement, request = association.session.agreement, association.session.request_pdu
    if agreement is None or request is None:
        return "no association"
    for proposed in request.presentation_contexts:
        context = agreement.rejected.get(proposed.context_id)
        if context is None or context.abstract_syntax != sop_class:
            continue
        if transfer_syntax is None or transfer_syntax in proposed.transfer_syntaxes:
            return "not answered" if context.result is None else describe_context_result(context.result)
    return "accepted in another transfer syntax, or for another role"


def implementation_text(association: Association) -> str:
    """Who the peer says it is, for people; empty if it says nothing."""
    said = describe_peer(association) or {}
    name = said.get("implementation_version_name") or said.get("implementation_class_uid") or ""
    return printable(name)
