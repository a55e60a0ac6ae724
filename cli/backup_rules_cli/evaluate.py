"""`make evaluate`: what the pack says about an account, in the words of the AWS Config console.

Without a profile, an organization is simulated in memory: every rule's real Lambda handler gets the events that AWS
Config would send, per account and Region, and its stored evaluations are read back through the Config API. With a
profile, the rules judge a real account, read-only; nothing is put.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from backup_rules.arns import Arn, Place
from backup_rules.aws.account import Account
from backup_rules.aws.calls import Calls
from backup_rules.aws.clients import CLIENT_CONFIG
from backup_rules.errors import BackupRulesError, InvalidEventError, InvalidRuleParametersError
from backup_rules.evaluation.invocation import Invocation
from backup_rules_cli.catalogue import RuleFolder, rule_folders
from backup_rules_cli.invoke import Evaluated
from backup_rules_cli.reports import Failure, Report, as_json, as_table

ALL_COMPLIANT, PROBLEMS_FOUND, NOT_JUDGED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns 0 all compliant, 1 problems found, 2 something could not be judged."""
    options = _options(arguments)
    try:
        folders = rule_folders(*options.rules)
        parameters = _parameters(options.parameter, folders)
    except (ValueError, InvalidRuleParametersError) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return NOT_JUDGED
    started = time.monotonic()
    progress = _Progress(sys.stderr, shown=not options.quiet)
    if options.profile or options.region:
        if not (options.profile and options.region):
            print("evaluate: name both, PROFILE=… and REGION=…, to judge a real account.", file=sys.stderr)
            return NOT_JUDGED
        report = _real(options.profile, options.region, folders, parameters, progress)
    else:
        report = _simulated(folders, parameters, options.accounts, progress)
    progress.done()
    if options.format == "json":
        print(as_json(report))
    else:
        print(as_table(report, seconds=time.monotonic() - started, everything=options.all))
    if report.failures:
        return NOT_JUDGED
    return PROBLEMS_FOUND if report.problems else ALL_COMPLIANT


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="evaluate", description="Judge an account by every rule of the pack.")
    parser.add_argument(
        "--profile", default="", help="profile of a real account (with --region); default: a simulation"
    )
    parser.add_argument("--region", default="", help="Region of the real account, such as eu-west-1")
    parser.add_argument("--rules", nargs="*", default=[], metavar="RULE", help="only these rules; default: all")
    parser.add_argument(
        "--parameter", action="append", default=[], metavar="Name=value", help="a rule parameter, for the rules it fits"
    )
    parser.add_argument("--accounts", type=int, default=0, help="grow the simulated organization to so many accounts")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--all", action="store_true", help="show COMPLIANT evaluations as well, not just their number")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    return parser.parse_args(arguments)


def _parameters(given: Iterable[str], folders: Sequence[RuleFolder]) -> dict[str, dict[str, str]]:
    """The given parameters by rule: each goes to all the rules that have it, and must fit one at least."""
    by_rule: dict[str, dict[str, str]] = {folder.name: {} for folder in folders}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--parameter {text!r} is not of the form Name=value.")
        takers = [folder.name for folder in folders if key in {*folder.defaults, *folder.optional}]
        if not takers:
            raise ValueError(f"No rule that is judged has a parameter {key!r}.")
        for name in takers:
            by_rule[name][key] = value
    for folder in folders:
        folder.rule().evaluate_parameters({**folder.defaults, **by_rule[folder.name]})
    return by_rule


def _simulated(
    folders: Sequence[RuleFolder], parameters: dict[str, dict[str, str]], accounts: int, progress: _Progress
) -> Report:
    """Every rule's handler, for every account and Region of the simulated organization."""
    # The simulator is needed for this only, and takes a second to import.
    from moto.utilities.utils import get_partition  # noqa: PLC0415

    from aws_simulator import config  # noqa: PLC0415
    from aws_simulator.simulation import simulated_aws  # noqa: PLC0415
    from demo_organization import seed  # noqa: PLC0415
    from demo_organization.accounts import ACCOUNTS  # noqa: PLC0415

    now = datetime.now(UTC).replace(microsecond=0)
    with simulated_aws():
        config.install(require_functions=False)
        progress.say("Making an organization in memory")
        organization = seed(now, max(0, accounts - len(ACCOUNTS)))
        central = next(each.id for each in organization.accounts if each.role == "delegated administrator")
        report = Report("a simulated organization", now, {each.id: each.name for each in organization.accounts})
        for number, account in enumerate(organization.accounts, 1):
            for region in account.regions:
                progress.say(f"{number} of {len(organization.accounts)} accounts: {account.name}, {region}")
                place = Place(get_partition(region), account.id, region)
                _judge_place(folders, parameters, place, central, now, report)
    return report


def _judge_place(  # noqa: PLR0913, PLR0917 - one account and Region, and what to judge it by
    folders: Sequence[RuleFolder],
    parameters: dict[str, dict[str, str]],
    place: Place,
    central: str,
    now: datetime,
    report: Report,
) -> None:
    from aws_simulator.accounts import account_session  # noqa: PLC0415
    from aws_simulator.config import result_token  # noqa: PLC0415
    from backup_rules_cli.invoke import Caller, invoke, put_rule, read_back  # noqa: PLC0415

    session = account_session(place.account, place.region)
    for folder in folders:
        put_rule(folder, session, central, place)
        token = result_token(place.account, place.region, folder.config_rule_name)
        caller = Caller(place, token, now)
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # the functions' log lines
                invoke(folder, caller, parameters[folder.name])
        except BackupRulesError as error:
            report.failures.append(Failure(folder.name, place.account, place.region, str(error)))
        report.evaluated += read_back(folder, session, place)


def _real(
    profile: str, region: str, folders: Sequence[RuleFolder], parameters: dict[str, dict[str, str]], progress: _Progress
) -> Report:
    """Every rule, for the account of the profile. Reads are shared between the rules; nothing is put."""
    now = datetime.now(UTC).replace(microsecond=0)
    report = Report(f"profile {profile}", now, {})
    try:
        place, calls = _real_account(profile, region)
    except (BackupRulesError, BotoCoreError, ClientError) as error:
        report.failures.append(Failure("(all)", "unknown", region, f"The account cannot be read: {error}"))
        return report
    account = Account(calls)
    for folder in folders:
        progress.say(folder.name)
        rule = folder.rule()
        given = rule.evaluate_parameters({**folder.defaults, **parameters[folder.name]})
        try:
            outcome = rule.judge(Invocation(account, given, now))
        except BackupRulesError as error:
            report.failures.append(Failure(folder.name, place.account, region, str(error)))
            continue
        for (resource_type, resource_id), failure in outcome.failures.items():
            report.failures.append(
                Failure(folder.name, place.account, region, f"{resource_type} {resource_id}: {failure}")
            )
        for gap in dict.fromkeys(map(str, (*outcome.gaps, *outcome.unread))):
            report.failures.append(Failure(folder.name, place.account, region, gap))
        for each in outcome.verdicts:
            report.evaluated.append(
                Evaluated(folder.name, place.account, region, *each.subject.key, each.compliance, each.annotation)
            )
    return report


class _SessionClients:
    """Clients of one boto3 session: a person's profile, with the retries of the rules."""

    def __init__(self, session: boto3.Session) -> None:
        self._session = session
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def build_client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(service, config=CLIENT_CONFIG)
            return self._clients[service]


def _real_account(profile: str, region: str) -> tuple[Place, Calls]:
    session = boto3.Session(profile_name=profile, region_name=region)
    clients = _SessionClients(session)
    caller = Arn.parse(str(clients.build_client("sts").get_caller_identity()["Arn"]))
    if caller is None:
        raise InvalidEventError("sts:GetCallerIdentity answered no ARN.")
    place = Place(caller.partition, caller.account, region)
    return place, Calls(place, clients)


class _Progress:
    """One line on the terminal that changes while the work goes on; nothing where there is no terminal."""

    def __init__(self, stream: TextIO, *, shown: bool) -> None:
        self._stream = stream
        self._shown = shown
        self._live = shown and stream.isatty()

    def say(self, text: str) -> None:
        if self._live:
            self._stream.write(f"\r\033[K{text[:98]} …")
        elif self._shown:
            self._stream.write(f"{text} …\n")
        self._stream.flush()

    def done(self) -> None:
        if self._live:
            self._stream.write("\r\033[K")
            self._stream.flush()


if __name__ == "__main__":
    sys.exit(main())
