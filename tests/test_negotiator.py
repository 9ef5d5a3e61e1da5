"""How an AE answers association requests: by its settings."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dicomsim.ae import AE
from dicomsim.association import Association
from dicomsim.dimse.messages import Message
from dicomsim.engine.hops import Pass, PassMessage, Step
from dicomsim.engine.session import Session
from dicomsim.errors import AssociationError
from dicomsim.negotiation_items import (
    NegotiationItem,
    SCP_SCU_RoleSelectionNegotiation,
)
from dicomsim.negotiator import Supported
from dicomsim.upper_layer.negotiation import SupportedContext
from dicomsim.wire import items
from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ
from tests.meeting import (
    BIG_ENDIAN,
    CT_IMAGE_STORAGE,
    EXPLICIT,
    IMPLICIT,
    VERIFICATION,
    Calls,
    acceptor,
    meeting,
    requestor,
    serving,
)

ROLE_TABLE = json.loads((Path(__file__).parent / "oracle" / "reject_abort.json").read_text())["role_selection"]["table"]


def negotiated(answering: AE, *ext_neg: NegotiationItem, asking: AE | None = None) -> Association:
    """An association that was negotiated, and is aborted by now if it was accepted."""
    with meeting(asking or requestor(), answering, ext_neg=ext_neg) as association:
        return association


def rejection(association: Association) -> tuple[int, ...]:
    """Result, source and reason."""
    assert association.is_rejected and association.outcome is not None
    return association.outcome.codes


def test_what_is_supported_is_looked_up_as_it_is_asked_for() -> None:
    ae = acceptor()
    supported = Supported(ae)
    expected = {
        str(one.abstract_syntax): SupportedContext(tuple(map(str, one.transfer_syntax)), one.scu_role, one.scp_role)
        for one in ae.supported_contexts
    }
    assert (expected, len(expected)) == (dict(supported), len(supported))
    ae.remove_supported_context(VERIFICATION)
    assert VERIFICATION not in supported
    assert supported.get(VERIFICATION) is None


# -- titles and contexts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "codes"),
    [
        ({"require_called_aet": "OTHER"}, (1, 1, 7)),
        ({"require_calling_aet": "OTHER"}, (1, 1, 3)),
        ({"require_called_aet": "ANY-SCP", "require_calling_aet": "REQUESTOR"}, ()),
    ],
)
def test_required_titles_must_match(settings: dict[str, str], codes: tuple[int, ...]) -> None:
    association = negotiated(acceptor(**settings))
    assert codes == (rejection(association) if codes else ())
    assert association.is_rejected == bool(codes)


def test_every_context_gets_its_answer() -> None:
    asking = requestor(VERIFICATION, "1.2.3")
    asking.add_requested_context(CT_IMAGE_STORAGE, "1.2.840.10008.1.2.4.50")
    answering = acceptor(VERIFICATION, CT_IMAGE_STORAGE)
    with meeting(asking, answering) as association:
        assert [(1, VERIFICATION, 0)] == [
            (one.context_id, one.abstract_syntax, one.result) for one in association.accepted_contexts
        ]
        assert [(3, "1.2.3", 3), (5, CT_IMAGE_STORAGE, 4)] == [
            (one.context_id, one.abstract_syntax, one.result) for one in association.rejected_contexts
        ]


def test_the_acceptors_order_of_transfer_syntaxes_decides() -> None:
    asking = AE()
    asking.add_requested_context(VERIFICATION, [IMPLICIT, EXPLICIT, BIG_ENDIAN])
    answering = AE()
    answering.add_supported_context(VERIFICATION, [BIG_ENDIAN, EXPLICIT])
    with meeting(asking, answering) as association:
        assert [[BIG_ENDIAN]] == [one.transfer_syntax for one in association.accepted_contexts]


def test_128_contexts_are_negotiated() -> None:
    asking = requestor(*(f"1.2.{number}" for number in range(128)))
    answering = acceptor(*(f"1.2.{number}" for number in range(0, 128, 2)))
    with meeting(asking, answering) as association:
        assert (64, 64) == (len(association.accepted_contexts), len(association.rejected_contexts))
        assert 253 == association.accepted_contexts[-1].context_id


def test_no_acceptable_context_still_makes_an_association() -> None:
    with meeting(requestor("1.2.3"), acceptor()) as association:
        assert association.is_established and [] == association.accepted_contexts
        with pytest.raises(ValueError, match="no accepted presentation context"):
            association.send_c_echo()


def test_one_association_too_many_is_rejected_as_such() -> None:
    answering = acceptor(maximum_associations=1)
    with serving(answering) as server:
        first = requestor().associate(*server.address)
        assert (2, 3, 2) == rejection(requestor().associate(*server.address))
        first.release()
        third = requestor().associate(*server.address)
        assert third.is_established
        third.release()


# -- maximum length --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theirs", [0, 8, 14, 64, 2**32 - 1])
@pytest.mark.parametrize("ours", [0, 8, 14, 64, 2**32 - 1])
def test_messages_fit_into_any_maximum_length(ours: int, theirs: int) -> None:
    with meeting(requestor(maximum_pdu_size=ours), acceptor(maximum_pdu_size=theirs)) as association:
        assert (ours, theirs) == (association.requestor.maximum_length, association.acceptor.maximum_length)
        assert 0 == association.c_echo().status


@pytest.mark.parametrize("tiny", [1, 7])
def test_a_maximum_length_that_holds_no_fragment_is_said_to_be_one(tiny: int) -> None:
    with (
        meeting(requestor(), acceptor(maximum_pdu_size=tiny)) as association,
        pytest.raises(AssociationError, match=f"maximum length of {tiny} "),
    ):
        association.c_echo()


def test_max_pdu_goes_before_the_setting_of_the_ae() -> None:
    with meeting(requestor(maximum_pdu_size=100), acceptor(), max_pdu=64) as association:
        assert 64 == association.requestor.maximum_length
        assert 0 == association.c_echo().status


# -- roles -----------------------------------------------------------------------------------------------------------


class AnswerWithRoles:
    """Rules that leave everything alone but the role item of an acceptance."""

    def __init__(self, scu: int, scp: int) -> None:
        self.flags = scu, scp

    def connected(self, session: Session) -> Iterable[Step]:
        return ()

    def pdu_in(self, session: Session, data: bytes) -> Iterable[Step]:
        return (Pass(data),)

    pdu_out = bytes_in = bytes_out = pdu_in

    def message_in(self, session: Session, message: Message) -> Iterable[Step]:
        return (PassMessage(message),)

    message_out = message_in

    def transition(self, session: Session, event: str, before: str, action: str, after: str) -> Iterable[Step]:
        return ()

    def answer(
        self, session: Session, request: AssociateRQ, answer: AssociateAC | AssociateRJ
    ) -> AssociateAC | AssociateRJ:
        assert isinstance(answer, AssociateAC)
        first = answer.items[:-1]
        kept = [item for item in answer.user_information if not isinstance(item, items.RoleSelection)]
        accepted = [replace(one, result=0) if isinstance(one, items.PresentationContextAC) else one for one in first]
        information = items.UserInformation((*kept, items.RoleSelection(CT_IMAGE_STORAGE, *self.flags)))
        return replace(answer, items=(*accepted, information))


def roles(association: Association) -> tuple[bool | None, bool | None]:
    """Of the one accepted context: whether this side is SCU, and SCP."""
    (context,) = association.accepted_contexts
    return context.as_scu, context.as_scp


@pytest.mark.parametrize("row", ROLE_TABLE)
def test_roles_are_those_of_every_row_of_the_table(row: dict[str, Any]) -> None:
    """Whatever the acceptor would answer by itself, each row's answer is put into its mouth."""
    proposal = SCP_SCU_RoleSelectionNegotiation(CT_IMAGE_STORAGE, row["proposed_scu"], row["proposed_scp"])
    answering = AE()
    returned = row["returned"]
    answering.add_supported_context(CT_IMAGE_STORAGE)
    if returned is not None:
        answering.behaviour = AnswerWithRoles(returned["scu"], returned["scp"])
    accepted = answering.on_association_accepted = Calls()
    with meeting(requestor(CT_IMAGE_STORAGE), answering, ext_neg=[proposal]) as association:
        assert association.is_established
        assert ("SCU" in row["requestor_roles"], "SCP" in row["requestor_roles"]) == roles(association)
        assert ("SCU" in row["acceptor_roles"], "SCP" in row["acceptor_roles"]) == roles(accepted.next().association)


def test_there_are_twenty_rows() -> None:
    assert 20 == len(ROLE_TABLE)


@pytest.mark.parametrize("allows", [None, False, True])
def test_a_role_that_is_set_on_a_requested_context_is_negotiated(allows: bool | None) -> None:
    asking, answering = AE(), AE()
    asking.add_requested_context(CT_IMAGE_STORAGE, scu_role=True, scp_role=True)
    answering.add_supported_context(CT_IMAGE_STORAGE, scu_role=True, scp_role=allows)
    with meeting(asking, answering) as association:
        assert (True, bool(allows)) == roles(association)


def test_an_acceptor_that_grants_no_role_rejects_the_context() -> None:
    asking, answering = AE(), AE()
    asking.add_requested_context(CT_IMAGE_STORAGE, scp_role=True)
    answering.add_supported_context(CT_IMAGE_STORAGE, scu_role=True, scp_role=False)
    with meeting(asking, answering) as association:
        assert [1] == [one.result for one in association.rejected_contexts]
