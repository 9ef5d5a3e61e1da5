"""The least that an acceptor in Python does for `dcmsend`: what ours may come near to, and what no Python can reach.

`PORT [FOLDER]`: negotiates and answers as the package does, but looks for nothing between the PDUs' headers, has one
connection at a time, and tells no time. It looks again and again until something comes, as ours does. With a folder
it writes each object to a file that gets its name at the end.
"""

from __future__ import annotations

import os
import socket
import struct
import sys

from dicomsim.dimse.builders import respond
from dicomsim.dimse.fragmenter import joined
from dicomsim.dimse.messages import Message
from dicomsim.part10 import file_meta, file_name
from dicomsim.upper_layer.negotiation import AcceptorPolicy, SupportedContext, negotiate
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.codes import COMMAND, LAST
from dicomsim.wire.command import decode_command
from dicomsim.wire.pdu import AssociateRQ, PduType
from tests.benchmarks.ours import MAXIMUM_LENGTH
from tests.benchmarks.workload import CT_IMAGE, EXPLICIT_LITTLE_ENDIAN

BUFFER = 1 << 21
HEADS = struct.Struct(">BxIIBB")
"""PDU type and length; item length, context id, control header."""
HEAD = HEADS.size
RELEASE_RQ = 10
"""Bytes of an A-RELEASE-RQ."""
POLICY = AcceptorPolicy({CT_IMAGE: SupportedContext((EXPLICIT_LITTLE_ENDIAN,))}, MAXIMUM_LENGTH)


class BareAcceptor:
    """One connection."""

    def __init__(self, connection: socket.socket, folder: str) -> None:
        self._connection = connection
        self._folder = folder
        self._data = bytearray(BUFFER)
        self._view = memoryview(self._data)
        self._have = 0
        self._request = Message(0, {})
        self._fd = -1
        self._name = ""

    def serve(self) -> None:
        """Everything up to the release."""
        while self._have < 6 or self._have < 6 + int.from_bytes(self._data[2:6], "big"):
            self._read()
        request = decode_pdu(bytes(self._data[: self._have]))
        assert isinstance(request, AssociateRQ)
        self._connection.sendall(encode_pdu(negotiate(request, POLICY)))
        self._have = left = 0
        last = False
        view, data = self._view, self._data
        while True:
            self._read()
            at, end = 0, self._have
            while at < end:
                if left:
                    step = min(left, end - at)
                    if self._fd >= 0:
                        os.write(self._fd, view[at : at + step])
                    left -= step
                    at += step
                    if last and not left:
                        self._answer()
                    continue
                if data[at] == PduType.A_RELEASE_RQ and end - at >= RELEASE_RQ:
                    self._connection.sendall(bytes((PduType.A_RELEASE_RP, 0, 0, 0, 0, 4, 0, 0, 0, 0)))
                    return
                if end - at < HEAD:
                    break
                _, length, _, context_id, control = HEADS.unpack_from(data, at)
                if control & COMMAND:
                    if end - at < 6 + length:
                        break
                    self._begin(Message(context_id, decode_command(view[at + HEAD : at + 6 + length])))
                    at += 6 + length
                else:
                    left, last = length - 6, bool(control & LAST)
                    at += HEAD
            self._have = end - at
            data[: self._have] = data[at:end]

    def _read(self) -> None:
        while True:
            try:
                count = self._connection.recv_into(self._view[self._have :])
            except BlockingIOError:
                os.sched_yield()
                continue
            if not count:
                raise EOFError
            self._have += count
            return

    def _begin(self, request: Message) -> None:
        self._request = request
        if self._folder:
            instance = str(request.affected_sop_instance_uid)
            self._name = os.path.join(self._folder, file_name(instance))
            self._fd = os.open(self._name + ".part", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            os.write(self._fd, file_meta(CT_IMAGE, instance, EXPLICIT_LITTLE_ENDIAN, "2.25.1", "BENCHMARK"))

    def _answer(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            os.replace(self._name + ".part", self._name)
            self._fd = -1
        self._connection.send(joined(respond(self._request, 0), 0) or b"")


def serve(port: str, folder: str = "") -> None:
    """Answer until killed."""
    listener = socket.create_server(("127.0.0.1", int(port)))
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        with connection:
            try:
                BareAcceptor(connection, folder).serve()
            except (EOFError, ConnectionError):
                continue


if __name__ == "__main__":
    serve(*sys.argv[1:])
