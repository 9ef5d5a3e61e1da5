from __future__ import annotations

from pathlib import Path

import pytest

from dicomsim.errors import FileError
from dicomsim.repl import raw_pdu
from dicomsim.repl.raw_pdu import Circumstances, field_names, raw_bytes
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.command import TAGS, decode_command
from dicomsim.wire.pdu import Abort, AssociateRQ, PDataTF, ReleaseRQ

ABOUT = Circumstances("ME", "YOU")


def made(line: str, **fields: str) -> bytes:
    return raw_bytes(line.split(), fields, ABOUT)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("hex 04 00", b"\x04\0"),
        ("hex 0400", b"\x04\0"),
        ("hex:0400", b"\x04\0"),
        ("0400", b"\x04\0"),
        ("text abc def", b"abc def"),
        ("zeros 3", bytes(3)),
        ("A-RELEASE-RQ", encode_pdu(ReleaseRQ())),
        ("A-ABORT 2/1", encode_pdu(Abort(2, 1))),
    ],
)
def test_words_mean_bytes(line: str, expected: bytes) -> None:
    assert expected == made(line)


def test_random_bytes_are_the_same_each_time() -> None:
    assert 8 == len(raw_bytes(["random", "8"], {}, Circumstances()))
    assert raw_bytes(["random", "8"], {}, Circumstances()) == raw_bytes(["random", "8"], {}, Circumstances())


def test_fields_are_written_by_name() -> None:
    assert encode_pdu(Abort(2, 6)) == made("A-ABORT", source="2", reason="6")


def test_a_request_has_the_titles_of_the_association_unless_they_are_written() -> None:
    request = decode_pdu(made("A-ASSOCIATE-RQ", called_ae_title="THEM"))
    assert isinstance(request, AssociateRQ)
    assert ("ME", "THEM") == (request.calling, request.called)


def test_command_elements_are_written_by_keyword() -> None:
    pdu = decode_pdu(made("C-ECHO-RSP", Status="A700", AffectedSOPClassUID="CTImageStorage"))
    assert isinstance(pdu, PDataTF)
    command = decode_command(pdu.pdvs[0].data)
    assert (0xA700, "1.2.840.10008.5.1.4.1.1.2") == (
        command[TAGS["Status"]], command[TAGS["AffectedSOPClassUID"]]
    )  # fmt: skip


def test_lengths_follow_unless_they_are_to_stay() -> None:
    fields = {"abstract_syntax": "1.2"}
    plain, fixed = made("A-ASSOCIATE-RQ"), made("A-ASSOCIATE-RQ", **fields)
    kept = raw_bytes(["A-ASSOCIATE-RQ"], fields, ABOUT, keep_lengths=True)
    assert len(plain) - 6 == int.from_bytes(kept[2:6], "big")
    assert len(kept) == len(fixed) == int.from_bytes(fixed[2:6], "big") + 6


def test_bytes_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "a b.bin").write_bytes(b"\1\2")
    assert b"\1\2" == raw_bytes(["file", str(tmp_path / "a b.bin")], {}, ABOUT)


def test_a_file_that_is_not_there_or_too_large_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileError, match="no such file"):
        raw_bytes(["file", str(tmp_path / "none")], {}, ABOUT)
    (tmp_path / "large").write_bytes(bytes(3))
    monkeypatch.setattr(raw_pdu, "LARGEST_FILE", 2)
    with pytest.raises(FileError, match="larger than"):
        raw_bytes(["file", str(tmp_path / "large")], {}, ABOUT)


@pytest.mark.parametrize(
    ("line", "fields", "expected"),
    [
        ("A-ABRT", {}, '"A-ABRT" says no bytes, did you mean A-ABORT?'),
        ("hex 0", {}, '"0" is not in hexadecimal digits, two a byte'),
        ("file", {}, "file needs a path: send file PATH"),
        ("A-ABORT", {"sorce": "1"}, 'sorce: no field is called "sorce", did you mean source?'),
        ("A-ABORT", {"result": "1"}, "it has no field result; it has pdu_type, pdu_length, source, reason"),
        ("A-ABORT", {"source": "x"}, 'source: "x" is no whole number'),
        ("C-ECHO-RSP", {"Status": "bad"}, 'Status: "bad" is no whole number'),
    ],
)
def test_what_makes_no_bytes_says_why(line: str, fields: dict[str, str], expected: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011  # the whole message is compared
        made(line, **fields)
    assert expected == str(error.value)


def test_the_fields_of_a_pdu_have_names_and_values() -> None:
    assert {"pdu_type": "7", "pdu_length": "4", "source": "2", "reason": "1"} == field_names(made("A-ABORT 2/1"))


def test_every_field_that_is_named_can_be_written() -> None:
    for name in ("A-ASSOCIATE-RQ", "A-ASSOCIATE-AC", "A-ASSOCIATE-RJ", "C-STORE-RQ", "A-ABORT"):
        for field, value in field_names(made(name)).items():
            assert made(name) == made(name, **{field: value}), f"{name} {field}"
