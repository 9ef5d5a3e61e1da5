from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.errors import WireError, WireFault
from dicomsim.wire.codec import PDUS, decode_pdu, encode_pdu, pdu_name
from dicomsim.wire.items import ApplicationContext, PresentationContextRQ, UserInformation
from dicomsim.wire.pdu import (
    Abort,
    AssociateAC,
    AssociateRJ,
    AssociateRQ,
    PDataTF,
    Pdu,
    PduType,
    Pdv,
    ReleaseRP,
    ReleaseRQ,
    UnknownPdu,
    pad_ae_title,
)
from tests.oracle import document
from tests.wire.strategies import pdus
from tests.wire.vectors import MALFORMED, PDU_BYTES, VALID, pdu_of

LARGE = 2000
"""Vectors beyond this length are cut at all places in a slow test."""


def with_length(raw: bytes) -> bytes:
    """The same bytes with the PDU-length that fits."""
    return raw[:2] + (len(raw) - 6).to_bytes(4) + raw[6:]


@pytest.mark.parametrize("name", VALID)
def test_a_vector_decodes_to_its_fields(name: str) -> None:
    vector = VALID[name]
    assert decode_pdu(bytes.fromhex(vector["hex"])) == pdu_of(vector["decoded"])


@pytest.mark.parametrize("name", VALID)
def test_the_fields_of_a_vector_encode_to_its_bytes(name: str) -> None:
    vector = VALID[name]
    assert encode_pdu(pdu_of(vector["decoded"])).hex() == vector["hex"]


@pytest.mark.parametrize("name", PDU_BYTES)
def test_decoding_and_encoding_gives_the_same_bytes(name: str) -> None:
    raw = PDU_BYTES[name]
    assert encode_pdu(decode_pdu(raw)) == raw


@pytest.mark.parametrize("name", [name for name in VALID if name.startswith(("RQ", "AC"))])
def test_titles_contexts_and_user_items_are_found_by_name(name: str) -> None:
    fields = VALID[name]["decoded"]
    pdu = decode_pdu(PDU_BYTES[name])
    assert isinstance(pdu, AssociateRQ | AssociateAC)
    assert (pdu.called, pdu.calling) == (fields["called_ae_title"], fields["calling_ae_title"])
    assert pdu.application_context == fields["application_context"]
    assert len(pdu.user_information) == len(fields["user_information"])
    if isinstance(pdu, AssociateRQ):
        found = [(each.context_id, each.abstract_syntax, each.transfer_syntaxes) for each in pdu.presentation_contexts]
        contexts = fields["presentation_contexts"]
        assert found == [(each["id"], each["abstract_syntax"], tuple(each["transfer_syntaxes"])) for each in contexts]
    else:
        answers = [(each.context_id, each.result, each.transfer_syntax) for each in pdu.presentation_contexts]
        contexts = fields["presentation_contexts"]
        assert answers == [(each["id"], each["result"], each["transfer_syntax"]) for each in contexts]


@pytest.mark.parametrize("name", PDU_BYTES)
def test_a_cut_pdu_is_an_error_that_says_where(name: str) -> None:
    raw = PDU_BYTES[name]
    for length in range(len(raw)):
        with pytest.raises(WireError) as caught:
            decode_pdu(raw[:length])
        assert_points_into(caught.value, length)


def assert_points_into(error: WireError, length: int, root: str = "") -> None:
    """The error stands within that many bytes and has a reason and a path that begins like this."""
    assert 0 <= error.offset <= length
    assert error.path.startswith(root)
    assert error.path
    assert error.reason


def assert_cuts_are_judged(raw: bytes) -> None:
    for length in range(6, len(raw)):
        cut = with_length(raw[:length])
        try:
            pdu = decode_pdu(cut)
        except WireError as error:
            assert_points_into(error, length, pdu_name(raw[0]))
        else:
            assert encode_pdu(pdu) == cut


@pytest.mark.parametrize("name", [name for name, raw in PDU_BYTES.items() if len(raw) <= LARGE])
def test_a_pdu_cut_anywhere_with_a_length_that_fits_decodes_exactly_or_says_where_not(name: str) -> None:
    assert_cuts_are_judged(PDU_BYTES[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, raw in PDU_BYTES.items() if len(raw) > LARGE])
def test_a_large_pdu_cut_anywhere_decodes_exactly_or_says_where_not(name: str) -> None:
    assert_cuts_are_judged(PDU_BYTES[name])


@pytest.mark.parametrize("name", PDU_BYTES)
def test_bytes_behind_a_pdu_are_an_error(name: str) -> None:
    with pytest.raises(WireError) as caught:
        decode_pdu(PDU_BYTES[name] + b"\0")
    assert caught.value.offset == 2


@given(pdus)
def test_any_pdu_survives_encoding_and_decoding(pdu: Pdu) -> None:
    assert decode_pdu(encode_pdu(pdu)) == pdu


@given(st.binary(max_size=300))
def test_any_bytes_decode_exactly_or_raise_wire_error(raw: bytes) -> None:
    assert_exact_or_wire_error(raw)


@given(st.integers(0, 8), st.binary(max_size=300))
def test_any_bytes_behind_a_right_header_decode_exactly_or_raise_wire_error(pdu_type: int, body: bytes) -> None:
    assert_exact_or_wire_error(with_length(bytes((pdu_type, 0)) + bytes(4) + body))


@given(
    st.sampled_from(sorted({**PDU_BYTES, **{name: bytes.fromhex(each["hex"]) for name, each in MALFORMED.items()}})),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6),
    st.booleans(),
)
def test_damaged_vectors_decode_exactly_or_raise_wire_error(
    name: str, damage: list[tuple[int, int]], fits: bool
) -> None:
    raw = bytearray(PDU_BYTES.get(name) or bytes.fromhex(MALFORMED[name]["hex"]))
    for position, value in damage:
        raw[position % len(raw)] = value
    assert_exact_or_wire_error(with_length(bytes(raw)) if fits else bytes(raw))


def assert_exact_or_wire_error(raw: bytes) -> None:
    try:
        pdu = decode_pdu(raw)
    except WireError as error:
        assert_points_into(error, len(raw))
    else:
        assert encode_pdu(pdu) == raw


def test_any_buffer_is_taken() -> None:
    raw = PDU_BYTES["RQ-001"]
    assert decode_pdu(bytearray(raw)) == decode_pdu(memoryview(raw)) == decode_pdu(raw)


def test_an_unknown_type_is_kept_with_its_bytes() -> None:
    raw = bytes.fromhex("0801000000020a0b")
    assert decode_pdu(raw) == UnknownPdu(8, b"\x0a\x0b", 1)


ERRORS = {
    "no bytes": ("", 0, "PDU"),
    "half a header": ("0100000000", 2, "A-ASSOCIATE-RQ"),
    "length too small": ("0500000000030000000000", 2, "A-RELEASE-RQ"),
    "short reject": ("030000000003000101", 6, "A-ASSOCIATE-RJ"),
    "long abort": ("070000000006000000000000", 10, "A-ABORT"),
    "association without titles": ("010000000004" + "00010000", 10, "A-ASSOCIATE-RQ"),
    "no PDV": ("040000000000", 6, "P-DATA-TF"),
    "PDV header cut": ("0400000000030000" + "00", 6, "P-DATA-TF/presentation data value 1"),
    "PDV of 1 byte": ("0400000000050000000101", 6, "P-DATA-TF/presentation data value 1"),
    "second PDV past the end": ("04000000000e0000000401030000000000050103", 14, "P-DATA-TF/presentation data value 2"),
}


@pytest.mark.parametrize("what", ERRORS)
def test_an_error_says_which_byte_and_where(what: str) -> None:
    raw, offset, path = ERRORS[what]
    with pytest.raises(WireError) as caught:
        decode_pdu(bytes.fromhex(raw))
    assert (caught.value.offset, caught.value.path) == (offset, path)
    assert caught.value.kind == WireFault.INVALID_VALUE


UNENCODABLE: dict[str, Pdu] = {
    "A-ASSOCIATE-RJ": AssociateRJ(256, 1, 1),
    "A-ABORT": Abort(-1, 0),
    "P-DATA-TF": PDataTF((Pdv(300, 3, b""),)),
    "A-ASSOCIATE-AC": AssociateAC(bytes(16), bytes(16), (), 65536),
    "A-RELEASE-RQ": ReleaseRQ((256, bytes(4))),
    "A-RELEASE-RP": ReleaseRP((-1, bytes(4))),
    "A-ASSOCIATE-RQ/presentation context": AssociateRQ(
        bytes(16), bytes(16), (PresentationContextRQ.of(256, "1.2", "1.3"),)
    ),
    "A-ASSOCIATE-RQ/application context": AssociateRQ(bytes(16), bytes(16), (ApplicationContext("1.2.\u00e9"),)),
    "PDU 100H": UnknownPdu(256, b""),
}


@pytest.mark.parametrize("path", UNENCODABLE)
def test_a_value_that_has_no_bytes_is_a_wire_error(path: str) -> None:
    with pytest.raises(WireError) as caught:
        encode_pdu(UNENCODABLE[path])
    assert caught.value.path == path


def test_what_is_illegal_but_has_bytes_is_written() -> None:
    pdu = AssociateRQ(pad_ae_title("A TITLE OF MORE THAN SIXTEEN"), b"", (UserInformation(()),), 0)
    assert len(encode_pdu(pdu)) == 6 + 4 + 28 + 32 + 4


def test_the_table_holds_the_types_of_the_standard() -> None:
    expected = {int(each["type"][:2], 16): each["pdu"] for each in document("pdus")["pdus"]}
    assert {int(pdu_type): PduType(pdu_type).standard_name for pdu_type in PDUS} == expected
    assert {pdu_type: codec.kind.TYPE for pdu_type, codec in PDUS.items()} == {each: each for each in PDUS}
