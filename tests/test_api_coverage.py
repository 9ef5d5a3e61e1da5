"""Every member of the API that programs know is there, with its arguments, and has a test that exists."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from typing import Any

import pytest

from dicomsim.ae import AE
from dicomsim.ae_handlers import HANDLERS
from dicomsim.association import Association
from dicomsim.presentation import DEFAULT_TRANSFER_SYNTAXES
from tests import api_coverage

ROOT = api_coverage.ROOT
ROWS = list(api_coverage.rows())

@cache
def functions_of(path: str) -> frozenset[str]:
    """The names of the test functions in a file."""
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))


def test_the_page_is_what_the_script_makes() -> None:
    assert api_coverage.table() == api_coverage.TABLE.read_text(), "run python -m tests.api_coverage"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.member)
def test_a_member_is_where_the_page_says_and_its_test_exists(row: api_coverage.Row) -> None:
    assert row.kind and (ROOT / row.where).is_file()
    path, _, name = row.test.partition("::")
    assert name in functions_of(path), f"no {name} in {path}"


def test_no_member_is_there_twice() -> None:
    members = [row.member for row in ROWS]
    assert sorted(set(members)) == sorted(members)


def test_every_handler_has_its_row() -> None:
    assert {f"AE.{name}" for name in HANDLERS} <= {row.member for row in ROWS}


def arguments(function: Any) -> list[tuple[str, Any]]:
    """Positional arguments and their defaults, without self."""
    parameters = inspect.signature(function).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [(one.name, one.default) for one in parameters if one.kind in kinds and one.name != "self"]


NOTHING = inspect.Parameter.empty
SYNTAXES = tuple(DEFAULT_TRANSFER_SYNTAXES)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (AE.__init__, [("ae_title", b"DICOMSIM"), ("port", 0)]),
        (AE.add_requested_context, [("abstract_syntax", NOTHING), ("transfer_syntax", SYNTAXES)]),
        (
            AE.add_supported_context,
            [("abstract_syntax", NOTHING), ("transfer_syntax", SYNTAXES), ("scu_role", None), ("scp_role", None)],
        ),
        (AE.remove_requested_context, [("abstract_syntax", NOTHING), ("transfer_syntax", None)]),
        (AE.remove_supported_context, [("abstract_syntax", NOTHING), ("transfer_syntax", None)]),
        (
            AE.associate,
            [
                ("addr", NOTHING),
                ("port", NOTHING),
                ("contexts", None),
                ("ae_title", b"ANY-SCP"),
                ("max_pdu", None),  # that of the AE, 16382 by default
                ("ext_neg", None),
            ],
        ),
        *((getattr(AE, name), []) for name in ("start", "stop", "quit", "cleanup_associations")),
        *((getattr(Association, name), []) for name in ("release", "abort", "kill")),
        (Association.send_c_echo, [("msg_id", 1)]),
        (
            Association.send_c_store,
            [("dataset", NOTHING), ("msg_id", 1), ("priority", 2), ("originator_aet", None), ("originator_id", None)],
        ),
        (Association.send_c_find, [("dataset", NOTHING), ("msg_id", 1), ("priority", 2), ("query_model", "P")]),
        (Association.send_c_get, [("dataset", NOTHING), ("msg_id", 1), ("priority", 2), ("query_model", "P")]),
        (
            Association.send_c_move,
            [("dataset", NOTHING), ("move_aet", NOTHING), ("msg_id", 1), ("priority", 2), ("query_model", "P")],
        ),
        (
            Association.send_n_action,
            [
                ("dataset", NOTHING),
                ("action_type", NOTHING),
                ("class_uid", NOTHING),
                ("instance_uid", NOTHING),
                ("msg_id", 1),
            ],
        ),
        (
            Association.send_n_create,
            [("dataset", NOTHING), ("class_uid", NOTHING), ("instance_uid", NOTHING), ("msg_id", 1)],
        ),
        (Association.send_n_delete, [("class_uid", NOTHING), ("instance_uid", NOTHING), ("msg_id", 1)]),
        (
            Association.send_n_event_report,
            [
                ("dataset", NOTHING),
                ("event_type", NOTHING),
                ("class_uid", NOTHING),
                ("instance_uid", NOTHING),
                ("msg_id", 1),
            ],
        ),
        (
            Association.send_n_get,
            [("identifier_list", NOTHING), ("class_uid", NOTHING), ("instance_uid", NOTHING), ("msg_id", 1)],
        ),
        (
            Association.send_n_set,
            [("dataset", NOTHING), ("class_uid", NOTHING), ("instance_uid", NOTHING), ("msg_id", 1)],
        ),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_arguments_have_their_known_names_order_and_defaults(function: Any, expected: list[tuple[str, Any]]) -> None:
    ours = arguments(function)
    assert [name for name, _ in expected] == [name for name, _ in ours[: len(expected)]]
    for (name, default), (_, our_default) in zip(expected, ours, strict=False):
        assert default is NOTHING or default == our_default, name
    assert all(default is not NOTHING for _, default in ours[len(expected) :]), "who does not know them leaves them out"
