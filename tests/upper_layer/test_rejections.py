from __future__ import annotations

import pytest

from dicomsim.upper_layer import rejections
from dicomsim.wire.pdu import AssociateRJ
from tests.oracle import document

USUAL = document("reject_abort")["a_associate_rj"]["usual_combinations"]

SITUATIONS = {
    "called AE title unknown": rejections.CALLED_AE_TITLE,
    "calling AE title not accepted": rejections.CALLING_AE_TITLE,
    "application context name not supported": rejections.APPLICATION_CONTEXT,
    "protocol version bit 0 not set": rejections.PROTOCOL_VERSION,
    "user identity not authorized": rejections.USER_IDENTITY,
    "too many associations, temporary": rejections.LOCAL_LIMIT,
    "temporary overload": rejections.CONGESTION,
}


@pytest.mark.parametrize("row", USUAL, ids=lambda row: row["situation"])
def test_each_situation_has_its_codes(row: dict[str, int | str]) -> None:
    rejection = SITUATIONS[str(row["situation"])]
    assert rejection == AssociateRJ(int(row["result"]), int(row["source"]), int(row["reason"]))


def test_there_is_a_rejection_for_each_situation_and_no_other() -> None:
    declared = {value for value in vars(rejections).values() if isinstance(value, AssociateRJ)}
    assert sorted(SITUATIONS) == sorted(row["situation"] for row in USUAL)
    assert declared == set(SITUATIONS.values())
