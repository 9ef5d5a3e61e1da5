"""Where a C-MOVE sends to: which contexts are proposed, and how many associations that takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomsim.ae import AE
from dicomsim.dimse.builders import build
from dicomsim.dimse.messages import Message
from dicomsim.errors import AssociationError
from dicomsim.presentation import build_context
from dicomsim.server import Server
from dicomsim.services.destination import Destination
from tests.meeting import BIG_ENDIAN, EXPLICIT, IMPLICIT, Calls, serving
from tests.meeting import CT_IMAGE_STORAGE as CT
from tests.services.archive import image, image_file

MR, SC = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.7"
JPEG = "1.2.840.10008.1.2.4.50"
TITLE = b"DEST            "


class Origin:
    """The association that the C-MOVE came on, as far as a destination asks."""

    requestor = type("Requestor", (), {"ae_title": b"VIEWER          "})


def _request() -> Message:
    return build("C-MOVE-RQ", 1, message_id=5, affected_sop_class_uid="1.2", priority=2, move_destination="DEST")


@pytest.fixture
def accepted() -> Calls:
    return Calls()


@pytest.fixture
def server(accepted: Calls) -> Iterator[Server]:
    ae = AE("DEST")
    for uid in (CT, MR):
        ae.add_supported_context(uid, [IMPLICIT, EXPLICIT, JPEG])
    ae.on_c_store = lambda dataset, context, info: 0x0000
    ae.on_association_accepted = accepted
    with serving(ae) as server:
        yield server


def _proposed(accepted: Calls) -> list[tuple[str, list[str]]]:
    """What the next association that was accepted had been asked for."""
    contexts = accepted.next().association.requestor.requested_contexts
    return [(str(one.abstract_syntax), list(map(str, one.transfer_syntax))) for one in contexts]


def _store(destination: Destination, item: Any) -> int | None:
    return destination.store(item, _request(), Origin()).status


def test_nothing_is_opened_for_nothing(server: Server, accepted: Calls) -> None:
    with Destination(AE("ARCHIVE"), server.address, TITLE, {}):
        pass
    assert accepted.is_empty


def test_each_object_is_proposed_as_it_is_and_in_the_default_transfer_syntax(
    server: Server, accepted: Calls, tmp_path: Path
) -> None:
    with Destination(AE("ARCHIVE"), server.address, TITLE, {}) as destination:
        assert 0x0000 == _store(destination, image(1))
        assert [(CT, [EXPLICIT]), (CT, [IMPLICIT])] == _proposed(accepted)
        assert 0x0000 == _store(destination, image(2))
        assert 0x0000 == _store(destination, image_file(tmp_path, 3, MR, IMPLICIT))
        assert [(CT, [EXPLICIT]), (CT, [IMPLICIT]), (MR, [IMPLICIT])] == _proposed(accepted)
        assert 0x0000 == _store(destination, image(4))
    assert accepted.is_empty


def test_compressed_objects_are_proposed_in_their_own_transfer_syntax_alone(
    server: Server, accepted: Calls, tmp_path: Path
) -> None:
    with Destination(AE("ARCHIVE"), server.address, TITLE, {}) as destination:
        assert 0x0000 == _store(destination, image_file(tmp_path, 1, CT, JPEG))
    assert [(CT, [JPEG])] == _proposed(accepted)


def test_what_was_proposed_and_not_accepted_is_not_proposed_again(
    server: Server, accepted: Calls, tmp_path: Path
) -> None:
    with Destination(AE("ARCHIVE"), server.address, TITLE, {}) as destination:
        assert 0x0000 == _store(destination, image(1))
        for number in (2, 3):
            with pytest.raises(ValueError, match="no accepted presentation context for Secondary Capture"):
                _store(destination, image(number, SC))
        assert 0x0000 == _store(destination, image_file(tmp_path, 4, CT, BIG_ENDIAN))
    assert [2, 4, 5] == [len(_proposed(accepted)) for _ in range(3)]
    assert accepted.is_empty


def test_storage_contexts_that_the_ae_requests_are_all_that_is_proposed(server: Server, accepted: Calls) -> None:
    ae = AE("ARCHIVE")
    ae.add_requested_context("1.2.840.10008.1.1")
    ae.add_requested_context(CT, IMPLICIT)
    with Destination(ae, server.address, TITLE, {}) as destination:
        assert 0x0000 == _store(destination, image(1))
        with pytest.raises(ValueError, match="offered: none for it"):
            _store(destination, image(2, MR))
    assert [(CT, [IMPLICIT])] == _proposed(accepted)
    assert accepted.is_empty


def test_the_handler_may_say_what_is_proposed(server: Server, accepted: Calls) -> None:
    options = {"contexts": [build_context(CT, EXPLICIT)], "max_pdu": 0}
    with Destination(AE("ARCHIVE"), server.address, TITLE, options) as destination:
        assert 0x0000 == _store(destination, image(1))
    association = accepted.next().association
    assert 0 == association.requestor.maximum_length


def test_a_destination_that_is_gone_stays_gone(server: Server) -> None:
    with Destination(AE("ARCHIVE"), server.address, TITLE, {}) as destination:
        server.shutdown()
        for _ in range(2):
            with pytest.raises(AssociationError, match="the move destination DEST: "):
                _store(destination, image(1))


def test_an_object_without_a_class_cannot_be_proposed(server: Server) -> None:
    with Destination(AE("ARCHIVE"), server.address, TITLE, {}) as destination, pytest.raises(AttributeError):
        _store(destination, Dataset())
