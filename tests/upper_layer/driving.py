"""A machine with its log, and the shortest honest way into each of its states."""

from __future__ import annotations

from collections.abc import Callable

from dicomsim.events import Side
from dicomsim.upper_layer.machine import (
    AssociateRequest,
    AssociateResponse,
    Effect,
    OnPdv,
    ReleaseRequest,
    ReleaseResponse,
    UpperLayer,
)
from dicomsim.upper_layer.negotiation import AcceptorPolicy, SupportedContext, negotiate
from dicomsim.upper_layer.table import Action, Event, State
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.framer import PDU, Framer
from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ, PDataTF, Pdu, Pdv, ReleaseRP, ReleaseRQ
from tests.oracle import document

NOW = 1000.0
ARTIM = 30.0
MAXIMUM_LENGTH = 16382

VERIFICATION = "1.2.840.10008.1.1"
CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"

REQUEST_BYTES = bytes.fromhex(document("vectors/malformed")["rq_base_hex"])
"""Contexts 1 and 3 for Verification and CT Image Storage."""


def _decoded_request() -> AssociateRQ:
    request = decode_pdu(REQUEST_BYTES)
    assert isinstance(request, AssociateRQ)
    return request


REQUEST = _decoded_request()
POLICY = AcceptorPolicy(
    {
        VERIFICATION: SupportedContext((IMPLICIT,)),
        CT_IMAGE_STORAGE: SupportedContext((IMPLICIT,), scu_role=True, scp_role=True),
        STUDY_ROOT_FIND: SupportedContext((IMPLICIT,)),
        STUDY_ROOT_GET: SupportedContext((IMPLICIT,)),
    },
    maximum_length=MAXIMUM_LENGTH,
)


def accept(request: AssociateRQ) -> AssociateAC:
    """The answer of a peaceful acceptor."""
    answer = negotiate(request, POLICY)
    assert isinstance(answer, AssociateAC)
    return answer


ANSWER = accept(REQUEST)
REJECTION = AssociateRJ(1, 1, 7)
DATA = PDataTF((Pdv(1, 3, b"command!"),))
RELEASE_RQ = encode_pdu(ReleaseRQ())
RELEASE_RP = encode_pdu(ReleaseRP())

Pdvs = list[tuple[int, int, bytes, bool]]


class Driven:
    """One machine, and everything it has said."""

    def __init__(
        self, side: Side, *, on_pdv: OnPdv | None = None, quiet: bool = False, maximum_length: int = MAXIMUM_LENGTH
    ) -> None:
        """With `quiet`, no `on_transition` is installed."""
        self.steps: list[tuple[Event, State, Action, State]] = []
        self.pdvs: Pdvs = []
        self.told: list[Effect] = []
        self.machine = UpperLayer(
            side,
            artim=ARTIM,
            maximum_length=maximum_length,
            on_pdv=on_pdv or self._pdv,
            on_transition=None if quiet else lambda *step: self.steps.append(step),
        )

    def _pdv(self, context_id: int, control: int, chunk: memoryview, complete: bool) -> None:
        self.pdvs.append((context_id, control, bytes(chunk), complete))

    @property
    def state(self) -> State:
        """Where it is."""
        return self.machine.state

    def sent(self) -> bytes:
        """All bytes that wait to be sent."""
        data = b""
        while buffers := self.machine.data_to_send():
            data += b"".join(map(bytes, buffers))
        return data

    def sent_pdus(self) -> list[Pdu]:
        """The same as values."""
        return list(map(decode_pdu, whole_pdus(self.sent())))

    def effects(self) -> list[Effect]:
        """What it has told since the last call."""
        return self.machine.effects()

    def forget(self) -> Driven:
        """Drop what has been said so far."""
        self.steps.clear()
        self.pdvs.clear()
        self.effects()
        self.sent()
        return self


def whole_pdus(data: bytes) -> list[bytes]:
    """A stream of whole PDUs, cut."""
    framer = Framer(whole=True)
    pdus = [piece[2] for piece in framer.receive(data) if piece[0] == PDU]
    assert not framer.in_pdu
    return pdus


def _connect(driven: Driven) -> None:
    driven.machine.connected(NOW)


def _receive(data: bytes) -> Callable[[Driven], None]:
    return lambda driven: driven.machine.receive(data, NOW)


def _ask_release(driven: Driven) -> None:
    driven.machine.request(ReleaseRequest(), NOW)


def _answer_release(driven: Driven) -> None:
    driven.machine.request(ReleaseResponse(), NOW)


def _ask(driven: Driven) -> None:
    driven.machine.request(AssociateRequest(REQUEST), NOW)


def _answer(driven: Driven) -> None:
    driven.machine.request(AssociateResponse(ANSWER), NOW)


_ESTABLISH: dict[Side, tuple[Callable[[Driven], None], ...]] = {
    Side.REQUESTOR: (_ask, _connect, _receive(encode_pdu(ANSWER))),
    Side.ACCEPTOR: (_connect, _receive(REQUEST_BYTES), _answer),
}

_COLLIDE = (_ask_release, _receive(RELEASE_RQ))

WAYS: dict[State, dict[Side, tuple[Callable[[Driven], None], ...]]] = {
    State.STA1: {Side.REQUESTOR: (), Side.ACCEPTOR: ()},
    State.STA2: {Side.ACCEPTOR: _ESTABLISH[Side.ACCEPTOR][:1]},
    State.STA3: {Side.ACCEPTOR: _ESTABLISH[Side.ACCEPTOR][:2]},
    State.STA4: {Side.REQUESTOR: _ESTABLISH[Side.REQUESTOR][:1]},
    State.STA5: {Side.REQUESTOR: _ESTABLISH[Side.REQUESTOR][:2]},
    State.STA6: _ESTABLISH,
    State.STA7: {side: (*way, _ask_release) for side, way in _ESTABLISH.items()},
    State.STA8: {side: (*way, _receive(RELEASE_RQ)) for side, way in _ESTABLISH.items()},
    State.STA9: {Side.REQUESTOR: (*_ESTABLISH[Side.REQUESTOR], *_COLLIDE)},
    State.STA10: {Side.ACCEPTOR: (*_ESTABLISH[Side.ACCEPTOR], *_COLLIDE)},
    State.STA11: {Side.REQUESTOR: (*_ESTABLISH[Side.REQUESTOR], *_COLLIDE, _answer_release)},
    State.STA12: {Side.ACCEPTOR: (*_ESTABLISH[Side.ACCEPTOR], *_COLLIDE, _receive(RELEASE_RP))},
    State.STA13: {side: (*way, _receive(RELEASE_RQ), _answer_release) for side, way in _ESTABLISH.items()},
}
"""How to get into each state, from each side that can be there."""

PLACES = [(state, side) for state, ways in WAYS.items() for side in ways]
"""All states, each from every side that can be there."""


def reach(
    state: State,
    side: Side | None = None,
    *,
    on_pdv: OnPdv | None = None,
    quiet: bool = False,
    maximum_length: int = MAXIMUM_LENGTH,
) -> Driven:
    """A machine that has come into the state honestly, with nothing left to say."""
    ways = WAYS[state]
    side = side or next(iter(ways))
    driven = Driven(side, on_pdv=on_pdv, quiet=quiet, maximum_length=maximum_length)
    for step in ways[side]:
        step(driven)
    assert driven.state is state
    return driven.forget()
