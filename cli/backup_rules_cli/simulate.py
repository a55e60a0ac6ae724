"""`make simulate`: the simulated organization, served to other programs, and AWS Config at work in it.

The AWS CLI can look at it, and the pack can be deployed to it: rules that are made there are evaluated by the functions
that were deployed, as AWS would.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from aws_simulator import config
from aws_simulator.accounts import account_session
from aws_simulator.config.service import Clockwork, start_recorder
from aws_simulator.lambda_runtime import LambdaRuntime, lambda_runtime
from aws_simulator.server import serving
from backup_rules_cli.catalogue import ROOT
from demo_organization import Organization, seed

PROFILES = ROOT / "build" / "simulated-profiles"
_SECONDS = 2.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Seeds the organization and serves it until it is interrupted."""
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--port", type=int, default=5000, help="the port to listen on (default: 5000; 0: a free one)")
    parser.add_argument("--profiles", type=Path, default=PROFILES, help="where to write the profiles (AWS_CONFIG_FILE)")
    options = parser.parse_args(arguments)
    try:
        with serving(options.port) as url, _runtime(url) as runtime:
            config.install(require_functions=True)
            organization = seed(datetime.now(UTC).replace(microsecond=0), member_roles=False)
            places = [(account.id, region) for account in organization.accounts for region in account.regions]
            for account, region in places:
                start_recorder(account_session(account, region), region)
            write_profiles(options.profiles, organization, url)
            print(how_to_use(organization, url, options.profiles), flush=True)
            if runtime is None:
                print("AWS Config is not at work: deployed functions run on Linux only.", flush=True)
                Event().wait()
                return 0
            clockwork = Clockwork(runtime, places)
            while True:
                for run in clockwork.tick():
                    account, verdict = run.event["accountId"], run.failure or "evaluated"
                    print(f"AWS Config: {run.rule} in {account}: {verdict}", flush=True)
                time.sleep(_SECONDS)
    except OSError as error:
        print(
            f"simulate: port {options.port} cannot be listened on: {error}. Name another: make simulate PORT=…",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        return 0


def _runtime(url: str) -> AbstractContextManager[LambdaRuntime | None]:
    return lambda_runtime(url) if sys.platform == "linux" else nullcontext()


def write_profiles(path: Path, organization: Organization, url: str) -> None:
    """A configuration file of the AWS CLI and SDKs, with a profile for each account, named as the account is."""
    sections = []
    for account in organization.accounts:
        credentials = account_session(account.id, account.regions[0]).get_credentials()
        if credentials is None:
            raise RuntimeError(f"The simulation gave no credentials of account {account.id}.")
        keys = credentials.get_frozen_credentials()
        sections.append(
            f"[profile {account.name}]\n"
            f"region = {account.regions[0]}\n"
            f"endpoint_url = {url}\n"
            f"aws_access_key_id = {keys.access_key}\n"
            f"aws_secret_access_key = {keys.secret_key}\n"
            f"aws_session_token = {keys.token}\n"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(sections), encoding="utf-8")


def how_to_use(organization: Organization, url: str, profiles: Path) -> str:
    """What a person types in another terminal."""
    central = next(each.name for each in organization.accounts if each.role == "delegated administrator")
    management = next(each.name for each in organization.accounts if each.role == "management")
    members = next(each.name for each in organization.accounts if each.role == "member")
    accounts = "\n".join(
        f"  {account.name:<31} {account.id}  {account.role}: {', '.join(account.regions)}"
        for account in organization.accounts
    )
    shown = profiles.relative_to(Path.cwd()) if profiles.is_relative_to(Path.cwd()) else profiles
    return f"""\
The simulated AWS listens on {url} (this machine only; Ctrl-C ends it and forgets everything).
Its accounts, each with a profile of that name:
{accounts}

In another terminal:
  export AWS_CONFIG_FILE=$PWD/{shown}
  aws --profile {members} backup list-backup-plans
  make evaluate PROFILE={members} REGION=eu-west-1
  make deploy PROFILE={central} MANAGEMENT_PROFILE={management} REGIONS=eu-west-1
  make verify PROFILE={central} MANAGEMENT_PROFILE={management} REGIONS=eu-west-1

AWS Config evaluates what is deployed, and says so here.
"""


if __name__ == "__main__":
    sys.exit(main())
