"""What C-FIND, C-GET and C-MOVE requests hold, and which of them cannot be made."""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim.datasets import decode_bare
from tests.meeting import IMPLICIT, acceptor, meeting, requestor
from tests.services.archive import STUDY_FIND, STUDY_GET, STUDY_MOVE, archive, query, viewer
from tests.services.calls import Recorder

WORKLIST = "1.2.840.10008.5.1.4.31"


def test_a_request_names_model_priority_and_destination() -> None:
    with meeting(viewer(), archive()) as association:
        requests = []
        with association.c_find(query(), 5, 0, "S") as answers:
            requests.append(answers.request)
        with association.c_get(query(), 6, 1, STUDY_GET) as answers:
            requests.append(answers.request)
        with association.c_move(query(), b" DEST ", 7, query_model="S") as answers:
            requests.append(answers.request)
    assert [
        ("C-FIND-RQ", 5, 0, STUDY_FIND, None),
        ("C-GET-RQ", 6, 1, STUDY_GET, None),
        ("C-MOVE-RQ", 7, 2, STUDY_MOVE, "DEST"),
    ] == [
        (one.name, one.message_id, one.priority, one.affected_sop_class_uid, one.move_destination) for one in requests
    ]
    assert query() == decode_bare(requests[0].data_bytes(), IMPLICIT)


@pytest.mark.parametrize("ask", ["send_c_find", "send_c_get", "send_c_move"])
def test_the_forms_of_the_1x_api_check_what_they_get(ask: str) -> None:
    arguments: list[Any] = [query(), "DEST"] if ask == "send_c_move" else [query()]
    with meeting(viewer(), archive()) as association:
        send = getattr(association, ask)
        with pytest.raises(TypeError, match=r"msg_id must be an int, not '1.2.*'; the model goes to query_model"):
            send(*arguments, STUDY_FIND)
        with pytest.raises(ValueError, match="query_model must be a UID or one of"):
            send(*arguments, query_model="X")
        with pytest.raises(ValueError, match=r"no accepted presentation context for 1.2.3; offered: none for it"):
            send(*arguments, query_model="1.2.3")
        with pytest.raises(TypeError, match="a priority must be an int, not 'x'"):
            send(*arguments, priority="x")
        with pytest.raises(ValueError, match="a priority must be from 0 to 65535, not 65536"):
            send(*arguments, priority=65536)
        with pytest.raises(ValueError, match="a message id must be from 0 to 65535, not 65536"):
            send(*arguments, msg_id=65536, query_model="S")
        with pytest.raises(TypeError, match="a data set must be a pydicom Dataset, not None"):
            send(None, *arguments[1:])
        association.release()
        with pytest.raises(RuntimeError, match="an established association is needed"):
            send(*arguments, query_model="S")


@pytest.mark.parametrize("title", [None, 5])
def test_a_destination_is_a_title(title: Any) -> None:
    with meeting(viewer(), archive()) as association, pytest.raises(TypeError, match="move_aet"):
        association.send_c_move(query(), title)


def test_a_cancel_needs_an_association() -> None:
    with meeting(viewer(), archive()) as association:
        association.release()
        with pytest.raises(RuntimeError, match="C-CANCEL"):
            association.send_c_cancel(1)


def test_the_handler_learns_the_parameters() -> None:
    handler = Recorder([])
    with meeting(requestor(WORKLIST), acceptor(WORKLIST, on_c_find=handler)) as association:
        assert [0x0000] == [status.Status for status, _ in association.send_c_find(query(), 9, 1, "W")]
        assert association.is_requestor
    identifier, context, info = handler.calls[0]
    assert query() == identifier
    assert (1, WORKLIST, IMPLICIT) == context
    assert {"message_id": 9, "priority": 1, "affected_sop_class": WORKLIST} == info["parameters"]
    asking = info["requestor"]
    assert (b"REQUESTOR       ", b"ANY-SCP         ") == (asking["ae_title"], asking["called_aet"])
    assert info["association"].is_acceptor
    assert not info["cancelled"]()
