"""The role of every backup selection may do what AWS Backup does under it for the resources that are assigned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from backup_rules.aws import backup, iam, resources
from backup_rules.aws.account import Account
from backup_rules.aws.iam import simulate
from backup_rules.aws.memory import remembered
from backup_rules.errors import ReadError, VanishedError
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject
from backup_rules.iam.duties import Assignment, duties, names_databases
from backup_rules.iam.permissions import Probe, SimulationResult, judge, probes_for, problems, requests_for
from backup_rules.iam.trust import RoleArn, parse_role_arn
from backup_rules.plans.plans import AUTOMATIC_EFS_PLAN_PREFIX
from backup_rules.resources.resource_types import RDS_INSTANCE
from backup_rules.selections.picking import SelectionSummary
from backup_rules.selections.words import called
from backup_rules.wording.annotations import name
from backup_rules.wording.findings import Finding, NotApplicable

SERVICE_LINKED_PATH = "/aws-service-role/backup.amazonaws.com/"

Probes = dict[SelectionSummary, tuple[Probe, ...]]


class BACKUP_ROLE_PERMISSIONS(BackupConfigRule[RuleParameters, SelectionSummary]):
    """Verdicts are about selections. IAM is asked once for each role, about all that its selections need."""

    def subjects(self, invocation: Invocation[RuleParameters]) -> Iterable[Subject[SelectionSummary]]:
        account, subjects = invocation.account, invocation.selections()
        account.side_by_side(_read, [subject.of for subject in subjects])
        roles = dict.fromkeys(_role(subject.of, account) for subject in subjects)
        account.side_by_side(lambda _, role: _simulated(role, invocation), [each for each in roles if each is not None])
        return subjects

    def findings(self, subject: Subject[SelectionSummary], invocation: Invocation[RuleParameters]) -> Iterator[Finding]:
        summary = subject.of
        role = _role(summary, invocation.account)
        if role is None:
            yield NotApplicable(
                f"{name(summary.role_arn) or 'Nothing'} is no role of account {invocation.account.place.account}, so"
                " there are no permissions to judge: see BACKUP_ROLE_ASSUMABLE."
            )
            return
        if summary.plan_id.startswith(AUTOMATIC_EFS_PLAN_PREFIX) and role.path == SERVICE_LINKED_PATH:
            yield NotApplicable(f"Role {role.name} is AWS Backup's own: AWS keeps its permissions.")
            return
        _read(invocation.account, summary)
        results = _simulated(role, invocation)
        if results is None:
            yield NotApplicable(
                f"Role {name(str(role))} of {called(summary)} does not exist, so there are no permissions to judge: see"
                " BACKUP_ROLE_ASSUMABLE."
            )
            return
        with invocation.account.calls.reading("iam", "SimulatePrincipalPolicy", str(role)):
            denials = judge(_probes(invocation)[summary], results)
        yield from problems(role.name, summary, denials)


def _role(summary: SelectionSummary, account: Account) -> RoleArn | None:
    """The selection's role, if it is one of this account."""
    role = parse_role_arn(summary.role_arn)
    return role if role is not None and role.is_in(account.place) else None


def _read(account: Account, summary: SelectionSummary) -> Assignment:
    """The selection and its plan.

    Raises:
        ReadError, VanishedError: when either cannot be read, or is there no more.
    """
    return Assignment(backup.plan_of(account, summary), backup.selection(account, summary))


def _readable(invocation: Invocation[RuleParameters]) -> Iterator[Assignment]:
    """The judged selections but for those that cannot be read: each of them fails by itself."""
    for subject in invocation.selections():
        try:
            yield _read(invocation.account, subject.of)
        except (ReadError, VanishedError):
            continue


@remembered
def _probes(invocation: Invocation[RuleParameters]) -> Probes:
    """What to ask for each selection."""
    account, place = invocation.account, invocation.account.place
    assignments = tuple(_readable(invocation))
    databases = any(names_databases(each.selection) for each in assignments)
    work = duties(assignments, resources.could_be_picked(account, [RDS_INSTANCE] if databases else ()), place)
    return {summary: probes_for(each, place) for summary, each in work.items()}


def _simulated(role: RoleArn, invocation: Invocation[RuleParameters]) -> tuple[SimulationResult, ...] | None:
    """IAM's answers about the role, to all that its selections need; None when there is no such role."""
    found = iam.role(invocation.account, role.name)
    if found is None or found.arn != str(role):
        return None
    asked = [probe for summary, each in _probes(invocation).items() if summary.role_arn == str(role) for probe in each]
    return simulate(invocation.account, str(role), requests_for(asked, invocation.account.place))


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_ROLE_PERMISSIONS()).handle(event, context)
