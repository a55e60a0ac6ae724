"""No account of the organization is left on an older backup policy because its effective one is invalid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from backup_rules.arns import Place
from backup_rules.aws import organizations
from backup_rules.evaluation.evaluator import Evaluator
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.parameters import REGION, TRUE_OR_FALSE, RuleParameters, parameter
from backup_rules.evaluation.rule import BackupConfigRule
from backup_rules.evaluation.subjects import Subject, account_subject
from backup_rules.organization.effective_policy import NoPolicy
from backup_rules.organization.invalid_policies import NotTold, invalid_policy_problem
from backup_rules.shared_rules.policy_scope import NO_POLICY_WORDS
from backup_rules.wording.findings import Finding, NotApplicable


@dataclass(frozen=True)
class Parameters(RuleParameters):
    """Whether a delegated administrator reports too, and the one Region in which the account does."""

    delegated_administrator: bool = parameter(TRUE_OR_FALSE, default=False)
    home_region: str | None = parameter(REGION, default=None)


class BACKUP_POLICY_VALID(BackupConfigRule[Parameters, Place]):
    """The verdict is about the account that is judged, and on behalf of the whole organization."""

    parameters_type = Parameters

    def subjects(self, invocation: Invocation[Parameters]) -> Iterable[Subject[Place]]:
        return (account_subject(invocation.account.place),)

    def findings(self, subject: Subject[Place], invocation: Invocation[Parameters]) -> Iterator[Finding]:
        home = invocation.parameters.home_region
        if home is not None and home != subject.of.region:
            yield NotApplicable(f"What concerns the whole organization is judged in {home} only.")
            return
        management = organizations.management_account(invocation.account)
        if management is None:
            yield NotApplicable(NO_POLICY_WORDS[NoPolicy.NOT_IN_ORGANIZATION])
        elif management != subject.of.account and not invocation.parameters.delegated_administrator:
            yield NotApplicable("This account is not the management account, which judges for the whole organization.")
        else:
            invalid = organizations.accounts_with_invalid_policy(invocation.account)
            if isinstance(invalid, NotTold):
                yield NotApplicable(invalid.value)
            elif invalid:
                yield invalid_policy_problem(
                    invalid, organizations.first_validation_error(invocation.account, invalid[0])
                )


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """What AWS Lambda calls with an event of AWS Config."""
    return Evaluator(BACKUP_POLICY_VALID()).handle(event, context)
