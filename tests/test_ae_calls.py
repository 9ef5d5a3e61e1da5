"""What each handler is called with, and may give back, as programs written for the 1.x API expect: over a socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicomsim import sop_class
from dicomsim.ae import AE
from dicomsim.association import Association
from dicomsim.negotiation_items import SOPClassExtendedNegotiation, build_role
from tests.meeting import CT_IMAGE_STORAGE, IMPLICIT, VERIFICATION, Calls, acceptor, meeting, requestor, serving

FIND = sop_class.PatientRootQueryRetrieveInformationModelFind
GET = sop_class.PatientRootQueryRetrieveInformationModelGet
MOVE = sop_class.PatientRootQueryRetrieveInformationModelMove
STEP = sop_class.ModalityPerformedProcedureStep
PRINTER = sop_class.Printer
PRINTER_INSTANCE = "1.2.840.10008.5.1.1.17"
FILM = sop_class.BasicFilmSession


def dataset(**attributes: Any) -> Dataset:
    """A data set of these attributes."""
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def image(instance: str = "1.2.3.4") -> Dataset:
    """A small object."""
    return dataset(SOPClassUID=CT_IMAGE_STORAGE, SOPInstanceUID=instance, PatientID="P1")


def status(code: int) -> Dataset:
    """A status data set with a comment."""
    return dataset(Status=code, ErrorComment="as a data set")


def check(got: tuple[Any, ...], association: Association, syntax: str, parameters: dict[str, Any]) -> None:
    """Compare the context and the info that a handler got with what is documented; it may get more."""
    context, info = got
    assert (1, syntax, IMPLICIT) == (context.context_id, context.abstract_syntax, context.transfer_syntax)
    addresses = {
        "requestor": association.requestor.info | {"called_aet": association.acceptor.ae_title},
        "acceptor": association.acceptor.info,
    }
    assert addresses == {key: info[key] for key in addresses}
    assert {} == info["sop_class_extended"]
    assert parameters == {key: info["parameters"][key] for key in parameters}


def test_c_echo() -> None:
    answering = acceptor()
    asked = answering.on_c_echo = Calls(0x0000)
    with meeting(requestor(), answering) as association:
        assert 0 == association.send_c_echo(7).Status
        parameters = {"message_id": 7, "priority": None, "originator_aet": None, "originator_message_id": None}
        check(asked.next(), association, VERIFICATION, parameters)
        asked.result = status(0x0122)
        answer = association.send_c_echo()
        assert (0x0122, "as a data set") == (answer.Status, answer.ErrorComment)


def test_c_store() -> None:
    answering = acceptor(CT_IMAGE_STORAGE)
    asked = answering.on_c_store = Calls(0x0000)
    with meeting(requestor(CT_IMAGE_STORAGE), answering) as association:
        assert 0 == association.send_c_store(image(), 5, 1, b"MOVER", 9).Status
        stored, context, info = asked.next()
        parameters = {
            "message_id": 5,
            "priority": 1,
            "originator_aet": b"MOVER           ",
            "originator_message_id": 9,
        }
        check((context, info), association, CT_IMAGE_STORAGE, parameters)
        assert image() == stored
        association.send_c_store(image())
        assert None is asked.next()[2]["parameters"]["originator_aet"]
        asked.result = status(0xB000)
        assert 0xB000 == association.send_c_store(image()).Status


def test_c_find() -> None:
    answering, asked = acceptor(FIND), Calls()

    def find(*arguments: Any) -> Any:
        asked(*arguments)
        yield 0xFF00, dataset(PatientID="P1")
        yield status(0xFF01), dataset(PatientID="P2")
        yield 0x0000, None

    answering.on_c_find = find
    with meeting(requestor(FIND), answering) as association:
        answers = list(association.send_c_find(dataset(QueryRetrieveLevel="PATIENT", PatientID=""), 3, 2))
        assert [(0xFF00, "P1"), (0xFF01, "P2"), (0x0000, None)] == [
            (one.Status, found and found.PatientID) for one, found in answers
        ]
        identifier, context, info = asked.next()
        assert dataset(QueryRetrieveLevel="PATIENT", PatientID="") == identifier
        check((context, info), association, FIND, {"message_id": 3, "priority": 2})


def test_c_get() -> None:
    answering, asked = acceptor(GET), Calls()
    answering.add_supported_context(CT_IMAGE_STORAGE, scu_role=False, scp_role=True)

    def get(*arguments: Any) -> Any:
        asked(*arguments)
        yield 2
        yield 0xFF00, image("1.2.3.1")
        yield 0xFF00, image("1.2.3.2")

    answering.on_c_get = get
    asking = requestor(GET, CT_IMAGE_STORAGE)
    stored = asking.on_c_store = Calls(0x0000)
    with meeting(asking, answering, ext_neg=[build_role(CT_IMAGE_STORAGE, scp_role=True)]) as association:
        answers = [one for one, _ in association.send_c_get(dataset(PatientID="P1"), 4, 0)]
        assert [0xFF00, 0xFF00, 0x0000] == [one.Status for one in answers]
        assert 2 == answers[-1].NumberOfCompletedSuboperations
        assert ["1.2.3.1", "1.2.3.2"] == [stored.next()[0].SOPInstanceUID for _ in range(2)]
        identifier, context, info = asked.next()
        assert "P1" == identifier.PatientID
        check((context, info), association, GET, {"message_id": 4, "priority": 0})


def test_c_move() -> None:
    answering, asked = acceptor(MOVE), Calls()
    destination = acceptor(CT_IMAGE_STORAGE)
    stored = destination.on_c_store = Calls(0x0000)
    with serving(destination) as server:

        def move(*arguments: Any) -> Any:
            asked(*arguments)
            yield server.address
            yield 1
            yield 0xFF00, image()

        answering.on_c_move = move
        with meeting(requestor(MOVE), answering) as association:
            answers = [one for one, _ in association.send_c_move(dataset(PatientID="P1"), b"THERE", 6, 1)]
            assert [0xFF00, 0x0000] == [one.Status for one in answers]
            identifier, title, context, info = asked.next()
            assert ("P1", b"THERE           ") == (identifier.PatientID, title)
            check((context, info), association, MOVE, {"message_id": 6, "priority": 1})
            parameters = stored.next()[2]["parameters"]
            assert (b"REQUESTOR       ", 6) == (parameters["originator_aet"], parameters["originator_message_id"])


def test_a_move_to_nobody_is_an_unknown_destination() -> None:
    answering = acceptor(MOVE)
    answering.on_c_move = lambda *arguments: iter([(None, None)])
    with meeting(requestor(MOVE), answering) as association:
        assert [0xA801] == [one.Status for one, _ in association.send_c_move(dataset(PatientID="P1"), "NOBODY")]


CANCELLED: list[tuple[str, str, Callable[[Association], Any]]] = [
    ("find", FIND, lambda association: association.send_c_find(dataset(PatientID=""))),
    ("get", GET, lambda association: association.send_c_get(dataset(PatientID=""))),
    ("move", MOVE, lambda association: association.send_c_move(dataset(PatientID=""), "THERE")),
]


@pytest.mark.parametrize(("name", "syntax", "send"), CANCELLED, ids=[one[0] for one in CANCELLED])
def test_a_cancel_is_told_to_its_handler_and_to_whoever_asks(
    name: str, syntax: str, send: Callable[[Association], Any]
) -> None:
    answering = acceptor(syntax)
    asked = Calls(True)
    setattr(answering, f"on_c_{name}_cancel", asked)
    seen = Calls()
    with serving(acceptor(CT_IMAGE_STORAGE, on_c_store=Calls(0))) as destination:

        def work(*arguments: Any) -> Any:
            info = arguments[-1]
            if name == "move":
                yield destination.address
            if name != "find":
                yield 1000
            for number in range(1000):
                if number and info["cancelled"]():
                    seen("cancelled")
                yield 0xFF00, (dataset(PatientID="P") if name == "find" else image(f"1.2.{number}"))

        setattr(answering, f"on_c_{name}", work)
        asking = requestor(syntax)
        if name == "get":
            asking.add_requested_context(CT_IMAGE_STORAGE, scp_role=True)
            answering.add_supported_context(CT_IMAGE_STORAGE, scu_role=True, scp_role=True)
            asking.on_c_store = Calls(0)
        with meeting(asking, answering) as association:
            answers = send(association)
            next(answers)
            association.send_c_cancel(1)
            assert 0xFE00 == list(answers)[-1][0].Status
            assert () == asked.next() and asked.is_empty


NORMALIZED: list[tuple[str, str, Callable[[Association], Any], dict[str, Any]]] = [
    (
        "on_n_action",
        FILM,
        lambda association: association.send_n_action(dataset(PatientID="P"), 1, FILM, "1.2.3", 8),
        {"message_id": 8, "requested_sop_class": FILM, "requested_sop_instance": "1.2.3", "action_type_id": 1},
    ),
    (
        "on_n_create",
        STEP,
        lambda association: association.send_n_create(dataset(PatientID="P"), STEP, "1.2.3", 8),
        {"message_id": 8, "affected_sop_class": STEP, "affected_sop_instance": "1.2.3"},
    ),
    (
        "on_n_event_report",
        PRINTER,
        lambda association: association.send_n_event_report(dataset(PatientID="P"), 2, PRINTER, PRINTER_INSTANCE, 8),
        {"message_id": 8, "affected_sop_class": PRINTER, "event_type_id": 2},
    ),
    (
        "on_n_set",
        STEP,
        lambda association: association.send_n_set(dataset(PatientID="P"), STEP, "1.2.3", 8),
        {"message_id": 8, "requested_sop_class": STEP, "requested_sop_instance": "1.2.3"},
    ),
]


def normalized(name: str, syntax: str, handler: Any) -> tuple[AE, AE]:
    """A requestor and an acceptor; for events the acceptor is SCU and the requestor SCP."""
    asking, answering = AE("REQUESTOR"), acceptor("1.2.3", **{name: handler})
    asking.add_requested_context(syntax, scu_role=True, scp_role=True)
    answering.add_supported_context(syntax, scu_role=True, scp_role=True)
    return asking, answering


@pytest.mark.parametrize(("name", "syntax", "send", "parameters"), NORMALIZED, ids=[one[0] for one in NORMALIZED])
def test_n_services_with_a_data_set(
    name: str, syntax: str, send: Callable[[Association], Any], parameters: dict[str, Any]
) -> None:
    asked = Calls((0x0000, dataset(PatientID="ANSWER")))
    asking, answering = normalized(name, syntax, asked)
    with meeting(asking, answering) as association:
        answer, data = send(association)
        assert (0x0000, "ANSWER") == (answer.Status, data.PatientID)
        given, context, info = asked.next()
        assert dataset(PatientID="P") == given
        check((context, info), association, syntax, parameters)
        asked.result = status(0x0110), None
        answer, data = send(association)
        assert (0x0110, "as a data set", None) == (answer.Status, answer.ErrorComment, data)


def test_n_get() -> None:
    asked = Calls((0x0000, dataset(PrinterStatus="NORMAL")))
    asking, answering = normalized("on_n_get", PRINTER, asked)
    with meeting(asking, answering) as association:
        answer, data = association.send_n_get([(0x2110, 0x0010)], PRINTER, PRINTER_INSTANCE, 8)
        assert data is not None and (0x0000, "NORMAL") == (answer.Status, data.PrinterStatus)
        attributes, context, info = asked.next()
        assert [(0x2110, 0x0010)] == [(tag.group, tag.element) for tag in attributes]
        parameters = {"message_id": 8, "requested_sop_class": PRINTER, "requested_sop_instance": PRINTER_INSTANCE}
        check((context, info), association, PRINTER, parameters)
        asked.result = status(0x0112), None
        answer, data = association.send_n_get([], PRINTER, PRINTER_INSTANCE)
        assert (0x0112, None) == (answer.Status, data)


def test_n_delete() -> None:
    asked = Calls(0x0000)
    asking, answering = normalized("on_n_delete", FILM, asked)
    with meeting(asking, answering) as association:
        assert 0x0000 == association.send_n_delete(FILM, "1.2.3", 8).Status
        parameters = {"message_id": 8, "requested_sop_class": FILM, "requested_sop_instance": "1.2.3"}
        check(asked.next(), association, FILM, parameters)
        asked.result = status(0x0112)
        assert 0x0112 == association.send_n_delete(FILM, "1.2.3").Status


def test_info_has_the_extended_negotiation_that_was_agreed_on() -> None:
    answering = acceptor(on_sop_class_extended=lambda offered: {VERIFICATION: b"\x01\x00"})
    asked = answering.on_c_echo = Calls(0x0000)
    item = SOPClassExtendedNegotiation(VERIFICATION, b"\x01\x01")
    with meeting(requestor(), answering, ext_neg=[item]) as association:
        association.c_echo()
        assert {VERIFICATION: b"\x01\x00"} == asked.next()[1]["sop_class_extended"]
