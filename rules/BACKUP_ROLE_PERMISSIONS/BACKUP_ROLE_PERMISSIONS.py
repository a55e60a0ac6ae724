"""The role of every backup selection may do what AWS Backup does under it for the resources that are assigned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from backup_rules.aws.account import Account
from backup_rules.aws.simulation import simulate
from backup_rules.errors import ReadError, VanishedError
from backup_rules.evaluation.evaluation import Run
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject
from backup_rules.iam.duties import Assignment, duties, names_databases
from backup_rules.iam.permissions import Probe, SimulationResult, judge, probes_for, problems, requests_for
from backup_rules.iam.trust import RoleArn, parse_role_arn
from backup_rules.plans.plans import AUTOMATIC_EFS_PLAN_PREFIX
from backup_rules.resources.resource_types import Resource
from backup_rules.selections.picking import Selection, SelectionSummary
from backup_rules.selections.words import called
from backup_rules.wording.annotations import name
from backup_rules.wording.findings import Finding, NotApplicable, Problem

SERVICE_LINKED_PATH = "/aws-service-role/backup.amazonaws.com/"

Probes = dict[SelectionSummary, tuple[Probe, ...]]


class BACKUP_ROLE_PERMISSIONS(BackupConfigRule[RuleParameters, SelectionSummary]):
    """Verdicts are about selections. IAM is asked once for each role, about all that its selections need."""

    def subjects(self, run: Run[RuleParameters]) -> Iterable[Subject[SelectionSummary]]:
        account, subjects = run.account, run.selections()
        account.side_by_side(lambda each: _read(each, account), [subject.of for subject in subjects])
        roles = dict.fromkeys(_role(subject.of, account) for subject in subjects)
        account.side_by_side(lambda role: _simulated(role, run), [role for role in roles if role is not None])
        return subjects

    def findings(self, subject: Subject[SelectionSummary], run: Run[RuleParameters]) -> Iterator[Finding]:
        summary = subject.of
        role = _role(summary, run.account)
        if role is None:
            yield NotApplicable(
                f"{name(summary.role_arn) or 'Nothing'} is no role of account {run.account.place.account}, so there are"
                " no permissions to judge: see BACKUP_ROLE_ASSUMABLE."
            )
            return
        if summary.plan_id.startswith(AUTOMATIC_EFS_PLAN_PREFIX) and role.path == SERVICE_LINKED_PATH:
            yield NotApplicable(f"Role {role.name} is AWS Backup's own: AWS keeps its permissions.")
            return
        _read(summary, run.account)
        results = _simulated(role, run)
        if results is None:
            yield NotApplicable(
                f"Role {name(str(role))} of {called(summary)} does not exist, so there are no permissions to judge: see"
                " BACKUP_ROLE_ASSUMABLE."
            )
            return
        yield from _problems(role, summary, _probes(run)[summary], results)


def _role(summary: SelectionSummary, account: Account) -> RoleArn | None:
    """The selection's role, if it is one of this account."""
    role = parse_role_arn(summary.role_arn)
    return role if role is not None and role.is_in(account.place) else None


def _read(summary: SelectionSummary, account: Account) -> Assignment:
    """The selection and its plan.

    Raises:
        ReadError, VanishedError: when either cannot be read, or is there no more.
    """
    (plan,) = (plan for plan in account.plan_summaries() if plan.id == summary.plan_id)
    return Assignment(account.plan(plan), account.selection(summary))


def _readable(run: Run[RuleParameters]) -> Iterator[Assignment]:
    """The judged selections but for those that cannot be read: each of them fails by itself."""
    for subject in run.selections():
        try:
            yield _read(subject.of, run.account)
        except (ReadError, VanishedError):
            continue


def _probes(run: Run[RuleParameters]) -> Probes:
    """What to ask for each selection."""
    place = run.account.place

    def work_out() -> Probes:
        assignments = tuple(_readable(run))
        candidates = _candidates((each.selection for each in assignments), run.account)
        work = duties(assignments, candidates, place)
        return {summary: probes_for(each, place) for summary, each in work.items()}

    return run.account.once("probes", work_out)


def _candidates(selections: Iterable[Selection], account: Account) -> Iterable[Resource]:
    """What can be listed: tagged resources, and where databases are named, those without tags too."""
    found = {resource.arn: resource for resource in account.tagged_resources()}
    if any(names_databases(selection) for selection in selections):
        found |= {database.resource.arn: database.resource for database in account.databases()}
    return found.values()


def _simulated(role: RoleArn, run: Run[RuleParameters]) -> tuple[SimulationResult, ...] | None:
    """IAM's answers about the role, to all that its selections need; None when there is no such role."""
    found = run.account.role(role.name)
    if found is None or found.arn != str(role):
        return None
    asked = [probe for summary, each in _probes(run).items() if summary.role_arn == str(role) for probe in each]
    return simulate(run.account, str(role), requests_for(asked, run.account.place))


def _problems(
    role: RoleArn, selection: SelectionSummary, probes: Iterable[Probe], results: Iterable[SimulationResult]
) -> tuple[Problem, ...]:
    try:
        return problems(role.name, selection, judge(probes, results))
    except ValueError as error:
        raise ReadError(
            f"iam:SimulatePrincipalPolicy in account {role.account} for {role} answered something that cannot be read:"
            f" {error}.",
            "MalformedAnswer",
        ) from error


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_ROLE_PERMISSIONS()).handle(event, context)
