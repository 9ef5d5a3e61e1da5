"""What was negotiated, as far as a capture tells."""

from __future__ import annotations

from dicomsim import resources
from dicomsim.capture.captured import CapturedPdu
from dicomsim.capture.contexts import Contexts
from dicomsim.capture.conversation import read
from dicomsim.events import Side

FIND = [i for i in read(resources.captures() / "live" / "find_study.pcapng") if isinstance(i, CapturedPdu)]
EXPLICIT = "1.2.840.10008.1.2.1"


def contexts(*pdus: CapturedPdu) -> Contexts:
    noted = Contexts()
    for pdu in pdus:
        noted.note(pdu)
    return noted


def test_request_and_answer_give_the_syntaxes() -> None:
    noted = contexts(*FIND)
    assert noted.abstract_syntax(1) == "1.2.840.10008.5.1.4.1.2.2.1"
    assert noted.transfer_syntax(1) == EXPLICIT
    assert noted.abstract_syntax(3) is noted.transfer_syntax(3) is None


def test_before_the_answer_a_single_proposal_counts() -> None:
    assert contexts(FIND[0]).transfer_syntax(1) is None
    echo = next(i for i in read(resources.captures() / "live" / "abort.pcapng") if isinstance(i, CapturedPdu))
    assert contexts(echo).transfer_syntax(1) == "1.2.840.10008.1.2"


def test_without_a_request_the_answer_counts() -> None:
    noted = contexts(FIND[1])
    assert (noted.abstract_syntax(1), noted.transfer_syntax(1)) == (None, EXPLICIT)


def test_damaged_and_malformed_negotiations_are_passed_over() -> None:
    damaged = CapturedPdu(1, 0, 1, Side.REQUESTOR, FIND[0].data, 267, damage="3 bytes missing")
    malformed = CapturedPdu(1, 0, 1, Side.REQUESTOR, FIND[0].data[:90], 267)
    assert contexts(damaged, malformed).request is None
