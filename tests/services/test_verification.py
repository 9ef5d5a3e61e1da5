"""The verification service answers C-ECHO, and nothing that only looks like it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dicomsim.dimse.builders import build
from dicomsim.dimse.messages import Message
from dicomsim.presentation import PresentationContextTuple
from dicomsim.services.call import Call, serve
from dicomsim.services.verification import VERIFICATION, c_echo
from dicomsim.sop_class import SOPClass
from dicomsim.transfer_syntax import TransferSyntaxUID

CT = "1.2.840.10008.5.1.4.1.1.2"


class Handlers:
    """User code: one function, or none."""

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        self.function = function

    def handler(self, name: str) -> Callable[..., Any] | None:
        assert "on_c_echo" == name
        return self.function


def _answer(
    sop_class: str = VERIFICATION, handler: Callable[..., Any] | None = None, on: str = VERIFICATION
) -> Message:
    request = build("C-ECHO-RQ", 1, message_id=7, affected_sop_class_uid=sop_class)
    context = PresentationContextTuple(1, SOPClass(on), TransferSyntaxUID("1.2.840.10008.1.2"))
    sent: list[Message] = []
    serve(c_echo, Call(request, context, Handlers(handler), lambda message: {}, sent.append, lambda: False, None))
    (answer,) = sent
    assert ("C-ECHO-RSP", 7) == (answer.name, answer.message_id_being_responded_to)
    return answer


def test_without_a_handler_the_answer_is_success() -> None:
    assert 0x0000 == _answer().status


def test_the_handler_chooses_the_status() -> None:
    assert 0x0211 == _answer(handler=lambda context, info: 0x0211).status


@pytest.mark.parametrize("on", [VERIFICATION, CT])
def test_another_class_than_verification_is_not_supported(on: str) -> None:
    answer = _answer(CT, handler=lambda context, info: 0x0000, on=on)
    assert (0x0122, "SOP class is not Verification") == (answer.status, answer.error_comment)
