from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.repl.commands import all_commands
from dicomsim.repl.completing import MAX_OFFERS, complete
from dicomsim.repl.form import Knowledge

REGISTRY = all_commands()
TREE = {
    "": [("ct.dcm", False), ("my folder", True), ("data", True), (".hidden", False)],
    "data/": [("mr.dcm", False), ("it's", True)],
    "my folder/": [("x y.dcm", False)],
}
KNOWN = Knowledge(
    commands={command.name: command.summary for command in REGISTRY},
    peers=("SCP@h:1", "OTHER@h:2"),
    rules=(("slow", "on C-ECHO-RQ in: delay 1", True), ("rule-2", "on A-ABORT in: drop", False)),
    settings={"dimse": "30", "calling": "ME", "artim": "30"},
    folder=lambda folder: TREE.get(folder, ()),
)


def offered(line: str) -> list[str]:
    """The whole lines that completion makes of a line."""
    return [line[: one.start] + one.text for one in complete(line, REGISTRY, KNOWN)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ec", ["echo"]),
        ("open x; rel", ["open x; release"]),
        ("-ec", ["-echo"]),
        ("re", ["release", "record"]),
        ("rule o", ["rule on", "rule off"]),
        ("serve ", ["serve start", "serve stop", "serve status"]),
        ("open ", ["open SCP@h:1", "open OTHER@h:2", "open calling=", "open max_pdu="]),
        ("open scp", ["open SCP@h:1"]),
        ("open ther", ["open OTHER@h:2"]),
        ("open SCP@h:1 CTIm", ["open SCP@h:1 CTImageStorage"]),
        ("open SCP@h:1 CTImageStorage cal", ["open SCP@h:1 CTImageStorage calling="]),
        ("open calling=ME ma", ["open calling=ME max_pdu="]),
        ("open SCP@h:1 ./", []),
        ("store ", ["store ct.dcm", "store data/", "store 'my folder/"]),
        ("store .h", ["store .hidden"]),
        ("store 'my", ["store 'my folder/"]),
        ("store 'my folder/", ["store 'my folder/x y.dcm'"]),
        ("store ct.dcm data/", ["store ct.dcm \"data/it's/", "store ct.dcm data/mr.dcm"]),
        ("serve start 0 SCP output=da", ["serve start 0 SCP output=data/"]),
        ("serve start 0 SCP output=ct", []),
        ("send A-REL", ["send A-RELEASE-RQ", "send A-RELEASE-RP"]),
        ("send A-ABORT so", ["send A-ABORT source="]),
        ("send A-ABORT source=2 s", []),
        ("send A-ABORT source=2 re", ["send A-ABORT source=2 reason="]),
        ("send A-ABORT lengths=k", ["send A-ABORT lengths=keep"]),
        ("send C-ECHO-RSP Sta", ["send C-ECHO-RSP Status="]),
        ("send hex 04 ", ["send hex 04 pdu_type=", "send hex 04 lengths="]),
        ("send hex 0", []),
        ("send file ct", ["send file ct.dcm"]),
        ("rule off ", ["rule off slow"]),
        ("rule clear r", ["rule clear rule-2"]),
        ("rule on rule", ["rule on rule-2"]),
        ("rule on A-AB", ["rule on A-ABORT"]),
        ("rule on on A-AB", ["rule on on A-ABORT"]),
        ("rule on 'on A-AB", ["rule on 'on A-ABORT"]),
        ("rule on 'on A-ABORT in: drop' ", []),
        ("rule on on A-ABORT in: dr", ["rule on on A-ABORT in: drop"]),
        ("rule on on C-ECHO-RQ in: answer status=A700; del", []),  # no command begins so
        ("trace on tr", ["trace on transition"]),
        ("trace on pdu me", ["trace on pdu message"]),
        ("set di", ["set dimse"]),
        ("set dimse ", ["set dimse 30", "set dimse none"]),
        ("set artim ", ["set artim 30"]),
        ("set calling ", ["set calling ME"]),
        ("close r", ["close reset"]),
        ("help ru", ["help rule"]),
        ("help rule o", ["help rule on", "help rule off"]),
        ("echo # not th", []),
        ("nonsense ", []),
        ("state ", []),
        ("echo 1 ", []),
    ],
)
def test_a_line_is_completed(line: str, expected: list[str]) -> None:
    assert expected == offered(line)


def test_in_quotes_a_rule_may_have_semicolons() -> None:
    line = "rule on 'on C-ECHO-RQ in: answer status=A700; del"
    assert [f"{line}ete", f"{line}ay"] == offered(line)


def test_every_command_is_offered_at_the_beginning() -> None:
    assert list(REGISTRY.first_words()) == offered("")


def test_completions_say_what_they_are() -> None:
    first = complete("ec", REGISTRY, KNOWN)[0]
    assert ("echo", "Verify that the peer answers (C-ECHO).") == (first.shown, first.help)


def test_our_own_acceptor_is_called_that() -> None:
    known = replace(KNOWN, acceptor="SCP@h:1")
    helps = [one.help for one in complete("open ", REGISTRY, known)]
    assert ["our own acceptor", "called before"] == helps[:2]


def test_no_more_are_listed_than_can_be_seen() -> None:
    assert MAX_OFFERS == len(complete("open SCP@h:1 ", REGISTRY, KNOWN))


@given(st.text(max_size=40) | st.sampled_from(["rule on on ", "send ", "open ", "store '"]).flatmap(
    lambda line: st.text(max_size=20).map(lambda text: line + text)
))  # fmt: skip
def test_any_line_can_be_completed_at_its_end(line: str) -> None:
    for one in complete(line, REGISTRY, KNOWN):
        assert 0 <= one.start <= len(line)
