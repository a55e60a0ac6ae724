"""The vaults of a backup plan exist, are available, have an enabled key, and admit what the plan stores in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from backup_rules.arns import Arn
from backup_rules.aws import backup, config, kms, resources
from backup_rules.aws.account import Account
from backup_rules.aws.memory import gaps_noticed, note_gap, remembered
from backup_rules.errors import ReadError
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject
from backup_rules.plans.plans import Plan, PlanSummary
from backup_rules.resources.resource_types import S3
from backup_rules.selections.untagged import types_without_tags
from backup_rules.vaults.shared_buckets import Clash, clash_problem, clashes, may_clash
from backup_rules.vaults.vaults import VaultFacts, VaultProblem, VaultProblemKind, vault_problems, vault_uses
from backup_rules.wording.annotations import name
from backup_rules.wording.findings import Finding, NotApplicable, Note, Problem
from backup_rules.wording.quoting import quote


class BACKUP_VAULT_USABLE(BackupConfigRule[RuleParameters, PlanSummary]):
    """Verdicts are about plans. The vaults of organization policies are the matter of rules of their own."""

    def subjects(self, invocation: Invocation[RuleParameters]) -> Iterable[Subject[PlanSummary]]:
        plans = invocation.plans()
        local = [subject.of for subject in plans if not subject.of.from_organization]
        if local:
            backup.vaults(invocation.account)
        invocation.account.side_by_side(_read, local)
        return plans

    def findings(self, subject: Subject[PlanSummary], invocation: Invocation[RuleParameters]) -> Iterator[Finding]:
        if subject.of.from_organization:
            yield NotApplicable(
                f"Plan {name(subject.of.name)} comes from an Organizations backup policy, whose vaults"
                " BACKUP_POLICY_VAULT_EXISTS and BACKUP_POLICY_VAULT_NAME_CASE look at."
            )
            return
        plan = backup.plan(invocation.account, subject.of)
        for problem in _problems(invocation.account, plan):
            finding = problem.finding[:1].lower() + problem.finding[1:]
            missing = problem.kind in {VaultProblemKind.MISSING, VaultProblemKind.OTHER_CASE}
            yield Problem(f"Plan {name(plan.name)}: {finding}", problem.remedy, rests_on_absence=missing)
        for withheld in _withheld_keys(invocation.account, plan):
            yield Note(
                f"The KMS key of vault {quote(withheld)} is of another account, which does not let it be described:"
                " that it is enabled is not known here."
            )
        if invocation.only is None:
            yield from (clash_problem(clash) for clash in _clashes(invocation).get(plan.id, ()))


def _read(account: Account, plan: PlanSummary) -> None:
    _facts(account, backup.plan(account, plan))


def _facts(account: Account, plan: Plan) -> Mapping[str, VaultFacts]:
    """All vaults of the Region; of those that the plan uses, also what is read beside them."""
    with gaps_noticed() as gaps:
        existing = backup.vaults(account)
    used = {use.name for rule in plan.rules for use in vault_uses(rule, account.place)}
    for gap in () if used <= existing.keys() else gaps.values():  # one that is missing may be there all the same
        note_gap(gap)
    return {
        name: _vault_facts(account, name) if name in used else VaultFacts(vault) for name, vault in existing.items()
    }


def _problems(account: Account, plan: Plan) -> list[VaultProblem]:
    facts = _facts(account, plan)
    with account.calls.reading("backup", "GetBackupVaultAccessPolicy", f"the vaults of plan {plan.name}"):
        return [problem for rule in plan.rules for problem in vault_problems(rule, account.place, facts)]


def _withheld_keys(account: Account, plan: Plan) -> list[str]:
    return sorted(vault_name for vault_name, facts in _facts(account, plan).items() if facts.key_withheld)


@remembered
def _clashes(invocation: Invocation[RuleParameters]) -> dict[str, tuple[Clash, ...]]:
    """The rules that share buckets and not vaults, by plan; of buckets, the tagged and the recorded ones are known."""
    account = invocation.account
    with gaps_noticed() as gaps:
        plans = backup.plans(account, backup.plan_summaries(account))
    if not may_clash(plans):
        return {}
    for gap in gaps.values():
        note_gap(gap)
    selections = backup.all_selections(account)
    buckets = {each.arn: each for each in resources.tagged_buckets(account)}
    if any(S3 in types_without_tags(each, account.place) for each in selections):
        buckets |= {each.arn: each for each in config.recorded(account, S3) if each.arn not in buckets}
    return clashes({plan.id: plan for plan in plans}, selections, buckets.values(), account.place)


@remembered
def _vault_facts(account: Account, name: str) -> VaultFacts:
    """The vault described, with its key's state and its access policy.

    Raises:
        ReadError: the key or the policy cannot be read. It concerns this vault alone.
    """
    described = backup.described_vault(account, name)
    key_arn, policy = described.encryption_key_arn, backup.vault_access_policy(account, name)
    if key_arn is None:
        return VaultFacts(described, access_policy=policy)
    try:
        return VaultFacts(described, kms.key_state(account, key_arn), policy)
    except ReadError as error:
        key = Arn.parse(key_arn)
        if "AccessDenied" in error.code and key is not None and key.account != account.place.account:
            return VaultFacts(described, access_policy=policy, key_withheld=True)
        raise


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_VAULT_USABLE()).handle(event, context)
