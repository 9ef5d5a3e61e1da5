"""Events become frames: what is joined, what stays apart, how it ends, and what the comments say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from dicomsim import events
from dicomsim.capture import frame_log
from dicomsim.capture.frame_log import FrameLog
from dicomsim.capture.frames import ACK, FIN, PSH, RST, SYN, FrameParser, Segment, endpoints
from dicomsim.capture.packet import Packet
from dicomsim.events import CloseHow, Event, Side
from tests.capture.live_events import ABORT, MILLISECOND, PEER, RELEASE_RP, RELEASE_RQ, TIME, US, Association, p_data

REQUESTOR, ACCEPTOR = Side.REQUESTOR, Side.ACCEPTOR


@dataclass
class Frames:
    """A capture in memory."""

    frames: list[tuple[int, bytes, str]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    lengths: list[int | None] = field(default_factory=list)

    def write(self, time: int, frame: bytes, comment: str = "", length: int | None = None) -> None:
        self.frames.append((time, frame, comment))
        self.lengths.append(length)

    def write_names(self, names: dict[str, str]) -> None:
        self.names.update(names)

    def write_secrets(self, key_log: bytes) -> None:
        raise AssertionError("no secrets")

    @property
    def segments(self) -> list[Segment]:
        parser = FrameParser()
        segments = [parser.segment(Packet(1, 0, 1, frame, len(frame))) for _, frame, _ in self.frames]
        return [segment for segment in segments if segment is not None]

    @property
    def data(self) -> list[bytes]:
        return [segment.payload for segment in self.segments if segment.payload]

    @property
    def flags(self) -> list[int]:
        return [segment.flags for segment in self.segments]

    @property
    def comments(self) -> list[str]:
        return [comment for _, _, comment in self.frames if comment]


def log(*stream: Event, final: bool = True, **options: Any) -> Frames:
    frames = Frames()
    writer = FrameLog(frames, **options)
    for event in stream:
        writer.event(event)
    if final:
        writer.settle(final=True)
    times = [time for time, _, _ in frames.frames]
    assert times == sorted(times)
    return frames


def test_a_connection_from_its_handshake_to_its_end() -> None:
    a = Association()
    frames = log(a.opened(), a.said(REQUESTOR, RELEASE_RQ), a.said(ACCEPTOR, RELEASE_RP), a.closed(), a.ended())
    assert frames.data == [RELEASE_RQ, RELEASE_RP]
    assert frames.flags == [SYN, SYN | ACK, ACK, PSH | ACK, PSH | ACK, FIN | ACK, ACK, FIN | ACK, ACK]
    assert endpoints(frames.segments[0].key) == (US, PEER)
    assert [time - TIME for time, _, _ in frames.frames] == [n * MILLISECOND for n in (1, 1, 1, 2, 3, 4, 4, 5, 5)]


def test_the_client_is_the_requestor_also_where_it_is_the_peer() -> None:
    a = Association(side=ACCEPTOR)
    frames = log(a.opened(), a.said(REQUESTOR, RELEASE_RQ), a.said(ACCEPTOR, RELEASE_RP))
    assert [endpoints(s.key) == (US, PEER) for s in frames.segments if s.payload] == [True, False]
    assert frames.comments == ["association 1; the acceptor is ours"]


def test_what_one_write_gave_is_cut_at_pdu_heads() -> None:
    a = Association()
    parts = [p_data(100), p_data(40), RELEASE_RQ]
    assert log(a.opened(), a.said(REQUESTOR, b"".join(parts))).data == parts


def test_the_parts_of_a_pdu_that_come_close_together_become_one_segment() -> None:
    a = Association()
    data = p_data(300) + RELEASE_RQ
    frames = log(a.opened(), *(a.said(ACCEPTOR, data[n : n + 7]) for n in range(0, len(data), 7)))
    assert frames.data == [p_data(300), RELEASE_RQ]


def test_answers_that_cross_a_pdu_keep_their_place() -> None:
    a = Association()
    data = p_data(100)
    stream = [a.said(ACCEPTOR, data[:50]), a.said(REQUESTOR, RELEASE_RQ), a.said(ACCEPTOR, data[50:])]
    assert log(a.opened(), *stream).data == [RELEASE_RQ, data]


def test_parts_with_pauses_between_them_stay_apart() -> None:
    a = Association()
    data = p_data(100)
    stream = [a.opened(), a.said(ACCEPTOR, data[:30])]
    a.time += 60 * MILLISECOND
    stream += [a.said(ACCEPTOR, data[30:60]), a.said(ACCEPTOR, data[60:])]
    frames = log(*stream)
    assert frames.data == [data[:30], data[30:]]
    assert [time - TIME for time, _, _ in frames.frames[3:]] == [n * MILLISECOND for n in (2, 64, 64)]


def test_parts_stay_apart_where_that_is_asked_for() -> None:
    a = Association()
    data = p_data(100)
    assert log(a.opened(), a.said(ACCEPTOR, data[:30]), a.said(ACCEPTOR, data[30:]), join=False).data == [
        data[:30],
        data[30:],
    ]


def test_of_a_pdu_that_was_cut_the_frames_say_how_long_they_were() -> None:
    a = Association()
    data = p_data(70_000)
    stream = [a.opened(), a.said(REQUESTOR, data[:20], 69_980), a.said(REQUESTOR, RELEASE_RQ), a.ended()]
    frames = log(*stream)
    assert [data[:20], RELEASE_RQ] == frames.data
    cut, after = (one for one in frames.segments if one.payload)
    assert 70_000 == after.sequence - cut.sequence
    assert 54 + 70_000 == frames.lengths[3]


@pytest.mark.parametrize("missing", [0, 500])
def test_what_is_above_the_payload_limit_is_left_out(missing: int) -> None:
    a = Association()
    data = p_data(1000)
    stream = [a.opened(), a.said(REQUESTOR, data[: 1000 - missing], missing), a.said(REQUESTOR, RELEASE_RQ)]
    frames = log(*stream, payload_limit=8)
    assert [data[:20], RELEASE_RQ] == frames.data
    assert 54 + 1000 == frames.lengths[3]


@pytest.mark.parametrize("waits", [False, True])
def test_a_read_may_give_nothing_but_bytes_that_nobody_wants(waits: bool) -> None:
    a, b = Association(), Association(2)
    data = p_data(60_000)
    stream = [a.opened(), b.opened()]
    if waits:
        stream.append(b.said(REQUESTOR, data[:30]))
    stream += [a.said(REQUESTOR, data[:268], 50_000), a.said(REQUESTOR, b"", 9_732), a.said(REQUESTOR, RELEASE_RQ)]
    frames = log(*stream, payload_limit=256)
    assert [data[:268], RELEASE_RQ] == [one for one in frames.data if len(one) != 30]
    cut, after = (one for one in frames.segments if one.payload and len(one.payload) != 30)
    assert 60_000 == after.sequence - cut.sequence


def test_a_pdu_that_is_cut_may_begin_behind_a_part_of_it() -> None:
    a = Association()
    data = p_data(1000)
    parts = [a.said(REQUESTOR, data[:5]), a.said(REQUESTOR, data[5:30], 970), a.said(REQUESTOR, RELEASE_RQ)]
    frames = log(a.opened(), *parts)
    assert [data[:30], RELEASE_RQ] == frames.data
    assert 54 + 1000 == frames.lengths[3]


def test_parts_of_a_pdu_that_fits_no_frame_are_written_at_once() -> None:
    a = Association()
    data = p_data(70_000)
    stream = [a.opened(), a.said(ACCEPTOR, data[:40_000]), a.said(ACCEPTOR, data[40_000:])]
    assert log(*stream[:2], final=False).data == [data[:40_000]]
    assert log(*stream).data == [data[:40_000], data[40_000:]]


def test_a_part_waits_for_the_rest_only_as_long_as_something_happens() -> None:
    a = Association()
    frames = Frames()
    writer = FrameLog(frames)
    for event in (a.opened(), a.said(ACCEPTOR, RELEASE_RP[:5])):
        writer.event(event)
    assert (frames.data, writer.waiting) == ([], True)
    writer.settle()
    assert (frames.data, writer.waiting) == ([RELEASE_RP[:5]], False)
    writer.event(a.said(ACCEPTOR, RELEASE_RP[5:]))
    assert frames.data == [RELEASE_RP[:5], RELEASE_RP[5:]]


def test_what_waits_behind_a_part_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_log, "MAX_HELD", 1000)
    a = Association()
    stream = [a.opened(), a.said(ACCEPTOR, p_data(100)[:50])]
    stream += [a.said(REQUESTOR, p_data(200)) for _ in range(5)]
    assert log(*stream, final=False).data[:1] == [p_data(100)[:50]]


def test_bytes_that_are_no_pdus_are_written_as_they_came() -> None:
    a = Association()
    stream = [a.said(REQUESTOR, b"GET / HTTP/1.1\r\n"), a.said(REQUESTOR, b"\r\n"), a.said(REQUESTOR, b"\x05")]
    frames = log(a.opened(), *stream)
    assert b"".join(frames.data) == b"GET / HTTP/1.1\r\n\r\n\x05"


def test_a_small_segment_size_cuts_pdus_and_acknowledges_every_two() -> None:
    a = Association()
    frames = log(a.opened(), a.said(REQUESTOR, p_data(4000)), segment=1460)
    assert [len(data) for data in frames.data] == [1460, 1460, 1080]
    assert frames.flags[3:] == [ACK, ACK, ACK, PSH | ACK]


def test_a_reset_is_a_reset() -> None:
    a = Association()
    frames = log(a.opened(), a.said(REQUESTOR, ABORT), a.closed(ACCEPTOR, CloseHow.RESET))
    assert frames.flags[-1] == RST | ACK
    assert endpoints(frames.segments[-1].key)[0] == PEER


def test_a_half_close_is_one_fin() -> None:
    a = Association()
    stream = [a.opened(), a.closed(REQUESTOR, CloseHow.HALF), a.said(ACCEPTOR, RELEASE_RP)]
    assert log(*stream).flags[3:] == [FIN | ACK, ACK, PSH | ACK]
    assert log(*stream, a.closed(ACCEPTOR), a.ended()).flags[3:] == [FIN | ACK, ACK, PSH | ACK, FIN | ACK, ACK]


def test_what_a_script_sends_after_the_peers_fin_comes_before_its_own() -> None:
    a = Association()
    frames = log(a.opened(), a.closed(ACCEPTOR), a.said(REQUESTOR, RELEASE_RQ))
    assert frames.flags[3:] == [FIN | ACK, ACK, PSH | ACK, FIN | ACK, ACK]


def test_a_fin_is_answered_when_a_second_has_passed() -> None:
    a, b = Association(1), Association(2)
    stream = [a.opened(), b.opened((US[0], 50_001)), a.closed()]
    b.time = a.time + 1000 * MILLISECOND
    frames = log(*stream, b.said(REQUESTOR, RELEASE_RQ), final=False)
    assert frames.flags[6:] == [FIN | ACK, ACK, PSH | ACK, FIN | ACK, ACK]


def test_an_association_that_ended_before_its_connection_needs_no_wait() -> None:
    a = Association()
    frames = log(a.opened(), a.ended(), a.closed(), final=False)
    assert frames.flags[3:] == [FIN | ACK, ACK, FIN | ACK, ACK]


@pytest.mark.parametrize(("reason", "flags"), [("Connection refused", [SYN, RST | ACK]), ("timed out", [SYN])])
def test_connections_that_do_not_come_about_are_recorded(reason: str, flags: list[int]) -> None:
    frames = log(events.ConnectionRefused(TIME, 3, ("10.0.0.9", 104), reason))
    assert frames.flags == flags
    assert endpoints(frames.segments[0].key)[1] == ("10.0.0.9", 104)
    assert frames.comments == [f"association 3; 10.0.0.9 port 104: {reason}; from where is not known"]


def test_a_host_name_is_said_where_there_is_no_address() -> None:
    frames = log(events.ConnectionRefused(TIME, 3, ("archive", 104), "unknown host"))
    assert "archive port 104: unknown host" in frames.comments[0]


def test_associations_interleave_and_may_use_the_same_ports() -> None:
    a, b = Association(1), Association(2)
    b.time += 1
    frames = log(a.opened(), b.opened(), a.said(REQUESTOR, RELEASE_RQ), b.said(REQUESTOR, ABORT))
    assert frames.data == [RELEASE_RQ, ABORT]
    assert frames.segments[0].sequence != frames.segments[3].sequence


def test_a_recording_may_begin_in_the_middle() -> None:
    a = Association()
    frames = log(a.said(REQUESTOR, RELEASE_RQ))
    assert frames.data == [RELEASE_RQ]
    assert frames.comments[0].startswith("association 1; open before the recording began")


def test_comments_tell_association_state_rule_and_timer_when_they_are_new() -> None:
    a = Association(7)
    stream = [
        a.opened(),
        events.Transition(a.time, 7, "Evt6", "DT-2", "Sta6", "Sta6"),
        a.said(REQUESTOR, p_data(50)),
        a.said(REQUESTOR, p_data(50)),
        events.RuleFired(a.time, 7, "on A-RELEASE-RQ: drop", "pdu_in"),
        events.TimerExpired(a.time, 7, "dimse", 30.0),
        a.said(REQUESTOR, RELEASE_RQ),
    ]
    assert log(*stream).comments == [
        "association 7; the requestor is ours",
        "association 7, Sta6",
        "association 7, Sta6; rule on A-RELEASE-RQ: drop at pdu_in; dimse timeout of 30 s ran out",
    ]


def test_ae_titles_name_the_hosts_where_there_is_one_for_each() -> None:
    request = (
        b"\x01\x00" + (68).to_bytes(4, "big") + b"\0\x01\0\0" + b"ARCHIVE".ljust(16) + b"SCU".ljust(16) + bytes(32)
    )
    a = Association()
    assert log(a.opened(), a.said(REQUESTOR, request)).names == {US[0]: "SCU", PEER[0]: "ARCHIVE"}
    a = Association()
    assert log(a.opened(("::1", 1), ("::1", 2)), a.said(REQUESTOR, request)).names == {}
    a = Association()
    odd = request.replace(b"ARCHIVE", b"\x1b[2Jabc").replace(b"SCU", b"   ")
    assert log(a.opened(), a.said(REQUESTOR, odd)).names == {}


def test_time_never_goes_back() -> None:
    a = Association()
    stream = [a.opened()]
    a.time -= 50 * MILLISECOND
    log(*stream, a.said(REQUESTOR, RELEASE_RQ))
