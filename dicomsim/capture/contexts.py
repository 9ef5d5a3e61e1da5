"""`Contexts`: what was negotiated on the associations of a capture, as far as it is in the capture.

Requests are understood before the answer is seen: real clients send P-DATA before the A-ASSOCIATE-AC arrives.
"""

from __future__ import annotations

from dataclasses import dataclass

from dicomsim.capture.captured import CapturedPdu
from dicomsim.errors import WireError
from dicomsim.wire.pdu import AssociateAC, AssociateRQ


@dataclass(slots=True)
class Contexts:
    """The negotiation of one association; the first request and the first answer count."""

    request: AssociateRQ | None = None
    """The request, if it was seen and can be read."""
    answer: AssociateAC | None = None
    """The answer, if it was seen and can be read."""

    def note(self, captured: CapturedPdu) -> None:
        """Take a PDU of the association; those that negotiate nothing are passed over."""
        if captured.data[:1] not in b"\x01\x02" or captured.damage:
            return
        try:
            pdu = captured.pdu
        except WireError:
            return
        if isinstance(pdu, AssociateRQ) and self.request is None:
            self.request = pdu
        elif isinstance(pdu, AssociateAC) and self.answer is None:
            self.answer = pdu

    def abstract_syntax(self, context_id: int) -> str | None:
        """What was proposed in a context."""
        proposals = self.request.presentation_contexts if self.request else ()
        return next((context.abstract_syntax for context in proposals if context.context_id == context_id), None)

    def transfer_syntax(self, context_id: int) -> str | None:
        """What was accepted in a context; without an answer, what was proposed if that was one alone."""
        if self.answer is not None:
            answers = self.answer.presentation_contexts
            accepted = (context for context in answers if context.context_id == context_id and context.result == 0)
            return next((context.transfer_syntax for context in accepted), None)
        proposals = self.request.presentation_contexts if self.request else ()
        proposed = next((c.transfer_syntaxes for c in proposals if c.context_id == context_id), ())
        return proposed[0] if len(proposed) == 1 else None
