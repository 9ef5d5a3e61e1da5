"""Many associations: a thousand at once that all store, five thousand that do nothing."""

from __future__ import annotations

import selectors
import socket
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from dicomsim.upper_layer.negotiation import build_request
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.items import PresentationContextRQ
from dicomsim.wire.pdu import PduType
from tests.benchmarks import ends
from tests.benchmarks.process import processor_seconds, resident
from tests.benchmarks.rounds import Comparison, Figure, Subject, Target, report
from tests.benchmarks.workload import Workload
from tests.interop.peers import Peer

VERIFICATION, IMPLICIT = "1.2.840.10008.1.1", "1.2.840.10008.1.2"
CROWD = 1000
IDLE = 5000
IDLE_SECONDS = 10.0
EACH = Workload("5 x 4 kB", 5, 4096)
ALONE = Workload("2000 x 4 kB", 2000, 4096)

ONE = "one association"
MANY = f"{CROWD} associations at once"


def main() -> int:
    """Measure and print everything; 1 when a target was missed."""
    with TemporaryDirectory(prefix="dicomsim-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        each, alone = EACH.make(folder)[0].parent, ALONE.make(folder)[0].parent
        peer = stack.enter_context(ends.our_peer(folder))
        memory = []

        def crowd() -> float:
            most, seconds = ends.ours_says(peer.port, "crowd", str(CROWD), str(each))
            memory.append(most)
            return CROWD * EACH.count / seconds

        storing = Comparison(
            "C-STORE of 4 kB, ours -> ours",
            "objects/s",
            [
                Subject(ONE, lambda: ALONE.count / ends.ours_does(peer.port, "store", str(alone))),
                Subject(MANY, crowd),
            ],
            [Target(MANY, ONE, 0.6)],
        )
        storing.run()
        figures = [
            Figure(f"memory of the requestor of {CROWD}, at most", max(memory), "MB", most=200),
            Figure(f"memory of the acceptor of {CROWD}, at most", resident(peer.pid, most=True), "MB", most=200),
            *_idle(stack.enter_context(ends.our_peer(folder, does="serve"))),
        ]
        for figure in figures:
            figure.print()
        return report("associations", [storing], figures)


def _idle(peer: Peer) -> list[Figure]:
    """Open associations and leave them alone; they are sockets of this process, which costs the acceptor nothing."""
    base = resident(peer.pid)
    contexts = [PresentationContextRQ.of(1, VERIFICATION, IMPLICIT)]
    request = encode_pdu(build_request("OURS", "IDLE", contexts))
    with ExitStack() as stack:
        for _ in range(IDLE):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", peer.port)))
            connection.sendall(request)
            answer = connection.recv(1 << 16)
            if answer[0] != PduType.A_ASSOCIATE_AC:
                raise RuntimeError(f"answered by a PDU of type {answer[0]}")
        memory = resident(peer.pid) - base
        before, start = processor_seconds(peer.pid), monotonic()
        with selectors.DefaultSelector() as nothing:
            nothing.select(IDLE_SECONDS)
        share = (processor_seconds(peer.pid) - before) / (monotonic() - start)
    return [
        Figure(f"memory of {IDLE} idle associations", memory, "MB", most=60),
        Figure(f"processor time of {IDLE} idle associations", share * 100, "% of a core", most=1),
    ]
