"""C-STORE: in which form the handler gets the object, and what is answered. PS3.4 Annex B."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from dicomsim.ae import AE
from dicomsim.services.storage import StoreTo
from tests.meeting import CT_IMAGE_STORAGE as CT
from tests.meeting import acceptor, meeting, requestor
from tests.services.calls import Association, Handlers, Recorder, Serving, encoded

INSTANCE = "1.2.3.4"


def _image() -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.PatientID = CT, INSTANCE, "1"
    return dataset


def _serving(
    handler: Any = None, form: StoreTo = StoreTo.DATASET, folder: Path = Path(), instance: str | None = INSTANCE
) -> Serving:
    handlers = Handlers() if handler is None else Handlers(on_c_store=handler)
    elements: dict[str, Any] = {"affected_sop_class_uid": CT, "affected_sop_instance_uid": instance, "priority": 0}
    association = Association(form, folder)
    return Serving("C-STORE", CT, handlers, encoded(_image()), association=association, **elements)


def test_the_handler_gets_the_object_in_the_form_it_wants(tmp_path: Path) -> None:
    forms = {form: Recorder() for form in StoreTo}
    for form, handler in forms.items():
        assert 0x0000 == _serving(handler, form, tmp_path).final().status
    got = {form: handler.calls[0][0] for form, handler in forms.items()}
    assert _image() == got[StoreTo.DATASET]
    assert encoded(_image()) == got[StoreTo.BYTES]
    assert tmp_path / f"{INSTANCE}.dcm" == got[StoreTo.FILE]
    assert got[StoreTo.NOWHERE] is None


@pytest.mark.parametrize("status", [0x0000, 0xB000, 0xB006, 0xB007, 0xA700, 0xA900, 0xC000, 0x0117, 0x0124])
def test_the_handler_chooses_the_status(status: int, caplog: pytest.LogCaptureFixture) -> None:
    response = _serving(Recorder(status)).final()
    assert (status, CT, INSTANCE) == (
        response.status, response.affected_sop_class_uid, response.affected_sop_instance_uid
    )  # fmt: skip
    assert "" == caplog.text


@pytest.mark.parametrize(
    ("form", "status"), [(StoreTo.DATASET, 0xC000), (StoreTo.BYTES, 0xC000), (StoreTo.FILE, 0), (StoreTo.NOWHERE, 0)]
)
def test_without_a_handler_only_what_needs_none_succeeds(form: StoreTo, status: int) -> None:
    assert status == _serving(None, form).final().status


def test_an_object_that_cannot_be_read_is_not_understood() -> None:
    serving = _serving(Recorder())
    serving.operation.request.data = b"\x10\0\x20\0\xff\0\0\0"
    assert 0xC000 == serving.final().status


def test_an_object_that_nobody_decodes_need_not_be_readable() -> None:
    serving = _serving(handler := Recorder(), StoreTo.BYTES)
    serving.operation.request.data = b"\x10\0\x20\0\xff\0\0\0"
    assert 0x0000 == serving.final().status
    assert b"\x10\0\x20\0\xff\0\0\0" == handler.calls[0][0]


@pytest.mark.parametrize(
    ("error", "comment"),
    [
        (OSError(errno.ENOSPC, "full"), "no space left"),
        (OSError(errno.EACCES, "denied"), "data set could not be kept"),
        (ValueError("a sink of the user's"), "data set could not be kept"),
    ],
)
def test_what_could_not_be_kept_is_out_of_resources(error: Exception, comment: str) -> None:
    serving = _serving(Recorder())
    serving.operation.request.sink_error = error
    response = serving.final()
    assert (0xA700, comment) == (response.status, response.error_comment)


@pytest.mark.parametrize("instance", [None, ""])
def test_an_object_must_have_a_uid(instance: str | None) -> None:
    assert 0x0117 == _serving(Recorder(), instance=instance).final().status


def _storing(form: StoreTo, folder: Path, handler: Any = None) -> AE:
    return acceptor(CT, store_to=form, store_folder=folder, on_c_store=handler)


def test_a_file_is_written_as_it_came_and_named_by_its_instance(tmp_path: Path) -> None:
    with meeting(requestor(CT), _storing(StoreTo.FILE, tmp_path)) as association:
        assert 0x0000 == association.c_store(_image()).status
        association.release()
    stored = dcmread(tmp_path / f"{INSTANCE}.dcm")
    assert _image() == Dataset(stored)
    assert (CT, INSTANCE, "1.2.840.10008.1.2", "REQUESTOR") == (
        stored.file_meta.MediaStorageSOPClassUID,
        stored.file_meta.MediaStorageSOPInstanceUID,
        stored.file_meta.TransferSyntaxUID,
        stored.file_meta.SourceApplicationEntityTitle,
    )


def test_a_folder_that_is_not_there_is_a_failure_and_the_association_goes_on(tmp_path: Path) -> None:
    with meeting(requestor(CT), _storing(StoreTo.FILE, tmp_path / "absent")) as association:
        assert [0xA700, 0xA700] == [association.c_store(_image()).status for _ in range(2)]


def test_what_is_refused_leaves_no_file(tmp_path: Path) -> None:
    with meeting(requestor(CT), _storing(StoreTo.FILE, tmp_path)) as association:
        context = association.context_for(CT)
        wrong = {"affected_sop_class_uid": "1.2.3", "affected_sop_instance_uid": INSTANCE, "priority": 0}
        response = association.perform("C-STORE-RQ", context.context_id, encoded(_image()), **wrong)
    assert 0x0122 == response.status
    assert [] == list(tmp_path.iterdir())


def test_the_handler_learns_who_moves_the_object() -> None:
    handler = Recorder()
    with meeting(requestor(CT), acceptor(CT, on_c_store=handler)) as association:
        association.send_c_store(_image(), msg_id=9, priority=1, originator_aet=b"MOVER", originator_id=77)
    parameters = handler.calls[0][2]["parameters"]
    assert {
        "message_id": 9,
        "priority": 1,
        "affected_sop_class": CT,
        "affected_sop_instance": INSTANCE,
        "originator_aet": b"MOVER           ",
        "originator_message_id": 77,
    } == parameters
