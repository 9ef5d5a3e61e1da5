"""Changes to bytes that are sent."""

from __future__ import annotations

import pytest

from dicomsim.scenario.mutating import MUTATIONS, Sent, mutate, read_mutations
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import Abort
from tests.scenario.doubles import RQ, joined

ABORT = encode_pdu(Abort(2, 1))


@pytest.mark.parametrize(
    ("written", "data"),
    [
        ([{"truncate": "4"}], ABORT[:4]),
        ([{"truncate": -1}], ABORT[:-1]),
        ([{"truncate": {"length": 8, "lengths": "fix"}}], bytes.fromhex("07 00 00000002 0000")),
        ([{"pad": {"count": 2, "byte": 255}}], ABORT + b"\xff\xff"),
        ([{"substitute": {"reason": 6}}], ABORT[:-1] + b"\x06"),
        ([{"substitute": {"-1": 6}}], ABORT[:-1] + b"\x06"),
        ([{"substitute": {"pdu_length": 5}}], bytes.fromhex("07 00 00000005 0000 0201")),
        ([{"xor": {"0": 15}}], b"\x08" + ABORT[1:]),
        ([{"append": "hex:0102"}], bytes.fromhex("07 00 00000006 0000 0201 0102")),
        ([{"insert": "hex:FF"}], b"\xff" + ABORT),
        (["truncate 4", {"pad": 1}], ABORT[:4] + b"\0"),
        ([{"duplicate": None}], ABORT * 2),
    ],
)  # fmt: skip
def test_bytes_are_changed_as_a_rule_would_change_them(written: object, data: bytes) -> None:
    assert data == joined(mutate(ABORT, read_mutations(written), Sent("SCP", "SCU")))


def test_slices_are_writes_of_their_own_with_pauses_between() -> None:
    pieces = mutate(ABORT, read_mutations([{"slice": {"size": 4, "pause": 0.5}}]), Sent("SCP", "SCU"))
    assert [ABORT[:4], 0.5, ABORT[4:8], 0.5, ABORT[8:]] == pieces


def test_fields_of_a_request_are_found_by_name() -> None:
    data = joined(mutate(encode_pdu(RQ), read_mutations([{"remove": "application_context"}]), Sent("SCP", "SCU")))
    assert (len(encode_pdu(RQ)) - 25, True) == (len(data), data[2:6] == (len(data) - 6).to_bytes(4, "big"))


def test_random_bytes_are_the_same_each_time() -> None:
    mutations = read_mutations([{"append": "random:8"}])
    assert mutate(ABORT, mutations, Sent("A", "B")) == mutate(ABORT, mutations, Sent("A", "B"))


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ([{"truncat": 3}], "no action is called"),
        ([{"reject": "1/1/1"}], "reject changes no bytes"),
        ([{"truncate": None}], "truncate needs length"),
        ([], "needs an action"),
    ],
)
def test_what_changes_no_bytes_is_refused(written: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_mutations(written)


def test_every_mutation_is_an_action_of_rules() -> None:
    from dicomsim.behaviour.vocabulary import ACTIONS

    assert set() == set(MUTATIONS) - set(ACTIONS)
