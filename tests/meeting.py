"""Two AEs that meet on the loopback interface, and ways to wait for what they do to each other."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from dicomsim.ae import AE
from dicomsim.association import Association
from dicomsim.engine.stream import BlockingStream, StreamListener
from dicomsim.server import Server
from dicomsim.upper_layer.negotiation import AcceptorPolicy, SupportedContext, negotiate
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.framer import Framer
from dicomsim.wire.pdu import AssociateRQ

LIMIT = 20.0
"""Seconds a test waits for what must come; it comes in milliseconds."""

LOOPBACK = ("127.0.0.1", 0)
VERIFICATION = "1.2.840.10008.1.1"
CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
IMPLICIT, EXPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"


class Calls:
    """A callback that remembers what it was called with, and lets a test wait for it."""

    def __init__(self, result: Any = None) -> None:
        self._calls: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self.result = result

    def __call__(self, *arguments: Any) -> Any:
        self._calls.put(arguments)
        return self.result

    def next(self) -> Any:
        """The one argument, or all arguments, of the next call."""
        arguments = self._calls.get(timeout=LIMIT)
        return arguments[0] if len(arguments) == 1 else arguments

    def until(self, kind: type) -> Any:
        """The argument of the next call that is of this kind."""
        while not isinstance(found := self.next(), kind):
            pass
        return found

    @property
    def is_empty(self) -> bool:
        """Whether no call is left."""
        return self._calls.empty()


def acceptor(*abstract_syntaxes: str, **settings: Any) -> AE:
    """An AE that supports these (by default verification), with settings by name."""
    ae = AE("ACCEPTOR")
    for uid in abstract_syntaxes or (VERIFICATION,):
        ae.add_supported_context(uid)
    for name, value in settings.items():
        setattr(ae, name, value)
    return ae


def requestor(*abstract_syntaxes: str, **settings: Any) -> AE:
    """An AE that requests these (by default verification), with settings by name."""
    ae = AE("REQUESTOR")
    for uid in abstract_syntaxes or (VERIFICATION,):
        ae.add_requested_context(uid)
    for name, value in settings.items():
        setattr(ae, name, value)
    return ae


@contextmanager
def meeting(asking: AE, answering: AE, **arguments: Any) -> Iterator[Association]:
    """An association between the two; whatever is left of it is aborted in the end."""
    with answering.start_server(LOOPBACK) as server:
        association = asking.associate(*server.address, **arguments)
        try:
            yield association
        finally:
            association.abort()


@contextmanager
def serving(ae: AE, **arguments: Any) -> Iterator[Server]:
    """A server of the AE on a free port of the loopback interface."""
    with ae.start_server(LOOPBACK, **arguments) as server:
        yield server


class SilentPeer:
    """An acceptor by script: it answers the association request, unless told not to, and nothing after that.

    It reads nothing more either, so that what is sent to it stops when the buffers are full.
    """

    def __init__(self, *, answers: bool = True) -> None:
        self._answers = answers
        self._listener = StreamListener()
        self.address = self._listener.address
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._done = threading.Event()
        self.stream: BlockingStream | None = None

    def _serve(self) -> None:
        self.stream = self._listener.accept(LIMIT)
        framer = Framer(whole=True)
        request = b""
        while not request:
            request = next(iter(framer.pdus(self.stream.receive(LIMIT))), b"")
        if self._answers:
            self.stream.send(self._acceptance(request), LIMIT)
        self._done.wait()

    @staticmethod
    def _acceptance(data: bytes) -> bytes:
        request = decode_pdu(data)
        assert isinstance(request, AssociateRQ)
        known = {str(one.abstract_syntax): SupportedContext((IMPLICIT,)) for one in request.presentation_contexts}
        return encode_pdu(negotiate(request, AcceptorPolicy(known, maximum_length=0)))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(LIMIT)
        self._listener.close()
        if self.stream is not None:
            self.stream.close()
