"""Actions on command sets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.behaviour.values import RuleError
from dicomsim.dimse.builders import c_echo_rq, c_echo_rsp, c_store_rq
from dicomsim.dimse.messages import Message
from dicomsim.engine.hops import PassMessage
from dicomsim.wire.command import COMMAND_ELEMENTS, TAGS, decode_command, encode_command
from tests.behaviour.sessions import Peer, message_of

ECHO = c_echo_rq(7, 1)
ANSWER = c_echo_rsp(ECHO)


def changed(actions: str, message: Message = ANSWER) -> Message:
    """The message that goes on after a rule."""
    return message_of(Peer(f"on message out: {actions}").message_out(message))


@pytest.mark.parametrize(
    ("actions", "keyword", "value"),
    [
        ("set Status=A700", "Status", 0xA700),
        ("set Status=0110", "Status", 0x0110),
        ("set MessageIDBeingRespondedTo=4711", "MessageIDBeingRespondedTo", 4711),
        ("set CommandField=C-STORE-RSP", "CommandField", 0x8001),
        ("set AffectedSOPClassUID=CTImageStorage", "AffectedSOPClassUID", "1.2.840.10008.5.1.4.1.1.2"),
        ("set ErrorComment='disk full'", "ErrorComment", "disk full"),
        ("set OffendingElement=[(0008,0018), 00080016]", "OffendingElement", (0x00080018, 0x00080016)),
        ("set MessageID=hex:01000000", "MessageID", b"\1\0\0\0"),
        ("set Priority=[1, 2]", "Priority", (1, 2)),
        ("delete Status", "Status", None),
        ("delete [Status, MessageIDBeingRespondedTo]", "MessageIDBeingRespondedTo", None),
        ("add MessageIDBeingRespondedTo", "MessageIDBeingRespondedTo", 8),
        ("add [Status, MessageIDBeingRespondedTo] by=-8", "MessageIDBeingRespondedTo", 65535),
        ("add ErrorComment", "ErrorComment", None),
    ],
)
def test_elements_are_set_deleted_and_counted_up(actions: str, keyword: str, value: Any) -> None:
    message = changed(actions)

    assert value == message.command.get(TAGS[keyword])
    others = {tag: found for tag, found in message.command.items() if COMMAND_ELEMENTS[tag].keyword not in actions}
    assert others == {tag: found for tag, found in ANSWER.command.items() if tag in others}


def test_a_message_goes_on_another_context() -> None:
    assert (99, ANSWER.command) == (changed("set context=99").context_id, changed("set context=99").command)


def test_the_message_that_came_to_the_hop_is_not_touched() -> None:
    before = dict(ANSWER.command)
    changed("set Status=A700; delete MessageIDBeingRespondedTo; add Status")

    assert before == ANSWER.command


def test_the_group_length_is_right_kept_or_what_one_says() -> None:
    right, kept, set_to = (
        encode_command(changed(f"set ErrorComment=abcd{option}").command)
        for option in ("", " group_length=keep", " CommandGroupLength=4")
    )
    old = encode_command(ANSWER.command)

    assert len(right) - 12 == int.from_bytes(right[8:12], "little")
    assert old[8:12] == kept[8:12]
    assert 4 == int.from_bytes(set_to[8:12], "little")
    assert right[12:] == kept[12:] == set_to[12:]
    assert len(old) - 12 == decode_command(encode_command(changed("delete Status group_length=keep").command))[0]


def test_incoming_messages_are_changed_before_the_service_sees_them() -> None:
    store = c_store_rq(7, 3, "1.2", "1.2.3", b"data")
    message = message_of(Peer("on C-STORE-RQ in: set Priority=2").message_in(store))

    assert (2, b"data", 3) == (message.priority, message.data, message.context_id)


def test_a_copy_is_changed_by_what_stands_behind_it() -> None:
    steps = Peer("on message out: duplicate; set Status=B000").message_out(ANSWER)

    assert [0xB000, 0xB000] == [step.message.status for step in steps if isinstance(step, PassMessage)]


def test_a_command_set_that_cannot_be_encoded_keeps_no_group_length() -> None:
    broken = Message(1, {TAGS["MessageID"]: 70000})

    assert {TAGS["MessageID"]: 1} == changed("set MessageID=1 group_length=keep", broken).command


@pytest.mark.parametrize(
    ("actions", "said"),
    [
        ("set Statsu=0", "did you mean Status?"),
        ("set MessageID=70000", "out of range"),
        ("set", "set needs a command element"),
        ("set group_lenght=keep", "did you mean group_length?"),
        ("delete Statsu", "did you mean Status?"),
        ("delete", "delete needs elements"),
        ("set 0008,0005=text", "hex:"),
    ],
)
def test_elements_that_there_are_not_are_errors(actions: str, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        Peer(f"on message out: {actions}")
    assert said in str(caught.value)


@given(
    st.dictionaries(
        st.sampled_from(sorted(COMMAND_ELEMENTS)),
        st.integers() | st.text(max_size=4) | st.binary(max_size=4),
        max_size=8,
    )
)
def test_no_rule_raises_on_any_command_set(command: dict[int, Any]) -> None:
    message = Message(1, command)
    peer = Peer(
        "on at=message: set Status=1 group_length=keep; delete Priority; add [MessageID, ErrorComment] by=3",
        "on *-RQ: answer A700 ErrorComment=x",
        "on Status=0..5 MessageID=1 AffectedSOPClassUID=1.*: drop",
    )

    peer.message_in(message)
    peer.message_out(message)
