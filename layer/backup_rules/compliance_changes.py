"""A change of compliance as AWS Config tells it to EventBridge, and the rules of the pack that it may be about.

The event is "Config Rules Compliance Change" of source aws.config, which holds AWS Config's notification as `detail`:
https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html and
https://docs.aws.amazon.com/config/latest/developerguide/example-config-rule-compliance-notification.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backup_rules.arns import Arn
from backup_rules.values import dataclass
from backup_rules.wording.annotations import name
from backup_rules.wording.quoting import shown

# AWS Config appends it to the names of a conformance pack's rules; several packs have several.
PACK_SUFFIX = re.compile(r"-conformance-pack-[a-z0-9]{1,20}\Z")
# What a pack may put before the names of its rules: no room for words of somebody else's.
RULE_PREFIX = re.compile(r"[a-z0-9-]{0,8}")
ACCOUNT = re.compile(r"[0-9]{12}")
REGION = re.compile(r"[a-z]{2}(-[a-z]{1,12}){1,3}-[0-9]{1,2}")
RESOURCE_TYPE = re.compile(r"[A-Za-z0-9]{1,64}(::[A-Za-z0-9]{0,64}){2,3}")
COMPLIANCE_TYPES = frozenset({"COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA"})
LONGEST_ID = 768  # https://docs.aws.amazon.com/config/latest/APIReference/API_Evaluation.html
_SURROGATE = re.compile("[\ud800-\udfff]")


class UnreadableEventError(ValueError):
    """The message holds no change of compliance of a rule of this pack; says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a reader should know of a rule: its name as on its page, and what its metadata says."""

    name: str
    title: str
    severity: str
    remediation: str


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that one rule judges otherwise than before.

    `rule_name` is the name of the Config rule without the pack's suffix, `previous` the compliance type before (None:
    never judged until now), and `recorded` when AWS Config stored the result: RFC 3339, UTC, to the millisecond, so
    that the order of two is the order of their texts.
    """

    partition: str
    account: str
    region: str
    rule: Rule
    rule_name: str
    rule_arn: str
    full_rule_name: str
    resource_type: str
    resource_id: str
    compliance: str
    previous: str | None
    annotation: str
    recorded: str

    @property
    def key(self) -> tuple[str, ...]:
        """What is judged by which rule: the same for all changes of one resource."""
        return self.account, self.region, self.rule_name, self.resource_type, self.resource_id


def read_rules(path: Path) -> dict[str, Rule]:
    """The rules by their names in AWS Config, from the `rules.json` that packaging puts beside the code."""
    rules = json.loads(path.read_text(encoding="utf-8"))
    return {
        config_name: Rule(about["Name"], about["Title"], about["Severity"], about["Remediation"])
        for config_name, about in rules.items()
    }


def read_change(event: Any, rules: Mapping[str, Rule]) -> Change:
    """The change that an event tells.

    Raises:
        UnreadableEventError: when it tells none, or of no rule in `rules`.
    """
    try:
        detail = event["detail"]
        new = detail["newEvaluationResult"]
        old = detail.get("oldEvaluationResult") or {}
        arn = Arn.parse(detail["configRuleARN"])
        change_of = _text(event, "detail-type"), _text(event, "source")
        account, region, full_name = _text(event, "account"), _text(event, "region"), _text(detail, "configRuleName")
        rule_name, rule = _rule(full_name, rules)
        if change_of != ("Config Rules Compliance Change", "aws.config"):
            raise UnreadableEventError(f"The event is {shown(change_of[0])} of {shown(change_of[1])}.")
        if arn is None or not ACCOUNT.fullmatch(account) or {arn.account, detail["awsAccountId"]} != {account}:
            raise UnreadableEventError(
                f"The event comes from account {name(account)}, but speaks of {shown(detail['awsAccountId'])} and rule"
                f" {shown(detail['configRuleARN'])}."
            )
        resource_type, resource_id = _text(detail, "resourceType"), _text(detail, "resourceId")
        compliance = _text(new, "complianceType")
        _check("Region", region, REGION.fullmatch(region))
        _check("resource type", resource_type, RESOURCE_TYPE.fullmatch(resource_type))
        _check("compliance type", compliance, compliance in COMPLIANCE_TYPES)
        _check("resource id", resource_id, 1 <= len(resource_id) <= LONGEST_ID and not _SURROGATE.search(resource_id))
        return Change(
            partition=arn.partition,
            account=account,
            region=region,
            rule=rule,
            rule_name=rule_name,
            rule_arn=str(arn),
            full_rule_name=full_name,
            resource_type=resource_type,
            resource_id=resource_id,
            compliance=compliance,
            previous=old.get("complianceType"),
            annotation=_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", _annotation(new)).strip(),
            recorded=_instant(new.get("resultRecordedTime") or event["time"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableEventError(f"The event is not of the form that AWS Config sends: {shown(error)}.") from error


def newest(changes: Mapping[str, Change]) -> dict[tuple[str, ...], list[str]]:
    """The message ids of each resource and rule, the one with the newest change first: the others are out of date."""
    order = sorted(changes, key=lambda message: changes[message].recorded, reverse=True)
    found: dict[tuple[str, ...], list[str]] = {}
    for message in order:
        found.setdefault(changes[message].key, []).append(message)
    return found


def _text(told: Mapping[str, Any], key: str) -> str:
    if not isinstance(told[key], str):
        raise TypeError(f"{key} is {shown(told[key])}")
    text: str = told[key]
    return text


def _annotation(told: Mapping[str, Any]) -> str:
    return "" if told.get("annotation") is None else _text(told, "annotation")


def _check(what: str, value: str, fits: object) -> None:
    if not fits:
        raise UnreadableEventError(f"{shown(value)} is no {what}.")


def _rule(full_name: str, rules: Mapping[str, Rule]) -> tuple[str, Rule]:
    """The name without the pack's suffix, and its rule; a pack may put a short prefix before the rule's name.

    Any account can name a rule of its own as it likes: other words before the name make it no rule of this pack.
    """
    short_name = PACK_SUFFIX.sub("", full_name)
    fitting = max((each for each in rules if short_name.endswith(each)), key=len, default=None)
    if fitting is None or not RULE_PREFIX.fullmatch(short_name.removesuffix(fitting)):
        raise UnreadableEventError(
            f"{name(full_name, 100)} is no rule of this pack, or of a newer one than this function."
        )
    return short_name, rules[fitting]


def _instant(text: str) -> str:
    try:
        instant = datetime.fromisoformat(text)
        utc = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadableEventError(f"{shown(text)} is no time.") from error
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03}Z"
