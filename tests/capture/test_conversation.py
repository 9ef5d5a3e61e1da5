"""What captures say: those that are shipped, and such as people make."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim import resources
from dicomsim.capture import conversation
from dicomsim.capture.captured import CapturedEnd, CapturedMessage, CapturedOpen, CapturedPdu, Item
from dicomsim.capture.conversation import from_events, read
from dicomsim.capture.files import CaptureReader
from dicomsim.capture.pcap import PcapWriter
from dicomsim.capture.tcp_frames import TcpFrames
from dicomsim.capture.track import keep_in_memory
from dicomsim.errors import FileError
from dicomsim.events import ConnectionRefused, Event, Side
from tests.capture.live_events import ABORT, PEER, RELEASE_RP, RELEASE_RQ, TIME, US, Association, like, p_data

CAPTURES = resources.captures()
FIND = CAPTURES / "live" / "find_study.pcapng"
STORE = CAPTURES / "live" / "store_dcmsend.pcapng"
REQUEST, ANSWER = [item.data for item in read(FIND) if isinstance(item, CapturedPdu)][:2]


def short(items: Iterable[Item]) -> list[str]:
    """A word or two an item: `requestor 1`, `acceptor C-ECHO-RSP`, `end fin by requestor`."""
    out = []
    for item in items:
        if isinstance(item, CapturedOpen):
            out.append("open" if item.handshake else "open amid")
        elif isinstance(item, CapturedPdu):
            out.append(f"{item.sender.value} {item.data[0]}" + (" damaged" if item.damage else ""))
        elif isinstance(item, CapturedMessage):
            out.append(f"{item.sender.value} {item.message.name}" + (" damaged" if item.damage else ""))
        elif isinstance(item, CapturedEnd):
            out.append(f"end {item.how.value if item.how else 'unseen'} by {item.by.value if item.by else 'nobody'}")
        else:
            out.append(f"{item.sender.value} lost {item.size}")
    return out


def frames(path: Path) -> list[bytes]:
    with CaptureReader(path) as reader:
        return [packet.data for packet in reader]


def write(path: Path, data: Iterable[bytes]) -> Path:
    """A capture without a word on who wrote it."""
    with path.open("wb") as file:
        writer = PcapWriter(file)
        for number, frame in enumerate(data):
            writer.write(TIME + number * 1000, frame)
    return path


def test_a_find_from_its_request_to_its_end() -> None:
    assert short(read(FIND)) == [
        "open",
        "requestor 1",
        "acceptor 2",
        "requestor 4",
        "requestor 4",
        "requestor C-FIND-RQ",
        "acceptor 4",
        "acceptor 4",
        "acceptor C-FIND-RSP",
        "acceptor 4",
        "acceptor 4",
        "acceptor C-FIND-RSP",
        "acceptor 4",
        "acceptor C-FIND-RSP",
        "requestor 5",
        "acceptor 6",
        "end fin by requestor",
    ]


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("abort", ["requestor 7", "end fin by acceptor"]),
        ("refused", ["open", "end refused by acceptor"]),
        ("reject_calledae", ["requestor 1", "acceptor 3", "end fin by acceptor"]),
    ],
)
def test_every_end_is_told(name: str, last: list[str]) -> None:
    assert short(read(CAPTURES / "live" / f"{name}.pcapng"))[-len(last) :] == last


def test_addresses_times_and_frames_are_those_of_the_capture() -> None:
    items = list(read(FIND))
    opened = items[0]
    assert isinstance(opened, CapturedOpen)
    assert (opened.requestor, opened.acceptor) == (("127.0.0.1", 43254), ("127.0.0.1", 21104))
    assert [(item.frame, item.time - opened.time) for item in items[:3]] == [(1, 0), (4, 83545), (6, 386831)]


def test_associations_of_a_move_are_told_apart() -> None:
    items = list(read(CAPTURES / "live" / "move_patient.pcapng"))
    assert short(item for item in items if item.association == 2)[3:8] == [
        "requestor 4",
        "requestor 4",
        "requestor 4",
        "requestor 4",
        "requestor C-STORE-RQ",
    ]
    assert [item.association for item in items if isinstance(item, CapturedEnd)] == [2, 1]


def test_data_before_the_answer_is_understood() -> None:
    assert short(read(CAPTURES / "profuzzbench" / "dicom_get.pcap")) == [
        "open",
        "requestor 1",
        "requestor 4",
        "requestor 4",
        "requestor C-GET-RQ",
        "requestor 4",
        "requestor C-STORE-RSP",
        "requestor 5",
        "acceptor 2",
        "end reset by requestor",
    ]


def test_data_sets_are_kept_where_asked_for() -> None:
    kept = [
        i.message.data_length
        for i in read(STORE, choose_sink=keep_in_memory(1 << 20))
        if isinstance(i, CapturedMessage)
    ]
    counted = [i.data_length for i in read(STORE) if isinstance(i, CapturedMessage)]
    assert kept == counted == [38732, 0, 9358, 0]


def test_what_is_no_capture_is_a_file_error(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(FileError, match="not a capture"):
        list(read(path))


def test_a_capture_may_begin_amid_the_association(tmp_path: Path) -> None:
    # Without handshake and negotiation; the first frames are an acknowledgement and half a P-DATA-TF.
    path = write(tmp_path / "a.pcap", frames(STORE)[9:])
    items = short(read(path))
    assert items[:3] == ["open amid", "requestor lost 142", "requestor 4"]
    assert items[3:6] == ["acceptor 4", "acceptor C-STORE-RSP", "requestor 4"]
    assert items[-1] == "end fin by requestor"


@pytest.mark.parametrize("first", range(20))
def test_the_requestor_is_known_from_anywhere(tmp_path: Path, first: int) -> None:
    path = write(tmp_path / "a.pcap", frames(STORE)[first:])
    opened = next(iter(read(path)))
    assert isinstance(opened, CapturedOpen)
    assert opened.acceptor == ("127.0.0.1", 21104)


def test_one_direction_is_enough(tmp_path: Path) -> None:
    for port, expected in (("55", "requestor"), ("84", "acceptor")):
        del port
        requestor = [
            frame for frame in frames(FIND) if (frame[36:38] == (21104).to_bytes(2, "big")) == (expected == "requestor")
        ]
        said = short(read(write(tmp_path / "a.pcap", requestor)))
        assert {line.split()[0] for line in said} == {"open", expected, "end"}
        assert len(said) == {"requestor": 7, "acceptor": 12}[expected]


def test_every_frame_twice_is_the_same_conversation(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", [frame for frame in frames(FIND) for _ in "12"])
    assert short(read(path)) == short(read(FIND))


@pytest.mark.parametrize("dropped", range(31))
def test_a_lost_frame_damages_and_nothing_damaged_is_shown_as_whole(tmp_path: Path, dropped: int) -> None:
    original = frames(STORE)
    whole = {item.data for item in read(STORE) if isinstance(item, CapturedPdu)}
    sent = {(m.sender, m.message.message_id or m.message.message_id_being_responded_to) for m in _messages(STORE)}
    path = write(tmp_path / "a.pcap", original[:dropped] + original[dropped + 1 :])
    items = list(read(path))
    assert whole.issuperset(item.data for item in items if isinstance(item, CapturedPdu) and not item.damage)
    for item in items:
        if isinstance(item, CapturedMessage) and not item.damage:
            assert (item.sender, item.message.message_id or item.message.message_id_being_responded_to) in sent
            assert item.data_length in (0, 38732, 9358)
    has_data = len(original[dropped]) > 66
    assert has_data == (short(items)[1:] != short(read(STORE))[1:]) or dropped in (0, 1, 28, 29)  # SYNs and FINs


def _messages(path: Path) -> list[CapturedMessage]:
    return [item for item in read(path) if isinstance(item, CapturedMessage)]


def test_a_snap_length_leaves_the_heads(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", [])
    with path.open("ab") as file:
        for number, frame in enumerate(frames(STORE)):
            kept = frame[:220]
            file.write(struct.pack("<4I", 1, number, len(kept), len(frame)) + kept)
    said = short(read(path))
    assert said[0] == "open"
    assert said[-1] == "end fin by requestor"
    assert "requestor 1 damaged" in said
    assert "acceptor C-STORE-RSP" in said


def _data(connection: TcpFrames, sender: Side, data: bytes) -> list[bytes]:
    return [frame for frame, _ in connection.data(sender, data)]


class Talk:
    """Frames of one connection, made by hand."""

    def __init__(self, client: tuple[str, int] = US, server: tuple[str, int] = PEER) -> None:
        self.connection = TcpFrames(client, server)
        self.frames = self.connection.handshake()

    def say(self, sender: Side, data: bytes) -> Talk:
        self.frames += _data(self.connection, sender, data)
        return self

    def end(self) -> Talk:
        self.frames += self.connection.finish(Side.REQUESTOR) + self.connection.finish(Side.ACCEPTOR)
        return self


def test_dicom_is_told_by_content_and_not_by_port(tmp_path: Path) -> None:
    other = (
        Talk(server=("10.0.0.2", 104))
        .say(Side.REQUESTOR, b"GET / HTTP/1.1\r\n\r\n")
        .say(Side.ACCEPTOR, b"HTTP/1.1 200 OK\r\n")
    )
    dicom = Talk(server=("10.0.0.2", 80)).say(Side.REQUESTOR, REQUEST).say(Side.ACCEPTOR, ANSWER).end()
    path = write(tmp_path / "a.pcap", other.end().frames + dicom.frames)
    assert short(read(path)) == ["open", "requestor 1", "acceptor 2", "end fin by requestor"]


def test_ports_may_be_declared_dicom(tmp_path: Path) -> None:
    talk = Talk(server=("10.0.0.2", 4242)).say(Side.REQUESTOR, b"\x0f\0\0\0\0\x01x").end()
    path = write(tmp_path / "a.pcap", talk.frames)
    assert short(read(path)) == []
    assert short(read(path, ports={4242})) == ["open", "requestor 15", "end fin by requestor"]


def test_an_answer_is_enough_to_tell_dicom(tmp_path: Path) -> None:
    talk = Talk().say(Side.REQUESTOR, b"\x0f\0\0\0\0\x01x").say(Side.ACCEPTOR, ABORT).end()
    assert short(read(write(tmp_path / "a.pcap", talk.frames))) == [
        "open",
        "requestor 15",
        "acceptor 7",
        "end fin by requestor",
    ]


def test_a_connection_without_dicom_costs_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    monkeypatch.setattr(
        conversation._Flow, "ended_as_dicom", lambda flow: held.append(sum(len(data) for _, data, *_ in flow.held))
    )
    talk = Talk()
    for _ in range(50):
        talk.say(Side.REQUESTOR, b"x" * 1000)
    path = write(tmp_path / "a.pcap", talk.end().frames)
    assert short(read(path)) == []
    assert held == []


def test_a_connection_given_up_amid_what_was_kept_behind_a_hole_stays_given_up(tmp_path: Path) -> None:
    talk = Talk().say(Side.REQUESTOR, b"GET /").say(Side.REQUESTOR, b"lost").say(Side.REQUESTOR, b"x" * 5000)
    talk.say(Side.REQUESTOR, b"lost again").say(Side.REQUESTOR, b"HTTP/1.1\r\n")
    kept = [frame for frame in talk.frames if b"lost" not in frame]
    assert short(read(write(tmp_path / "a.pcap", kept))) == []


def test_half_a_head_at_the_end_of_a_capture_without_its_beginning_is_no_trouble(tmp_path: Path) -> None:
    talk = Talk().say(Side.REQUESTOR, b"\x04\0\0\0\0\x08")
    assert short(read(write(tmp_path / "a.pcap", talk.frames[3:]))) == [
        "open amid",
        "requestor 4 damaged",
        "end unseen by nobody",
    ]


def test_the_end_of_the_capture_is_no_end_of_the_connection(tmp_path: Path) -> None:
    talk = Talk().say(Side.REQUESTOR, REQUEST)
    assert short(read(write(tmp_path / "a.pcap", talk.frames)))[-1] == "end unseen by nobody"
    talk.frames += talk.connection.finish(Side.ACCEPTOR)
    assert short(read(write(tmp_path / "a.pcap", talk.frames)))[-1] == "end half-close by acceptor"


@pytest.mark.parametrize("side", list(Side))
def test_live_events_say_the_same_as_their_capture(side: Side) -> None:
    assert short(from_events(like(FIND, side=side))) == short(read(FIND))


def test_live_events_tell_refusals_and_what_is_still_open() -> None:
    association = Association()
    stream: list[Event] = [
        ConnectionRefused(TIME, 3, PEER, "Connection refused"),
        ConnectionRefused(TIME, 4, PEER, "timed out"),
        association.opened(),
        association.said(Side.REQUESTOR, RELEASE_RQ),
    ]
    assert short(from_events(stream)) == [
        "open",
        "end refused by acceptor",
        "open",
        "end failed by acceptor",
        "open",
        "requestor 5",
        "end unseen by nobody",
    ]


@pytest.mark.slow
@given(st.permutations(range(6)), st.integers(7, 60))  # fewer than 64 segments in flight
def test_the_order_of_frames_in_flight_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], segment: int
) -> None:
    connection = TcpFrames(US, PEER, segment=segment)
    head = connection.handshake() + _data(connection, Side.REQUESTOR, REQUEST)
    parts = [p_data(60, bytes([n])) for n in range(6)]
    flight = [_data(connection, Side.REQUESTOR, part) for part in parts]
    tail = _data(connection, Side.ACCEPTOR, RELEASE_RP)
    path = tmp_path_factory.getbasetemp() / "shuffled.pcap"
    write(path, [*head, *itertools.chain.from_iterable(flight[n] for n in order), *tail])
    pdus = [item.data for item in read(path) if isinstance(item, CapturedPdu) and not item.damage]
    assert pdus == [REQUEST, *parts, RELEASE_RP]


CORPUS = [path.read_bytes() for path in (FIND, STORE)]


@pytest.mark.slow
@given(
    st.sampled_from(CORPUS),
    st.lists(st.tuples(st.integers(0, 60_000), st.binary(min_size=1, max_size=6)), min_size=1, max_size=12),
)
def test_a_mutated_capture_raises_nothing_but_file_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, edits: list[tuple[int, bytes]]
) -> None:
    mutated = bytearray(data)
    for at, value in edits:
        start = at % len(mutated)
        mutated[start : start + len(value)] = value
    path = tmp_path_factory.getbasetemp() / "mutated.pcapng"
    path.write_bytes(mutated)
    ends = opens = 0
    try:
        for item in read(path, choose_sink=keep_in_memory(1 << 20)):
            opens += isinstance(item, CapturedOpen)
            ends += isinstance(item, CapturedEnd)
    except FileError:
        return
    assert opens == ends
