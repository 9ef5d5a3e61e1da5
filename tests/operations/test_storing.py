"""C-ECHO and C-STORE as SCU: objects, files, conversion, and the form of the 1.x API."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID

from dicomsim.ae import AE
from dicomsim.association import Association
from dicomsim.dimse.builders import respond
from dicomsim.dimse.fragmenter import joined
from dicomsim.dimse.messages import Message
from dicomsim.errors import AssociationError, FileError, StateError
from dicomsim.events import Event, PduIn
from dicomsim.operations.storing import AHEAD
from dicomsim.presentation import build_context
from dicomsim.services.storage import StoreTo
from dicomsim.wire.codec import HEADER_LENGTH, PDV_HEADER_LENGTH, encode_pdu
from dicomsim.wire.command import decode_command
from dicomsim.wire.pdu import Abort
from tests.meeting import BIG_ENDIAN, EXPLICIT, IMPLICIT, LIMIT, VERIFICATION, SilentPeer, acceptor, meeting, requestor
from tests.meeting import CT_IMAGE_STORAGE as CT
from tests.scenario.doubles import read_pdu
from tests.services.archive import image, image_file
from tests.services.calls import Recorder, encoded

DEFLATED, JPEG = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.50"


def _taking(transfer_syntax: str, handler: Any, form: StoreTo = StoreTo.BYTES) -> AE:
    ae = AE("ACCEPTOR")
    ae.add_supported_context(CT, transfer_syntax)
    ae.store_to, ae.on_c_store = form, handler
    return ae


def _offering(*transfer_syntaxes: str) -> AE:
    ae = AE("REQUESTOR")
    for one in transfer_syntaxes or (IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED, JPEG):
        ae.add_requested_context(CT, one)
    return ae


def test_an_object_is_sent_in_the_transfer_syntax_it_says_it_is_in() -> None:
    handler = Recorder()
    dataset = image(1)
    dataset.ensure_file_meta()
    dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    ae = _taking(EXPLICIT, handler)
    ae.add_supported_context(CT, IMPLICIT)
    with meeting(_offering(IMPLICIT, EXPLICIT), ae) as association:
        assert 0x0000 == association.c_store(dataset).status
    assert encoded(image(1), EXPLICIT) == handler.calls[0][0]


@pytest.mark.parametrize("accepted", [IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED])
def test_an_object_is_encoded_for_whatever_was_accepted(accepted: str) -> None:
    handler = Recorder()
    dataset = image(1)
    dataset.ensure_file_meta()
    dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    with meeting(_offering(), _taking(accepted, handler)) as association:
        assert 0x0000 == association.c_store(dataset).status
    assert encoded(image(1), accepted) == handler.calls[0][0]


def test_an_object_is_not_converted_if_told_so() -> None:
    dataset = image(1)
    dataset.ensure_file_meta()
    dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    refusal = pytest.raises(ValueError, match="in Explicit VR Little Endian")
    with meeting(_offering(), _taking(IMPLICIT, Recorder())) as association, refusal:
        association.c_store(dataset, convert=False)


@pytest.mark.parametrize("transfer_syntax", [IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED, JPEG])
def test_a_file_is_sent_byte_for_byte(transfer_syntax: str, tmp_path: Path) -> None:
    handler = Recorder()
    path = image_file(tmp_path, 1, transfer_syntax=transfer_syntax)
    with meeting(_offering(), _taking(transfer_syntax, handler)) as association:
        assert 0x0000 == association.c_store(path).status
        assert 0x0000 == association.send_c_store(str(path)).Status
    assert [encoded(image(1), transfer_syntax)] * 2 == [call[0] for call in handler.calls]


def test_a_file_is_not_converted_unless_told_so(tmp_path: Path) -> None:
    path = image_file(tmp_path, 1, transfer_syntax=EXPLICIT)
    refusal = pytest.raises(ValueError, match="in Explicit VR Little Endian")
    with meeting(_offering(), _taking(IMPLICIT, Recorder())) as association, refusal:
        association.c_store(path)


@pytest.mark.parametrize("original", [IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED])
@pytest.mark.parametrize("accepted", [IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED])
def test_a_file_is_converted_among_the_native_transfer_syntaxes(original: str, accepted: str, tmp_path: Path) -> None:
    handler = Recorder()
    path = image_file(tmp_path, 1, transfer_syntax=original)
    with meeting(_offering(), _taking(accepted, handler)) as association:
        assert 0x0000 == association.c_store(path, convert=True).status
    assert encoded(image(1), accepted) == handler.calls[0][0]


def test_compressed_pixels_are_not_converted(tmp_path: Path) -> None:
    path = image_file(tmp_path, 1, transfer_syntax=JPEG)
    refusal = pytest.raises(ValueError, match="in JPEG Baseline")
    with meeting(_offering(), _taking(IMPLICIT, Recorder())) as association, refusal:
        association.c_store(path, convert=True)


def test_a_converted_file_is_what_arrives(tmp_path: Path) -> None:
    path = image_file(tmp_path, 1, transfer_syntax=BIG_ENDIAN)
    ae = _taking(EXPLICIT, None, StoreTo.FILE)
    ae.store_folder = tmp_path / "received"
    ae.store_folder.mkdir()
    with meeting(_offering(), ae) as association:
        assert 0x0000 == association.send_c_store(path, convert=True).Status
    assert image(1) == Dataset(dcmread(ae.store_folder / "1.2.3.1.dcm"))


@pytest.mark.parametrize("content", [None, b"no image"])
def test_what_cannot_be_sent_is_an_error_and_the_association_goes_on(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "object"
    if content is not None:
        path.write_bytes(content)
    with meeting(_offering(), _taking(IMPLICIT, Recorder())) as association:
        with pytest.raises(FileError, match="object"):
            association.c_store(path)
        with pytest.raises(AttributeError):
            association.c_store(Dataset())
        assert 0x0000 == association.c_store(image(1)).status


@pytest.mark.parametrize(
    ("arguments", "kind", "named"),
    [
        ({"priority": "x"}, TypeError, "a priority must be an int, not 'x'"),
        ({"priority": 65536}, ValueError, "a priority must be from 0 to 65535, not 65536"),
        ({"originator_id": -1}, ValueError, "originator_id must be from 0 to 65535, not -1"),
        ({"msg_id": "a"}, TypeError, "a message id must be an int, not 'a'"),
    ],
)
def test_what_cannot_be_said_of_a_data_set_is_named_before_it_is_sent(
    arguments: dict[str, Any], kind: type[Exception], named: str
) -> None:
    with meeting(_offering(IMPLICIT), _taking(IMPLICIT, lambda *_: 0x0000)) as association:
        with pytest.raises(kind, match=named):
            association.send_c_store(image(1), **arguments)
        assert 0x0000 == association.send_c_store(image(1), priority=7).Status


def test_a_status_of_the_peer_is_what_the_caller_gets(caplog: pytest.LogCaptureFixture) -> None:
    status = Dataset()
    status.Status, status.ErrorComment = 0xB123, "unheard of"
    with meeting(_offering(IMPLICIT), _taking(IMPLICIT, lambda *arguments: status)) as association:
        answer = association.send_c_store(image(1))
    assert (0xB123, "unheard of") == (answer.Status, answer.ErrorComment)
    assert "C-STORE-RQ: the peer answered with 0xB123 Warning (not a status of Storage)" in caplog.text


def test_an_echo_is_answered_with_a_status() -> None:
    with meeting(requestor(), acceptor()) as association:
        assert 0x0000 == association.c_echo().status
        assert 0x0000 == association.send_c_echo(msg_id=7).Status


def test_without_an_answer_the_status_is_empty() -> None:
    with SilentPeer() as peer:
        ae = requestor()
        ae.timeouts.dimse = 0.01
        association = ae.associate(*peer.address)
        assert Dataset() == association.send_c_echo()
        assert association.outcome is not None
        assert "dimse" == association.outcome.timeout


def test_on_an_association_that_is_over_nothing_can_be_asked() -> None:
    with meeting(requestor(VERIFICATION, CT), acceptor(VERIFICATION, CT)) as association:
        association.release()
        with pytest.raises(RuntimeError, match=r"to send a C-ECHO request: it is over .released by requestor"):
            association.send_c_echo()
        with pytest.raises(RuntimeError, match="to send a C-STORE request"):
            association.send_c_store(image(1))
        with pytest.raises(AssociationError, match="released"):
            association.c_echo()


def test_without_a_context_nothing_can_be_asked() -> None:
    with meeting(requestor(CT), acceptor(CT)) as association, pytest.raises(ValueError, match="Verification"):
        association.send_c_echo()


def test_a_context_may_be_proposed_in_several_transfer_syntaxes() -> None:
    handler = Recorder()
    with meeting(requestor(), _taking(BIG_ENDIAN, handler), contexts=[build_context(CT)]) as association:
        assert 0x0000 == association.c_store(image(1)).status
    assert encoded(image(1), BIG_ENDIAN) == handler.calls[0][0]


def test_many_are_sent_one_after_the_other(tmp_path: Path) -> None:
    handler = Recorder()
    sent: list[Any] = [image(1), image_file(tmp_path, 2), str(image_file(tmp_path, 3))]
    with meeting(_offering(EXPLICIT), _taking(EXPLICIT, handler)) as association:
        responses = list(association.c_store_each(sent))
    assert [image(number).SOPInstanceUID for number in (1, 2, 3)] == [
        response.affected_sop_instance_uid for response in responses
    ]
    assert [encoded(image(number), EXPLICIT) for number in (1, 2, 3)] == [call[0] for call in handler.calls]


def test_the_next_one_is_prepared_while_the_peer_is_at_work() -> None:
    asked, prepared = threading.Event(), threading.Event()

    def on_c_store(*_: object) -> int:
        asked.set()
        assert prepared.wait(LIMIT)
        return 0x0000

    def images() -> Iterator[Dataset]:
        yield image(1)
        assert asked.wait(LIMIT)
        prepared.set()
        yield image(2)

    with meeting(_offering(EXPLICIT), _taking(EXPLICIT, on_c_store)) as association:
        assert [0, 0] == [response.status for response in association.c_store_each(images())]


def test_one_that_cannot_be_had_ends_it_when_its_turn_comes(tmp_path: Path) -> None:
    handler = Recorder()
    with meeting(_offering(EXPLICIT), _taking(EXPLICIT, handler)) as association:
        sending = association.c_store_each([image(1), tmp_path / "missing.dcm", image(3)])
        assert 0 == next(sending).status
        with pytest.raises(FileError, match=r"missing\.dcm"):
            next(sending)
        assert 0 == association.c_store(image(4)).status
    assert 2 == len(handler.calls)


def test_an_image_is_read_ahead_and_a_larger_file_when_it_is_sent(tmp_path: Path) -> None:
    handler = Recorder()
    files = [image_file(tmp_path, number, length=length) for number, length in ((1, 100), (2, AHEAD), (3, AHEAD + 1))]
    with meeting(_offering(EXPLICIT), _taking(EXPLICIT, handler)) as association:
        sending = association.c_store_each(files)
        assert 0 == next(sending).status
        for path in files:
            path.unlink()
        assert 0 == next(sending).status
        with pytest.raises(FileError, match=r"3\.dcm"):
            next(sending)
    assert 2 == len(handler.calls)


def test_the_next_one_is_prepared_when_all_of_the_one_before_is_under_way_and_the_association_is_free(
    tmp_path: Path,
) -> None:
    sent: list[bool] = []

    def files() -> Iterator[Path]:
        yield image_file(tmp_path, 1, length=20_000_000)
        sent.append(association.session.all_sent())
        ending = threading.Thread(target=association.abort)
        ending.start()
        ending.join(LIMIT)
        sent.append(not ending.is_alive())
        yield image_file(tmp_path, 2)

    aborted = pytest.raises(AssociationError, match="abort")
    with meeting(_offering(EXPLICIT), _taking(EXPLICIT, Recorder())) as association, aborted:
        list(association.c_store_each(files()))
    assert [True, True] == sent


def test_an_abort_while_the_next_one_is_prepared_ends_it_though_the_peer_does_not_close(tmp_path: Path) -> None:
    raised: list[type[Exception]] = []

    def files() -> Iterator[Path]:
        yield image_file(tmp_path, 1, transfer_syntax=IMPLICIT)
        aborting = threading.Thread(target=association.abort)
        aborting.start()
        aborting.join(LIMIT)
        yield image_file(tmp_path, 2, transfer_syntax=IMPLICIT)

    def store() -> None:
        try:
            list(association.c_store_each(files()))
        except AssociationError as error:
            raised.append(type(error))

    with SilentPeer() as peer:
        association = _offering(IMPLICIT).associate(*peer.address)
        association.session.timeouts.artim = 3 * LIMIT
        storing = threading.Thread(target=store)
        storing.start()
        storing.join(LIMIT)
        assert [AssociationError] == raised
    storing.join(LIMIT)


def test_an_answer_before_its_time_counts_and_what_ended_the_association_then_stops_it(tmp_path: Path) -> None:
    files = [image_file(tmp_path, number, transfer_syntax=IMPLICIT, length=40_000_000) for number in (1, 2)]

    def refuse() -> None:
        assert peer.stream is not None
        data = read_pdu(peer.stream)
        end = HEADER_LENGTH + int.from_bytes(data[2:HEADER_LENGTH])
        request = Message(data[10], decode_command(memoryview(data)[HEADER_LENGTH + PDV_HEADER_LENGTH : end]))
        peer.stream.send((joined(respond(request, 0xA700), 0) or b"") + encode_pdu(Abort()), LIMIT)

    with SilentPeer() as peer:
        association = _offering(IMPLICIT).associate(*peer.address)
        refusing = threading.Thread(target=refuse)
        refusing.start()
        storing = association.c_store_each(files)
        assert 0xA700 == next(storing).status
        with pytest.raises(AssociationError, match="abort"):
            next(storing)
        refusing.join(LIMIT)


def test_nothing_is_prepared_where_nobody_can_wait(tmp_path: Path) -> None:
    open_ones: list[Association] = []
    asked: list[int] = []
    raised: list[str] = []

    def files() -> Iterator[Path]:
        for number in (1, 2):
            asked.append(number)
            yield image_file(tmp_path, number)

    def store(_: Event) -> None:
        while open_ones:
            try:
                list(open_ones.pop().c_store_each(files()))
            except StateError as error:
                raised.append(str(error))

    asking = _offering(EXPLICIT)
    asking.events.add(store, PduIn)
    with meeting(asking, _taking(EXPLICIT, Recorder())) as association:
        open_ones.append(association)
        association.c_store(image_file(tmp_path, 3))
    assert ([1], ["what the reactor or the state machine calls cannot wait for the peer"]) == (asked, raised)


@pytest.mark.parametrize("length", [100_000, 3_000_000])
@pytest.mark.parametrize("convert", [None, True])
def test_another_file_in_the_place_of_one_that_was_looked_at_is_not_sent(
    tmp_path: Path, length: int, convert: bool | None
) -> None:
    path = image_file(tmp_path, 1, length=length)
    handler = Recorder()
    with meeting(_offering(EXPLICIT), _taking(EXPLICIT, handler)) as association:
        request = association.prepare_c_store(path, convert=convert)
        image_file(tmp_path, 2, length=length).replace(path)
        with pytest.raises(FileError, match=r"1\.dcm: has changed since it was looked at"):
            association.ask(request)
        assert 0 == association.c_store(path).status
    assert 1 == len(handler.calls)


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    path = image_file(tmp_path, 1, length=3_000_000)
    with meeting(_offering(EXPLICIT), _taking(EXPLICIT, Recorder())) as association:
        request = association.prepare_c_store(path)
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(FileError, match=r"1\.dcm: "):
            association.ask(request)


def test_of_none_nothing_is_sent() -> None:
    with meeting(_offering(EXPLICIT), _taking(EXPLICIT, Recorder())) as association:
        assert [] == list(association.c_store_each(()))
