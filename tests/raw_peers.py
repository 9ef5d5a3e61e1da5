"""Peers by bytes: what they send is written down, and what comes back is cut into PDUs and nothing else."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Self

from dicomsim.dimse.builders import build
from dicomsim.dimse.fragmenter import fragment
from dicomsim.engine.stream import BlockingStream, StreamListener, connect_stream
from dicomsim.upper_layer.negotiation import AcceptorPolicy, SupportedContext, negotiate
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.command import decode_command
from dicomsim.wire.framer import Framer
from dicomsim.wire.pdu import AssociateAC, AssociateRQ, PDataTF
from tests.meeting import IMPLICIT, LIMIT, VERIFICATION
from tests.oracle import document

LARGEST = (1 << 32) - 1
A_ABORT = 7

RQ_BASE = bytes.fromhex(document("vectors/malformed")["rq_base_hex"])
"""Context 1 is Verification, context 3 CT Image Storage; both in Implicit VR Little Endian."""

RELEASE_RQ = bytes.fromhex("05000000000400000000")
RELEASE_RP = bytes.fromhex("06000000000400000000")
ABORT = bytes.fromhex("07000000000400000000")


class RawPeer:
    """One connection of a peer by bytes."""

    def __init__(self, stream: BlockingStream) -> None:
        self.stream = stream
        self._framer = Framer(limit=LARGEST, whole=True)
        self._pdus: deque[bytes] = deque()

    def send(self, data: bytes) -> None:
        """Send bytes; one who has closed does not hear them, which is for the test to notice otherwise."""
        try:
            self.stream.send(data, LIMIT)
        except ConnectionError:
            pass

    def next(self) -> bytes:
        """The next PDU; empty when the connection has ended, in whatever way."""
        while not self._pdus:
            try:
                data = self.stream.receive(LIMIT)
            except ConnectionError:
                return b""
            if not data:
                return b""
            self._pdus.extend(self._framer.pdus(data))
        return self._pdus.popleft()

    def rest(self) -> list[bytes]:
        """All PDUs up to the end of the connection."""
        return list(iter(self.next, b""))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()


def raw_requestor(address: tuple[str, int], request: bytes = b"") -> RawPeer:
    """A peer that has connected, and has sent a request and got the answer if there is one."""
    peer = RawPeer(connect_stream(*address, LIMIT))
    if request:
        peer.send(request)
        assert peer.next()[:1] == b"\x02"
    return peer


class RawAcceptor:
    """A peer that listens, and does with its one connection what the script says, in a thread of its own."""

    def __init__(self, script: Callable[[RawPeer], object]) -> None:
        self._listener = StreamListener()
        self._script = script
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.address = self._listener.address
        self.received: list[bytes] = []
        """What came, PDU by PDU, up to an A-ABORT, after which it closes, or the end; complete behind the block."""

    def _run(self) -> None:
        with RawPeer(self._listener.accept(LIMIT)) as peer:
            self._script(peer)
            while pdu := peer.next():
                self.received.append(pdu)
                if pdu[0] == A_ABORT:
                    break

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(LIMIT)
        self._listener.close()
        assert not self._thread.is_alive()


def answering(*pdus: bytes) -> Callable[[RawPeer], None]:
    """A script: read the request, and send these."""

    def script(peer: RawPeer) -> None:
        assert peer.next()[:1] == b"\x01"
        for pdu in pdus:
            peer.send(pdu)

    return script


def types(pdus: Iterable[bytes]) -> list[int]:
    """Their types."""
    return [pdu[0] for pdu in pdus]


def request_of(data: bytes) -> AssociateRQ:
    """A request, decoded."""
    request = decode_pdu(data)
    assert isinstance(request, AssociateRQ)
    return request


BASE = request_of(RQ_BASE)
"""The request above as a value."""


def echo(message_id: int = 1, context_id: int = 1) -> bytes:
    """A C-ECHO-RQ in one P-DATA-TF."""
    message = build("C-ECHO-RQ", context_id, None, message_id=message_id, affected_sop_class_uid=VERIFICATION)
    return b"".join(fragment(message, 16382))


def answer_of(pdu: bytes) -> tuple[int, int]:
    """Message ID being responded to, and status, of a response in one P-DATA-TF."""
    data = decode_pdu(pdu)
    assert isinstance(data, PDataTF)
    command = decode_command(data.pdvs[0].data)
    message_id, status = command[0x00000120], command[0x00000900]
    assert isinstance(message_id, int) and isinstance(status, int)
    return message_id, status


def abort_codes(pdu: bytes) -> tuple[int, int]:
    """Source and reason of an A-ABORT."""
    assert pdu[:1] == b"\x07", pdu
    return pdu[8], pdu[9]


def acceptance(**changes: Any) -> bytes:
    """An answer to the request of `requestor()`, with fields changed."""
    request = replace(BASE, items=(BASE.items[0], BASE.items[1], BASE.items[-1]))
    answer = negotiate(request, AcceptorPolicy({VERIFICATION: SupportedContext((IMPLICIT,))}))
    assert isinstance(answer, AssociateAC)
    return encode_pdu(replace(answer, **changes))
