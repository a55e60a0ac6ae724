"""`make simulate`: the simulated organization, served to other programs, the AWS CLI among them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Event

from local.organization import seed
from local.simulator.accounts import account_session
from local.simulator.config_service import start_recorder
from local.simulator.server import how_to_use, serving


def main(arguments: Sequence[str] | None = None) -> int:
    """Seeds the organization and serves it until it is interrupted."""
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--port", type=int, default=5000, help="the port to listen on (default: 5000; 0: a free one)")
    port = parser.parse_args(arguments).port
    try:
        with serving(port) as url:
            organization = seed(datetime.now(UTC).replace(microsecond=0))
            for account in organization.accounts:
                for region in account.regions:
                    start_recorder(account_session(account.id, region), region)
            print(how_to_use(url))
            print("Accounts:")
            for account in organization.accounts:
                print(f"  {account.id}  {account.name} ({account.role}): {', '.join(account.regions)}")
            sys.stdout.flush()
            Event().wait()
    except OSError as error:
        print(
            f"simulate: port {port} cannot be listened on: {error}. Name another: make simulate PORT=…", file=sys.stderr
        )
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
