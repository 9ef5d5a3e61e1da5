from __future__ import annotations

import pytest

from dicomsim.repl.commands.settings import settings
from dicomsim.repl.forms import SETTINGS
from tests.repl.conftest import Desk


def test_settings_are_listed_with_what_they_are(desk: Desk) -> None:
    shown = desk.type("set")
    assert list(settings(desk.bench)) == [line.split()[0] for line in shown]
    assert "dimse    30          timeout in seconds, or none" in shown


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("set dimse", "dimse is 30"),
        ("set dimse 2.5", "dimse is 2.5"),
        ("set network none", "network is none"),
        ("set calling MODALITY", "calling is MODALITY"),
        ("set max_pdu 0", "max_pdu is 0"),
    ],
)
def test_a_setting_is_shown_and_changed(desk: Desk, line: str, expected: str) -> None:
    assert [expected] == desk.type(line)


def test_timeouts_hold_for_what_is_open(desk: Desk, peer: str) -> None:
    desk.type("serve start 0")
    desk.type(f"open {desk.bench.serving}; set dimse 7; set network 100")
    association = desk.bench.require_association()
    assert desk.bench.server is not None
    assert (7, 100) == (association.session.timeouts.dimse, association.session.timeouts.network)
    assert (7, 100) == (desk.bench.server.ae.timeouts.dimse, desk.bench.server.ae.timeouts.network)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("set dims", f"error: 'dims' is none of {', '.join(SETTINGS)}, did you mean dimse?"),
        ("set dimse x", "error: dimse: 'x' is no number of seconds"),
        ("set dimse -1", "error: dimse: '-1' is out of range: 0 to a million seconds"),
        ("set artim none", "error: artim: the standard wants it to run out (PS3.8 9.1.5): it needs seconds"),
        ("set calling ''", "error: calling: an AE title needs a character that is no space"),
        ("set max_pdu -1", "error: max_pdu: -1 is out of range: 0 to 4294967295"),
    ],
)  # fmt: skip
def test_what_cannot_be_set_is_one_line(desk: Desk, line: str, expected: str) -> None:
    assert (2, expected) == desk.fail(line)
