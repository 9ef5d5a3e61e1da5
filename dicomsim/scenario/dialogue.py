"""What both sides of a scripted association have said so far, as far as later PDUs depend on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dicomsim.dimse.messages import Message
from dicomsim.scenario.sample import EXPLICIT_LITTLE, IMPLICIT_LITTLE, Sample
from dicomsim.wire.items import ImplementationClassUid, ImplementationVersionName, MaximumLength
from dicomsim.wire.pdu import Abort, AssociateAC, AssociateRJ, AssociateRQ, Pdu, ReleaseRP

ENDINGS = (Abort, AssociateRJ, ReleaseRP)
"""PDUs after which no association is left. PS3.8 §9.2"""


@dataclass(slots=True)
class Dialogue:
    """One connection, as the script sees it."""

    called: str
    """Called AE title to use."""
    calling: str
    """Calling AE title to use."""
    sample: Sample = field(default_factory=Sample)
    """What is stored."""
    request: AssociateRQ | None = None
    """The A-ASSOCIATE-RQ that was sent or received last."""
    answer: AssociateAC | None = None
    """The A-ASSOCIATE-AC that was sent or received last."""
    asked: Message | None = None
    """The DIMSE request that was received last."""
    last_sent: Pdu | None = None
    """The PDU that was sent last, if it was one."""
    last_received: Pdu | None = None
    """The PDU that was received last."""
    message_id: int = 0
    """The Message ID that was used last."""
    peer_maximum: int = 0
    """The peer's maximum length, 0 as long as it has not announced one."""

    peer_implementation: tuple[str, ...] = ()
    """The peer's implementation version name and class UID, if it has told them."""

    def sent(self, pdu: Pdu) -> None:
        """Take note of a PDU of ours."""
        self.last_sent = pdu
        if isinstance(pdu, AssociateRQ):
            self.request = pdu
        elif isinstance(pdu, AssociateAC):
            self.answer = pdu

    def received(self, pdu: Pdu) -> None:
        """Take note of a PDU of the peer."""
        self.last_received = pdu
        if isinstance(pdu, AssociateRQ):
            self.request = pdu
        elif isinstance(pdu, AssociateAC):
            self.answer = pdu
        if isinstance(pdu, AssociateRQ | AssociateAC):
            item = pdu.user_item(MaximumLength)
            self.peer_maximum = item.value if item is not None else 0
            name, uid = pdu.user_item(ImplementationVersionName), pdu.user_item(ImplementationClassUid)
            self.peer_implementation = tuple(
                text for text in (name and name.name.strip(" \0"), uid and uid.uid.strip(" \0")) if text
            )

    @property
    def is_open(self) -> bool:
        """Whether an association exists."""
        return self.answer is not None and not isinstance(self.last_received, ENDINGS) and not self._ended_by_us

    @property
    def _ended_by_us(self) -> bool:
        return isinstance(self.last_sent, ENDINGS)

    def next_message_id(self) -> int:
        """The next Message ID, from 1."""
        self.message_id = self.message_id % 0xFFFF + 1
        return self.message_id

    def contexts(self) -> Mapping[int, tuple[str, str]]:
        """Abstract and transfer syntax of the accepted contexts, by presentation context ID."""
        if self.request is None or self.answer is None:
            return {}
        accepted = {each.context_id: each for each in self.answer.presentation_contexts if each.result == 0}
        return {
            offer.context_id: (offer.abstract_syntax or "", accepted[offer.context_id].transfer_syntax or "")
            for offer in self.request.presentation_contexts
            if offer.context_id in accepted
        }

    def context_for(self, abstract_syntax: str | None) -> int:
        """The accepted context for an abstract syntax, else the first accepted one, else 1."""
        contexts = self.contexts()
        fitting = (context_id for context_id, (syntax, _) in contexts.items() if syntax == abstract_syntax)
        return next(fitting, next(iter(contexts), 1))

    def transfer_syntax(self, context_id: int) -> str:
        """That of a context; implicit VR little endian, the default, if it was not accepted."""
        return self.contexts().get(context_id, ("", IMPLICIT_LITTLE))[1]


PREFERRED = (IMPLICIT_LITTLE, EXPLICIT_LITTLE)
"""What a script accepts if it may choose, in this order; else the first that is offered."""
