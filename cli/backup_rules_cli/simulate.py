"""`make simulate`: the simulated organization, served to other programs, and AWS Config at work in it.

The AWS CLI can look at it, and the pack can be deployed to it: rules that are made there are evaluated by the functions
that were deployed, as AWS would.
"""

from __future__ import annotations

import shlex
import signal
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from aws_simulator.core import config
from aws_simulator.core.accounts import account_session
from aws_simulator.core.config.service import Clockwork, start_recorder
from aws_simulator.deployment.lambda_runtime import LambdaRuntime, lambda_runtime
from aws_simulator.server import new_access_key, serving
from backup_rules_cli import console
from backup_rules_cli.catalogue import planted
from backup_rules_cli.errors import WELL, CommandError
from demo_organization import Organization, seed

PROFILES = Path("build", "simulated-profiles")
DEFAULT_PORT = 4599
"""Not 5000, where macOS listens."""
_SECONDS = 2.0


def simulate(port: int = DEFAULT_PORT, profiles: Path = PROFILES) -> int:
    """Seeds the organization and serves it until it is interrupted, or ended by SIGTERM.

    Raises:
        CommandError: the port cannot be listened on, or the profiles cannot be written.
    """
    # Where SIGINT is ignored, as in the background of a script, SIGTERM ends it as cleanly.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _serve(port, profiles)
    except KeyboardInterrupt:
        return WELL
    except OSError as error:
        raise CommandError(f"{error}. Name another port with --port (make: PORT=…), 0 for a free one.") from None
    return WELL


def _serve(port: int, profiles: Path) -> None:
    with serving(port, access_key=new_access_key()) as url, _runtime(url) as runtime:
        config.install(require_functions=True)
        organization = seed(datetime.now(UTC).replace(microsecond=0), plants=planted(), member_roles=False)
        places = [(account.id, region) for account in organization.accounts for region in account.regions]
        for account, region in places:
            start_recorder(account_session(account, region), region)
        write_profiles(profiles, organization, url)
        console.show(how_to_use(organization, url, profiles).splitlines())
        if runtime is None:
            console.show(["AWS Config is not at work: deployed functions run on Linux only."])
            Event().wait()
            return
        clockwork = Clockwork(runtime, places)
        while True:
            for run in clockwork.tick():
                account, verdict = run.event["accountId"], run.failure or "evaluated"
                console.show([f"AWS Config: {run.rule} in {account}: {verdict}"])
            time.sleep(_SECONDS)


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
    path.unlink(missing_ok=True)
    # Whoever has the keys can run code in the simulation.
    path.touch(mode=0o600)
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
    return f"""\
The simulated AWS listens on {url} (this machine only; Ctrl-C ends it and forgets everything).
Its accounts, each with a profile of that name:
{accounts}

In another terminal:
  export AWS_CONFIG_FILE={shlex.quote(str(profiles.absolute()))}
  aws --profile {members} backup list-backup-plans
  backup-rules evaluate --profile {members} --region eu-west-1
  backup-rules deploy --profile {central} --management-profile {management} --region eu-west-1
  backup-rules verify --profile {central} --management-profile {management} --region eu-west-1

AWS Config evaluates what is deployed, and says so here.
"""
