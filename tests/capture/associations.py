"""Associations made for tests: PDUs, and the items they are in a capture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dicomsim.capture.captured import Item
from dicomsim.capture.conversation import from_events
from dicomsim.capture.track import keep_in_memory
from dicomsim.dimse.builders import build
from dicomsim.dimse.fragmenter import fragment
from dicomsim.events import CloseHow, Side
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.items import (
    ApplicationContext,
    MaximumLength,
    PresentationContextAC,
    PresentationContextRQ,
    TransferSyntax,
    UserInformation,
    UserItem,
)
from dicomsim.wire.pdu import AssociateAC, AssociateRQ, pad_ae_title
from tests.capture.live_events import RELEASE_RP, RELEASE_RQ, Association

REQUESTOR, ACCEPTOR = Side.REQUESTOR, Side.ACCEPTOR
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
CT, MR, FIND = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.2.2.1"

Said = tuple[Side, bytes]


def request(*contexts: tuple[int, str, tuple[str, ...]], items: Iterable[UserItem] = (), maximum: int = 16384) -> Said:
    """An A-ASSOCIATE-RQ with these contexts."""
    proposals = [PresentationContextRQ.of(number, abstract, *syntaxes) for number, abstract, syntaxes in contexts]
    user = UserInformation((MaximumLength(maximum), *items))
    pdu = AssociateRQ(pad_ae_title("ARCH"), pad_ae_title("SCU"), (ApplicationContext(), *proposals, user))
    return REQUESTOR, encode_pdu(pdu)


def answer(*contexts: tuple[int, int, str], maximum: int = 16384) -> Said:
    """An A-ASSOCIATE-AC with these results and transfer syntaxes."""
    answers = [PresentationContextAC(number, result, (TransferSyntax(uid),)) for number, result, uid in contexts]
    user = UserInformation((MaximumLength(maximum),))
    pdu = AssociateAC(pad_ae_title("ARCH"), pad_ae_title("SCU"), (ApplicationContext(), *answers, user))
    return ACCEPTOR, encode_pdu(pdu)


def message(sender: Side, name: str, context_id: int = 1, data: bytes | None = None, **elements: Any) -> Said:
    """A message in as few PDUs as possible."""
    return sender, b"".join(fragment(build(name, context_id, data, **elements), 0))


def ask(name: str, number: int = 1, data: bytes | None = None, **elements: Any) -> Said:
    """A request of the requestor."""
    return message(REQUESTOR, name, data=data, message_id=number, **elements)


def respond(name: str, status: int = 0, number: int = 1, data: bytes | None = None, **elements: Any) -> Said:
    """A response of the acceptor."""
    return message(ACCEPTOR, name, data=data, message_id_being_responded_to=number, status=status, **elements)


RELEASE: tuple[Said, Said] = ((REQUESTOR, RELEASE_RQ), (ACCEPTOR, RELEASE_RP))


def items(*said: Said, by: Side = REQUESTOR, how: CloseHow = CloseHow.FIN) -> list[Item]:
    """What a capture of this has in it."""
    association = Association()
    stream = [association.opened(), *(association.said(side, data) for side, data in said)]
    stream.append(association.closed(by, how))
    return list(from_events(stream, choose_sink=keep_in_memory(1 << 20)))
