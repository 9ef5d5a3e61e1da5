"""Captures: MB/s written by the recorder, and read back up to the messages; memory must not grow with the file."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from dicomsim import events
from dicomsim.capture.captured import CapturedMessage, CapturedPdu
from dicomsim.capture.conversation import read
from dicomsim.capture.files import CaptureReader, open_writer
from dicomsim.capture.frame_log import FrameLog
from dicomsim.capture.frames import FrameParser
from dicomsim.capture.recorder import Recorder
from dicomsim.events import Side
from dicomsim.resources import captures

MEGABYTES = 200
LENGTHS = ((16_384, None), (65_480, None), (16_384, 1460))
"""PDU length and segment size."""
TIME = 1_700_000_000_000_000_000
NEGOTIATION_AND_COMMAND = 3


def p_data(length: int, last: bool) -> bytes:
    """A P-DATA-TF with one fragment of a data set."""
    head = b"\x04\0" + (length - 6).to_bytes(4, "big") + (length - 10).to_bytes(4, "big")
    return head + bytes([1, 2 if last else 0]) + b"\x11" * (length - 12)


def traffic(length: int) -> Iterator[events.Event]:
    """C-STOREs of 32 P-DATA-TF each."""
    store = captures() / "live" / "store_dcmsend.pcapng"
    said = [item for item in read(store) if isinstance(item, CapturedPdu)][:NEGOTIATION_AND_COMMAND]
    yield events.ConnectionOpened(TIME, 1, ("10.0.0.1", 50_000), ("10.0.0.2", 104), Side.REQUESTOR)
    for item in said[:2]:
        kind = events.BytesOut if item.sender is Side.REQUESTOR else events.BytesIn
        yield kind(TIME, 1, item.data)
    pdus = [p_data(length, last) for last in (False, True)]
    time = TIME
    for number in range((MEGABYTES << 20) // length):
        if number % 32 == 0:
            yield events.BytesOut(time, 1, said[2].data)
        time += 1000
        yield events.BytesOut(time, 1, pdus[number % 32 == 31])


def main() -> None:
    """Print a line a kind of file."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("pcapng", "pcap"):
            for length, segment in LENGTHS:
                measure(Path(folder) / f"a.{suffix}", length, segment)
        observe(Path(folder) / "observed.pcapng")


def measure(path: Path, length: int, segment: int | None) -> None:
    """Write and read one file."""
    stream = list(traffic(length))
    begin = perf_counter()
    with path.open("wb", buffering=1 << 18) as file:
        log = FrameLog(open_writer(path, file), segment=segment)
        for event in stream:
            log.event(event)
        log.settle(final=True)
    times = {"written": perf_counter() - begin}
    del stream
    begin = perf_counter()
    parser = FrameParser()
    with CaptureReader(path) as reader:
        frames = sum(parser.segment(packet) is not None for packet in reader)
    times["segments"] = perf_counter() - begin
    begin = perf_counter()
    messages = sum(isinstance(item, CapturedMessage) for item in read(path))
    times["messages"] = perf_counter() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    rates = (f"{word} {MEGABYTES / seconds:5.0f} MB/s" for word, seconds in times.items())
    print(
        f"{path.suffix:7} PDUs of {length:6}, segments of {segment or 'any':>5}: {', '.join(rates)} "
        f"({times['messages'] / frames * 1e6:.1f} us a frame, {messages} messages), {memory} MB resident at most"
    )


def observe(path: Path) -> None:
    """What recording costs the thread that is recorded, while the writer does not run."""
    stream = list(traffic(16_384))[:1000]
    best = float("inf")
    for _ in range(5):
        with Recorder(path) as recorder:
            begin = perf_counter()
            for event in stream[:15]:
                recorder(event)
            best = min(best, (perf_counter() - begin) / 15)
    print(f"recording costs the observed thread {best * 1e6:.2f} us an event")
