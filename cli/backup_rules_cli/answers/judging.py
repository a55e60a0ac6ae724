"""Every rule, judging one account in one Region; what came of each is kept whole, for several questions to be asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from backup_rules.aws import backup
from backup_rules.aws.account import Account
from backup_rules.aws.memory import Memory, gaps_noticed
from backup_rules.errors import BackupRulesError, InvalidRuleParametersError
from backup_rules.evaluation.invocation import Invocation
from backup_rules.evaluation.rule import BackupConfigRule, Outcome
from backup_rules.evaluation.subjects import Verdict
from backup_rules_cli.catalogue import RuleFolder

SYMPTOM = "BACKUP_PLAN_RAN_ON_SCHEDULE"
"""The rule that tells whether a plan ran; all others tell why it does not."""

Parameters = Mapping[str, Mapping[str, str]]
"""What a person gave, by rule and name."""


@dataclass(frozen=True)
class Judged:
    """What came of one rule: an outcome, or why there is none. Its invocation answers what else is asked of it."""

    folder: RuleFolder
    rule: BackupConfigRule[Any, Any]
    invocation: Invocation[Any]
    outcome: Outcome
    error: BackupRulesError | InvalidRuleParametersError | None = None

    @cached_property
    def verdicts(self) -> Mapping[tuple[str, str], Verdict]:
        """The verdicts by type and id of what they are about."""
        return {each.subject.key: each for each in self.outcome.verdicts}

    @cached_property
    def kinds(self) -> frozenset[str]:
        """What the rule judges here: the types of its subjects."""
        return frozenset(kind for kind, _ in (*self.verdicts, *self.outcome.failures))


def judge(folder: RuleFolder, account: Account, given: Mapping[str, str], now: datetime) -> Judged:
    """Judge the account by the rule, with these parameters beside its defaults."""
    rule = folder.rule()
    parameters = rule.evaluate_parameters({**folder.defaults, **given})
    invocation = Invocation(account, parameters, now)
    try:
        return Judged(folder, rule, invocation, rule.judge(invocation))
    except (BackupRulesError, InvalidRuleParametersError) as error:
        return Judged(folder, rule, invocation, Outcome(), error)


class JudgedAccount(Memory):
    """One account in one Region, judged by each rule when first asked for it.

    `read_from` says where the answers come from.
    """

    def __init__(
        self, account: Account, folders: Sequence[RuleFolder], parameters: Parameters, now: datetime, read_from: str
    ) -> None:
        super().__init__()
        self.account = account
        self.place = account.place
        self.folders = tuple(folders)
        self.now = now
        self.read_from = read_from
        self._parameters = parameters
        self._judged: dict[tuple[str, str | None], Judged] = {}

    def by(self, rule: str) -> Judged | None:
        """What came of the rule; None where it was not chosen."""
        folder = next((each for each in self.folders if each.name == rule), None)
        return None if folder is None else self.judged(folder)

    def judged(self, folder: RuleFolder, only_plan: str | None = None) -> Judged:
        """What came of the rule; with the id of a plan, where all other plans are excluded as by `ExcludedPlans`."""
        key = folder.name, only_plan
        if key not in self._judged:
            given = self._parameters.get(folder.name, {})
            if only_plan is not None:
                given = {**given, "ExcludedPlans": self._all_but(only_plan, given.get("ExcludedPlans", ""))}
            self._judged[key] = judge(folder, self.account, given, self.now)
        return self._judged[key]

    def _all_but(self, plan_id: str, excluded: str) -> str:
        with gaps_noticed():
            others = [each.id for each in backup.plan_summaries(self.account) if each.id != plan_id]
        return ",".join(filter(None, (excluded, *others)))

    def evidence(self, folder: RuleFolder) -> tuple[str, ...]:
        """The operations, as IAM names them, that the rule reads and that were asked of the account."""
        asked = self.account.calls.counts
        return tuple(sorted(each for each in folder.permissions if each in asked))


def in_order(folders: Iterable[RuleFolder]) -> list[RuleFolder]:
    """The rules in the order of AWS's article, then those beyond it, then any other."""
    known = {name: number for number, name in enumerate(ORDER)}
    return sorted(folders, key=lambda each: (known.get(each.name, len(known)), each.name))


# The conditions as they stand in the article, and then what goes beyond it:
# https://repost.aws/knowledge-center/aws-backup-troubleshoot-scheduled-backup-plans
ORDER = (
    "BACKUP_SERVICE_OPT_IN",
    "BACKUP_WINDOW_CONFIGURED",
    "BACKUP_ROLE_ASSUMABLE",
    "BACKUP_ROLE_PERMISSIONS",
    "BACKUP_TAG_CASE",
    "BACKUP_TAG_WHITESPACE",
    "BACKUP_POLICY_ATTACHED",
    "BACKUP_POLICY_VAULT_EXISTS",
    "BACKUP_POLICY_VAULT_NAME_CASE",
    "BACKUP_RDS_WINDOW_CONFLICT",
    "BACKUP_FSX_WINDOW_CONFLICT",
    "BACKUP_PLAN_RAN_ON_SCHEDULE",
    "BACKUP_SELECTION_NOT_EMPTY",
    "BACKUP_POLICY_ROLE_EXISTS",
    "BACKUP_VAULT_USABLE",
    "BACKUP_RESOURCE_READY",
    "BACKUP_POLICY_VALID",
)
