from __future__ import annotations

from dicomsim.wire.items import (
    AbstractSyntax,
    ApplicationContext,
    PresentationContextAC,
    PresentationContextRQ,
    TransferSyntax,
    UnknownItem,
)


def test_the_usual_context_has_its_abstract_syntax_first() -> None:
    context = PresentationContextRQ.of(1, "1.2.3", "1.2.4", "1.2.5")
    assert context.items == (AbstractSyntax("1.2.3"), TransferSyntax("1.2.4"), TransferSyntax("1.2.5"))
    assert (context.abstract_syntax, context.transfer_syntaxes) == ("1.2.3", ("1.2.4", "1.2.5"))


def test_syntaxes_are_found_in_any_order_and_the_first_abstract_syntax_counts() -> None:
    items = TransferSyntax("1"), UnknownItem(0x41, b""), AbstractSyntax("2"), AbstractSyntax("3"), TransferSyntax("4")
    context = PresentationContextRQ(1, items)
    assert (context.abstract_syntax, context.transfer_syntaxes) == ("2", ("1", "4"))


def test_a_context_may_lack_its_syntaxes() -> None:
    assert PresentationContextRQ(1, ()).abstract_syntax is None
    assert PresentationContextRQ(1, ()).transfer_syntaxes == ()
    assert PresentationContextAC(1, 3).transfer_syntax is None


def test_an_answer_has_its_first_transfer_syntax() -> None:
    items = UnknownItem(0x30, b"x"), TransferSyntax("1"), TransferSyntax("2")
    assert PresentationContextAC(1, 0, items).transfer_syntax == "1"
    assert PresentationContextAC(1, 3, (TransferSyntax(""),)).transfer_syntax == ""


def test_the_application_context_is_that_of_dicom_if_not_said_otherwise() -> None:
    assert ApplicationContext().uid == "1.2.840.10008.3.1.1.1"
