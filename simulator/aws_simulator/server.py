"""The simulator as a server, for the AWS CLI and any other program: `python -m aws_simulator.server --port 4599`."""

from __future__ import annotations

import argparse
import logging
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

from moto import backends
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from aws_simulator.simulation import simulated_aws

_LOOPBACK = "127.0.0.1"


@contextmanager
def serving(port: int = 0) -> Iterator[str]:
    """Serves the simulation of this process on the loopback interface, and yields the URL.

    Port 0 takes a free one. What this process does in the same simulation, the server's callers see, and the other way
    round.

    Raises:
        OSError: another program has the port.
    """
    _list_modules_once()
    # Flask's development server writes a line per request, and a banner.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    _check_free(port)
    server = ThreadedMotoServer(ip_address=_LOOPBACK, port=port, verbose=False)
    with simulated_aws():
        server.start()
        try:
            host, bound = server.get_host_and_port()
            yield f"http://{host}:{bound}"
        finally:
            server.stop()


def _check_free(port: int) -> None:
    """Moto's server would wait for ever for a port that another program has."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError as error:
            raise OSError(error.errno, f"Port {port} of {_LOOPBACK} cannot be listened on: {error.strerror}") from None


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


def how_to_use(url: str) -> str:
    """What a person types in another terminal."""
    return (
        f"The simulated AWS listens on {url} (this machine only; Ctrl-C ends it and forgets everything).\n"
        "In another terminal:\n"
        "  export AWS_ACCESS_KEY_ID=simulated AWS_SECRET_ACCESS_KEY=simulated AWS_DEFAULT_REGION=eu-west-1\n"
        f"  aws --endpoint-url {url} backup list-backup-plans\n"
        "These credentials belong to account 123456789012. For another account, take those that this prints:\n"
        f"  aws --endpoint-url {url} sts assume-role "
        "--role-arn arn:aws:iam::111122223333:role/Anything --role-session-name me\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until it is interrupted."""
    parser = argparse.ArgumentParser(prog="python -m aws_simulator.server", description=__doc__)
    parser.add_argument("--port", type=int, default=4599, help="the port to listen on (default: 4599; 0: a free one)")
    port = parser.parse_args(arguments).port
    try:
        with serving(port) as url:
            print(how_to_use(url), flush=True)
            Event().wait()
    except KeyboardInterrupt:
        print("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
