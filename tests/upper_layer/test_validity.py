from __future__ import annotations

from dataclasses import replace

import pytest

from dicomsim.errors import WireError, WireFault
from dicomsim.upper_layer.validity import bare_uid, check_answer, check_request, first_by_uid
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.items import (
    AbstractSyntax,
    ApplicationContext,
    ImplementationClassUid,
    Item,
    MaximumLength,
    PresentationContextAC,
    PresentationContextRQ,
    RoleSelection,
    TransferSyntax,
    UnknownItem,
    UserIdentityRQ,
    UserInformation,
)
from dicomsim.wire.pdu import AssociateAC, AssociateRQ
from tests.upper_layer.driving import ANSWER, EXPLICIT, IMPLICIT, REQUEST, VERIFICATION
from tests.wire.vectors import VALID

APPLICATION, FIRST, SECOND, USER = REQUEST.items
IDENTITY = UserIdentityRQ(1, 0, b"alice")


def request(*items: Item) -> AssociateRQ:
    return replace(REQUEST, items=items)


def user(*items: object) -> UserInformation:
    assert isinstance(USER, UserInformation)
    return UserInformation((*USER.items, *items))  # type: ignore[arg-type]


def refused(pdu: AssociateRQ) -> WireError:
    with pytest.raises(WireError) as caught:
        check_request(pdu)
    return caught.value


@pytest.mark.parametrize("name", [name for name in VALID if name.startswith("RQ-")])
def test_valid_requests_are_valid(name: str) -> None:
    pdu = decode_pdu(bytes.fromhex(VALID[name]["hex"]))
    assert isinstance(pdu, AssociateRQ)
    check_request(pdu)


@pytest.mark.parametrize(
    ("items", "path", "reason", "kind"),
    [
        ((FIRST, USER), "A-ASSOCIATE-RQ", "no application context", WireFault.INVALID_VALUE),
        (
            (APPLICATION, APPLICATION, FIRST, USER),
            "A-ASSOCIATE-RQ/application context",
            "a second application context",
            WireFault.UNEXPECTED_PARAMETER,
        ),
        ((APPLICATION, USER), "A-ASSOCIATE-RQ", "no presentation context", WireFault.INVALID_VALUE),
        ((APPLICATION, FIRST), "A-ASSOCIATE-RQ", "no user information", WireFault.INVALID_VALUE),
        (
            (APPLICATION, FIRST, USER, UserInformation(())),
            "A-ASSOCIATE-RQ/user information",
            "a second user information",
            WireFault.UNEXPECTED_PARAMETER,
        ),
        (
            (APPLICATION, PresentationContextRQ.of(2, VERIFICATION, IMPLICIT), USER),
            "A-ASSOCIATE-RQ/presentation context 2",
            "context ID 2 is not odd",
            WireFault.INVALID_VALUE,
        ),
        (
            (APPLICATION, PresentationContextRQ.of(0, VERIFICATION, IMPLICIT), USER),
            "A-ASSOCIATE-RQ/presentation context 0",
            "context ID 0 is not odd",
            WireFault.INVALID_VALUE,
        ),
        (
            (APPLICATION, FIRST, SECOND, PresentationContextRQ.of(3, VERIFICATION, IMPLICIT), USER),
            "A-ASSOCIATE-RQ/presentation context 3",
            "a second context 3",
            WireFault.INVALID_VALUE,
        ),
        (
            (APPLICATION, PresentationContextRQ(1, (TransferSyntax(IMPLICIT),)), USER),
            "A-ASSOCIATE-RQ/presentation context 1",
            "no abstract syntax",
            WireFault.INVALID_VALUE,
        ),
        (
            (APPLICATION, PresentationContextRQ.of(1, VERIFICATION), USER),
            "A-ASSOCIATE-RQ/presentation context 1",
            "no transfer syntax",
            WireFault.INVALID_VALUE,
        ),
        (
            (APPLICATION, FIRST, user(IDENTITY, IDENTITY)),
            "A-ASSOCIATE-RQ/user information/user identity",
            "a second user identity",
            WireFault.UNEXPECTED_PARAMETER,
        ),
        (
            (APPLICATION, FIRST, user(MaximumLength(0))),
            "A-ASSOCIATE-RQ/user information/maximum length",
            "a second maximum length",
            WireFault.UNEXPECTED_PARAMETER,
        ),
    ],
)
def test_what_the_standard_forbids_is_refused(items: tuple[Item, ...], path: str, reason: str, kind: WireFault) -> None:
    error = refused(request(*items))
    assert (error.path, error.reason, error.kind) == (path, reason, kind)


def test_the_offset_is_that_of_the_offending_item() -> None:
    two = PresentationContextRQ(
        5, (UnknownItem(0x31, b"??"), AbstractSyntax("1.2"), TransferSyntax(IMPLICIT), AbstractSyntax("1.2.3.4.5"))
    )
    pdu = request(APPLICATION, FIRST, two, user(IDENTITY))
    error = refused(pdu)
    assert (error.path, error.reason) == (
        "A-ASSOCIATE-RQ/presentation context 5/abstract syntax",
        "a second abstract syntax",
    )
    assert encode_pdu(pdu)[error.offset :].startswith(b"\x30\0\0\x091.2.3.4.5")
    pdu = request(APPLICATION, FIRST, user(IDENTITY, ImplementationClassUid("1.2.3.4.5")))
    assert encode_pdu(pdu)[refused(pdu).offset :] == b"\x52\0\0\x091.2.3.4.5"


def test_the_offset_of_what_is_missing_is_the_end() -> None:
    pdu = request(APPLICATION, FIRST)
    assert refused(pdu).offset == len(encode_pdu(pdu))


@pytest.mark.parametrize(
    "items",
    [
        (APPLICATION, FIRST, UserInformation(())),
        (USER, UnknownItem(0x60, b""), UnknownItem(0x60, b""), SECOND, APPLICATION),
        (APPLICATION, FIRST, user(RoleSelection(VERIFICATION, 1, 1), RoleSelection(VERIFICATION, 0, 1))),
        (APPLICATION, FIRST, user(UnknownItem(0x51, b""), UnknownItem(0x52, b""))),
    ],
)
def test_what_the_standard_is_silent_about_is_let_through(items: tuple[Item, ...]) -> None:
    check_request(request(*items))


def answer_with(*contexts: PresentationContextAC) -> AssociateAC:
    return replace(ANSWER, items=(APPLICATION, *contexts, USER))


def accepted(context_id: int, *transfer_syntaxes: str) -> PresentationContextAC:
    return PresentationContextAC(context_id, 0, tuple(map(TransferSyntax, transfer_syntaxes)))


def refused_answer(answer: AssociateAC) -> WireError:
    with pytest.raises(WireError) as caught:
        check_answer(REQUEST, answer)
    return caught.value


@pytest.mark.parametrize(
    ("contexts", "path", "reason", "kind"),
    [
        ((), "A-ASSOCIATE-AC", "no presentation context", WireFault.INVALID_VALUE),
        (
            (accepted(1, IMPLICIT), accepted(1, IMPLICIT)),
            "A-ASSOCIATE-AC/presentation context 1",
            "a second answer for context 1",
            WireFault.INVALID_VALUE,
        ),
        (
            (accepted(1),),
            "A-ASSOCIATE-AC/presentation context 1",
            "accepted without a transfer syntax",
            WireFault.INVALID_VALUE,
        ),
        (
            (accepted(1, IMPLICIT, EXPLICIT),),
            "A-ASSOCIATE-AC/presentation context 1/transfer syntax",
            "a second transfer syntax",
            WireFault.UNEXPECTED_PARAMETER,
        ),
        (
            (accepted(1, EXPLICIT),),
            "A-ASSOCIATE-AC/presentation context 1/transfer syntax",
            "'1.2.840.10008.1.2.1' was not proposed",
            WireFault.INVALID_VALUE,
        ),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(
    contexts: tuple[PresentationContextAC, ...], path: str, reason: str, kind: WireFault
) -> None:
    error = refused_answer(answer_with(*contexts))
    assert (error.path, error.reason, error.kind) == (path, reason, kind)


def test_the_offset_in_an_answer_is_that_of_the_offending_item() -> None:
    answer = answer_with(accepted(3, IMPLICIT), accepted(1, EXPLICIT))
    error = refused_answer(answer)
    assert encode_pdu(answer)[error.offset :].startswith(b"\x40\0\0\x13" + EXPLICIT.encode())


def test_an_answer_of_another_protocol_version_is_refused() -> None:
    error = refused_answer(replace(ANSWER, protocol_version=2))
    assert (error.offset, error.reason) == (6, "bit 0 of protocol version 0002H is not set")
    check_answer(REQUEST, replace(ANSWER, protocol_version=0xFFFF))


@pytest.mark.parametrize("items", [ANSWER.items[1:], ANSWER.items[:-1], (ApplicationContext(), *ANSWER.items)])
def test_an_answer_with_items_missing_or_doubled_is_refused(items: tuple[Item, ...]) -> None:
    refused_answer(replace(ANSWER, items=items))


@pytest.mark.parametrize(
    "contexts",
    [
        (accepted(1, IMPLICIT),),
        (accepted(3, IMPLICIT), accepted(1, IMPLICIT)),
        (accepted(1, IMPLICIT), accepted(99, EXPLICIT, "nonsense")),
        (PresentationContextAC(1, 4), PresentationContextAC(3, 3, (TransferSyntax("nonsense"), TransferSyntax("")))),
        (PresentationContextAC(1, 5), accepted(3, IMPLICIT + "\0")),
    ],
)
def test_answers_that_make_a_context_unusable_and_no_more_are_let_through(
    contexts: tuple[PresentationContextAC, ...],
) -> None:
    check_answer(REQUEST, answer_with(*contexts))


def test_padding_of_old_peers_is_taken_off() -> None:
    assert [bare_uid(uid) for uid in ("1.2", "1.2\0", "1.2 ", "1.2\0 \0", "")] == ["1.2", "1.2", "1.2", "1.2", ""]


def test_of_two_items_for_one_sop_class_the_first_counts() -> None:
    first, second, other = RoleSelection("1.2", 1, 0), RoleSelection("1.2\0", 0, 1), RoleSelection("1.3", 1, 1)
    pdu = request(APPLICATION, FIRST, user(first, second, other))
    assert first_by_uid(pdu, RoleSelection) == {"1.2": first, "1.3": other}
