"""The verification service answers C-ECHO, and nothing that only looks like it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dicomsim.dimse.messages import Message
from tests.services.calls import Handlers, Serving

VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"


def _answer(
    sop_class: str = VERIFICATION, handler: Callable[..., Any] | None = None, on: str = VERIFICATION
) -> Message:
    handlers = Handlers() if handler is None else Handlers(on_c_echo=handler)
    answer = Serving("C-ECHO", on, handlers, affected_sop_class_uid=sop_class).final()
    assert "C-ECHO-RSP" == answer.name
    return answer


def test_without_a_handler_the_answer_is_success() -> None:
    assert 0x0000 == _answer().status


def test_the_handler_chooses_the_status() -> None:
    assert 0x0211 == _answer(handler=lambda context, info: 0x0211).status


@pytest.mark.parametrize(("on", "status"), [(VERIFICATION, 0x0122), (CT, 0x0211)])
def test_another_class_than_verification_is_refused(on: str, status: int) -> None:
    assert status == _answer(CT, handler=lambda context, info: 0x0000, on=on).status
