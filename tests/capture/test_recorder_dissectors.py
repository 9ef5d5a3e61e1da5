"""What Wireshark and scapy make of a recording: no warning but the deserved ones, every PDU decoded."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dicomsim import resources
from dicomsim.capture.recorder import Recorder
from dicomsim.events import CloseHow, ConnectionRefused, Side
from tests.capture.live_events import TIME, Association, p_data, pdus
from tests.interop.tools import run_tool

LIVE = sorted((resources.captures() / "live").glob("*.pcapng"))
STORE = resources.captures() / "live" / "store_dcmsend.pcapng"
CHECKED = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]


def record(path: Path, segment: int | None = None) -> Path:
    """All there is: every live capture on the same ports, three at once on both IP versions, refusals, a large PDU."""
    time = TIME
    with Recorder(path, segment=segment) as recorder:
        for number, live in enumerate(LIVE, 1):
            association = Association(number, time=time)
            recorder(association.opened())
            for sender, data in pdus(live):
                recorder(association.said(sender, data))
            recorder(association.closed())
            recorder(association.ended())
            time = association.time
        three = [Association(50, time=time), Association(51, Side.ACCEPTOR, time), Association(52, time=time)]
        addresses = [("fd00::1", "fd00::2", 11112), ("::1", "::1", 104), ("127.0.0.1", "127.0.0.1", 11112)]
        for association, (local, remote, port) in zip(three, addresses, strict=True):
            recorder(association.opened((local, 50_001), (remote, port)))
        for sender, data in pdus(STORE):
            for association in three:
                recorder(association.said(sender, data))
        recorder(three[0].said(Side.REQUESTOR, p_data(65_460)))
        recorder(three[2].said(Side.REQUESTOR, p_data(65_480)))
        recorder(three[2].said(Side.REQUESTOR, p_data(150_000)))
        recorder(three[0].closed(Side.ACCEPTOR))
        recorder(three[1].closed(Side.REQUESTOR, CloseHow.RESET))
        recorder(three[2].closed(Side.REQUESTOR, CloseHow.HALF))
        recorder(three[2].closed(Side.ACCEPTOR))
        recorder(ConnectionRefused(three[2].time, 60, ("127.0.0.1", 104), "Connection refused"))
        recorder(ConnectionRefused(three[2].time, 61, ("::1", 104), "timed out"))
    return path


def experts(path: Path) -> Counter[str]:
    """What tshark finds remarkable, as a count of lines `severity: summary`."""
    output = run_tool(["tshark", "-r", path, *CHECKED, "-q", "-z", "expert"]).check().output
    found: Counter[str] = Counter()
    severity = ""
    for line in output.splitlines():
        if heading := re.match(r"(\w+) \(\d+\)$", line):
            severity = heading[1]
        elif row := re.match(r" +(\d+) +\w+ +\w+ +(.+)$", line):
            found[f"{severity}: {row[2]}"] += int(row[1])
    return found


@pytest.mark.interop
@pytest.mark.slow
@pytest.mark.parametrize(("name", "segment"), [("a.pcapng", None), ("a.pcap", None), ("small.pcapng", 1460)])
def test_tshark_has_no_warning_but_the_deserved_ones(tmp_path: Path, name: str, segment: int | None) -> None:
    found = experts(record(tmp_path / name, segment))
    assert {line: count for line, count in found.items() if line.startswith(("Errors", "Warns"))} == {
        "Warns: Association aborted": 1,
        "Warns: Association rejected": 1,
        "Warns: Connection reset (RST)": 2,
    }


@pytest.mark.interop
@pytest.mark.slow
def test_tshark_sees_every_pdu_and_right_checksums(tmp_path: Path) -> None:
    path = record(tmp_path / "a.pcapng")
    fields = ["-T", "fields", "-e", "dicom.pdu.type", "-e", "tcp.checksum.status", "-e", "ip.checksum.status"]
    rows = [
        line.split("\t") for line in run_tool(["tshark", "-r", path, *CHECKED, *fields]).check().output.splitlines()
    ]
    rows = [row for row in rows if len(row) == 3]
    assert {status for _, tcp, ip in rows for status in (tcp, ip) if status} == {"1"}
    seen = Counter(int(kind, 0) for kinds, _, _ in rows for kind in kinds.split(",") if kind)
    expected = Counter(data[0] for path in [*LIVE, STORE, STORE, STORE] for _, data in pdus(path))
    expected[4] += 3  # the large ones
    assert seen == expected


CUT = [1000, 60_000, 70_000, 260_012]
"""Lengths of P-DATA-TF PDUs of which nobody wants the data sets."""


def record_cut(path: Path, host: str) -> Path:
    """An association with those, too, of which at most 256 bytes of data are kept."""
    association = Association()
    with Recorder(path, payload_limit=256) as recorder:
        recorder(association.opened((host, 50_001), (host, 11112)))
        for sender, data in pdus(STORE):
            recorder(association.said(sender, data))
            if data[:1] == b"\x02":
                for length in CUT:
                    recorder(association.said(Side.REQUESTOR, p_data(length)))
        recorder(association.closed())
        recorder(association.ended())
    return path


@pytest.mark.interop
@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.pcapng", "a.pcap"])
@pytest.mark.parametrize("host", ["127.0.0.1", "fd00::1"])
def test_tshark_takes_pdus_that_are_cut(tmp_path: Path, host: str, name: str) -> None:
    path = record_cut(tmp_path / name, host)
    assert not [line for line in experts(path) if line.startswith(("Errors", "Warns"))]
    words = run_tool(["tshark", "-r", path, "-T", "fields", "-e", "dicom.pdu.len"]).check().output.split()
    shown = CUT if host == "127.0.0.1" else CUT[:2]  # over IPv6 those that fit a datagram
    assert shown == [int(word) + 6 for word in words if word.isdigit() and int(word) + 6 in CUT]


@pytest.mark.slow
@pytest.mark.parametrize("host", ["127.0.0.1", "fd00::1"])
def test_scapy_takes_pdus_that_are_cut(tmp_path: Path, host: str) -> None:
    utils: Any = pytest.importorskip("scapy.utils")
    inet: Any = pytest.importorskip("scapy.layers.inet")
    packets = utils.rdpcap(str(record_cut(tmp_path / "a.pcapng", host)))
    assert all(inet.TCP in packet for packet in packets)
    kept = [packet for packet in packets if len(bytes(packet[inet.TCP].payload)) == 12 + 256]
    assert len(CUT) + sum(data[0] == 4 and len(data) > 12 + 256 for _, data in pdus(STORE)) == len(kept)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.pcapng", "a.pcap"])
def test_scapy_decodes_every_pdu_that_fits_a_frame(tmp_path: Path, name: str) -> None:
    utils: Any = pytest.importorskip("scapy.utils")
    dicom: Any = pytest.importorskip("scapy.contrib.dicom")
    inet: Any = pytest.importorskip("scapy.layers.inet")
    layers = {
        1: dicom.A_ASSOCIATE_RQ,
        2: dicom.A_ASSOCIATE_AC,
        3: dicom.A_ASSOCIATE_RJ,
        4: dicom.P_DATA_TF,
        5: dicom.A_RELEASE_RQ,
        6: dicom.A_RELEASE_RP,
        7: dicom.A_ABORT,
    }
    said = [data for path in [*LIVE, STORE, STORE, STORE] for _, data in pdus(path)]
    expected = Counter(layers[data[0]] for data in said) + Counter({dicom.P_DATA_TF: 2})
    seen: Counter[Any] = Counter()
    for packet in utils.rdpcap(str(record(tmp_path / name))):
        if dicom.DICOM in packet:
            pdu = packet[dicom.DICOM]
            whole = len(bytes(packet[inet.TCP].payload)) == pdu.length + 6
            if whole and type(pdu.payload) in expected:
                seen[type(pdu.payload)] += 1
    assert seen == expected
