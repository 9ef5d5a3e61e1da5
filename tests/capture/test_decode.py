"""Captures as JSON: every PDU a line, its fields and its message by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim import resources
from dicomsim.capture.captured import CapturedLoss, CapturedOpen, CapturedPdu, Item
from dicomsim.capture.conversation import from_events, read
from dicomsim.capture.decode import decode_lines, item_lines, utc
from dicomsim.dimse.builders import build
from dicomsim.dimse.fragmenter import fragment
from dicomsim.errors import FileError
from dicomsim.events import Side
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.items import (
    ApplicationContext,
    AsynchronousOperationsWindow,
    MaximumLength,
    PresentationContextRQ,
    RoleSelection,
    UnknownItem,
    UserIdentityRQ,
    UserInformation,
)
from dicomsim.wire.pdu import AssociateRQ, PDataTF, Pdv, pad_ae_title
from tests.capture.live_events import RELEASE_RQ, Association

CAPTURES = resources.captures()


def lines(name: str, **options: Any) -> list[dict[str, Any]]:
    out = list(decode_lines(CAPTURES / name, **options))
    assert json.loads(json.dumps(out)) == out
    return out


def live(*data: bytes) -> list[dict[str, Any]]:
    """The lines of what a requestor said."""
    association = Association()
    return list(item_lines(from_events([association.opened(), *(association.said(Side.REQUESTOR, d) for d in data)])))


def test_a_line_begins_with_frame_time_association_side_and_pdu() -> None:
    first = lines("live/find_study.pcapng")[0]
    assert list(first)[:5] == ["frame", "time", "association", "from", "pdu"]
    assert (first["frame"], first["time"]) == (4, "2026-11-22T08:45:01.971495937Z")
    assert (first["association"], first["from"], first["pdu"]) == (1, "requestor", "A-ASSOCIATE-RQ")


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*/*.pcap*")), ids=lambda path: path.stem)
def test_every_pdu_of_every_capture_has_its_line(path: Path) -> None:
    pdus = [item for item in read(path) if isinstance(item, CapturedPdu)]
    assert [line["frame"] for line in decode_lines(path)] == [pdu.frame for pdu in pdus]


def test_an_association_request_by_name() -> None:
    request, answer = lines("live/store_dcmsend.pcapng")[:2]
    assert request["called_ae_title"] == "ARCH"
    assert request["presentation_contexts"][1] == {
        "id": 3,
        "abstract_syntax": "1.2.840.10008.5.1.4.1.1.4",
        "transfer_syntaxes": ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2"],
    }
    assert request["user_information"] == {
        "maximum_length": 16384,
        "implementation_class_uid": "1.2.276.0.7230010.3.0.3.6.7",
        "implementation_version_name": "OFFIS_DCMTK_367",
    }
    assert answer["presentation_contexts"][0] == {
        "id": 1,
        "result": 0,
        "meaning": "acceptance",
        "transfer_syntax": "1.2.840.10008.1.2.1",
    }


def test_a_complete_message_stands_with_the_pdu_that_completed_it() -> None:
    messages = [(line["frame"], line["message"]) for line in lines("live/store_dcmsend.pcapng") if "message" in line]
    assert [frame for frame, _ in messages] == [13, 17, 21, 25]
    assert messages[0][1] == {
        "command": "C-STORE-RQ",
        "context_id": 1,
        "affected_sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
        "message_id": 1,
        "priority": 0,
        "affected_sop_instance_uid": "1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322",
        "sop_class": "CT Image Storage",
        "data_set_length": 38732,
        "transfer_syntax": "1.2.840.10008.1.2.1",
        "first_frame": 9,
    }
    assert (messages[1][1]["command"], messages[1][1]["status"]) == ("C-STORE-RSP", "Success")
    assert messages[1][1]["status_code"] == 0


def test_a_status_is_told_also_where_the_sop_class_is_none() -> None:
    elements: dict[str, Any] = {
        "message_id_being_responded_to": 1,
        "affected_sop_class_uid": "\0junk",
        "status": 0xA700,
    }
    response = b"".join(fragment(build("C-STORE-RSP", 1, **elements), 0))
    assert live(response)[0]["message"]["status"] == "Failure: Refused: Out of resources"


def test_rejections_and_aborts_are_explained() -> None:
    assert lines("live/reject_calledae.pcapng")[-1]["meaning"].endswith("called-AE-title-not-recognized (1/1/7)")
    assert lines("live/abort.pcapng")[-1]["meaning"] == "service-user (0/0)"


def test_connections_are_lines_of_their_own_where_asked_for() -> None:
    opened, closed = lines("live/refused.pcapng", connections=True)
    assert (opened["event"], opened["acceptor"], opened["from_the_beginning"]) == ("opened", "127.0.0.1:21199", True)
    assert (closed["event"], closed["by"], closed["how"]) == ("closed", "acceptor", "refused")
    assert lines("live/refused.pcapng") == []


def test_addresses_are_written_as_everywhere_else() -> None:
    (opened,) = item_lines([CapturedOpen(1, 0, 1, ("fd00::1", 50000), ("", 0))], connections=True)
    assert ("[fd00::1]:50000", "?") == (opened["requestor"], opened["acceptor"])


def request(*items: Any) -> bytes:
    context = PresentationContextRQ.of(1, "1.2\udcff3", "1.2.840.10008.1.2")
    everything = (ApplicationContext(), context, UserInformation(items))
    return encode_pdu(AssociateRQ(pad_ae_title("A\x1b[2J"), pad_ae_title("B"), everything))


def test_user_information_is_given_by_name_and_secrets_by_length() -> None:
    (line,) = live(
        request(
            MaximumLength(0),
            AsynchronousOperationsWindow(3, 4),
            RoleSelection("1.2.3", 1, 0),
            RoleSelection("1.2.4", 0, 1),
            UserIdentityRQ(2, 1, b"alice", b"secret"),
            UnknownItem(0x5A, b"\x01\x02"),
        )
    )
    assert line["user_information"] == {
        "maximum_length": 0,
        "asynchronous_operations_window": {"invoked": 3, "performed": 4},
        "role_selection": [
            {"sop_class_uid": "1.2.3", "scu_role": 1, "scp_role": 0},
            {"sop_class_uid": "1.2.4", "scu_role": 0, "scp_role": 1},
        ],
        "user_identity": {"type": 2, "response_requested": 1, "user_name": "alice", "secondary_length": 6},
        "unknown_item": [{"item_type": 0x5A, "data": "0102"}],
    }
    assert "secret" not in json.dumps(line)


def test_tokens_are_not_shown_and_doubled_items_are_lists() -> None:
    (line,) = live(request(MaximumLength(1), MaximumLength(2), UserIdentityRQ(5, 0, b"ey.token")))
    assert line["user_information"]["maximum_length"] == [1, 2]
    assert line["user_information"]["user_identity"]["primary_length"] == 8
    assert "token" not in json.dumps(line)


def test_text_that_is_no_ascii_is_escaped() -> None:
    (line,) = live(request())
    assert line["presentation_contexts"][0]["abstract_syntax"] == "1.2\\xff3"
    json.dumps(line).encode("ascii")


def test_what_is_malformed_or_damaged_says_so_and_has_no_fields() -> None:
    (malformed,) = live(request()[:6] + b"\xff" * (len(request()) - 6))
    assert "fault" in malformed
    assert "called_ae_title" not in malformed
    (cut,) = live(RELEASE_RQ[:8])
    assert cut["damage"] == "2 of 10 bytes are missing, from byte 8 on"


def test_bytes_lost_before_a_pdu_are_said_with_it() -> None:
    items: list[Item] = [
        CapturedLoss(3, 0, 1, Side.REQUESTOR, 100),
        CapturedLoss(4, 0, 1, Side.REQUESTOR, 11),
        CapturedPdu(5, 0, 1, Side.ACCEPTOR, RELEASE_RQ, 10),
        CapturedPdu(6, 0, 1, Side.REQUESTOR, RELEASE_RQ, 10),
    ]
    assert [line.get("lost_before") for line in item_lines(items)] == [None, 111]


def test_a_pdu_with_very_many_fragments_is_cut() -> None:
    (line,) = live(encode_pdu(PDataTF(tuple(Pdv(1, 0, b"") for _ in range(1500)))))
    assert len(line["pdvs"]) == 1000
    assert line["further_pdvs"] == 500


def test_what_is_no_capture_is_a_file_error() -> None:
    with pytest.raises(FileError, match="not a capture"):
        list(decode_lines(CAPTURES / "README.md"))


@given(st.integers(0, 2**64))
def test_any_time_can_be_said(time: int) -> None:
    assert utc(time).endswith(("Z", " s after 1970"))


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=6))
def test_anything_can_be_said_in_json(data: list[bytes]) -> None:
    framed = [b"%c\0" % (1 + len(piece) % 7) + len(piece).to_bytes(4, "big") + piece for piece in data]
    for line in live(*framed):
        json.dumps(line).encode("ascii")
