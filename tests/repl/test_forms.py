from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dicomsim.repl import forms
from dicomsim.repl.form import Form, Knowledge, Typed


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        (forms.PORT, "104", 104),
        (forms.TITLE, " ME ", "ME"),
        (forms.COUNT, "3", 3),
        (forms.PATH, "~/x", Path.home() / "x"),
        (forms.SECONDS, "0.5", 0.5),
        (forms.MAX_PDU, "0", 0),
        (forms.CONTEXT, "CTImageStorage", "CTImageStorage"),
        (forms.TRACED, "all", "all"),
    ],
)
def test_arguments_are_read(form: Form, text: str, expected: Any) -> None:
    assert expected == form.read(text)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (forms.PORT, "-1"),
        (forms.TITLE, ""),
        (forms.COUNT, "0"),
        (forms.PATH, ""),
        (forms.SECONDS, "nan"),
        (forms.SECONDS, "soon"),
        (forms.CONTEXT, "Nothing"),
        (forms.SETTING, "nothing"),
    ],
)
def test_what_is_none_is_a_value_error(form: Form, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        form.read(text)


def test_a_folder_is_listed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    assert [("file", False), ("folder", True)] == sorted(forms.list_folder(str(tmp_path)))
    assert [] == forms.list_folder(str(tmp_path / "none"))


def test_pdus_and_messages_are_offered_with_what_they_say() -> None:
    offers = {offer.text: offer.help for offer in forms.BYTES.offers(Knowledge(), Typed(""))}
    assert "service-user (0/0)" == offers["A-ABORT"]
    assert "message in one P-DATA-TF" == offers["C-ECHO-RQ"]
    assert "hexadecimal digits: hex 04 00" == offers["hex"]
    assert "the bytes of a file: file PATH" == offers["file"]


def test_fields_are_offered_with_the_values_they_have() -> None:
    offers = {offer.text: offer.help for offer in forms.FIELD.offers(Knowledge(), Typed("", ("A-ABORT", "2/1")))}
    assert {"pdu_type=": "now 7", "pdu_length=": "now 4", "source=": "now 2", "reason=": "now 1"} == offers


def test_no_fields_are_offered_for_what_is_no_pdu() -> None:
    assert [] == list(forms.FIELD.offers(Knowledge(), Typed("", ("A-ABRT",))))
    assert [] == list(forms.FIELD.offers(Knowledge(), Typed("", ("file", "x"))))
    assert [] == list(forms.FIELD.offers(Knowledge(), Typed("1", ("A-ABORT",), "source")))
