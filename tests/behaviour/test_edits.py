"""Changes to fields, with the lengths around them."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.behaviour.edits import (
    Change,
    change,
    field_of,
    find,
    make_field,
    make_field_test,
    read_field,
    read_field_test,
    read_path,
)
from dicomsim.behaviour.fields import spans
from dicomsim.behaviour.values import RuleError
from dicomsim.wire.codec import decode_pdu
from tests.behaviour.sessions import AC, ECHO_RQ, RJ, RQ
from tests.wire.vectors import PDU_BYTES


def written(data: bytes, path: str, value: int | str, fix: bool = True) -> bytes:
    """A PDU with a value in a field."""
    made = make_field(path, read_field(path, value))
    payload = made.payload(Source()) if made.payload else None
    chains = [field_of(chain) for chain in find(spans(data), path)]
    changes = [Change(chain, chain[-1].start, chain[-1].end, made.encode(chain[-1], payload)) for chain in chains]
    return change(data, changes, fix)


class Source:
    random = Random(0)
    called = calling = ""


def removed(data: bytes, path: str, fix: bool = True) -> bytes:
    """A PDU without a part."""
    chains = find(spans(data), path)
    return change(data, [Change(chain[:-1], chain[-1].start, chain[-1].end, b"") for chain in chains], fix)


def values(data: bytes, path: str) -> list[bytes]:
    return [data[chain[-1].start : chain[-1].end] for chain in map(field_of, find(spans(data), path))]


@pytest.mark.parametrize(
    ("data", "path", "value", "raw"),
    [
        (RJ, "result", 9, b"\x09"),
        (RQ, "protocol_version", "0xFFFE", b"\xff\xfe"),
        (RQ, "user.maximum_length", 0xFFFFFFFF, b"\xff\xff\xff\xff"),
        (RQ, "pdu_type", 0x1FF, b"\xff"),
        (RQ, "called_ae_title", "X", b"X".ljust(16)),
        (RQ, "called_ae_title", "A TITLE THAT IS TOO LONG", b"A TITLE THAT IS "),
        (ECHO_RQ, "pdv.1.command.MessageID", 258, b"\x02\x01"),
        (AC, "contexts.1.result", "4", b"\x04"),
    ],
)
def test_a_field_of_fixed_size_is_filled_and_nothing_else_changes(
    data: bytes, path: str, value: int | str, raw: bytes
) -> None:
    changed = written(data, path, value)
    (chain,) = map(field_of, find(spans(data), path))

    assert data[: chain[-1].start] + raw + data[chain[-1].end :] == changed


@pytest.mark.parametrize(
    ("path", "value", "raw"),
    [
        ("application_context", "1.2.3", b"1.2.3"),
        ("contexts.1.abstract_syntax", "CTImageStorage", b"1.2.840.10008.5.1.4.1.1.2"),
        ("contexts.1.transfer_syntax.uid", "JPEGBaseline8Bit", b"1.2.840.10008.1.2.4.50"),
        ("user.implementation_version_name", "CTImageStorage", b"CTImageStorage"),
        ("user.implementation_class_uid", "hex:00ff", b"\x00\xff"),
    ],
)
def test_text_takes_the_room_it_needs_and_all_lengths_follow(path: str, value: str, raw: bytes) -> None:
    changed = written(RQ, path, value)

    assert [raw] == values(changed, path)
    decode_pdu(changed)  # would raise if a length were wrong


def test_lengths_are_kept_wrong_when_asked_for() -> None:
    changed = written(RQ, "application_context", "1.2.3", fix=False)

    assert values(RQ, "application_context.length") == values(changed, "application_context.length")
    assert values(RQ, "pdu_length") == values(changed, "pdu_length")
    assert len(RQ) - 16 == len(changed)


@pytest.mark.parametrize(
    "path", ["application_context", "contexts.*", "user", "user.maximum_length", "contexts.1.transfer_syntax"]
)
def test_what_is_removed_leaves_valid_lengths(path: str) -> None:
    changed = removed(RQ, path)

    assert [] == find(spans(changed), path)
    decode_pdu(changed)


def test_the_group_length_follows_the_elements_but_not_itself() -> None:
    without_id = removed(ECHO_RQ, "pdv.1.command.MessageID")
    without_length = removed(ECHO_RQ, "pdv.1.command.CommandGroupLength")

    assert [(56 - 10).to_bytes(4, "little")] == values(without_id, "pdv.1.command.CommandGroupLength")
    assert len(ECHO_RQ) - 12 == len(without_length)
    assert [(0x46 - 12).to_bytes(4)] == values(without_length, "pdv.1.length")


def test_a_length_that_was_wrong_stays_as_wrong() -> None:
    wrong = written(RQ, "pdu_length", 1000)

    assert [(1000 - 16).to_bytes(4)] == values(written(wrong, "application_context", "1.2.3"), "pdu_length")
    assert [b"\0\0\0\0"] == values(written(written(RQ, "pdu_length", 3), "application_context", "1"), "pdu_length")


def test_of_two_changes_that_overlap_the_one_further_back_is_carried_out() -> None:
    changes = [Change((), 0, 4, b"whole"), Change((), 2, 3, b"X")]

    assert b"01X3" == change(b"0123", changes, fix=False)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("user.maxlength", 'no field is called "maxlength"'),
        ("contexts.1.reslt", "did you mean result?"),
        ("command.Statsu", "did you mean Status?"),
        ("", "no field is called"),
    ],
)
def test_names_that_no_pdu_has_are_errors(path: str, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        read_path(path)
    assert said in str(caught.value)


def test_a_number_field_takes_numbers_or_bytes() -> None:
    assert [3, "hex:0102"] == [read_field("result", "3"), read_field("result", "hex:01 02")]
    with pytest.raises(RuleError, match="is no whole number"):
        read_field("result", "three")
    with pytest.raises(RuleError, match="fits into no field"):
        read_field("pdu_length", 1 << 32)


@pytest.mark.parametrize(
    ("path", "value", "holds"),
    [
        ("user.maximum_length", 16382, True),
        ("user.maximum_length", "1..100", False),
        ("user.maximum_length", ["0", "16382"], True),
        ("called_ae_title", "ANY*", True),
        ("called_ae_title", "OTHER", False),
        ("contexts.*.abstract_syntax", "Verification", True),
        ("contexts.*.abstract_syntax", "1.2.840.10008.1.2", False),
        ("protocol_version", "hex:0001", True),
        ("user.user_identity", "absent", True),
        ("user.user_identity", "present", False),
        ("user.maximum_length", "present", True),
    ],
)
def test_fields_are_compared(path: str, value: int | str, holds: bool) -> None:
    canonical = read_field_test(path, value)

    assert canonical == read_field_test(path, canonical)
    assert holds == make_field_test(path, canonical)(RQ, spans(RQ))


@given(
    st.one_of(st.binary(max_size=60), st.sampled_from(list(PDU_BYTES.values()))),
    st.sampled_from(
        [
            "pdu_type",
            "pdu_length",
            "contexts.*.result",
            "user.items.*.length",
            "items.*",
            "pdv.*.length",
            "pdv.1.command.Status",
        ]
    ),
    st.one_of(st.integers(0, 0xFFFFFFFF), st.just("hex:010203"), st.just("random:9")),
    st.booleans(),
)
def test_any_bytes_can_be_written_into(data: bytes, path: str, value: int | str, fix: bool) -> None:
    assert isinstance(written(data, path, value, fix), bytes)
    assert isinstance(removed(data, path, fix), bytes)
