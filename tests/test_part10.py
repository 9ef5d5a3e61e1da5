"""DICOM files: what is read of them is what pydicom reads, and what is written comes back."""

from __future__ import annotations

import os
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.dimse.data import FileSlice, source_bytes
from dicomsim.errors import FileError
from dicomsim.part10 import PREAMBLE, WHOLE, file_meta, file_name, open_object, read_file_meta

SAMPLES = sorted(
    path
    for path in Path(pydicom.__file__).parent.joinpath("data").rglob("*")
    if path.is_file() and path.suffix not in (".py", ".pyc")
)
META = file_meta("1.2.840.10008.5.1.4.1.1.2", "2.25.1", "1.2.840.10008.1.2.1", "2.25.2", "DICOMSIM", "SOURCE")


def what_pydicom_says(path: Path) -> tuple[str, str, str] | None:
    try:
        meta = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[]).file_meta
        syntax = meta.TransferSyntaxUID
    except Exception:  # noqa: BLE001  # pydicom's own and what it lets through
        return None
    return str(meta.get("MediaStorageSOPClassUID", "")), str(meta.get("MediaStorageSOPInstanceUID", "")), str(syntax)


@pytest.mark.filterwarnings("ignore")
def test_every_sample_file_of_pydicom_reads_as_pydicom_reads_it() -> None:
    assert len(SAMPLES) > 50
    for path in SAMPLES:
        try:
            meta = read_file_meta(path)
            found: tuple[str, str, str] | None = (meta.sop_class_uid, meta.sop_instance_uid, meta.transfer_syntax_uid)
        except FileError:
            found = None
        assert what_pydicom_says(path) == found, path


def write(folder: Path, data: bytes) -> Path:
    path = folder / "one.dcm"
    path.write_bytes(data)
    return path


def test_what_is_written_in_front_of_a_data_set_is_found_again(tmp_path: Path) -> None:
    meta = read_file_meta(write(tmp_path, META + b"data set"))
    assert ("1.2.840.10008.5.1.4.1.1.2", "2.25.1", "1.2.840.10008.1.2.1") == (
        meta.sop_class_uid,
        meta.sop_instance_uid,
        meta.transfer_syntax_uid,
    )
    assert len(META) == meta.offset


def test_a_small_object_is_read_at_once_and_a_large_one_stays_in_its_file(tmp_path: Path) -> None:
    for size, kind in ((100, memoryview), (WHOLE - len(META), memoryview), (WHOLE, FileSlice), (WHOLE * 3, FileSlice)):
        data = os.urandom(size)
        _, source = open_object(write(tmp_path, META + data))
        assert kind is type(source)
        assert data == source_bytes(source)
    assert isinstance(open_object(tmp_path / "one.dcm", whole=WHOLE * 4)[1], memoryview)


def test_a_group_length_that_lies_does_not_hide_the_data_set(tmp_path: Path) -> None:
    at = PREAMBLE + 12
    for lie in (b"\0\0\0\0", b"\xff\xff\xff\xff"):
        assert len(META) == read_file_meta(write(tmp_path, META[:at] + lie + META[at + 4 :] + b"\x08\0\x05\0")).offset


def test_file_meta_information_longer_than_its_group_length_says_is_read_to_its_end(tmp_path: Path) -> None:
    for length in range(600, 800):
        private = b"\2\0\2\1OB\0\0" + length.to_bytes(4, "little") + bytes(length)
        data = META + private + b"\x08\0\x05\0CS\0\0" + bytes(2000)
        assert len(META + private) == read_file_meta(write(tmp_path, data)).offset


def test_a_pipe_or_a_device_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/tty")):
        with pytest.raises(FileError, match=r"not a file, but a pipe or a device|no such device"):
            read_file_meta(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a DICOM file"),
        (b"x" * 1000, "not a DICOM file"),
        (META[:-3], "cut short"),
        (META[: PREAMBLE + 4], "without a transfer syntax"),
    ],
)
def test_what_is_no_dicom_file_is_said_with_its_name(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(FileError, match=f"one.dcm: .*{reason}"):
        read_file_meta(write(tmp_path, content))


def test_a_file_that_is_not_there_and_a_folder_are_said_with_their_names(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"gone.dcm: no such file"):
        read_file_meta(tmp_path / "gone.dcm")
    with pytest.raises(FileError, match="is a directory"):
        read_file_meta(tmp_path)


@given(cut=st.integers(0, len(META)), junk=st.binary(max_size=64))
def test_foreign_bytes_raise_nothing_but_a_file_error(
    cut: int, junk: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write(tmp_path_factory.getbasetemp(), META[:cut] + junk + META[cut + len(junk) :])
    try:
        open_object(path)
    except FileError:
        pass


@given(st.text(max_size=80))
def test_a_file_name_never_leaves_its_folder(uid: str) -> None:
    name = file_name(uid)
    assert Path(name).name == name
    assert name not in ("", ".", "..")
    assert not name.startswith(".")


def test_a_file_that_ends_amid_the_head_of_an_element_is_cut_short(tmp_path: Path) -> None:
    for length in range(2, 8):
        with pytest.raises(FileError, match="file meta information is cut short"):
            open_object(write(tmp_path, META + b"\x02\0\x16\0AE\x04\0"[:length]))


def test_file_meta_information_has_a_limit_however_much_is_read(tmp_path: Path) -> None:
    private = b"\x02\0\x02\x01OB\0\0" + (70_000).to_bytes(4, "little") + bytes(70_000)
    path = write(tmp_path, META + private + b"\x08\0\x05\0")
    for whole in (0, 1 << 20):
        with pytest.raises(FileError, match="longer than 65536 bytes"):
            open_object(path, whole)
