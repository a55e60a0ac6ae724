"""The role of every backup selection exists in its account, and AWS Backup can assume it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import RuleParameters
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject
from backup_rules.iam.role_findings import NamedIn
from backup_rules.selections.picking import SelectionSummary
from backup_rules.selections.words import callings, of_policy
from backup_rules.shared_rules.role_checks import role_arn_of, role_problems
from backup_rules.wording.findings import Finding


class BACKUP_ROLE_ASSUMABLE(BackupConfigRule[RuleParameters, SelectionSummary]):
    """Verdicts are about selections; what a selection's plan does with the role is `BACKUP_ROLE_PERMISSIONS`."""

    def subjects(self, invocation: Invocation[RuleParameters]) -> Iterable[Subject[SelectionSummary]]:
        return invocation.selections()

    def findings(self, subject: Subject[SelectionSummary], invocation: Invocation[RuleParameters]) -> Iterator[Finding]:
        selection = subject.of
        named_in = NamedIn.BACKUP_POLICY if of_policy(selection) else NamedIn.SELECTION
        role_arn = role_arn_of(selection, invocation.account)
        yield from role_problems(role_arn, callings(selection), invocation.account, named_in)


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_ROLE_ASSUMABLE()).handle(event, context)
