"""A server on this machine that streams ``/v1/chat/completions``, and misbehaves as a test tells it to."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """``script`` holds what to do with the calls to come, one each; the last one stays for all further calls."""

    daemon_threads = False  # closing the server waits for its calls

    def __init__(self, *script: Callable[[Call], None]) -> None:
        super().__init__(("127.0.0.1", 0), Call)
        self.script = list(script)
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.times: list[float] = []
        self.paths: list[str] = []
        self.now = self.most = self.lost = 0
        """Calls open now, at most at once, and given up by the client."""
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


class Call(BaseHTTPRequestHandler):
    """One HTTP request."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        server = self.server
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with server.lock:
            server.bodies.append(self.body)
            server.paths.append(self.path)
            server.keys.append(self.headers["Authorization"])
            server.times.append(time.monotonic())
            act = server.script.pop(0) if len(server.script) > 1 else server.script[0]
            server.now += 1
            server.most = max(server.most, server.now)
        try:
            act(self)
        except OSError:
            with server.lock:
                server.lost += 1
            self.close_connection = True
        finally:
            with server.lock:
                server.now -= 1

    def do_GET(self) -> None:
        self.plain(200, '{"object": "list", "data": []}')

    def plain(self, status: int, text: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text.encode())), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(text.encode())

    def begin(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def event(self, content: str | None = None, finish: str | None = None, **more: Any) -> None:
        choice = {"index": 0, "delta": {} if content is None else {"content": content}, "finish_reason": finish}
        frame = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice], **more}
        self.send(f"data: {json.dumps(frame)}\n\n")

    def end(self) -> None:
        self.send("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Silent."""


def answer(text: str, *, before: float = 0.0, between: float = 0.0, usage: bool = True) -> Callable[[Call], None]:
    """Stream the text word by word; seconds to wait before the first word and after each."""

    def act(call: Call) -> None:
        call.begin()
        time.sleep(before)
        for number, word in enumerate(text.split(" ")):
            call.event(word if number == 0 else f" {word}")
            time.sleep(between)
        call.event(finish="stop")
        if usage:
            call.event(choices=[], usage={"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18})
        call.end()

    return act


def completion(text: str) -> Callable[[Call], None]:
    """Stream the text word by word, as the end of a raw prompt."""

    def act(call: Call) -> None:
        call.begin()
        for number, word in enumerate(text.split(" ")):
            choice = {"index": 0, "text": word if number == 0 else f" {word}", "finish_reason": None}
            call.event(object="text_completion", choices=[choice])
        call.event(object="text_completion", choices=[{"index": 0, "text": "", "finish_reason": "stop"}])
        call.end()

    return act


def echo(call: Call) -> None:
    """The last message back, after a moment."""
    answer(call.body["messages"][-1]["content"], before=0.05)(call)


def status(code: int, text: str = '{"error": {"message": "no"}}', **headers: str) -> Callable[[Call], None]:
    return lambda call: call.plain(code, text, **headers)


def reset(call: Call) -> None:
    """Two words, then the connection is torn down."""
    call.begin()
    call.event("half an")
    time.sleep(0.05)
    call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    call.connection.close()
    raise ConnectionResetError


def gone(call: Call) -> None:
    """No word at all: the connection is torn down, as by a process that was killed."""
    call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    call.connection.close()
    raise ConnectionResetError


def die(call: Call) -> None:
    """As ``gone``, and nobody listens any more."""
    call.server.shutdown()
    call.server.socket.close()
    gone(call)


def stall(call: Call) -> None:
    """One word, then nothing for ever; notices when the client hangs up."""
    call.begin()
    call.event("one")
    call.connection.settimeout(20)
    if call.connection.recv(1) == b"":
        raise ConnectionResetError


def stream(*pieces: str | bytes) -> Callable[[Call], None]:
    """These words as they are, inside a well-formed HTTP answer."""

    def act(call: Call) -> None:
        call.begin()
        for piece in pieces:
            call.send(piece)
        call.wfile.write(b"0\r\n\r\n")

    return act


@contextmanager
def serving(*script: Callable[[Call], None]) -> Iterator[Server]:
    """A running server, gone afterwards."""
    server = Server(*script)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="test-server")
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
