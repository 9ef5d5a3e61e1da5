"""What is refused for its size must be larger than anything honest."""

from __future__ import annotations

from dicomsim import sop_class, transfer_syntax
from dicomsim.upper_layer.negotiation import build_request, propose
from dicomsim.wire.codec import HEADER_LENGTH, encode_pdu
from dicomsim.wire.framer import MAX_ASSOCIATE_LENGTH
from dicomsim.wire.items import RoleSelection, SopClassCommonExtendedNegotiation, SopClassExtendedNegotiation, UserItem

CONTEXTS = 128
"""As many as there are odd context IDs."""


def test_the_longest_honest_request_is_within_the_limit() -> None:
    classes = sorted(sop_class.registry(), key=len)[-CONTEXTS:]
    syntaxes = list(transfer_syntax.registry())
    items: list[UserItem] = [
        *(RoleSelection(uid, 1, 1) for uid in classes),
        *(SopClassExtendedNegotiation(uid, bytes(6)) for uid in classes),
        *(SopClassCommonExtendedNegotiation(uid, "1.2.840.10008.4.2", (classes[0],)) for uid in classes),
    ]
    request = encode_pdu(build_request("A", "B", propose((uid, syntaxes) for uid in classes), items=items))
    assert MAX_ASSOCIATE_LENGTH / 2 < len(request) - HEADER_LENGTH < MAX_ASSOCIATE_LENGTH
