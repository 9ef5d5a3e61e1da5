"""`dicomsim serve` as a process: what it prints, how it ends, what it leaves behind."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dicomsim import AE, build_context
from dicomsim.association import Association
from tests.cli.conftest import Call
from tests.cli.dicom_files import CT, EXPLICIT, write_file

ROOT = Path(__file__).resolve().parents[2]
VERIFICATION = "1.2.840.10008.1.1"
LIMIT = 30.0
"""Seconds that the process may take to end, before the test fails."""

pytestmark = pytest.mark.slow


class Served:
    """A running `dicomsim serve`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.first = process.stdout.readline()
        found = re.search(r'on 127\.0\.0\.1:(\d+)|"port": (\d+)', self.first)
        assert found, self.first + process.communicate(timeout=LIMIT)[1]
        self.port = int(found[1] or found[2])

    def associate(self, *contexts: str, title: str = "TESTER") -> Association:
        """Open an association with it."""
        ae = AE(title)
        ae.dimse_timeout = LIMIT
        wanted = contexts or (VERIFICATION, CT)
        association: Association = ae.associate(
            "127.0.0.1", self.port, [build_context(one, EXPLICIT) for one in wanted]
        )
        return association

    def end(self, with_signal: int | None = None) -> tuple[int, list[str], str]:
        """Its exit code, the lines it printed after the first, and stderr; it ends by itself, or by a signal."""
        if with_signal is not None:
            self.process.send_signal(with_signal)
        out, err = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, out.splitlines(), err


@contextmanager
def serving(*words: object, before: str = "") -> Iterator[Served]:
    """Run `dicomsim serve` on a free port; `before` is Python that runs before it."""
    code = f"from dicomsim.cli import main; {before}\nmain()"
    command = [sys.executable, "-c", code, "serve", "--port", "0", *map(str, words)]
    environment = {"PYTHONPATH": ":".join(map(str, (ROOT, *sys.path[1:])))}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


def test_it_says_where_it_listens_and_then_what_happens() -> None:
    with serving("--aet", "PEER", "-n", 1) as served:
        assert f"listening on 127.0.0.1:{served.port} as PEER\n" == served.first
        with served.associate() as association:
            association.c_echo()
        code, lines, err = served.end()
    assert (0, "") == (code, err)
    ended, summary = lines
    assert re.match(r"#1  TESTER@127\.0\.0\.1:\d+ -> ANY-SCP: 2 of 2 contexts, 1 C-ECHO; released by requestor", ended)
    assert summary.startswith("1 association, 0 objects stored, in ")


def test_objects_are_kept_byte_for_byte(tmp_path: Path) -> None:
    data = bytes(range(256)) * 1000
    sent = write_file(tmp_path / "a.dcm", "1.2.3", data=data)
    with serving("--output", tmp_path / "out", "-n", 1) as served:
        with served.associate() as association:
            assert 0 == association.c_store(sent).status
        code, lines, _ = served.end()
    assert 0 == code
    assert "#1  stored  CT Image Storage, Explicit VR Little Endian, 1.2.3, 256.0 kB" == lines[0]
    received = tmp_path / "out" / "1.2.3.dcm"
    assert [received] == list((tmp_path / "out").iterdir())
    assert received.read_bytes().endswith(data)
    assert b"DICM" == received.read_bytes()[128:132]


def test_without_a_folder_objects_are_taken_and_forgotten(tmp_path: Path) -> None:
    with serving("-n", 1, "--quiet") as served:
        with served.associate() as association:
            assert 0 == association.c_store(write_file(tmp_path / "a.dcm", "1.2.3")).status
        code, lines, _ = served.end()
    assert 0 == code
    assert [True] == [line.startswith("1 association, 1 object stored, in ") for line in lines]


def test_rules_misbehave_and_are_told() -> None:
    with serving("-n", 1, "-b", "on C-ECHO-RQ in: answer status=0122") as served:
        with served.associate() as association:
            assert 0x0122 == association.c_echo().status
        _, lines, _ = served.end()
    assert "#1  rule fired: on C-ECHO-RQ in: answer 0x0122" == lines[0]


def test_a_capture_is_recorded(tmp_path: Path) -> None:
    with serving("-n", 1, "--record", tmp_path / "session.pcapng") as served:
        with served.associate() as association:
            association.c_echo()
        code, _, err = served.end()
    assert (0, "") == (code, err)
    assert (tmp_path / "session.pcapng").read_bytes().startswith(b"\x0a\x0d\x0d\x0a")


def test_a_capture_may_be_kept_small(tmp_path: Path) -> None:
    record, sent = tmp_path / "session.pcapng", write_file(tmp_path / "large.dcm", "1.2.3", data=bytes(100_000))
    with serving("-n", 1, "--output", tmp_path, "--record", record, "--payload-limit", 100) as served:
        with served.associate() as association:
            assert 0 == association.c_store(sent).status
        assert 0 == served.end()[0]
    assert record.stat().st_size < 10_000


def test_titles_are_required_if_asked_for() -> None:
    with serving("--aet", "PEER", "--require-called", "-n", 1) as served:
        association = served.associate()
        assert association.is_rejected
        _, lines, _ = served.end()
    assert "rejected by acceptor" in lines[0]
    assert lines[1].startswith("1 association (1 rejected), ")


def test_json_is_one_object_a_line(tmp_path: Path) -> None:
    with serving("--json", "-n", 1) as served:
        with served.associate() as association:
            association.c_store(write_file(tmp_path / "a.dcm", "1.2.3"))
        _, lines, _ = served.end()
    documents: list[dict[str, Any]] = [json.loads(line) for line in (served.first, *lines)]
    assert ["listening", "object", "association", "summary"] == [one["event"] for one in documents]
    assert {"event": "listening", "host": "127.0.0.1", "port": served.port, "ae_title": "DICOMSIM"} == documents[0]


def test_the_trace_is_on_stderr() -> None:
    with serving("--trace", "-n", 1) as served:
        with served.associate() as association:
            association.c_echo()
        _, _, err = served.end()
    for word in ("connected from", "<- A-ASSOCIATE-RQ", "<- C-ECHO-RQ", "-> C-ECHO-RSP", "<- A-RELEASE-RQ"):
        assert word in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_ends_it_with_a_summary_and_aborts_what_is_open(number: int, code: int) -> None:
    with serving() as served:
        association = served.associate()
        association.c_echo()
        ended, lines, err = served.end(number)
        association.session.pump_until(lambda: association.outcome is not None)
    assert (code, "") == (ended, err)
    assert "1 C-ECHO; aborted by acceptor in Sta6" in lines[0]
    assert lines[1].startswith("1 association, ")
    assert association.is_aborted


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    with serving() as served:
        assert served.process.stdout is not None
        served.process.stdout.close()
        with served.associate():
            pass
        assert served.process.stderr is not None
        assert (1, "") == (served.process.wait(LIMIT), served.process.stderr.read())


def test_what_there_is_no_room_for_is_answered_and_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    # A limit on the size of files stands in for a disk that is full.
    sizes = (1000, 100_000, 500_000)  # the largest is more than what is gathered before it is written
    small, large, largest = (write_file(tmp_path / f"{size}.dcm", f"1.{size}", data=bytes(size)) for size in sizes)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    with serving("--output", tmp_path / "out", "-n", 1, before=limit) as served:
        with served.associate() as association:
            statuses = [association.c_store(path).status for path in (small, large, largest, small)]
            assert [0, 0xA700, 0xA700, 0] == statuses
        code, lines, err = served.end()
    assert 0 == code
    failed = '1.100000: 0xA700 Failure: Refused: Out of resources ("data set could not be kept")'
    assert f"#1  failed  CT Image Storage, Explicit VR Little Endian, {failed}" == lines[1]
    assert "File too large" in err
    assert 2 == len(err.splitlines())
    assert ["1.1000.dcm"] == [path.name for path in (tmp_path / "out").iterdir()]


def test_a_port_that_is_taken_exits_with_4(call: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        called = call("serve", "--port", port)
    assert (4, "") == (called.exit_code, called.out)
    assert f"dicomsim: cannot listen on 127.0.0.1:{port}: address already in use\n" == called.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("-b", "on C-STORE-RQ in: explode"), 2, "explode"),
        (("--payload-limit", 9), 2, "--payload-limit is for a capture"),
        (("-b", "nowhere.yaml"), 3, "nowhere.yaml"),
        (("--record", "/nowhere/a.pcapng"), 3, "/nowhere/a.pcapng: cannot be written: No such file or directory"),
        (("--host", "192.0.2.1"), 4, "cannot listen on 192.0.2.1:0"),
        (("--output", "/dev/null/x"), 2, "/dev/null/x: not a directory"),
    ],
)
def test_what_cannot_be_had_ends_it_before_it_listens(
    call: Call, words: tuple[str, ...], code: int, message: str
) -> None:
    called = call("serve", "--port", 0, *words)
    assert (code, "") == (called.exit_code, called.out)
    assert message in called.err


def test_handlers_of_signals_are_as_before_afterwards(call: Call) -> None:
    before: list[Callable[..., Any] | int | None] = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    assert 4 == call("serve", "--host", "192.0.2.1", "--port", 0).exit_code, "it ends after it has set its own"
    assert before == [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
