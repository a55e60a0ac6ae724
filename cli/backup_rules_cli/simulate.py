"""`make simulate`: the simulated organization, served to other programs, and AWS Config at work in it.

The AWS CLI can look at it, and the pack can be deployed to it: rules that are made there are evaluated by the functions
that were deployed, as AWS would.
"""

from __future__ import annotations

import shlex
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import localtime
from pathlib import Path
from threading import Event

from aws_simulator.core import config
from aws_simulator.core.accounts import account_session
from aws_simulator.core.config.service import Clockwork, start_recorder
from aws_simulator.core.operations import AwsError
from aws_simulator.deployment.events import pump, run_schedules
from aws_simulator.deployment.lambda_runtime import LambdaRuntime, lambda_runtime
from aws_simulator.deployment.membership import Members
from aws_simulator.extras.changes import Changes, watched_changes
from aws_simulator.extras.mails import Mail, Mailbox
from aws_simulator.server import new_access_key, serving
from backup_rules_cli import console
from backup_rules_cli.catalogue import planted
from backup_rules_cli.errors import WELL, CommandError
from demo_organization import Organization, seed

PROFILES = Path("build", "simulated-profiles")
SETTINGS_NAME, MAILS_NAME = "simulated-deployment.yaml", "simulated-mails"
"""Beside the profiles."""
SETTINGS = """\
# For `backup-rules deploy --settings`, in the simulation: as rdk-config/deployment.yaml, with all that it brings.
regions: [eu-west-1]
aggregator: true
security_hub: forwarder
alerts: true
alert_email: backups@example.com
"""
CENTRAL = "delegated administrator"
SCHEDULE_SECONDS = 30.0
DEFAULT_PORT = 4599
"""Not 5000, where macOS listens."""
_SECONDS = 2.0
_NUMBERED = "[0-9][0-9][0-9][0-9].eml"
"""The mails of a simulation, among whatever else lies in the folder."""


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
        turn_on_security_hub(organization)
        write_profiles(profiles, organization, url)
        write_settings(profiles.with_name(SETTINGS_NAME))
        mails = profiles.with_name(MAILS_NAME)
        forget_mails(mails)
        console.show(how_to_use(organization, url, profiles).splitlines())
        if runtime is None:
            console.show(["AWS Config is not at work: deployed functions run on Linux only."])
            Event().wait()
            return
        with watched_changes(places) as changes:
            for line in at_work(runtime, places, changes, mails):
                console.show([line])


def at_work(runtime: LambdaRuntime, places: Sequence[tuple[str, str]], changes: Changes, mails: Path) -> Iterator[str]:
    """AWS Config, EventBridge and Lambda at work, for ever; says what they did, a line each.

    A rule is evaluated when it is made, and again seconds after something changed in its account and Region. Functions
    that EventBridge runs on a schedule run twice a minute, whatever their schedule. Mails go into a folder. Accounts
    that join, leave or move are followed; what failed in one for lack of a recorder is tried again twice a minute.
    """
    clockwork, mailbox, waiting, due = Clockwork(runtime, places), Mailbox(), set[tuple[str, str]](), 0.0
    world = _Inhabited(places, clockwork, changes)
    while True:
        if is_due := time.monotonic() >= due:
            due = time.monotonic() + SCHEDULE_SECONDS
        yield from world.followed(again=is_due)
        changed = changes.taken()
        ready, waiting = waiting - changed, waiting & changed | changed
        for runs in clockwork.round(ready):
            for run in runs:
                yield f"AWS Config: {run.rule} in {run.event['accountId']}: {run.failure or 'evaluated'}"
            yield from world.followed()  # a round of many accounts takes its time
        yield from _pumped(runtime)
        if is_due:
            yield from _failed_schedules(runtime, world.places)
        for mail in mailbox.new():
            yield f"Mail to {mail.to}: {mail.subject}: {keep(mail, mails)}"
        time.sleep(_SECONDS)


def _pumped(runtime: LambdaRuntime) -> Iterator[str]:
    try:
        for done in pump(runtime):
            yield f"AWS Lambda: a function took events from its queue: {done.error or 'done'}"
    except AwsError as error:
        yield f"AWS Lambda: {error.code}: {error.message}"


def _failed_schedules(runtime: LambdaRuntime, places: Sequence[tuple[str, str]]) -> Iterator[str]:
    for account, region in places:
        for done in run_schedules(runtime, account, region):
            if done.error:
                yield f"EventBridge: a scheduled function failed: {done.error}"


class _Inhabited:
    """Where something may run: the places at first, those of new members, and none of closed accounts."""

    def __init__(self, places: Sequence[tuple[str, str]], clockwork: Clockwork, changes: Changes) -> None:
        self.places = tuple(places)
        self._members = Members({region for _, region in places})
        self._clockwork, self._changes = clockwork, changes

    def followed(self, *, again: bool = False) -> Iterator[str]:
        """Follow the accounts that joined, left or moved; `again`: also try what has failed before."""
        for change in self._members.settled(again=again):
            yield f"AWS Organizations: account {change.account} {change.what}"
            closed = self._members.closed()
            places = dict.fromkeys((*self.places, *self._members.places()))
            self.places = tuple(place for place in places if place[0] not in closed)
            self._clockwork.look_after(self.places)
            self._changes.look_after(self.places)


def forget_mails(folder: Path) -> None:
    """Delete what an earlier simulation left there: whoever waits for the first mail would take that for it."""
    for path in folder.glob(_NUMBERED):
        path.unlink()


def keep(mail: Mail, folder: Path) -> Path:
    """Write a mail to a file that mail programs open, and return which."""
    folder.mkdir(parents=True, exist_ok=True)
    message = EmailMessage()
    message["From"] = "AWS Notifications <no-reply@sns.amazonaws.com>"
    message["To"] = mail.to
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = localtime()
    message.set_content(mail.text, cte="8bit")
    path = folder / f"{len(list(folder.glob(_NUMBERED))) + 1:04}.eml"
    path.write_bytes(message.as_bytes(policy=EmailPolicy(utf8=True)))
    return path


def turn_on_security_hub(organization: Organization) -> None:
    """Security Hub in every account and Region, administered by the account that owns the pack."""
    central = next(each for each in organization.accounts if each.role == CENTRAL)
    for account in organization.accounts:
        for region in account.regions:
            hub = account_session(account.id, region).client("securityhub")
            hub.enable_security_hub()
            if account.role == "management":
                hub.enable_organization_admin_account(AdminAccountId=central.id)


def _runtime(url: str) -> AbstractContextManager[LambdaRuntime | None]:
    return lambda_runtime(url) if sys.platform == "linux" else nullcontext()


def write_settings(path: Path) -> None:
    """Settings of a deployment that brings everything which is told of here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SETTINGS, encoding="utf-8")


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
    central = next(each.name for each in organization.accounts if each.role == CENTRAL)
    settings, mails = (shlex.quote(str(profiles.absolute().with_name(each))) for each in (SETTINGS_NAME, MAILS_NAME))
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
  aws() {{ command aws --endpoint-url {url} "$@"; }}
  aws --profile {members} backup list-backup-plans
  backup-rules evaluate --profile {members} --region eu-west-1
  backup-rules deploy --profile {central} --management-profile {management} --settings {settings}
  backup-rules verify --profile {central} --management-profile {management} --settings {settings}
  aws --profile {central} securityhub get-findings --max-items 1
The second line is for version 1 of the AWS CLI, which sends `aws sqs` to the real AWS without it.

AWS Config evaluates what is deployed, and again when something changes, and says so here. Mails go to {mails}.
"""
