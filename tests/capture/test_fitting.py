"""What is fitted to a live peer, and that all else stays as it was captured."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.capture.captured import CapturedPdu
from dicomsim.capture.contexts import Contexts
from dicomsim.capture.fitting import FittingError, PDataFitter, fit_request
from dicomsim.dimse.builders import build
from dicomsim.dimse.fragmenter import fragment
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.framer import Framer
from dicomsim.wire.items import MaximumLength, UserIdentityRQ
from dicomsim.wire.pdu import AssociateRQ, PDataTF, Pdv
from tests.capture.associations import CT, EXPLICIT, IMPLICIT, MR, Said, answer, request

REQUEST = request((1, CT, (EXPLICIT, IMPLICIT)), (3, MR, (IMPLICIT,)), items=[UserIdentityRQ(2, 0, b"alice", b"pass")])


def fit(data: bytes, **options: object) -> tuple[AssociateRQ, list[str]]:
    given_options: dict[str, object] = {"called": None, "calling": None, "secrets": False, "narrow": None, **options}
    fitted, notes = fit_request(data, **given_options)  # type: ignore[arg-type]
    pdu = decode_pdu(fitted)
    assert isinstance(pdu, AssociateRQ)
    return pdu, notes


def negotiated(*said: Said) -> Contexts:
    contexts = Contexts()
    for sender, data in said:
        contexts.note(CapturedPdu(1, 0, 1, sender, data, len(data)))
    return contexts


def test_titles_are_replaced_and_nothing_else() -> None:
    data, notes = fit_request(REQUEST[1], called="PACS", calling=None, secrets=True, narrow=None)
    assert data == REQUEST[1][:10] + b"PACS".ljust(16) + REQUEST[1][26:]
    assert notes == []


def test_a_user_identity_is_sent_only_where_that_is_asked_for() -> None:
    pdu, notes = fit(REQUEST[1])
    assert pdu.user_item(UserIdentityRQ) is None
    assert pdu.user_item(MaximumLength) == MaximumLength(16384)
    assert notes == ["the user identity was left out"]
    pdu, notes = fit(REQUEST[1], secrets=True)
    assert pdu.user_item(UserIdentityRQ) is not None
    assert encode_pdu(pdu) == REQUEST[1]


def test_proposals_can_be_narrowed_to_what_was_accepted() -> None:
    before = negotiated(REQUEST, answer((1, 0, IMPLICIT), (3, 3, IMPLICIT)))
    pdu, _ = fit(REQUEST[1], narrow=before)
    assert [context.transfer_syntaxes for context in pdu.presentation_contexts] == [(IMPLICIT,), (IMPLICIT,)]
    assert [context.abstract_syntax for context in pdu.presentation_contexts] == [CT, MR]


def test_a_malformed_request_is_sent_as_it_is_but_for_its_titles() -> None:
    malformed = b"\x01\x00" + (60).to_bytes(4, "big") + b"\xff" * 60
    data, _ = fit_request(malformed, called="PACS", calling="ME", secrets=False, narrow=None)
    assert data == malformed[:10] + b"PACS".ljust(16) + b"ME".ljust(16) + malformed[42:]
    short = b"\x01\x00\0\0\0\x01x"
    assert fit_request(short, called="PACS", calling="ME", secrets=False, narrow=None) == (short, [])


def pdus(name: str, context_id: int, data: bytes | None = None, maximum: int = 0, **elements: Any) -> list[bytes]:
    stream = b"".join(fragment(build(name, context_id, data, **elements), maximum))
    return list(Framer(whole=True).pdus(stream))


STORE: dict[str, Any] = {
    "message_id": 4,
    "affected_sop_class_uid": CT,
    "affected_sop_instance_uid": "1.2.3",
    "priority": 0,
}
CAPTURED = (request((1, CT, (EXPLICIT, IMPLICIT))), answer((1, 0, EXPLICIT)))


def fitter(*live: Said, asked: tuple[list[int], list[int]] = ([], [])) -> PDataFitter:
    return PDataFitter(negotiated(*CAPTURED), negotiated(*live), *asked)


def test_what_needs_no_fitting_is_sent_byte_for_byte() -> None:
    play = fitter(*CAPTURED)
    for pdu in pdus("C-STORE-RQ", 1, bytes(5000), 1000, **STORE):
        assert play.fit(pdu) == ([pdu], [])


def test_before_the_answer_of_the_peer_nothing_is_fitted() -> None:
    for pdu in pdus("C-STORE-RQ", 1, bytes(100), **STORE):
        assert fitter(CAPTURED[0]).fit(pdu) == ([pdu], [])


def test_contexts_are_found_by_abstract_and_transfer_syntax() -> None:
    live = (request((1, CT, (IMPLICIT,)), (5, CT, (EXPLICIT,))), answer((1, 0, IMPLICIT), (5, 0, EXPLICIT)))
    play = fitter(*live)
    for pdu in pdus("C-STORE-RQ", 1, bytes(3000), 1000, **STORE):
        (fitted,), _ = play.fit(pdu)
        was, now = decode_pdu(pdu), decode_pdu(fitted)
        assert isinstance(was, PDataTF)
        assert isinstance(now, PDataTF)
        assert [pdv.context_id for pdv in now.pdvs] == [5] * len(was.pdvs)
        assert [pdv.data for pdv in now.pdvs] == [pdv.data for pdv in was.pdvs]


def test_a_message_without_data_set_may_go_over_any_context_of_its_class() -> None:
    live = (request((1, CT, (IMPLICIT,))), answer((1, 0, IMPLICIT)))
    (pdu,) = pdus("C-ECHO-RQ", 1, message_id=1, affected_sop_class_uid=CT)
    assert fitter(*live).fit(pdu) == ([pdu], [])


def test_without_a_fitting_context_the_step_fails_and_says_why() -> None:
    live = (request((1, CT, (IMPLICIT,))), answer((1, 0, IMPLICIT)))
    (pdu, *_) = pdus("C-STORE-RQ", 1, bytes(100), **STORE)
    with pytest.raises(FittingError) as caught:
        fitter(*live).fit(pdu)
    assert str(caught.value) == (
        "C-STORE-RQ needs CT Image Storage with Explicit VR Little Endian, the peer accepted Implicit VR Little Endian"
    )
    with pytest.raises(FittingError, match=r"the peer accepted nothing$"):
        fitter(live[0], answer((1, 3, IMPLICIT))).fit(pdu)


@pytest.mark.parametrize("maximum", [8, 100, 4096, 16384])
def test_pdus_are_cut_to_what_the_peer_takes(maximum: int) -> None:
    data = bytes(range(256)) * 30
    play = fitter(CAPTURED[0], answer((1, 0, EXPLICIT), maximum=maximum))
    commands, sets = b"", b""
    ends = 0
    for pdu in pdus("C-STORE-RQ", 1, data, 5000, **STORE):
        for fitted in play.fit(pdu)[0]:
            assert len(fitted) - 6 <= maximum
            decoded = decode_pdu(fitted)
            assert isinstance(decoded, PDataTF)
            for pdv in decoded.pdvs:
                commands, sets = (commands + pdv.data, sets) if pdv.is_command else (commands, sets + pdv.data)
                ends += pdv.is_last
    (command, *_) = pdus("C-STORE-RQ", 1, data, 5000, **STORE)
    first = decode_pdu(command)
    assert isinstance(first, PDataTF)
    assert (commands, sets, ends) == (first.pdvs[0].data, data, 2)


def test_a_peer_that_takes_nothing_is_an_error() -> None:
    (pdu, *_) = pdus("C-STORE-RQ", 1, bytes(100), **STORE)
    with pytest.raises(FittingError, match="maximum length is 7"):
        fitter(CAPTURED[0], answer((1, 0, EXPLICIT), maximum=7)).fit(pdu)


def test_responses_answer_the_live_requests() -> None:
    response: dict[str, Any] = {"message_id_being_responded_to": 11, "status": 0}
    (pdu,) = pdus("C-STORE-RSP", 1, **response)
    play = fitter(*CAPTURED, asked=([10, 11], [70, 71]))
    assert play.fit(pdu) == (pdus("C-STORE-RSP", 1, message_id_being_responded_to=71, status=0), [])
    assert fitter(*CAPTURED, asked=([11], [11])).fit(pdu) == ([pdu], [])


def test_a_response_to_what_the_live_peer_did_not_ask_is_left_out() -> None:
    (pdu,) = pdus("C-STORE-RSP", 1, message_id_being_responded_to=11, status=0)
    assert fitter(*CAPTURED, asked=([11], [])).fit(pdu) == (
        [],
        ["C-STORE-RSP was left out: the live peer did not ask for it"],
    )
    assert fitter(*CAPTURED).fit(pdu) == ([pdu], [])  # nor had the captured one


def test_a_command_in_several_fragments_is_sent_when_it_is_complete() -> None:
    parts = pdus("C-STORE-RSP", 1, maximum=20, message_id_being_responded_to=11, status=0)
    play = fitter(*CAPTURED, asked=([11], [5]))
    sent = [play.fit(part)[0] for part in parts]
    assert sent[:-1] == [[]] * (len(parts) - 1)
    assert sent[-1] == pdus("C-STORE-RSP", 1, message_id_being_responded_to=5, status=0)


@given(
    st.binary(max_size=60), st.lists(st.builds(Pdv, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=20)))
)
def test_what_cannot_be_read_goes_as_it_is(body: bytes, pdvs: list[Pdv]) -> None:
    malformed = b"\x04\x00" + len(body).to_bytes(4, "big") + body
    for data in (malformed, encode_pdu(PDataTF(tuple(pdvs)))):
        out, _ = fitter(*CAPTURED).fit(data)
        assert isinstance(out, list)
