"""Following the message that P-DATA-TF PDUs belong to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dicomsim.behaviour.tracking import COMMAND_LIMIT, Track
from dicomsim.dimse.builders import c_echo_rq, c_store_rq
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.command import encode_command
from dicomsim.wire.pdu import PDataTF, Pdv
from tests.wire.vectors import PDU_BYTES

COMMAND = encode_command(c_store_rq(7, 3, "1.2", "1.2.3", b"data").command)


def pdu(*pdvs: tuple[int, bytes]) -> bytes:
    """A P-DATA-TF of control headers and fragments."""
    return encode_pdu(PDataTF(tuple(Pdv(3, control, data) for control, data in pdvs)))


def test_a_message_in_one_pdu_is_there_at_once() -> None:
    track = Track()

    assert {"command", "data", "last"} == track.follow(pdu((3, COMMAND), (2, b"data")))
    assert track.command is not None
    assert 7 == track.command[0x110]


def test_a_message_in_fragments_is_known_from_the_end_of_its_command_set() -> None:
    track = Track()
    parts = [track.follow(pdu(each)) for each in ((1, COMMAND[:9]), (3, COMMAND[9:]), (0, b"da"), (2, b"ta"))]

    assert [set(), {"command"}, {"data"}, {"data", "last"}] == parts
    assert track.command is not None


def test_a_message_without_a_data_set_ends_with_its_command_set() -> None:
    assert {"command", "last"} == Track().follow(pdu((3, encode_command(c_echo_rq(1, 1).command))))


def test_the_next_message_begins_with_nothing_known() -> None:
    track = Track()
    track.follow(pdu((3, COMMAND), (2, b"data")))
    track.follow(pdu((1, COMMAND[:9])))

    assert track.command is None


def test_a_command_set_that_is_none_is_an_empty_one() -> None:
    track = Track()

    assert {"command", "last"} == track.follow(pdu((3, b"banana")))
    assert {} == track.command


def test_a_command_set_without_end_is_gathered_up_to_a_limit() -> None:
    track = Track()
    for _ in range(5):
        track.follow(pdu((1, bytes(COMMAND_LIMIT // 2))))

    assert {"command", "last"} == track.follow(pdu((3, b"")))
    assert {} == track.command


@given(
    st.lists(
        st.binary(max_size=40).map(lambda data: b"\4" + data) | st.sampled_from(list(PDU_BYTES.values())), max_size=5
    )
)
def test_any_bytes_can_be_followed(pdus: list[bytes]) -> None:
    track = Track()
    for data in pdus:
        assert track.follow(data) <= {"command", "data", "last"}
