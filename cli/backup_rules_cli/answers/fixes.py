"""Commands that settle what a rule found, filled in with the values of the account: `fix.py` beside the rule.

A rule's `fix.py` has one function, `commands(broken)`, which gives lines for a shell. What it needs beside the verdict
it reads as the rule did; what cannot be read makes no command. Where nothing can be written down, there is none.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backup_rules.arns import Place
from backup_rules.aws import backup, iam
from backup_rules.aws.account import Account
from backup_rules.aws.memory import gaps_noticed
from backup_rules.errors import BackupRulesError
from backup_rules.evaluation.subjects import Verdict
from backup_rules.iam.trust import parse_role_arn, trust
from backup_rules.plans.plans import ORGANIZATION_PLAN_PREFIX, Plan, PlanSummary
from backup_rules.resources.resource_types import Resource
from backup_rules.selections.near_misses import white_space_at_ends
from backup_rules.selections.picking import Selection, SelectionSummary
from backup_rules_cli.answers.judging import JudgedAccount
from backup_rules_cli.answers.picks import Missed, Pick, missed, picks
from backup_rules_cli.catalogue import RuleFolder


@dataclass(frozen=True)
class Broken:
    """What a rule found NON_COMPLIANT, for its `fix.py`. `of` is the thing itself: a plan, a selection, …"""

    verdict: Verdict
    judged: JudgedAccount

    @property
    def of(self) -> Any:
        return self.verdict.subject.of

    @property
    def account(self) -> Account:
        return self.judged.account

    @property
    def place(self) -> Place:
        return self.judged.place

    @property
    def now(self) -> datetime:
        return self.judged.now

    def plan(self) -> Plan | None:
        """The plan that the verdict is about, or that of its selection.

        Raises:
            BackupRulesError: it cannot be read.
        """
        if isinstance(self.of, PlanSummary):
            return backup.plan(self.account, self.of)
        return backup.plan_of(self.account, self.of) if isinstance(self.of, SelectionSummary) else None

    def selection(self) -> Selection | None:
        """The selection that the verdict is about.

        Raises:
            BackupRulesError: it cannot be read.
        """
        return backup.selection(self.account, self.of) if isinstance(self.of, SelectionSummary) else None

    def picked(self) -> tuple[Pick, ...]:
        """What the selection picks.

        Raises:
            BackupRulesError: it cannot be read.
        """
        return picks(self.account).get(self.of, ()) if isinstance(self.of, SelectionSummary) else ()


def aws(service: str, operation: str, *, region: str | None = None, **options: str | Iterable[str]) -> str:
    """A command of the AWS CLI. Values are quoted for the shell; `_` in an option's name stands for `-`."""
    words = ["aws", service, operation]
    given: dict[str, str | Iterable[str]] = ({"region": region} if region else {}) | options
    for name, value in given.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, str):
            # What begins with a dash would be taken for an option.
            words += [f"{option}={shlex.quote(value)}"] if value.startswith("-") else [option, shlex.quote(value)]
        else:
            words += [option, *map(shlex.quote, value)]
    return " ".join(words)


_ALLOW_BACKUP = {"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"}, "Action": "sts:AssumeRole"}
BACKUP_TRUST = {"Version": "2012-10-17", "Statement": [_ALLOW_BACKUP]}
"""A trust policy that lets AWS Backup assume a role."""


def managed_policy(partition: str, name: str) -> str:
    """The ARN of one of AWS's managed policies."""
    return f"arn:{partition}:iam::aws:policy/{name}"


FOR_BACKUP = "service-role/AWSBackupServiceRolePolicyForBackup"
FOR_S3 = "AWSBackupServiceRolePolicyForS3Backup"


def edit_plan(plan: PlanSummary, region: str) -> Iterator[str]:
    """How a plan is changed. One that a backup policy made is changed in the policy."""
    if plan.from_organization:
        yield from policy_in_effect()
        return
    yield aws("backup", "get-backup-plan", region=region, backup_plan_id=plan.id, query="BackupPlan") + " > plan.json"
    yield "# correct plan.json, and take out each RuleId, which AWS Backup gives and does not take; then:"
    yield aws("backup", "update-backup-plan", region=region, backup_plan_id=plan.id, backup_plan="file://plan.json")


def policy_in_effect() -> Iterator[str]:
    """What shows the backup policy that the account has."""
    yield aws("organizations", "describe-effective-policy", policy_type="BACKUP_POLICY")


def create_vault(name: str, region: str) -> str:
    """What makes a vault."""
    return aws("backup", "create-backup-vault", region=region, backup_vault_name=name)


def trusted_role(role_arn: str, account: Account) -> Iterator[str]:
    """What makes the role one that AWS Backup can assume, where it is of this account."""
    parsed = parse_role_arn(role_arn)
    if parsed is None or not parsed.is_in(account.place):
        return
    name, found = parsed.name, iam.role(account, parsed.name)
    if found is None:
        yield aws("iam", "create-role", role_name=name, assume_role_policy_document=json.dumps(BACKUP_TRUST))
        arn = managed_policy(account.place.partition, FOR_BACKUP)
        yield aws("iam", "attach-role-policy", role_name=name, policy_arn=arn)
        return
    policy = _with_backup(found.trust_policy, account.place)
    if policy is None:
        yield aws("iam", "get-role", role_name=name, query="Role.AssumeRolePolicyDocument") + " > trust.json"
        yield "# correct trust.json; then:"
    given = "file://trust.json" if policy is None else json.dumps(policy)
    yield aws("iam", "update-assume-role-policy", role_name=name, policy_document=given)


def _with_backup(policy: Mapping[str, Any] | str, place: Place) -> dict[str, Any] | None:
    """The trust policy, which lets AWS Backup assume the role as well; None where more has to be changed for that."""
    if isinstance(policy, str):
        return None
    stated = policy.get("Statement", [])
    both = {**policy, "Statement": [*(stated if isinstance(stated, list) else [stated]), _ALLOW_BACKUP]}
    return both if trust(both, place).allowed else None


def remade(broken: Broken) -> Iterator[str]:
    """How a selection is changed: none can be edited. One that a backup policy made is changed in the policy."""
    selection, region = broken.of, broken.place.region
    if not isinstance(selection, SelectionSummary):
        return
    if selection.plan_id.startswith(ORGANIZATION_PLAN_PREFIX):
        yield from policy_in_effect()
        return
    old = {"region": region, "backup_plan_id": selection.plan_id, "selection_id": selection.id}
    yield aws("backup", "get-backup-selection", **old, query="BackupSelection") + " > selection.json"
    yield "# correct selection.json; AWS Backup edits none, so it is made anew:"
    new = {"region": region, "backup_plan_id": selection.plan_id, "backup_selection": "file://selection.json"}
    yield aws("backup", "create-backup-selection", **new)
    yield aws("backup", "delete-backup-selection", **old)


_ARNS_A_CALL = 20
"""https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_TagResources.html"""


def retag(broken: Broken, rule: str) -> Iterator[str]:
    """What gives the resources that the verdict is about the tag that they narrowly miss by that rule."""
    of = broken.of
    near = (
        each
        for each in missed(broken.judged)
        if each.rule == rule and (each.selection == of or (isinstance(of, Resource) and each.resource.arn == of.arn))
    )
    return retagging(near, broken.place)


def retagging(near: Iterable[Missed], place: Place) -> Iterator[str]:
    """What gives the resources the wanted tag, and takes the near one away.

    A pattern has no value to give, and a tag that the selection itself misspells is corrected there.
    """
    groups: dict[tuple[str, str, str], list[str]] = {}
    for each in near:
        wanted = each.miss.wanted
        at_ends = white_space_at_ends(wanted.key) or white_space_at_ends(wanted.value)
        if not (at_ends or (wanted.is_pattern and "*" in wanted.value)):
            groups.setdefault((wanted.key, wanted.value, each.miss.key), []).append(each.resource.arn)
    for (key, value, found), arns in groups.items():
        given: dict[str, Any] = {"region": place.region, "resource_arn_list": list(dict.fromkeys(arns))[:_ARNS_A_CALL]}
        yield aws("resourcegroupstaggingapi", "tag-resources", **given, tags=json.dumps({key: value}))
        if found != key:
            yield aws("resourcegroupstaggingapi", "untag-resources", **given, tag_keys=json.dumps([found]))


def commands(judged: JudgedAccount, folder: RuleFolder, verdict: Verdict) -> tuple[str, ...]:
    """The commands that settle the verdict; none where the rule has no `fix.py`, or what it needs cannot be read."""
    module = folder.beside("fix")
    if module is None:
        return ()
    try:
        with gaps_noticed():
            return tuple(module.commands(Broken(verdict, judged)))
    except BackupRulesError:
        return ()
