"""The accounts and Regions that are to be judged: of profiles, or of an organization under a role in each account."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

import boto3
import botocore.session
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import Loader

from backup_rules.arns import Arn, Place
from backup_rules.aws.clients import CLIENT_CONFIG
from backup_rules_cli.errors import CommandError
from backup_rules_cli.places import check_regions, in_words, partition_of, regions_of, session_of
from backup_rules_cli.reports import Failure

ALL = "all"
SIDE_BY_SIDE = 8
"""Accounts and Regions that are read at the same time. AWS counts calls for each of them apart."""

_ACCOUNT_ID = re.compile(r"\d{12}")
_SESSION_NAME = "backup-rules"
# What a Region that is turned off for the account says to any call.
_TURNED_OFF = frozenset({"UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"})

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True)
class Wanted:
    """What a person asked for. `accounts` are ids, or `all` of the organization; none: those of the profiles."""

    profiles: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    role: str = ""

    def __post_init__(self) -> None:
        for account in self.accounts:
            if account != ALL and not _ACCOUNT_ID.fullmatch(account):
                raise CommandError(f"--accounts is {account!r}; allowed are ids of 12 digits, or {ALL}.")
        if self.accounts and not self.role:
            raise CommandError(
                "--accounts needs --role, the name of a role to read each account with, such as"
                " --role OrganizationAccountAccessRole."
            )
        if self.role and not self.accounts:
            raise CommandError(f"--role needs --accounts: ids, or {ALL} for the whole organization.")
        check_regions([region for region in self.regions if region != ALL])


@dataclass(frozen=True)
class Target:
    """One account in one Region, and a session in it."""

    place: Place
    session: boto3.Session


@dataclass
class Targets:
    """What was found: the targets in order, names of accounts by id, and what cannot be read."""

    found: list[Target] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


class SessionClients:
    """Clients of one boto3 session: a person's profile, with the retries of the rules."""

    def __init__(self, session: boto3.Session) -> None:
        self._session = session
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def build_client(self, service: str) -> Any:
        """The client of a service, made once."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(service, config=CLIENT_CONFIG)
            return self._clients[service]


@dataclass(frozen=True)
class _Entry:
    """An account, before its Regions are known. `session_in` gives a session in a Region."""

    account: str
    partition: str
    regions: tuple[str, ...]
    session_in: Callable[[str], boto3.Session]


def targets(wanted: Wanted) -> Targets:
    """Every account and Region that is wanted; one that cannot be entered is told, and does not end the others.

    Raises:
        CommandError: none can be entered, and there is only one thing to say.
    """
    made = Targets()
    entries: list[_Entry] = []
    for profile in wanted.profiles or ("",):
        entries += _entries_of(profile, wanted, made)
    entries = list({(each.partition, each.account, each.regions): each for each in entries}.values())
    for entry, found in zip(entries, side_by_side(_targets_of, entries), strict=True):
        if isinstance(found, CommandError):
            made.failures.append(Failure("(all)", entry.account, ", ".join(entry.regions), str(found)))
            continue
        made.found += [each for each in found if isinstance(each, Target)]
        made.failures += [each for each in found if isinstance(each, Failure)]
    if not made.found and len(made.failures) == 1:
        raise CommandError(made.failures[0].error)
    return made


def side_by_side(work: Callable[[S], T], subjects: Iterable[S], at_once: int = SIDE_BY_SIDE) -> list[T | CommandError]:
    """What becomes of each subject, in order; a CommandError stands for itself."""

    def done(subject: S) -> T | CommandError:
        try:
            return work(subject)
        except CommandError as error:
            return error

    pool = ThreadPoolExecutor(at_once)
    waiting = True
    try:
        return list(pool.map(done, subjects))
    except KeyboardInterrupt:
        waiting = False  # what has begun ends with the program: see `main.run`
        raise
    finally:
        pool.shutdown(wait=waiting, cancel_futures=True)


def _entries_of(profile: str, wanted: Wanted, made: Targets) -> list[_Entry]:
    """The accounts of one profile."""
    whose = f"of profile {profile}" if profile else "of the environment"
    regions = wanted.regions
    try:
        start = _first_region(profile, regions)
        own = _caller(session_of(profile, start), f"The account {whose}", start)
        entry = _Entry(own.account, own.partition, regions or (start,), lambda region: _session(profile, region))
        if not wanted.accounts:
            return [entry]
        accounts = [each for each in wanted.accounts if each != ALL]
        if ALL in wanted.accounts:
            members = _members(session_of(profile, start), whose)
            made.names |= members
            accounts = list(dict.fromkeys((*accounts, *members)))
    except CommandError as error:
        made.failures.append(Failure("(all)", profile or "environment", ", ".join(regions), str(error)))
        return []
    return [
        entry
        if account == own.account
        else _Entry(account, own.partition, entry.regions, _assuming(profile, own, account, wanted.role))
        for account in accounts
    ]


def _first_region(profile: str, regions: Sequence[str]) -> str:
    """A Region to begin in: the first that is named, else the profile's own."""
    named = [region for region in regions if region != ALL]
    if named or ALL not in regions:
        return regions_of(profile, named)[0]
    return session_of(profile).region_name or "us-east-1"


def _caller(session: boto3.Session, who: str, region: str) -> Place:
    try:
        answer = session.client("sts", config=CLIENT_CONFIG).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise CommandError(f"{who} cannot be read in {region}: {in_words(error)}") from None
    caller = Arn.parse(str(answer["Arn"]))
    if caller is None:
        raise CommandError(f"sts:GetCallerIdentity answered {answer['Arn']!r}, which is no ARN.")
    return Place(caller.partition, caller.account, region)


def _members(session: boto3.Session, whose: str) -> dict[str, str]:
    """The active accounts of the organization by id, with their names."""
    try:
        pages = session.client("organizations", config=CLIENT_CONFIG).get_paginator("list_accounts").paginate()
        return {
            str(each["Id"]): str(each["Name"])
            for page in pages
            for each in page["Accounts"]
            if each.get("Status") == "ACTIVE"
        }
    except (BotoCoreError, ClientError) as error:
        raise CommandError(
            f"The accounts of the organization cannot be listed by the account {whose}: {in_words(error)} It must be"
            " the management account or a delegated administrator, with organizations:ListAccounts."
        ) from None


def _assuming(profile: str, own: Place, account: str, role: str) -> Callable[[str], boto3.Session]:
    """Sessions under the role in the account."""
    arn = f"arn:{own.partition}:iam::{account}:role/{role}"

    @cache
    def credentials() -> dict[str, str]:
        sts = _session(profile, own.region).client("sts", config=CLIENT_CONFIG)
        try:
            made = sts.assume_role(RoleArn=arn, RoleSessionName=_SESSION_NAME)["Credentials"]
        except (BotoCoreError, ClientError) as error:
            raise CommandError(
                f"Role {arn} cannot be assumed: {in_words(error)} It must exist there and trust account {own.account},"
                " and the caller needs sts:AssumeRole."
            ) from None
        return {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
            "aws_session_token": made["SessionToken"],
        }

    return lambda region: _session(profile, region, **credentials())


def _session(profile: str, region: str, **credentials: str) -> boto3.Session:
    """A session of its own, for one thread; the service models, slow to read, are those of all.

    Under other credentials, too, the profile's settings hold: its endpoints, proxies and certificates.
    """
    base = botocore.session.Session(profile=profile or None)
    base.register_component("data_loader", _loader())
    return boto3.Session(botocore_session=base, region_name=region, **credentials)


@cache
def _loader() -> Loader:
    return botocore.session.Session().get_component("data_loader")


def _targets_of(entry: _Entry) -> list[Target | Failure]:
    """The account in each of its Regions, or why it cannot be entered there."""
    named = [region for region in entry.regions if region != ALL]
    sessions = {region: entry.session_in(region) for region in named}  # a role that cannot be assumed is told once
    found: list[Target | Failure] = []
    for region, whose in zip(named, side_by_side(lambda each: _caller(sessions[each], "It", each), named), strict=True):
        if isinstance(whose, CommandError):
            found.append(Failure("(all)", entry.account, region, str(whose)))
        else:
            found.append(Target(whose, sessions[region]))
    if ALL in entry.regions:
        found += [each for each in _with_plans(entry) if isinstance(each, Failure) or each.place.region not in named]
    return found


def _with_plans(entry: _Entry) -> list[Target | Failure]:
    """The account in the Regions in which there are backup plans; those that are turned off have none."""
    known = boto3.Session().get_available_regions("backup", partition_name=entry.partition)
    sessions = {region: entry.session_in(region) for region in known if partition_of(region) == entry.partition}

    def has_plans(region: str) -> bool:
        client = sessions[region].client("backup", config=CLIENT_CONFIG)
        try:
            return bool(client.list_backup_plans(MaxResults=1)["BackupPlansList"])
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in _TURNED_OFF:
                return False
            raise CommandError(f"Plans cannot be listed: {in_words(error)}") from None

    found: list[Target | Failure] = []
    for region, there in zip(sessions, side_by_side(has_plans, sessions), strict=True):
        if isinstance(there, CommandError):
            found.append(Failure("(all)", entry.account, region, str(there)))
        elif there:
            found.append(Target(Place(entry.partition, entry.account, region), sessions[region]))
    return found
