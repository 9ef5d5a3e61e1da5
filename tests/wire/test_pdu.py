from __future__ import annotations

import dataclasses

import pytest

from dicomsim.wire.items import (
    ApplicationContext,
    ImplementationVersionName,
    MaximumLength,
    PresentationContextAC,
    PresentationContextRQ,
    UnknownItem,
    UserInformation,
)
from dicomsim.wire.pdu import AssociateAC, AssociateRQ, PduType, Pdv, ReleaseRQ, pad_ae_title


def request(*items: object, called: bytes = bytes(16), calling: bytes = bytes(16)) -> AssociateRQ:
    """A request with these items."""
    return AssociateRQ(called, calling, items)  # type: ignore[arg-type]


def test_a_type_has_the_name_of_the_standard() -> None:
    assert [each.standard_name for each in PduType] == [
        "A-ASSOCIATE-RQ",
        "A-ASSOCIATE-AC",
        "A-ASSOCIATE-RJ",
        "P-DATA-TF",
        "A-RELEASE-RQ",
        "A-RELEASE-RP",
        "A-ABORT",
    ]


@pytest.mark.parametrize(
    ("title", "padded"),
    [("SCP", b"SCP             "), ("", b" " * 16), ("A" * 20, b"A" * 20), ("\udce9", b"\xe9" + b" " * 15)],
)
def test_a_title_is_padded_and_never_cut(title: str, padded: bytes) -> None:
    assert pad_ae_title(title) == padded


@pytest.mark.parametrize(
    ("field", "title"),
    [(b"  SCP  ", "SCP"), (b"B C\0\0", "B C"), (b" " * 16, ""), (b"\xe9", "\\xe9")],
)
def test_a_title_is_read_without_its_padding(field: bytes, title: str) -> None:
    pdu = request(called=field, calling=field + b" ")
    assert (pdu.called, pdu.calling) == (title, title)


def test_the_first_of_each_item_counts() -> None:
    user = UserInformation((MaximumLength(1), MaximumLength(2)))
    pdu = request(UnknownItem(0x60, b""), ApplicationContext("1"), ApplicationContext("2"), user, UserInformation(()))
    assert (pdu.application_context, pdu.user_information) == ("1", user.items)
    assert pdu.user_item(MaximumLength) == MaximumLength(1)
    assert pdu.user_item(ImplementationVersionName) is None


def test_what_is_not_there_is_none() -> None:
    pdu = request()
    assert (pdu.application_context, pdu.user_information, pdu.user_item(MaximumLength)) == (None, (), None)
    assert pdu.presentation_contexts == ()


def test_contexts_come_in_wire_order_and_of_the_kind_of_the_pdu() -> None:
    proposed, answered = PresentationContextRQ(3, ()), PresentationContextAC(1, 0)
    other = PresentationContextRQ(1, ())
    assert request(proposed, answered, other).presentation_contexts == (proposed, other)
    assert AssociateAC(bytes(16), bytes(16), (answered,)).presentation_contexts == (answered,)


@pytest.mark.parametrize(
    ("control", "command", "last"), [(0, False, False), (1, True, False), (2, False, True), (3, True, True)]
)
def test_only_two_bits_of_the_control_header_have_a_meaning(control: int, command: bool, last: bool) -> None:
    for bits in (0, 0xFC):
        pdv = Pdv(1, control | bits, b"")
        assert (pdv.is_command, pdv.is_last) == (command, last)


def test_values_do_not_change_and_can_be_compared() -> None:
    pdu = ReleaseRQ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        pdu.reserved = (1, bytes(4))  # type: ignore[misc]
    assert len({pdu, ReleaseRQ(), ReleaseRQ((1, bytes(4)))}) == 2
