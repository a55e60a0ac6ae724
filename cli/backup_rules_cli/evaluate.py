"""What the pack says about an account, in the words of the AWS Config console.

The demo organization is simulated in memory: every rule's real Lambda handler gets the events that AWS Config would
send, per account and Region, and its stored evaluations are read back through the Config API. A real account is judged
by the same rules, read-only; nothing is put.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from backup_rules.arns import Arn, Place
from backup_rules.aws.account import Account
from backup_rules.aws.calls import Calls
from backup_rules.aws.clients import CLIENT_CONFIG
from backup_rules.errors import BackupRulesError
from backup_rules.evaluation.invocation import Invocation
from backup_rules_cli.catalogue import RuleFolder
from backup_rules_cli.console import progress
from backup_rules_cli.errors import CommandError
from backup_rules_cli.invoke import Evaluated
from backup_rules_cli.places import in_words, regions_of, session_of
from backup_rules_cli.reports import Failure, Report

Parameters = Mapping[str, Mapping[str, str]]
"""What a person gave, by rule and name."""


def evaluate_demo(folders: Sequence[RuleFolder], parameters: Parameters, accounts: int = 0, *, quiet: bool) -> Report:
    """Every rule's handler, for every account and Region of the simulated organization."""
    # The simulator is needed for this only, and takes a second to import.
    from moto.utilities.utils import get_partition  # noqa: PLC0415

    from aws_simulator.core import config  # noqa: PLC0415
    from aws_simulator.simulation import simulated_aws  # noqa: PLC0415
    from demo_organization import seed  # noqa: PLC0415
    from demo_organization.accounts import ACCOUNTS  # noqa: PLC0415

    now = datetime.now(UTC).replace(microsecond=0)
    more = max(0, accounts - len(ACCOUNTS))
    with simulated_aws(), progress(more + len(ACCOUNTS) + 1, shown=not quiet) as step:
        config.install(require_functions=False)
        step("making an organization in memory")
        organization = seed(now, more)
        central = next(each.id for each in organization.accounts if each.role == "delegated administrator")
        report = Report("a simulated organization", now, {each.id: each.name for each in organization.accounts})
        for account in organization.accounts:
            step(account.name)
            for region in account.regions:
                place = Place(get_partition(region), account.id, region)
                _judge_place(folders, parameters, place, central, now, report)
    return report


def _judge_place(  # noqa: PLR0913, PLR0917 - one account and Region, and what to judge it by
    folders: Sequence[RuleFolder],
    parameters: Parameters,
    place: Place,
    central: str,
    now: datetime,
    report: Report,
) -> None:
    from aws_simulator.core.accounts import account_session  # noqa: PLC0415
    from aws_simulator.core.config import result_token  # noqa: PLC0415
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


def evaluate_account(
    profile: str, regions: Sequence[str], folders: Sequence[RuleFolder], parameters: Parameters, *, quiet: bool
) -> Report:
    """Every rule, for the account of the profile in each Region. Reads are shared between the rules; nothing is put.

    Raises:
        CommandError: the account cannot be read at all.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    report = Report(f"profile {profile}" if profile else "the environment's account", now, {})
    chosen = regions_of(profile, regions)
    with progress(len(chosen) * len(folders), shown=not quiet) as step:
        for region in chosen:
            place, calls = _real_place(profile, region)
            _judge_real(place, calls, folders, parameters, report, step)
    return report


def _judge_real(  # noqa: PLR0913, PLR0917 - one account and Region, and what to judge it by
    place: Place,
    calls: Calls,
    folders: Sequence[RuleFolder],
    parameters: Parameters,
    report: Report,
    step: Callable[[str], None],
) -> None:
    account = Account(calls)
    region = place.region
    for folder in folders:
        step(f"{region}: {folder.name}")
        rule = folder.rule()
        given = rule.evaluate_parameters({**folder.defaults, **parameters[folder.name]})
        try:
            outcome = rule.judge(Invocation(account, given, report.now))
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


def _real_place(profile: str, region: str) -> tuple[Place, Calls]:
    clients = _SessionClients(session_of(profile, region))
    try:
        answer = clients.build_client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        whose = f"of profile {profile}" if profile else "of the environment"
        raise CommandError(f"The account {whose} cannot be read in {region}: {in_words(error)}") from None
    caller = Arn.parse(str(answer["Arn"]))
    if caller is None:
        raise CommandError(f"sts:GetCallerIdentity answered {answer['Arn']!r}, which is no ARN.")
    place = Place(caller.partition, caller.account, region)
    return place, Calls(place, clients)
