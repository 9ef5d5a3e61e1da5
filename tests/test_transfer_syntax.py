"""The registry of transfer syntaxes, against PS3.6 Annex A and PS3.5."""

from __future__ import annotations

import pytest

from dicomsim import transfer_syntax
from dicomsim.transfer_syntax import TransferSyntaxUID
from tests.oracle import table

ROWS = table("transfer_syntaxes")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["keyword"])
def test_every_transfer_syntax_has_its_row(row: dict[str, str]) -> None:
    uid = getattr(transfer_syntax, row["keyword"])
    assert uid == row["uid"]
    assert type(uid) is TransferSyntaxUID
    assert (uid.uid, uid.name, uid.keyword) == (row["uid"], row["name"], row["keyword"])
    assert uid.is_registered
    assert uid.is_retired == (row["retired"] == "yes")
    assert uid.is_implicit_VR == (row["vr"] == "implicit")
    assert uid.is_little_endian == (row["byte_order"] == "little")
    assert uid.is_deflated == (row["deflated"] == "yes")
    assert uid.is_encapsulated == (row["pixel_data"] == "encapsulated")
    assert uid.is_compressed == (row["deflated"] == "yes" or row["pixel_data"] != "native")


def test_nothing_is_registered_that_the_standard_does_not_list() -> None:
    assert list(transfer_syntax.registry()) == [row["uid"] for row in ROWS]
    assert set(dir(transfer_syntax)) >= {row["keyword"] for row in ROWS}


def test_an_unregistered_syntax_counts_as_explicit_little_endian() -> None:
    private = TransferSyntaxUID("1.2.3.4")
    assert not private.is_registered
    assert (private.name, private.keyword) == ("1.2.3.4", "")
    assert not private.is_implicit_VR
    assert private.is_little_endian
    assert [private.is_retired, private.is_deflated, private.is_encapsulated, private.is_compressed] == [False] * 4


def test_a_keyword_nobody_registered_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'JPEG3000'"):
        _ = transfer_syntax.JPEG3000
