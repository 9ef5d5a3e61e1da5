from __future__ import annotations

from typing import Any

import pytest

from dicomsim.upper_layer.roles import DEFAULT, Roles, answer_roles, requestor_roles
from dicomsim.wire.items import RoleSelection
from tests.oracle import document

TABLE: list[dict[str, Any]] = document("reject_abort")["role_selection"]["table"]
UID = "1.2.840.10008.5.1.4.1.1.2"


def proposed(row: dict[str, Any]) -> RoleSelection:
    return RoleSelection(UID, row["proposed_scu"], row["proposed_scp"])


def answered(row: dict[str, Any]) -> RoleSelection | None:
    answer = row["returned"]
    return None if answer is None else RoleSelection(UID, answer["scu"], answer["scp"])


def names(roles: Roles) -> set[str]:
    return {name for name, held in (("SCU", roles.scu), ("SCP", roles.scp)) if held}


def row_id(row: dict[str, Any]) -> str:
    answer = row["returned"]
    back = "none" if answer is None else f"{answer['scu']}{answer['scp']}"
    return f"{row['proposed_scu']}{row['proposed_scp']}-{back}"


def test_the_table_has_20_rows() -> None:
    assert len({row_id(row) for row in TABLE}) == len(TABLE) == 20


@pytest.mark.parametrize("row", TABLE, ids=row_id)
def test_the_roles_in_force_are_those_of_the_table(row: dict[str, Any]) -> None:
    roles = requestor_roles(proposed(row), answered(row))
    assert names(roles) == set(row["requestor_roles"])
    assert names(roles.complement) == set(row["acceptor_roles"])


@pytest.mark.parametrize("row", TABLE, ids=row_id)
def test_an_acceptor_can_give_every_valid_answer_and_no_other(row: dict[str, Any]) -> None:
    flags = (None, False, True)
    answers = [answer_roles(proposed(row), scu, scp) for scu in flags for scp in flags]
    assert (answered(row) in answers) is row["valid_answer"]


def test_without_a_proposal_the_defaults_stand_whatever_is_answered() -> None:
    assert requestor_roles(None, RoleSelection(UID, 0, 1)) == DEFAULT == Roles(scu=True, scp=False)


def test_a_role_of_2_is_neither_proposed_nor_accepted() -> None:
    assert requestor_roles(RoleSelection(UID, 2, 1), RoleSelection(UID, 2, 1)) == Roles(scu=False, scp=True)
    assert answer_roles(RoleSelection(UID, 2, 1), True, True) == RoleSelection(UID, 0, 1)
