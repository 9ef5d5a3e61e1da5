"""The fragmenter: every peer gets PDUs it can take."""

from __future__ import annotations

import io
import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.dimse.assembler import Assembler
from dicomsim.dimse.builders import c_find_rq, c_store_rq, n_get_rq
from dicomsim.dimse.data import Buffer, DataSource, FilePart, FileSlice
from dicomsim.dimse.fragmenter import (
    BLOCK,
    JOIN_DATA,
    PDV_OVERHEAD,
    PREFERRED_LENGTH,
    fragment,
    fragment_encoded,
    fragment_in_place,
    fragment_room,
    joined,
)
from dicomsim.dimse.messages import Message
from dicomsim.errors import AssociationError, FileError
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.pdu import PDataTF, Pdv
from tests.dimse import MESSAGES, command_of, feed, pdus_of, without_group_length
from tests.oracle import document

FRAGMENTATIONS = document("vectors/messages")["fragmentation"]
STORE = MESSAGES["C-STORE-RQ"]


def message_of(row: dict[str, object]) -> Message:
    data = row["data_set_hex"]
    return Message(int(str(row["context_id"])), command_of(row), None if data is None else bytes.fromhex(str(data)))


def store(data: DataSource | None) -> Message:
    return c_store_rq(7, 3, "1.2.840.10008.5.1.4.1.1.2", "1.2.826.0.1.3680043.9.3811.2.1", data)


def pdvs_of(message: Message, maximum_length: int, size_hint: int = PREFERRED_LENGTH) -> list[Pdv]:
    """All PDVs sent, having looked at what holds for every PDU."""
    pdvs: list[Pdv] = []
    for raw in pdus_of(fragment(message, maximum_length, size_hint)):
        pdu = decode_pdu(raw)
        assert isinstance(pdu, PDataTF)
        assert len(pdu.pdvs) == 1
        assert 0 < len(raw) - 6 <= (maximum_length or size_hint)
        pdvs += pdu.pdvs
    return pdvs


@pytest.mark.parametrize("row", MESSAGES.values(), ids=MESSAGES.keys())
def test_a_message_becomes_the_pdus_of_its_vector(row: dict[str, object]) -> None:
    assert row["p_data_tf_max16384"] == [pdu.hex() for pdu in pdus_of(fragment(message_of(row), 16384))]


@pytest.mark.parametrize("row", FRAGMENTATIONS, ids=lambda row: row["max_length"])
def test_a_message_is_cut_to_the_peers_maximum_length(row: dict[str, object]) -> None:
    maximum_length = int(str(row["max_length"]))

    assert row["pdus"] == [pdu.hex() for pdu in pdus_of(fragment(message_of(STORE), maximum_length))]


@pytest.mark.parametrize("maximum_length", range(1, 8))
def test_a_maximum_length_below_eight_leaves_no_room(maximum_length: int) -> None:
    with pytest.raises(AssociationError, match=f"maximum length of {maximum_length} leaves no room"):
        fragment(message_of(STORE), maximum_length)


@pytest.mark.parametrize(
    ("maximum_length", "size_hint", "room"),
    [
        (8, 1000, 2),
        (9, 1000, 2),
        (10, 1000, 4),
        (0, 1000, 994),
        (0, 1001, 994),
        (5000, 1000, 994),
        (0xFFFFFFFF, 1000, 994),
        (0, 1, 2),
        (16384, PREFERRED_LENGTH, 16378),
        (0, PREFERRED_LENGTH, PREFERRED_LENGTH - 6),
    ],
)
def test_the_longest_fragment_is_even_and_fits(maximum_length: int, size_hint: int, room: int) -> None:
    assert room == fragment_room(maximum_length, size_hint)


@pytest.mark.parametrize("kind", ["bytes", "memoryview", "buffers", "file"])
@pytest.mark.parametrize("length", [0, 2, 100, JOIN_DATA, JOIN_DATA + 2, BLOCK, BLOCK * 2 + 300])
@pytest.mark.parametrize("maximum_length", [0, 64 * 1024, 16384, 2048])
def test_a_data_set_arrives_from_wherever_it_comes(kind: str, length: int, maximum_length: int, tmp_path: Path) -> None:
    data = bytes(range(256)) * (length // 256) + bytes(length % 256)
    sources: dict[str, DataSource] = {
        "bytes": data,
        "memoryview": memoryview(data),
        "buffers": [data[:3], bytearray(data[3:1000]), b"", memoryview(data)[1000:]],
        "file": FileSlice(io.BytesIO(b"before" + data + b"after"), 6, length),
    }

    pdvs = pdvs_of(store(sources[kind]), maximum_length)

    assert data == b"".join(pdv.data for pdv in pdvs if not pdv.is_command)
    assert [pdv.is_last for pdv in pdvs if not pdv.is_command].index(True) == sum(not p.is_command for p in pdvs) - 1
    assert {3} == {pdv.context_id for pdv in pdvs}


def test_an_empty_data_set_is_one_empty_fragment() -> None:
    assert [b""] == [pdv.data for pdv in pdvs_of(store(b""), 16384) if not pdv.is_command]


def test_a_small_message_is_one_buffer() -> None:
    assert 1 == len(list(fragment(store(bytes(JOIN_DATA)), 128 * 1024)))
    assert 1 == len(list(fragment(store(None), 16384)))
    assert 2 == len(list(fragment(store(bytes(JOIN_DATA + 2)), 128 * 1024)))


def test_large_data_is_not_copied() -> None:
    data = bytes(1 << 20)
    for source in (data, [data[:10], data]):
        views = [one for one in fragment(store(source), 128 * 1024) if isinstance(one, memoryview)]

        assert sum(map(len, views)) >= len(data)
        assert data in [view.obj for view in views]


def test_tiny_fragments_are_joined_to_blocks() -> None:
    buffers = list(fragment(store(bytes(2 * BLOCK)), 64))

    assert 3 == len(buffers)


def test_an_odd_data_set_is_sent_as_it_is() -> None:
    pdvs = [pdv for pdv in pdvs_of(store(b"abcde"), 10) if not pdv.is_command]

    assert [(b"abcd", False), (b"e", True)] == [(pdv.data, pdv.is_last) for pdv in pdvs]


def test_what_is_sent_follows_the_data_and_not_what_the_command_announces() -> None:
    announced = store(None)
    announced.command[0x800] = 1
    unannounced = store(b"data")
    unannounced.command[0x800] = 0x0101

    assert [True] == [pdv.is_command for pdv in pdvs_of(announced, 16384)]
    assert [True, False] == [pdv.is_command for pdv in pdvs_of(unannounced, 16384)]


def test_a_command_set_can_be_sent_as_any_bytes() -> None:
    assert ["0400000000090000000505036a756e"] == [pdu.hex() for pdu in pdus_of(fragment_encoded(5, b"jun", None, 0))]


def test_a_long_command_set_is_cut_too() -> None:
    message = n_get_rq(1, 1, "1.2", "1.2.3", list(range(0x00080000, 0x00080000 + 5000)))

    pdvs = pdvs_of(message, 4096)

    assert 5 == len(pdvs)
    assert [False] * 4 + [True] == [pdv.is_last for pdv in pdvs]


def test_a_file_that_breaks_off_is_told_while_sending(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(2 * FileSlice.read_size))
    buffers = fragment(store(FileSlice(path, 0, 3 * FileSlice.read_size)), 16384)

    with pytest.raises(FileError, match=f"ends at byte {2 * FileSlice.read_size}"):
        list(buffers)


@pytest.mark.slow
@pytest.mark.parametrize("maximum_length", [0, 16384])
def test_ten_gigabytes_pass_in_bounded_memory(maximum_length: int, tmp_path: Path) -> None:
    """The file is sparse, so it costs no disk; a fiftieth of it shows how reading goes on."""
    path = tmp_path / "large"
    length = 10 << 30
    with path.open("wb") as file:
        file.truncate(length)
    largest_read = 0
    taken = 0
    tracemalloc.start()
    try:
        for buffer in fragment(store(FileSlice(path)), maximum_length):
            taken += len(buffer)
            largest_read = max(largest_read, len(buffer))
            if taken > 200 << 20:
                break
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert largest_read <= FileSlice.read_size
    assert peak < 8 * FileSlice.read_size


def test_buffers_stay_valid_while_later_ones_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    data = bytes(range(256)) * (BLOCK * 3 // 256)
    path.write_bytes(data)

    kept = list(fragment(store(FileSlice(path)), 16384))

    assert data == b"".join(pdv.data for raw in pdus_of(kept) for pdv in _pdvs(raw) if not pdv.is_command)


def _pdvs(raw: bytes) -> tuple[Pdv, ...]:
    pdu = decode_pdu(raw)
    assert isinstance(pdu, PDataTF)
    return pdu.pdvs


@st.composite
def data_sources(draw: st.DrawFn) -> DataSource | None:
    parts = draw(st.lists(st.binary(max_size=300), max_size=5))
    whole = b"".join(parts)
    if len(whole) % 2:
        parts.append(b"\0")
        whole += b"\0"
    buffers: list[Buffer] = [memoryview(part) for part in parts]
    file = FileSlice(io.BytesIO(b"123" + whole), 3, len(whole))
    return draw(st.sampled_from([None, whole, bytearray(whole), memoryview(whole), buffers, file]))


messages = st.one_of(
    st.builds(store, data_sources()),
    st.builds(
        c_find_rq, st.integers(0, 65535), st.sampled_from([1, 3, 255]), st.just("1.2.3"), data_sources(), st.just(1)
    ),
    st.builds(
        n_get_rq,
        st.integers(0, 65535),
        st.sampled_from([1, 3, 255]),
        st.just("1.2.3"),
        st.just("1.2.3.4"),
        st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=100),
    ),
)


@pytest.mark.slow
@given(messages, st.one_of(st.just(0), st.integers(8, 700)), st.integers(8, 700), st.sampled_from([0, 1, 7, 100]))
def test_whatever_is_fragmented_assembles_to_the_same(
    message: Message, maximum_length: int, size_hint: int, step: int
) -> None:
    stream = b"".join(fragment(message, maximum_length, size_hint))
    assembler = Assembler(None, {message.context_id})

    feed(assembler, stream, step)

    (received,) = assembler.messages
    assert message.command == without_group_length(received).command
    assert message.context_id == received.context_id
    assert (message.data is None, message.data_bytes()) == (received.data is None, received.data_bytes())
    pdvs = pdvs_of(message, maximum_length, size_hint)
    assert [] == [pdv for pdv in pdvs if len(pdv.data) % 2]


@pytest.mark.parametrize("length", [JOIN_DATA, 2 * JOIN_DATA, 2 * PREFERRED_LENGTH])
def test_a_file_that_is_gone_leaves_no_header_behind(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(bytes(length))
    message = store(FileSlice(path))
    path.unlink()
    with pytest.raises(FileError):
        next(fragment(message, 0))


# -- as the transport likes it best ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 2, 4096, 16 * 1024, 16 * 1024 + 2])
@pytest.mark.parametrize("maximum_length", [0, 64, 16384, 131072])
def test_a_small_message_is_joined_to_the_same_bytes(size: int, maximum_length: int) -> None:
    for data in (bytes(size), memoryview(bytes(size)), None):
        message = c_store_rq(7, 3, "1.2.840.10008.5.1.4.1.1.2", "1.2.3", data)
        whole = joined(message, maximum_length)
        fits = size <= JOIN_DATA and (not maximum_length or size <= maximum_length - PDV_OVERHEAD)
        command_fits = maximum_length != 64
        assert (whole is not None) == (command_fits and (data is None or fits))
        if whole is not None:
            assert b"".join(fragment(message, maximum_length)) == whole


def test_what_is_not_one_buffer_is_not_joined(tmp_path: Path) -> None:
    path = tmp_path / "object"
    path.write_bytes(bytes(10))
    for data in ([bytes(4), bytes(4)], FileSlice(path), bytearray(4)):
        assert joined(c_store_rq(7, 3, "1.2", "1.2.3", data), 0) is None


@pytest.mark.parametrize("maximum_length", [4096 + 6, 16384, 131072, 0])
@pytest.mark.parametrize("length", [1, 1 << 18, (1 << 18) + 2, 700_000])
def test_a_file_that_stays_in_its_place_gives_the_same_bytes(tmp_path: Path, length: int, maximum_length: int) -> None:
    path = tmp_path / "object"
    path.write_bytes(random.Random(length).randbytes(100 + length))
    message = c_store_rq(7, 3, "1.2", "1.2.3", FileSlice(path, 100, length))
    buffers = list(fragment_in_place(message, maximum_length))
    room = memoryview(bytearray(length))
    whole = b"".join(bytes(one.fetch(room[: len(one)])) if isinstance(one, FilePart) else one for one in buffers)
    assert b"".join(fragment(message, maximum_length)) == whole
    assert sum(map(len, buffers)) == len(whole)


def test_a_file_in_its_place_is_judged_before_anything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "object"
    path.write_bytes(bytes(500_000))
    slices = FileSlice(path, 0, 600_000), FileSlice(tmp_path / "gone", 0, 600_000)
    for data, reason in zip(slices, ("ends at byte 500000", "No such file"), strict=True):
        with pytest.raises(FileError, match=reason):
            next(fragment_in_place(c_store_rq(7, 3, "1.2", "1.2.3", data), 16384))
