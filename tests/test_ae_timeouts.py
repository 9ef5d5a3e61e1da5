"""Every named timeout of an AE: where it can be set, and how an association ends by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomsim import events
from dicomsim.ae import AE
from dicomsim.dimse.data import FileSlice
from dicomsim.engine.stream import connect_stream
from dicomsim.engine.timeouts import Timeouts
from dicomsim.engine.transport import listen
from dicomsim.errors import TimeLimitError
from dicomsim.outcome import Ending, Outcome
from tests.meeting import (
    CT_IMAGE_STORAGE,
    LIMIT,
    VERIFICATION,
    Calls,
    SilentPeer,
    acceptor,
    meeting,
    requestor,
    serving,
)
from tests.wire.vectors import PDU_BYTES

SHORT = 0.05
"""Seconds; what is waited for never comes, so the value only costs time."""


def timed_out(outcome: Outcome | None, name: str, state: str) -> None:
    """Check that this timeout ended it, in this state."""
    assert outcome is not None
    assert (Ending.TIMED_OUT, state) == (outcome.how, outcome.state)
    assert (name, SHORT) == (outcome.timeout, outcome.timeout_seconds)
    assert f"{name} timeout of {SHORT:g} s" in str(outcome)


def impatient(*abstract_syntaxes: str, **timeouts: float | None) -> AE:
    """A requestor with these timeouts; closing takes it no time."""
    ae = requestor(*abstract_syntaxes)
    ae.timeouts.artim = SHORT
    for name, seconds in timeouts.items():
        setattr(ae.timeouts, name, seconds)
    return ae


def test_the_connect_timeout_ends_what_does_not_connect() -> None:
    listener = listen("127.0.0.1", 0, backlog=0)
    address = listener.getsockname()[:2]
    first = connect_stream(address[0], address[1], LIMIT)  # fills the backlog: Linux drops further SYNs
    ended = Calls()
    asking = impatient(connect=SHORT)
    asking.events.add(ended, events.TimerExpired)
    association = asking.associate(*address)
    timed_out(association.outcome, "connect", "Sta4")
    assert ("connect", SHORT) == ((expired := ended.next()).name, expired.seconds)
    first.close()
    listener.close()


def test_the_acse_timeout_ends_a_request_that_is_not_answered() -> None:
    with SilentPeer(answers=False) as peer:
        association = impatient(acse=SHORT).associate(*peer.address)
        timed_out(association.outcome, "acse", "Sta5")
        assert association.is_aborted and not association.is_established
        assert peer.stream is not None and peer.stream.receive(LIMIT)[:1] == b"\x07"


def test_the_acse_timeout_ends_a_release_that_is_not_answered() -> None:
    with SilentPeer() as peer:
        association = impatient().associate(*peer.address)
        association.timeouts.acse = SHORT
        association.release()
        timed_out(association.outcome, "acse", "Sta7")


def test_the_dimse_timeout_ends_a_request_that_is_not_answered() -> None:
    with SilentPeer() as peer:
        association = impatient(dimse=SHORT).associate(*peer.address)
        with pytest.raises(TimeLimitError, match=r"dimse timeout of 0\.05 s"):
            association.c_echo()
        timed_out(association.outcome, "dimse", "Sta6")


def test_the_form_of_the_1x_api_gives_an_empty_status_on_a_timeout() -> None:
    with SilentPeer() as peer:
        association = impatient(dimse=SHORT).associate(*peer.address)
        assert 0 == len(association.send_c_echo())
        assert association.is_aborted


@pytest.mark.parametrize("name", ["send", "dimse"])
def test_timeouts_hold_while_a_write_blocks_because_the_peer_stopped_reading(name: str, tmp_path: Path) -> None:
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(64 << 20)
    with SilentPeer() as peer:
        limits: dict[str, float | None] = {"send": None, "dimse": None, name: SHORT}
        association = impatient(CT_IMAGE_STORAGE, **limits).associate(*peer.address)
        with pytest.raises(TimeLimitError, match=f"{name} timeout"):
            association.perform(
                "C-STORE-RQ",
                1,
                FileSlice(big, 0),
                affected_sop_class_uid=CT_IMAGE_STORAGE,
                affected_sop_instance_uid="1.2.3",
                priority=0,
            )
        timed_out(association.outcome, name, "Sta6")


@pytest.mark.parametrize("idle", ["requestor", "acceptor"])
def test_the_network_timeout_ends_an_association_that_nobody_uses(idle: str) -> None:
    asking, answering = requestor(), acceptor()
    ends = [Calls(), Calls()]
    asking.on_association_aborted, answering.on_association_aborted = ends
    (asking if idle == "requestor" else answering).network_timeout = SHORT
    with meeting(asking, answering):
        outcomes = [one.next().outcome for one in ends]
    ours, theirs = outcomes if idle == "requestor" else reversed(outcomes)
    timed_out(ours, "network", "Sta6")
    assert (Ending.ABORTED, (0, 0)) == (theirs.how, theirs.codes)


def test_artim_closes_a_connection_on_which_nothing_is_asked() -> None:
    answering = acceptor()
    answering.timeouts.artim = SHORT
    ended = Calls()
    answering.events.add(ended, events.Ended)
    with serving(answering) as server, connect_stream(*server.address, LIMIT) as stream:
        assert b"" == stream.receive(LIMIT)
        timed_out(ended.next().outcome, "artim", "Sta2")


def test_artim_closes_a_connection_that_the_peer_does_not_close() -> None:
    answering = acceptor()

    def reject() -> bool:
        answering.timeouts.artim = SHORT  # not before, for it runs while the request is waited for, too
        return False

    answering.on_association_requested = reject
    closed = Calls()
    answering.events.add(closed, events.ConnectionClosed, events.TimerExpired)
    with serving(answering) as server, connect_stream(*server.address, LIMIT) as stream:
        stream.send(PDU_BYTES["RQ-001"], LIMIT)
        assert stream.receive(LIMIT)[:1] == b"\x03"
        assert ("artim", SHORT) == ((expired := closed.next()).name, expired.seconds)
        assert b"" == stream.receive(LIMIT)


def test_a_timeout_set_on_the_ae_reaches_associations_that_are_open() -> None:
    asking, answering = requestor(), acceptor()
    aborted = asking.on_association_aborted = Calls()
    with meeting(asking, answering) as association:
        for name in ("connect", "acse", "dimse", "send"):
            setattr(asking.timeouts, name, 7)
            assert 7 == getattr(association.timeouts, name)
        asking.timeouts.artim = 8
        assert 8 == association.timeouts.artim == association.session.upper.artim
        asking.network_timeout = SHORT
        timed_out(aborted.next().outcome, "network", "Sta6")


def test_a_timeout_set_on_an_association_is_its_alone() -> None:
    asking, answering = requestor(), acceptor()
    aborted = asking.on_association_aborted = Calls()
    with serving(answering) as server:
        first, second = (asking.associate(*server.address) for _ in range(2))
        first.timeouts.dimse = 5
        assert (5, None, None) == (first.timeouts.dimse, second.timeouts.dimse, asking.dimse_timeout)
        first.timeouts.artim = 9
        assert (9, 30) == (first.session.upper.artim, second.session.upper.artim)
        first.timeouts.network = SHORT
        timed_out(aborted.next().outcome, "network", "Sta6")
        assert second.is_established
        second.abort()


def test_an_association_may_be_asked_for_with_timeouts_of_its_own() -> None:
    own = Timeouts(acse=11, dimse=12)
    with meeting(requestor(), acceptor(), timeouts=own) as association:
        assert (11, 12, 30) == (association.timeouts.acse, association.timeouts.dimse, association.timeouts.artim)
        own.acse = 13
        assert 11 == association.timeouts.acse


def test_without_limits_an_association_lives_on() -> None:
    asking = requestor(VERIFICATION, acse_timeout=None, dimse_timeout=None, network_timeout=None)
    asking.timeouts.connect = asking.timeouts.send = None
    with meeting(asking, acceptor()) as association:
        assert 0 == association.c_echo().status
        association.release()
        assert association.is_released
