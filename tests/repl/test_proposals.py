from __future__ import annotations

from pathlib import Path

import pytest

from dicomsim.errors import FileError
from dicomsim.presentation import PresentationContext
from dicomsim.repl.proposals import check_context, contexts_of, dicom_files, list_names, usual_contexts
from tests.repl.conftest import CT, EXPLICIT, IMPLICIT, JPEG, write_file


def plain(contexts: list[PresentationContext]) -> list[tuple[str, list[str]]]:
    return [(str(one.abstract_syntax), list(map(str, one.transfer_syntax))) for one in contexts]


def test_verification_and_storage_are_proposed_as_a_rule() -> None:
    contexts = plain(usual_contexts())
    assert 128 == len(contexts)
    assert ("1.2.840.10008.1.1", [EXPLICIT, IMPLICIT]) == contexts[0]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("CTImageStorage", [(CT, [EXPLICIT, IMPLICIT])]),
        (CT, [(CT, [EXPLICIT, IMPLICIT])]),
        ("CTImageStorage:JPEGBaseline8Bit,1.2.3", [(CT, [JPEG, "1.2.3"])]),
        ("1.2.3.4:1.2.5", [("1.2.3.4", ["1.2.5"])]),
        ("Verification", [("1.2.840.10008.1.1", [EXPLICIT, IMPLICIT])]),
    ],
)
def test_a_word_proposes_contexts(word: str, expected: list[tuple[str, list[str]]]) -> None:
    assert expected == plain(contexts_of([word]))


def test_a_context_is_proposed_once() -> None:
    assert 1 == len(contexts_of(["CTImageStorage", CT]))


def test_a_list_proposes_all_its_classes() -> None:
    assert "QueryRetrieve" in list_names()
    assert len(contexts_of(["QueryRetrieve"])) > 3


def test_files_propose_what_they_need(tmp_path: Path) -> None:
    write_file(tmp_path / "a" / "1.dcm")
    write_file(tmp_path / "a" / "2.dcm", transfer_syntax=IMPLICIT)
    write_file(tmp_path / "a" / "3.dcm", transfer_syntax=JPEG)
    (tmp_path / "a" / "4.txt").write_text("no")
    assert [(CT, [EXPLICIT]), (CT, [IMPLICIT]), (CT, [JPEG])] == plain(contexts_of([str(tmp_path / "a")]))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["CTImage"], "'CTImage' is no SOP class, list or file, did you mean CTImageStorage?"),
        (["Strage"], "'Strage' is no SOP class, list or file, did you mean Storage?"),
        (["CTImageStorage:JPEG"], "'JPEG' is no transfer syntax's keyword or UID, did you mean JPEGXL?"),
        (["AllStorage", "QueryRetrieve"], "contexts do not fit in one association: at most 128 do"),
    ],
)
def test_what_cannot_be_proposed_says_why(words: list[str], expected: str) -> None:
    with pytest.raises(ValueError, match=r"did you mean|transfer syntax|fit") as error:
        contexts_of(words)
    assert str(error.value).endswith(expected)


def test_a_word_is_checked_when_it_is_read(tmp_path: Path) -> None:
    assert str(tmp_path) == check_context(str(tmp_path))
    with pytest.raises(ValueError, match="no SOP class"):
        check_context("Nothing")


def test_folders_give_their_files_by_name_without_the_hidden_and_the_directory(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a/x", "DICOMDIR", ".hidden/y", "a/.z"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert ["a/x", "b/1", "b/2"] == [str(one.relative_to(tmp_path)) for one in dicom_files([tmp_path])]


def test_a_file_is_taken_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / ".hidden").write_text("")
    assert [tmp_path / ".hidden"] == dicom_files([tmp_path / ".hidden"])


def test_what_is_not_there_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file or folder"):
        dicom_files([tmp_path / "none"])
