"""Handlers: where they are set, and what happens to names that are none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dicomsim.ae import AE
from dicomsim.ae_handlers import HANDLERS
from tests.meeting import Calls


def test_there_is_a_handler_for_every_service_and_for_every_step_of_an_association() -> None:
    services = ["c_echo", "c_store", "c_find", "c_find_cancel", "c_get", "c_get_cancel", "c_move", "c_move_cancel"]
    services += [f"n_{name}" for name in ("action", "create", "delete", "event_report", "get", "set")]
    negotiation = ["user_identity", "sop_class_extended", "sop_class_common_extended", "async_ops_window"]
    steps = [f"association_{name}" for name in ("requested", "accepted", "rejected", "released", "aborted")]
    connections = ["make_connection", "receive_connection"]
    assert {f"on_{name}" for name in (*services, *negotiation, *steps, *connections)} == set(HANDLERS)


@pytest.mark.parametrize("name", HANDLERS)
def test_a_handler_is_none_until_it_is_set_and_can_be_taken_back(name: str) -> None:
    ae, handler = AE(), Calls()
    assert ae.handler(name) is None
    setattr(ae, name, handler)
    assert ae.handler(name) is handler
    delattr(ae, name)
    assert ae.handler(name) is None
    setattr(ae, name, handler)
    setattr(ae, name, None)
    assert ae.handler(name) is None


def test_a_method_of_a_derived_class_is_a_handler() -> None:
    class Archive(AE):
        def on_c_echo(self, context: Any, info: Any) -> int:
            return 0x0122

    handler = Archive().handler("on_c_echo")
    assert handler is not None and 0x0122 == handler(None, None)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("on_c_stroe", "on_c_store"), ("on_cfind", "on_c_find"), ("on_association_request", "on_association_requested")],
)
def test_a_misspelt_handler_is_refused_with_the_right_name(wrong: str, right: str) -> None:
    with pytest.raises(AttributeError, match=f"{wrong}.*did you mean '{right}'"):
        setattr(AE(), wrong, Calls())


def test_a_name_that_resembles_none_is_refused_too() -> None:
    with pytest.raises(AttributeError, match=r"there is no handler 'on_zzzzz'$"):
        AE().on_zzzzz = Calls()


def test_a_misspelt_method_is_refused_when_its_class_is_made() -> None:
    with pytest.raises(AttributeError, match="did you mean 'on_n_event_report'"):
        type("Archive", (AE,), {"on_n_event_reprot": Calls()})


@pytest.mark.parametrize("value", [5, "function", 0x0000])
def test_a_handler_must_be_callable(value: Any) -> None:
    with pytest.raises(TypeError, match="on_c_echo must be callable") as raised:
        AE().on_c_echo = value
    assert repr(value) in str(raised.value)


def test_other_attributes_may_be_set_as_on_any_object() -> None:
    ae = AE()
    ae.ward = "3B"
    assert "3B" == ae.ward  # type: ignore[attr-defined]


@pytest.mark.slow
def test_handlers_of_derived_classes_and_attributes_pass_a_strict_type_check(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from typing import Any\n"
        "from dicomsim.ae import AE\n"
        "class Archive(AE):\n"
        "    def on_c_echo(self, context: Any, info: dict[str, Any]) -> int:\n"
        "        return 0\n"
        "def on_c_store(dataset: Any, context: Any, info: dict[str, Any]) -> int:\n"
        "    return 0\n"
        "Archive().on_c_store = on_c_store\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert 0 == done.returncode, done.stdout
