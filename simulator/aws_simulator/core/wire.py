"""The simulation of this process over HTTP, for this machine's programs and not for the web pages in its browsers.

A page of any site can have a browser send requests to the loopback interface. So a request is refused that names
another host than this machine (DNS rebinding), that a page of another origin sent (`Origin`, `Sec-Fetch-Site`), or,
where the server demands it, whose access key is neither the server's nor one that the simulation gave out. No answer
carries CORS headers. Signatures are not checked: the key is the secret.
Sources: https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site and
https://datatracker.ietf.org/doc/html/rfc6761#section-6.3 (names that end in .localhost)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any
from xml.sax.saxutils import escape

from moto import backends
from moto.moto_server import threaded_moto_server, werkzeug_app
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from aws_simulator.core.accounts import is_issued

LOOPBACK = "127.0.0.1"

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]

_OWN_NAMES = re.compile(r"(?:127\.0\.0\.1|\[::1\]|(?:[^:/]+\.)?localhost)(?::\d+)?", re.IGNORECASE)
_KEY_IN_HEADER = re.compile(r"(?:Credential=([^/,\s]+)/|AWS ([^:\s]+):)")
_KEY_IN_QUERY = re.compile(r"(?:^|&)(?:X-Amz-Credential|AWSAccessKeyId)=([^/&%]+)")


@contextmanager
def listening(port: int = 0, access_key: str | None = None) -> Iterator[str]:
    """Serves the simulation of this process on the loopback interface, and yields the URL.

    Args:
        port: 0 takes a free one. It must be free.
        access_key: the key of the default account that requests must carry, unless they carry one that the simulation
            gave out. None: any key will do.
    """
    _list_modules_once()
    werkzeug_app.DISABLE_GLOBAL_CORS = True
    server = _Server(port, access_key)
    server.start()
    try:
        host, bound = server.get_host_and_port()
        yield f"http://{host}:{bound}"
    finally:
        server.stop()


class _Server(ThreadedMotoServer):
    """moto's, behind the guard."""

    def __init__(self, port: int, access_key: str | None) -> None:
        super().__init__(ip_address=LOOPBACK, port=port, verbose=False)
        self._access_key = access_key

    def _server_entry(self) -> None:
        app = Guard(werkzeug_app.DomainDispatcherApplication(werkzeug_app.create_backend_app), self._access_key)
        self._server = threaded_moto_server.make_server(
            self._ip_address, self._port, app, threaded=True, request_handler=werkzeug_app.MotoRequestHandler
        )
        self._server_ready_event.set()
        self._server.serve_forever()


@dataclass(frozen=True)
class Guard:
    """Hands on to `application` what this machine's programs ask, and refuses the rest."""

    application: Application
    access_key: str | None = None

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """The WSGI application."""
        refusal = self._refusal(environ)
        if refusal is None:
            return self.application(environ, start_response)
        code, message = refusal
        content_type, body = _error(environ, code, message)
        headers = [("Content-Type", content_type), ("X-Amzn-ErrorType", code), ("Content-Length", str(len(body)))]
        start_response("403 Forbidden", headers)
        return [body]

    def _refusal(self, environ: Environ) -> tuple[str, str] | None:
        """The error code and message for a request that is not answered."""
        host = environ.get("HTTP_HOST", "")
        if not _OWN_NAMES.fullmatch(host):
            return "AccessDenied", f"The simulator answers on this machine's own names only, not as {host!r}."
        origin = environ.get("HTTP_ORIGIN")
        if origin is not None and origin != f"http://{host}":
            return "AccessDenied", f"The simulator does not answer to pages of {origin}."
        if environ.get("HTTP_SEC_FETCH_SITE", "none") not in {"none", "same-origin"}:
            return "AccessDenied", "The simulator does not answer to pages of other sites."
        if self.access_key is not None and not self._is_known(_key_of(environ)):
            return "UnrecognizedClientException", "The security token included in the request is invalid."
        return None

    def _is_known(self, key: str | None) -> bool:
        return key is not None and (compare_digest(key.encode(), str(self.access_key).encode()) or is_issued(key))


def _key_of(environ: Environ) -> str | None:
    """The access key that the request is signed with, or that a presigned URL has."""
    signed = _KEY_IN_HEADER.search(environ.get("HTTP_AUTHORIZATION", ""))
    if signed:
        return signed[1] or signed[2]
    presigned = _KEY_IN_QUERY.search(environ.get("QUERY_STRING", ""))
    return presigned[1] if presigned else None


def _error(environ: Environ, code: str, message: str) -> tuple[str, bytes]:
    """In the form that the caller's protocol has for errors, as far as the request tells it."""
    if "HTTP_X_AMZ_TARGET" in environ or "json" in environ.get("CONTENT_TYPE", ""):
        return "application/json", json.dumps({"__type": code, "message": message}).encode()
    error = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    if "/ec2/aws4_request" in environ.get("HTTP_AUTHORIZATION", ""):
        return "text/xml", f"<Response><Errors>{error}</Errors></Response>".encode()
    return "text/xml", f"<ErrorResponse>{error}</ErrorResponse>".encode()


def _list_modules_once() -> None:
    """Moto lists its own folder for each request, which takes a quarter of the server's time. Idempotent."""
    if not hasattr(backends.list_of_moto_modules, "listed"):
        modules = tuple(backends.list_of_moto_modules())
        setattr(backends, "list_of_moto_modules", _Listed(modules))  # noqa: B010 - mypy forbids assigning to a function


@dataclass(frozen=True)
class _Listed:
    listed: tuple[str, ...]

    def __call__(self) -> tuple[str, ...]:
        return self.listed
