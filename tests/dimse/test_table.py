"""The table of messages, against PS3.7 §9.3 and §10.3."""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim.dimse.table import CANCEL, COMMAND_FIELDS, MESSAGE_TYPES, SERVICES, DataSet, MessageType
from tests.oracle import document

DIMSE = document("dimse_commands")
ROWS = [(row["service"], kind, row[kind]) for row in DIMSE["services"] for kind in ("request", "response") if row[kind]]
IN_ALL = {0x0000, 0x0100, 0x0800}


def of_name(name: str) -> MessageType:
    return MESSAGE_TYPES[COMMAND_FIELDS[name]]


def test_all_messages_of_the_standard_are_there_under_their_command_fields() -> None:
    expected = {int(field, 16): name for field, name in DIMSE["command_fields"].items()}

    assert expected == {field: message_type.name for field, message_type in MESSAGE_TYPES.items()}


def test_services_are_in_the_standards_order_and_know_what_applies_to_them() -> None:
    expected = [(row["service"], row["multiple_responses"], row["cancellable"]) for row in DIMSE["services"]]

    assert expected == [(service.name, service.multiple_responses, service.cancellable) for service in SERVICES]


@pytest.mark.parametrize(("service", "kind", "row"), ROWS, ids=lambda value: value if isinstance(value, str) else "")
def test_each_message_has_the_elements_of_its_table(service: str, kind: str, row: dict[str, Any]) -> None:
    message_type = of_name(f"{service}-{'RQ' if kind == 'request' else 'RSP'}")
    expected = {int(one["tag"], 16): one["usage"] for one in row["elements"] if int(one["tag"], 16) not in IN_ALL}

    assert expected == {tag: usage.value[0] for tag, usage in message_type.elements.items()}
    assert {int(one["tag"], 16) for one in row["elements"] if one.get("equal_to_request")} == message_type.echoed
    assert row["section"].replace(" ", " §") == message_type.section


@pytest.mark.parametrize(("service", "kind", "row"), ROWS, ids=lambda value: value if isinstance(value, str) else "")
def test_each_message_has_a_data_set_when_the_standard_says_so(service: str, kind: str, row: dict[str, Any]) -> None:
    data_set = of_name(f"{service}-{'RQ' if kind == 'request' else 'RSP'}").data_set
    expected = {"always": {DataSet.ALWAYS}, "never": {DataSet.NEVER}}.get(
        row["data_set_presence"], set(DataSet) - {DataSet.ALWAYS, DataSet.NEVER}
    )

    assert data_set in expected
    if row["data_set_presence"] == "conditional":
        assert (row["data_set"]["usage"] == "U") == (data_set is DataSet.OPTIONAL)


def test_the_three_cancel_requests_of_the_standard_are_one() -> None:
    cancels = [row["cancel"] for row in DIMSE["services"] if row.get("cancel")]

    assert len(cancels) == 3
    for row in cancels:
        assert {int(one["tag"], 16) for one in row["elements"]} - IN_ALL == CANCEL.elements.keys()
        assert int(row["command_field"], 16) == CANCEL.command_field
