from __future__ import annotations

from dicomsim.repl.status import Status


def test_a_status_is_idle_unless_something_goes_on() -> None:
    assert ("Sta1", "", 0, "", ()) == (
        Status().state, Status().peer, Status().outstanding, Status().serving, Status().traced
    )  # fmt: skip
