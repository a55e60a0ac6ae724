"""The Lambda Runtime API for one process: what `awslambdaric` asks for work and hands its answers to.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any

_PREFIX = "/2018-06-01/runtime/"
_LOOPBACK = "127.0.0.1"


@dataclass
class Work:
    """One event for the process. The time that it may take runs from when the process has fetched it."""

    request_id: str
    function_arn: str
    body: bytes
    seconds: float
    deadline: float | None = field(default=None, init=False)
    """By `time.monotonic`; None until the process has fetched the event."""


@dataclass(frozen=True)
class Answer:
    """What the process has posted: the handler's result, or an error object (also when it could not even start)."""

    body: bytes
    failed: bool


class RuntimeApi:
    """Serves one process on a port of the loopback interface."""

    def __init__(self) -> None:
        self._server = _Server()
        self.answers = self._server.answers
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        """What AWS_LAMBDA_RUNTIME_API says: host and port."""
        return f"{_LOOPBACK}:{self._server.server_port}"

    def offer(self, work: Work) -> None:
        """Hands the event to the process as soon as it asks."""
        self._server.work.put(work)

    def close(self) -> None:
        """Ends the server; a process that still waits for work gets none."""
        self._server.work.put(None)
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((_LOOPBACK, 0), _Handler)
        self.work: SimpleQueue[Work | None] = SimpleQueue()
        self.answers: SimpleQueue[Answer] = SimpleQueue()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else headers and body, sent apart, are 40 ms apart

    def do_GET(self) -> None:
        if self.path != f"{_PREFIX}invocation/next":
            self._send(404, b"{}")
            return
        given = self.server.work.get()
        if given is None:
            self.close_connection = True
            return
        given.deadline = time.monotonic() + given.seconds
        headers = {
            "Lambda-Runtime-Aws-Request-Id": given.request_id,
            "Lambda-Runtime-Deadline-Ms": str(round((time.time() + given.seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": given.function_arn,
        }
        self._send(200, given.body, headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = self.path.removeprefix(_PREFIX)
        if not call.endswith(("/error", "/response")):
            self._send(404, b"{}")
            return
        self.server.answers.put(Answer(body, failed=call.endswith("/error")))
        self._send(202, b'{"status":"OK"}')

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by http.server
        """Requests are not printed."""
