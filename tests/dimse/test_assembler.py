"""The assembler: messages from fragments, and everything that PS3.8 Annex E forbids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dicomsim.dimse.assembler import MAX_COMMAND_LENGTH, Assembler
from dicomsim.dimse.builders import build, c_echo_rq, c_store_rq
from dicomsim.dimse.data import Buffer, CallbackSink, DataSource, FileSink, FileSlice, MemorySink, Sink
from dicomsim.dimse.fragmenter import fragment, fragment_encoded
from dicomsim.dimse.messages import Message
from dicomsim.errors import WireError
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.command import encode_command
from dicomsim.wire.framer import PDV, Framer
from dicomsim.wire.pdu import PDataTF, Pdv
from tests.dimse import MESSAGES, command_of, feed, without_group_length
from tests.oracle import document

MALFORMED = {row["id"]: row for row in document("vectors/malformed")["vectors"]}
FRAGMENTATIONS = document("vectors/messages")["fragmentation"]
ACCEPTED = {1, 3}
ECHO = encode_command(c_echo_rq(1, 1).command)
STORE = c_store_rq(7, 3, "1.2.3", "1.2.3.4", b"data set")
STORE_COMMAND = encode_command(STORE.command)
COMMAND, DATA, LAST = 1, 0, 2


class Broken:
    """A sink on a disk that is full."""

    def __init__(self, at: str) -> None:
        self.at = at
        self.aborted = 0

    def write(self, chunk: Buffer, /) -> None:
        if self.at == "write":
            raise OSError(28, "No space left on device")

    def close(self) -> DataSource | None:
        if self.at == "close":
            raise OSError(28, "No space left on device")
        return None

    def abort(self) -> None:
        self.aborted += 1
        raise OSError(5, "Input/output error")


def pdu(*pdvs: tuple[int, int, bytes]) -> bytes:
    return encode_pdu(PDataTF(tuple(Pdv(*pdv) for pdv in pdvs)))


def assembled(*pdus: Buffer, step: int = 0) -> list[Message]:
    assembler = Assembler(None, ACCEPTED)
    feed(assembler, b"".join(pdus), step)
    return list(assembler.messages)


def refused(*pdus: Buffer) -> WireError:
    assembler = Assembler(None, ACCEPTED)
    with pytest.raises(WireError) as raised:
        feed(assembler, b"".join(pdus))
    assert not assembler.messages
    return raised.value


@pytest.mark.parametrize("step", [0, 1, 7])
@pytest.mark.parametrize("row", MESSAGES.values(), ids=MESSAGES.keys())
def test_the_pdus_of_a_vector_become_its_message(row: dict[str, Any], step: int) -> None:
    assembler = Assembler(None, {row["context_id"]})

    for one in row["p_data_tf_max16384"]:
        feed(assembler, bytes.fromhex(one), step)

    (message,) = assembler.messages
    data = None if row["data_set_hex"] is None else bytes.fromhex(row["data_set_hex"])
    assert Message(row["context_id"], command_of(row), data) == without_group_length(message)
    assert row["command"]["00000000"] == message.command[0]


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("row", FRAGMENTATIONS, ids=lambda row: row["max_length"])
def test_every_fragmentation_becomes_the_same_message(row: dict[str, Any], step: int) -> None:
    (message,) = assembled(*map(bytes.fromhex, row["pdus"]), step=step)

    assert row["reassembled_command"] == encode_command(message.command).hex()
    assert row["reassembled_data"] == message.data_bytes().hex()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("M6-011", "the presentation context was not accepted"),
        ("M6-012", "the presentation context was not accepted"),
        ("M6-016", "a message of context 3 is not complete"),
        ("M6-017", "a message of context 3 is not complete"),
        ("M6-022", "mandatory, and not there with one value"),
        ("M6-024", "mandatory, and not there with one value"),
        ("M6-037", "it is empty"),
    ],
)
def test_a_malformed_message_is_refused_with_a_reason_that_the_standard_allows(name: str, reason: str) -> None:
    row = MALFORMED[name]

    error = refused(bytes.fromhex(row["hex"]))

    abort = row["required"][0]
    assert ("A-ABORT", 2) == (abort["pdu"], abort["source"])
    assert abort["reason_best"] == error.kind
    assert reason == error.reason


def test_a_data_set_that_was_not_announced_is_refused_after_the_message() -> None:
    row = MALFORMED["M6-015"]
    assembler = Assembler(None, ACCEPTED)

    with pytest.raises(WireError, match="no command set has announced") as raised:
        feed(assembler, bytes.fromhex(row["hex"]))

    assert ["C-ECHO-RQ"] == [message.name for message in assembler.messages]
    assert row["required"][1]["reason_best"] == raised.value.kind


@pytest.mark.parametrize("name", ["M6-026", "M6-029", "M6-033", "M6-040"])
def test_what_harms_nobody_is_tolerated(name: str) -> None:
    (message,) = assembled(bytes.fromhex(MALFORMED[name]["hex"]))

    assert "C-ECHO-RQ" == message.name
    assert "P-DATA-TF" == MALFORMED[name]["required"][0]["pdu"]


@pytest.mark.parametrize(
    ("name", "described"),
    [
        ("M6-030", "C-STORE-RQ, id 7, context 3, 1.2.840.10008.5.1.4.1.1.2, 1.2.826.0.1.3680043.9.3811.2.1"),
        ("M6-034", "C-CANCEL-RQ, to 999, context 1"),
        ("M6-035", "C-ECHO-RSP, to 1, context 1, status 0000, 1.2.840.10008.1.1"),
    ],
)
def test_what_only_the_user_can_judge_is_a_message(name: str, described: str) -> None:
    (message,) = assembled(bytes.fromhex(MALFORMED[name]["hex"]))

    assert described == message.describe()


def test_a_message_that_never_ends_is_no_message() -> None:
    raw = bytes.fromhex(MALFORMED["M6-041"]["hex"])

    assert [] == assembled(raw[: 6 + int.from_bytes(raw[2:6])])


@pytest.mark.parametrize(
    ("pdus", "reason"),
    [
        ([pdu((1, DATA, b"da"))], "a data set fragment that no command set has announced"),
        ([pdu((1, DATA | LAST, b"da"))], "a data set fragment that no command set has announced"),
        (
            [pdu((3, COMMAND, STORE_COMMAND[:10])), pdu((3, DATA, b"da"))],
            "a data set fragment before the end of the command set",
        ),
        (
            [pdu((3, COMMAND | LAST, STORE_COMMAND)), pdu((3, COMMAND, STORE_COMMAND))],
            "a command fragment amid the data set of C-STORE-RQ",
        ),
        (
            [pdu((3, COMMAND | LAST, STORE_COMMAND)), pdu((3, DATA, b"da"), (3, COMMAND | LAST, STORE_COMMAND))],
            "a command fragment amid the data set of C-STORE-RQ",
        ),
        (
            [pdu((3, COMMAND | LAST, STORE_COMMAND)), pdu((3, DATA, b"da")), pdu((1, DATA | LAST, b"ta"))],
            "a message of context 3 is not complete",
        ),
        (
            [pdu((3, COMMAND, STORE_COMMAND[:10])), pdu((1, COMMAND | LAST, STORE_COMMAND[10:]))],
            "a message of context 3 is not complete",
        ),
        ([pdu((5, COMMAND | LAST, ECHO))], "the presentation context was not accepted"),
    ],
)
def test_a_forbidden_sequence_is_refused(pdus: list[bytes], reason: str) -> None:
    error = refused(*pdus)

    assert reason == error.reason
    assert error.kind in (5, 6)


def test_two_messages_in_one_pdu_are_refused() -> None:
    assembler = Assembler(None, ACCEPTED)

    with pytest.raises(WireError, match="a second message in one P-DATA-TF"):
        feed(assembler, pdu((1, COMMAND | LAST, ECHO), (1, COMMAND | LAST, ECHO)))

    assert 1 == len(assembler.messages)


def test_the_end_of_a_message_and_the_next_one_may_not_share_a_pdu() -> None:
    assembler = Assembler(None, ACCEPTED)
    feed(assembler, pdu((3, COMMAND | LAST, STORE_COMMAND)))

    with pytest.raises(WireError, match="a second message in one P-DATA-TF"):
        feed(assembler, pdu((3, DATA | LAST, b"da"), (1, COMMAND | LAST, ECHO)))


def test_messages_follow_each_other_in_pdus_of_their_own() -> None:
    echo = pdu((1, COMMAND | LAST, ECHO))

    assert ["C-ECHO-RQ"] * 3 == [message.name for message in assembled(echo + echo, echo)]


def test_a_whole_message_may_come_in_one_pdu() -> None:
    (message,) = assembled(
        pdu(
            (3, COMMAND, STORE_COMMAND[:10]),
            (3, COMMAND | LAST, STORE_COMMAND[10:]),
            (3, DATA, b"da"),
            (3, LAST, b"ta"),
        )
    )

    assert b"data" == message.data_bytes()


@pytest.mark.parametrize("bits", [0x04, 0x80, 0xFC])
def test_the_upper_bits_of_the_control_header_are_not_looked_at(bits: int) -> None:
    (message,) = assembled(
        pdu((3, COMMAND | bits, STORE_COMMAND[:10])),
        pdu((3, COMMAND | LAST | bits, STORE_COMMAND[10:])),
        pdu((3, bits, b"da")),
        pdu((3, LAST | bits, b"ta")),
    )

    assert b"data" == message.data_bytes()


def test_empty_and_odd_fragments_are_taken() -> None:
    (message,) = assembled(
        pdu((3, COMMAND, b"")),
        pdu((3, COMMAND, STORE_COMMAND[:11])),
        pdu((3, COMMAND, STORE_COMMAND[11:])),
        pdu((3, COMMAND | LAST, b"")),
        pdu((3, DATA, b"")),
        pdu((3, DATA, b"d")),
        pdu((3, DATA, b"ata")),
        pdu((3, DATA | LAST, b"")),
    )

    assert b"data" == message.data_bytes()


def test_a_data_set_may_be_empty() -> None:
    (message,) = assembled(pdu((3, COMMAND | LAST, STORE_COMMAND), (3, DATA | LAST, b"")))

    assert b"" == message.data


def test_an_unfinished_pdv_does_not_end_a_message() -> None:
    stream = b"".join(fragment(STORE, 0))
    assembler = Assembler(None, ACCEPTED)
    framer = Framer()

    for end in range(1, len(stream) + 1):
        for piece in framer.receive(stream[end - 1 : end]):
            if piece[0] == PDV:
                assembler.pdv(*piece[1:])
        assert (end == len(stream)) is bool(assembler.messages)


@pytest.mark.parametrize(
    "message",
    [
        build("C-STORE-RSP", 1, status=0),
        build("C-CANCEL-RQ", 1),
        build("C-CANCEL-RQ", 1, message_id=5),
        build("C-ECHO-RQ", 1, message_id=(1, 2)),
        build("C-ECHO-RQ", 1, message_id=1, command_data_set_type=None),
        build("C-ECHO-RQ", 1, message_id=1, command_field=(0x30, 0x31)),
        build(0x0177, 1),
    ],
    ids=repr,
)
def test_a_command_that_cannot_be_told_answered_or_delimited_is_refused(message: Message) -> None:
    error = refused(*fragment(message, 0))

    assert "mandatory, and not there with one value" == error.reason


def test_an_unknown_command_is_a_message() -> None:
    (message,) = assembled(*fragment(build(0x0177, 1, message_id=3), 0))

    assert "command 0177H" == message.name


def test_a_command_set_has_a_limit() -> None:
    private = b"\x09\x00\x10\x00\xf0\xff\x00\x00" + bytes(0xFFF0)
    whole = ECHO + private
    assert len(whole) > MAX_COMMAND_LENGTH

    for maximum_length in (0, 16384):
        error = refused(b"".join(fragment_encoded(1, whole, None, maximum_length)))

        assert f"the command set is longer than {MAX_COMMAND_LENGTH} bytes" == error.reason


def test_a_command_set_just_within_the_limit_is_taken() -> None:
    rest = MAX_COMMAND_LENGTH - len(ECHO) - 8
    whole = ECHO + b"\x09\x00\x10\x00" + rest.to_bytes(4, "little") + bytes(rest)

    assert 1 == len(assembled(*fragment_encoded(1, whole, None, 4096)))


def test_accepted_contexts_can_be_set_later() -> None:
    assembler = Assembler(None, ())
    assembler.accepted = {1: "a context"}

    feed(assembler, pdu((1, COMMAND | LAST, ECHO)))

    assert 1 == len(assembler.messages)


def test_the_sink_is_chosen_when_the_command_set_is_complete(tmp_path: Path) -> None:
    asked: list[str] = []

    def choose(message: Message) -> Sink:
        asked.append(message.describe())
        return FileSink(tmp_path / "x", b"head")

    assembler = Assembler(choose, ACCEPTED)
    feed(assembler, pdu((1, COMMAND | LAST, ECHO)))
    assert [] == asked
    feed(assembler, pdu((3, COMMAND | LAST, STORE_COMMAND)))
    assert ["C-STORE-RQ, id 7, context 3, 1.2.3, 1.2.3.4, data set"] == asked
    feed(assembler, pdu((3, DATA | LAST, b"data set")))

    message = assembler.messages[-1]
    assert FileSlice(str(tmp_path / "x"), 4, 8) == message.data
    assert b"data set" == message.data_bytes()


def test_without_a_chosen_sink_a_data_set_goes_to_memory() -> None:
    assembler = Assembler(lambda message: None, ACCEPTED)
    feed(assembler, b"".join(fragment(STORE, 0)))

    assert b"data set" == assembler.messages[0].data


def test_a_callback_gets_the_data_set_as_it_comes() -> None:
    got: list[bytes] = []
    assembler = Assembler(lambda message: CallbackSink(got.append), ACCEPTED)

    feed(assembler, pdu((3, COMMAND | LAST, STORE_COMMAND), (3, DATA, b"da")))
    assert [b"da"] == got
    feed(assembler, pdu((3, DATA | LAST, b"ta")))

    assert [b"da", b"ta"] == got
    assert assembler.messages[0].data is None
    assert assembler.messages[0].has_data_set


@pytest.mark.parametrize("at", ["write", "close"])
def test_a_sink_that_fails_loses_the_data_set_but_not_the_message(at: str) -> None:
    sink = Broken(at)
    assembler = Assembler(lambda message: sink, ACCEPTED)

    feed(assembler, pdu((3, COMMAND | LAST, STORE_COMMAND), (3, DATA, b"da"), (3, DATA, b"ta"), (3, LAST, b"  ")))

    (message,) = assembler.messages
    assert isinstance(message.sink_error, OSError)
    assert message.data is None
    assert 1 == sink.aborted


def test_a_chooser_that_fails_loses_the_data_set_but_not_the_message() -> None:
    def choose(message: Message) -> Sink:
        raise PermissionError(13, "Permission denied")

    assembler = Assembler(choose, ACCEPTED)
    feed(assembler, b"".join(fragment(STORE, 10)))

    (message,) = assembler.messages
    assert isinstance(message.sink_error, PermissionError)
    assert message.data is None


def test_a_data_set_beyond_the_sinks_limit_is_not_kept() -> None:
    assembler = Assembler(lambda message: MemorySink(limit=4), ACCEPTED)
    feed(assembler, b"".join(fragment(STORE, 10)))

    assert "the data set is longer than 4 bytes" == str(assembler.messages[0].sink_error)


def test_the_message_under_way_can_be_seen() -> None:
    assembler = Assembler(None, ACCEPTED)
    seen = [assembler.current]
    for one in ((3, COMMAND, STORE_COMMAND[:10]), (3, COMMAND | LAST, STORE_COMMAND[10:]), (3, DATA | LAST, b"da")):
        feed(assembler, pdu(one))
        seen.append(assembler.current)

    assert [None, STORE.context_id, STORE.context_id, None] == [message and message.context_id for message in seen]


def test_the_message_under_way_has_its_command_once_that_is_complete() -> None:
    assembler = Assembler(None, ACCEPTED)
    names = []
    for one in ((3, COMMAND, STORE_COMMAND[:10]), (3, COMMAND | LAST, STORE_COMMAND[10:])):
        feed(assembler, pdu(one))
        assert assembler.current is not None
        names.append(assembler.current.name)

    assert ["command 0000H", "C-STORE-RQ"] == names


def test_closing_leaves_nothing_of_an_unfinished_message(tmp_path: Path) -> None:
    assembler = Assembler(lambda message: FileSink(tmp_path / "x"), ACCEPTED)
    feed(assembler, pdu((3, COMMAND | LAST, STORE_COMMAND), (3, DATA, b"da")))
    assert 1 == len(list(tmp_path.iterdir()))

    assembler.close()
    assembler.close()

    assert [] == list(tmp_path.iterdir())
    assert assembler.current is None


def test_a_refused_sequence_leaves_nothing_of_the_message(tmp_path: Path) -> None:
    assembler = Assembler(lambda message: FileSink(tmp_path / "x"), ACCEPTED)
    feed(assembler, pdu((3, COMMAND | LAST, STORE_COMMAND), (3, DATA, b"da")))

    with pytest.raises(WireError):
        feed(assembler, pdu((1, DATA, b"da")))

    assert [] == list(tmp_path.iterdir())
