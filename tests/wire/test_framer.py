from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.errors import WireError, WireFault
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.framer import MAX_ASSOCIATE_LENGTH, P_DATA_END, PDU, PDV, Framer, Piece
from dicomsim.wire.pdu import PDataTF, Pdu
from tests.wire.strategies import known_pdus, pdus
from tests.wire.vectors import FRAGMENTATIONS, MALFORMED, MESSAGES, PDU_BYTES

ANNOUNCED = 16382
"""Maximum length that the malformed vectors take to be announced."""
TRAILER = bytes.fromhex("07000000000400000202")
"""An A-ABORT, as trailing data."""


def feed(framer: Framer, buffers: Iterable[bytes]) -> list[tuple[Any, ...]]:
    """All pieces, with the parts of a fragment put together again."""
    pieces: list[tuple[Any, ...]] = []
    for buffer in buffers:
        gather(pieces, framer.receive(buffer))
    return pieces


def gather(pieces: list[tuple[Any, ...]], more: Iterable[Piece]) -> None:
    """Append pieces, copying chunks while they are valid and joining those of one fragment."""
    for piece in more:
        if piece[0] != PDV:
            pieces.append(piece)
            continue
        _, context_id, control, chunk, complete = piece
        before = b""
        if pieces and pieces[-1][0] == PDV and not pieces[-1][4]:
            _, *same, before, _ = pieces.pop()
            assert same == [context_id, control]
        pieces.append((PDV, context_id, control, before + bytes(chunk), complete))


def one_by_one(data: bytes) -> list[bytes]:
    """The bytes, each for itself."""
    return [data[position : position + 1] for position in range(len(data))]


def pieces_of(raw: bytes) -> list[tuple[Any, ...]]:
    """What a framer must make of one whole PDU."""
    if raw[0] != 4:
        return [(PDU, raw[0], raw)]
    pdu = decode_pdu(raw)
    assert isinstance(pdu, PDataTF)
    return [*((PDV, pdv.context_id, pdv.control, pdv.data, True) for pdv in pdu.pdvs), (P_DATA_END, len(raw) - 6)]


@pytest.mark.parametrize("name", PDU_BYTES)
def test_a_vector_comes_out_whole(name: str) -> None:
    raw, framer = PDU_BYTES[name], Framer()
    assert feed(framer, [raw]) == pieces_of(raw)
    assert (framer.pending, framer.in_pdu) == (0, False)


@pytest.mark.parametrize("name", PDU_BYTES)
def test_a_vector_comes_out_of_single_bytes(name: str) -> None:
    raw, framer = PDU_BYTES[name], Framer()
    assert feed(framer, one_by_one(raw)) == pieces_of(raw)
    assert (framer.pending, framer.in_pdu) == (0, False)


@pytest.mark.parametrize("name", PDU_BYTES)
def test_a_vector_comes_out_before_what_trails_it(name: str) -> None:
    raw, framer = PDU_BYTES[name], Framer()
    assert feed(framer, [raw + TRAILER[:7]]) == pieces_of(raw)
    assert (framer.pending, framer.in_pdu) == (7, True)
    assert feed(framer, [TRAILER[7:]]) == [(PDU, 7, TRAILER)]


@pytest.mark.parametrize("name", PDU_BYTES)
def test_every_prefix_of_a_vector_wants_more(name: str) -> None:
    raw, framer = PDU_BYTES[name], Framer()
    for byte in one_by_one(raw[:-1]):
        assert all(piece[0] == PDV for piece in framer.receive(byte))
        assert framer.in_pdu


@pytest.mark.parametrize("name", PDU_BYTES)
@pytest.mark.parametrize("single", [False, True])
def test_a_whole_framer_gives_every_pdu_with_its_bytes(name: str, single: bool) -> None:
    raw = PDU_BYTES[name]
    stream = raw + TRAILER
    buffers = one_by_one(stream) if single else [stream]
    assert feed(Framer(whole=True), buffers) == [(PDU, raw[0], raw), (PDU, 7, TRAILER)]


def test_all_vectors_in_one_buffer_come_out_in_order() -> None:
    expected = [piece for raw in PDU_BYTES.values() for piece in pieces_of(raw)]
    assert feed(Framer(), [b"".join(PDU_BYTES.values())]) == expected


@pytest.mark.parametrize("maximum", FRAGMENTATIONS)
def test_fragments_come_together_to_the_message_that_was_cut(maximum: int) -> None:
    entry = FRAGMENTATIONS[maximum]
    framer = Framer(p_data_limit=maximum)
    pieces = feed(framer, map(bytes.fromhex, entry["pdus"]))
    fragments = [piece for piece in pieces if piece[0] == PDV]
    assert b"".join(data for _, _, control, data, _ in fragments if control & 1).hex() == entry["reassembled_command"]
    assert b"".join(data for _, _, control, data, _ in fragments if not control & 1).hex() == entry["reassembled_data"]
    lengths = [piece[1] for piece in pieces if piece[0] == P_DATA_END]
    assert (len(lengths), max(lengths)) == (len(entry["pdus"]), entry["largest_pdu_length"])


@pytest.mark.parametrize("name", MESSAGES)
def test_the_fragments_of_a_message_are_its_bytes(name: str) -> None:
    message = MESSAGES[name]
    pieces = feed(Framer(), map(bytes.fromhex, message["p_data_tf_max16384"]))
    fragments = [piece for piece in pieces if piece[0] == PDV]
    expected = [(message["context_id"], 3, bytes.fromhex(message["command_hex"]))]
    if message["data_set_hex"] is not None:
        expected.append((message["context_id"], 2, bytes.fromhex(message["data_set_hex"])))
    assert [piece[1:4] for piece in fragments] == expected


WIRE_LEVEL: dict[str, tuple[WireFault, int, str]] = {
    "M2-001": (WireFault.UNRECOGNIZED_PDU, 0, "PDU"),
    "M2-002": (WireFault.UNRECOGNIZED_PDU, 0, "PDU"),
    "M2-003": (WireFault.UNRECOGNIZED_PDU, 0, "PDU"),
    "M2-016": (WireFault.INVALID_VALUE, 76, "A-ASSOCIATE-RQ"),
    "M2-037": (
        WireFault.INVALID_VALUE,
        216,
        "A-ASSOCIATE-RQ/user information/asynchronous operations window",
    ),
    "M2-038": (WireFault.INVALID_VALUE, 218, "A-ASSOCIATE-RQ/user information/role selection"),
    "M2-042": (
        WireFault.INVALID_VALUE,
        266,
        "A-ASSOCIATE-RQ/user information/SOP class common extended negotiation/related general SOP classes",
    ),
    "M2-044": (WireFault.INVALID_VALUE, 212, "A-ASSOCIATE-RQ"),
    "M2-050": (WireFault.INVALID_VALUE, 2, "A-ASSOCIATE-RQ"),
    "M6-007": (WireFault.INVALID_VALUE, 2, "P-DATA-TF"),
    "M6-010": (WireFault.INVALID_VALUE, 6, "P-DATA-TF/presentation data value"),
    "M6-013": (WireFault.INVALID_VALUE, 2, "P-DATA-TF"),
    "M6-018": (WireFault.INVALID_VALUE, 2, "A-RELEASE-RQ"),
    "M6-020": (WireFault.INVALID_VALUE, 2, "A-ABORT"),
    "M5-006": (WireFault.INVALID_VALUE, 101, "A-ASSOCIATE-AC"),
}
"""The malformed vectors that are malformed as bytes; the others are for negotiation, state machine and DIMSE."""


def frame_and_decode(buffers: Iterable[bytes]) -> None:
    framer = Framer(p_data_limit=ANNOUNCED)
    for buffer in buffers:
        for piece in framer.receive(buffer):
            if piece[0] == PDU:
                decode_pdu(piece[2])


@pytest.mark.parametrize("name", WIRE_LEVEL)
@pytest.mark.parametrize("single", [False, True])
def test_a_malformed_vector_is_a_wire_error_with_its_fault(name: str, single: bool) -> None:
    raw = bytes.fromhex(MALFORMED[name]["hex"])
    with pytest.raises(WireError) as caught:
        frame_and_decode(one_by_one(raw) if single else [raw])
    assert (caught.value.kind, caught.value.offset, caught.value.path) == WIRE_LEVEL[name]


@pytest.mark.parametrize("name", [name for name in WIRE_LEVEL if not name.startswith("M2")])
def test_the_fault_is_a_reason_that_is_allowed(name: str) -> None:
    allowed = {reason for each in MALFORMED[name]["required"] for reason in each.get("reasons_allowed", ())}
    assert WIRE_LEVEL[name][0] in allowed


@pytest.mark.parametrize("name", [name for name in MALFORMED if name not in WIRE_LEVEL])
def test_what_is_wrong_beyond_the_bytes_passes(name: str) -> None:
    frame_and_decode([bytes.fromhex(MALFORMED[name]["hex"])])


REFUSED_HEADERS = {
    "unknown type": ("08", "type 08H is no PDU"),
    "association above the limit": (f"0100{MAX_ASSOCIATE_LENGTH + 1:08x}", "the limit is 262144"),
    "reject of 3 bytes": ("030000000003", "PDU-length is 3, must be 4"),
    "release request of 5 bytes": ("050000000005", "PDU-length is 5, must be 4"),
    "release response of 0 bytes": ("060000000000", "PDU-length is 0, must be 4"),
    "abort of 4 GB": ("0700ffffffff", "PDU-length is 4294967295, the limit is 262144"),
    "P-DATA-TF without PDV": ("040000000000", "PDU-length is 0, too short"),
    "P-DATA-TF above the maximum": ("040000003fff", "PDU-length is 16383, above the maximum length announced, 16382"),
    "PDV of 1 byte": ("04000000001000000001", "item length is 1, at least 2"),
    "PDV past its PDU": ("0400000000100000000d", "item length is 13, 12 bytes are left"),
    "PDV of 4 GB": ("040000000010ffffffff", "item length is 4294967295, 12 bytes are left"),
    "stray byte behind the PDV": ("0400000000100000000b", "item length 11 leaves 1 stray bytes"),
    "second PDV past its PDU": ("04000000001000000004010300000000" + "0007", "item length is 7, 4 bytes are left"),
}


@pytest.mark.parametrize("what", REFUSED_HEADERS)
def test_a_length_is_refused_with_its_last_byte(what: str) -> None:
    header, reason = REFUSED_HEADERS[what]
    raw, framer = bytes.fromhex(header), Framer(p_data_limit=ANNOUNCED)
    feed(framer, one_by_one(raw[:-1]))
    with pytest.raises(WireError, match=reason):
        feed(framer, [raw[-1:]])


@pytest.mark.parametrize("what", REFUSED_HEADERS)
def test_a_length_is_refused_in_a_full_buffer_too(what: str) -> None:
    header, reason = REFUSED_HEADERS[what]
    with pytest.raises(WireError, match=reason):
        feed(Framer(p_data_limit=ANNOUNCED), [bytes.fromhex(header) + bytes(40)])


def test_a_pdv_that_leaves_stray_bytes_is_refused_before_it_is_given() -> None:
    raw = bytes.fromhex(MALFORMED["M6-010"]["hex"])
    pieces = Framer().receive(raw)
    with pytest.raises(WireError):
        next(pieces)


def test_a_p_data_tf_at_the_limit_passes_and_the_limit_can_be_raised() -> None:
    raw, framer = PDU_BYTES["PD-013"], Framer(p_data_limit=63)
    with pytest.raises(WireError):
        feed(framer, [raw])
    framer.reset()
    framer.p_data_limit = 64
    assert feed(framer, [raw, raw]) == pieces_of(raw) * 2


def test_a_declared_length_takes_no_memory() -> None:
    framer = Framer(limit=1 << 32, whole=True)
    assert feed(framer, [bytes.fromhex("0400ffffffff"), bytes(100)]) == []
    assert framer.pending == 106


def test_a_whole_framer_leaves_all_but_the_limits_to_the_decoder() -> None:
    wrong = [
        bytes.fromhex(each) for each in ("07000000000100", "080000000000", "0400000000020000", "0600000000050000000000")
    ]
    assert feed(Framer(whole=True), [b"".join(wrong)]) == [(PDU, raw[0], raw) for raw in wrong]


def test_a_whole_framer_gives_the_pdus_without_their_types() -> None:
    stream = PDU_BYTES["RQ-001"] + PDU_BYTES["PD-007"] + TRAILER[:7]
    framer = Framer(whole=True)
    assert list(framer.pdus(stream)) == [PDU_BYTES["RQ-001"], PDU_BYTES["PD-007"]]
    assert list(framer.pdus(TRAILER[7:])) == [TRAILER]


def test_a_whole_framer_refuses_an_unknown_pdu_above_the_limit() -> None:
    with pytest.raises(WireError) as caught:
        feed(Framer(whole=True), [b"GET / HTTP/1.1\r\n"])
    assert caught.value.kind == WireFault.UNRECOGNIZED_PDU


def test_a_whole_framer_refuses_a_p_data_tf_above_the_maximum() -> None:
    with pytest.raises(WireError, match="above the maximum length announced, 16382"):
        feed(Framer(whole=True, p_data_limit=ANNOUNCED), [bytes.fromhex(MALFORMED["M6-013"]["hex"])])


def test_parts_of_a_fragment_are_views_of_the_buffer() -> None:
    raw = bytes.fromhex("04000000000a 00000006 0302 61626364")
    first, second = bytearray(raw[:14]), bytearray(raw[14:])
    framer = Framer()
    (piece,) = framer.receive(first)
    assert piece[0] == PDV
    assert (piece[1], piece[2], bytes(piece[3]), piece[4]) == (3, 2, b"ab", False)
    assert piece[3].obj is first
    assert (framer.pending, framer.in_pdu) == (0, True)
    assert list(framer.receive(memoryview(second))) == [(PDV, 3, 2, b"cd", True), (P_DATA_END, 10)]


def test_an_empty_fragment_is_given_with_its_header() -> None:
    raw = bytes.fromhex("04000000000c 00000002 0300 00000002 0302")
    expected = [(PDV, 3, 0, b"", True), (PDV, 3, 2, b"", True), (P_DATA_END, 12)]
    assert feed(Framer(), [raw]) == feed(Framer(), one_by_one(raw)) == expected


def test_a_header_that_ends_a_buffer_waits_for_its_fragment() -> None:
    raw = bytes.fromhex("04000000000a 00000006 0302 61626364")
    framer = Framer()
    assert list(framer.receive(raw[:12])) == []
    assert (framer.pending, framer.in_pdu) == (0, True)
    assert feed(framer, [b"", raw[12:]]) == [(PDV, 3, 2, b"abcd", True), (P_DATA_END, 10)]


def test_nothing_comes_of_nothing() -> None:
    framer = Framer()
    assert feed(framer, [b"", b""]) == []
    assert (framer.pending, framer.in_pdu) == (0, False)


def test_after_an_error_bytes_are_ignored_until_reset() -> None:
    framer = Framer()
    with pytest.raises(WireError):
        feed(framer, [b"\x09"])
    assert feed(framer, [TRAILER]) == []
    framer.reset()
    assert feed(framer, [TRAILER]) == [(PDU, 7, TRAILER)]


def test_a_dropped_iterator_loses_the_frame_until_reset() -> None:
    framer = Framer()
    pieces = framer.receive(TRAILER * 2)
    assert next(pieces) == (PDU, 7, TRAILER)
    pieces.close()  # type: ignore[attr-defined]
    assert feed(framer, [TRAILER]) == []
    framer.reset()
    assert feed(framer, [TRAILER]) == [(PDU, 7, TRAILER)]


def test_reset_forgets_half_a_pdu() -> None:
    framer = Framer()
    feed(framer, [PDU_BYTES["PD-007"][:20]])
    framer.reset()
    assert (framer.pending, framer.in_pdu) == (0, False)
    assert feed(framer, [TRAILER]) == [(PDU, 7, TRAILER)]


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """The data cut at these places."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


@pytest.mark.slow
@given(st.lists(known_pdus, max_size=4), st.lists(st.integers(0, 2000), max_size=8))
def test_any_pdus_come_out_wherever_the_stream_is_cut(sent: list[Pdu], places: list[int]) -> None:
    stream = list(map(encode_pdu, sent))
    expected = [piece for raw in stream for piece in pieces_of(raw)]
    assert feed(Framer(), cut(b"".join(stream), places)) == expected


@pytest.mark.slow
@given(st.lists(pdus, max_size=4), st.lists(st.integers(0, 2000), max_size=8))
def test_any_pdus_come_out_whole_wherever_the_stream_is_cut(sent: list[Pdu], places: list[int]) -> None:
    stream = list(map(encode_pdu, sent))
    assert feed(Framer(whole=True), cut(b"".join(stream), places)) == [(PDU, raw[0], raw) for raw in stream]


def outcome(framer: Framer, buffers: Iterable[bytes]) -> tuple[object, ...]:
    """All pieces, then the error or what is left unfinished."""
    pieces: list[tuple[Any, ...]] = []
    try:
        for buffer in buffers:
            gather(pieces, framer.receive(buffer))
    except WireError as error:
        return pieces, error.offset, error.path, error.reason, error.kind
    return pieces, framer.pending, framer.in_pdu


STREAMS = st.binary(max_size=120) | st.builds(
    lambda pdu_type, length, body: bytes((pdu_type, 0)) + length.to_bytes(4) + body,
    st.integers(0, 9),
    st.integers(0, 60),
    st.binary(max_size=120),
)
P_DATA_STREAMS = st.lists(
    st.tuples(st.integers(0, 40), st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=20)), max_size=4)),
    max_size=3,
).map(
    lambda parts: b"".join(
        b"\x04\0" + length.to_bytes(4) + b"".join(item.to_bytes(4) + data for item, data in items)
        for length, items in parts
    )
)


@given(STREAMS | P_DATA_STREAMS, st.lists(st.integers(0, 200), max_size=6), st.booleans(), st.integers(0, 50))
def test_any_bytes_come_to_the_same_end_wherever_they_are_cut(
    stream: bytes, places: list[int], whole: bool, maximum: int
) -> None:
    at_once = outcome(Framer(40, maximum, whole), [stream])
    assert outcome(Framer(40, maximum, whole), cut(stream, places)) == at_once
    assert outcome(Framer(40, maximum, whole), one_by_one(stream)) == at_once


@given(
    st.lists(st.sampled_from(sorted(PDU_BYTES)), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=4),
    st.lists(st.integers(0, 5000), max_size=4),
)
def test_damaged_vectors_come_to_the_same_end_wherever_they_are_cut(
    names: list[str], damage: list[tuple[int, int]], places: list[int]
) -> None:
    stream = bytearray(b"".join(PDU_BYTES[name] for name in names))
    for position, value in damage:
        stream[position % len(stream)] = value
    assert outcome(Framer(), cut(bytes(stream), places)) == outcome(Framer(), [bytes(stream)])
