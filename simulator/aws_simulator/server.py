"""The simulator as a server, for the AWS CLI and any other program: `python -m aws_simulator.server --port 4599`."""

from __future__ import annotations

import argparse
import logging
import secrets
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event

from aws_simulator.core.wire import LOOPBACK, listening
from aws_simulator.simulation import simulated_aws


@contextmanager
def serving(port: int = 0, *, access_key: str | None = None) -> Iterator[str]:
    """Serves the simulation of this process on the loopback interface, and yields the URL.

    Port 0 takes a free one. What this process does in the same simulation, the server's callers see, and the other way
    round. Web pages cannot talk to it: see `aws_simulator.core.wire`.

    Args:
        port: to listen on.
        access_key: the key (of account 123456789012) that callers must have, unless they have one that the simulation
            gave out, as `account_session` does. None: any key will do, which is for tests.

    Raises:
        OSError: another program has the port.
    """
    # Flask's development server writes a line per request, and a banner.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    _check_free(port)
    with simulated_aws(), listening(port, access_key) as url:
        yield url


def new_access_key() -> str:
    """An access key that nobody can guess, for `serving`."""
    return f"AKIA{secrets.token_hex(8).upper()}"


def _check_free(port: int) -> None:
    """Moto's server would wait for ever for a port that another program has."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise OSError(error.errno, f"Port {port} of {LOOPBACK} cannot be listened on: {error.strerror}") from None


def how_to_use(url: str, access_key: str = "simulated") -> str:
    """What a person types in another terminal."""
    return (
        f"The simulated AWS listens on {url} (this machine only; Ctrl-C ends it and forgets everything).\n"
        "In another terminal:\n"
        f"  export AWS_ACCESS_KEY_ID={access_key} AWS_SECRET_ACCESS_KEY=simulated AWS_DEFAULT_REGION=eu-west-1\n"
        f"  aws --endpoint-url {url} backup list-backup-plans\n"
        "These credentials belong to account 123456789012. For another account, take those that this prints:\n"
        f"  aws --endpoint-url {url} sts assume-role "
        "--role-arn arn:aws:iam::111122223333:role/Anything --role-session-name me\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until it is interrupted, or ended by SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m aws_simulator.server", description=__doc__)
    parser.add_argument("--port", type=int, default=4599, help="the port to listen on (default: 4599; 0: a free one)")
    port = parser.parse_args(arguments).port
    # Where SIGINT is ignored, as in the background of a script, SIGTERM ends it as cleanly.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    access_key = new_access_key()
    try:
        with serving(port, access_key=access_key) as url:
            print(how_to_use(url, access_key), flush=True)
            Event().wait()
    except KeyboardInterrupt:
        print("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
