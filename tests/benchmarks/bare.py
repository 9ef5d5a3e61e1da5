"""Bare Python sockets doing what a C-STORE or C-ECHO sender and receiver do at the least: the limit to approach.

`serve PORT` answers, `store PORT FOLDER` and `echo PORT COUNT` send and print their seconds. The sender reads each
file, writes as many bytes as one command set and its P-DATA-TF PDUs have in as few calls as may be, and reads an answer
of fixed length; the receiver counts the bytes it was told of. Nothing is negotiated and nothing is checked.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

FRAGMENT = 131072 - 6
COMMAND = bytes(130)
ANSWER = bytes(130)
BUFFER = 1 << 20


def _receive(connection: socket.socket, view: memoryview, length: int) -> None:
    got = 0
    while got < length:
        count = connection.recv_into(view[: min(len(view), length - got)])
        if not count:
            raise EOFError
        got += count


def serve(port: str) -> None:
    """Answer until killed, one connection at a time."""
    listener = socket.create_server(("127.0.0.1", int(port)))
    view = memoryview(bytearray(BUFFER))
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                _receive(connection, view, 8)
                (length,) = struct.unpack_from(">Q", view)
                _receive(connection, view, length)
                connection.sendall(ANSWER)
        except (EOFError, ConnectionError):
            connection.close()


def _connect(port: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _send(connection: socket.socket, buffers: list[bytes | memoryview]) -> None:
    while buffers:
        count = connection.sendmsg(buffers[:1024])
        while buffers and count >= len(buffers[0]):
            count -= len(buffers.pop(0))
        if count:
            buffers[0] = memoryview(buffers[0])[count:]


def store(port: str, folder: str) -> float:
    """Send every file of a folder."""
    files = sorted(Path(folder).iterdir())
    view = memoryview(bytearray(len(ANSWER)))
    start = perf_counter()
    with _connect(port) as connection:
        for path in files:
            size = os.stat(path).st_size
            count = -(-size // FRAGMENT)
            head = struct.pack(">Q", len(COMMAND) + 12 + size + 12 * count) + bytes(12) + COMMAND
            with open(path, "rb", buffering=0) as file:
                while block := file.read(FRAGMENT * 8):
                    data = memoryview(block)
                    buffers: list[bytes | memoryview] = [head] if head else []
                    for at in range(0, len(data), FRAGMENT):
                        buffers += (bytes(12), data[at : at + FRAGMENT])
                    _send(connection, buffers)
                    head = b""
            _receive(connection, view, len(ANSWER))
    return perf_counter() - start


def echo(port: str, count: str) -> float:
    """So many requests and answers of a C-ECHO's size."""
    view = memoryview(bytearray(len(ANSWER)))
    request = struct.pack(">Q", 80) + bytes(80)
    start = perf_counter()
    with _connect(port) as connection:
        for _ in range(int(count)):
            connection.sendall(request)
            _receive(connection, view, len(ANSWER))
    return perf_counter() - start


COMMANDS: dict[str, Callable[..., float | None]] = {"serve": serve, "store": store, "echo": echo}

if __name__ == "__main__":
    seconds = COMMANDS[sys.argv[1]](*sys.argv[2:])
    if seconds is not None:
        print(seconds)
