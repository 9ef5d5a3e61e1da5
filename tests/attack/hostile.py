"""A peer that says exactly what it is told to: one connection, bytes out, PDUs in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dicomsim.ae import AE
from dicomsim.dimse.builders import c_echo_rq
from dicomsim.dimse.fragmenter import fragment
from dicomsim.dimse.messages import Message
from dicomsim.engine.stream import BlockingStream, connect_stream
from dicomsim.upper_layer.negotiation import build_request, propose
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.framer import Framer
from dicomsim.wire.pdu import Abort, AssociateAC, AssociateRJ, Pdu, ReleaseRP
from tests.meeting import CT_IMAGE_STORAGE, IMPLICIT, LIMIT, VERIFICATION

CONTEXTS = propose([(VERIFICATION, (IMPLICIT,)), (CT_IMAGE_STORAGE, (IMPLICIT,))])
"""What hostile requestors propose: contexts 1 and 3."""

LAST_WORDS = (Abort, AssociateRJ, ReleaseRP)
"""After these an acceptor is in Sta13, and closes only when ARTIM has run out."""


def request(maximum_length: int = 16382) -> bytes:
    """An A-ASSOCIATE-RQ that nothing is wrong with."""
    return encode_pdu(build_request("ACCEPTOR", "HOSTILE", CONTEXTS, maximum_length=maximum_length))


def encoded(message: Message, maximum_length: int = 16382) -> bytes:
    """A message as P-DATA-TF PDUs."""
    return b"".join(map(bytes, fragment(message, maximum_length)))


def echo(message_id: int = 1) -> bytes:
    """A C-ECHO-RQ that nothing is wrong with."""
    return encoded(c_echo_rq(message_id, 1))


class Hostile:
    """One connection to a victim."""

    def __init__(self, stream: BlockingStream) -> None:
        self.stream = stream
        self._framer = Framer(whole=True)
        self._pdus: list[bytes] = []

    def say(self, *parts: bytes) -> None:
        """Send, all in one write."""
        self.stream.send(b"".join(parts), LIMIT)

    def is_accepted(self, request: bytes) -> bool:
        """Whether an A-ASSOCIATE-AC comes for the request."""
        self.say(request)
        return isinstance(self.hear(), AssociateAC)

    def hear(self) -> Pdu | None:
        """The next PDU; None when the victim has closed or reset the connection. Raises `TimeLimitError`."""
        while not self._pdus:
            try:
                data = self.stream.receive(LIMIT)
            except ConnectionError:
                return None
            if not data:
                return None
            self._pdus += self._framer.pdus(data)
        return decode_pdu(self._pdus.pop(0))

    def hear_all(self) -> list[Pdu]:
        """Everything up to the end of the connection, or to the PDU behind which the victim waits for us to close."""
        heard: list[Pdu] = []
        while not (heard and isinstance(heard[-1], LAST_WORDS)) and (pdu := self.hear()) is not None:
            heard.append(pdu)
        return heard


@contextmanager
def hostile(address: tuple[str, int]) -> Iterator[Hostile]:
    """A connection to a victim that listens there, closed in the end."""
    with connect_stream(*address, LIMIT) as stream:
        yield Hostile(stream)


def survives(address: tuple[str, int]) -> bool:
    """Whether a plain C-ECHO works."""
    ae = AE("SURVIVOR")
    ae.add_requested_context(VERIFICATION)
    with ae.associate(*address) as association:
        return association.c_echo().status == 0
