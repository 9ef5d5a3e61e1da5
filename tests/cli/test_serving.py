"""The AE of `dicomsim serve` takes what there is, keeps it where it was told, and obeys its rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from dicomsim import AE, Behaviour, transfer_syntax
from dicomsim.behaviour import RuleError
from dicomsim.cli.serving import make_acceptor
from dicomsim.engine.timeouts import Timeouts
from dicomsim.errors import FileError
from dicomsim.repl.acceptor import all_transfer_syntaxes, storage_classes
from dicomsim.services.storage import StoreTo
from tests.cli.dicom_files import CT

SETTINGS: dict[str, Any] = {
    "aet": "PEER",
    "require_called": False,
    "require_calling": None,
    "output": None,
    "max_associations": 100,
    "transfer_syntaxes": (),
    "max_pdu": 65536,
    "timeouts": Timeouts(network=3.0),
    "rules": (),
    "seed": 0,
}


def _make(**settings: Any) -> AE:
    return make_acceptor(**(SETTINGS | settings))


def test_verification_and_every_storage_class_are_supported() -> None:
    supported = {str(one.abstract_syntax) for one in _make().supported_contexts}
    assert {"1.2.840.10008.1.1", *storage_classes()} == supported
    retired_ultrasound, presentation_state, hanging_protocol = (
        "1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.5.1.4.1.1.11.1", "1.2.840.10008.5.1.4.38.1",
    )  # fmt: skip
    assert {CT, retired_ultrasound, presentation_state, hanging_protocol} <= supported


def test_every_transfer_syntax_that_a_file_can_have_is_taken() -> None:
    taken = all_transfer_syntaxes()
    expected = ("ExplicitVRLittleEndian", "ImplicitVRLittleEndian", "ExplicitVRBigEndian")
    assert tuple(getattr(transfer_syntax, name) for name in expected) == taken[:3]
    for name in ("DeflatedExplicitVRLittleEndian", "JPEGLosslessSV1", "JPEG2000", "RLELossless", "HTJ2K", "MPEG2MPML"):
        assert getattr(transfer_syntax, name) in taken
    for name in ("JPIPReferenced", "SMPTEST211030PCMDigitalAudio", "XMLEncoding", "Papyrus3ImplicitVRLittleEndian"):
        assert getattr(transfer_syntax, name) not in taken
    assert len(set(taken)) == len(taken)


def test_transfer_syntaxes_can_be_chosen() -> None:
    ae = _make(transfer_syntaxes=("1.2.840.10008.1.2",))
    assert {("1.2.840.10008.1.2",)} == {tuple(map(str, one.transfer_syntax)) for one in ae.supported_contexts}


def test_without_a_folder_nothing_is_kept() -> None:
    assert StoreTo.NOWHERE is _make().store_to


def test_the_folder_is_made(tmp_path: Path) -> None:
    ae = _make(output=tmp_path / "a" / "b")
    assert (StoreTo.FILE, tmp_path / "a" / "b") == (ae.store_to, ae.store_folder)
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(click.BadParameter, match="not a directory"):
        _make(output=tmp_path / "file" / "b")


def test_titles_can_be_required() -> None:
    assert (b"", b"") == (_make().require_called_aet, _make().require_calling_aet)
    ae = _make(require_called=True, require_calling="FRIEND")
    assert (b"PEER".ljust(16), b"FRIEND".ljust(16)) == (ae.require_called_aet, ae.require_calling_aet)


def test_limits_are_those_asked_for() -> None:
    ae = _make()
    assert (100, 65536, 3.0) == (ae.maximum_associations, ae.maximum_pdu_size, ae.network_timeout)


def test_rules_come_from_lines_files_and_profiles(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("- on C-ECHO-RQ in: drop\n- on A-RELEASE-RQ in: abort\n")
    ae = _make(rules=("on A-ASSOCIATE-RQ in: reject", str(path), "profile:store-hang"), seed=7)
    assert isinstance(ae.behaviour, Behaviour)
    assert 4 == len(ae.behaviour.rules)
    assert 7 == ae.behaviour.seed


def test_without_rules_there_is_no_behaviour() -> None:
    assert _make().behaviour is None


@pytest.mark.parametrize(
    ("rule", "error"), [("on C-STORE-RQ in: explode", RuleError), ("nowhere.yaml", FileError)]
)
def test_a_rule_that_cannot_be_had_is_told(rule: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        _make(rules=(rule,))
