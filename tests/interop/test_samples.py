"""What is sent to the peers is what it says it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydicom import dcmread

from tests.interop.samples import assert_same_object, assert_same_objects, data_set_bytes, make_samples

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.samples import Samples


def test_the_samples_cover_the_uncompressed_transfer_syntaxes_and_several_classes(samples: Samples) -> None:
    metas = [dcmread(path).file_meta for path in samples.all()]
    uncompressed = {"Implicit VR Little Endian", "Explicit VR Little Endian", "Explicit VR Big Endian"}
    assert uncompressed == {meta.TransferSyntaxUID.name for meta in metas}
    assert 4 == len({meta.MediaStorageSOPClassUID for meta in metas})


def test_the_samples_are_the_same_every_time(samples: Samples, tmp_path: Path) -> None:
    again = make_samples(tmp_path)
    assert [path.read_bytes() for path in samples.all()] == [path.read_bytes() for path in again.all()]


def test_data_set_bytes_begins_with_the_first_element_after_the_file_meta_information(samples: Samples) -> None:
    assert bytes.fromhex("0800 0500") + b"CS" + bytes.fromhex("0a00") == data_set_bytes(samples.ct)[:8]
    assert bytes.fromhex("0800 0500 0a00 0000") == data_set_bytes(samples.mr)[:8]
    assert bytes.fromhex("0008 0005") + b"CS" + bytes.fromhex("000a") == data_set_bytes(samples.sc)[:8]
    assert len(data_set_bytes(samples.big)) > 512 * 512 * 2


def test_one_changed_byte_is_noticed_with_its_place(samples: Samples, tmp_path: Path) -> None:
    changed = tmp_path / "changed.dcm"
    data = bytearray(samples.odd.read_bytes())
    data[-1] ^= 1
    changed.write_bytes(data)
    with pytest.raises(AssertionError, match=rf"at byte {len(data_set_bytes(samples.odd)) - 1} of the data set"):
        assert_same_object(samples.odd, changed)


def test_a_missing_object_is_noticed(samples: Samples) -> None:
    with pytest.raises(AssertionError):
        assert_same_objects(samples.all(), samples.all()[1:])
