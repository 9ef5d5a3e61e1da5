from __future__ import annotations

from pathlib import Path

import pytest

from dicomsim.errors import FileError
from dicomsim.repl.acceptor import all_transfer_syntaxes, make_acceptor, storage_classes
from dicomsim.services.storage import StoreTo
from tests.repl.conftest import CT, EXPLICIT, JPEG


def test_it_takes_every_storage_class_in_every_transfer_syntax() -> None:
    supported = {
        str(one.abstract_syntax): list(map(str, one.transfer_syntax))
        for one in make_acceptor("X", None).supported_contexts
    }
    assert {"1.2.840.10008.1.1", *storage_classes()} == set(supported)
    assert JPEG in supported[CT]
    assert EXPLICIT == supported[CT][0]


def test_every_transfer_syntax_is_there_once() -> None:
    syntaxes = all_transfer_syntaxes()
    assert len(set(syntaxes)) == len(syntaxes) > 30


def test_it_keeps_objects_only_if_it_has_a_folder(tmp_path: Path) -> None:
    assert StoreTo.NOWHERE is make_acceptor("X", None).store_to
    ae = make_acceptor("X", tmp_path / "a" / "b")
    assert (StoreTo.FILE, tmp_path / "a" / "b") == (ae.store_to, ae.store_folder)
    assert ae.store_folder.is_dir()


def test_a_folder_that_cannot_be_made_is_a_file_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be made"):
        make_acceptor("X", tmp_path / "file" / "x")
