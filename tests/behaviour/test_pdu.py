"""Actions on the bytes of a PDU, and the PDUs that end an association."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomsim.behaviour.edits import field_of, find
from dicomsim.behaviour.fields import spans
from dicomsim.dimse.builders import c_echo_rq
from dicomsim.engine.hops import Close, Pass, Raw, Request, Step
from dicomsim.upper_layer.primitives import AbortRequest, ReleaseRequest
from dicomsim.upper_layer.table import TRANSITIONS, Event, State
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.command import decode_command
from dicomsim.wire.pdu import AssociateRQ, PDataTF
from tests.behaviour.sessions import AC, ECHO_RQ, ECHO_RSP, RELEASE_RQ, RQ, FakeSession, Peer, passed
from tests.wire.vectors import PDU_BYTES

ABORT_2_1 = bytes.fromhex("07000000000400000201")
REJECT = bytes.fromhex("03000000000400010107")


def out(actions: str, data: bytes = RQ, words: str = "at=pdu out") -> bytes:
    """The bytes that go on after a rule at the PDU hop."""
    return passed(Peer(f"on {words}: {actions}").pdu_out(data))


def values(data: bytes, path: str) -> list[bytes]:
    """The bytes of fields."""
    return [data[chain[-1].start : chain[-1].end] for chain in map(field_of, find(spans(data), path))]


@pytest.mark.parametrize(
    ("actions", "left"),
    [
        ("truncate 20", RQ[:20]),
        ("truncate -4", RQ[:-4]),
        ("truncate 0", b""),
        ("truncate 5000", RQ),
        ("truncate -5000", b""),
        ("pad 3", RQ + bytes(3)),
        ("pad 2 byte=0xFF", RQ + b"\xff\xff"),
        ("truncate 40 lengths=fix", RQ[:2] + (34).to_bytes(4) + RQ[6:40]),
        ("pad 3 byte=1 lengths=fix", RQ[:2] + (len(RQ) - 3).to_bytes(4) + RQ[6:] + b"\1\1\1"),
        ("truncate 4 lengths=fix", RQ[:4]),
    ],
)
def test_a_pdu_is_cut_or_lengthened(actions: str, left: bytes) -> None:
    assert left == out(actions)


def test_reads_and_writes_are_cut_too() -> None:
    assert b"01" == passed(Peer("on bytes in: truncate 2").bytes_in(b"0123"))
    assert b"0123\0" == passed(Peer("on bytes out: pad 1").bytes_out(b"0123"))


@pytest.mark.parametrize(
    ("actions", "path", "found"),
    [
        ("substitute user.maximum_length=0", "maximum_length", [bytes(4)]),
        ("substitute maximum_length=0xFFFFFFFF", "user.maximum_length", [b"\xff" * 4]),
        ("substitute protocol_version=0 called_ae_title=X", "called_ae_title", [b"X".ljust(16)]),
        ("substitute contexts.*.context_id=2", "contexts.*.context_id", [b"\2"]),
        ("substitute application_context=1.2.3", "application_context", [b"1.2.3"]),
        ("substitute reserved3=random:32", "protocol_version", [b"\0\1"]),
        ("xor contexts.1.context_id=0x80", "contexts.129.context_id", [b"\x81"]),
        ("remove user.implementation_version_name", "user.items.*.type", [b"\x51", b"\x52"]),
        ("repeat contexts.1 count=2", "contexts.*.context_id", [b"\1", b"\1", b"\1"]),
        ("append 5A0000020102 path=user", "user.items.last.type", [b"\x5a"]),
        ("append 60000000", "items.last.type", [b"\x60"]),
        ("reverse", "items.*.type", [b"\x50", b"\x20", b"\x10"]),
        ("reverse user", "user.items.*.type", [b"\x55", b"\x52", b"\x51"]),
    ],
)
def test_fields_and_items_are_changed_and_the_lengths_follow(actions: str, path: str, found: list[bytes]) -> None:
    changed = out(actions)

    assert found == values(changed, path)
    assert len(changed) - 6 == int.from_bytes(changed[2:6])


def test_what_is_changed_and_has_valid_lengths_decodes() -> None:
    changed = decode_pdu(out("substitute application_context=1.2.3; remove user.maximum_length; repeat contexts.1"))

    assert isinstance(changed, AssociateRQ)
    assert ("1.2.3", 2, 2) == (
        changed.application_context,
        len(changed.presentation_contexts),
        len(changed.user_information),
    )


def test_lengths_are_left_wrong_when_asked_for() -> None:
    assert RQ[2:6] == out("remove user lengths=keep")[2:6]
    assert RQ[2:6] == out("substitute application_context=1 lengths=keep")[2:6]
    assert RQ[2:6] == out("append 60000000 lengths=keep")[2:6]
    assert RQ[2:6] == out("repeat user lengths=keep")[2:6]


@pytest.mark.parametrize(
    ("actions", "left"),
    [
        ("substitute 0=0x42", b"\x42123456789"),
        ("substitute 2=hex:6162 -1=0x21", b"01ab45678!"),
        ("substitute -2=hex:61626364", b"01234567ab"),
        ("substitute 10=1 -11=1", b"0123456789"),
        ("xor 0=0x01 -1=hex:FF", b"1123456789"[:9] + b"\xc6"),
        ("xor 8=hex:0101FF", b"0123456798"),
    ],
)
def test_bytes_are_written_over_at_offsets_from_either_end(actions: str, left: bytes) -> None:
    assert left == out(actions, b"0123456789")


@pytest.mark.parametrize("actions", ["substitute 0=256", "substitute 0=x", "xor 1=-1"])
def test_what_is_no_byte_cannot_be_written(actions: str) -> None:
    with pytest.raises(Exception, match="is no"):
        Peer(f"on out: {actions}")


def test_a_pdu_without_the_field_passes_as_it_is_and_the_event_says_so() -> None:
    peer = Peer("on at=pdu out: substitute user.maximum_length=0")

    assert [Pass(RELEASE_RQ)] == peer.pdu_out(RELEASE_RQ)
    peer.pdu_out(RQ)
    assert ["pdu out, nothing to change", "pdu out"] == peer.fake.fired


@pytest.mark.parametrize(
    ("actions", "element", "value"),
    [
        ("substitute command.MessageID=258", "MessageID", b"\2\1"),
        ("substitute command.AffectedSOPClassUID=1.2.34", "AffectedSOPClassUID", b"1.2.34"),
        ("substitute command.CommandGroupLength=4", "CommandGroupLength", b"\4\0\0\0"),
        ("remove command.MessageID", "CommandGroupLength", b"\x2e\0\0\0"),
        ("repeat command.MessageID", "CommandGroupLength", b"\x42\0\0\0"),
        ("append hex:08000500020000004142 path=command", "00080005", b"AB"),
        ("reverse command", "MessageID", b"\1\0"),
    ],
)
def test_elements_of_a_command_set_are_changed_in_its_bytes(actions: str, element: str, value: bytes) -> None:
    changed = out(actions, ECHO_RQ)

    assert [value] == values(changed, f"command.{element}")
    assert len(changed) - 6 == int.from_bytes(changed[2:6]) == int.from_bytes(changed[6:10]) + 4


def test_a_command_set_turned_round_has_its_elements_in_another_order() -> None:
    pdu = decode_pdu(out("reverse command", ECHO_RSP))
    assert isinstance(pdu, PDataTF)

    assert [0x900, 0x800, 0x120, 0x100, 0x002, 0x000] == list(decode_command(pdu.pdvs[0].data))


@pytest.mark.parametrize(
    ("how", "element"),
    [
        ("explicit-little", "00001001 5553 0200 0100"),
        ("implicit-big", "0000 0110 00000002 0001"),
        ("explicit-big", "0000 0110 5553 0002 0001"),
    ],
)
def test_a_command_set_is_written_in_another_encoding(how: str, element: str) -> None:
    changed = out(f"recode {how}", ECHO_RQ)

    assert bytes.fromhex(element) in changed
    assert b"1.2.840.10008.1.1\0" in changed
    assert len(ECHO_RQ) == len(changed)
    assert ECHO_RQ[:12] == changed[:12]


def test_the_order_of_presentation_data_values_is_turned_round() -> None:
    before = decode_pdu(PDU_BYTES["PD-003"])
    after = decode_pdu(out("reverse", PDU_BYTES["PD-003"]))
    assert isinstance(before, PDataTF)
    assert isinstance(after, PDataTF)

    assert before.pdvs[::-1] == after.pdvs


def test_a_rejection_that_is_no_answer_is_a_pdu() -> None:
    assert [Pass(REJECT)] == Peer("on A-ASSOCIATE-AC out: reject called").pdu_out(AC)
    assert [Raw(REJECT)] == Peer("on A-RELEASE-RQ in: reject called").pdu_in(RELEASE_RQ)
    assert [Raw(REJECT)] == Peer("on connected: reject called").connected()
    assert [Pass(RELEASE_RQ), Raw(REJECT)] == Peer("on bytes in: reject called place=after").bytes_in(RELEASE_RQ)


ABORTABLE = frozenset(TRANSITIONS[Event.EVT15])


@pytest.mark.parametrize("state", list(State))
def test_an_abort_is_our_users_where_the_table_has_a_cell_and_bytes_elsewhere(state: State) -> None:
    steps = Peer("on A-RELEASE-RQ in: abort 2/1", session=FakeSession(state=state)).pdu_in(RELEASE_RQ)
    expected: Step = Request(AbortRequest(2, 1)) if state in ABORTABLE else Raw(ABORT_2_1)

    assert [expected] == steps


def test_an_abort_is_sent_as_one_wants() -> None:
    session = FakeSession(state=State.STA2)

    assert [Request(AbortRequest(2, 1))] == Peer("on in: abort 2/1 as=user", session=session).pdu_in(RQ)
    assert [Raw(ABORT_2_1)] == Peer("on in: abort 2/1 as=raw").pdu_in(RELEASE_RQ)
    assert [Pass(RQ), Request(AbortRequest())] == Peer("on in: abort place=after").pdu_in(RQ)
    assert [Request(AbortRequest())] == Peer("on C-ECHO-RQ in: abort").message_in(c_echo_rq(1, 1))
    assert [Request(AbortRequest())] == Peer("on Sta6: abort").moved("Evt7", "Sta3", "AE-7", "Sta6")


def test_a_release_comes_after_what_passes() -> None:
    early = FakeSession(state=State.STA3)

    assert [Pass(ECHO_RQ), Request(ReleaseRequest())] == Peer("on out: release").pdu_out(ECHO_RQ)
    assert [Pass(RQ), Raw(RELEASE_RQ)] == Peer("on in: release", session=early).pdu_in(RQ)
    assert [Raw(RELEASE_RQ)] == Peer("on in: release as=raw place=instead").pdu_in(ECHO_RQ)


EDITS = [
    "truncate 7 lengths=fix",
    "pad 9 lengths=fix",
    "substitute pdu_length=0 items.*.length=9 contexts.1.result=4 command.Status=hex:01 3=1 -1=2",
    "substitute contexts.*.abstract_syntax=random:9 user.user_identity.primary=text:x lengths=keep",
    "xor pdv.*.control=3 0=255 command.MessageID=1 calling_ae_title=hex:20",
    "remove items.2",
    "remove user.items.*",
    "repeat pdv.last count=3",
    "append random:5 path=user.maximum_length",
    "append 00 path=command",
    "reverse",
    "reverse user",
    "recode explicit-big",
    "slice 3",
    "abort 2/1; reject 1/1/1; release; raw A-ASSOCIATE-AC; insert C-STORE-RSP",
]


@settings(max_examples=40)
@pytest.mark.parametrize("actions", EDITS)
@given(st.one_of(st.binary(max_size=60), st.sampled_from(list(PDU_BYTES.values())).flatmap(
    lambda raw: st.integers(0, len(raw)).map(lambda end: raw[:end])
), st.tuples(st.sampled_from(list(PDU_BYTES.values())), st.integers(0, 250), st.binary(max_size=4)).map(
    lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + len(parts[2]) :]
)))  # fmt: skip
def test_no_rule_raises_on_any_bytes(actions: str, data: bytes) -> None:
    for direction in ("in", "out"):
        peer = Peer(
            f"on at=pdu {direction}: {actions}", f"on *-RSP at=pdu item=0x51 field={{items.*: present}}: {actions}"
        )
        steps = peer.pdu_in(data) if direction == "in" else peer.pdu_out(data)
        assert all(isinstance(step.data, bytes) for step in steps if isinstance(step, Pass | Raw))


def test_a_close_after_part_of_a_pdu() -> None:
    steps = Peer("on A-ASSOCIATE-RQ out: truncate 30; close after").pdu_out(RQ)

    assert [Pass(RQ[:30]), Close()] == steps
