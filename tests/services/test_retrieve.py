"""C-GET and C-MOVE over the loopback interface: sub-operations, counters, final statuses. PS3.4 §C.4.2, §C.4.3."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomsim.ae import AE
from dicomsim.association import Association
from dicomsim.datasets import decode_bare
from dicomsim.dimse.messages import Message
from dicomsim.services.storage import StoreTo
from tests.meeting import BIG_ENDIAN, LIMIT, acceptor, meeting, serving
from tests.meeting import CT_IMAGE_STORAGE as CT
from tests.services.archive import archive, as_scp, image, image_file, moving, query, sending, viewer
from tests.services.calls import Handlers, Recorder, Serving, encoded

MR = "1.2.840.10008.5.1.4.1.1.4"
IMPLICIT = "1.2.840.10008.1.2"


def _counters(message: Message) -> tuple[int | None, ...]:
    return (
        message.status,
        message.number_of_remaining_suboperations,
        message.number_of_completed_suboperations,
        message.number_of_failed_suboperations,
        message.number_of_warning_suboperations,
    )


def _failed(message: Message) -> list[str]:
    if message.data is None:
        return []
    uids = decode_bare(message.data_bytes(), IMPLICIT).FailedSOPInstanceUIDList
    return [uids] if isinstance(uids, str) else list(uids)


class Statuses:
    """An `on_c_store` that keeps what comes and answers with one status after the other."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.patients: list[str] = []
        self.infos: list[dict[str, Any]] = []

    def __call__(self, dataset: Dataset, context: Any, info: dict[str, Any]) -> int:
        self.patients.append(dataset.PatientID)
        self.infos.append(info)
        return self._statuses.pop(0) if self._statuses else 0x0000


@contextmanager
def getting(keeping: Any, giving: Any) -> Iterator[Association]:
    with meeting(viewer(on_c_store=keeping), archive(on_c_get=giving), ext_neg=as_scp()) as association:
        yield association


def _get(keeping: Any, giving: Any) -> list[Message]:
    with getting(keeping, giving) as association:
        responses = list(association.c_get(query(), query_model="S"))
        association.release()
        assert association.is_released
    return responses


def _move(giving: AE) -> list[Message]:
    with meeting(viewer(), giving) as association:
        responses = list(association.c_move(query(), "DEST", query_model="S"))
        association.release()
        assert association.is_released
    return responses


def _destination(keeping: Any, **settings: Any) -> AE:
    return acceptor(CT, on_c_store=keeping, **settings)


RETRIEVALS = ["C-GET", "C-MOVE"]


def retrieve(service: str, keeping: Any, *items: Any, announced: int | None = None) -> list[Message]:
    """Retrieve these, by C-GET or by C-MOVE; the responses."""
    if service == "C-GET":
        return _get(keeping, sending(*items, announced=announced))
    with serving(_destination(keeping)) as destination:
        return _move(archive(on_c_move=moving(destination.address, *items, announced=announced)))


# -- counters and final statuses --------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", RETRIEVALS)
def test_each_sub_operation_is_counted_and_told(service: str) -> None:
    keeping = Statuses()
    responses = retrieve(service, keeping, image(1), image(2), image(3))
    assert ["1", "2", "3"] == keeping.patients
    assert [
        (0xFF00, 2, 1, 0, 0),
        (0xFF00, 1, 2, 0, 0),
        (0xFF00, 0, 3, 0, 0),
        (0x0000, None, 3, 0, 0),
    ] == [_counters(one) for one in responses]
    assert [False] * 4 == [one.has_data_set for one in responses]


@pytest.mark.parametrize("service", RETRIEVALS)
@pytest.mark.parametrize(
    ("statuses", "final", "failed"),
    [
        ((0x0000, 0x0000), (0x0000, None, 2, 0, 0), []),
        ((0x0000, 0xA700), (0xB000, None, 1, 1, 0), ["1.2.3.2"]),
        ((0xB000, 0x0000), (0xB000, None, 1, 0, 1), []),
        ((0xB007, 0xC001), (0xB000, None, 0, 1, 1), ["1.2.3.2"]),
        ((0xA900, 0x0122), (0xA702, None, 0, 2, 0), ["1.2.3.1", "1.2.3.2"]),
    ],
)
def test_the_final_status_follows_from_what_came_of_them(
    service: str, statuses: tuple[int, ...], final: tuple[int | None, ...], failed: list[str]
) -> None:
    last = retrieve(service, Statuses(*statuses), image(1), image(2))[-1]
    assert final == _counters(last)
    assert failed == _failed(last)


@pytest.mark.parametrize("service", RETRIEVALS)
def test_nothing_to_send_is_success_with_nothing_counted(service: str) -> None:
    assert [(0x0000, None, 0, 0, 0)] == [_counters(one) for one in retrieve(service, Statuses())]


@pytest.mark.parametrize("service", RETRIEVALS)
def test_files_are_sent_like_objects(service: str, tmp_path: Path) -> None:
    keeping = Statuses()
    last = retrieve(service, keeping, image_file(tmp_path, 1), str(image_file(tmp_path, 2)))[-1]
    assert (0x0000, None, 2, 0, 0) == _counters(last)
    assert ["1", "2"] == keeping.patients


@pytest.mark.parametrize("service", RETRIEVALS)
def test_what_cannot_be_sent_is_a_failed_sub_operation_and_the_others_go_on(service: str, tmp_path: Path) -> None:
    absent, text = tmp_path / "absent.dcm", tmp_path / "text"
    text.write_text("no image")
    nameless = Dataset()
    nameless.PatientID = "1"
    last = retrieve(service, Statuses(), absent, text, nameless, 5, image(9))[-1]
    assert (0xB000, None, 1, 4, 0) == _counters(last)


def test_an_object_whose_context_was_not_accepted_fails() -> None:
    last = _get(Statuses(), sending(image(1, MR), image(2)))[-1]
    assert (0xB000, None, 1, 1, 0) == _counters(last)
    assert ["1.2.3.1"] == _failed(last)


def test_without_the_role_of_scp_nothing_is_sent() -> None:
    keeping = Statuses()
    with meeting(viewer(on_c_store=keeping), archive(on_c_get=sending(image(1)))) as association:
        last = list(association.c_get(query(), query_model="S"))[-1]
    assert (0xA702, ["1.2.3.1"]) == (last.status, _failed(last))
    assert [] == keeping.patients


@pytest.mark.parametrize(("announced", "remaining"), [(1, [0, 0]), (5, [4, 3])])
def test_a_number_that_does_not_hold_is_logged(
    announced: int, remaining: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    responses = _get(Statuses(), sending(image(1), image(2), announced=announced))
    assert remaining == [one.number_of_remaining_suboperations for one in responses[:-1]]
    assert (0x0000, None, 2, 0, 0) == _counters(responses[-1])
    assert f"announced {announced} sub-operations and yielded 2" in caplog.text


@pytest.mark.parametrize("service", RETRIEVALS)
def test_sub_operations_have_the_priority_of_the_retrieval(service: str) -> None:
    keeping = Statuses()
    with serving(_destination(keeping)) as destination:
        giving = archive(on_c_get=sending(image(1)), on_c_move=moving(destination.address, image(1)))
        with meeting(viewer(on_c_store=keeping), giving, ext_neg=as_scp()) as association:
            if service == "C-GET":
                list(association.c_get(query(), priority=1, query_model="S"))
            else:
                list(association.c_move(query(), "DEST", priority=1, query_model="S"))
    assert [1] == [info["parameters"]["priority"] for info in keeping.infos]


# -- what handlers say ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", RETRIEVALS)
def test_a_final_status_of_the_handler_ends_it_with_the_counters(service: str) -> None:
    responses = retrieve(service, Statuses(), image(1), (0xA701, None), image(2), announced=3)
    assert [(0xFF00, 2, 1, 0, 0), (0xA701, None, 1, 0, 0)] == [_counters(one) for one in responses]


@pytest.mark.parametrize("service", RETRIEVALS)
def test_a_final_status_may_bring_its_own_list_of_failures(service: str) -> None:
    listing = Dataset()
    listing.FailedSOPInstanceUIDList = ["1.7", "1.8"]
    last = retrieve(service, Statuses(), image(1), (0xB000, listing))[-1]
    assert (0xB000, ["1.7", "1.8"]) == (last.status, _failed(last))


@pytest.mark.parametrize("service", RETRIEVALS)
def test_a_success_of_the_handler_does_not_hide_failures(service: str) -> None:
    last = retrieve(service, Statuses(0xA700, 0x0000), image(1), image(2), (0x0000, None))[-1]
    assert (0xB000, None, 1, 1, 0) == _counters(last)


def _raising(dataset: Dataset, *arguments: Any) -> Any:
    raise LookupError


def _raises_later(dataset: Dataset, *arguments: Any) -> Iterator[Any]:
    yield 2
    yield 0xFF00, image(1)
    raise LookupError


WRONG_GETS: dict[str, tuple[Any, tuple[int | None, ...]]] = {
    "raises": (_raising, (0xC000, None, None, None, None)),
    "raises later": (_raises_later, (0xC000, None, 1, 0, 0)),
    "yields nothing": (lambda *arguments: (), (0xC000, None, None, None, None)),
    "returns nothing": (lambda *arguments: None, (0xC000, None, None, None, None)),
    "yields no number": (lambda *arguments: [(0xFF00, image(1))], (0xC000, None, None, None, None)),
    "yields a negative number": (lambda *arguments: [-1], (0xC000, None, None, None, None)),
    "yields nothing to send": (lambda *arguments: [2, (0xFF00, None)], (0xC000, None, 0, 0, 0)),
    "yields no status": (lambda *arguments: [2, ("status", image(1))], (0xC000, None, 0, 0, 0)),
    "yields three things": (lambda *arguments: [2, (0xFF00, image(1), 5)], (0xC000, None, 0, 0, 0)),
}


@pytest.mark.parametrize(("handler", "final"), WRONG_GETS.values(), ids=WRONG_GETS)
def test_a_handler_that_fails_is_a_failure_and_the_association_goes_on(
    handler: Any, final: tuple[int | None, ...]
) -> None:
    with getting(Statuses(), handler) as association:
        for _ in range(2):
            last = list(association.c_get(query(), query_model="S"))[-1]
            assert final == _counters(last)


WRONG_MOVES: dict[str, tuple[Any, int]] = {
    "knows nobody": ([(None, None)], 0xA801),
    "knows no port": ([("127.0.0.1", None)], 0xA801),
    "yields nothing": ([], 0xC000),
    "yields no address": ([5, 0], 0xC000),
    "yields a port that is none": ([("127.0.0.1", "104"), 0], 0xC000),
    "yields no number": ([("127.0.0.1", 104)], 0xC000),
}


@pytest.mark.parametrize(("steps", "status"), WRONG_MOVES.values(), ids=WRONG_MOVES)
def test_a_move_without_a_destination_or_number_fails(steps: list[Any], status: int) -> None:
    responses = _move(archive(on_c_move=lambda *arguments: iter(steps)))
    assert [status] == [one.status for one in responses]


@pytest.mark.parametrize("service", RETRIEVALS)
def test_without_a_handler_nothing_can_be_retrieved(service: str) -> None:
    uid = {"C-GET": "1.2.840.10008.5.1.4.1.2.2.3", "C-MOVE": "1.2.840.10008.5.1.4.1.2.2.2"}[service]
    elements: dict[str, Any] = {"affected_sop_class_uid": uid, "priority": 0, "move_destination": "D"}
    response = Serving(service, uid, Handlers(), encoded(query()), **elements).final()
    assert 0xC000 == response.status
    assert "handler" in (response.error_comment or "")


# -- C-MOVE -----------------------------------------------------------------------------------------------------------


def test_the_destination_learns_who_asked_for_the_move() -> None:
    keeping, handler = Statuses(), Recorder()
    with serving(_destination(keeping)) as destination:
        handler.result = [destination.address, 1, (0xFF00, image(1))]
        with meeting(viewer(), archive(on_c_move=handler)) as association:
            list(association.c_move(query(), "DEST", message_id=77, query_model="S"))
    _, title, _, _ = handler.calls[0]
    assert b"DEST            " == title
    (info,) = keeping.infos
    assert (b"ARCHIVE         ", b"DEST            ") == (info["requestor"]["ae_title"], info["acceptor"]["ae_title"])
    assert (b"VIEWER          ", 77) == (
        info["parameters"]["originator_aet"], info["parameters"]["originator_message_id"]
    )  # fmt: skip


def test_a_destination_that_is_not_there_fails_every_sub_operation_with_one_attempt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serving(_destination(Statuses())) as destination:
        nobody = destination.address
    last = _move(archive(on_c_move=moving(nobody, image(1), image(2))))[-1]
    assert (0xA702, None, 0, 2, 0) == _counters(last)
    assert ["1.2.3.1", "1.2.3.2"] == _failed(last)
    assert "the move destination DEST" in caplog.text


def test_a_destination_that_rejects_fails_every_sub_operation() -> None:
    refusing = _destination(Statuses(), require_called_aet="OTHER")
    with serving(refusing) as destination:
        last = _move(archive(on_c_move=moving(destination.address, image(1))))[-1]
    assert (0xA702, ["1.2.3.1"]) == (last.status, _failed(last))


def test_a_destination_that_goes_away_fails_the_rest() -> None:
    keeping = Statuses()
    ae = _destination(keeping)

    def on_c_store(dataset: Dataset, context: Any, info: dict[str, Any]) -> int:
        if dataset.PatientID == "2":
            info["association"].abort()
        return keeping(dataset, context, info)

    ae.on_c_store = on_c_store
    with serving(ae) as destination:
        last = _move(archive(on_c_move=moving(destination.address, image(1), image(2), image(3))))[-1]
    assert (0xB000, None, 1, 2, 0) == _counters(last)
    assert ["1.2.3.2", "1.2.3.3"] == _failed(last)


def test_the_archive_is_its_own_destination() -> None:
    keeping = Statuses()
    giving = archive(on_c_store=keeping)
    with serving(giving) as server:
        giving.on_c_move = moving(server.address, image(1))
        association = viewer().associate(*server.address)
        assert (0x0000, None, 1, 0, 0) == _counters(list(association.c_move(query(), "ARCHIVE", query_model="S"))[-1])
        association.release()
    assert ["1"] == keeping.patients


# -- cancel, and handlers that take their time ------------------------------------------------------------------------


@pytest.mark.parametrize("service", RETRIEVALS)
def test_a_cancel_stops_the_sub_operations_and_tells_what_is_left(service: str) -> None:
    came, keeping = threading.Event(), Statuses()

    def steps(dataset: Dataset, *arguments: Any) -> Iterator[Any]:
        yield 3
        yield 0xFF00, image(1)
        assert came.wait(LIMIT)
        assert arguments[-1]["cancelled"]()
        yield 0xFF00, image(2)

    with serving(_destination(keeping)) as destination:

        def on_c_move(dataset: Dataset, *arguments: Any) -> Iterator[Any]:
            yield destination.address
            yield from steps(dataset, *arguments)

        giving = archive(on_c_get=steps, on_c_move=on_c_move, on_c_get_cancel=came.set, on_c_move_cancel=came.set)
        with meeting(viewer(on_c_store=keeping), giving, ext_neg=as_scp()) as association:
            if service == "C-GET":
                answers = association.c_get(query(), query_model="S")
            else:
                answers = association.c_move(query(), "DEST", query_model="S")
            assert (0xFF00, 2, 1, 0, 0) == _counters(next(answers))
            assert answers.cancel()
            assert [(0xFE00, 2, 1, 0, 0)] == [_counters(one) for one in answers]
    assert ["1"] == keeping.patients


def test_what_comes_with_c_get_goes_where_the_ae_keeps_objects(tmp_path: Path) -> None:
    asking = viewer(store_to=StoreTo.FILE, store_folder=tmp_path)
    with meeting(asking, archive(on_c_get=sending(image(1), image(2))), ext_neg=as_scp()) as association:
        assert 0x0000 == list(association.c_get(query(), query_model="S"))[-1].status
    assert ["1.2.3.1.dcm", "1.2.3.2.dcm"] == sorted(path.name for path in tmp_path.iterdir())


def test_a_store_handler_that_raises_amid_a_get_is_a_failed_sub_operation() -> None:
    def on_c_store(dataset: Dataset, context: Any, info: Any) -> int:
        if dataset.PatientID == "1":
            raise LookupError
        return 0x0000

    assert (0xB000, None, 1, 1, 0) == _counters(_get(on_c_store, sending(image(1), image(2)))[-1])


def test_a_big_endian_file_is_converted_for_a_destination_that_takes_little_endian(tmp_path: Path) -> None:
    keeping = Statuses()
    ae = AE("DEST")
    ae.add_supported_context(CT, IMPLICIT)
    ae.on_c_store = keeping
    with serving(ae) as destination:
        path = image_file(tmp_path, 1, transfer_syntax=BIG_ENDIAN)
        assert (0x0000, None, 1, 0, 0) == _counters(_move(archive(on_c_move=moving(destination.address, path)))[-1])
    assert ["1"] == keeping.patients
