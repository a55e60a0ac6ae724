"""Which evaluations a periodic run puts: all, or those that AWS Config does not hold already.

AWS Config charges for each evaluation, and most say again what it holds. With `PUT_EVALUATIONS=changes` a run puts what
differs in compliance or annotation from what is held, what was last put `REFRESH_DAYS` ago, and at least one, so that
AWS Config sees that the rule has run. What it does with a result that is not renewed is not documented: hence the days.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from rdklib import ComplianceType

from backup_rules.aws.account import Account
from backup_rules.aws.answers import Answer, field, optional, optional_moment
from backup_rules.errors import InvalidEventError
from backup_rules.values import dataclass

ALL, CHANGES = "all", "changes"
REFRESH_DAYS = 7
MOST_REFRESH_DAYS = 30

PAGE = 100
"""Results of a page, as many as GetComplianceDetailsByConfigRule gives."""

# A run of a day is not to the second a day after the last.
_EARLY = timedelta(hours=1)

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Held:
    """An evaluation as AWS Config holds it; `put` is the time of the event for which it was put (UTC)."""

    compliance: str
    annotation: str
    put: datetime | None


@dataclass(frozen=True, slots=True)
class Renewal:
    """Whether only changes are put, and after how many days everything is."""

    only_changes: bool = False
    days: int = REFRESH_DAYS

    @classmethod
    def of_environment(cls) -> Renewal:
        """As the function's environment says.

        Raises:
            InvalidEventError: it says something that is not allowed.
        """
        put, days = os.environ.get("PUT_EVALUATIONS") or ALL, os.environ.get("REFRESH_DAYS") or str(REFRESH_DAYS)
        if put not in {ALL, CHANGES}:
            raise InvalidEventError(f"PUT_EVALUATIONS is {put[:100]!r}; allowed is {ALL} or {CHANGES}.")
        if not (days.isascii() and days.isdecimal() and len(days) < 4 and 1 <= int(days) <= MOST_REFRESH_DAYS):
            allowed = f"a whole number from 1 to {MOST_REFRESH_DAYS}"
            raise InvalidEventError(f"REFRESH_DAYS is {days[:100]!r}; allowed is {allowed}.")
        return cls(put == CHANGES, int(days))

    def to_put(
        self, evaluations: Sequence[dict[str, str]], held: Mapping[Key, Held], now: datetime
    ) -> list[dict[str, str]]:
        """Those of a run's evaluations that are put, in their order.

        Args:
            evaluations: all of them, as `PutEvaluations` takes them.
            held: what AWS Config holds of the rule.
            now: the event's time.
        """
        if not self.only_changes:
            return list(evaluations)
        due = now - timedelta(days=self.days) + _EARLY
        found = [each for each in evaluations if _differs(each, held.get(_key(each)), due)]
        # The one that was put the longest ago.
        return found or sorted(evaluations, key=lambda each: (held[_key(each)].put or now, _key(each)))[:1]


def held_evaluations(account: Account, rule_name: str, *, every: bool) -> dict[Key, Held]:
    """What AWS Config holds of a rule, by resource type and id; one that cannot be read is a gap.

    Args:
        account: whose.
        rule_name: the Config rule.
        every: those that are NOT_APPLICABLE as well, if it holds any.

    Raises:
        ReadError: it cannot be read.
    """
    wanted = [] if every else [ComplianceType.COMPLIANT, ComplianceType.NON_COMPLIANT]
    return dict(
        account.calls.items(
            "config",
            "GetComplianceDetailsByConfigRule",
            "EvaluationResults",
            _held,
            ConfigRuleName=rule_name,
            PaginationConfig={"PageSize": PAGE},
            **({"ComplianceTypes": wanted} if wanted else {}),
        )
    )


def _held(item: Answer) -> tuple[Key, Held]:
    identifier = field(item, "EvaluationResultIdentifier", dict)
    qualifier = field(identifier, "EvaluationResultQualifier", dict)
    key = field(qualifier, "ResourceType", str), field(qualifier, "ResourceId", str)
    annotation = optional(item, "Annotation", str) or ""
    return key, Held(field(item, "ComplianceType", str), annotation, optional_moment(identifier, "OrderingTimestamp"))


def _key(evaluation: Mapping[str, str]) -> Key:
    return evaluation["ComplianceResourceType"], evaluation["ComplianceResourceId"]


def _differs(evaluation: Mapping[str, str], held: Held | None, due: datetime) -> bool:
    if held is None or held.put is None or held.put <= due:
        return True
    return (evaluation["ComplianceType"], evaluation.get("Annotation", "")) != (held.compliance, held.annotation)
