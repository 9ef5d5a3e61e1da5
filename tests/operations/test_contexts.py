"""Which context a request goes on, and what is said when none fits."""

from __future__ import annotations

import pytest

from dicomsim.ae import AE
from dicomsim.errors import AssociationError
from dicomsim.presentation import build_context
from tests.meeting import BIG_ENDIAN, EXPLICIT, IMPLICIT, VERIFICATION, acceptor, meeting, requestor
from tests.meeting import CT_IMAGE_STORAGE as CT
from tests.services.archive import as_scp, contexts

MR = "1.2.840.10008.5.1.4.1.1.4"
FILM_SESSION, GRAYSCALE_PRINT = "1.2.840.10008.5.1.1.1", "1.2.840.10008.5.1.1.9"
UPS_PUSH, UPS_WATCH, UPS_PULL, UPS_EVENT = (f"1.2.840.10008.5.1.4.34.6.{number}" for number in range(1, 5))
JPEG = "1.2.840.10008.1.2.4.50"


def _accepting(*syntaxes: tuple[str, str]) -> AE:
    ae = AE("ACCEPTOR")
    for uid, transfer_syntax in syntaxes:
        ae.add_supported_context(uid, transfer_syntax, scu_role=True, scp_role=True)
    return ae


def test_the_transfer_syntax_decides_among_the_contexts_of_a_class() -> None:
    pairs = [(CT, IMPLICIT), (CT, EXPLICIT), (CT, JPEG)]
    with meeting(requestor(), _accepting(*pairs), contexts=contexts(*pairs)) as association:
        assert [1, 3, 5] == [association.context_for(uid, syntax).context_id for uid, syntax in pairs]
        assert 1 == association.context_for(CT).context_id
        assert 1 == association.context_for(CT, BIG_ENDIAN, reencodes=True).context_id


def test_a_transfer_syntax_that_was_not_accepted_is_an_error_that_says_what_was() -> None:
    proposed = [*contexts((CT, IMPLICIT)), build_context(CT, [EXPLICIT, JPEG])]
    refusal = pytest.raises(ValueError, match="no accepted presentation context for CT Image Storage in JPEG")
    with meeting(requestor(), _accepting((CT, IMPLICIT)), contexts=proposed) as association, refusal as caught:
        association.context_for(CT, JPEG, reencodes=True)
    text = str(caught.value)
    assert "; offered: Implicit VR Little Endian, Explicit VR Little Endian, JPEG Baseline (Process 1)" in text
    assert "; accepted: Implicit VR Little Endian (refused with result 4)" in text


def test_a_class_that_was_not_accepted_is_an_error_that_says_so() -> None:
    with meeting(requestor(CT, MR), acceptor(CT)) as association:
        refused = r"MR .*; offered: Impl.*; accepted: none for it \(refused with result 3\)"
        with pytest.raises(ValueError, match=refused):
            association.context_for(MR)
        with pytest.raises(ValueError, match="Verification SOP Class; offered: none for it; accepted: none for it"):
            association.context_for(VERIFICATION)


def test_a_role_that_was_not_agreed_on_is_an_error_that_says_so() -> None:
    with meeting(requestor(CT), _accepting((CT, IMPLICIT)), ext_neg=as_scp()) as association:
        with pytest.raises(ValueError, match="but not in the role of SCU"):
            association.context_for(CT)
        assert 1 == association.context_for(CT, service="N-EVENT-REPORT").context_id
    refusal = pytest.raises(ValueError, match="but not in the role of SCP")
    with meeting(requestor(CT), _accepting((CT, IMPLICIT))) as association, refusal:
        association.context_for(CT, service="N-EVENT-REPORT")


def test_a_member_goes_on_the_context_of_its_meta_sop_class() -> None:
    with meeting(requestor(GRAYSCALE_PRINT), acceptor(GRAYSCALE_PRINT)) as association:
        assert 1 == association.context_for(FILM_SESSION, service="N-CREATE").context_id


def test_a_class_goes_on_its_own_context_where_it_has_one() -> None:
    with meeting(requestor(GRAYSCALE_PRINT, FILM_SESSION), acceptor(GRAYSCALE_PRINT, FILM_SESSION)) as association:
        assert 3 == association.context_for(FILM_SESSION, service="N-CREATE").context_id


@pytest.mark.parametrize(
    ("service", "context_id"), [("N-CREATE", 1), ("N-ACTION", 1), ("N-SET", 5), ("N-GET", 1)]
)
def test_ups_push_goes_on_a_context_that_has_the_service(service: str, context_id: int) -> None:
    classes = (UPS_PUSH, UPS_WATCH, UPS_PULL, UPS_EVENT)
    with meeting(requestor(*classes), acceptor(*classes)) as association:
        assert context_id == association.context_for(UPS_PUSH, service=service).context_id


def test_events_of_unified_procedure_steps_go_on_the_event_context() -> None:
    classes = (UPS_PUSH, UPS_EVENT)
    accepting = _accepting(*((uid, IMPLICIT) for uid in classes))
    with meeting(requestor(*classes), accepting, ext_neg=as_scp(*classes)) as association:
        assert 3 == association.context_for(UPS_PUSH, service="N-EVENT-REPORT").context_id


def test_without_an_association_the_reason_is_how_it_ended() -> None:
    refusal = pytest.raises(AssociationError, match="called AE title not recognized")
    with meeting(requestor(CT), acceptor(CT, require_called_aet="OTHER")) as association, refusal:
        association.context_for(CT)
