"""Whole exchanges between two machines, every byte, event, action and state as the oracle has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dicomsim.events import Side
from dicomsim.upper_layer.machine import (
    AbortRequest,
    AssociateRequest,
    AssociateResponse,
    CloseTransport,
    Primitive,
    ReleaseRequest,
    ReleaseResponse,
)
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ
from tests.oracle import document
from tests.upper_layer.driving import ARTIM, NOW, Driven

CONVERSATIONS = {
    conversation["id"]: conversation for conversation in document("vectors/conversations")["conversations"]
}

PRIMITIVES: dict[str, Primitive] = {
    "A-RELEASE-RQ": ReleaseRequest(),
    "A-RELEASE-RP": ReleaseResponse(),
    "A-ABORT": AbortRequest(),
}

Give = Callable[[Driven, bytes], None]


def at_once(driven: Driven, data: bytes) -> None:
    driven.machine.receive(data, NOW)


def byte_by_byte(driven: Driven, data: bytes) -> None:
    for position in range(len(data)):
        driven.machine.receive(data[position : position + 1], NOW)


class Exchange:
    """Both sides of one conversation."""

    def __init__(self, give: Give) -> None:
        self.give = give
        self.sides = {side.value: Driven(side) for side in Side}
        self.connected = False

    def open(self, *, both: bool) -> None:
        """The requestor's connection arrives, and it learns of that too if `both`."""
        if not self.connected:
            self.connected = True
            self.sides["acceptor"].machine.connected(NOW)
            if both:
                self.sides["requestor"].machine.connected(NOW)

    def ask(self, sender: Driven, pdu: str, data: bytes) -> None:
        """Make the primitive that has these bytes sent, unless they wait to be sent already."""
        machine = sender.machine
        if machine.wants_to_send:
            return
        if pdu == "P-DATA-TF":
            machine.send_p_data([data], NOW)
            return
        value = decode_pdu(data)
        if isinstance(value, AssociateRQ):
            machine.request(AssociateRequest(value), NOW)
            self.open(both=True)
        elif isinstance(value, AssociateAC | AssociateRJ):
            machine.request(AssociateResponse(value), NOW)
        else:
            machine.request(PRIMITIVES[pdu], NOW)

    def pdu(self, step: dict[str, Any]) -> None:
        """One side sends a PDU; what no machine would send is given to the other side all the same."""
        data = bytes.fromhex(step["hex"])
        sender = self.sides[step["sender"]]
        receiver = self.sides[Side(step["sender"]).other.value]
        if step["pdu"] != "(protocol error)":
            self.ask(sender, step["pdu"], data)
            assert sender.sent().hex() == step["hex"]
        self.give(receiver, data)

    def tcp_open(self, step: dict[str, Any]) -> None:
        """The connection arrives, and the requestor does not know it yet."""
        request = decode_pdu(bytes.fromhex(CONVERSATIONS["CV-10"]["steps"][0]["hex"]))
        assert isinstance(request, AssociateRQ)
        self.sides[step["sender"]].machine.request(AssociateRequest(request), NOW)
        self.open(both=False)

    def tcp_close(self, step: dict[str, Any]) -> None:
        """One side closes, because its machine has said so."""
        closing = self.sides[step["sender"]]
        assert closing.effects()[-1] == CloseTransport()
        self.sides[Side(step["sender"]).other.value].machine.closed(NOW)
        closing.machine.closed(NOW)

    def artim_expired(self, step: dict[str, Any]) -> None:
        """The timer of one side runs out."""
        self.sides[step["side"]].machine.handle_timer(NOW + ARTIM)


@pytest.mark.parametrize("give", [at_once, byte_by_byte])
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_goes_as_the_standard_says(name: str, give: Give) -> None:
    exchange = Exchange(give)
    for step in CONVERSATIONS[name]["steps"]:
        for driven in exchange.sides.values():
            driven.steps.clear()
        getattr(exchange, step["kind"])(step)
        for side, driven in exchange.sides.items():
            done = [[event.value, action.value, after.value] for event, _, action, after in driven.steps]
            assert (side, done) == (side, step[f"{side}_events"])
            assert (side, driven.state.value) == (side, step[f"{side}_state"])


def test_there_are_eleven_conversations() -> None:
    assert len(CONVERSATIONS) == document("vectors/conversations")["count"] == 11
