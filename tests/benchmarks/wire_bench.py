"""What framing and coding cost: `python -m tests.benchmarks.wire_bench`. Pure computing, no peer and no socket."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.command import decode_command, encode_command
from dicomsim.wire.framer import Framer
from dicomsim.wire.pdu import PDataTF, Pdv
from tests.wire.vectors import COMMAND_BYTES, PDU_BYTES

ROUNDS = 15
"""Each figure is the best of so many."""

MIB = 1 << 20


def best(work: Callable[[], object], times: int) -> float:
    """Seconds of one call, in the best of several rounds of that many calls."""
    seconds = []
    for _ in range(ROUNDS):
        start = perf_counter()
        for _ in range(times):
            work()
        seconds.append((perf_counter() - start) / times)
    return min(seconds)


def framing(stream: bytes, buffer_size: int, whole: bool = False) -> Callable[[], None]:
    """Work that pushes the stream through a framer, buffer by buffer."""
    framer, view = Framer(whole=whole), memoryview(stream)
    buffers = [view[start : start + buffer_size] for start in range(0, len(stream), buffer_size)]

    def work() -> None:
        for buffer in buffers:
            for _ in framer.receive(buffer):
                pass

    return work


def p_data(*sizes: int) -> bytes:
    """One P-DATA-TF for each fragment size."""
    return b"".join(encode_pdu(PDataTF((Pdv(1, 2, bytes(size)),))) for size in sizes)


def report(what: str, seconds: float, items: int, size: int) -> None:
    """One line: time an item, items and bytes a second."""
    print(f"{what:52} {seconds / items * 1e6:9.2f} us {items / seconds:12,.0f} /s {size / seconds / 1e9:9.2f} GB/s")


def main() -> None:
    """Print all figures."""
    large, small = p_data(*(131_066,) * 64), p_data(*(124, 4096) * 1000)
    report("framer, PDU of 131072, buffers of 1 MiB", best(framing(large, MIB), 20), 64, len(large))
    report("framer, PDU of 131072, buffers of 64 KiB", best(framing(large, MIB // 16), 20), 64, len(large))
    report("framer, PDU of 131072, whole", best(framing(large, MIB, whole=True), 2), 64, len(large))
    report("framer, message of 124 and 4096, buffers of 1 MiB", best(framing(small, MIB), 5), 1000, len(small))
    each = len(small) // 1000
    report("framer, message of 124 and 4096, buffer each", best(framing(small, each), 5), 1000, len(small))
    for name in ("RQ-001", "RQ-004", "AC-001", "AC-015"):
        raw = PDU_BYTES[name]
        pdu = decode_pdu(raw)
        report(f"decode_pdu, {name}", best(lambda raw=raw: decode_pdu(raw), 50), 1, len(raw))  # type: ignore[misc]
        report(f"encode_pdu, {name}", best(lambda pdu=pdu: encode_pdu(pdu), 50), 1, len(raw))  # type: ignore[misc]
    raw = COMMAND_BYTES["C-STORE-RQ"]
    command = decode_command(raw)
    report("decode_command, C-STORE-RQ", best(lambda: decode_command(raw), 5000), 1, len(raw))
    report("encode_command, C-STORE-RQ", best(lambda: encode_command(command), 5000), 1, len(raw))


if __name__ == "__main__":
    main()
