"""Each trigger, on something that it holds for and on something that it does not."""

from __future__ import annotations

import pytest

from dicomsim.behaviour.kinds import ITEM_TYPES
from dicomsim.behaviour.occasion import Layer
from dicomsim.behaviour.triggers import TRIGGERS, trigger_of
from dicomsim.dimse.builders import c_echo_rq, c_echo_rsp, c_store_rq
from dicomsim.events import Side
from dicomsim.upper_layer.table import State
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.command import encode_command
from dicomsim.wire.item_codec import ITEMS
from dicomsim.wire.pdu import AssociateRJ, AssociateRQ, PDataTF, Pdv
from tests.behaviour.sessions import AC, ECHO_RQ, ECHO_RSP, RELEASE_RQ, RQ, FakeSession, Peer
from tests.wire.vectors import PDU_BYTES

CT = "1.2.840.10008.5.1.4.1.1.2"
STORE = c_store_rq(7, 3, CT, "1.2.3.4", b"x" * 100)


def fires_on_pdu(words: str, data: bytes, session: FakeSession | None = None, direction: str = "in") -> bool:
    """Whether a rule with these words takes the PDU away."""
    peer = Peer(f"on {words}: drop", session=session)
    return not (peer.pdu_in(data) if direction == "in" else peer.pdu_out(data))


@pytest.mark.parametrize(
    ("words", "data", "holds"),
    [
        ("A-RELEASE-RQ", RELEASE_RQ, True),
        ("A-RELEASE-RQ", AC, False),
        ("pdu=0x42", b"\x42\0\0\0\0\0", True),
        ("A-RELEASE-RQ A-ASSOCIATE-AC", AC, True),
        ("item=implementation_version_name", RQ, True),
        ("item=user_identity_rq", RQ, False),
        ("item=user_identity_rq", PDU_BYTES["RQ-021"], True),
        ("item=[0x60, 0x61]", PDU_BYTES["RQ-016"], True),
        ("field={maximum_length: 16382, called_ae_title: ANY-SCP}", RQ, True),
        ("field={maximum_length: 16382, called_ae_title: OTHER}", RQ, False),
        ("field={pdv.2: present}", PDU_BYTES["PD-003"], True),
        ("field={pdv.2: present}", ECHO_RQ, False),
        ("context=1 at=pdu", ECHO_RQ, True),
        ("context=3..9 at=pdu", ECHO_RQ, False),
        ("sop_class=Verification at=pdu", RQ, True),
        ("sop_class=*ImageStorage at=pdu", RQ, False),
        ("sop_class=Verification at=pdu", ECHO_RQ, True),
        ("sop_class=CTImageStorage at=pdu", ECHO_RQ, False),
        ("C-ECHO-RQ at=pdu", ECHO_RQ, True),
        ("C-ECHO-RQ at=pdu", ECHO_RSP, False),
        ("*-RSP at=pdu", ECHO_RSP, True),
        ("C-ECHO-RQ at=pdu", RELEASE_RQ, False),
        ("Status=0000 at=pdu", ECHO_RSP, True),
        ("Status=0122 at=pdu", ECHO_RSP, False),
        ("Status=absent at=pdu", ECHO_RQ, True),
        ("part=last", ECHO_RQ, True),
        ("part=data", ECHO_RQ, False),
        ("part=[data, command]", ECHO_RQ, True),
        (f"size={len(RQ)}", RQ, True),
        (f"size={len(RQ) + 1}..", RQ, False),
        ("called=ANY-* at=pdu", RQ, True),
        ("calling=DICOMSIM at=pdu", RQ, True),
        ("called=ARCHIVE at=pdu", RQ, False),
        ("called=ARCHIVE at=pdu", RELEASE_RQ, True),
        ("calling=[X, MOD*] at=pdu", RELEASE_RQ, True),
    ],
)
def test_a_trigger_on_a_pdu(words: str, data: bytes, holds: bool) -> None:
    assert holds == fires_on_pdu(words, data)


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        ("at=pdu side=acceptor", True),
        ("at=pdu side=requestor", False),
        ("at=pdu peer=10.0.0.0/8", True),
        ("at=pdu peer=[11.0.0.0/8, 192.168.*]", False),
        ("at=pdu state=Sta6", True),
        ("at=pdu state=[Sta2, Sta3]", False),
        ("at=pdu association=2..", True),
        ("at=pdu association=1", False),
        ("at=pdu elapsed=10", True),
        ("at=pdu elapsed=11", False),
        ("at=pdu elapsed=5..20", True),
        ("in", True),
        ("out", False),
    ],
)
def test_a_trigger_on_the_session(words: str, holds: bool) -> None:
    session = FakeSession(Side.ACCEPTOR, number=2)
    session.clock.now += 10

    assert holds == fires_on_pdu(words, RELEASE_RQ, session)


def test_a_session_without_a_connection_has_no_peer() -> None:
    session = FakeSession()
    session.remote = ("", 0)

    assert not fires_on_pdu("at=pdu peer=10.*", RELEASE_RQ, session)


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        ("C-STORE-RQ", True),
        ("C-STORE-RQ in", True),
        ("C-STORE-RQ out", False),
        ("C-FIND-RQ C-STORE-RQ", True),
        ("C-*", True),
        ("C-ECHO-RQ", False),
        ("sop_class=CTImageStorage", True),
        ("sop_class=1.2.840.10008.5.1.4.1.1.*", True),
        ("sop_class=Verification", False),
        ("context=3", True),
        ("context=1", False),
        ("size=100 at=message", True),
        ("size=..99 at=message", False),
        ("MessageID=5..9 Priority=0", True),
        ("MessageID=5..9 Priority=1", False),
        ("AffectedSOPInstanceUID=1.2.3.*", True),
        ("Status=absent", True),
        ("at=message called=ARCHIVE", True),
    ],
)
def test_a_trigger_on_a_message(words: str, holds: bool) -> None:
    peer = Peer(f"on {words}: drop")

    assert holds == (peer.message_in(STORE) == [])


def test_the_answer_hop_shows_the_request() -> None:
    request = decode_pdu(RQ)
    assert isinstance(request, AssociateRQ)
    for words in (
        "A-ASSOCIATE-RQ in",
        "calling=DICOMSIM",
        "sop_class=Verification",
        "item=maximum_length",
        "context=1",
    ):
        assert AssociateRJ(1, 1, 7) == Peer(f"on {words}: reject 1/1/7").answer(request, AssociateRJ(1, 1, 1))
    for words in ("calling=OTHER", "sop_class=CTImageStorage", "item=user_identity_rq", "context=3"):
        assert AssociateRJ(1, 1, 1) == Peer(f"on {words}: reject 1/1/7").answer(request, AssociateRJ(1, 1, 1))


@pytest.mark.parametrize(
    ("words", "fired"),
    [
        ("Sta6", [True, False, False]),
        ("Sta6 Sta7", [True, False, True]),
        ("Evt10", [False, True, False]),
        ("Sta6 Evt10", [False, True, False]),
        ("DT-2", [False, True, False]),
        ("transition state=Sta7 event=Evt11", [False, False, True]),
        ("event=[Evt3, Evt11]", [True, False, True]),
    ],
)
def test_a_state_is_entered_and_an_event_happens(words: str, fired: list[bool]) -> None:
    peer = Peer(f"on {words}: close")
    moves = [("Evt3", "Sta5", "AE-3", "Sta6"), ("Evt10", "Sta6", "DT-2", "Sta6"), ("Evt11", "Sta6", "AR-1", "Sta7")]

    assert fired == [bool(peer.moved(*move)) for move in moves]


@pytest.mark.parametrize(
    ("words", "fired"),
    [
        ("nth=3", [3]),
        ("nth=2..3", [2, 3]),
        ("nth=4..", [4, 5, 6]),
        ("nth=[1, 5..]", [1, 5, 6]),
        ("every=2", [2, 4, 6]),
        ("every=2 nth=3..", [4, 6]),
    ],
)
def test_counts_are_of_the_times_that_all_else_held(words: str, fired: list[int]) -> None:
    peer = Peer(f"on C-ECHO-RQ in {words}: drop")
    found = []
    for number in range(1, 7):
        assert [] != peer.message_in(STORE)  # which is not counted
        if not peer.message_in(c_echo_rq(number, 1)):
            found.append(number)

    assert fired == found


def test_each_session_counts_by_itself() -> None:
    peer = Peer("on C-ECHO-RQ in nth=2: drop")
    other = FakeSession(number=2)
    first = [peer.message_in(c_echo_rq(1, 1)) == [] for _ in range(2)]
    peer.fake = other
    peer.session = other  # type: ignore[assignment]

    assert [False, True] == first
    assert [False, True] == [peer.message_in(c_echo_rq(1, 1)) == [] for _ in range(2)]


def test_a_byte_of_the_stream_is_where_it_stands() -> None:
    peer = Peer("on out offset=5: close")

    assert [["Pass"], ["Pass", "Close"], ["Pass"]] == [
        [type(step).__name__ for step in peer.bytes_out(data)] for data in (b"0123", b"456789", b"abc")
    ]


def test_bytes_seen_are_those_before_in_the_same_direction() -> None:
    peer = Peer("on in seen=6..: drop")
    fired = []
    for data in (b"0123", b"4567", b"89"):
        peer.bytes_out(b"x" * 100)
        fired.append(peer.pdu_in(data) == [])
        peer.bytes_in(data)

    assert [False, False, True] == fired


def test_idle_time_is_measured_from_the_bytes_before() -> None:
    session = FakeSession()
    peer = Peer("on idle=60: drop", session=session)
    fired = []
    for seconds in (59, 59, 61, 1):
        session.clock.now += seconds
        fired.append(peer.bytes_in(b"x") == [])

    assert [False, False, True, False] == fired


COMMAND = encode_command(STORE.command)
STORE_PDUS = [
    encode_pdu(PDataTF((Pdv(3, control, data),)))
    for control, data in ((1, COMMAND[:30]), (3, COMMAND[30:]), (0, b"ab"), (0, b"cd"), (2, b"ef"))
]
"""The message in two fragments of its command set and three of its data set."""


def test_a_message_among_pdus_is_the_pdu_with_the_end_of_its_command_set() -> None:
    peer = Peer("on C-STORE-RQ in at=pdu: drop")

    assert [False, True, False, False, False] * 2 == [peer.pdu_in(data) == [] for data in STORE_PDUS * 2]


def test_the_data_of_a_message_are_found_by_its_command() -> None:
    peer = Peer("on C-STORE-RQ in part=data nth=2: drop", "on C-ECHO-RQ in part=data: drop")

    assert [False, False, False, True, False] == [peer.pdu_in(data) == [] for data in STORE_PDUS]


def test_the_last_fragment_of_a_message_is_found() -> None:
    peer = Peer("on part=last in: drop")

    assert [False, False, False, False, True, True] == [peer.pdu_in(data) == [] for data in (*STORE_PDUS, ECHO_RQ)]


def test_messages_are_counted_alike_among_pdus_and_among_messages() -> None:
    peer = Peer("on C-STORE-RQ in at=pdu nth=2: drop")
    dropped = [number for number, data in enumerate(STORE_PDUS * 3) if not peer.pdu_in(data)]

    assert [6] == dropped


def test_a_trigger_has_its_name_and_works_at_some_hop() -> None:
    assert [name for name, trigger in TRIGGERS.items() if trigger.name != name or not trigger.layers] == []
    assert trigger_of("Status") is not None
    assert trigger_of("Statsu") is None
    assert (Layer.MESSAGE, Layer.PDU) == TRIGGERS["command"].layers


def test_item_types_are_those_of_the_codec() -> None:
    assert sorted(ITEMS) == sorted(ITEM_TYPES.values())


def test_an_rsp_is_told_from_its_rq() -> None:
    request = c_echo_rq(1, 1)
    peer = Peer("on *-RSP out: drop", session=FakeSession(state=State.STA6))

    assert [[], False] == [peer.message_out(c_echo_rsp(request)), peer.message_out(request) == []]
