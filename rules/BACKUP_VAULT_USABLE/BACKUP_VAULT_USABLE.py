"""The vaults of a backup plan exist, are available, have an enabled key, and admit what the plan stores in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from backup_rules.aws.account import Account
from backup_rules.aws.vaults import vault_facts, vaults
from backup_rules.errors import ReadError
from backup_rules.evaluation.evaluation import Run
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject
from backup_rules.plans.plans import Plan, PlanSummary
from backup_rules.vaults.vaults import VaultFacts, VaultProblem, vault_problems, vault_uses
from backup_rules.wording.annotations import name
from backup_rules.wording.findings import Finding, NotApplicable, Problem


class BACKUP_VAULT_USABLE(BackupConfigRule[RuleParameters, PlanSummary]):
    """Verdicts are about plans. The vaults of organization policies are the matter of rules of their own."""

    def subjects(self, run: Run[RuleParameters]) -> Iterable[Subject[PlanSummary]]:
        plans = run.plans()
        local = [subject.of for subject in plans if not subject.of.from_organization]
        if local:
            vaults(run.account)
        run.account.side_by_side(lambda plan: _facts(run.account, run.account.plan(plan)), local)
        return plans

    def findings(self, subject: Subject[PlanSummary], run: Run[RuleParameters]) -> Iterator[Finding]:
        if subject.of.from_organization:
            yield NotApplicable(
                f"Plan {name(subject.of.name)} comes from an Organizations backup policy, whose vaults"
                " BACKUP_POLICY_VAULT_EXISTS and BACKUP_POLICY_VAULT_NAME_CASE look at."
            )
            return
        plan = run.account.plan(subject.of)
        for problem in _problems(run.account, plan):
            finding = problem.finding[:1].lower() + problem.finding[1:]
            yield Problem(f"Plan {name(plan.name)}: {finding}", problem.remedy)


def _facts(account: Account, plan: Plan) -> Mapping[str, VaultFacts]:
    """All vaults of the Region; of those that the plan uses, also what is read beside them."""
    existing = vaults(account)
    used = {use.name for rule in plan.rules for use in vault_uses(rule, account.place)}
    return {
        name: vault_facts(account, vault) if name in used else VaultFacts(vault) for name, vault in existing.items()
    }


def _problems(account: Account, plan: Plan) -> list[VaultProblem]:
    facts = _facts(account, plan)
    try:
        return [problem for rule in plan.rules for problem in vault_problems(rule, account.place, facts)]
    except ValueError as error:
        raise ReadError(
            f"backup:GetBackupVaultAccessPolicy in account {account.place.account}, {account.place.region} answered"
            f" something that cannot be read: {error}",
            "MalformedAnswer",
        ) from error


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_VAULT_USABLE()).handle(event, context)
